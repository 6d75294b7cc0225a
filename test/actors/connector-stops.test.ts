/** Stops at the venues that keep them: placed, found, in nobody's way, executed by the mark, ended. */
import { describe, expect, it } from 'vitest';
import type { PriceTicks, QuantityLots } from '../../src/money/units.ts';
import type { LimitView } from '../../src/venues/rate-limiter.ts';
import type { OrderRequest } from '../../src/venues/venue.ts';
import { ConnectorWorld } from './connector-world.ts';

const VENUES = ['bybit', 'extended', 'hyperliquid', 'lighter'] as const;
const HOUR_MS = 3_600_000;

/** A long position of 1,000 lots, worth about as many quote, and a stop of all of it 10 % below. */
function withStop(venue: (typeof VENUES)[number]): { readonly world: ConnectorWorld; readonly stop: OrderRequest } {
  const world = new ConnectorWorld({ venue, checkIsolation: false }).ready();
  world.untilStatus(world.place(), 'filled');
  world.until('its position is told', () => world.events('position-reported').at(-1)?.signedLots === 1_000);
  const stop = placeStop(world);
  world.untilStatus(stop, 'open');
  return { world, stop };
}

function placeStop(world: ConnectorWorld, change: Partial<OrderRequest> = {}): OrderRequest {
  const usual = world.order({ side: 'sell', reduceOnly: true, priceOffset: 0 });
  const ticks = Math.round(usual.limitTicks * 0.9);
  const stop: OrderRequest = {
    ...usual,
    limitTicks: Math.ceil(ticks * 0.99) as PriceTicks,
    restsUntilMs: usual.validUntilMs + 24 * HOUR_MS,
    trigger: { ticks: ticks as PriceTicks, direction: 'fall' },
    ...change,
  };
  return world.send(stop, 'protect');
}

describe.each(VENUES)('a stop at %s', (venue) => {
  it('waits while the price is above it, is found by a comparison, and is told once', () => {
    const { world, stop } = withStop(venue);
    world.run(40_000);
    expect(world.oracle.positions.get(world.symbol)).toBe(1_000);
    expect(world.ordersAtVenue(stop.clientOrderId)).toHaveLength(1);
    expect(world.statuses(stop.clientOrderId).filter((status) => status === 'open')).toHaveLength(1);
    world.reconcile(7, world.system.nowMs() - 60_000);
    world.until('it is answered', () => world.events('reconciled').length > 0);
    expect(world.events('reconciled')[0]?.openClientOrderIds).toEqual([stop.clientOrderId]);
    expect(world.count('reports-older')).toBe(0);
  });

  it('does not stand in the way of what closes the position, and ends when asked', () => {
    const { world, stop } = withStop(venue);
    const close = world.place({ side: 'sell', reduceOnly: true });
    world.untilStatus(close, 'filled');
    expect(world.oracle.positions.get(world.symbol) ?? 0).toBe(0);
    world.cancel(stop.clientOrderId);
    world.untilStatus(stop, 'cancelled');
  });

  it('is in no way for the next life of its connector either', () => {
    const { world } = withStop(venue);
    world.system.crashThread('io-0');
    world.until('it starts again', () => world.inspect().incarnation === 2);
    world.until('it is not ready', () => world.status()?.entriesAllowed === false, 5_000);
    world.ready();
    world.untilStatus(world.place({ side: 'sell', reduceOnly: true }), 'filled');
    expect(world.oracle.positions.get(world.symbol) ?? 0).toBe(0);
  });

  it('sells everything once the mark is there, at a price it may have', () => {
    const { world, stop } = withStop(venue);
    world.priceFactor = 0.898;
    world.untilStatus(stop, 'filled');
    world.run(500);
    expect(world.oracle.positions.get(world.symbol) ?? 0).toBe(0);
    const fills = world.fills().filter(({ fill }) => fill.clientOrderId === stop.clientOrderId);
    expect(fills.reduce((lots, { fill }) => lots + fill.lots, 0)).toBe(1_000);
    for (const { fill } of fills) expect(fill.priceTicks).toBeGreaterThanOrEqual(stop.limitTicks);
  });

  it('is one: a second one beside it is denied, and so is one that could open', () => {
    const { world } = withStop(venue);
    expect(world.refusal(placeStop(world))).toMatchObject({ code: 'REDUCE_ONLY_INCREASES' });
    expect(world.refusal(placeStop(world, { reduceOnly: false }))).toMatchObject({ code: 'BAD_ORDER' });
    const far = placeStop(world, { limitTicks: 1 as PriceTicks });
    expect(world.refusal(far).code).toMatch(/REDUCE_ONLY_INCREASES|PRICE_COLLAR/);
  });
});

describe('while little is left of a limit', () => {
  /** 60 requests a minute in all, of which half may be used by choice: that half is used. */
  function spent(hasStop: boolean): { readonly world: ConnectorWorld; readonly stop: OrderRequest | undefined } {
    const world = new ConnectorWorld({ venue: 'lighter', limits: 'standard', checkIsolation: false }).ready();
    world.untilStatus(world.place(), 'filled');
    world.until('its position is told', () => world.events('position-reported').at(-1)?.signedLots === 1_000);
    const stop = hasStop ? placeStop(world) : undefined;
    if (stop !== undefined) world.untilStatus(stop, 'open');
    while (usedShare(world) < 0.5)
      world.untilStatus(world.place({ side: 'sell', reduceOnly: true, lots: 20 }), 'filled');
    return { world, stop };
  }
  function usedShare(world: ConnectorWorld): number {
    const { limits } = world.inspect().digest as { limits: { limits: readonly LimitView[] } };
    return limits.limits.find(({ name }) => name === 'lighter-rest')?.usedRatio ?? 0;
  }
  const close = (world: ConnectorWorld): void =>
    world.untilStatus(world.place({ side: 'sell', reduceOnly: true, lots: 20 }), 'filled', 3_000);

  it('a stop waits, and what closes does not', () => {
    const { world } = spent(false);
    const stop = placeStop(world, { lots: 500 as QuantityLots });
    close(world);
    expect(world.ordersAtVenue(stop.clientOrderId)).toEqual([]);
  });

  it('its cancel waits, and what closes does not', () => {
    const { world, stop } = spent(true);
    if (stop === undefined) throw new Error('a stop must have been placed');
    world.cancel(stop.clientOrderId);
    close(world);
    expect(world.ordersAtVenue(stop.clientOrderId)).toMatchObject([{ status: 'open' }]);
    world.run(60_000);
    world.cancel(stop.clientOrderId);
    world.untilStatus(stop, 'cancelled');
  });
});

it('a venue without stops is told so with its instruments', () => {
  const hasStops = (venue: (typeof VENUES)[number] | 'coinbase'): unknown =>
    new ConnectorWorld({ venue, checkIsolation: false }).ready().events('instrument-listed').at(-1)?.instrument
      .hasStops;
  expect(hasStops('coinbase')).toBeUndefined();
  for (const venue of VENUES) expect(hasStops(venue)).toBe(true);
});
