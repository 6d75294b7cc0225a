/** Entry of a benchmark's trading thread: the trader, with a clock to stamp by. */
import { hostActors } from '../../src/runtime/actor-host.ts';
import type { TraderPorts } from './trader.ts';
import { trader } from './trader.ts';

hostActors({ kinds: [trader], portsFor: (): TraderPorts => ({ hrtimeNs: () => process.hrtime.bigint() }) });
