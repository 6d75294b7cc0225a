import { expect, it } from 'vitest';
import { RollupBuilder } from '../../src/observe/rollups.ts';
import { mergeThreads } from '../../src/observe/series.ts';
import { BoardRecorder, newBoard } from '../../src/runtime/metrics-board.ts';

const BEGIN_MS = 1_767_225_600_000;

it('sums a minute up into one row per series, and writes no number that stayed what it was', () => {
  const { buffer, reader } = newBoard('main');
  const recorder = new BoardRecorder(buffer, () => 0);
  const builder = new RollupBuilder(60_000);
  const look = (second: number) => builder.add(BEGIN_MS + second * 1_000, mergeThreads([reader.read()]));
  const latency = recorder.distribution('latency', { venue: 'bybit' });
  recorder.gauge('still').set(4);
  latency.record(1_000);
  expect(look(0)).toEqual([]);
  for (let second = 1; second < 60; second++) {
    recorder.gauge('depth').set(second);
    latency.record(second === 30 ? 500 : 10);
    expect(look(second)).toEqual([]);
  }
  const rows = look(60);
  expect(rows).toHaveLength(3);
  const row = (name: string) => rows.find((one) => one.name === name);
  expect(row('still')).toMatchObject({
    atMs: BEGIN_MS,
    periodMs: 60_000,
    count: 60,
    sum: 240,
    max: 4,
    last: 4,
    edge: 4,
  });
  expect(row('depth')).toMatchObject({ count: 59, max: 59, last: 59, edge: 1 });
  expect(row('latency')).toMatchObject({ labels: { venue: 'bybit' }, count: 59, sum: 58 * 10 + 500 });
  expect(row('latency')?.last).toBeLessThan(10.4);
  expect(row('latency')?.edge).toBeGreaterThanOrEqual(500);
  for (let second = 61; second < 120; second++) look(second);
  expect(look(120)).toEqual([]);
  recorder.gauge('still').set(5);
  for (let second = 121; second < 180; second++) look(second);
  expect(look(180)).toMatchObject([{ name: 'still', atMs: BEGIN_MS + 120_000, last: 5 }]);
});
