/** Entry of fill-to-hedge's trading thread: the engine's own guard and positions, and the driver where the strategy would be. */
import { guard } from '../../actors/guard.ts';
import { position } from '../../actors/position.ts';
import { engineDelivery } from '../../src/composition/delivery.ts';
import { scheduledPorts } from '../../src/ports/live/scheduled-ports.ts';
import { hostActors } from '../../src/runtime/actor-host.ts';
import { driver } from './driver.ts';

hostActors({
  kinds: [guard, position, driver],
  portsFor: scheduledPorts('trading', () => ({})),
  delivery: engineDelivery,
});
