import { join } from 'node:path';
import { expect, it } from 'vitest';
import { loadConfig } from '../../config/load.ts';
import { marketCalendar, tapeSpec } from '../../src/composition/market.ts';
import type { LogRecord } from '../../src/runtime/ports-context.ts';
import { buildTape } from '../../src/simulation/live/build-tape.ts';
import { simulateWorld } from '../../src/simulation/world.ts';

const EVALUATIONS = 10_000;
const SCAN_MS = 10;

it(
  `${EVALUATIONS.toLocaleString('en')} evaluations that lead to nothing write no line, whatever the log level`,
  { timeout: 120_000 },
  () => {
    const config = loadConfig(join(import.meta.dirname, '..', 'engine', 'fixtures', 'start.yaml'), {
      dataDir: 'unused',
      calendar: { scale: 1, startAt: '2026-01-02T00:00:00Z' },
      poll: { marketMs: 60_000, fundingMs: 600_000, scanMs: SCAN_MS },
      // Nothing pays this much: each candidate is judged, none is entered.
      entry: { minApr: 9_000 },
    });
    const { startAtMs } = marketCalendar(config, 0);
    const logged: LogRecord[] = [];
    const { system } = simulateWorld(config, {
      seed: 1,
      tape: buildTape(tapeSpec(config, startAtMs)),
      startAtMs,
      log: (record) => logged.push(record),
    });
    const refusals = (): number => {
      // The strategy's digest as it makes it.
      const digest = system.inspect('observer')?.digest as
        { readonly opportunities?: { readonly refusals: Readonly<Record<string, number>> } } | undefined;
      return Object.values(digest?.opportunities?.refusals ?? {}).reduce((sum, count) => sum + count, 0);
    };
    system.runUntil(5_000);
    system.tell('guard', { type: 'set-engine-state', state: 'TRADING', reason: 'looking' } as never);
    system.runUntil(6_000);
    logged.length = 0;
    const before = refusals();
    for (let atMs = 6_000; refusals() - before < EVALUATIONS; atMs += 100 * SCAN_MS) system.runUntil(atMs);
    // Connectors tell of each comparison with their venue, twice a minute: nothing of an evaluation.
    const ofEvaluations = logged.filter(({ path }) => path?.startsWith('connector/') !== true);
    expect(ofEvaluations.map(({ path, event, fields }) => `${path} ${event} ${JSON.stringify(fields)}`)).toEqual([]);
  },
);
