/**
 * What does it cost an actor to record a metric?
 *
 *   [one thread] --records--> [its board in shared memory]        nobody is told, nothing is allocated
 *
 * A million records per run through the recorder an actor has, on the clock it has: a counter and a distribution that were
 * asked for once and kept, the same asked for by name and labels each time, and `timed` around an empty function, which
 * looks at the clock twice. Beside each a prom-client metric of the same kind. Processor time, not the clock's: what a
 * neighbour takes meanwhile is not the recorder's.
 */
import { Counter as PromCounter, Histogram as PromHistogram, Registry } from 'prom-client';
import { BoardRecorder, newBoard } from '../src/runtime/metrics-board.ts';
import { anchorNow, ThreadClock } from '../src/runtime/thread-clock.ts';
import type { BenchOptions, BenchResult } from './result.ts';
import { median, spreadOf } from './runtime/load-runs.ts';

export const name = 'metrics-cost';

const RUNS = 9;
const RECORDS = 1_000_000;
const NS_PER_US = 1e3;
const NEED_NS = 200;

export async function* run({ progress }: BenchOptions): AsyncGenerator<BenchResult> {
  const clock = new ThreadClock({ type: 'live' }, anchorNow());
  const { buffer } = newBoard('bench');
  const recorder = new BoardRecorder(buffer, () => clock.monotonicMs());
  const counter = recorder.counter('kept', { venue: 'bybit' });
  const distribution = recorder.distribution('kept', { venue: 'bybit' });
  const registers = [new Registry()];
  const promCounter = new PromCounter({ name: 'kept', help: 'x', labelNames: ['venue'], registers });
  const promHistogram = new PromHistogram({ name: 'spread', help: 'x', labelNames: ['venue'], registers });
  const promTimer = new PromHistogram({ name: 'timed', help: 'x', registers });
  const labels = { venue: 'bybit' };
  let sink = 0;
  const nothing = (): number => (sink += 1);
  const subjects: readonly (readonly [string, (index: number) => void, (index: number) => void])[] = [
    ['counter, kept', () => counter.add(), () => promCounter.inc(labels)],
    [
      'distribution, kept',
      (index) => distribution.record(index & 1_023),
      (index) => promHistogram.observe(labels, index & 1_023),
    ],
    ['counter, by name', () => recorder.counter('named').add(), () => promCounter.inc(labels)],
    ['counter, by name and labels', () => recorder.counter('kept', labels).add(), () => promCounter.inc(labels)],
    [
      'timed around nothing',
      () => recorder.timed('work', nothing),
      () => {
        const end = promTimer.startTimer();
        nothing();
        end();
      },
    ],
  ];
  for (const [metric, action, baseline] of subjects) {
    progress(metric);
    const costs: number[] = [];
    const baselines: number[] = [];
    for (let round = 0; round <= RUNS; round++) {
      const own = costNs(action);
      const other = costNs(baseline);
      // The first round warms up.
      if (round === 0) continue;
      costs.push(own);
      baselines.push(other);
    }
    const value = median(costs);
    const against = median(baselines);
    yield {
      metric,
      value,
      unit: 'ns',
      runs: RUNS,
      spread: spreadOf(costs),
      baseline: { name: 'prom-client', value: against },
      ratio: value / against,
      topology: '1 thread -> its own board',
      // Whoever needs labels often asks once and keeps what it got.
      ...(metric.endsWith('labels') ? {} : { target: { of: 'value', is: 'at most', need: NEED_NS } as const }),
    };
  }
}

function costNs(action: (index: number) => void): number {
  const before = process.threadCpuUsage();
  for (let index = 0; index < RECORDS; index++) action(index);
  const { user, system } = process.threadCpuUsage(before);
  return ((user + system) / RECORDS) * NS_PER_US;
}
