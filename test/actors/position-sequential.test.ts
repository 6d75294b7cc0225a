/** Entries whose first leg is proven by its venue before the second one leaves. */
import { describe, expect, it } from 'vitest';
import { createWorld } from './position-world.ts';
import type { World, WorldOptions } from './position-world.ts';

/** `vb` is the venue whose fills only a query makes known: its leg, the long one, goes first. */
function sequence(options: WorldOptions = {}, before: (world: World) => void = () => undefined): World {
  const world = createWorld(options);
  world.runUntil(() => world.pictures.at(-1)?.phase === 'IDLE', 5_000);
  before(world);
  world.deliver({ type: 'enter-pair', plan: world.plan({ entry: { mode: 'sequential', leg: 'long' } }) });
  world.runUntil(() => world.venues.b.placed.length > 0, 1_000);
  return world;
}

function settle(world: World, phase: string): void {
  world.runUntil(() => world.picture().phase === phase, 30_000);
  world.run(500);
}

describe('a sequential entry', () => {
  it('sends the second leg once a query, asked after the fill, has proven the first', () => {
    const world = sequence();
    world.runUntil(() => world.venues.b.positionLots === 33, 1_000);
    const compared = world.venues.b.compared;
    expect(world.venues.a.placed).toEqual([]);
    world.runUntil(() => world.venues.a.placed.length > 0, 3_000);
    expect(world.venues.b.compared).toBeGreaterThan(compared);
    expect(world.venues.a.placed[0]?.order).toMatchObject({ side: 'sell', lots: 33, reduceOnly: false });
    settle(world, 'OPEN');
    expect(world.venues.a.placed).toHaveLength(1);
  });

  it('sends nothing more while the first leg is not proven, and never a leg for an assumed fill', () => {
    const world = sequence({}, ({ venues }) => {
      venues.b.queriesFail = true;
    });
    world.run(4_000);
    expect(world.venues.b.positionLots).toBe(33);
    expect(world.venues.a.placed).toEqual([]);
    world.venues.b.queriesFail = false;
    // By then the leg has stood alone for too long: it is given back.
    settle(world, 'CLOSED');
    expect([world.venues.a.positionLots, world.venues.b.positionLots]).toEqual([0, 0]);
  });

  it('sends as much of the second leg as the first one got', () => {
    const world = sequence({
      fateOf: (venue) => (venue === 'vb' ? { type: 'fill', lots: 14 } : { type: 'fill' }),
    });
    settle(world, 'OPEN');
    expect(world.venues.a.placed.map(({ order }) => order.lots)).toEqual([14]);
    expect([world.venues.a.positionLots, world.venues.b.positionLots]).toEqual([-14, 14]);
  });

  it('finds a first leg that nobody told of, and follows it', () => {
    const world = sequence({
      fateOf: (venue) => (venue === 'vb' ? { type: 'silent', executedLots: 33 } : { type: 'fill' }),
    });
    settle(world, 'OPEN');
    expect([world.venues.a.positionLots, world.venues.b.positionLots]).toEqual([-33, 33]);
    expect(world.venues.b.placed).toHaveLength(1);
  });

  it('fails without a trade when the first leg gets nothing', () => {
    const world = sequence({ fateOf: () => ({ type: 'fill', lots: 0 }) });
    settle(world, 'FAILED');
    expect(world.venues.a.placed).toEqual([]);
  });

  it('gives the first leg back when the second is refused for good', () => {
    const world = sequence({
      fateOf: (venue, { order }) => (venue === 'va' && !order.reduceOnly ? { type: 'refuse' } : { type: 'fill' }),
    });
    settle(world, 'CLOSED');
    expect(world.picture().reason).toBe('REFUSED: MARGIN');
    expect([world.venues.a.positionLots, world.venues.b.positionLots]).toEqual([0, 0]);
  });
});
