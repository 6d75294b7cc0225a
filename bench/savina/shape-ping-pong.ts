/**
 * How many order events a second go there and back between two actors, one at a time?
 *
 *   [asker] --event-asked--> [answerer] --order-event--> [asker]     across: one actor a thread
 *
 * Realistic because a position tells its connector something and waits for what became of it.
 */
import { refOf, type ActorKind, type ActorRef } from '../../src/runtime/actor.ts';
import { measuring } from './measuring.ts';
import { orderEvent, type OrderEvent } from './order-event.ts';
import { begin, DIRECTOR, finish, mustTell, NORMAL, problemOf, seat } from './program.ts';
import type { Program, Running, RunProgram } from './program.ts';

type AskerMessage = RunProgram | OrderEvent;
type EventAsked = {
  readonly type: 'event-asked';
  readonly event: OrderEvent;
  readonly from: ActorRef<AskerMessage>;
};

interface AskerState {
  readonly rounds: number;
  readonly answerer: ActorRef<EventAsked>;
  number: number;
  sum: number;
  running: Running | undefined;
}

const asker: ActorKind<{ readonly rounds: number }, AskerState, AskerMessage> = {
  kind: 'event-asker',
  delivery: { 'run-program': NORMAL, 'order-event': NORMAL },
  start: ({ rounds }) => ({ rounds, answerer: refOf('answerer'), number: 0, sum: 0, running: undefined }),
  receive(state, message, self) {
    if (message.type === 'run-program') {
      state.running = begin(message, self);
      state.number = 0;
      state.sum = 0;
    } else {
      state.number += 1;
      state.sum += message.number;
    }
    if (state.number < state.rounds)
      mustTell(self, state.answerer, { type: 'event-asked', event: orderEvent(state.number), from: self.ref });
    else state.running = finish(state.running, self, state.sum);
    return state;
  },
};

const answerer: ActorKind<null, null, EventAsked> = {
  kind: 'event-answerer',
  delivery: { 'event-asked': NORMAL },
  start: () => null,
  receive(state, { event, from }, self) {
    mustTell(self, from, orderEvent(event.number));
    return state;
  },
};

export const program: Program = {
  name: 'shape-ping-pong',
  erlangModule: 'shape_ping_pong',
  topology: '1 <-> 1, one message under way',
  unit: 'messages',
  kinds: [asker, answerer],
  problem: problemOf({ within: 30_000, across: 5_000, small: 50 }, (rounds) => ({
    seats: [seat('answerer', answerer, null, 1), seat(DIRECTOR, asker, { rounds }, 0)],
    work: 2 * rounds,
    answer: (rounds * (rounds - 1)) / 2,
    parameters: [rounds],
  })),
};

export const name = 'shape-ping-pong';
export const run = measuring(program);
