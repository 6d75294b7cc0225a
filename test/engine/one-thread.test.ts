import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { loadConfig } from '../../config/load.ts';
import { startEngine } from '../../src/composition/live/engine.ts';
import { expectBooksExact } from './identities-check.ts';

const DEMO = join(import.meta.dirname, '..', '..', 'config', 'demo.yaml');

it('runs the whole engine on one thread, from start to stop', { timeout: 120_000 }, async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'tandem-one-thread-'));
  onTestFinished(() => rmSync(dataDir, { recursive: true, force: true }));
  const config = loadConfig(DEMO, { dataDir, workers: { io: 0, trading: 0, cpu: 0 } });
  const engine = await startEngine(config, { log: () => {}, onUnkillable: () => {} });
  while (!(await engine.readiness()).ready) await new Promise((resolve) => setTimeout(resolve, 20));
  const { actors, threads } = await engine.system.snapshot();
  expect(threads.map(({ name }) => name)).toEqual(['main']);
  expect(actors.filter(({ status, restarts }) => status !== 'running' || restarts > 0)).toEqual([]);
  while ((await engine.summary())?.identities?.isCaughtUp !== true)
    await new Promise((resolve) => setTimeout(resolve, 20));
  expectBooksExact((await engine.summary())?.identities);
  engine.hurry();
  await engine.stop();
});
