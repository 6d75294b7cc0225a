import { describe, expect, it } from 'vitest';
import type { PriceTicks } from '../../src/money/units.ts';
import type { OrderRequest } from '../../src/venues/venue.ts';
import { ConnectorWorld } from './connector-world.ts';
import type { WorldVenue } from './connector-world.ts';

/** Time that each venue is armed for, real ms. */
const USUAL_MS = { lighter: 600_000, extended: 60_000, hyperliquid: 60_000 } as const;

function rest(world: ConnectorWorld): OrderRequest {
  const order = world.place({
    lots: 20,
    timeInForce: 'gtc',
    priceOffset: -0.01,
    validUntilMs: world.system.nowMs() + 3_600_000,
  });
  world.untilStatus(order, 'open');
  return order;
}
const statusAtVenue = (world: ConnectorWorld, order: OrderRequest): string | undefined =>
  world.ordersAtVenue(order.clientOrderId)[0]?.status;
const open = (venue: WorldVenue): ConnectorWorld =>
  new ConnectorWorld({ venue, checkIsolation: false, args: { withoutDeadMan: false } }).ready();

describe.each(['lighter', 'extended', 'hyperliquid'] as const)("the dead man's switch of %s", (venue) => {
  const usualMs = USUAL_MS[venue];

  it('is armed again in time, so that an order rests for longer than it', () => {
    const world = open(venue);
    const order = rest(world);
    world.run(usualMs * 1.5);
    expect(statusAtVenue(world, order)).toBe('open');
    expect(world.count('dead-man-armed')).toBeGreaterThanOrEqual(4);
    expect(world.count('dead-man-refused')).toBe(0);
  });

  it('has the venue cancel what rests when nothing of ours arrives there any more', () => {
    const world = open(venue);
    const order = rest(world);
    world.run(1_000);
    world.network.setConditions(world.host, { blackHole: true });
    world.run((usualMs * 2) / 3 - 5_000);
    expect(statusAtVenue(world, order)).toBe('open');
    world.run(usualMs / 3 + 10_000);
    expect(statusAtVenue(world, order)).toBe('cancelled');
  });

  it('stays unarmed where the configuration says so', () => {
    const world = new ConnectorWorld({ venue, args: { withoutDeadMan: true } }).ready();
    world.run(5_000);
    expect(world.count('dead-man-armed')).toBe(0);
  });
});

/** A stop of a whole position, 10 % below. */
function placeStop(world: ConnectorWorld): OrderRequest {
  world.untilStatus(world.place(), 'filled');
  const usual = world.order({ side: 'sell', reduceOnly: true, priceOffset: 0 });
  const ticks = Math.round(usual.limitTicks * 0.9);
  const limitTicks = Math.ceil(ticks * 0.99) as PriceTicks;
  const trigger = { ticks: ticks as PriceTicks, direction: 'fall' } as const;
  const stop = { ...usual, limitTicks, trigger, restsUntilMs: usual.validUntilMs + 86_400_000 };
  world.until('its position is told', () => world.events('position-reported').at(-1)?.signedLots === usual.lots);
  world.send(stop, 'protect');
  world.untilStatus(stop, 'open');
  return stop;
}

it.each(['lighter', 'extended', 'hyperliquid'] as const)(
  'leaves the stops at %s alone when nobody is there any more',
  (venue) => {
    const args = { withoutDeadMan: false, withStops: true };
    const world = new ConnectorWorld({ venue, checkIsolation: false, args }).ready();
    const stop = placeStop(world);
    world.network.setConditions(world.host, { blackHole: true });
    world.run(USUAL_MS[venue] + 10_000);
    expect(statusAtVenue(world, stop)).toBe('open');
  },
);

it('is said once to be off where the venue refuses it again and again, and orders go on', () => {
  const world = new ConnectorWorld({ venue: 'extended', args: { withoutDeadMan: false } });
  world.damage = (path, body) =>
    path.includes('deadmanswitch') ? '{"status":"ERROR","error":{"code":1200,"message":"Not offered"}}' : body;
  world.ready();
  world.run(120_000);
  expect(world.logs.filter(({ event }) => event === 'dead-man-off')).toHaveLength(1);
  world.untilStatus(world.place(), 'filled');
});

it('is asked of no venue that has none for everybody', () => {
  const world = open('bybit');
  world.run(5_000);
  expect(world.count('dead-man-armed') + world.count('dead-man-refused')).toBe(0);
});
