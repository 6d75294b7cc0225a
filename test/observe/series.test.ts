import { build } from 'hdr-histogram-js';
import { describe, expect, it } from 'vitest';
import { BoardRecorder, newBoard } from '../../src/runtime/metrics-board.ts';
import { randomStream } from '../../src/runtime/random.ts';
import { mergeThreads, quantile, seriesKey, since } from '../../src/observe/series.ts';
import type { DistributionSeries } from '../../src/observe/series.ts';

function threads(...names: readonly string[]) {
  let nowMs = 0;
  const boards = names.map((name) => {
    const { buffer, reader } = newBoard(name);
    return { recorder: new BoardRecorder(buffer, () => nowMs), reader };
  });
  return {
    recorder: (index: number) => boards[index]?.recorder ?? expect.fail('no such thread'),
    merged: () => mergeThreads(boards.map(({ reader }) => reader.read())),
    pass: () => void (nowMs += 1),
  };
}

function distribution(merged: ReadonlyMap<string, unknown>, key: string): DistributionSeries {
  return merged.get(key) as DistributionSeries;
}

describe('series of several threads', () => {
  it('add up where they count, and are the latest where they are a state', () => {
    const { recorder, merged, pass } = threads('trading-0', 'trading-1');
    recorder(0).counter('fills', { venue: 'bybit' }).add(2);
    recorder(1).counter('fills', { venue: 'bybit' }).add(3);
    recorder(1).gauge('exposure', { base: 'BTC' }).set(70);
    pass();
    recorder(0).gauge('exposure', { base: 'BTC' }).set(50);
    recorder(0).distribution('eval').record(1);
    recorder(1).distribution('eval').record(9);
    const all = merged();
    expect(all.get('fills{venue="bybit"}')).toMatchObject({ value: 5 });
    expect(all.get('exposure{base="BTC"}')).toMatchObject({ value: 50 });
    expect(all.get('eval')).toMatchObject({ count: 2, sum: 10, max: 9 });
  });

  it('give the percentiles of one HDR histogram of all their values, at most 1/32 above, and its count and maximum exactly', () => {
    const { recorder, merged } = threads('io-0', 'trading-0', 'store');
    const random = randomStream(11, 'values');
    const exact = build({ highestTrackableValue: 2 ** 40, numberOfSignificantValueDigits: 5 });
    const micro = 1e6;
    let largest = 0;
    for (let index = 0; index < 30_000; index++) {
      // Each thread has latencies of its own size: only together they are the distribution.
      const thread = index % 3;
      const value = Math.exp(random.nextFraction() * 4 + thread * 3 - 4);
      exact.recordValue(Math.round(value * micro));
      recorder(thread).distribution('api_call_latency').record(value);
      largest = Math.max(largest, value);
    }
    const all = distribution(merged(), 'api_call_latency');
    expect([all.count, all.max]).toEqual([exact.totalCount, largest]);
    for (const percentile of [1, 25, 50, 75, 90, 99, 99.9]) {
      const ratio = quantile(all, percentile / 100) / (exact.getValueAtPercentile(percentile) / micro);
      // Below by what the oracle itself rounds up.
      expect(ratio, `p${percentile}`).toBeGreaterThan(1 - 2e-5);
      expect(ratio, `p${percentile}`).toBeLessThanOrEqual(1 + 1 / 32);
    }
  });

  it('are one whatever the order of their labels', () => {
    expect(seriesKey('x', { b: '2', a: '1' })).toBe(seriesKey('x', { a: '1', b: '2' }));
    expect(seriesKey('x', { a: '1' })).not.toBe(seriesKey('x', { a: '2' }));
  });

  it('tell what came between two looks from what came before', () => {
    const { recorder, merged } = threads('main');
    const latency = recorder(0).distribution('latency');
    for (let index = 0; index < 100; index++) latency.record(1);
    const before = distribution(merged(), 'latency');
    for (let index = 0; index < 98; index++) latency.record(10);
    latency.record(200);
    latency.record(200);
    const news = since(before, distribution(merged(), 'latency'));
    expect(news.count).toBe(100);
    expect(news.sum).toBeCloseTo(980 + 400, 6);
    expect(quantile(news, 0.5)).toBeGreaterThanOrEqual(10);
    expect(quantile(news, 0.5)).toBeLessThan(10 * (1 + 1 / 31));
    expect(quantile(news, 0.99)).toBe(200);
    expect(since(distribution(merged(), 'latency'), distribution(merged(), 'latency'))).toMatchObject({
      count: 0,
      max: 0,
    });
  });
});
