import { build } from 'hdr-histogram-js';
import { expect, it, describe } from 'vitest';
import { BoardRecorder, newBoard } from '../../src/runtime/metrics-board.ts';
import type { MetricReading } from '../../src/runtime/metrics-board.ts';
import { BUCKET_COUNT, bucketOf, bucketUpperEdge } from '../../src/runtime/value-buckets.ts';
import { randomStream } from '../../src/runtime/random.ts';

function board() {
  const made = newBoard('trading-0');
  let nowMs = 0;
  const clock = { monotonicMs: () => nowMs, advance: (ms: number) => (nowMs += ms) };
  const read = (name: string): MetricReading[] => made.reader.read().series.filter((one) => one.name === name);
  return { ...made, clock, recorder: new BoardRecorder(made.buffer, clock.monotonicMs), read };
}

function countOf(reading: MetricReading | undefined): number {
  return reading?.kind === 'distribution' ? reading.buckets.reduce((sum, count) => sum + count, 0) : Number.NaN;
}

describe('the metrics board of a thread', () => {
  it('shows a reader what was recorded, under its name and labels', () => {
    const { recorder, read, clock } = board();
    recorder.counter('fills', { venue: 'bybit', side: 'buy' }).add();
    recorder.counter('fills', { venue: 'bybit', side: 'buy' }).add(2);
    recorder.counter('fills', { venue: 'lighter é"', side: 'buy' }).add(5);
    clock.advance(40);
    recorder.gauge('heap').set(7.5);
    recorder.distribution('latency').record(3);
    expect(read('fills')).toEqual([
      { kind: 'counter', name: 'fills', labels: { venue: 'bybit', side: 'buy' }, value: 3, atMs: 0 },
      { kind: 'counter', name: 'fills', labels: { venue: 'lighter é"', side: 'buy' }, value: 5, atMs: 0 },
    ]);
    expect(read('heap')).toEqual([{ kind: 'gauge', name: 'heap', labels: {}, value: 7.5, atMs: 40 }]);
    expect(read('latency')).toMatchObject([{ kind: 'distribution', sum: 3, max: 3 }]);
    expect(countOf(read('latency')[0])).toBe(1);
  });

  it('goes on counting where the life before it left off', () => {
    const { buffer, clock, recorder, read } = board();
    recorder.counter('orders', { venue: 'bybit' }).add(4);
    recorder.distribution('latency').record(1);
    const next = new BoardRecorder(buffer, clock.monotonicMs);
    next.distribution('other').record(9);
    next.counter('orders', { venue: 'bybit' }).add(1);
    next.distribution('latency').record(2);
    expect(read('orders')).toMatchObject([{ value: 5 }]);
    expect(read('latency')).toMatchObject([{ sum: 3 }]);
    expect(read('other')).toMatchObject([{ sum: 9 }]);
  });

  it('records how long an action took and hands on what it returns or throws', () => {
    const { recorder, read, clock } = board();
    expect(recorder.timed('work', () => clock.advance(12))).toBe(12);
    expect(() =>
      recorder.timed('work', () => {
        clock.advance(5);
        throw new Error('no');
      }),
    ).toThrow('no');
    expect(read('work')).toMatchObject([{ sum: 17, max: 12 }]);
    expect(countOf(read('work')[0])).toBe(2);
  });

  it('refuses and counts what finds no place, and keeps what has one', () => {
    const { recorder, read, reader } = board();
    for (let index = 0; index < 1_100; index++) recorder.gauge('many', { index: String(index) }).set(index);
    recorder.gauge('many', { index: '3' }).set(-1);
    recorder.distribution('late').record(1);
    expect(reader.read().refused).toBe(1_100 - 1_024 + 1);
    expect(read('many')).toHaveLength(1_024);
    expect(read('many')[3]).toMatchObject({ value: -1 });
  });

  it('never lets a value that is no number spoil a sum or a count', () => {
    const { recorder, read } = board();
    recorder.distribution('latency').record(Number.NaN);
    recorder.distribution('latency').record(Number.POSITIVE_INFINITY);
    recorder.distribution('latency').record(-4);
    recorder.counter('seen').add(Number.NaN);
    recorder.counter('seen').add(-3);
    recorder.counter('seen').add(2);
    expect(countOf(read('latency')[0])).toBe(3);
    expect(read('latency')).toMatchObject([{ sum: 2 ** 31 / 4_096 - 1 / 4_096 }]);
    expect(read('seen')).toMatchObject([{ value: 2 }]);
  });
});

describe('the buckets of a distribution', () => {
  it('lie one above the other, each at most 1/32 wide, and hold what they say', () => {
    for (let bucket = 0; bucket < BUCKET_COUNT; bucket++) {
      const edge = bucketUpperEdge(bucket);
      const below = bucket === 0 ? 0 : bucketUpperEdge(bucket - 1);
      expect(edge).toBeGreaterThan(below);
      expect(bucketOf(below)).toBe(bucket);
      if (bucket >= 32) expect(edge - below).toBeLessThanOrEqual(below / 32);
    }
    expect(bucketOf(1e300)).toBe(BUCKET_COUNT - 1);
  });

  it('give the percentiles an HDR histogram of the same values gives, to 1/32', () => {
    const random = randomStream(7, 'values');
    const exact = build({ highestTrackableValue: 2 ** 40, numberOfSignificantValueDigits: 5 });
    const { recorder, read } = board();
    const distribution = recorder.distribution('latency');
    for (let index = 0; index < 20_000; index++) {
      const value = Math.exp(random.nextFraction() * 12 - 4);
      exact.recordValue(Math.round(value * 1e6));
      distribution.record(value);
    }
    const [reading] = read('latency');
    if (reading?.kind !== 'distribution') throw new Error('no distribution');
    for (const percentile of [50, 90, 99, 99.9]) {
      const rank = Math.ceil((percentile / 100) * 20_000);
      let seen = 0;
      const bucket = reading.buckets.findIndex((count) => (seen += count) >= rank);
      const expected = exact.getValueAtPercentile(percentile) / 1e6;
      expect(Math.abs(bucketUpperEdge(bucket) / expected - 1)).toBeLessThan(1 / 31);
    }
  });
});
