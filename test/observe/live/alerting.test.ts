import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { configSchema } from '../../../config/schema.ts';
import { startAlerting } from '../../../src/composition/live/alerting.ts';
import { BUILT_IN_RULES } from '../../../src/observe/alert-rules.ts';
import { Collector } from '../../../src/observe/live/collector.ts';
import type { MetricPoint } from '../../../src/observe/live/collector.ts';
import { BoardRecorder, newBoard } from '../../../src/runtime/metrics-board.ts';
import { SNAPSHOT, SUMMARY } from '../../control/engine.ts';
import { startTelegram } from './telegram-server.ts';

const TOKEN = '123456:canary-bot-token';

/** Everything that alerts, over metrics set by hand; looked at when the test says so. */
function staged(alerts: object) {
  const config = configSchema.parse({
    mode: 'simulated',
    venues: {},
    venuePairs: [['lighter:main', 'extended:main']],
    symbols: ['BTC'],
    alerts,
  });
  const { buffer, reader } = newBoard('main');
  let nowMs = Date.now();
  const recorder = new BoardRecorder(buffer, () => nowMs);
  const logged: { readonly event: string; readonly fields: Readonly<Record<string, unknown>> }[] = [];
  const published: MetricPoint[] = [];
  const told: object[] = [];
  const log = (_: string, event: string, fields: Readonly<Record<string, unknown>>): void =>
    void logged.push({ event, fields });
  const collector = new Collector({
    readMetrics: () => [reader.read()],
    snapshot: () => Promise.resolve({ ...SNAPSHOT, supervisors: [] }),
    summary: () => Promise.resolve(undefined),
    nowMs: () => nowMs,
    log,
  });
  const alerting = startAlerting({
    config: config.alerts,
    secrets: { telegramToken: TOKEN },
    collector,
    publish: (points) => published.push(...points),
    metrics: recorder,
    summary: () => Promise.resolve(SUMMARY),
    tellGuard: (message) => told.push(message),
    log,
  });
  onTestFinished(() => alerting.close());
  return {
    recorder,
    alerting,
    logged,
    published,
    told,
    table: () => collector.table(),
    looks: async (count: number, each: () => void = () => undefined) => {
      for (let index = 0; index < count; index++) {
        nowMs += 1_000;
        each();
        await collector.look();
      }
    },
  };
}

/** What makes each built-in rule speak; done before every look. */
const PROVOKED: Readonly<Record<string, (recorder: BoardRecorder) => void>> = {
  'rest-limit': (recorder) => recorder.gauge('rate_limit_used_ratio', { venue: 'bybit', bucket: 'rest' }).set(0.85),
  'ws-limit': (recorder) => recorder.gauge('rate_limit_used_ratio', { venue: 'bybit', bucket: 'ws' }).set(0.95),
  'order-latency': (recorder) => recorder.distribution('order_placement_latency', { venue: 'bybit' }).record(700),
  'order-latency-baseline': (recorder) =>
    recorder.distribution('order_placement_latency', { venue: 'bybit' }).record(700),
  'api-latency': (recorder) => recorder.distribution('api_call_latency', { venue: 'bybit' }).record(700),
  'api-latency-baseline': (recorder) => recorder.distribution('api_call_latency', { venue: 'bybit' }).record(700),
  heap: (recorder) => recorder.gauge('heap_of_test').set(1),
  'venue-stale': (recorder) => recorder.gauge('venue_stale', { venue: 'bybit' }).set(1),
  'stream-incomplete': (recorder) => recorder.gauge('stream_incomplete', { venue: 'bybit' }).set(1),
  unhedged: (recorder) => recorder.gauge('unhedged_time', { base: 'BTC' }).set(6_000),
  'mark-divergence': (recorder) => recorder.gauge('mark_divergence_ratio', { base: 'BTC' }).set(2.1),
  'restart-intensity': (recorder) => recorder.gauge('restart_intensity_ratio', { supervisor: 'trading' }).set(0.6),
  'invariant-breach': (recorder) => recorder.gauge('identities_broken').set(1),
  'daily-loss': (recorder) => recorder.gauge('daily_loss_ratio').set(0.9),
};

describe('alerts', () => {
  it.each(Object.keys(BUILT_IN_RULES))('%s reaches log, dashboard and a chat, and so does its end', async (name) => {
    const telegram = await startTelegram(TOKEN);
    const stage = staged({
      // The process of this test is what it is: the heap it has is made too much.
      rules: { [name]: { ...BUILT_IN_RULES[name], ...(name === 'heap' ? { threshold: 1 } : {}) } },
      telegram: { enabled: true, host: telegram.host, keyFile: 'x', chatIds: ['42'], severityMin: 'info' },
    });
    const { recorder, alerting, logged, published } = stage;
    const metric = BUILT_IN_RULES[name]?.metric ?? '';
    for (let hour = 1; hour < 20; hour++)
      alerting.engine.remember(
        metric,
        { venue: 'bybit' },
        { atMs: Date.now() - hour * 3_600_000, count: 50, sum: 5_000 },
      );
    await stage.looks(70, () => PROVOKED[name]?.(recorder));
    await telegram.until(() => telegram.messages.length > 0);
    expect(telegram.messages).toEqual([{ chatId: '42', text: expect.stringContaining(` ${name}: `) as unknown }]);
    expect(logged.filter(({ event }) => event === 'alert-raised')).toMatchObject([{ fields: { rule: name, metric } }]);
    expect(published).toMatchObject([{ metric: 'alert', value: 1, labels: { rule: name } }]);
    expect(alerting.view()).toMatchObject({ active: [{ rule: name }], recent: [{ type: 'raised' }] });
    expect([...stage.table().values()]).toContainEqual(expect.objectContaining({ name: 'alerts_active', value: 1 }));
    if (name === 'heap') return;
    for (const gauge of [
      'rate_limit_used_ratio',
      'venue_stale',
      'stream_incomplete',
      'unhedged_time',
      'mark_divergence_ratio',
    ])
      for (const labels of [
        { venue: 'bybit' },
        { venue: 'bybit', bucket: 'rest' },
        { venue: 'bybit', bucket: 'ws' },
        { base: 'BTC' },
      ])
        if ([...stage.table().values()].some((one) => one.name === gauge)) recorder.gauge(gauge, labels).set(0);
    recorder.gauge('restart_intensity_ratio', { supervisor: 'trading' }).set(0);
    recorder.gauge('identities_broken').set(0);
    recorder.gauge('daily_loss_ratio').set(0);
    // A mean over a minute, and two minutes without any value.
    await stage.looks(185);
    await telegram.until(() => telegram.messages.length > 1);
    expect(telegram.messages[1]?.text).toContain(`RESOLVED ${name}`);
    expect(logged.filter(({ event }) => event === 'alert-resolved')).toHaveLength(1);
    expect(published.at(-1)).toMatchObject({ metric: 'alert', value: 0, labels: { rule: name } });
  });

  it('reach the others while one sink hangs, which gives up after its own time', async () => {
    const telegram = await startTelegram(TOKEN);
    telegram.behave('hanging');
    const { recorder, looks, logged, alerting } = staged({
      rules: { unhedged: BUILT_IN_RULES['unhedged'] },
      telegram: { enabled: true, host: telegram.host, keyFile: 'x', chatIds: ['42'], timeoutMs: 300 },
    });
    recorder.gauge('unhedged_time', { base: 'BTC' }).set(9_000);
    await looks(1);
    expect(logged.filter(({ event }) => event === 'alert-raised')).toHaveLength(1);
    // The held delivery is given up, and the next attempt finds a server that answers.
    await telegram.until(() => telegram.messages.length > 0);
    expect(alerting.view()).toMatchObject({
      sinks: expect.arrayContaining([
        expect.objectContaining({
          name: 'telegram',
          failed: 0,
          lastFailure: expect.stringMatching(/no answer/) as unknown,
        }),
      ]) as unknown,
    });
    expect(JSON.stringify([logged, alerting.view()])).not.toContain('canary');
  });

  it('wait as long as a chat asks them to', async () => {
    const telegram = await startTelegram(TOKEN);
    telegram.behave('busy');
    const { recorder, looks, alerting } = staged({
      rules: { unhedged: BUILT_IN_RULES['unhedged'] },
      telegram: { enabled: true, host: telegram.host, keyFile: 'x', chatIds: ['42'] },
    });
    recorder.gauge('unhedged_time', { base: 'BTC' }).set(9_000);
    await looks(1);
    await telegram.until(() => telegram.messages.length > 0);
    expect(alerting.view()).toMatchObject({
      sinks: expect.arrayContaining([
        expect.objectContaining({ name: 'telegram', lastFailure: 'telegram asks to wait 1000 ms' }),
      ]) as unknown,
    });
  });

  it('are posted to any address that takes JSON', async () => {
    const { promise, resolve } = Promise.withResolvers<unknown>();
    const server = createServer((request, response) => {
      let text = '';
      request
        .on('data', (chunk: Buffer) => (text += chunk.toString()))
        .on('end', () => {
          response.end();
          resolve(JSON.parse(text));
        });
    });
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    onTestFinished(() => void server.close());
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`;
    const { recorder, looks } = staged({
      rules: { unhedged: BUILT_IN_RULES['unhedged'] },
      webhook: { enabled: true, url },
    });
    recorder.gauge('unhedged_time', { base: 'BTC' }).set(9_000);
    await looks(1);
    expect(await promise).toMatchObject({
      type: 'raised',
      rule: 'unhedged',
      labels: { base: 'BTC' },
      value: 9_000,
      message: expect.stringContaining('CRITICAL unhedged') as unknown,
    });
  });
});

describe('commands by Telegram', () => {
  it('are answered and carried out for whom they are for, and for nobody else', async () => {
    const telegram = await startTelegram(TOKEN);
    const { told, logged } = staged({
      rules: {},
      telegram: { commands: true, host: telegram.host, keyFile: 'x', userIds: ['7'] },
    });
    telegram.write(9, '/kill 3');
    telegram.write(7, '/pause', { chatId: -100, type: 'group' });
    telegram.write(7, '/pause', { ageSeconds: 300 });
    telegram.write(7, '/status');
    await telegram.until(() => telegram.messages.length > 0);
    expect(telegram.messages).toMatchObject([
      { chatId: '7', text: expect.stringContaining('Engine TRADING') as unknown },
    ]);
    expect(told).toEqual([]);
    telegram.write(7, '/pause');
    await telegram.until(() => telegram.messages.length > 1);
    expect(told).toEqual([{ type: 'stand-down', reason: 'paused by telegram user 7' }]);
    telegram.write(7, '/kill 3');
    await telegram.until(() => telegram.messages.length > 2);
    const code = /\/confirm (\d{6})/.exec(telegram.messages[2]?.text ?? '')?.[1] ?? expect.fail('no code');
    telegram.write(7, `/confirm ${code}`);
    await telegram.until(() => telegram.messages.length > 3);
    expect(told[1]).toEqual({ type: 'kill', level: 3, reason: 'telegram user 7' });
    expect(
      logged.filter(({ event }) => event === 'telegram-command-ignored').map(({ fields }) => fields['reason']),
    ).toEqual(['stranger', 'not private']);
    expect(logged.some(({ event }) => event === 'telegram-command-stale')).toBe(true);
  });
});
