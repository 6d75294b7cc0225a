import { describe, expect, it } from 'vitest';
import type { LimitOrders } from '../../actors/connector-messages.ts';
import type { OrderRequest } from '../../src/venues/venue.ts';
import { VENUES } from '../conformance/venues.ts';
import { ConnectorWorld } from './connector-world.ts';

/** K2 must be at the wire within this. */
const WIRE_MS = 100;
const gate = {
  maxOrderNotionalMicro: 50_000_000_000n,
  maxPositionNotionalMicro: 900_000_000_000n,
  maxOpenOrders: 500,
  maxOrdersPerSec: 1_000,
  priceCollarBps: 200,
  dailyLossMicro: 1_000_000_000n,
};
const limits = (change: Partial<LimitOrders>): LimitOrders => ({
  type: 'limit-orders',
  allowed: 'reducing',
  cancelOpens: true,
  reason: 'K2: test',
  ...change,
});

function tell(world: ConnectorWorld, change: Partial<LimitOrders> = {}): void {
  world.system.tell(world.path, limits(change));
}

/** What is measured is how long it takes to the wire, not a network that is slow now and then. */
function onCalmWire(world: ConnectorWorld): ConnectorWorld {
  world.network.setConditions(world.host, { slowChance: 0 });
  return world;
}

function rest(world: ConnectorWorld, count: number): readonly OrderRequest[] {
  const resting = Array.from({ length: count }, () =>
    world.place({ lots: 20, timeInForce: 'gtc', priceOffset: -0.01, validUntilMs: world.system.nowMs() + 600_000 }),
  );
  for (const order of resting) world.untilStatus(order, 'open');
  return resting;
}

describe.each(['extended', 'lighter'] as const)('K2 at %s', (venue) => {
  it('cancels what rests and lets nothing out that opens within 100 ms, whatever waits in the queues', () => {
    const world = onCalmWire(new ConnectorWorld({ venue, args: { gate } }).ready());
    const resting = rest(world, 6);
    // More than may be under way at once, and as much again that the connector has not even read.
    const queued = Array.from({ length: 200 }, () => world.place({ lots: 20 }));
    world.run(5);
    const unread = Array.from({ length: 200 }, () => world.place({ lots: 20 }));
    tell(world);
    const atMs = world.nowMs;
    world.run(WIRE_MS);
    const known = new Set([...queued, ...unread].flatMap(({ clientOrderId }) => world.ordersAtVenue(clientOrderId)));
    expect(resting.map(({ clientOrderId }) => world.ordersAtVenue(clientOrderId)[0]?.status)).not.toContain('open');
    expect(world.count('opens-withdrawn') + world.count('denied:ENGINE_STATE')).toBeGreaterThan(300);

    world.run(10_000);
    // What had left before is the venue's; nothing came after.
    const late = [...queued, ...unread].flatMap(({ clientOrderId }) => world.ordersAtVenue(clientOrderId));
    expect(late).toHaveLength(known.size);
    expect(unread.flatMap(({ clientOrderId }) => world.ordersAtVenue(clientOrderId))).toEqual([]);
    const refused = [...queued, ...unread].filter(({ clientOrderId }) =>
      world.statuses(clientOrderId).includes('refused'),
    );
    expect(refused.length).toBeGreaterThan(300);
    expect(world.nowMs).toBeGreaterThan(atMs + WIRE_MS);
    expect(world.inspect().digest).toMatchObject({ submissions: [], ordersAllowed: 'reducing' });
  });

  it('lets go what reduces, and opens again once it may', () => {
    const world = new ConnectorWorld({ venue }).ready();
    world.place();
    world.until('it is filled', () => world.fills().reduce((sum, { fill }) => sum + fill.lots, 0) === 1_000);
    tell(world);
    expect(world.refusal(world.place())).toMatchObject({ code: 'ENGINE_STATE', refusal: 'state' });
    world.untilStatus(world.place({ side: 'sell', reduceOnly: true }), 'filled');
    tell(world, { allowed: 'all', cancelOpens: false });
    world.untilStatus(world.place(), 'filled');
  });
});

describe.each(VENUES)('K4 at %s', (venue) => {
  const leaving = { allowed: 'none', leave: true, reason: 'K4: test' } as const;

  function trading(): ConnectorWorld {
    const world = new ConnectorWorld({ venue, args: { gate, guardPath: 'guard' } });
    tell(world, { allowed: 'all', cancelOpens: false });
    return onCalmWire(world.ready());
  }

  it('has the venue cancel everything within 100 ms, whatever waits, lets nothing else out, and disconnects', () => {
    const world = trading();
    const resting = rest(world, 6);
    const unread = Array.from({ length: 200 }, () => world.place({ lots: 20 }));
    const reducing = Array.from({ length: 20 }, () => world.place({ lots: 20, side: 'sell', reduceOnly: true }));
    tell(world, leaving);
    world.run(WIRE_MS);
    expect(resting.map(({ clientOrderId }) => world.ordersAtVenue(clientOrderId)[0]?.status)).not.toContain('open');
    // Of what was commanded just before, at most one was signed in time.
    const left = [...unread, ...reducing].flatMap(({ clientOrderId }) => world.ordersAtVenue(clientOrderId));
    expect(left.length).toBeLessThanOrEqual(1);
    world.until('it is gone', () => world.status()?.reason === 'disconnected: K4: test', 10_000);
    const atMs = world.nowMs;
    world.place({ lots: 20, side: 'sell', reduceOnly: true });
    world.run(60_000);
    const after = [...unread, ...reducing].flatMap(({ clientOrderId }) => world.ordersAtVenue(clientOrderId));
    expect(after).toHaveLength(left.length);
    expect(world.requestsSince(atMs + 1)).toEqual([]);
    expect(world.count('cancel-all-accepted')).toBeGreaterThan(0);
    expect(world.inspect().digest).toMatchObject({ submissions: [], sockets: [], ordersAllowed: 'none' });
    expect(world.left).toEqual([{ type: 'connector-left', path: world.path, openOrders: 0 }]);
  });

  it('goes in the end though the venue does not answer, and says that it does not know', () => {
    const world = trading();
    rest(world, 1);
    world.network.setConditions(world.host, { blackHole: true });
    tell(world, leaving);
    world.until('it is gone', () => world.left.length > 0, 10_000);
    expect(world.left).toEqual([{ type: 'connector-left', path: world.path }]);
  });
});

describe('orders as the engine allows them', () => {
  it('are completed but not begun while it is armed', () => {
    const world = new ConnectorWorld().ready();
    tell(world, { allowed: 'completing', cancelOpens: false });
    expect(world.refusal(world.place())).toMatchObject({ code: 'ENGINE_STATE' });
    world.untilStatus(world.send(world.order(), 'hedge'), 'filled');
  });

  it('stay at the venue when they are only held back (K1)', () => {
    const world = new ConnectorWorld().ready();
    const [order] = rest(world, 1);
    tell(world, { cancelOpens: false });
    world.run(3_000);
    expect(world.ordersAtVenue(order?.clientOrderId ?? '')[0]?.status).toBe('open');
  });

  it('do not open before the guard has said that they may', () => {
    const world = new ConnectorWorld({ args: { guardPath: 'guard' } }).ready();
    expect(world.refusal(world.place())).toMatchObject({ code: 'ENGINE_STATE' });
    tell(world, { allowed: 'all', cancelOpens: false });
    world.untilStatus(world.place(), 'filled');
  });
});
