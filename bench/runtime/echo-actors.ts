/** Two actors that tell one message to and fro, and measure how long each round takes. */
import { refOf, type ActorKind } from '../../src/runtime/actor.ts';

export type BallMessage = { readonly type: 'ball'; readonly number: number; readonly atMs: number };
export type ServerMessage = BallMessage | { readonly type: 'serve-next' };

export interface PlayerArgs {
  readonly other: string;
  /** Measured ms per round, in order; the run is over when all are written. Absent for who only returns the ball. */
  readonly roundsMs?: Float64Array;
  /** How many are written. */
  readonly played?: Int32Array;
}

interface PlayerState extends PlayerArgs {
  servedAtMs: number;
}

/** Serves when told to, returns what comes, and serves again until every round is measured. */
export const player: ActorKind<PlayerArgs, PlayerState, ServerMessage> = {
  kind: 'player',
  delivery: {
    ball: {
      class: 'must-deliver',
      priority: 'order',
      shape: (f, ball) => ({ type: 'ball', number: f.number(ball.number), atMs: f.number(ball.atMs) }),
    },
    'serve-next': { class: 'must-deliver', priority: 'normal' },
  },
  start: (args) => ({ ...args, servedAtMs: 0 }),
  receive(state, message, self) {
    const { roundsMs, played } = state;
    const other = refOf<BallMessage>(state.other);
    if (roundsMs === undefined || played === undefined) {
      if (message.type === 'ball') self.tell(other, message);
      return state;
    }
    const nowMs = self.monotonicMs();
    if (message.type === 'ball') {
      roundsMs[message.number] = nowMs - state.servedAtMs;
      Atomics.store(played, 0, message.number + 1);
      if (message.number + 1 === roundsMs.length) return state;
    }
    state.servedAtMs = nowMs;
    self.tell(other, { type: 'ball', number: Atomics.load(played, 0), atMs: nowMs });
    return state;
  },
};
