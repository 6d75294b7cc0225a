/** Plays loaded and quiet runs against one engine and works out the results. Main thread. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { median, percentile, spreadOf } from '../distribution.ts';
import type { BenchResult, BenchTarget } from '../result.ts';
import { EventThread } from '../order-path/worker-events.ts';
import { Burner } from './burner-thread.ts';
import { Engine } from './engine.ts';
import type { LoadPlan, VenueReport } from './plan.ts';
import type { VenueEvent, VenueRequest, VenueThreadData } from './venue-worker.ts';

export interface Measurement {
  readonly rounds: number;
  /** Played once and not counted: compiled code is what is measured. */
  readonly warmUp: LoadPlan;
  /** With a thread that computes beside it. */
  readonly loaded: LoadPlan;
  /** Nothing beside it: the baseline. */
  readonly quiet: LoadPlan;
}

/** Where the engine keeps its journal by default: the disk that counts. */
const DATA_FOLDER = join(import.meta.dirname, '..', '..', 'var');
const SEED = 1;
const BASELINE = 'nothing else running';
const TARGET: BenchTarget = { of: 'value', is: 'at most', need: 5 };
const SHARES = { p50: 0.5, p95: 0.95, p99: 0.99, max: 1 } as const;

/** Rejects unless every fill was hedged by exactly one order. */
export async function measure(
  { rounds, warmUp, loaded, quiet }: Measurement,
  progress: (text: string) => void,
): Promise<readonly BenchResult[]> {
  mkdirSync(DATA_FOLDER, { recursive: true });
  const folder = mkdtempSync(join(DATA_FOLDER, 'bench-'));
  const data: VenueThreadData = { seed: SEED };
  const venues = new EventThread<VenueRequest, VenueEvent>(new URL('./venue-worker.ts', import.meta.url), data);
  let engine: Engine | undefined;
  try {
    const { maker, hedge } = await venues.next('listening');
    progress('starting the engine');
    engine = await Engine.start({ maker, hedge }, folder);
    progress('warming up');
    await play(engine, venues, warmUp);
    const runs: { readonly loaded: VenueReport; readonly quiet: VenueReport }[] = [];
    for (let round = 1; round <= rounds; round++) {
      progress(`run ${round} of ${rounds}`);
      const beside = new Burner();
      let report: VenueReport;
      try {
        report = await play(engine, venues, loaded);
      } finally {
        await beside.end();
      }
      runs.push({ loaded: report, quiet: await play(engine, venues, quiet) });
    }
    return resultsOf(runs, loaded);
  } finally {
    await Promise.allSettled([engine?.close()]);
    await venues.terminate();
    rmSync(folder, { recursive: true });
  }
}

async function play(
  engine: Engine,
  venues: EventThread<VenueRequest, VenueEvent>,
  plan: LoadPlan,
): Promise<VenueReport> {
  const finished = venues.next('finished');
  venues.send({ type: 'begin', plan });
  await engine.enter(plan.fills);
  const { report } = await Promise.race([finished, engine.failure]);
  await engine.leave();
  return report;
}

function resultsOf(
  runs: readonly { readonly loaded: VenueReport; readonly quiet: VenueReport }[],
  { framesPerSecond, fills }: LoadPlan,
): readonly BenchResult[] {
  const threads = 'venue -> io -> store -> trading -> store -> trading -> io -> venue';
  const topology = `${threads}: 5 threads over loopback, ${framesPerSecond} frames/s and a thread that computes, ${fills} fills per run, one at a time`;
  const compared = (
    metric: string,
    unit: string,
    pick: (report: VenueReport) => number,
    target?: BenchTarget,
  ): BenchResult => {
    const values = runs.map((run) => pick(run.loaded));
    const [value, baseline] = [median(values), median(runs.map((run) => pick(run.quiet)))];
    return {
      ...{ metric, value, unit, runs: runs.length, spread: spreadOf(values), topology },
      ...{ baseline: { name: BASELINE, value: baseline }, ratio: value / baseline },
      ...(target === undefined ? {} : { target }),
    };
  };
  const ranks = Object.entries(SHARES).map(([rank, share]) =>
    compared(
      `fill to hedge ${rank}`,
      'ms',
      ({ hedgedAfterNs }) =>
        percentile(
          hedgedAfterNs.map((ns) => Number(ns) / 1e6),
          share,
        ),
      rank === 'p99' ? TARGET : undefined,
    ),
  );
  return [
    ...ranks,
    compared('fills hedged', 'orders', ({ hedgedAfterNs }) => hedgedAfterNs.length),
    compared('frames', '1/s', ({ frames, elapsedMs }) => (frames * 1_000) / elapsedMs),
  ];
}
