/** T11: the same seed decides the same, line by line, however many threads the actors are spread over. Virtual time. */
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { loadConfig } from '../../config/load.ts';
import { marketCalendar, tapeSpec } from '../../src/composition/market.ts';
import type { PlannedOrder } from '../../src/execution/facts.ts';
import type { PairRecord } from '../../src/execution/pair.ts';
import { buildTape } from '../../src/simulation/live/build-tape.ts';
import { simulateWorld } from '../../src/simulation/world.ts';
import type { JournalRow } from '../../src/storage/rows.ts';
import { expectBooksExact } from './identities-check.ts';

const CONFIG = join(import.meta.dirname, 'fixtures', 'kill.yaml');
const TRADE = { type: 'set-engine-state', state: 'TRADING', reason: 'orders are wanted' } as const;
/** Of each symbol; what comes later may be cut off by the end of the run. */
const PAIRS = 1;
const UNTIL_MS = 12_000;

/** Each decision as one line: what was planned, and how each pair went on. Times differ with the ways between threads. */
function decisionLog(rows: readonly JournalRow[]): readonly string[] {
  const lines = rows.flatMap((row): string[] => {
    if (row.type === 'order-planned') {
      const { pairId, purpose, attempt, venue, side, lots, reduceOnly } = row.payload['order'] as PlannedOrder;
      return [`${pairId} ${purpose} ${attempt}: ${side} ${lots} at ${venue}${reduceOnly ? ', reduce only' : ''}`];
    }
    if (row.type !== 'pair-state') return [];
    const { pairId, phase, long, short, exitReason } = row.payload['pair'] as PairRecord;
    return [
      `${pairId} ${phase} ${exitReason}: long ${long.lots} at ${long.venue}, short ${short.lots} at ${short.venue}`,
    ];
  });
  const first = new Set(closedPairs(rows));
  return lines.filter((line) => first.has(line.split(' ')[0] ?? '')).toSorted();
}

/** The first closed pairs of each symbol. */
function closedPairs(rows: readonly JournalRow[]): readonly string[] {
  const byBase = new Map<string, string[]>();
  for (const row of rows) {
    const pair = row.type === 'pair-state' ? (row.payload['pair'] as PairRecord) : undefined;
    if (pair?.phase !== 'CLOSED') continue;
    const closed = byBase.get(pair.base) ?? [];
    if (closed.length < PAIRS && !closed.includes(pair.pairId)) byBase.set(pair.base, [...closed, pair.pairId]);
  }
  return [...byBase.values()].flat();
}

function played(io: number, trading: number, cpu: number): readonly string[] {
  const config = loadConfig(CONFIG, { dataDir: 'unused', workers: { io, trading, cpu } });
  const calendar = marketCalendar(config, 0);
  const tape = buildTape(tapeSpec(config, calendar.startAtMs));
  const { system, disk } = simulateWorld(config, { seed: 1, tape, startAtMs: calendar.startAtMs });
  system.runUntil(3_000);
  system.tell('guard', TRADE);
  while (closedPairs(disk.rowsAfter(0)).length < PAIRS * config.symbols.length && system.monotonicMs() < UNTIL_MS)
    system.runUntil(system.monotonicMs() + 100);
  expect(system.failure()).toBeUndefined();
  expectBooksExact(system.inspect('monitor')?.digest);
  return decisionLog(disk.rowsAfter(0));
}

it('T11: decides the same on one thread, on three and on five', { timeout: 400_000 }, () => {
  const onThree = played(1, 1, 1);
  expect(onThree.length).toBeGreaterThan(12);
  expect(played(0, 0, 0)).toEqual(onThree);
  expect(played(2, 2, 1)).toEqual(onThree);
});
