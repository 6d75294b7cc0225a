/** Entry of journal-replay's trading thread. */
import { hostActors } from '../../src/runtime/actor-host.ts';
import { reader } from './reader.ts';

hostActors({ kinds: [reader], portsFor: () => ({}) });
