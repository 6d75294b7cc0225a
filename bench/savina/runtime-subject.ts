/** The runtime as a user of it would set it up: one worker thread or two, a supervisor, bounded mailboxes. Main thread only. */
import { anyReport } from './report.ts';
import { startThreads } from '../../src/runtime/thread-system.ts';
import { allKinds } from './all-programs.ts';
import { DIRECTOR, type Problem } from './program.ts';
import type { Subject } from './subject.ts';

const ENTRY = new URL('./runtime-worker.ts', import.meta.url);
/** How long a thread of the two looks for news before it sleeps. */
const SPIN_US = 100;
const RUN_DEADLINE_MS = 60_000;
const THREADS = ['a', 'b'] as const;

export async function startRuntime(problem: Problem, threads: 1 | 2): Promise<Subject> {
  const system = await startThreads({
    tree: {
      type: 'supervisor',
      id: 'bench',
      children: problem.seats.map(({ id, kind, args, side }) => ({
        type: 'actor' as const,
        id,
        kind,
        args,
        thread: THREADS[threads === 1 ? 0 : side],
      })),
    },
    kinds: allKinds(),
    portsFor: () => ({}),
    calendar: { type: 'live' },
    log: ({ level, event, path, fields }) => {
      if (level === 'error') process.stderr.write(`${event} ${path ?? ''} ${JSON.stringify(fields ?? {})}\n`);
    },
    // No program has sockets, so the threads may sleep on their flags.
    // Two threads that answer each other one by one: what the option is for. One thread never spins.
    spinUs: SPIN_US,
    threads: THREADS.slice(0, threads).map((name) => ({ name, entry: ENTRY, wake: 'wait' as const })),
  });
  return {
    name: 'runtime',
    run: async () => {
      const answer = system.ask(DIRECTOR, { type: 'run-program' }, { deadlineMs: RUN_DEADLINE_MS });
      const failure = system.failed.then((reason) => Promise.reject(new Error(`the system must not fail: ${reason}`)));
      return anyReport(await Promise.race([answer, failure]));
    },
    close: () => system.stop({ deadlineMs: 2_000 }),
  };
}
