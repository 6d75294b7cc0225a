/** Entry of a benchmark's trading thread: the trader, with a clock to stamp by. */
import { scheduledPorts } from '../../src/ports/live/scheduled-ports.ts';
import { hostActors } from '../../src/runtime/actor-host.ts';
import type { TraderPorts } from './trader.ts';
import { trader } from './trader.ts';

hostActors({
  kinds: [trader],
  portsFor: scheduledPorts('trading', (): TraderPorts => ({ hrtimeNs: () => process.hrtime.bigint() })),
});
