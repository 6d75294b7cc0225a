/** Plays plans against both subjects and works out the results. Main thread. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { BenchResult } from '../result.ts';
import { startEngineSubject } from './engine-subject.ts';
import { startPlainSubject } from './plain-subject.ts';
import type { Decision, LoadPlan, Subject, VenueReport } from './plan.ts';
import { VenueThread } from './venue-thread.ts';

/** Where the engine keeps its journal by default: the disk that counts. */
const DATA_FOLDER = join(import.meta.dirname, '..', '..', 'var');
const ENGINE_SEED = 1;
const PLAIN_SEED = 2;
const BASELINE = '1 thread, plain calls';

/** What a measurement plays. */
export interface Measurement {
  readonly rounds: number;
  /** Played once by each subject and not counted: compiled code is what is measured. */
  readonly warmUp: LoadPlan;
  readonly flood: LoadPlan;
  /** The same path with next to no frames; absent leaves it out. */
  readonly idle?: LoadPlan;
}

/** One trigger from the venue's write to the order's arrival, us; the three stages add up to `total`. */
interface Path {
  readonly total: number;
  readonly toDecision: number;
  readonly toDurable: number;
  readonly toBytes: number;
}

interface Run {
  readonly paths: readonly Path[];
  readonly triggers: number;
  readonly framesPerSecond: number;
}

/** Plays everything and returns the results. Rejects unless every trigger was answered by exactly one order. */
export async function measure(
  measurement: Measurement,
  progress: (text: string) => void,
): Promise<readonly BenchResult[]> {
  mkdirSync(DATA_FOLDER, { recursive: true });
  const folder = mkdtempSync(join(DATA_FOLDER, 'bench-'));
  const journalIn = (name: string): string => {
    const directory = join(folder, name);
    mkdirSync(directory);
    return directory;
  };
  const bouts: Bout[] = [];
  try {
    progress('starting the engine');
    const engine = await openBout(ENGINE_SEED, (address) => startEngineSubject(address, journalIn('engine')), bouts);
    progress(`starting the baseline (${BASELINE})`);
    const plain = await openBout(PLAIN_SEED, (address) => startPlainSubject(address, journalIn('plain')), bouts);
    const { rounds, warmUp, flood, idle } = measurement;
    for (const bout of bouts) await playRun(bout, warmUp);
    const floodRuns: Pair[] = [];
    const idleRuns: Pair[] = [];
    for (let round = 1; round <= rounds; round++) {
      progress(`run ${round} of ${rounds}`);
      floodRuns.push({ engine: await playRun(engine, flood), plain: await playRun(plain, flood) });
      if (idle !== undefined) idleRuns.push({ engine: await playRun(engine, idle), plain: await playRun(plain, idle) });
    }
    for (const bout of bouts.splice(0)) await closeBout(bout);
    return [
      ...latencies('tick to order', floodRuns, topologyOf(flood)),
      ...counts(floodRuns, topologyOf(flood)),
      ...stages(floodRuns, topologyOf(flood)),
      ...(idle === undefined ? [] : latencies('idle tick to order', idleRuns, topologyOf(idle))),
    ];
  } finally {
    // Only what a failure left open; it is that failure which is thrown.
    for (const { venue, subject } of bouts) await Promise.allSettled([subject.close(), venue.terminate()]);
    rmSync(folder, { recursive: true });
  }
}

/** A subject and the venue it alone is connected to. */
interface Bout {
  readonly venue: VenueThread;
  readonly subject: Subject;
}

interface Pair {
  readonly engine: Run;
  readonly plain: Run;
}

async function openBout(
  seed: number,
  start: (address: VenueThread['address']) => Promise<Subject>,
  bouts: Bout[],
): Promise<Bout> {
  const venue = await VenueThread.start(seed);
  try {
    const bout = { venue, subject: await start(venue.address) };
    bouts.push(bout);
    return bout;
  } catch (error) {
    await venue.terminate();
    throw error;
  }
}

/** The subject first: what it sends in its last moments must still be counted. */
async function closeBout({ venue, subject }: Bout): Promise<void> {
  await subject.close();
  await venue.stop();
}

async function playRun({ venue, subject }: Bout, plan: LoadPlan): Promise<Run> {
  const report = await Promise.race([venue.play(plan), subject.failure]);
  return {
    paths: pathsOf(report, await subject.takeDecisions()),
    triggers: report.triggers,
    framesPerSecond: (report.frames * 1_000) / report.elapsedMs,
  };
}

function pathsOf({ triggers, samples }: VenueReport, decisions: readonly Decision[]): readonly Path[] {
  const byId = new Map(decisions.map((decision) => [decision.clientOrderId, decision]));
  if (decisions.length !== triggers || byId.size !== triggers) {
    throw new Error(`${triggers} triggers must be answered by as many decisions, were by ${decisions.length}`);
  }
  return samples.map(({ clientOrderId, sentNs, arrivedNs }) => {
    const decision = byId.get(clientOrderId);
    if (decision === undefined) throw new Error(`order ${clientOrderId} must come from a decision`);
    const { decidedNs, durableNs } = decision;
    return {
      total: us(arrivedNs - sentNs),
      toDecision: us(decidedNs - sentNs),
      toDurable: us(durableNs - decidedNs),
      toBytes: us(arrivedNs - durableNs),
    };
  });
}

function topologyOf({ framesPerSecond, triggers }: LoadPlan): string {
  const threads = 'venue -> io -> trading -> store -> trading -> io -> signing pool -> io -> venue';
  return `${threads}: 5 threads over loopback, ${framesPerSecond} frames/s, ${triggers} triggers per run, one in flight`;
}

function us(ns: bigint): number {
  return Number(ns) / 1_000;
}

function latencies(what: string, runs: readonly Pair[], topology: string): readonly BenchResult[] {
  const total = (path: Path): number => path.total;
  return (['p50', 'p95', 'p99', 'max'] as const).map((rank) =>
    compared(`${what} ${rank}`, 'us', topology, runs, (run) => ranked(run, total, rank)),
  );
}

function stages(runs: readonly Pair[], topology: string): readonly BenchResult[] {
  const stage: readonly (readonly [string, (path: Path) => number])[] = [
    ['frame to decision', (path) => path.toDecision],
    ['decision to durable', (path) => path.toDurable],
    ['durable to order bytes', (path) => path.toBytes],
  ];
  return stage.flatMap(([what, pick]) =>
    (['p50', 'p99'] as const).map((rank) =>
      compared(`${what} ${rank}`, 'us', topology, runs, (run) => ranked(run, pick, rank)),
    ),
  );
}

function counts(runs: readonly Pair[], topology: string): readonly BenchResult[] {
  return [
    compared('triggers answered', 'orders', topology, runs, (run) => run.triggers),
    compared('frames', '1/s', topology, runs, (run) => run.framesPerSecond),
  ];
}

/** The median run of the engine beside the median run of the baseline. */
function compared(
  metric: string,
  unit: string,
  topology: string,
  runs: readonly Pair[],
  pick: (run: Run) => number,
): BenchResult {
  const values = runs.map((pair) => pick(pair.engine));
  const value = median(values);
  const baseline = median(runs.map((pair) => pick(pair.plain)));
  const spread = Math.max(...values) - Math.min(...values);
  return {
    metric,
    value,
    unit,
    runs: runs.length,
    spread,
    baseline: { name: BASELINE, value: baseline },
    ratio: value / baseline,
    topology,
  };
}

const SHARE = { p50: 0.5, p95: 0.95, p99: 0.99, max: 1 } as const;

/** Nearest rank: a value that was measured, never one in between. */
function ranked(run: Run, pick: (path: Path) => number, rank: keyof typeof SHARE): number {
  const sorted = run.paths.map(pick).sort((left, right) => left - right);
  return sorted[Math.max(0, Math.ceil(sorted.length * SHARE[rank]) - 1)] ?? 0;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((left, right) => left - right);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}
