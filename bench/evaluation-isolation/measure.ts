/** Takes windows of the io thread with and without evaluations and works out the results. Main thread. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { BenchResult } from '../result.ts';
import { BusyNeighbour } from './busy-neighbour.ts';
import type { Span } from './evaluation.ts';
import type { DelayMs, IoWindow } from './io-probe.ts';
import { startEvaluationSubject, type EvaluationSubject } from './subject.ts';

/** Where the engine keeps its journal by default. */
const DATA_FOLDER = join(import.meta.dirname, '..', '..', 'var');

/** What a measurement does. */
export interface Measurement {
  readonly rounds: number;
  readonly windowMs: number;
  /** Not counted, before the first window: compiled code is what is measured. */
  readonly warmUpMs: number;
  /** One evaluation, and the pause between two starts. */
  readonly busyMs: number;
  readonly everyMs: number;
}

/** Where the computing is done; `process` is one apart, of which the engine knows nothing. */
const PLACES = ['none', 'trading', 'process', 'io'] as const;
type Place = (typeof PLACES)[number];

/** What is measured, and the process to compare it with. */
interface Stage {
  readonly subject: EvaluationSubject;
  readonly neighbour: BusyNeighbour;
}

/** One window and the evaluations in it. */
interface Taken {
  readonly window: IoWindow;
  readonly spans: readonly Span[];
}

/** Windows of one round, one for each place, taken one after the other. */
type Round = Readonly<Record<Place, Taken>>;

/** Takes all windows and returns the results. Rejects when the engine fails meanwhile. */
export async function measure(
  measurement: Measurement,
  progress: (text: string) => void,
): Promise<readonly BenchResult[]> {
  mkdirSync(DATA_FOLDER, { recursive: true });
  const folder = mkdtempSync(join(DATA_FOLDER, 'bench-'));
  try {
    progress('starting the engine and both venues');
    const subject = await startEvaluationSubject(folder);
    const neighbour = new BusyNeighbour();
    try {
      const rounds = takeRounds({ subject, neighbour }, measurement, progress);
      return results(measurement, await Promise.race([rounds, subject.failure]));
    } finally {
      await neighbour.close();
      await subject.close();
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function takeRounds(
  stage: Stage,
  measurement: Measurement,
  progress: (text: string) => void,
): Promise<readonly Round[]> {
  await take(stage, 'none', measurement, measurement.warmUpMs);
  const rounds: Round[] = [];
  for (let round = 0; round < measurement.rounds; round++) {
    progress(`run ${round + 1} of ${measurement.rounds}`);
    const taken = new Map<Place, Taken>();
    // Each round begins with another place: what drifts with time then weighs on all of them.
    for (let turn = 0; turn < PLACES.length; turn++) {
      const place = PLACES[(round + turn) % PLACES.length] ?? 'none';
      taken.set(place, await take(stage, place, measurement, measurement.windowMs));
    }
    const at = (place: Place): Taken => takenAt(taken, place);
    rounds.push({ none: at('none'), trading: at('trading'), process: at('process'), io: at('io') });
  }
  return rounds;
}

function takenAt(taken: ReadonlyMap<Place, Taken>, place: Place): Taken {
  const found = taken.get(place);
  if (found === undefined) throw new Error(`a round must have a window with evaluations at ${place}`);
  return found;
}

async function take(
  { subject, neighbour }: Stage,
  place: Place,
  { busyMs, everyMs }: Measurement,
  windowMs: number,
): Promise<Taken> {
  const plan = { busyMs, everyMs };
  if (place === 'process') await neighbour.begin(plan);
  else if (place !== 'none') await subject.beginEvaluating(place, plan);
  await subject.openWindow();
  await pause(windowMs);
  const window = await subject.closeWindow();
  if (place === 'process') await neighbour.rest();
  const isInEngine = place === 'trading' || place === 'io';
  return { window, spans: isInEngine ? await subject.endEvaluating(place) : [] };
}

const NONE = { place: 'none', name: 'no evaluation' } as const;
const PROCESS = { place: 'process', name: 'the same in another process' } as const;

function results({ busyMs, everyMs }: Measurement, rounds: readonly Round[]): readonly BenchResult[] {
  const threads = 'venues -> io -> trading, store, main: 5 threads';
  const topologyOf = (place: Place): string =>
    `${busyMs} ms evaluation every ${everyMs} ms on the ${place} thread; ${threads}`;
  const isOwnKnown = rounds.every((round) => PLACES.every((place) => round[place].window.ownDelayMs !== undefined));
  return [
    ...(['trading', 'io'] as const).flatMap((place) => {
      const topology = topologyOf(place);
      const figures = { place, baseline: NONE };
      return [
        ...delays(`${place}: io loop delay`, topology, rounds, { ...figures, pick: ({ window }) => window.delayMs }),
        ...(isOwnKnown
          ? delays(`${place}: the same without waiting for a core`, topology, rounds, { ...figures, pick: ownDelay })
          : []),
        compared(`${place}: frames`, '1/s', topology, rounds, { ...figures, pick: framesPerSecond }),
        alone(`${place}: frames during an evaluation`, '1/s', topology, rounds, place, framesDuringPerSecond),
      ];
    }),
    ...delays('machine: io loop delay', `${topologyOf('trading')}; a program apart`, rounds, {
      place: 'trading',
      baseline: PROCESS,
      pick: ({ window }) => window.delayMs,
    }),
  ];
}

function delays(
  metric: string,
  topology: string,
  rounds: readonly Round[],
  { pick, ...figures }: Omit<Figures, 'pick'> & { readonly pick: (taken: Taken) => DelayMs },
): readonly BenchResult[] {
  return (['p50', 'p99', 'max'] as const).map((rank) =>
    compared(`${metric} ${rank}`, 'ms', topology, rounds, { ...figures, pick: (taken) => pick(taken)[rank] }),
  );
}

function ownDelay({ window: { delayMs, ownDelayMs } }: Taken): DelayMs {
  return ownDelayMs ?? delayMs;
}

function framesPerSecond({ window: { framesNs } }: Taken): number {
  const first = framesNs[0];
  const last = framesNs.at(-1);
  if (first === undefined || last === undefined || last <= first) return 0;
  return ((framesNs.length - 1) * 1e9) / Number(last - first);
}

/** Frames a connector took up between the begin and the end of an evaluation, for each second of evaluation. */
function framesDuringPerSecond({ window: { framesNs }, spans }: Taken): number {
  const busyNs = spans.reduce((sum, span) => sum + span.endedNs - span.beganNs, 0n);
  const during = framesNs.filter((atNs) => spans.some(({ beganNs, endedNs }) => beganNs < atNs && atNs < endedNs));
  return busyNs === 0n ? 0 : (during.length * 1e9) / Number(busyNs);
}

/** What is compared with what, and by which number. */
interface Figures {
  readonly place: Place;
  readonly baseline: { readonly place: Place; readonly name: string };
  readonly pick: (taken: Taken) => number;
}

/** The median window of a place beside the median window of the baseline's. */
function compared(
  metric: string,
  unit: string,
  topology: string,
  rounds: readonly Round[],
  { place, baseline, pick }: Figures,
): BenchResult {
  const result = alone(metric, unit, topology, rounds, place, pick);
  const value = median(rounds.map((round) => pick(round[baseline.place])));
  return {
    ...result,
    baseline: { name: baseline.name, value },
    ...(value === 0 ? {} : { ratio: result.value / value }),
  };
}

function alone(
  metric: string,
  unit: string,
  topology: string,
  rounds: readonly Round[],
  place: Place,
  pick: (taken: Taken) => number,
): BenchResult {
  const values = rounds.map((round) => pick(round[place]));
  const spread = Math.max(...values) - Math.min(...values);
  return { metric, value: median(values), unit, runs: rounds.length, spread, topology };
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((left, right) => left - right);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}
