/**
 * How many hops a second does one token make around a ring of actors?
 *
 *   [ring/0] -> [ring/1] -> ... -> [ring/99] -> [ring/0]     across: neighbours on different threads, every hop crosses
 *
 * Realistic because an order goes through a chain of actors that each wait for it: it measures taking turns.
 */
import { refOf, type ActorKind, type ActorRef } from '../../src/runtime/actor.ts';
import { measuring } from './measuring.ts';
import { begin, DIRECTOR, finish, mustTell, NORMAL, problemOf, seat, seats } from './program.ts';
import type { Program, Running, RunProgram } from './program.ts';

type Token = { readonly type: 'token'; readonly hopsLeft: number };
type DirectorMessage = RunProgram | { readonly type: 'token-ended'; readonly at: number };

interface DirectorState {
  readonly hops: number;
  running: Running | undefined;
}

const director: ActorKind<{ readonly hops: number }, DirectorState, DirectorMessage> = {
  kind: 'ring-director',
  delivery: { 'run-program': NORMAL, 'token-ended': NORMAL },
  start: ({ hops }) => ({ hops, running: undefined }),
  receive(state, message, self) {
    if (message.type === 'token-ended') {
      state.running = finish(state.running, self, message.at);
      return state;
    }
    state.running = begin(message, self);
    mustTell(self, refOf<Token>('ring/0'), { type: 'token', hopsLeft: state.hops });
    return state;
  },
};

interface MemberState {
  readonly index: number;
  readonly next: ActorRef<Token>;
}

const member: ActorKind<{ readonly index: number; readonly members: number }, MemberState, Token> = {
  kind: 'ring-member',
  delivery: { token: NORMAL },
  start: ({ index, members }) => ({ index, next: refOf(`ring/${(index + 1) % members}`) }),
  receive(state, { hopsLeft }, self) {
    if (hopsLeft > 0) mustTell(self, state.next, { type: 'token', hopsLeft: hopsLeft - 1 });
    else mustTell(self, refOf<DirectorMessage>(DIRECTOR), { type: 'token-ended', at: state.index });
    return state;
  },
};

export const program: Program = {
  name: 'savina-thread-ring',
  erlangModule: 'savina_thread_ring',
  topology: 'a ring of 100, one token',
  unit: 'hops',
  kinds: [director, member],
  problem: problemOf(
    {
      within: { members: 100, hops: 80_007 },
      across: { members: 100, hops: 10_007 },
      small: { members: 10, hops: 57 },
    },
    ({ members, hops }) => ({
      seats: [
        ...seats(members, (index) => seat(`ring/${index}`, member, { index, members }, index % 2 === 0 ? 0 : 1)),
        seat(DIRECTOR, director, { hops }, 0),
      ],
      work: hops,
      answer: hops % members,
      parameters: [members, hops],
    }),
  ),
};

export const name = 'savina-thread-ring';
export const run = measuring(program);
