import { describe, expect, it } from 'vitest';
import { createWorld } from './position-world.ts';
import type { World } from './position-world.ts';

/** A world whose actor has recovered and may trade. */
function ready(options: Parameters<typeof createWorld>[0] = {}): World {
  const world = createWorld(options);
  world.runUntil(() => world.pictures.at(-1)?.phase === 'IDLE', 5_000);
  return world;
}

function opened(options: Parameters<typeof createWorld>[0] = {}): World {
  const world = ready(options);
  world.deliver({ type: 'enter-pair', plan: world.plan() });
  world.runUntil(() => world.picture().phase === 'OPEN', 5_000);
  return world;
}

describe('a pair on its normal way', () => {
  it('is idle after recovery of an empty journal', () => {
    expect(ready().picture()).toMatchObject({ phase: 'IDLE', liveOrders: 0, closedPairs: 0 });
  });

  it('has its whole plan durable before anything is sent, then sends both legs in one handler', () => {
    const world = ready();
    const before = world.rows.length;
    world.deliver({ type: 'enter-pair', plan: world.plan() });
    expect(world.venues.a.placed).toHaveLength(0);
    world.runUntil(() => world.venues.a.placed.length > 0, 1_000);
    expect(world.venues.b.placed).toHaveLength(1);
    const written = world.rows.slice(before).map((row) => row.type);
    expect(written.slice(0, 4)).toEqual(['intent', 'pair-state', 'order-planned', 'order-planned']);
    expect(world.venues.a.placed[0]?.order).toMatchObject({ side: 'sell', lots: 33, reduceOnly: false, timeInForce: 'ioc' });
    expect(world.venues.b.placed[0]?.order).toMatchObject({ side: 'buy', lots: 33, reduceOnly: false, timeInForce: 'ioc' });
  });

  it('opens once both positions are confirmed', () => {
    const world = opened();
    expect(world.picture()).toMatchObject({ phase: 'OPEN', long: { signedLots: 33 }, short: { signedLots: -33 } });
  });

  it('closes with exactly one reduce-only order per leg, however often it is asked to', () => {
    const world = opened();
    for (let asked = 0; asked < 3; asked += 1) {
      world.deliver({ type: 'exit-pair', reason: 'TAKE_PROFIT' });
      world.run(5);
    }
    world.runUntil(() => world.picture().phase === 'CLOSED', 5_000);
    world.deliver({ type: 'exit-pair', reason: 'TAKE_PROFIT' });
    world.run(2_000);
    const closing = [...world.venues.a.placed, ...world.venues.b.placed].filter((command) => command.order.reduceOnly);
    expect(closing).toHaveLength(2);
    expect([world.venues.a.positionLots, world.venues.b.positionLots]).toEqual([0, 0]);
    expect(world.picture()).toMatchObject({ phase: 'CLOSED', reason: 'TAKE_PROFIT', closedPairs: 1, liveOrders: 0 });
  });
});
