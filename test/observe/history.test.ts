import { expect, it } from 'vitest';
import { MetricHistory, POINTS_MAX } from '../../src/observe/history.ts';

it('keeps the latest points of a series in order, a thousand of them', () => {
  const history = new MetricHistory();
  for (let atMs = 1; atMs <= 2_345; atMs++) history.add('heap', 'heap', {}, { atMs, value: atMs * 2 });
  const [heap] = history.of('heap');
  expect(heap?.points).toHaveLength(POINTS_MAX);
  expect(heap?.points.map(({ atMs }) => atMs)).toEqual(Array.from({ length: 1_000 }, (_, index) => 1_346 + index));
  expect(heap?.points.at(-1)).toEqual({ atMs: 2_345, value: 4_690 });
});

it('loses no point while it grows', () => {
  for (const count of [1, 31, 32, 33, 64, 65, 999, 1_000, 1_001]) {
    const history = new MetricHistory();
    for (let atMs = 1; atMs <= count; atMs++)
      history.add('x', 'x', {}, { atMs, count: atMs, mean: 1, p50: 2, p99: 3, max: 4 });
    const points = history.of('x')[0]?.points ?? [];
    expect(points).toHaveLength(Math.min(count, 1_000));
    expect(points.at(-1)).toEqual({ atMs: count, count, mean: 1, p50: 2, p99: 3, max: 4 });
    expect(points[0]?.atMs).toBe(Math.max(1, count - 999));
  }
});

it('finds the series of a metric by some of their labels', () => {
  const history = new MetricHistory();
  for (const venue of ['bybit', 'lighter'])
    for (const endpoint of ['orders', 'time'])
      history.add(`${venue}${endpoint}`, 'latency', { venue, endpoint }, { atMs: 1, value: 1 });
  expect(history.of('latency', { venue: 'bybit' }).map(({ labels }) => labels['endpoint'])).toEqual(['orders', 'time']);
  expect(history.of('latency')).toHaveLength(4);
  expect(history.names()).toEqual(new Map([['latency', 4]]));
});

it('bounds how many series it keeps, and counts the rest', () => {
  const history = new MetricHistory();
  for (let index = 0; index < 4_010; index++) history.add(`k${index}`, 'x', {}, { atMs: 1, value: 1 });
  expect(history.refused).toBe(10);
});
