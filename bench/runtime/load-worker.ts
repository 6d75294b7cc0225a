/** Worker entry of the mailbox benchmarks: a thread of the actor system. */
import { hostActors } from '../../src/runtime/actor-host.ts';
import { consumer, producer } from './load-actors.ts';

hostActors({ kinds: [producer, consumer], portsFor: () => ({}) });
