/** How good the simulated network to one venue is, the latencies drawn from that, and how far off the venue's clock is. Any thread. */
import type { RandomStream } from '../runtime/actor.ts';

/** Chances are fractions of messages; times monotonic ms. */
export interface NetworkConditions {
  /** One-way latency is drawn evenly between these. */
  readonly latencyMsMin: number;
  readonly latencyMsMax: number;
  /** Now and then a message takes this much longer. */
  readonly slowMs: number;
  readonly slowChance: number;
  /** The request never arrives; the caller's deadline ends it. */
  readonly requestLossChance: number;
  /** The request is carried out, its answer is lost: deadline or reset, drawn. */
  readonly answerLossChance: number;
  /** New connections are refused: provably nothing was sent. */
  readonly refuses: boolean;
  /** Whoever answers cannot prove to be the venue: its certificate does not hold. */
  readonly untrusted: boolean;
  /** Everything in both directions vanishes; open sockets fall silent instead of closing. */
  readonly blackHole: boolean;
  /** The venue's clock shows this much more than the true time, real ms. */
  readonly clockAheadMs: number;
}

export const CALM_NETWORK: NetworkConditions = {
  latencyMsMin: 5,
  latencyMsMax: 40,
  slowMs: 300,
  slowChance: 0.005,
  requestLossChance: 0,
  answerLossChance: 0,
  refuses: false,
  untrusted: false,
  blackHole: false,
  clockAheadMs: 0,
};

/** Always takes two numbers from the stream, so that conditions never shift later draws. */
export function drawLatencyMs(conditions: NetworkConditions, random: RandomStream): number {
  const { latencyMsMin, latencyMsMax, slowMs, slowChance } = conditions;
  const usual = latencyMsMin + (latencyMsMax - latencyMsMin) * random.nextFraction();
  return random.nextFraction() < slowChance ? usual + slowMs : usual;
}
