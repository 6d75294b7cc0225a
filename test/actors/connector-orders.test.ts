import { describe, expect, it } from 'vitest';
import { factsOf, VENUES } from '../conformance/venues.ts';
import { ConnectorWorld } from './connector-world.ts';

describe.each(VENUES)('an order through the connector at %s', (venue) => {
  it('is sent, accepted and filled, and every fact is on disk before it is told', () => {
    const world = new ConnectorWorld({ venue }).ready();
    const order = world.place();
    world.untilStatus(order, 'filled');
    world.run(500);
    // The answer to the request and the word of the fill travel on ways of their own: either may come first.
    expect([
      ['sending', 'accepted'],
      ['sending', 'filled'],
    ]).toContainEqual(world.statuses(order.clientOrderId).slice(0, 2));
    expect(world.fills()).toHaveLength(world.oracle.fills.length);
    expect(
      world
        .fills()
        .map(({ fill }) => fill.lots)
        .reduce((sum, lots) => sum + lots, 0),
    ).toBe(1_000);
    expect(world.events('position-reported').at(-1)?.signedLots).toBe(1_000);
    const facts = world.heard.get('position/BTC') ?? [];
    expect(facts.filter(({ isDurable }) => !isDurable)).toEqual([]);
  });

  it('is never sent twice, however often the command is repeated; a repeat is answered from memory', () => {
    const world = new ConnectorWorld({ venue }).ready();
    const order = world.place();
    for (let repeat = 0; repeat < 5; repeat++) {
      world.send(order);
      world.run(repeat * 100);
    }
    world.untilStatus(order, 'filled');
    const before = world.statuses(order.clientOrderId).length;
    world.send(order);
    world.run(200);
    expect(world.statuses(order.clientOrderId).slice(before)).toEqual(['filled']);
    expect(world.ordersAtVenue(order.clientOrderId)).toHaveLength(1);
    expect(world.count('place-repeated')).toBe(6);
    expect(world.oracle.positions.get(world.symbol)).toBe(1_000);
  });

  it('that is lost on the way is proven dead only after its validity and two looks, and may be retried then', () => {
    const world = new ConnectorWorld({ venue }).ready();
    const order = world.order();
    if (venue === 'coinbase') {
      world.inject('lose-next-request');
      world.send(order);
    } else if (venue !== 'lighter') {
      world.network.setConditions(world.host, { requestLossChance: 1 });
      world.send(order);
      world.run(100);
      world.network.setConditions(world.host, { requestLossChance: 0 });
    } else {
      world.inject('silent-drop-next-order');
      world.send(order);
    }
    world.until(
      'it is asked about',
      () =>
        (world.inspect().digest !== undefined && resolving(world).includes(order.clientOrderId)) ||
        resolveAsked(world, order),
      4_000,
    );
    world.resolve(order);
    const endMs = world.nowMs + (order.validUntilMs - world.system.nowMs());
    world.untilStatus(order, 'not-found', 15_000);
    expect(world.nowMs).toBeGreaterThan(endMs + 2_000);
    expect(world.ordersAtVenue(order.clientOrderId)).toEqual([]);
    world.untilStatus(world.place(), 'filled');
    expect(world.statuses(order.clientOrderId).filter((status) => status === 'not-found')).toHaveLength(1);
  });

  it('is not proven dead while the venue may not have listed it yet', () => {
    const world = new ConnectorWorld({ args: { notFoundGraceMs: 20_000 } }).ready();
    world.inject('silent-drop-next-order');
    const order = world.place();
    const placedAtMs = world.nowMs;
    world.resolve(order);
    world.untilStatus(order, 'not-found', 40_000);
    expect(world.nowMs - placedAtMs).toBeGreaterThan(20_000);
  });

  it('is not proven dead by queries that fail', () => {
    const world = new ConnectorWorld({ venue }).ready();
    world.inject('silent-drop-next-order');
    const order = world.place();
    world.untilStatus(order, 'accepted');
    world.resolve(order);
    world.run(1_000);
    world.network.setConditions(world.host, { refuses: true });
    world.network.cut(world.host);
    world.run(20_000);
    expect(world.statuses(order.clientOrderId)).not.toContain('not-found');
    expect(world.count('resolve-queries-failed')).toBeGreaterThan(2);
    // Once a second would be a storm.
    expect(world.count('resolve-queries-failed')).toBeLessThan(12);
    world.network.setConditions(world.host, { refuses: false });
    world.untilStatus(order, 'not-found', 60_000);
  });

  it('refused by the venue is refused for good, and the next one goes out', () => {
    const world = new ConnectorWorld({ venue }).ready();
    world.inject('refuse-next', factsOf(venue).refusals.margin);
    const order = world.place();
    expect(world.refusal(order)).toMatchObject({ refusal: 'state' });
    world.untilStatus(world.place(), 'filled');
    expect(world.ordersAtVenue(order.clientOrderId)).toEqual([]);
  });

  it('called a duplicate is asked about instead of being taken for refused', () => {
    const world = new ConnectorWorld({ venue }).ready();
    world.inject('refuse-next', factsOf(venue).refusals.duplicate);
    const order = world.place();
    world.untilStatus(order, 'unknown');
    world.untilStatus(order, 'not-found', 15_000);
    expect(world.statuses(order.clientOrderId)).not.toContain('refused');
  });

  it('to cancel that does not exist any more asks what became of it', () => {
    const world = new ConnectorWorld({ venue }).ready();
    const order = world.place();
    world.untilStatus(order, 'filled');
    const lookupsBefore = world.requests.length;
    world.cancel(order.clientOrderId);
    world.run(3_000);
    expect(world.requests.length).toBeGreaterThan(lookupsBefore);
    expect(world.inspect().digest).toMatchObject({ submissions: [], resolving: [] });
    expect(world.statuses(order.clientOrderId).at(-1)).toBe('filled');
  });

  it('cancelled while it still waits to be sent never leaves', () => {
    const world = new ConnectorWorld({ venue }).ready();
    // So many are under way that another one has to wait.
    for (let others = 0; others < 8; others++) world.place({ lots: 20 });
    const order = world.place();
    world.cancel(order.clientOrderId);
    world.run(3_000);
    expect(world.refusal(order)).toMatchObject({ code: 'CANCELLED_BEFORE_SENT' });
    expect(world.ordersAtVenue(order.clientOrderId)).toEqual([]);
    // The others have left, or were too late to: opens have a small part of a small limit.
    world.run(6_000);
    world.untilStatus(world.place(), 'filled');
  });
});

describe('the last gate of the connector', () => {
  it('lets an unwind pass right after the fill it unwinds, before the venue has told the position', () => {
    const world = new ConnectorWorld({ args: { comparisonMs: 600_000 } }).ready();
    // The position on the stream never arrives: only the fill does.
    world.damage = (path, text) => (path === 'socket' ? text.replace('"type":"POSITION"', '"type":"LATER"') : text);
    const order = world.place();
    world.until('it is filled', () => world.fills().length > 0);
    expect(world.events('position-reported').at(-1)?.signedLots).toBe(0);
    const unwind = world.place({ side: 'sell', reduceOnly: true });
    world.untilStatus(unwind, 'filled');
    expect(world.oracle.positions.size).toBe(0);
    expect(world.statuses(order.clientOrderId)).toContain('filled');
  });

  it('counts fills that the venue’s position does not show yet when it judges an opening order', () => {
    const gate = {
      maxOrderNotionalMicro: 50_000_000_000n,
      maxPositionNotionalMicro: 1_600_000_000n,
      maxOpenOrders: 20,
      maxOrdersPerSec: 20,
      priceCollarBps: 200,
      dailyLossMicro: 1_000_000_000n,
    };
    const world = new ConnectorWorld({ args: { gate } }).ready();
    world.damage = (path, text) => (path === 'socket' ? text.replace('"type":"POSITION"', '"type":"LATER"') : text);
    world.place();
    world.until('it is filled', () => world.fills().length > 0);
    expect(world.refusal(world.place())).toMatchObject({ code: 'POSITION_CAP', refusal: 'state' });
  });

  it('calls a reduction without a position a matter of state, not of principle', () => {
    const world = new ConnectorWorld().ready();
    const order = world.place({ side: 'sell', reduceOnly: true });
    expect(world.refusal(order)).toMatchObject({ code: 'REDUCE_ONLY_INCREASES', refusal: 'state' });
  });

  it('refuses what pays too much, is too large, or has expired, and sends nothing', () => {
    const world = new ConnectorWorld().ready();
    const sentBefore = world.requestsSince(0, '/user/order').length;
    expect(world.refusal(world.place({ priceOffset: 0.05 })).code).toBe('PRICE_COLLAR');
    expect(world.refusal(world.place({ lots: 1_000_000 })).code).toBe('NOTIONAL');
    expect(world.refusal(world.place({ validUntilMs: world.system.nowMs() - 1 })).code).toBe('EXPIRED_INTENT');
    expect(world.refusal(world.place({ symbol: 'SOL-USD' })).code).toBe('UNKNOWN_INSTRUMENT');
    const orders = world.requests.filter((request) => request.method === 'POST');
    expect(orders).toEqual([]);
    expect(world.requestsSince(0, '/user/order').length - sentBefore).toBeLessThan(20);
  });
});

function resolving(world: ConnectorWorld): readonly string[] {
  return (world.inspect().digest as { resolving: readonly string[] }).resolving;
}

/** Where the venue took the order silently, nobody is in doubt until the position asks. */
function resolveAsked(world: ConnectorWorld, order: { readonly clientOrderId: string }): boolean {
  return world.statuses(order.clientOrderId).includes('accepted');
}
