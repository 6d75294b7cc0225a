import { describe, expect, it } from 'vitest';
import { AlertEngine } from '../../src/observe/alert-engine.ts';
import type { Notice } from '../../src/observe/alert-engine.ts';
import { BUILT_IN_RULES } from '../../src/observe/alert-rules.ts';
import type { AlertRule } from '../../src/observe/alert-rules.ts';
import { noticeText } from '../../src/observe/notice-text.ts';
import { mergeThreads, since } from '../../src/observe/series.ts';
import type { DistributionSeries, Series } from '../../src/observe/series.ts';
import { BoardRecorder, newBoard } from '../../src/runtime/metrics-board.ts';

const MINUTE_MS = 60_000;

function staged(rules: Readonly<Record<string, AlertRule>>) {
  const engine = new AlertEngine(rules);
  const { buffer, reader } = newBoard('main');
  const recorder = new BoardRecorder(buffer, () => 0);
  let atMs = 1_000_000_000_000;
  let before: ReadonlyMap<string, Series> = new Map();
  const look = (): readonly Notice[] => {
    atMs += 1_000;
    const table = mergeThreads([reader.read()]);
    const recent = [...table].flatMap(([key, series]): DistributionSeries[] => {
      if (series.kind !== 'distribution') return [];
      const old = before.get(key);
      const news = since(old?.kind === 'distribution' ? old : undefined, series);
      return news.count === 0 ? [] : [news];
    });
    before = table;
    return engine.look({ atMs, table, recent });
  };
  return {
    engine,
    recorder,
    look,
    /** Looks every second for so long; returns all notices. */
    looks: (ms: number, each: () => void = () => undefined) =>
      Array.from({ length: ms / 1_000 }, () => {
        each();
        return look();
      }).flat(),
  };
}

function only(name: string, change: Partial<AlertRule> = {}): Readonly<Record<string, AlertRule>> {
  const rule = BUILT_IN_RULES[name] ?? expect.fail(`no rule ${name}`);
  return { [name]: { ...rule, ...change } };
}

describe('an alert', () => {
  it('is raised once what it watches holds long enough, told once, and told when it is over', () => {
    const { recorder, looks, look, engine } = staged(only('venue-stale'));
    const stale = recorder.gauge('venue_stale', { venue: 'bybit', account: 'main' });
    stale.set(1);
    expect(looks(9_000)).toEqual([]);
    stale.set(0);
    look();
    stale.set(1);
    expect(looks(10_000)).toEqual([]);
    expect(engine.active()).toEqual([]);
    expect(look()).toMatchObject([{ type: 'raised', rule: 'venue-stale', severity: 'critical', value: 1, limit: 1 }]);
    expect(looks(600_000)).toEqual([]);
    expect(engine.active()).toMatchObject([{ rule: 'venue-stale', labels: { venue: 'bybit', account: 'main' } }]);
    stale.set(0);
    expect(look()).toMatchObject([{ type: 'resolved', value: 0 }]);
    expect(engine.active()).toEqual([]);
    expect(engine.recent().map(({ type }) => type)).toEqual(['raised', 'resolved']);
  });

  it('is told again after its cooldown only, and its end only when its beginning was told', () => {
    const { recorder, look, looks, engine } = staged(only('ws-limit'));
    const used = recorder.gauge('rate_limit_used_ratio', { venue: 'lighter', bucket: 'ws' });
    used.set(0.95);
    expect(look()).toHaveLength(1);
    used.set(0.5);
    expect(look()).toMatchObject([{ type: 'resolved' }]);
    used.set(0.95);
    expect(look()).toEqual([]);
    expect(engine.active()).toMatchObject([{ isTold: false }]);
    used.set(0.5);
    expect(look()).toEqual([]);
    used.set(0.95);
    // Four looks since the first notice so far.
    expect(looks(295_000)).toEqual([]);
    expect(engine.suppressed).toBe(2);
    expect(looks(2_000)).toMatchObject([{ type: 'raised' }]);
  });

  it('is one for each series, and none for those with other labels', () => {
    const { recorder, look } = staged(only('rest-limit'));
    for (const venue of ['bybit', 'lighter'])
      recorder.gauge('rate_limit_used_ratio', { venue, bucket: 'rest' }).set(0.81);
    recorder.gauge('rate_limit_used_ratio', { venue: 'bybit', bucket: 'orders' }).set(1);
    recorder.gauge('rate_limit_used_ratio', { venue: 'extended', bucket: 'rest' }).set(0.8);
    expect(look().map(({ labels }) => labels['venue'])).toEqual(['bybit', 'lighter']);
  });

  it('rests on what came since the last look, and holds while nothing comes, for two minutes', () => {
    const { recorder, look, looks } = staged(only('order-latency'));
    const latency = recorder.distribution('order_placement_latency', { venue: 'bybit' });
    latency.record(501);
    expect(look()).toMatchObject([{ type: 'raised', limit: 500 }]);
    expect(looks(100_000)).toEqual([]);
    expect(looks(20_000)).toMatchObject([{ type: 'resolved' }]);
    latency.record(20);
    expect(look()).toEqual([]);
  });

  it('compares with the mean of 24 hours once there is one', () => {
    const { recorder, looks } = staged(only('order-latency-baseline'));
    const latency = recorder.distribution('order_placement_latency', { venue: 'bybit' });
    expect(looks(MINUTE_MS, () => latency.record(900))).toEqual([]);
    expect(looks(20 * MINUTE_MS, () => latency.record(100))).toEqual([]);
    expect(looks(MINUTE_MS, () => latency.record(180))).toEqual([]);
    const [raised] = looks(2 * MINUTE_MS, () => latency.record(400));
    expect(raised).toMatchObject({ type: 'raised', rule: 'order-latency-baseline' });
    expect(raised?.limit).toBeGreaterThan(200);
    expect(raised?.limit).toBeLessThan(300);
    expect(raised?.value).toBeGreaterThan(raised?.limit ?? Infinity);
  });

  it('knows from earlier lives what is usual', () => {
    const { engine, recorder, looks } = staged(only('order-latency-baseline'));
    for (let hour = 2; hour < 20; hour++)
      engine.remember(
        'order_placement_latency',
        { venue: 'bybit' },
        { atMs: 1e12 - hour * 3_600_000, count: 50, sum: 5_000 },
      );
    const latency = recorder.distribution('order_placement_latency', { venue: 'bybit' });
    expect(looks(2_000, () => latency.record(199))).toEqual([]);
    expect(looks(10_000, () => latency.record(320))).toMatchObject([{ type: 'raised', limit: 200 }]);
  });

  it('is not looked at when it is switched off', () => {
    const { recorder, looks } = staged(only('heap', { enabled: false }));
    recorder.gauge('system_heap_used_mb').set(9_000);
    expect(looks(60_000)).toEqual([]);
  });

  it('is said in one line of fixed words', () => {
    const { recorder, look } = staged(only('unhedged'));
    recorder.gauge('unhedged_time', { base: 'BTC' }).set(7_212.4);
    const [notice] = look();
    if (notice === undefined) expect.fail('no notice');
    expect(noticeText(notice)).toBe(
      'CRITICAL unhedged: a leg stands alone for longer than allowed (unhedged_time base=BTC 7212 ms > 5000)',
    );
    expect(noticeText({ ...notice, type: 'resolved', value: 0 })).toBe(
      'RESOLVED unhedged (now unhedged_time base=BTC 0 ms)',
    );
  });
});
