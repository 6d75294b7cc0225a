/** The whole engine in virtual time on a made market where one symbol's carry fades and another's grows: the better one gets its place, once. */
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { loadConfig } from '../../config/load.ts';
import type { ConfigOverrides } from '../../config/schema.ts';
import { marketCalendar } from '../../src/composition/market.ts';
import type { PlannedOrder } from '../../src/execution/facts.ts';
import { foldLedger, pairBook, pairNetMicro } from '../../src/execution/ledger.ts';
import type { PairRecord } from '../../src/execution/pair.ts';
import type { LogRecord } from '../../src/runtime/ports-context.ts';
import type { MarketTape, TapeSettlement } from '../../src/simulation/market-tape.ts';
import { simulateWorld } from '../../src/simulation/world.ts';
import type { SimulatedWorld } from '../../src/simulation/world.ts';
import type { JournalRow } from '../../src/storage/rows.ts';
import { expectRowsExact } from '../engine/identities-check.ts';

const HOUR_MS = 3_600_000;
const VENUES = ['lighter', 'extended'] as const;
const PRICES: Readonly<Record<string, number>> = { BTC: 60_000, ETH: 3_000 };

/** What Extended pays hourly above Lighter, in 1e-12, by calendar hours since the start. */
type Carry = (base: string, hours: number) => number;

/** Prices stand still; only what is paid changes. */
function tapeOf(startAtMs: number, carry: Carry): MarketTape {
  const settlement = (venue: string, base: string, settleAtMs: number): TapeSettlement => ({
    settleAtMs,
    ratePico: venue === 'extended' ? carry(base, (settleAtMs - startAtMs) / HOUR_MS) : 0,
    intervalMs: HOUR_MS,
  });
  return {
    startAtMs: startAtMs - 200 * HOUR_MS,
    endAtMs: startAtMs + 200 * HOUR_MS,
    bases: () => Object.keys(PRICES),
    quote: (_venue, base) => {
      const price = PRICES[base] ?? 1;
      return {
        ...{ mid: price, mark: price, index: price },
        ...{ spreadBps: 1, depthQuote: 500_000, volume24hQuote: 100_000_000 },
      };
    },
    nextSettlement: (venue, base, atMs) => settlement(venue, base, (Math.floor(atMs / HOUR_MS) + 1) * HOUR_MS),
    lastSettlement: (venue, base, atMs) => settlement(venue, base, Math.floor(atMs / HOUR_MS) * HOUR_MS),
  };
}

/** Six hours, an hour in half a minute, with room for one pair. */
function play(
  carry: Carry,
  rotation: ConfigOverrides['rotation'] = {},
): { world: SimulatedWorld; logged: LogRecord[] } {
  const config = loadConfig(join(import.meta.dirname, '..', 'engine', 'fixtures', 'entry-modes.yaml'), {
    dataDir: 'unused',
    // Stands in for the one made here.
    tape: {
      kind: 'generated',
      seed: 1,
      venues: { lighter: { series: 'lighter' }, extended: { series: 'hyperliquid' } },
    },
    calendar: { scale: 120 },
    risk: { maxPairs: 1 },
    entry: { mode: 'taker-taker', horizonH: 48, minApr: 5 },
    forecast: { halfLifeH: 1_000 },
    rotation: { margin: 1, perDay: 2, confirmMs: 5_000, minHoldH: 0, ...rotation },
  });
  const { startAtMs } = marketCalendar(config, 0);
  const logged: LogRecord[] = [];
  const tape = tapeOf(startAtMs, carry);
  const world = simulateWorld(config, { seed: 3, tape, startAtMs, log: (record) => logged.push(record) });
  world.system.runUntil((6 * HOUR_MS) / 120);
  expect(world.system.failure()).toBeUndefined();
  return { world, logged };
}

const rowsOf = (world: SimulatedWorld): readonly JournalRow[] => world.disk.rowsAfter(0);
const pairsOf = (world: SimulatedWorld): ReadonlyMap<string, PairRecord> =>
  new Map(
    rowsOf(world)
      .filter(({ type }) => type === 'pair-state')
      .map(({ payload }) => payload['pair'] as PairRecord)
      .map((pair) => [pair.pairId, pair]),
  );
const held = (world: SimulatedWorld, base: string): readonly number[] =>
  VENUES.map((venue) => {
    const exchange = world.venues.get(venue)?.exchange;
    const symbol = exchange?.markets().find((market) => market.base === base)?.symbol ?? '';
    return exchange?.position('main', symbol)?.signedLots ?? 0;
  });

describe('a pair that stands in the way of a better one', () => {
  /** ETH is the better one at first; from the second hour on BTC by far; from the fourth ETH again. */
  const turning: Carry = (base, hours) => {
    if (hours <= 2) return base === 'ETH' ? 200_000_000 : 30_000_000;
    if (hours <= 4) return base === 'ETH' ? 10_000_000 : 600_000_000;
    return base === 'ETH' ? 900_000_000 : 10_000_000;
  };

  let once: ReturnType<typeof play>;
  beforeAll(() => {
    once = play(turning, { perDay: 1 });
  }, 1_800_000);

  it('is closed to the last lot before the better one is begun, once where the day allows one', () => {
    const { world, logged } = once;
    const pairs = [...pairsOf(world).values()].filter(({ openedAtMs }) => openedAtMs > 0);
    expect(pairs).toMatchObject([
      { base: 'ETH', phase: 'CLOSED', exitReason: 'ROTATION' },
      { base: 'BTC', phase: 'OPEN' },
    ]);
    const leaving = logged.filter(({ event, fields }) => event === 'pair-leaving' && fields?.['reason'] === 'ROTATION');
    expect(leaving).toHaveLength(1);

    const rows = rowsOf(world);
    const closedAt = rows.findIndex(({ payload }) => {
      const pair = payload['pair'] as PairRecord | undefined;
      return pair?.base === 'ETH' && pair.phase === 'CLOSED';
    });
    const begunAt = rows.findIndex(
      ({ type, payload }) => type === 'order-planned' && (payload['order'] as PlannedOrder).pairId.startsWith('BTC-'),
    );
    expect(closedAt).toBeGreaterThan(0);
    expect(begunAt).toBeGreaterThan(closedAt);
    expect(held(world, 'ETH')).toEqual([0, 0]);
    expect(held(world, 'BTC').map(Math.sign)).toEqual([1, -1]);
    expectRowsExact(rows);
  });

  it('gains what it costs: the payments of the better one outweigh leaving one and entering the other', () => {
    const { world } = once;
    const ledger = foldLedger(rowsOf(world));
    const [left, entered] = [...pairsOf(world).values()]
      .filter(({ openedAtMs }) => openedAtMs > 0)
      .map(({ pairId }) => pairBook(ledger, pairId));
    if (left === undefined || entered === undefined) throw new Error('one pair must have made room for another');
    expect(pairNetMicro(left) - left.fundingMicro).toBeLessThan(0n);
    expect(entered.fundingMicro + entered.feesMicro + pairNetMicro(left) - left.fundingMicro).toBeGreaterThan(0n);
  });

  it('makes room again when the day allows it', () => {
    const { world } = play(turning);
    const opened = [...pairsOf(world).values()].filter(({ openedAtMs }) => openedAtMs > 0);
    expect(opened.map(({ base, exitReason }) => [base, exitReason])).toEqual([
      ['ETH', 'ROTATION'],
      ['BTC', 'ROTATION'],
      ['ETH', ''],
    ]);
  });

  it('stays where the better one is not better by more than both cost', () => {
    // Over two days 0.84 quote more: what entering it costs there and back, and not what leaving costs as well.
    const { world, logged } = play(
      (base, hours) => (base === 'ETH' ? 100_000_000 : hours <= 2 ? 30_000_000 : 117_500_000),
      { margin: 0 },
    );
    const opened = [...pairsOf(world).values()].filter(({ openedAtMs }) => openedAtMs > 0);
    expect(opened).toMatchObject([{ base: 'ETH', phase: 'OPEN' }]);
    expect(logged.filter(({ event }) => event === 'pair-leaving')).toEqual([]);
  });
});
