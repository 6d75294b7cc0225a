/** Kills one engine again and again, loaded and quiet, and works out the results. Main thread. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { join } from 'node:path';
import { median, percentile, spreadOf } from '../distribution.ts';
import { Burner } from '../fill-to-hedge/burner-thread.ts';
import { Engine } from '../fill-to-hedge/engine.ts';
import type { VenueEvent, VenueRequest, VenueThreadData } from '../fill-to-hedge/venue-worker.ts';
import type { BenchResult, BenchTarget } from '../result.ts';
import { EventThread } from '../order-path/worker-events.ts';

export interface Measurement {
  readonly rounds: number;
  /** Of each level, in each of the loaded and the quiet run of a round. */
  readonly killsPerRun: number;
  readonly framesPerSecond: number;
  readonly quietFramesPerSecond: number;
}

type Venues = EventThread<VenueRequest, VenueEvent>;
type Level = 2 | 3;
/** Ms of each kill, by level. */
type Run = Readonly<Record<Level, readonly number[]>>;

const DATA_FOLDER = join(import.meta.dirname, '..', '..', 'var');
const SEED = 1;
/** Pieces of a quote nobody takes from. */
const PIECES = 5;
/** Streams have told of the quote, and its rows are written. */
const RESTED_MS = 300;
const BASELINE = 'nothing else running';
/** Domain 12.3. */
const TARGET: BenchTarget = { of: 'value', is: 'at most', need: 100 };
const WHAT: Readonly<Record<Level, string>> = { 2: 'kill 2 to its cancel', 3: 'kill 3 to its first closing order' };

/** Rejects unless every kill reached its venue. */
export async function measure(
  { rounds, killsPerRun, framesPerSecond, quietFramesPerSecond }: Measurement,
  progress: (text: string) => void,
): Promise<readonly BenchResult[]> {
  mkdirSync(DATA_FOLDER, { recursive: true });
  const folder = mkdtempSync(join(DATA_FOLDER, 'bench-'));
  const data: VenueThreadData = { seed: SEED };
  const venues: Venues = new EventThread(new URL('../fill-to-hedge/venue-worker.ts', import.meta.url), data);
  let engine: Engine | undefined;
  try {
    const { maker, hedge } = await venues.next('listening');
    progress('starting the engine');
    engine = await Engine.start({ maker, hedge }, folder);
    progress('warming up');
    await play(engine, venues, 2, quietFramesPerSecond);
    const runs: { readonly loaded: Run; readonly quiet: Run }[] = [];
    for (let round = 1; round <= rounds; round++) {
      progress(`run ${round} of ${rounds}`);
      const beside = new Burner();
      let loaded: Run;
      try {
        loaded = await play(engine, venues, killsPerRun, framesPerSecond);
      } finally {
        await beside.end();
      }
      runs.push({ loaded, quiet: await play(engine, venues, killsPerRun, quietFramesPerSecond) });
    }
    return resultsOf(runs, framesPerSecond, killsPerRun);
  } finally {
    await Promise.allSettled([engine?.close()]);
    await venues.terminate();
    rmSync(folder, { recursive: true });
  }
}

async function play(engine: Engine, venues: Venues, kills: number, framesPerSecond: number): Promise<Run> {
  venues.send({ type: 'keep-pace', framesPerSecond });
  const run = { 2: [] as number[], 3: [] as number[] };
  for (let kill = 0; kill < kills; kill++) {
    run[2].push(await killQuote(engine, venues));
    run[3].push(await killPair(engine, venues, framesPerSecond));
  }
  return run;
}

/** A pair is being entered, its quote rests: the kill cancels it. */
async function killQuote(engine: Engine, venues: Venues): Promise<number> {
  const quoted = venues.next('maker-order');
  await engine.enter(PIECES);
  await Promise.race([quoted, engine.failure]);
  await pause(RESTED_MS);
  const cancelled = venues.next('maker-cancel');
  const killedNs = engine.kill(2);
  const { atNs } = await Promise.race([cancelled, engine.failure]);
  await engine.inPhase('FAILED');
  await engine.resume();
  return Number(atNs - killedNs) / 1e6;
}

/** A pair is open: the kill closes it. */
async function killPair(engine: Engine, venues: Venues, framesPerSecond: number): Promise<number> {
  const quoted = venues.next('maker-order');
  await engine.enter(1);
  await Promise.race([quoted, engine.failure]);
  const filled = venues.next('finished');
  venues.send({ type: 'begin', plan: { framesPerSecond, fills: 1, spacingMinMs: 60, spacingMaxMs: 120 } });
  await Promise.race([filled, engine.failure]);
  await engine.inPhase('OPEN');
  await pause(RESTED_MS);
  const closing = Promise.race([venues.next('hedge-order'), venues.next('maker-order')]);
  const killedNs = engine.kill(3);
  const { atNs } = await Promise.race([closing, engine.failure]);
  await engine.inPhase('CLOSED');
  await engine.resume();
  return Number(atNs - killedNs) / 1e6;
}

function resultsOf(
  runs: readonly { readonly loaded: Run; readonly quiet: Run }[],
  framesPerSecond: number,
  kills: number,
): readonly BenchResult[] {
  const topology = `main -> trading -> io -> venue: 5 threads over loopback, ${framesPerSecond} frames/s and a thread that computes, ${kills} kills of each level per run`;
  return ([2, 3] as const).flatMap((level) =>
    (['p50', 'max'] as const).map((rank): BenchResult => {
      const pick = (run: Run): number => percentile(run[level], rank === 'p50' ? 0.5 : 1);
      const values = runs.map(({ loaded }) => pick(loaded));
      const [value, baseline] = [median(values), median(runs.map(({ quiet }) => pick(quiet)))];
      return {
        ...{
          metric: `${WHAT[level]} ${rank}`,
          value,
          unit: 'ms',
          runs: runs.length,
          spread: spreadOf(values),
          topology,
        },
        ...{ baseline: { name: BASELINE, value: baseline }, ratio: value / baseline },
        ...(rank === 'max' ? { target: TARGET } : {}),
      };
    }),
  );
}
