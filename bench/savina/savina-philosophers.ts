/**
 * How many meals a second do twenty philosophers get whose forks one arbiter gives out, when who is denied asks again at once?
 *
 *   [philosopher/0..19] --hungry--> [arbiter] --eat or denied--> [philosopher] --sated--> [arbiter]
 *   across: the arbiter on one thread, all philosophers on the other
 *
 * Realistic because refusals and retries under contention are what limits and venues answer with. How many retries a run needs
 * depends on the order in which the arbiter hears them, so meals are counted and not messages.
 */
import { refOf, type ActorKind, type ActorRef } from '../../src/runtime/actor.ts';
import { measuring } from './measuring.ts';
import { begin, DIRECTOR, finish, mustTell, NORMAL, problemOf, seat, seats } from './program.ts';
import type { Program, Running, RunProgram } from './program.ts';

type PhilosopherMessage = { readonly type: 'sit-down' } | { readonly type: 'eat' } | { readonly type: 'denied' };
type ArbiterMessage =
  | RunProgram
  | { readonly type: 'hungry'; readonly seat: number; readonly from: ActorRef<PhilosopherMessage> }
  | { readonly type: 'sated'; readonly seat: number }
  | { readonly type: 'philosopher-done' };

const ARBITER: ActorRef<ArbiterMessage> = refOf(DIRECTOR);

interface ArbiterState {
  readonly philosophers: readonly ActorRef<PhilosopherMessage>[];
  readonly isTaken: boolean[];
  meals: number;
  done: number;
  running: Running | undefined;
}

const arbiter: ActorKind<{ readonly philosophers: number }, ArbiterState, ArbiterMessage> = {
  kind: 'philosophers-arbiter',
  delivery: { 'run-program': NORMAL, hungry: NORMAL, sated: NORMAL, 'philosopher-done': NORMAL },
  start: ({ philosophers }) => ({
    philosophers: Array.from({ length: philosophers }, (_, index) => refOf<PhilosopherMessage>(`philosopher/${index}`)),
    isTaken: new Array<boolean>(philosophers).fill(false),
    meals: 0,
    done: 0,
    running: undefined,
  }),
  receive(state, message, self) {
    switch (message.type) {
      case 'run-program':
        state.running = begin(message, self);
        state.meals = 0;
        state.done = 0;
        for (const philosopher of state.philosophers) mustTell(self, philosopher, { type: 'sit-down' });
        return state;
      case 'hungry': {
        const right = (message.seat + 1) % state.isTaken.length;
        if (state.isTaken[message.seat] === true || state.isTaken[right] === true) {
          mustTell(self, message.from, { type: 'denied' });
        } else {
          state.isTaken[message.seat] = true;
          state.isTaken[right] = true;
          mustTell(self, message.from, { type: 'eat' });
        }
        return state;
      }
      case 'sated':
        state.isTaken[message.seat] = false;
        state.isTaken[(message.seat + 1) % state.isTaken.length] = false;
        state.meals += 1;
        return state;
      case 'philosopher-done':
        state.done += 1;
        if (state.done === state.philosophers.length) state.running = finish(state.running, self, state.meals);
        return state;
    }
  },
};

interface PhilosopherArgs {
  readonly seat: number;
  readonly meals: number;
}

const philosopher: ActorKind<PhilosopherArgs, PhilosopherArgs & { eaten: number }, PhilosopherMessage> = {
  kind: 'philosophers-philosopher',
  delivery: { 'sit-down': NORMAL, eat: NORMAL, denied: NORMAL },
  start: (args) => ({ ...args, eaten: 0 }),
  receive(state, message, self) {
    if (message.type === 'sit-down') {
      state.eaten = 0;
    } else if (message.type === 'eat') {
      state.eaten += 1;
      mustTell(self, ARBITER, { type: 'sated', seat: state.seat });
    }
    if (state.eaten < state.meals) mustTell(self, ARBITER, { type: 'hungry', seat: state.seat, from: self.ref });
    else mustTell(self, ARBITER, { type: 'philosopher-done' });
    return state;
  },
};

export const program: Program = {
  name: 'savina-philosophers',
  erlangModule: 'savina_philosophers',
  topology: '20 <-> 1, each philosopher with one request under way',
  unit: 'meals',
  kinds: [arbiter, philosopher],
  problem: problemOf(
    {
      within: { philosophers: 20, meals: 1_000 },
      across: { philosophers: 20, meals: 150 },
      small: { philosophers: 5, meals: 30 },
    },
    ({ philosophers, meals }) => ({
      seats: [
        ...seats(philosophers, (index) => seat(`philosopher/${index}`, philosopher, { seat: index, meals }, 1)),
        seat(DIRECTOR, arbiter, { philosophers }, 0),
      ],
      work: philosophers * meals,
      answer: philosophers * meals,
      parameters: [philosophers, meals],
    }),
  ),
};

export const name = 'savina-philosophers';
export const run = measuring(program);
