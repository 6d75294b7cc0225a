import { describe, expect, it } from 'vitest';
import { allDefinitions } from '../../../src/observe/catalogue.ts';
import { exposition } from '../../../src/observe/live/prometheus.ts';
import { mergeThreads } from '../../../src/observe/series.ts';
import type { Series } from '../../../src/observe/series.ts';
import { BoardRecorder, newBoard } from '../../../src/runtime/metrics-board.ts';
import { complaintsOf, PROMETHEUS_MISSING } from './prometheus-tools.ts';

/** Every metric of the catalogue with a value. */
function everything(): Iterable<Series> {
  const { buffer, reader } = newBoard('main');
  const recorder = new BoardRecorder(buffer, () => 0);
  for (const { name, kind } of allDefinitions()) {
    const labels = { venue: 'a "quoted" \\ name\nof two lines' };
    if (kind === 'counter') recorder.counter(name, labels).add(3);
    else if (kind === 'gauge') recorder.gauge(name, labels).set(0.25);
    else for (const value of [0.004, 1, 1.02, 40, 1e6]) recorder.distribution(name, labels).record(value);
  }
  return mergeThreads([reader.read()]).values();
}

/** The value of one line of the text; undefined when there is none. */
function valueOf(text: string, series: string): number | undefined {
  const line = text.split('\n').find((one) => one.startsWith(`${series} `));
  return line === undefined ? undefined : Number(line.slice(series.length + 1));
}

describe('what Prometheus reads', () => {
  it.skipIf(PROMETHEUS_MISSING)('has nothing promtool complains of, with every metric there is', async () => {
    expect(complaintsOf(await exposition(everything()))).toBe('');
    // The check itself works: our own names are not all to its taste.
    expect(complaintsOf(await exposition(everything(), 'own'))).toContain('abbreviated units');
  });

  it('names every metric, by our own name at least where it says what it is elsewhere', async () => {
    const text = await exposition(everything());
    const own = await exposition(everything(), 'own');
    for (const { name } of allDefinitions()) {
      expect(text).toMatch(new RegExp(`^# HELP (?:${name} |.*\\(${name} elsewhere\\))`, 'm'));
      expect(own).toMatch(new RegExp(`^${name}(?:_bucket)?\\{`, 'm'));
    }
  });

  it('gives durations in seconds, by buckets that count up to all of them', async () => {
    const { buffer, reader } = newBoard('main');
    const latency = new BoardRecorder(buffer, () => 0).distribution('order_placement_latency', { venue: 'bybit' });
    for (const value of [1, 4, 40, 40, 900]) latency.record(value);
    const text = await exposition(mergeThreads([reader.read()]).values());
    const bucket = (le: string) => valueOf(text, `order_placement_latency_bucket{venue="bybit",le="${le}"}`);
    expect([bucket('0.0005'), bucket('0.001'), bucket('0.005'), bucket('0.05'), bucket('1'), bucket('+Inf')]).toEqual([
      0, 1, 2, 4, 5, 5,
    ]);
    expect(valueOf(text, 'order_placement_latency_count{venue="bybit"}')).toBe(5);
    expect(valueOf(text, 'order_placement_latency_sum{venue="bybit"}')).toBeCloseTo(0.985, 9);
  });

  it('gives memory in bytes under its own rules and in MB under our name', async () => {
    const series: Series = { kind: 'gauge', name: 'system_rss_mb', labels: {}, value: 2 };
    expect(valueOf(await exposition([series]), 'system_rss_bytes')).toBe(2_097_152);
    expect(valueOf(await exposition([series], 'own'), 'system_rss_mb')).toBe(2);
  });
});
