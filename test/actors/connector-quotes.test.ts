/** Post-only orders through a connector at every venue's simulated twin: they rest beyond their request's validity, and end when asked. */
import { describe, expect, it } from 'vitest';
import { VENUES } from '../conformance/venues.ts';
import { ConnectorWorld } from './connector-world.ts';

describe.each(VENUES)('a post-only order at %s', (venue) => {
  const quote = (world: ConnectorWorld, priceOffset: number) =>
    world.place({
      timeInForce: 'gtc',
      postOnly: true,
      priceOffset,
      restsUntilMs: world.system.nowMs() + 30_000 * world.scale,
    });

  it('rests longer than its request was valid, and is cancelled when asked', () => {
    const world = new ConnectorWorld({ venue }).ready();
    const order = quote(world, -0.01);
    world.untilStatus(order, 'open');
    world.run(15_000);
    expect(world.ordersAtVenue(order.clientOrderId).map(({ status }) => status)).toEqual(['open']);
    world.cancel(order.clientOrderId);
    world.untilStatus(order, 'cancelled');
    expect(world.fills()).toEqual([]);
  });

  it('that would take is not executed', () => {
    const world = new ConnectorWorld({ venue }).ready();
    const order = quote(world, 0.005);
    world.until('it has ended', () =>
      world.statuses(order.clientOrderId).some((status) => ['refused', 'rejected', 'cancelled'].includes(status)),
    );
    world.run(2_000);
    expect(world.fills()).toEqual([]);
    expect(world.oracle.positions.get(world.symbol) ?? 0).toBe(0);
  });

  it('that the venue lost is not called dead while another venue could still take it', () => {
    const world = new ConnectorWorld({ venue }).ready();
    world.inject('silent-drop-next-order');
    const order = quote(world, -0.01);
    // A cancel proves nothing by its own, shorter validity.
    world.run(1_000);
    world.cancel(order.clientOrderId);
    world.run(20_000);
    expect(world.statuses(order.clientOrderId)).not.toContain('not-found');
    world.untilStatus(order, 'not-found', 40_000);
  });
});
