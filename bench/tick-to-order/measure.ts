/** Plays floods and quiet times and works out the results of tick-to-order. Main thread. */
import { compared, ranked, withBouts, type Pair, type Path, type Rank } from '../order-path/bouts.ts';
import type { LoadPlan } from '../order-path/plan.ts';
import type { BenchResult } from '../result.ts';

/** What a measurement plays. */
export interface Measurement {
  readonly rounds: number;
  /** Played once by each subject and not counted: compiled code is what is measured. */
  readonly warmUp: LoadPlan;
  readonly flood: LoadPlan;
  /** The same path with next to no frames; absent leaves it out. */
  readonly idle?: LoadPlan;
}

/** Plays everything and returns the results. Rejects unless every trigger was answered by exactly one order. */
export function measure(
  { rounds, warmUp, flood, idle }: Measurement,
  progress: (text: string) => void,
): Promise<readonly BenchResult[]> {
  return withBouts({ venue: 'extended', oneWayMs: 0 }, progress, async (bouts) => {
    await bouts.play(warmUp);
    const floodRuns: Pair[] = [];
    const idleRuns: Pair[] = [];
    for (let round = 1; round <= rounds; round++) {
      progress(`run ${round} of ${rounds}`);
      floodRuns.push(await bouts.play(flood));
      if (idle !== undefined) idleRuns.push(await bouts.play(idle));
    }
    return [
      ...latencies('tick to order', floodRuns, topologyOf(flood)),
      ...counts(floodRuns, topologyOf(flood)),
      ...stages(floodRuns, topologyOf(flood)),
      ...(idle === undefined ? [] : latencies('idle tick to order', idleRuns, topologyOf(idle))),
    ];
  });
}

function topologyOf({ framesPerSecond, triggers }: LoadPlan): string {
  const threads = 'venue -> io -> trading -> store -> trading -> io -> signing pool -> io -> venue';
  return `${threads}: 5 threads over loopback, ${framesPerSecond} frames/s, ${triggers} triggers per run, one in flight`;
}

function latencies(what: string, runs: readonly Pair[], topology: string): readonly BenchResult[] {
  return (['p50', 'p95', 'p99', 'max'] as const).map((rank) =>
    latency(what, rank, topology, runs, (path) => path.total),
  );
}

function stages(runs: readonly Pair[], topology: string): readonly BenchResult[] {
  const stage: readonly (readonly [string, (path: Path) => number])[] = [
    ['frame to decision', (path) => path.toDecision],
    ['decision to durable', (path) => path.toDurable],
    ['durable to order bytes', (path) => path.toBytes],
  ];
  return stage.flatMap(([what, pick]) =>
    (['p50', 'p99'] as const).map((rank) => latency(what, rank, topology, runs, pick)),
  );
}

function latency(
  what: string,
  rank: Rank,
  topology: string,
  runs: readonly Pair[],
  pick: (path: Path) => number,
): BenchResult {
  return compared({ metric: `${what} ${rank}`, unit: 'us', topology }, runs, ranked(pick, rank));
}

function counts(runs: readonly Pair[], topology: string): readonly BenchResult[] {
  return [
    compared({ metric: 'triggers answered', unit: 'orders', topology }, runs, (run) => run.triggers),
    compared({ metric: 'frames', unit: '1/s', topology }, runs, (run) => run.framesPerSecond),
  ];
}
