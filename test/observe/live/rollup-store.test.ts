import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ROLLUP_FILE, RollupStore } from '../../../src/observe/live/rollup-store.ts';
import { RollupThread } from '../../../src/observe/live/rollup-thread.ts';
import type { Rollup } from '../../../src/observe/rollups.ts';

const HOUR_MS = 3_600_000;
const NOW_MS = 1_767_225_600_000;

function folder(): string {
  const directory = mkdtempSync(join(tmpdir(), 'tandem-rollups-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  return directory;
}

function row(atMs: number, periodMs: number, change: Partial<Rollup> = {}): Rollup {
  return {
    ...{ name: 'latency', labels: { venue: 'bybit' }, atMs, periodMs },
    ...{ count: 2, sum: 30, max: 20, last: 10, edge: 20, ...change },
  };
}

describe('the roll-up store', () => {
  it('gives back minutes of the last day and hours before, oldest first, of one metric', () => {
    const store = new RollupStore(folder(), 7);
    onTestFinished(() => store.close());
    const hours = [50, 30, 2].map((ago) => row(NOW_MS - ago * HOUR_MS, HOUR_MS));
    const minutes = [120, 60, 1].map((ago) => row(NOW_MS - ago * 60_000, 60_000));
    store.write([...minutes, ...hours, row(NOW_MS - 60_000, 60_000, { name: 'other' })], NOW_MS);
    const read = store.read({ name: 'latency', fromMs: NOW_MS - 40 * HOUR_MS }, NOW_MS);
    expect(read).toEqual([hours[1], ...minutes]);
  });

  it('drops minutes after a day and hours after the retention', () => {
    const store = new RollupStore(folder(), 2);
    onTestFinished(() => store.close());
    store.write([row(NOW_MS, 60_000), row(NOW_MS, HOUR_MS)], NOW_MS);
    store.write([], NOW_MS + 30 * HOUR_MS);
    expect(store.read({ name: 'latency', fromMs: 0 }, NOW_MS)).toMatchObject([{ periodMs: HOUR_MS }]);
    store.write([], NOW_MS + 49 * HOUR_MS);
    expect(store.read({ name: 'latency', fromMs: 0 }, NOW_MS)).toEqual([]);
  });

  it('reads and prunes by an index', () => {
    const directory = folder();
    new RollupStore(directory, 7).close();
    const database = new Database(join(directory, ROLLUP_FILE), { readonly: true });
    onTestFinished(() => void database.close());
    const planOf = (sql: string): string => JSON.stringify(database.prepare(`EXPLAIN QUERY PLAN ${sql}`).all());
    expect(planOf('SELECT * FROM rollup WHERE name = 1 AND period_ms = 1 AND at_ms >= 1 ORDER BY at_ms DESC')).toMatch(
      /SEARCH rollup USING PRIMARY KEY(?!.*TEMP B-TREE)/,
    );
    expect(planOf('DELETE FROM rollup WHERE period_ms = 1 AND at_ms < 1')).toContain('rollup_by_age');
  });

  it('lives on a thread of its own and finds after a restart what was written before', async () => {
    const directory = folder();
    const failures: string[] = [];
    const open = () =>
      new RollupThread({ directory, retentionDays: 7, nowMs: () => NOW_MS, log: (_, event) => failures.push(event) });
    const first = open();
    await first.write([row(NOW_MS - 60_000, 60_000)]);
    await first.close();
    const second = open();
    onTestFinished(() => second.close());
    expect(await second.read({ name: 'latency', fromMs: 0 })).toEqual([row(NOW_MS - 60_000, 60_000)]);
    expect(failures).toEqual([]);
  });

  it('loses roll-ups and says so where nothing can be written, and harms nobody', async () => {
    const failures: unknown[] = [];
    const thread = new RollupThread({
      directory: join(folder(), 'no', 'such', 'folder'),
      ...{ retentionDays: 7, nowMs: () => NOW_MS },
      log: (_, event, fields) => failures.push([event, fields['asked']]),
    });
    onTestFinished(() => thread.close());
    await thread.write([row(NOW_MS, 60_000)]);
    expect(await thread.read({ name: 'latency', fromMs: 0 })).toEqual([]);
    expect(failures).toEqual([
      ['metrics-store-failed', 'write'],
      ['metrics-store-failed', 'read'],
    ]);
  });
});
