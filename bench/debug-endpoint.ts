/**
 * How soon does the debug endpoint answer while the engine runs at full load, with 50 asking at once?
 *
 *   [50 connections of this process] --GET--> [main thread of an engine that trades on simulated venues]
 *
 * A thousand requests per path over kept connections, each sent when the one before on its connection was answered, compressed
 * as a browser asks for it. Realistic because a dashboard, Prometheus and a person with curl are a handful of those 50. The
 * engine is a process of its own and has the cores it shares with this one; its answers rest on snapshots that all who ask at once share.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { BenchOptions, BenchResult } from './result.ts';
import { median, spreadOf } from './runtime/load-runs.ts';

export const name = 'debug-endpoint';

const REQUESTS = 1_000;
const AT_ONCE = 50;
const RUNS = 3;
/** What costs next to nothing: what the machine itself lets come of 50 at once. */
const LEAST = '/healthz';
const PATHS = [
  '/debug/actors',
  '/debug/threads',
  '/debug/rings',
  '/debug/eval/last',
  '/debug/stats',
  '/debug/metrics?name=eval_total&hours=0',
  '/metrics',
];

export async function* run({ progress }: BenchOptions): AsyncGenerator<BenchResult> {
  const engine = await startEngine(progress);
  try {
    for (const path of PATHS) {
      const runs: { readonly p99Ms: number; readonly failures: number }[] = [];
      const least: number[] = [];
      await load(engine, path);
      for (let round = 1; round <= RUNS; round++) {
        progress(`${path}: run ${round} of ${RUNS}`);
        least.push((await load(engine, LEAST)).p99Ms);
        runs.push(await load(engine, path));
      }
      const p99s = runs.map(({ p99Ms }) => p99Ms);
      const failures = runs.reduce((sum, one) => sum + one.failures, 0);
      yield {
        metric: `${path} p99`,
        value: median(p99s),
        unit: 'ms',
        runs: RUNS,
        spread: spreadOf(p99s),
        baseline: { name: 'a bare "ok"', value: median(least) },
        ratio: median(p99s) / median(least),
        topology: `${AT_ONCE} connections -> main thread of a running engine`,
        target: { of: 'value', is: 'at most', need: 50 },
        note: `${failures} of ${REQUESTS * RUNS} requests failed`,
      };
    }
  } finally {
    await engine.stop();
  }
}

interface Engine {
  readonly port: number;
  readonly token: string;
  stop(): Promise<void>;
}

async function startEngine(progress: BenchOptions['progress']): Promise<Engine> {
  const project = join(import.meta.dirname, '..');
  const directory = mkdtempSync(join(tmpdir(), 'tandem-endpoint-'));
  const words = ['start', '--config', join(project, 'config', 'demo.yaml'), '--data-dir', directory, '--port', '0'];
  const child = spawn(process.execPath, [join(project, 'src', 'launch.mjs'), ...words], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM');
    await ended;
    rmSync(directory, { recursive: true, force: true });
  };
  for await (const line of createInterface(child.stdout)) {
    const port = /^READY .*http:\/\/127\.0\.0\.1:(\d+)/.exec(line)?.[1];
    if (port === undefined) continue;
    progress(line);
    // The rest is read and forgotten, or the engine's pipe would fill up.
    child.stdout.resume();
    return { port: Number(port), token: readFileSync(join(directory, 'control.token'), 'utf8').trim(), stop };
  }
  await stop();
  throw new Error('the engine ended before it was ready');
}

async function load(
  { port, token }: Engine,
  path: string,
): Promise<{ readonly p99Ms: number; readonly failures: number }> {
  const agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE });
  const latencies: number[] = [];
  let failures = 0;
  let left = REQUESTS;
  const ask = (): Promise<void> =>
    new Promise((resolve) => {
      const beganAtMs = performance.now();
      const end = (isFailure: boolean): void => {
        latencies.push(performance.now() - beganAtMs);
        if (isFailure) failures += 1;
        resolve();
      };
      const headers = { authorization: `Bearer ${token}`, 'accept-encoding': 'gzip' };
      request({ host: '127.0.0.1', port, path, agent, headers }, (response) => {
        response.resume();
        response.on('end', () => end(response.statusCode !== 200));
      })
        .on('error', () => end(true))
        .end();
    });
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      while (left > 0) {
        left -= 1;
        await ask();
      }
    }),
  );
  agent.destroy();
  const sorted = latencies.toSorted((one, other) => one - other);
  return { p99Ms: sorted[Math.ceil(sorted.length * 0.99) - 1] ?? Number.NaN, failures };
}
