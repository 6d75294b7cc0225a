/** Entry of the store thread: the journal on its database, and the monitor that reads it. */
import { journal } from '../actors/journal.ts';
import { monitor } from '../actors/monitor.ts';
import { scheduledPorts } from '../src/ports/live/scheduled-ports.ts';
import { hostActors } from '../src/runtime/actor-host.ts';
import { journalPortsFactory } from '../src/storage/live/journal-ports.ts';

const journalPorts = journalPortsFactory();
hostActors({
  kinds: [journal, monitor],
  portsFor: scheduledPorts('store', (context) => (context.kind === 'journal' ? journalPorts(context) : {})),
});
