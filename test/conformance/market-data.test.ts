/** What every venue's public side must be: instruments as the venue lists them, books equal to its own, funding with its unit. */
import { describe, expect, it } from 'vitest';
import { ConnectorWorld } from '../actors/connector-world.ts';
import { factsOf, venueOf, VENUES } from './venues.ts';
import { expectTrades } from './whole.ts';

const HOUR_MS = 3_600_000;

function only<Item>([item]: readonly (Item | undefined)[]): Item {
  if (item === undefined) throw new Error('there must be one');
  return item;
}

/** The book last told, and the venue's own at this moment. */
function books(world: ConnectorWorld): { readonly told: unknown; readonly real: unknown } {
  const told = world.events('book-changed', 'strategy').at(-1)?.book;
  const real = world.venue.exchange.book(world.symbol);
  const depth = Math.min(5, told?.bids.length ?? 0, told?.asks.length ?? 0);
  return {
    told: { bids: told?.bids.slice(0, depth), asks: told?.asks.slice(0, depth) },
    real: { bids: real.bids.slice(0, depth), asks: real.asks.slice(0, depth) },
  };
}

function expectSameBook(world: ConnectorWorld): void {
  // Books move four times a second: between two moves told and real must meet.
  world.until(
    'the told book is the venue’s',
    () => {
      const { told, real } = books(world);
      return (
        world.events('book-changed', 'strategy').at(-1)?.book !== undefined &&
        JSON.stringify(told) === JSON.stringify(real)
      );
    },
    20_000,
  );
  const { told } = books(world);
  expect(told).toMatchObject({ bids: expect.arrayContaining([expect.anything()]) as unknown });
}

describe.each(VENUES)('market data of %s', (venue) => {
  it('lists every instrument with the steps, limits and fees that the venue trades by', () => {
    const world = new ConnectorWorld({ venue }).ready();
    const real = only(world.venue.exchange.markets());
    const listed = world.events('instrument-listed', 'strategy').find(({ symbol }) => symbol === world.symbol);
    const { tickUnits, priceDecimals, lotUnits, quantityDecimals } = listed?.instrument ?? real;
    // The same step may be written with other decimals.
    expect(tickUnits / 10 ** priceDecimals).toBeCloseTo(real.tickUnits / 10 ** real.priceDecimals, 12);
    expect(lotUnits / 10 ** quantityDecimals).toBeCloseTo(real.lotUnits / 10 ** real.quantityDecimals, 12);
    expect(listed?.instrument).toMatchObject({
      venue: venueOf(venue).venue,
      base: 'BTC',
      status: 'active',
      multiplier: real.multiplier,
      minQuantityLots: real.minQuantityLots,
      fundingIntervalMs: real.fundingIntervalMs,
      makerFee: real.makerFee,
      takerFee: real.takerFee,
    });
  });

  it('follows the book, level by level', () => {
    const world = new ConnectorWorld({ venue }).ready();
    world.run(5_000);
    expectSameBook(world);
    expect(world.count('malformed-frames')).toBe(0);
    const { venueAtMs, receivedAtMonotonicMs } = world.events('book-changed', 'strategy').at(-1)?.book ?? {};
    expect(Math.abs(Number(venueAtMs) - world.system.nowMs())).toBeLessThan(10_000);
    expect(world.nowMs - Number(receivedAtMonotonicMs)).toBeLessThan(10_000);
  });

  it('gives a book up where a change is missing, before anybody reads it, and has it back whole', () => {
    const { bookGap } = factsOf(venue);
    const world = new ConnectorWorld({ venue }).ready();
    const before = world.events('book-changed', 'strategy').length;
    // Where every frame is a whole book, nothing can be missing from one: the newest is the truth.
    if (bookGap === undefined) return expectSameBook(world);
    world.inject(...bookGap);
    world.until('the loss is told', () =>
      world
        .events('book-changed', 'strategy')
        .slice(before)
        .some(({ book }) => book === undefined),
    );
    const lost = world
      .events('book-changed', 'strategy')
      .slice(before)
      .find(({ book }) => book === undefined);
    expect(['gap', 'closed']).toContain(lost?.lostReason);
    expectSameBook(world);
    expectTrades(world);
  });

  it.each(['duplicate-frames', 'swap-frames', 'replay-frames'])('is the same book after %s', (fault) => {
    const world = new ConnectorWorld({ venue, checkIsolation: false }).ready();
    world.inject(fault, { durationMs: 4_000, frames: 40 });
    if (fault === 'replay-frames') world.inject('close-sockets', { code: 1006 });
    world.run(20_000);
    expectSameBook(world);
    const crossed = world
      .events('book-changed', 'strategy')
      .filter(({ book }) => book !== undefined && (book.bids[0]?.[0] ?? 0) >= (book.asks[0]?.[0] ?? Infinity));
    expect(crossed).toEqual([]);
    expectTrades(world);
  });

  it('tells marks, and predicted and settled funding with unit, interval and time', () => {
    const world = new ConnectorWorld({ venue }).ready();
    world.run(10_000);
    const stats = world.venue.exchange.stats(world.symbol);
    const mark = world.events('mark-changed', 'strategy').at(-1);
    expect(Number(mark?.markNano) / Number(stats.markNano)).toBeCloseTo(1, 6);
    const rates = world.events('funding-rate-changed', 'strategy').filter(({ symbol }) => symbol === world.symbol);
    const predicted = rates.findLast(({ kind }) => kind === 'predicted');
    const settled = rates.filter(({ kind }) => kind === 'settled').toSorted((a, b) => a.settleAtMs - b.settleAtMs);
    // Seen through the rate's own raw text and declared unit: nothing else may say what an hour earns.
    for (const told of [predicted, settled.at(-1)].map((rate) => only([rate]))) {
      expect(told.rate.raw).toMatch(/^-?\d/);
      const { scale, perMs } = told.rate.unit;
      const perHour = (Number(told.rate.raw) / (scale === 'percent' ? 100 : 1)) * (HOUR_MS / perMs);
      expect(Number(told.rate.hourly) / 1e12).toBeCloseTo(perHour, 11);
    }
    // Wires carry six to eight decimals.
    expect(Number(predicted?.rate.hourly) / 1e12).toBeCloseTo(stats.predictedHourlyPico / 1e12, 6);
    expect(Number(settled.at(-1)?.rate.hourly) / 1e12).toBeCloseTo(stats.settledHourlyPico / 1e12, 6);
    const toNext = (predicted?.settleAtMs ?? 0) - world.system.nowMs();
    expect(toNext).toBeGreaterThan(0);
    expect(toNext).toBeLessThanOrEqual(predicted?.rate.intervalMs ?? 0);
    expect((settled.at(-1)?.settleAtMs ?? 1) % HOUR_MS).toBeLessThan(60_000);
  });
});
