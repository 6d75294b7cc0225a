/** Takes windows of the io thread with and without evaluations and works out the results. Main thread. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { BenchResult } from '../result.ts';
import type { Span } from './evaluation.ts';
import type { IoWindow } from './io-probe.ts';
import { startEvaluationSubject, type EvaluationSubject } from './subject.ts';

/** Where the engine keeps its journal by default. */
const DATA_FOLDER = join(import.meta.dirname, '..', '..', 'var');
const BASELINE = 'no evaluation';

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

const PLACES = ['none', 'trading', 'io'] as const;
type Place = (typeof PLACES)[number];

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
    try {
      return results(measurement, await Promise.race([takeRounds(subject, measurement, progress), subject.failure]));
    } finally {
      await subject.close();
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function takeRounds(
  subject: EvaluationSubject,
  measurement: Measurement,
  progress: (text: string) => void,
): Promise<readonly Round[]> {
  await take(subject, 'none', measurement, measurement.warmUpMs);
  const rounds: Round[] = [];
  for (let round = 0; round < measurement.rounds; round++) {
    progress(`run ${round + 1} of ${measurement.rounds}`);
    const taken = new Map<Place, Taken>();
    // Each round begins with another place: what drifts with time then weighs on all of them.
    for (let turn = 0; turn < PLACES.length; turn++) {
      const place = PLACES[(round + turn) % PLACES.length] ?? 'none';
      taken.set(place, await take(subject, place, measurement, measurement.windowMs));
    }
    rounds.push({ none: takenAt(taken, 'none'), trading: takenAt(taken, 'trading'), io: takenAt(taken, 'io') });
  }
  return rounds;
}

function takenAt(taken: ReadonlyMap<Place, Taken>, place: Place): Taken {
  const found = taken.get(place);
  if (found === undefined) throw new Error(`a round must have a window with evaluations at ${place}`);
  return found;
}

async function take(
  subject: EvaluationSubject,
  place: Place,
  { busyMs, everyMs }: Measurement,
  windowMs: number,
): Promise<Taken> {
  if (place !== 'none') await subject.beginEvaluating(place, { busyMs, everyMs });
  await subject.openWindow();
  await pause(windowMs);
  const window = await subject.closeWindow();
  return { window, spans: place === 'none' ? [] : await subject.endEvaluating(place) };
}

function results({ busyMs, everyMs }: Measurement, rounds: readonly Round[]): readonly BenchResult[] {
  const at = (place: Place): string =>
    `${busyMs} ms evaluation every ${everyMs} ms on the ${place} thread; venues -> io -> trading, store, main: 5 threads`;
  return (['trading', 'io'] as const).flatMap((place) => [
    ...(['p50', 'p99', 'max'] as const).map((rank) =>
      compared(`io loop delay ${rank}, ${place}`, 'ms', at(place), rounds, place, ({ window }) => window.delayMs[rank]),
    ),
    compared(`frames handled, ${place}`, '1/s', at(place), rounds, place, framesPerSecond),
    alone(`frames handled during an evaluation, ${place}`, '1/s', at(place), rounds, place, framesDuringPerSecond),
  ]);
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

/** The median window with evaluations beside the median window without. */
function compared(
  metric: string,
  unit: string,
  topology: string,
  rounds: readonly Round[],
  place: Place,
  pick: (taken: Taken) => number,
): BenchResult {
  const result = alone(metric, unit, topology, rounds, place, pick);
  const baseline = median(rounds.map((round) => pick(round.none)));
  return {
    ...result,
    baseline: { name: BASELINE, value: baseline },
    ...(baseline === 0 ? {} : { ratio: result.value / baseline }),
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
