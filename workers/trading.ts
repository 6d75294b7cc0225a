/** Entry of a trading thread: positions, strategy and guard. Imports nothing that knows a socket. */
import { guard } from '../actors/guard.ts';
import { position } from '../actors/position.ts';
import { strategy } from '../actors/strategy.ts';
import { engineDelivery } from '../src/composition/delivery.ts';
import { scheduledPorts } from '../src/ports/live/scheduled-ports.ts';
import { hostActors } from '../src/runtime/actor-host.ts';

hostActors({
  kinds: [guard, position, strategy],
  portsFor: scheduledPorts('trading', () => ({})),
  delivery: engineDelivery,
});
