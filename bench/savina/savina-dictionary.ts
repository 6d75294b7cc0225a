/**
 * How many questions a second does one actor answer for twenty others? Every tenth one writes.
 *
 *   [worker/0..19] --read or write--> [dictionary] --result--> [worker]     across: the dictionary on one thread, all workers on the other
 *
 * Realistic because a shared table behind one actor is how limits and balances are kept.
 */
import { refOf, type ActorKind, type ActorRef } from '../../src/runtime/actor.ts';
import { measuring } from './measuring.ts';
import { begin, DIRECTOR, finish, mustTell, nextRandom, NORMAL, problemOf, seat, seats } from './program.ts';
import type { Program, Running, RunProgram } from './program.ts';

type WorkerMessage = { readonly type: 'look-up-start' } | { readonly type: 'result'; readonly value: number };
type DictionaryMessage =
  | { readonly type: 'write'; readonly key: number; readonly value: number; readonly from: ActorRef<WorkerMessage> }
  | { readonly type: 'read'; readonly key: number; readonly from: ActorRef<WorkerMessage> }
  | { readonly type: 'close-dictionary' };
type DirectorMessage =
  | RunProgram
  | { readonly type: 'look-ups-done'; readonly count: number }
  | { readonly type: 'dictionary-closed'; readonly writes: number; readonly keys: number };

const KEYS = 512;
const WRITE_PERCENT = 10;
const DICTIONARY: ActorRef<DictionaryMessage> = refOf('dictionary');

interface DirectorState {
  readonly workers: readonly ActorRef<WorkerMessage>[];
  workersDone: number;
  done: number;
  running: Running | undefined;
}

const director: ActorKind<{ readonly workers: number }, DirectorState, DirectorMessage> = {
  kind: 'dictionary-director',
  delivery: { 'run-program': NORMAL, 'look-ups-done': NORMAL, 'dictionary-closed': NORMAL },
  start: ({ workers }) => ({
    workers: Array.from({ length: workers }, (_, index) => refOf<WorkerMessage>(`worker/${index}`)),
    workersDone: 0,
    done: 0,
    running: undefined,
  }),
  receive(state, message, self) {
    switch (message.type) {
      case 'run-program':
        state.running = begin(message, self);
        state.workersDone = 0;
        state.done = 0;
        for (const worker of state.workers) mustTell(self, worker, { type: 'look-up-start' });
        return state;
      case 'look-ups-done':
        state.done += message.count;
        state.workersDone += 1;
        if (state.workersDone === state.workers.length) mustTell(self, DICTIONARY, { type: 'close-dictionary' });
        return state;
      case 'dictionary-closed':
        state.running = finish(state.running, self, state.done + message.writes + message.keys);
        return state;
    }
  },
};

const dictionary: ActorKind<null, { readonly values: Map<number, number>; writes: number }, DictionaryMessage> = {
  kind: 'dictionary-dictionary',
  delivery: { write: NORMAL, read: NORMAL, 'close-dictionary': NORMAL },
  start: () => ({ values: new Map(), writes: 0 }),
  receive(state, message, self) {
    switch (message.type) {
      case 'write':
        state.values.set(message.key, message.value);
        state.writes += 1;
        mustTell(self, message.from, { type: 'result', value: message.value });
        return state;
      case 'read':
        mustTell(self, message.from, { type: 'result', value: state.values.get(message.key) ?? 0 });
        return state;
      case 'close-dictionary':
        mustTell(self, refOf<DirectorMessage>(DIRECTOR), {
          type: 'dictionary-closed',
          writes: state.writes,
          keys: state.values.size,
        });
        return { values: new Map(), writes: 0 };
    }
  },
};

interface WorkerArgs {
  readonly number: number;
  readonly operations: number;
}

const worker: ActorKind<WorkerArgs, WorkerArgs & { random: number; done: number }, WorkerMessage> = {
  kind: 'dictionary-worker',
  delivery: { 'look-up-start': NORMAL, result: NORMAL },
  start: (args) => ({ ...args, random: args.number, done: 0 }),
  receive(state, message, self) {
    if (message.type === 'look-up-start') {
      state.random = state.number;
      state.done = 0;
    } else {
      state.done += 1;
    }
    if (state.done === state.operations) {
      mustTell(self, refOf<DirectorMessage>(DIRECTOR), { type: 'look-ups-done', count: state.done });
      return state;
    }
    const kind = nextRandom(state.random);
    const value = nextRandom(kind);
    state.random = value;
    const key = value % KEYS;
    if (isWrite(kind)) mustTell(self, DICTIONARY, { type: 'write', key, value, from: self.ref });
    else mustTell(self, DICTIONARY, { type: 'read', key, from: self.ref });
    return state;
  },
};

function isWrite(kind: number): boolean {
  return kind % 100 < WRITE_PERCENT;
}

/** Plays all workers one after the other: what was done, how much of it wrote, and how many keys there are in the end. */
function expected(workers: number, operations: number): number {
  const keys = new Set<number>();
  let writes = 0;
  for (let number = 1; number <= workers; number++) {
    let random = number;
    for (let operation = 0; operation < operations; operation++) {
      const kind = nextRandom(random);
      random = nextRandom(kind);
      if (!isWrite(kind)) continue;
      writes += 1;
      keys.add(random % KEYS);
    }
  }
  return workers * operations + writes + keys.size;
}

export const program: Program = {
  name: 'savina-dictionary',
  erlangModule: 'savina_dictionary',
  topology: '20 <-> 1, each worker with one question under way',
  unit: 'questions',
  kinds: [director, dictionary, worker],
  problem: problemOf(
    {
      within: { workers: 20, operations: 3_000 },
      across: { workers: 20, operations: 500 },
      small: { workers: 4, operations: 50 },
    },
    ({ workers, operations }) => ({
      seats: [
        seat('dictionary', dictionary, null, 0),
        ...seats(workers, (index) => seat(`worker/${index}`, worker, { number: index + 1, operations }, 1)),
        seat(DIRECTOR, director, { workers }, 0),
      ],
      work: workers * operations,
      answer: expected(workers, operations),
      parameters: [workers, operations, WRITE_PERCENT],
    }),
  ),
};

export const name = 'savina-dictionary';
export const run = measuring(program);
