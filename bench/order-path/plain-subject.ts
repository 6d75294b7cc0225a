/** The main thread's handle of the baseline's one thread. */
import { demoAccount } from '../../src/simulation/demo-accounts.ts';
import { openJournal } from '../../src/storage/live/journal-database.ts';
import { hostsOf } from '../../src/venues/hosts.ts';
import { ACCOUNT, LIMITS, type OrderVenue, type Subject, type VenueAddress } from './plan.ts';
import type { PlainEvent, PlainRequest, PlainThreadData } from './plain-worker.ts';
import { EventThread } from './worker-events.ts';

const ENTRY = new URL('./plain-worker.ts', import.meta.url);

/** Starts the thread against a venue; settles once a trigger would be answered. */
export async function startPlainSubject(
  venue: OrderVenue,
  address: VenueAddress,
  journalDirectory: string,
): Promise<Subject> {
  const journal = openJournal(journalDirectory);
  const boot = journal.allocateBoot(Date.now());
  journal.close();
  const { secrets, options } = demoAccount(venue, ACCOUNT);
  const data: PlainThreadData = {
    venue,
    settings: {
      account: ACCOUNT,
      ...address,
      options: { ...options, ...hostsOf(venue).profileOptions[LIMITS] },
      secrets,
      calendarScale: 1,
    },
    journalDirectory,
    boot,
  };
  const thread = new EventThread<PlainRequest, PlainEvent>(ENTRY, data);
  await thread.next('ready');
  return {
    failure: thread.failure,
    async takeDecisions() {
      const answer = thread.next('decisions');
      thread.send({ type: 'take-decisions' });
      return (await answer).decisions;
    },
    async close() {
      const stopped = thread.next('stopped');
      thread.send({ type: 'stop' });
      try {
        await stopped;
      } finally {
        await thread.terminate();
      }
    },
  };
}
