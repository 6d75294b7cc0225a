/**
 * How many messages a second can one actor send to another that only counts?
 *
 *   [producer] --increment x N, then retrieve--> [counter] --count--> [producer]     across: one actor a thread
 *
 * Realistic because a burst of events is told as fast as it is read. Our counter's mailbox is bounded: a refused producer goes on
 * when there is room again. Peers and Erlang have no bound.
 */
import { refOf, type ActorKind, type ActorRef } from '../../src/runtime/actor.ts';
import { measuring } from './measuring.ts';
import { begin, DIRECTOR, finish, NORMAL, problemOf, seat } from './program.ts';
import type { Program, Running, RunProgram } from './program.ts';

type CounterMessage =
  { readonly type: 'increment' } | { readonly type: 'retrieve'; readonly from: ActorRef<ProducerMessage> };
type ProducerMessage =
  RunProgram | { readonly type: 'produce-more' } | { readonly type: 'counted'; readonly count: number };

/** Messages sent before others get their turn. */
const BATCH = 500;

interface ProducerState {
  readonly increments: number;
  readonly counter: ActorRef<CounterMessage>;
  sent: number;
  running: Running | undefined;
}

const producer: ActorKind<{ readonly increments: number }, ProducerState, ProducerMessage> = {
  kind: 'counting-producer',
  delivery: { 'run-program': NORMAL, 'produce-more': NORMAL, counted: NORMAL },
  start: ({ increments }) => ({ increments, counter: refOf('counter'), sent: 0, running: undefined }),
  receive(state, message, self) {
    if (message.type === 'counted') {
      state.running = finish(state.running, self, message.count);
      return state;
    }
    if (message.type === 'run-program') {
      state.running = begin(message, self);
      state.sent = 0;
    }
    const end = Math.min(state.increments, state.sent + BATCH);
    while (state.sent < end && self.tell(state.counter, { type: 'increment' }) === 'sent') state.sent += 1;
    const isAllSent =
      state.sent === state.increments && self.tell(state.counter, { type: 'retrieve', from: self.ref }) === 'sent';
    if (isAllSent) return state;
    if (state.sent < end || state.sent === state.increments) self.after(0, { type: 'produce-more' });
    else self.tell(self.ref, { type: 'produce-more' });
    return state;
  },
};

const counter: ActorKind<null, { count: number }, CounterMessage> = {
  kind: 'counting-counter',
  delivery: { increment: NORMAL, retrieve: NORMAL },
  start: () => ({ count: 0 }),
  receive(state, message, self) {
    if (message.type === 'increment') {
      state.count += 1;
      return state;
    }
    self.tell(message.from, { type: 'counted', count: state.count });
    state.count = 0;
    return state;
  },
};

export const program: Program = {
  name: 'savina-counting',
  erlangModule: 'savina_counting',
  topology: '1 -> 1, as fast as it goes',
  unit: 'messages',
  absent: { piscina: 'it keeps no order between tasks, and here the question must come last' },
  kinds: [producer, counter],
  problem: problemOf(
    { within: { increments: 200_000 }, across: { increments: 30_000 }, small: { increments: 2_000 } },
    ({ increments }) => ({
      seats: [seat('counter', counter, null, 1), seat(DIRECTOR, producer, { increments }, 0)],
      work: increments,
      answer: increments,
      parameters: [increments],
    }),
  ),
};

export const name = 'savina-counting';
export const run = measuring(program);
