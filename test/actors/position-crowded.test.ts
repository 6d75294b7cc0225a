/** Many pairs leave at once: what a venue can be asked in a minute is all of theirs, so a pair must not ask for what it will be told. */
import { describe, expect, it } from 'vitest';
import { createWorld } from './position-world.ts';
import type { World, WorldOptions } from './position-world.ts';

const CLOSES = new Set(['close', 'unwind']);

function opened(options: WorldOptions): World {
  const world = createWorld(options);
  world.runUntil(() => world.pictures.at(-1)?.phase === 'IDLE', 5_000);
  world.deliver({ type: 'enter-pair', plan: world.plan() });
  world.runUntil(() => world.picture().phase === 'OPEN', 5_000);
  world.run(5_000);
  return world;
}

describe('a close that is refused', () => {
  /** The first close at `va` is refused; from then on the venue answers no question. */
  const refusedOnce = (code: string, refusal: 'transient' | 'rate-limit' | 'state'): World => {
    let refusals = 1;
    return opened({
      fateOf: (venue, { purpose }) => {
        if (venue !== 'va' || !CLOSES.has(purpose.purpose) || refusals === 0) return { type: 'fill' };
        refusals -= 1;
        return { type: 'refuse', code, class: refusal };
      },
    });
  };

  it.each([
    ['ORDER_RATE', 'transient'],
    ['23000', 'rate-limit'],
  ] as const)('for %s is sent again without asking: its leg stands alone meanwhile', (code, refusal) => {
    const world = refusedOnce(code, refusal);
    world.venues.a.queriesFail = true;
    world.deliver({ type: 'exit-pair', reason: 'MANUAL' });
    world.runUntil(() => world.picture().phase === 'CLOSED', 3_000);
    expect([world.venues.a.positionLots, world.venues.b.positionLots]).toEqual([0, 0]);
  });

  it('for the rate is sent again at the same distance from the market: its price was not at fault', () => {
    const world = refusedOnce('ORDER_RATE', 'transient');
    world.deliver({ type: 'exit-pair', reason: 'MANUAL' });
    world.runUntil(() => world.picture().phase === 'CLOSED', 3_000);
    const limits = world.venues.a.placed
      .filter(({ purpose }) => CLOSES.has(purpose.purpose))
      .map(({ order }) => order.limitTicks);
    expect(limits).toHaveLength(2);
    expect(limits[1]).toBe(limits[0]);
  });

  it('for the state of the account waits for the venue’s word: it may be flat already', () => {
    const world = refusedOnce('21614', 'state');
    world.venues.a.queriesFail = true;
    world.deliver({ type: 'exit-pair', reason: 'MANUAL' });
    world.run(3_000);
    expect(world.venues.a.placed.filter(({ purpose }) => CLOSES.has(purpose.purpose))).toHaveLength(1);
    world.venues.a.queriesFail = false;
    world.runUntil(() => world.picture().phase === 'CLOSED', 5_000);
  });
});

it('does not compare a leg while the answer to its order is on its way', () => {
  const world = opened({
    fateOf: (_venue, { purpose }) =>
      CLOSES.has(purpose.purpose) ? { type: 'fill', afterMs: 1_200 } : { type: 'fill' },
  });
  const before = [world.venues.a.compared, world.venues.b.compared];
  world.deliver({ type: 'exit-pair', reason: 'MANUAL' });
  world.runUntil(() => world.picture().phase === 'CLOSED', 5_000);
  expect([world.venues.a.compared, world.venues.b.compared]).toEqual(before);
});
