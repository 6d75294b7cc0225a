/**
 * How many messages a second do two actors exchange when each waits for the other?
 *
 *   [pinger] --ping--> [ponger] --pong--> [pinger]     one message under way; across: one actor a thread
 *
 * Realistic because a request and its answer is what a position and its connector do; nothing can be batched.
 */
import { refOf, type ActorKind, type ActorRef } from '../../src/runtime/actor.ts';
import { measuring } from './measuring.ts';
import { begin, DIRECTOR, finish, mustTell, NORMAL, problemOf, seat } from './program.ts';
import type { Program, Running, RunProgram } from './program.ts';

type Ping = { readonly type: 'ping'; readonly from: ActorRef<PingerMessage> };
type PingerMessage = RunProgram | { readonly type: 'pong' };

interface PingerState {
  readonly rounds: number;
  readonly ponger: ActorRef<Ping>;
  pongs: number;
  running: Running | undefined;
}

const pinger: ActorKind<{ readonly rounds: number }, PingerState, PingerMessage> = {
  kind: 'ping-pong-pinger',
  delivery: { 'run-program': NORMAL, pong: NORMAL },
  start: ({ rounds }) => ({ rounds, ponger: refOf('ponger'), pongs: 0, running: undefined }),
  receive(state, message, self) {
    if (message.type === 'run-program') {
      state.running = begin(message, self);
      state.pongs = 0;
    } else {
      state.pongs += 1;
    }
    if (state.pongs < state.rounds) mustTell(self, state.ponger, { type: 'ping', from: self.ref });
    else state.running = finish(state.running, self, state.pongs);
    return state;
  },
};

const ponger: ActorKind<null, null, Ping> = {
  kind: 'ping-pong-ponger',
  delivery: { ping: NORMAL },
  start: () => null,
  receive(state, message, self) {
    mustTell(self, message.from, { type: 'pong' });
    return state;
  },
};

export const program: Program = {
  name: 'savina-ping-pong',
  erlangModule: 'savina_ping_pong',
  topology: '1 <-> 1, one message under way',
  unit: 'messages',
  kinds: [pinger, ponger],
  problem: problemOf(
    { within: { rounds: 40_000 }, across: { rounds: 5_000 }, small: { rounds: 50 } },
    ({ rounds }) => ({
      seats: [seat('ponger', ponger, null, 1), seat(DIRECTOR, pinger, { rounds }, 0)],
      work: 2 * rounds,
      answer: rounds,
      parameters: [rounds],
    }),
  ),
};

export const name = 'savina-ping-pong';
export const run = measuring(program);
