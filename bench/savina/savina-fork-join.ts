/**
 * How many messages a second get from one actor to sixty that each compute a little?
 *
 *   [director] --work x N--> [worker/0..59] --done--> [director]     across: the director on one thread, all workers on the other
 *
 * Realistic because one actor feeding many is how a venue's events reach the positions.
 */
import { refOf, type ActorKind, type ActorRef } from '../../src/runtime/actor.ts';
import { measuring } from './measuring.ts';
import { begin, DIRECTOR, finish, NORMAL, problemOf, seat, seats } from './program.ts';
import type { Program, Running, RunProgram } from './program.ts';

type WorkerMessage = { readonly type: 'work' };
type DirectorMessage =
  RunProgram | { readonly type: 'fork-more' } | { readonly type: 'work-done'; readonly count: number };

/** Rounds over all workers before others get their turn. */
const BATCH_ROUNDS = 8;

interface DirectorState {
  readonly rounds: number;
  readonly workers: readonly ActorRef<WorkerMessage>[];
  sent: number;
  workersDone: number;
  handled: number;
  running: Running | undefined;
}

const director: ActorKind<{ readonly workers: number; readonly rounds: number }, DirectorState, DirectorMessage> = {
  kind: 'fork-join-director',
  delivery: { 'run-program': NORMAL, 'fork-more': NORMAL, 'work-done': NORMAL },
  start: ({ workers, rounds }) => ({
    rounds,
    workers: Array.from({ length: workers }, (_, index) => refOf<WorkerMessage>(`worker/${index}`)),
    sent: 0,
    workersDone: 0,
    handled: 0,
    running: undefined,
  }),
  receive(state, message, self) {
    if (message.type === 'work-done') {
      state.handled += message.count;
      state.workersDone += 1;
      if (state.workersDone === state.workers.length) state.running = finish(state.running, self, state.handled);
      return state;
    }
    if (message.type === 'run-program') {
      state.running = begin(message, self);
      state.sent = 0;
      state.workersDone = 0;
      state.handled = 0;
    }
    const total = state.rounds * state.workers.length;
    const end = Math.min(total, state.sent + BATCH_ROUNDS * state.workers.length);
    let isRefused = false;
    while (state.sent < end && !isRefused) {
      const worker = state.workers[state.sent % state.workers.length];
      if (worker === undefined) throw new Error('there must be a worker of that number');
      if (self.tell(worker, { type: 'work' }) === 'sent') state.sent += 1;
      else isRefused = true;
    }
    if (isRefused) self.after(0, { type: 'fork-more' });
    else if (state.sent < total) self.tell(self.ref, { type: 'fork-more' });
    return state;
  },
};

const worker: ActorKind<
  { readonly rounds: number },
  { readonly rounds: number; handled: number; sum: number },
  WorkerMessage
> = {
  kind: 'fork-join-worker',
  delivery: { work: NORMAL },
  start: ({ rounds }) => ({ rounds, handled: 0, sum: 0 }),
  receive(state, _message, self) {
    // The suite's own small computation.
    const sine = Math.sin(37.2);
    state.sum += sine * sine;
    state.handled += 1;
    if (state.handled < state.rounds) return state;
    self.tell(refOf<DirectorMessage>(DIRECTOR), { type: 'work-done', count: state.handled });
    state.handled = 0;
    return state;
  },
};

export const program: Program = {
  name: 'savina-fork-join',
  erlangModule: 'savina_fork_join',
  topology: '1 -> 60, as fast as it goes',
  unit: 'messages',
  kinds: [director, worker],
  problem: problemOf(
    { within: { workers: 60, rounds: 2_500 }, across: { workers: 60, rounds: 500 }, small: { workers: 5, rounds: 40 } },
    ({ workers, rounds }) => ({
      seats: [
        ...seats(workers, (index) => seat(`worker/${index}`, worker, { rounds }, 1)),
        seat(DIRECTOR, director, { workers, rounds }, 0),
      ],
      work: workers * rounds,
      answer: workers * rounds,
      parameters: [workers, rounds],
    }),
  ),
};

export const name = 'savina-fork-join';
export const run = measuring(program);
