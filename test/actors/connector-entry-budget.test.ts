/** The room that an entry and its worst unwinding need at a venue before the entry is begun. */
import { describe, expect, it } from 'vitest';
import type { OrderPurpose } from '../../actors/connector-messages.ts';
import { refOf } from '../../src/runtime/actor.ts';
import { ConnectorWorld } from './connector-world.ts';

/** 60 requests a minute in all, questions and orders together. */
const small = (): ConnectorWorld => new ConnectorWorld({ venue: 'lighter', limits: 'standard' }).ready();

function open(world: ConnectorWorld, pairId: string, purpose: OrderPurpose['purpose'] = 'open'): void {
  const order = world.order({ lots: 20 });
  world.tell({
    type: 'place-order',
    order,
    purpose: { pairId, leg: 'long', purpose, attempt: 1 },
    replyTo: refOf('position/BTC'),
  });
  world.until('it was sent', () => world.statuses(order.clientOrderId).length > 0);
}

const share = (world: ConnectorWorld): number | undefined => world.status()?.openBudgetShare;

describe('the budget of an entry', () => {
  it('is told as none while the entries under way keep what their unwinding may need', () => {
    const world = small();
    world.run(60_000);
    expect(share(world)).toBeGreaterThan(0);
    for (const pairId of ['p1', 'p2', 'p3', 'p4', 'p5', 'p6']) open(world, pairId);
    world.until('it says so', () => share(world) === 0, 1_000);
    const keptAtMs = world.nowMs;
    world.until('an entry fits again', () => (share(world) ?? 0) > 0, 60_000);
    expect(world.nowMs - keptAtMs).toBeGreaterThan(10_000);
  });

  it('is kept for openings alone: what hedges and reduces uses room, and keeps none', () => {
    const world = small();
    world.run(60_000);
    for (const pairId of ['p1', 'p2', 'p3', 'p4']) open(world, pairId, 'hedge');
    world.run(1_000);
    expect(share(world)).toBeGreaterThan(0);
  });

  it('is counted once for a pair, however many orders it opens with', () => {
    const world = small();
    world.run(60_000);
    for (let count = 0; count < 4; count += 1) open(world, 'p1');
    world.run(1_000);
    expect(share(world)).toBeGreaterThan(0);
  });
});
