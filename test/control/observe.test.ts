import { once } from 'node:events';
import { describe, expect, it, onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import { MetricHistory } from '../../src/observe/history.ts';
import { MetricStream, PROTOCOL, UNSENT_BYTES_MAX } from '../../src/observe/live/stream.ts';
import { mergeThreads } from '../../src/observe/series.ts';
import { BoardRecorder, newBoard } from '../../src/runtime/metrics-board.ts';
import { stageControl } from './engine.ts';
import type { StagedControl } from './engine.ts';

const POINT = { timestamp: 5, metric: 'api_call_latency', value: 12, labels: { venue: 'bybit', endpoint: 'orders' } };

async function staged(record: (recorder: BoardRecorder) => void = () => undefined) {
  const { buffer, reader } = newBoard('main');
  record(new BoardRecorder(buffer, () => 0));
  const history = new MetricHistory();
  const stream = new MetricStream();
  onTestFinished(() => stream.close());
  const observation = {
    metrics: { history, table: () => mergeThreads([reader.read()]) },
    rollups: (name: string, labels: object, hours: number) => Promise.resolve([{ name, labels, hours }]),
    alerts: () => ({ active: ['one'] }),
  };
  const control = await stageControl({}, { observation, stream });
  return { control, history, stream };
}

describe('metrics', () => {
  it('are given to Prometheus, and to nobody without the token', async () => {
    const { control } = await staged((recorder) => recorder.gauge('system_rss_mb').set(3));
    const response = await control.ask('/metrics');
    expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(await response.text()).toContain('\nsystem_rss_bytes 3145728\n');
    expect(await (await control.ask('/metrics?names=own')).text()).toContain('\nsystem_rss_mb 3\n');
    expect((await control.ask('/metrics?names=other')).status).toBe(400);
    expect((await control.ask('/metrics', { headers: { authorization: undefined } })).status).toBe(401);
  });

  it('are listed, and of one the points are given by its labels', async () => {
    const { control, history } = await staged();
    for (const venue of ['bybit', 'lighter']) history.add(venue, 'rest_weight_per_s', { venue }, { atMs: 7, value: 4 });
    const list: unknown = await (await control.ask('/debug/metrics')).json();
    expect(list).toMatchObject({
      metrics: expect.arrayContaining([
        expect.objectContaining({ name: 'rest_weight_per_s', unit: 'per-s', series: 2 }),
        expect.objectContaining({ name: 'eval_total', kind: 'distribution', series: 0 }),
      ]) as unknown,
    });
    const one: unknown = await (await control.ask('/debug/metrics?name=rest_weight_per_s&venue=bybit&hours=3')).json();
    expect(one).toMatchObject({
      name: 'rest_weight_per_s',
      series: [{ labels: { venue: 'bybit' }, points: [{ atMs: 7, value: 4 }] }],
      rollups: [{ name: 'rest_weight_per_s', labels: { venue: 'bybit' }, hours: 3 }],
    });
    expect((await control.ask('/debug/metrics?name=nothing')).status).toBe(404);
    expect((await control.ask('/debug/metrics?name=rest_weight_per_s&hours=-1')).status).toBe(400);
  });

  it('are summed up as statistics', async () => {
    const { control } = await staged((recorder) => {
      recorder.counter('cache_hits_total', { cache: 'books' }).add(3);
      recorder.counter('cache_misses_total', { cache: 'books' }).add(1);
      for (const endpoint of ['orders', 'time'])
        recorder.distribution('api_call_latency', { venue: 'bybit', endpoint }).record(8);
      recorder.counter('api_errors_total', { venue: 'bybit', code: '429' }).add();
      recorder.distribution('database_query_duration', { query: 'append' }).record(2);
    });
    expect(await (await control.ask('/debug/stats')).json()).toEqual({
      cache_stats: { books: { hits: 3, misses: 1, hit_ratio: 0.75 } },
      db_pool: {
        connections: 1,
        queries: 1,
        by_query: { append: { count: 1, mean_ms: 2, p50_ms: 2, p99_ms: 2, max_ms: 2 } },
      },
      response_times: { bybit: { count: 2, mean_ms: 8, p50_ms: 8, p99_ms: 8, max_ms: 8 } },
      error_rate: { calls: 2, errors: 1, ratio: 0.5, by_venue: { bybit: { calls: 2, errors: 1, ratio: 0.5 } } },
    });
  });
});

/** A client and everything it was sent. */
function connect(
  control: StagedControl,
  options: { readonly protocols?: string[]; readonly headers?: Record<string, string> } = {},
) {
  const url = `${control.server.address.replace('http', 'ws')}/stream`;
  const headers = { authorization: `Bearer ${control.token}` };
  const socket = new WebSocket(url, options.protocols ?? [], { headers: options.headers ?? headers });
  const received: object[] = [];
  const errors: object[] = [];
  socket.on('message', (data: Buffer) => {
    const word = JSON.parse(data.toString('utf8')) as object;
    ('error' in word ? errors : received).push(word);
  });
  onTestFinished(() => socket.terminate());
  const status = new Promise<number>((resolve) => {
    socket.on('open', () => resolve(101));
    socket.on('unexpected-response', (_request, response) => resolve(response.statusCode ?? 0));
    socket.on('error', () => undefined);
  });
  /** Settles once the server has heard everything said before: it answers a word it does not know. */
  const heard = async (): Promise<void> => {
    const before = errors.length;
    socket.send('?');
    while (errors.length === before) await once(socket, 'message');
  };
  return { socket, received, errors, status, heard, say: (word: object) => socket.send(JSON.stringify(word)) };
}

describe('the stream', () => {
  it('sends a client the points it asked for, and nothing else', async () => {
    const { control, stream } = await staged();
    const client = connect(control);
    expect(await client.status).toBe(101);
    stream.publish([POINT]);
    client.say({ subscribe: { metrics: ['api_*'], venue: 'bybit' } });
    client.say({ subscribe: { metrics: ['exposure_quote'], symbol: 'BTC' } });
    await client.heard();
    const btc = { timestamp: 6, metric: 'exposure_quote', value: 1, labels: { base: 'BTC' } };
    stream.publish([
      POINT,
      { ...POINT, labels: { venue: 'lighter' } },
      { ...POINT, metric: 'heap' },
      btc,
      { ...btc, labels: { base: 'ETH' } },
    ]);
    await client.heard();
    expect(client.received).toEqual([POINT, btc]);
    client.say({ reset: true });
    await client.heard();
    stream.publish([POINT]);
    await client.heard();
    expect(client.received).toHaveLength(2);
  });

  it('lets a page in by the token among its protocols, which it does not say back', async () => {
    const { control } = await staged();
    const page = connect(control, { protocols: [PROTOCOL, `bearer.${control.token}`], headers: {} });
    expect(await page.status).toBe(101);
    expect(page.socket.protocol).toBe(PROTOCOL);
  });

  it('says nothing to whoever lacks the token, comes from elsewhere, or asks for another path', async () => {
    const { control } = await staged();
    expect(await connect(control, { headers: {} }).status).toBe(401);
    expect(await connect(control, { protocols: [PROTOCOL, 'bearer.0000'], headers: {} }).status).toBe(401);
    const authorization = `Bearer ${control.token}`;
    expect(await connect(control, { headers: { authorization, origin: 'http://evil.test' } }).status).toBe(403);
    const other = new WebSocket(`${control.server.address.replace('http', 'ws')}/debug/actors`, {
      headers: { authorization },
    });
    other.on('error', () => undefined);
    const [, response] = (await once(other, 'unexpected-response')) as [unknown, { statusCode: number }];
    expect(response.statusCode).toBe(404);
    other.terminate();
  });

  it('tells a client what is wrong with its wish', async () => {
    const { control } = await staged();
    const client = connect(control);
    await client.status;
    client.say({ subscribe: { metrics: 'api_*' } });
    await once(client.socket, 'message');
    expect(client.errors).toEqual([{ error: 'metrics must be a list of at most 32 patterns, was "api_*"' }]);
  });

  it('drops the points of a client that does not read, counts them, and goes on with the others', async () => {
    const { control, stream } = await staged();
    const [slow, quick] = [connect(control), connect(control)];
    await Promise.all([slow.status, quick.status]);
    for (const client of [slow, quick]) {
      client.say({ subscribe: { metrics: ['api_*'] } });
      await client.heard();
    }
    slow.socket.pause();
    const dropped = (): number =>
      stream.series().find(({ name }) => name === 'stream_points_dropped_total')?.value ?? 0;
    const fat = { ...POINT, labels: { venue: 'x'.repeat(1_000) } };
    let published = 0;
    // What the kernel buffers of a connection nobody reads is not ours to know: until it takes no more.
    while (dropped() === 0) {
      stream.publish(Array.from({ length: 64 }, () => fat));
      published += 64;
      await quick.heard();
    }
    expect(quick.received).toHaveLength(published);
    expect(published * 1_000).toBeGreaterThan(UNSENT_BYTES_MAX);
  });
});
