/** Lets many open positions look at their exits in turn, and works out the results. Main thread. */
import { evaluateExit, initialExitState } from '../../src/strategy/exit-decision.ts';
import type { ExitInput, ExitLeg } from '../../src/strategy/exit-decision.ts';
import type { Instrument } from '../../src/market/instrument.ts';
import { HOUR_MS } from '../../src/market/funding-rate.ts';
import { median, percentile, spreadOf } from '../distribution.ts';
import type { BenchResult } from '../result.ts';
import { holdPair, type HeldPair } from './held-pair.ts';
import { marketAt, OpenPosition } from './open-position.ts';

export interface Measurement {
  readonly runs: number;
  /** How many are open, one after the other. */
  readonly positions: readonly number[];
  readonly looksPerRun: number;
}

/** More than the pause a position makes between two looks. */
const ROUND_MS = 100;
const MOVES = 5;
const PLAIN_BATCH = 100;
const BASELINE = 'the exit rules alone';
const NEED_US = 500;
/** Per position among the most, over that among the fewest. */
const FLAT_RATIO_MAX = 2;

/** Clocks that stand still during a round. */
class Clock {
  nowMs: number;
  monotonicMs = 1_000_000;

  constructor(nowMs: number) {
    this.nowMs = nowMs;
  }

  pass(ms: number): void {
    this.nowMs += ms;
    this.monotonicMs += ms;
  }
}

interface Played {
  readonly open: number;
  readonly runs: readonly Float64Array[];
}

export function measure(
  { runs, positions, looksPerRun }: Measurement,
  progress: (text: string) => void,
): readonly BenchResult[] {
  progress('opening a pair in virtual time');
  const pair = holdPair();
  const played = positions.map((open) => {
    progress(`${open} positions`);
    const field = new Field(pair, open);
    field.play(looksPerRun);
    return { open, runs: Array.from({ length: runs }, () => field.play(looksPerRun)) };
  });
  const plain = Array.from({ length: runs }, () => playRules(pair, looksPerRun));
  return played.flatMap((one) => resultsOf(one, plain, played[0] ?? one));
}

function resultsOf(one: Played, plain: readonly Float64Array[], fewest: Played): readonly BenchResult[] {
  const looks = one.runs[0]?.length ?? 0;
  const topology = `market -> ${one.open} position actors in turn, one thread, ${looks} looks per run`;
  const result = (metric: string, pick: (run: Float64Array) => number): BenchResult => {
    const values = one.runs.map(pick);
    const [value, baseline] = [median(values), median(plain.map(pick))];
    return {
      ...{ metric: `${one.open} open: ${metric}`, value, unit: 'us', runs: values.length, spread: spreadOf(values) },
      ...{ topology, baseline: { name: BASELINE, value: baseline }, ratio: value / baseline },
    };
  };
  const mean = (run: Float64Array): number => run.reduce((sum, value) => sum + value, 0) / run.length;
  const p50 = (run: Float64Array): number => percentile(run, 0.5);
  const perPosition = result('per position p50', p50);
  const baseline = median(fewest.runs.map(p50));
  const p99 = (run: Float64Array): number => percentile(run, 0.99);
  const target = { of: 'value', is: 'at most', need: NEED_US } as const;
  return [
    one === fewest
      ? perPosition
      : {
          ...perPosition,
          baseline: { name: `${fewest.open} open`, value: baseline },
          ratio: perPosition.value / baseline,
          target: { of: 'ratio', is: 'at most', need: FLAT_RATIO_MAX },
        },
    { ...result('p99', p99), target },
    result('max', (run) => percentile(run, 1)),
    result('mean', mean),
  ];
}

/** Open positions and the market they look at. */
class Field {
  readonly #pair: HeldPair;
  readonly #clock: Clock;
  readonly #positions: readonly OpenPosition[];
  #round = 0;

  constructor(pair: HeldPair, count: number) {
    this.#pair = pair;
    this.#clock = new Clock(pair.nowMs);
    this.#positions = Array.from({ length: count }, () => new OpenPosition(pair, this.#clock));
    for (const position of this.#positions)
      for (const instrument of pair.instruments) {
        const { mark, book } = this.#marketOf(instrument);
        position.look(mark);
        position.look(book);
      }
  }

  /** Returns how long each look took, us. Throws when one did not happen, or a position left. */
  play(looks: number): Float64Array {
    const wholeUs = new Float64Array(looks);
    for (let done = 0; done < looks;) {
      this.#round += 1;
      this.#clock.pass(ROUND_MS);
      const instrument = this.#pair.instruments[this.#round % this.#pair.instruments.length];
      if (instrument === undefined) throw new Error('a pair has instruments');
      for (const position of this.#positions) {
        if (done === looks) break;
        // Made outside of the timed part: another thread decodes them.
        const { mark, book } = this.#marketOf(instrument);
        const startedMs = performance.now();
        const looked = position.look(book);
        wholeUs[done] = (performance.now() - startedMs) * 1_000;
        if (!looked) throw new Error('every book must lead to a look at the exit, one did not');
        position.look(mark);
        done += 1;
      }
    }
    for (const position of this.#positions) position.expectOpen();
    return wholeUs;
  }

  /** The price at which the long leg was bought, on either venue, give or take a few ticks. */
  #marketOf(instrument: Instrument): ReturnType<typeof marketAt> {
    const { vwapTicks } =
      this.#pair.record.long.symbol === instrument.symbol ? this.#pair.record.long : this.#pair.record.short;
    return marketAt(instrument, Math.round(vwapTicks) + (this.#round % MOVES), this.#clock);
  }
}

/** Returns the us of each look by the rules alone. */
function playRules({ args, record, nowMs }: HeldPair, looks: number): Float64Array {
  const leg = (venue: string, sign: 1 | -1): ExitLeg => ({
    ...{ venue, confirmedQuantity: sign * 0.01, notionalQuote: 900, markPrice: 90_000, liquidationDistance: 0.3 },
    ...{ darkForMs: 10, predictionKey: venue, maintenance: 0.012, adlRank: undefined, profitQuote: 0 },
    funding: {
      nextSettleInMs: HOUR_MS / 2,
      intervalMs: HOUR_MS,
      nextRate: sign * -1e-5,
      medianRate: 0,
      halfLifeHours: 8,
    },
  });
  const input = {
    ...{ nowMs, monotonicMs: 1_000_000, openedAtMs: record.openedAtMs, flatten: undefined, manual: false },
    ...{ long: leg(record.long.venue, 1), short: leg(record.short.venue, -1) },
    ...{ executableQuote: -0.5, exitCostQuote: 0.6, capitalQuote: record.expected.capitalQuote },
  } as ExitInput;
  let state = initialExitState;
  return Float64Array.from({ length: looks / PLAIN_BATCH }, () => {
    const startedMs = performance.now();
    for (let look = 0; look < PLAIN_BATCH; look++) state = evaluateExit(state, input, args.exits).state;
    return ((performance.now() - startedMs) * 1_000) / PLAIN_BATCH;
  });
}
