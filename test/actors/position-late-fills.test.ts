/** Differences that were booked before the fill behind them came in: it must neither be traded away nor take the pair's lots along. */
import { expect, it } from 'vitest';
import { foldBook } from '../../src/execution/execution-book.ts';
import { bookOf, pairLots } from '../../src/execution/ledger.ts';
import { createWorld, defaultArgs } from './position-world.ts';
import type { World, WorldOptions } from './position-world.ts';

const KEY = { venue: 'va', account: 'main', symbol: 'BTC' };
const LATE_MS = 40_000;

function ready(options: WorldOptions = {}): World {
  const world = createWorld(options);
  world.runUntil(() => world.pictures.at(-1)?.phase === 'IDLE', 5_000);
  world.deliver({ type: 'enter-pair', plan: world.plan() });
  return world;
}
function opened(): World {
  const world = ready();
  world.runUntil(() => world.picture().phase === 'OPEN', 5_000);
  return world;
}
const told = (world: World, event: string): readonly unknown[] =>
  world.logged.filter((entry) => entry.event === event).map(({ fields }) => fields);
const adjusted = (world: World): number => told(world, 'position-adjusted').length;
const reducing = (world: World): readonly string[] =>
  [world.venues.a, world.venues.b].flatMap(({ name, placed }) =>
    placed.filter(({ order }) => order.reduceOnly).map(({ order }) => `${name} ${order.lots}`),
  );
/** Lots of the short leg that are the pair's, and all that its account holds by our books. */
const shortLeg = (world: World): readonly [own: number, held: number] => {
  const { ledger } = world.stage().state().book;
  return [pairLots(ledger, world.picture().pairId, KEY), bookOf(ledger, KEY).signedLots];
};

it('a reduction is told once and followed once: the rest stays the pair’s when its fill comes after all', () => {
  const world = opened();
  world.externalUnseen(world.venues.a, 13, LATE_MS);
  world.runUntil(() => adjusted(world) === 1 && world.venues.b.positionLots === 20, LATE_MS);
  world.run(LATE_MS);
  world.run(60_000);
  expect(told(world, 'external-fill')).toHaveLength(1);
  expect(adjusted(world)).toBe(2);
  expect(shortLeg(world)).toEqual([-20, -20]);
  expect(world.picture().phase).toBe('OPEN');
  expect(told(world, 'leg-reduced')).toMatchObject([{ cause: 'external', takenLots: 13, leftLots: -20 }]);
  expect(told(world, 'external-exposure')).toEqual([]);
  expect(reducing(world)).toEqual(['vb 13']);
  expect(foldBook(world.rows).ledger).toEqual(world.stage().state().book.ledger);

  world.deliver({ type: 'exit-pair', reason: 'MANUAL' });
  world.runUntil(() => world.picture().phase === 'CLOSED', 10_000);
  expect([world.venues.a.positionLots, world.venues.b.positionLots]).toEqual([0, 0]);
});

it('an increase beside an open pair stays somebody else’s, before its fill and after', () => {
  const world = opened();
  world.externalUnseen(world.venues.a, -7, LATE_MS);
  world.runUntil(() => adjusted(world) === 1, LATE_MS);
  expect(shortLeg(world)).toEqual([-33, -40]);
  world.run(LATE_MS);
  world.run(60_000);
  expect(adjusted(world)).toBe(2);
  expect(shortLeg(world)).toEqual([-33, -40]);
  expect(told(world, 'external-exposure')).toMatchObject([{ venue: 'va', lots: -7 }]);
  expect(reducing(world)).toEqual([]);

  world.deliver({ type: 'exit-pair', reason: 'MANUAL' });
  world.runUntil(() => world.picture().phase === 'CLOSED', 10_000);
  expect([world.venues.a.positionLots, world.venues.b.positionLots]).toEqual([-7, 0]);
});

it('lots that an order without an end seemed to have executed are given up once their fill names somebody else', () => {
  const { execution } = defaultArgs;
  const world: World = ready({
    args: { execution: { ...execution, exposure: { oneVenueMsMax: 600_000 } } },
    // The order of the short leg vanishes without a word, and cannot be asked about.
    fateOf: (venue, { purpose }) => {
      if (venue !== 'va' || purpose.purpose !== 'open') return { type: 'fill' };
      world.venues.a.unprovable = true;
      return { type: 'silent', executedLots: 0 };
    },
  });
  world.run(500);
  // Somebody sells what our order would have.
  world.externalUnseen(world.venues.a, -33, 2 * LATE_MS);
  world.runUntil(() => world.picture().phase === 'OPEN', 2 * LATE_MS);
  expect(shortLeg(world)).toEqual([-33, -33]);
  world.runUntil(() => told(world, 'external-fill').length === 1, 2 * LATE_MS);
  world.run(60_000);
  // Whoever sold them holds them still, and our long leg does not stand alone.
  expect([world.venues.a.positionLots, world.venues.b.positionLots]).toEqual([-33, 0]);
  expect(reducing(world)).toEqual(['vb 33']);
  expect(told(world, 'external-exposure')).toMatchObject([{ venue: 'va', lots: -33 }]);
  expect(told(world, 'leg-reduced')).toEqual([]);
});
