/** Plays plans against both subjects, each with a venue of its own, and follows every order. Main thread. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { median, percentile, spreadOf } from '../distribution.ts';
import type { BenchResult, BenchTarget } from '../result.ts';
import { startEngineSubject } from './engine-subject.ts';
import { startPlainSubject } from './plain-subject.ts';
import type { Decision, LoadPlan, OrderVenue, Subject, VenueReport } from './plan.ts';
import { VenueThread } from './venue-thread.ts';

/** Where the engine keeps its journal by default: the disk that counts. */
const DATA_FOLDER = join(import.meta.dirname, '..', '..', 'var');
const ENGINE_SEED = 1;
const PLAIN_SEED = 2;
export const BASELINE = '1 thread, plain calls';
/** For the answers to the last orders of a run. */
const ANSWERS_MS = 60_000;
const LOOK_EVERY_MS = 20;

export interface VenueSetting {
  readonly venue: OrderVenue;
  /** What each way to the venue takes, ms; 0 is loopback alone. */
  readonly oneWayMs: number;
}

/** One order from its trigger to the venue's word on it, us. */
export interface Path {
  /** From the trigger's write to the order's arrival; the three stages add up to it. */
  readonly total: number;
  readonly toDecision: number;
  readonly toDurable: number;
  readonly toBytes: number;
  /** From the decision until the decider knows what the venue made of it. */
  readonly placed: number;
}

export interface Run {
  readonly paths: readonly Path[];
  readonly triggers: number;
  readonly framesPerSecond: number;
}

/** The same plan played by both. */
export interface Pair {
  readonly engine: Run;
  readonly plain: Run;
}

export interface Bouts {
  /** Plays a plan by one and then by the other. Rejects unless every trigger was answered by exactly one order. */
  play(plan: LoadPlan): Promise<Pair>;
}

/** Starts both, lets `playAll` play, and ends both. Rejects unless the venues took exactly one order for each trigger. */
export async function withBouts<Played>(
  setting: VenueSetting,
  progress: (text: string) => void,
  playAll: (bouts: Bouts) => Promise<Played>,
): Promise<Played> {
  mkdirSync(DATA_FOLDER, { recursive: true });
  const folder = mkdtempSync(join(DATA_FOLDER, 'bench-'));
  const journalIn = (name: string): string => {
    const directory = join(folder, name);
    mkdirSync(directory);
    return directory;
  };
  const { venue } = setting;
  const bouts: Bout[] = [];
  try {
    progress('starting the engine');
    const engine = await openBout(setting, ENGINE_SEED, bouts, (address) =>
      startEngineSubject(venue, address, journalIn('engine')),
    );
    progress(`starting the baseline (${BASELINE})`);
    const plain = await openBout(setting, PLAIN_SEED, bouts, (address) =>
      startPlainSubject(venue, address, journalIn('plain')),
    );
    const played = await playAll({
      play: async (plan) => ({ engine: await playRun(engine, plan), plain: await playRun(plain, plan) }),
    });
    for (const bout of bouts.splice(0)) await closeBout(bout);
    return played;
  } finally {
    // Only what a failure left open; it is that failure which is thrown.
    for (const bout of bouts) await Promise.allSettled([bout.subject.close(), bout.venue.terminate()]);
    rmSync(folder, { recursive: true });
  }
}

/** A subject and the venue it alone is connected to. */
interface Bout {
  readonly venue: VenueThread;
  readonly subject: Subject;
}

async function openBout(
  setting: VenueSetting,
  seed: number,
  bouts: Bout[],
  start: (address: VenueThread['address']) => Promise<Subject>,
): Promise<Bout> {
  const venue = await VenueThread.start({ ...setting, seed });
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
    paths: pathsOf(report, await answeredDecisions(subject, report.triggers)),
    triggers: report.triggers,
    framesPerSecond: (report.frames * 1_000) / report.elapsedMs,
  };
}

async function answeredDecisions(subject: Subject, orders: number): Promise<readonly Decision[]> {
  const decisions: Decision[] = [];
  for (const endMs = performance.now() + ANSWERS_MS; ; await pause(LOOK_EVERY_MS)) {
    decisions.push(...(await Promise.race([subject.takeDecisions(), subject.failure])));
    if (decisions.length >= orders || performance.now() > endMs) return decisions;
  }
}

function pathsOf({ triggers, samples }: VenueReport, decisions: readonly Decision[]): readonly Path[] {
  const byId = new Map(decisions.map((decision) => [decision.clientOrderId, decision]));
  if (decisions.length !== triggers || byId.size !== triggers)
    throw new Error(
      `${triggers} triggers must be answered by as many orders with an outcome, were by ${decisions.length}`,
    );
  return samples.map(({ clientOrderId, sentNs, arrivedNs }) => {
    const decision = byId.get(clientOrderId);
    if (decision === undefined) throw new Error(`order ${clientOrderId} must come from a decision`);
    const { decidedNs, durableNs, answeredNs } = decision;
    return {
      total: us(arrivedNs - sentNs),
      toDecision: us(decidedNs - sentNs),
      toDurable: us(durableNs - decidedNs),
      toBytes: us(arrivedNs - durableNs),
      placed: us(answeredNs - decidedNs),
    };
  });
}

function us(ns: bigint): number {
  return Number(ns) / 1_000;
}

export const RANKS = { p50: 0.5, p95: 0.95, p99: 0.99, max: 1 } as const;
export type Rank = keyof typeof RANKS;

/** Returns one number of a run: the duration at a rank among its orders, us. */
export function ranked(pick: (path: Path) => number, rank: Rank): (run: Run) => number {
  return ({ paths }) => percentile(paths.map(pick), RANKS[rank]);
}

/** The median run of the engine beside the median run of the baseline. */
export function compared(
  { metric, unit, topology, target }: Pick<BenchResult, 'metric' | 'unit' | 'topology'> & { target?: BenchTarget },
  runs: readonly Pair[],
  pick: (run: Run) => number,
): BenchResult {
  const values = runs.map(({ engine }) => pick(engine));
  const value = median(values);
  const baseline = median(runs.map(({ plain }) => pick(plain)));
  return {
    ...{ metric, value, unit, runs: runs.length, spread: spreadOf(values), topology },
    ...{ baseline: { name: BASELINE, value: baseline }, ratio: value / baseline },
    ...(target === undefined ? {} : { target }),
  };
}
