/** The doors of the journal actor on the real database. The store thread only. */
import type { JournalPorts } from '../../ports/ports.ts';
import type { PortsContext, PortsFactory } from '../../runtime/ports-context.ts';
import { openStorePort } from '../store-port.ts';
import { reopenJournal } from './journal-database.ts';

/** The store thread's settings: plain data. */
export interface JournalThreadData {
  readonly journalDirectory: string;
  /** What `allocateBoot` returned when the main thread opened the journal of this process. */
  readonly boot: number;
}

/** Makes the factory of the store thread: each incarnation of the journal opens the database anew and checks its tail. */
export function journalPortsFactory(): PortsFactory {
  return (context: PortsContext): JournalPorts & { dispose(): void } => {
    const { journalDirectory, boot } = context.data as JournalThreadData;
    const store = openStorePort({
      open: () => reopenJournal(journalDirectory, boot),
      deliver: (message, cause) => context.deliver(message, cause),
      calling: (door, detail) => context.calling(door, detail),
      schedule: (delayMs, action) => context.schedule(delayMs, action),
      monotonicMs: () => context.monotonicMs(),
      log: (level, event, fields) => context.log(level, event, fields),
      metrics: context.metrics,
    });
    return { store, dispose: () => store.dispose() };
  };
}
