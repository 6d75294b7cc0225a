/** Entry of the store thread: the journal on its database. */
import { journal } from '../actors/journal.ts';
import { hostActors } from '../src/runtime/actor-host.ts';
import { journalPortsFactory } from '../src/storage/live/journal-ports.ts';

hostActors({ kinds: [journal], portsFor: journalPortsFactory() });
