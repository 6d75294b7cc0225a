/** The whole engine in virtual time, entering in each mode at simulated venues; the books must equal the venues' to the micro-unit. */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../config/load.ts';
import type { ConfigOverrides } from '../../config/schema.ts';
import { marketCalendar, tapeSpec } from '../../src/composition/market.ts';
import type { FillFact } from '../../src/execution/facts.ts';
import type { PairRecord } from '../../src/execution/pair.ts';
import { buildTape } from '../../src/simulation/live/build-tape.ts';
import { simulateWorld } from '../../src/simulation/world.ts';
import type { SimulatedWorld } from '../../src/simulation/world.ts';
import { expectBooksExact, expectRowsExact } from './identities-check.ts';
import { expectLedgerEqualsOracle } from './ledger-check.ts';

const VENUES = ['lighter', 'extended'] as const;
/** The monitor has read everything and looked twice by then, virtual ms. */
const MONITOR_MS = 10_000;
const ARM = { type: 'set-engine-state', state: 'ARMED', reason: 'enough was entered' } as const;
const LEAVE = { type: 'exit-pair', reason: 'MANUAL' } as const;

function enter(entry: NonNullable<ConfigOverrides['entry']>, runMs: number): SimulatedWorld {
  const config = loadConfig(join(import.meta.dirname, 'fixtures', 'entry-modes.yaml'), {
    dataDir: 'unused',
    entry,
    tape: {
      kind: 'generated',
      seed: 11,
      venues: { lighter: { series: 'lighter' }, extended: { series: 'hyperliquid' } },
    },
  });
  const calendar = marketCalendar(config, 0);
  const tape = buildTape(tapeSpec(config, calendar.startAtMs));
  const world = simulateWorld(config, { seed: 3, tape, startAtMs: calendar.startAtMs });
  const { system } = world;
  system.runUntil(runMs);
  system.tell('guard', ARM);
  for (const base of config.symbols) system.tell(`position/${base}`, LEAVE);
  const isFlat = (): boolean => accounts(world).every(({ account }) => account.positions.size === 0);
  for (let rounds = 0; !isFlat() && rounds < 300; rounds += 1) system.runUntil(system.monotonicMs() + 200);
  expect(isFlat()).toBe(true);
  const isPaid = (): boolean => {
    const made = accounts(world).reduce((sum, { account }) => sum + account.fundingPayments.length, 0);
    return world.disk.rowsAfter(0).filter((row) => row.type === 'funding').length >= made;
  };
  for (let rounds = 0; !isPaid() && rounds < 300; rounds += 1) system.runUntil(system.monotonicMs() + 200);
  // The monitor reads behind the journal and judges what lasts.
  system.runUntil(system.monotonicMs() + MONITOR_MS);
  expect(system.failure()).toBeUndefined();
  expectBooksExact(system.inspect('monitor')?.digest);
  expectRowsExact(world.disk.rowsAfter(0));
  return world;
}

function accounts(world: SimulatedWorld) {
  return VENUES.map((venue) => {
    const account = world.venues.get(venue)?.venue.oracle().accounts.get('main');
    if (account === undefined) throw new Error(`${venue} must know the account main`);
    return { venue, account };
  });
}

/** Pairs that were opened, as they ended. */
function openedPairs(world: SimulatedWorld): readonly PairRecord[] {
  const pairs = new Map<string, PairRecord>();
  for (const row of world.disk.rowsAfter(0)) {
    const pair = row.type === 'pair-state' ? (row.payload['pair'] as PairRecord) : undefined;
    if (pair !== undefined) pairs.set(pair.pairId, pair);
  }
  return [...pairs.values()].filter((pair) => pair.openedAtMs > 0);
}

function liquidities(world: SimulatedWorld): ReadonlySet<string> {
  const fills = world.disk.rowsAfter(0).filter((row) => row.type === 'fill');
  return new Set(fills.map((row) => (row.payload['event'] as FillFact).fill.liquidity));
}

describe('the whole engine', () => {
  it('enters by resting on one book and hedging on the other, and pays the fees of a maker there', () => {
    const world = enter({ mode: 'maker-taker' }, 20_000);
    const pairs = openedPairs(world);
    expect(pairs.length).toBeGreaterThan(0);
    expect(pairs.every((pair) => pair.entry?.mode === 'maker-taker')).toBe(true);
    expect(liquidities(world)).toEqual(new Set(['maker', 'taker']));
    for (const { venue, account } of accounts(world)) {
      expectLedgerEqualsOracle(world.disk.rowsAfter(0), venue, 'main', account);
      // Nothing was left on a book.
      expect(account.orders.filter((order) => order.status === 'open')).toEqual([]);
    }
  }, 120_000);

  it('enters one leg after the other has been proven', () => {
    const world = enter({ mode: 'sequential' }, 10_000);
    const pairs = openedPairs(world);
    expect(pairs.length).toBeGreaterThan(0);
    expect(pairs.every((pair) => pair.entry?.mode === 'sequential')).toBe(true);
    for (const { venue, account } of accounts(world))
      expectLedgerEqualsOracle(world.disk.rowsAfter(0), venue, 'main', account);
  }, 120_000);
});
