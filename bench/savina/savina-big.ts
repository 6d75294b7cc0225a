/**
 * How many messages a second do 120 actors exchange that each ping one of the others at random and wait for its pong?
 *
 *   [peer/i] --big-ping--> [peer/random] --big-pong--> [peer/i]     across: every second actor on each thread, half of it crosses
 *
 * Realistic because many actors talk in pairs at once: many short queues instead of one long one.
 */
import { refOf, type ActorKind, type ActorRef } from '../../src/runtime/actor.ts';
import { measuring } from './measuring.ts';
import { begin, DIRECTOR, finish, mustTell, nextRandom, NORMAL, problemOf, seat, seats } from './program.ts';
import type { Program, Running, RunProgram } from './program.ts';

type DirectorMessage = RunProgram | { readonly type: 'peer-done'; readonly pongs: number };
type PeerMessage =
  | { readonly type: 'big-start' }
  | { readonly type: 'big-ping'; readonly from: ActorRef<PeerMessage> }
  | { readonly type: 'big-pong' };

interface DirectorState {
  readonly peers: readonly ActorRef<PeerMessage>[];
  pongs: number;
  peersDone: number;
  running: Running | undefined;
}

const director: ActorKind<{ readonly peers: number }, DirectorState, DirectorMessage> = {
  kind: 'big-director',
  delivery: { 'run-program': NORMAL, 'peer-done': NORMAL },
  start: ({ peers }) => ({ peers: refs(peers), pongs: 0, peersDone: 0, running: undefined }),
  receive(state, message, self) {
    if (message.type === 'run-program') {
      state.running = begin(message, self);
      state.pongs = 0;
      state.peersDone = 0;
      for (const peer of state.peers) mustTell(self, peer, { type: 'big-start' });
      return state;
    }
    state.pongs += message.pongs;
    state.peersDone += 1;
    if (state.peersDone === state.peers.length) state.running = finish(state.running, self, state.pongs);
    return state;
  },
};

interface PeerState {
  readonly index: number;
  readonly rounds: number;
  readonly peers: readonly ActorRef<PeerMessage>[];
  random: number;
  pongs: number;
}

const peer: ActorKind<
  { readonly index: number; readonly peers: number; readonly rounds: number },
  PeerState,
  PeerMessage
> = {
  kind: 'big-peer',
  delivery: { 'big-start': NORMAL, 'big-ping': NORMAL, 'big-pong': NORMAL },
  start: ({ index, peers, rounds }) => ({ index, rounds, peers: refs(peers), random: index, pongs: 0 }),
  receive(state, message, self) {
    if (message.type === 'big-ping') {
      mustTell(self, message.from, { type: 'big-pong' });
      return state;
    }
    state.pongs = message.type === 'big-start' ? 0 : state.pongs + 1;
    if (state.pongs === state.rounds) {
      mustTell(self, refOf<DirectorMessage>(DIRECTOR), { type: 'peer-done', pongs: state.pongs });
      return state;
    }
    state.random = nextRandom(state.random);
    const target = state.peers[state.random % state.peers.length];
    if (target === undefined) throw new Error('there must be a peer of that number');
    mustTell(self, target, { type: 'big-ping', from: self.ref });
    return state;
  },
};

function refs(peers: number): readonly ActorRef<PeerMessage>[] {
  return Array.from({ length: peers }, (_, index) => refOf<PeerMessage>(`peer/${index}`));
}

export const program: Program = {
  name: 'savina-big',
  erlangModule: 'savina_big',
  topology: '120 actors, each with one ping under way to another at random',
  unit: 'messages',
  kinds: [director, peer],
  problem: problemOf(
    { within: { peers: 120, rounds: 600 }, across: { peers: 120, rounds: 100 }, small: { peers: 8, rounds: 20 } },
    ({ peers, rounds }) => ({
      seats: [
        ...seats(peers, (index) => seat(`peer/${index}`, peer, { index, peers, rounds }, index % 2 === 0 ? 0 : 1)),
        seat(DIRECTOR, director, { peers }, 0),
      ],
      work: 2 * peers * rounds,
      answer: peers * rounds,
      parameters: [peers, rounds],
    }),
  ),
};

export const name = 'savina-big';
export const run = measuring(program);
