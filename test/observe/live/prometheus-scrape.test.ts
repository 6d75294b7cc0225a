import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import { MetricHistory } from '../../../src/observe/history.ts';
import { mergeThreads } from '../../../src/observe/series.ts';
import { BoardRecorder, newBoard } from '../../../src/runtime/metrics-board.ts';
import { stageControl } from '../../control/engine.ts';
import { PROMETHEUS_MISSING } from './prometheus-tools.ts';

/** A port that was free a moment ago: Prometheus does not say which one it took. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function startPrometheus(target: string, token: string): Promise<(query: string) => Promise<string | undefined>> {
  const directory = mkdtempSync(join(tmpdir(), 'tandem-prometheus-'));
  const port = await freePort();
  writeFileSync(join(directory, 'token'), token, { mode: 0o600 });
  const config = {
    global: { scrape_interval: '1s', scrape_timeout: '1s' },
    scrape_configs: [
      {
        job_name: 'tandem',
        authorization: { credentials_file: join(directory, 'token') },
        static_configs: [{ targets: [target] }],
      },
    ],
  };
  // JSON is YAML.
  writeFileSync(join(directory, 'prometheus.yml'), JSON.stringify(config));
  const child = spawn(
    'prometheus',
    [
      `--config.file=${join(directory, 'prometheus.yml')}`,
      `--storage.tsdb.path=${join(directory, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
    ],
    { stdio: 'ignore' },
  );
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await ended;
    rmSync(directory, { recursive: true, force: true });
  });
  return async (query) => {
    const url = `http://127.0.0.1:${port}/api/v1/query?query=${encodeURIComponent(query)}`;
    // Not yet listening is no answer yet.
    const response = await fetch(url).catch(() => undefined);
    if (response === undefined || !response.ok) return undefined;
    const { data } = (await response.json()) as { data: { result: readonly { value: readonly [number, string] }[] } };
    return data.result[0]?.value[1];
  };
}

it.skipIf(PROMETHEUS_MISSING)(
  'is scraped by a real Prometheus, which then answers questions about it',
  async () => {
    const { buffer, reader } = newBoard('main');
    const recorder = new BoardRecorder(buffer, () => 0);
    recorder.gauge('rate_limit_used_ratio', { venue: 'bybit', bucket: 'rest' }).set(0.375);
    recorder.gauge('system_rss_mb').set(2);
    for (let count = 0; count < 100; count++)
      recorder.distribution('order_placement_latency', { venue: 'bybit' }).record(count < 50 ? 30 : 80);
    const control = await stageControl(
      {},
      {
        observation: {
          metrics: { history: new MetricHistory(), table: () => mergeThreads([reader.read()]) },
          rollups: () => Promise.resolve([]),
          alerts: () => ({}),
        },
      },
    );
    const query = await startPrometheus(new URL(control.server.address).host, control.token);
    while ((await query('up{job="tandem"}')) !== '1') await delay(100);
    expect(await query('rate_limit_used_ratio{venue="bybit",bucket="rest"}')).toBe('0.375');
    expect(await query('system_rss_bytes')).toBe('2097152');
    expect(await query('order_placement_latency_count{venue="bybit"}')).toBe('100');
    const median = Number(await query('histogram_quantile(0.9, order_placement_latency_bucket)'));
    expect(median).toBeGreaterThan(0.05);
    expect(median).toBeLessThanOrEqual(0.1);
  },
  120_000,
);
