/** Places orders at a venue that signs fast and at one that signs slowly, and works out the results of order-placement. Main thread. */
import { compared, ranked, withBouts, type Pair } from '../order-path/bouts.ts';
import type { LoadPlan, OrderVenue } from '../order-path/plan.ts';
import type { BenchResult, BenchTarget } from '../result.ts';

export interface Measurement {
  readonly rounds: number;
  /** What each way to the venue takes, ms. */
  readonly oneWayMs: number;
  /** Played once by each subject and not counted: compiled code is what is measured. */
  readonly warmUp: LoadPlan;
  readonly orders: LoadPlan;
}

const PLACED: BenchTarget = { of: 'value', is: 'at most', need: 100 };
const VENUES: readonly { readonly venue: OrderVenue; readonly signs: string; readonly own: BenchTarget }[] = [
  { venue: 'bybit', signs: 'fast signature', own: { of: 'value', is: 'at most', need: 2 } },
  { venue: 'extended', signs: 'slow signature', own: { of: 'value', is: 'at most', need: 10 } },
];
const US_PER_MS = 1_000;

/** Gives the results venue by venue. Rejects unless every order was sent once and answered. */
export async function* measure(
  { rounds, oneWayMs, warmUp, orders }: Measurement,
  progress: (text: string) => void,
): AsyncGenerator<BenchResult> {
  for (const { venue, signs, own } of VENUES) {
    const said = (text: string): void => progress(`${venue}: ${text}`);
    const runs = await withBouts({ venue, oneWayMs }, said, async (bouts) => {
      await bouts.play(warmUp);
      const played: Pair[] = [];
      for (let round = 1; round <= rounds; round++) {
        said(`run ${round} of ${rounds}`);
        played.push(await bouts.play(orders));
      }
      return played;
    });
    yield* resultsOf(runs, `${venue} (${signs})`, own, { oneWayMs, ...orders });
  }
}

function* resultsOf(
  runs: readonly Pair[],
  where: string,
  own: BenchTarget,
  { oneWayMs, framesPerSecond, triggers }: LoadPlan & { readonly oneWayMs: number },
): Generator<BenchResult> {
  const topology = `${where}, ${oneWayMs} ms each way, ${framesPerSecond} frames/s, ${triggers} orders per run, 5 threads`;
  for (const rank of ['p50', 'p95', 'p99'] as const) {
    const target = rank === 'p95' ? { target: PLACED } : {};
    const pick = ranked(({ placed }) => placed / US_PER_MS, rank);
    yield compared({ metric: `decision to the venue's word ${rank}`, unit: 'ms', topology, ...target }, runs, pick);
  }
  for (const rank of ['p50', 'p95', 'p99'] as const) {
    const target = rank === 'p99' ? { target: own } : {};
    const pick = ranked(({ toBytes }) => toBytes / US_PER_MS, rank);
    yield compared({ metric: `own part ${rank}`, unit: 'ms', topology, ...target }, runs, pick);
  }
  yield compared({ metric: 'orders placed', unit: 'orders', topology }, runs, (run) => run.triggers);
  yield compared({ metric: 'frames', unit: '1/s', topology }, runs, (run) => run.framesPerSecond);
}
