/** Worker entry of `idle-cpu`: a thread of the actor system. */
import { hostActors } from '../../src/runtime/actor-host.ts';
import { idle } from './idle-actors.ts';

hostActors({ kinds: [idle], portsFor: () => ({}) });
