/** The whole engine in virtual time with Lighter and Coinbase: pairs open, are paid and close, and the books equal both venues'. */
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { loadConfig } from '../../config/load.ts';
import { marketCalendar, tapeSpec } from '../../src/composition/market.ts';
import { buildTape } from '../../src/simulation/live/build-tape.ts';
import type { AccountOracle } from '../../src/simulation/simulated-venue.ts';
import { simulateWorld } from '../../src/simulation/world.ts';
import type { SimulatedWorld } from '../../src/simulation/world.ts';
import { expectBooksExact, expectRowsExact } from './identities-check.ts';
import { expectLedgerEqualsOracle, tradedPairs } from './ledger-check.ts';

const VENUES = ['lighter', 'coinbase'] as const;
/** Payments of Coinbase that pairs are held for. */
const PAYMENTS_WANTED = 3;
/** The monitor has read everything and looked twice by then, virtual ms. */
const MONITOR_MS = 10_000;
const ARM = { type: 'set-engine-state', state: 'ARMED', reason: 'the pairs have been paid' } as const;
const LEAVE = { type: 'exit-pair', reason: 'MANUAL' } as const;

function open(): { readonly world: SimulatedWorld; readonly symbols: readonly string[] } {
  const config = loadConfig(join(import.meta.dirname, 'fixtures', 'coinbase.yaml'), {
    dataDir: 'unused',
    tape: {
      kind: 'generated',
      seed: 7,
      venues: { lighter: { series: 'lighter' }, coinbase: { series: 'hyperliquid' } },
    },
  });
  const calendar = marketCalendar(config, 0);
  const tape = buildTape(tapeSpec(config, calendar.startAtMs));
  return { world: simulateWorld(config, { seed: 3, tape, startAtMs: calendar.startAtMs }), symbols: config.symbols };
}

function accountAt(world: SimulatedWorld, venue: string): AccountOracle {
  const account = world.venues.get(venue)?.venue.oracle().accounts.get('main');
  if (account === undefined) throw new Error(`${venue} must know the account main`);
  return account;
}

/** Virtual time passes until it is true; two virtual minutes are many times what anything here takes. */
function until(world: SimulatedWorld, what: string, isTrue: () => boolean): void {
  const { system } = world;
  for (const endMs = system.monotonicMs() + 120_000; !isTrue(); system.runUntil(system.monotonicMs() + 200))
    if (system.monotonicMs() > endMs) throw new Error(`${what} must happen within two virtual minutes`);
}

/** Opens pairs, holds them until Coinbase has paid, closes them and waits for the last booking. `disturb` is called while they are held. */
function play(disturb: (world: SimulatedWorld) => void): SimulatedWorld {
  const { world, symbols } = open();
  const { system } = world;
  const paid = (): number => accountAt(world, 'coinbase').fundingPayments.length;
  until(world, 'a payment at Coinbase', () => paid() > 0);
  disturb(world);
  until(world, 'some payments at Coinbase', () => paid() >= PAYMENTS_WANTED);
  system.tell('guard', ARM);
  for (const base of symbols) system.tell(`position/${base}`, LEAVE);
  until(world, 'the end of all pairs', () => VENUES.every((venue) => accountAt(world, venue).positions.size === 0));
  until(world, 'the last booking', () => {
    const made = VENUES.reduce((sum, venue) => sum + accountAt(world, venue).fundingPayments.length, 0);
    return world.disk.rowsAfter(0).filter((row) => row.type === 'funding').length >= made;
  });
  system.runUntil(system.monotonicMs() + MONITOR_MS);
  expect(system.failure()).toBeUndefined();
  expectBooksExact(system.inspect('monitor')?.digest);
  expectRowsExact(world.disk.rowsAfter(0));
  return world;
}

it('Lighter and Coinbase: pairs open, are paid and close, though Coinbase loses connections, tokens, trades and changes of books', () => {
  const world = play(({ venues }) => {
    const venue = venues.get('coinbase')?.venue;
    for (const fault of ['revoke-tokens', 'book-gap', 'drop-sockets', 'lose-trades']) venue?.inject(fault);
  });
  const rows = world.disk.rowsAfter(0);
  const pairs = tradedPairs(rows);
  expect(pairs.length).toBeGreaterThan(0);
  for (const pair of pairs) expect([pair.long, pair.short].toSorted()).toEqual(['coinbase', 'lighter']);
  expect(pairs.some((pair) => pair.fundingPayments > 0)).toBe(true);
  for (const venue of VENUES) {
    expectLedgerEqualsOracle(rows, venue, 'main', accountAt(world, venue));
    expect(world.venues.get(venue)?.venue.oracle().rateLimitRefusals).toBe(0);
  }
});
