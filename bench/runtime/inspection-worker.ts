/** Worker entry of `inspection-cost`. */
import { hostActors } from '../../src/runtime/actor-host.ts';
import { source, sourcePorts } from './inspection-actors.ts';
import { consumer } from './load-actors.ts';

hostActors({ kinds: [source, consumer], portsFor: sourcePorts });
