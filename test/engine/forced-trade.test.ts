/** The whole engine in virtual time while a simulated venue closes a leg by itself: hedged at once, booked exactly, not entered again. */
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { loadConfig } from '../../config/load.ts';
import { marketCalendar, tapeSpec } from '../../src/composition/market.ts';
import type { LegReduction } from '../../src/execution/leg-reduction.ts';
import type { PairRecord } from '../../src/execution/pair.ts';
import { buildTape } from '../../src/simulation/live/build-tape.ts';
import { simulateWorld } from '../../src/simulation/world.ts';
import { expectBooksExact, expectRowsExact } from './identities-check.ts';
import { expectLedgerEqualsOracle } from './ledger-check.ts';

const TRADE = { type: 'set-engine-state', state: 'TRADING', reason: 'after the restart' } as const;
const VENUES = ['lighter', 'extended'] as const;
/** The other leg has followed by then, virtual ms. */
const FOLLOWED_MS = 2_000;

it.each(VENUES)(
  'a leg that %s liquidates takes its pair with it',
  (venue) => {
    const config = loadConfig(join(import.meta.dirname, 'fixtures', 'entry-modes.yaml'), {
      dataDir: 'unused',
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
    const rowsOf = <T>(type: string, field: string): readonly T[] =>
      world.disk
        .rowsAfter(0)
        .flatMap((row) => (row.type === type && field in row.payload ? [row.payload[field] as T] : []));
    const newest = (base: string): PairRecord | undefined =>
      rowsOf<PairRecord>('pair-state', 'pair').findLast((pair) => pair.base === base);
    const open = (): PairRecord | undefined => config.symbols.map(newest).find((pair) => pair?.phase === 'OPEN');
    for (let rounds = 0; open() === undefined && rounds < 300; rounds += 1) system.runUntil(system.monotonicMs() + 200);
    const pair = open();
    if (pair === undefined) throw new Error('a pair must have been opened');

    const leg = pair.long.venue === venue ? pair.long : pair.short;
    const built = world.venues.get(venue);
    const held = built?.exchange.position('main', leg.symbol)?.signedLots ?? 0;
    expect(held).not.toBe(0);
    const at = {
      monotonicMs: system.monotonicMs(),
      calendarMs: calendar.startAtMs + system.monotonicMs() * config.calendar.scale,
    };
    built?.exchange.forceTrade('main', leg.symbol, -held, at);
    system.runUntil(system.monotonicMs() + FOLLOWED_MS);

    expect(newest(pair.base)).toMatchObject({ pairId: pair.pairId, phase: 'CLOSED', exitReason: 'LIQUIDATION' });
    expect(rowsOf<LegReduction>('leg-reduction', 'reduction')).toMatchObject([
      { pairId: pair.pairId, venue, cause: 'liquidation', takenLots: Math.abs(held), leftLots: 0 },
    ]);
    // Through a restart, and for as long as nobody clears it.
    world.restart();
    world.system.tell('guard', TRADE);
    world.system.runUntil(world.system.monotonicMs() + 20_000);
    expect(newest(pair.base)?.pairId).toBe(pair.pairId);
    expect(world.system.failure()).toBeUndefined();
    expectBooksExact(world.system.inspect('monitor')?.digest);
    expectRowsExact(world.disk.rowsAfter(0));
    for (const name of VENUES) {
      const account = world.venues.get(name)?.venue.oracle().accounts.get('main');
      if (account === undefined) throw new Error(`${name} must know the account main`);
      const symbol = pair.long.venue === name ? pair.long.symbol : pair.short.symbol;
      expect(account.positions.get(symbol) ?? 0).toBe(0);
      expectLedgerEqualsOracle(world.disk.rowsAfter(0), name, 'main', account);
    }
  },
  120_000,
);
