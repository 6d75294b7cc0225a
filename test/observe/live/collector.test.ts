import { expect, it } from 'vitest';
import { Collector } from '../../../src/observe/live/collector.ts';
import type { Look } from '../../../src/observe/live/collector.ts';
import { BoardRecorder, newBoard } from '../../../src/runtime/metrics-board.ts';
import { SNAPSHOT, SUMMARY } from '../../control/engine.ts';

function staged() {
  const { buffer, reader } = newBoard('io-0');
  let nowMs = 1_000_000;
  const asked = { snapshots: 0 };
  let isSnapshotBroken = false;
  const logged: string[] = [];
  const collector = new Collector({
    readMetrics: () => [reader.read()],
    snapshot: () => {
      asked.snapshots += 1;
      return isSnapshotBroken ? Promise.reject(new Error('busy')) : Promise.resolve(SNAPSHOT);
    },
    summary: () => Promise.resolve(SUMMARY),
    nowMs: () => nowMs,
    log: (_, event) => logged.push(event),
  });
  const looks: Look[] = [];
  collector.onLook((look) => looks.push(look));
  return {
    collector,
    looks,
    asked,
    logged,
    recorder: new BoardRecorder(buffer, () => nowMs),
    look: async () => {
      nowMs += 1_000;
      await collector.look();
    },
    breakSnapshot: () => void (isSnapshotBroken = true),
  };
}

it('keeps and tells what came since the look before, of a distribution only where something came', async () => {
  const { collector, looks, recorder, look } = staged();
  const latency = recorder.distribution('api_call_latency', { venue: 'bybit' });
  latency.record(10);
  await look();
  await look();
  latency.record(30);
  latency.record(30);
  await look();
  const [history] = collector.history.of('api_call_latency');
  expect(history?.points).toMatchObject([
    { atMs: 1_001_000, count: 1, mean: 10, max: 10 },
    { atMs: 1_003_000, count: 2, mean: 30, p50: 30, p99: 30 },
  ]);
  const told = looks.map(({ points }) => points.filter(({ metric }) => metric === 'api_call_latency'));
  expect(told.map((points) => points.length)).toEqual([2, 0, 2]);
  expect(told[2]?.[1]).toEqual({
    timestamp: 1_003_000,
    metric: 'api_call_latency',
    value: 30,
    labels: { venue: 'bybit', quantile: '0.99' },
  });
});

it('makes a rate of what is counted', async () => {
  const { collector, recorder, look } = staged();
  const frames = recorder.counter('websocket_messages_total', { venue: 'bybit', channel: 'book', direction: 'in' });
  await look();
  for (let index = 0; index < 3; index++) {
    frames.add(20);
    await look();
  }
  const rate = [...collector.table().values()].find(({ name }) => name === 'websocket_message_rate');
  expect(rate).toMatchObject({ value: 20, labels: { venue: 'bybit', channel: 'book', direction: 'in' } });
});

it('brings in what runtime and observer say, and asks the threads only now and then', async () => {
  const { collector, asked, look } = staged();
  for (let index = 0; index < 10; index++) await look();
  expect(asked.snapshots).toBe(2);
  const table = collector.table();
  expect(table.get('actor_restarts_total{actor="position/BTC"}')).toMatchObject({ value: 2 });
  expect(table.get('event_loop_delay_ms{thread="store"}')).toMatchObject({ value: 2 });
  expect(table.get('engine_state{state="TRADING"}')).toMatchObject({ value: 1 });
  expect(table.get('identities_broken')).toMatchObject({ value: 1 });
  expect(table.get('system_rss_mb')).toBeDefined();
});

it('goes on with what it knew when somebody does not answer, and when a listener throws', async () => {
  const { collector, looks, logged, look, breakSnapshot } = staged();
  await look();
  breakSnapshot();
  collector.onLook(() => {
    throw new Error('not me');
  });
  for (let index = 0; index < 5; index++) await look();
  expect(looks).toHaveLength(6);
  expect(collector.table().get('actors_running')).toMatchObject({ value: 2 });
  expect(logged).toContain('metrics-not-read');
  expect(logged).toContain('metrics-listener-failed');
});
