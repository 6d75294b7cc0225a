/** What must hold of an account whatever went wrong: told equals true, nothing twice, and trading goes on. Tests only. */
import { expect } from 'vitest';
import type { OrderRequest } from '../../src/venues/venue.ts';
import type { ConnectorWorld } from '../actors/connector-world.ts';

const ENDED = new Set(['filled', 'cancelled', 'rejected', 'expired', 'refused', 'not-found']);

/** Waits until the venue is ready and everything asked about is settled, then holds what was told against the venue's own books. */
export function expectWhole(world: ConnectorWorld, orders: readonly OrderRequest[] = []): void {
  world.until('the venue is ready', () => world.status()?.status === 'ready', 300_000);
  const reconciledBefore = world.events('reconciled').length;
  const open = orders.filter((order) => !world.statuses(order.clientOrderId).some((status) => ENDED.has(status)));
  world.reconcile(1_000 + reconciledBefore, world.system.nowMs() - 600_000, open);
  world.until('it is reconciled', () => world.events('reconciled').length > reconciledBefore, 120_000);
  expect(world.events('reconciled').at(-1)).toMatchObject({
    ok: true,
    signedLots: world.oracle.positions.get(world.symbol) ?? 0,
  });
  const told = world.fills().map(({ fill }) => `${fill.fillId}: ${fill.lots} at ${fill.priceTicks}`);
  const real = world.oracle.fills.map((fill) => `${fill.fillId}: ${fill.lots} at ${fill.priceTicks}`);
  expect(told.toSorted()).toEqual(real.toSorted());
  for (const order of orders) {
    const atVenue = world.ordersAtVenue(order.clientOrderId);
    expect(atVenue.length).toBeLessThanOrEqual(1);
    const statuses = world.statuses(order.clientOrderId);
    const filledLots = atVenue[0]?.filledLots ?? 0;
    if (filledLots > 0) expect(statuses).not.toContain('not-found');
    if (filledLots > 0) expect(statuses).not.toContain('refused');
    expect(statuses.some((status) => ENDED.has(status)) || statuses.includes('open')).toBe(true);
  }
  expect(world.inspect()).toMatchObject({ incarnation: 1, digest: { submissions: [], resolving: [] } });
}

/** The last proof: an order goes out and is filled. */
export function expectTrades(world: ConnectorWorld): void {
  world.until('entries are allowed', () => world.status()?.entriesAllowed === true, 900_000);
  const book = (): unknown => world.events('book-changed', 'strategy').at(-1)?.book;
  world.until('a price is known', () => book() !== undefined, 60_000);
  const order = world.place({ lots: 100 });
  const told = (): readonly string[] => world.statuses(order.clientOrderId);
  world.until('the order ends', () => told().some((status) => ENDED.has(status)), 60_000);
  const last = world.events('order-changed').findLast(({ clientOrderId }) => clientOrderId === order.clientOrderId);
  expect(last).toMatchObject({ status: 'filled' });
}
