/** Worker entry of the programs: a thread of the actor system. */
import { hostActors } from '../../src/runtime/actor-host.ts';
import { allKinds } from './all-programs.ts';

hostActors({ kinds: allKinds(), portsFor: () => ({}) });
