/** The stops that a position actor keeps at venues which have them, in a world with venues that fail and a life that ends. */
import { describe, expect, it } from 'vitest';
import type { OrderRequest } from '../../src/venues/venue.ts';
import { createWorld, defaultArgs } from './position-world.ts';
import type { VenueModel, World, WorldOptions } from './position-world.ts';

const STOPS = { va: { hasStops: true }, vb: { hasStops: true } } as const;

function opened(options: WorldOptions = {}): World {
  const world = createWorld({ instruments: STOPS, ...options });
  world.runUntil(() => world.pictures.at(-1)?.phase === 'IDLE', 5_000);
  world.deliver({ type: 'enter-pair', plan: world.plan() });
  world.runUntil(() => world.picture().phase === 'OPEN', 5_000);
  return world;
}

function protectedPair(options: WorldOptions = {}): World {
  const world = opened(options);
  world.runUntil(() => waiting(world.venues.a).length === 1 && waiting(world.venues.b).length === 1, 2_000);
  return world;
}

function waiting(venue: VenueModel): readonly OrderRequest[] {
  return [...venue.resting.values()].map(({ command }) => command.order).filter(({ trigger }) => trigger !== undefined);
}
/** The venue ends what waits there, and nobody hears of it. */
function endSilently(venue: VenueModel): void {
  for (const { clientOrderId } of waiting(venue)) {
    venue.resting.delete(clientOrderId);
    venue.ended.set(clientOrderId, { status: 'cancelled', filledLots: 0 });
  }
}
const reducing = (venue: VenueModel): readonly OrderRequest[] =>
  venue.placed.map(({ order }) => order).filter((order) => order.reduceOnly && order.trigger === undefined);
const held = (world: World): readonly number[] => [world.venues.a.positionLots, world.venues.b.positionLots];

describe('an open pair', () => {
  it('has one stop under each leg, that reduces only and stands before the liquidation', () => {
    const world = protectedPair();
    world.run(60_000);
    const [short] = waiting(world.venues.a);
    const [long] = waiting(world.venues.b);
    expect(short).toMatchObject({ side: 'buy', lots: 33, reduceOnly: true, postOnly: false, timeInForce: 'ioc' });
    expect(long).toMatchObject({ side: 'sell', lots: 33, reduceOnly: true });
    expect(short?.trigger).toMatchObject({ direction: 'rise' });
    expect(long?.trigger).toMatchObject({ direction: 'fall' });
    // At leverage 3 and 1.2 % maintenance the legs are liquidated near 79,050 and 40,490.
    expect(short?.trigger?.ticks).toBeGreaterThan(740_000);
    expect(short?.trigger?.ticks).toBeLessThan(760_000);
    expect(long?.trigger?.ticks).toBeGreaterThan(420_000);
    expect(long?.trigger?.ticks).toBeLessThan(435_000);
    for (const venue of [world.venues.a, world.venues.b])
      expect(venue.placed.filter(({ order }) => order.trigger)).toHaveLength(1);
  });

  it('wrote each of them down before it left, and counts none as an order under way', () => {
    const world = protectedPair();
    world.run(100);
    for (const venue of [world.venues.a, world.venues.b]) {
      const [stop] = waiting(venue);
      const planned = world.rows.findIndex(
        ({ id }) => id === `order-planned:${venue.name}:main:${stop?.clientOrderId}`,
      );
      const sent = world.rows.findIndex(({ id }) =>
        id.startsWith(`order:${venue.name}:main:${stop?.clientOrderId}:sending`),
      );
      expect(planned).toBeGreaterThan(0);
      expect(sent).toBeGreaterThan(planned);
    }
    expect(world.picture().liveOrders).toBe(0);
    world.deliver({ type: 'drain-position' });
    world.run(1_000);
    expect(world.picture()).toMatchObject({ phase: 'OPEN', drained: true });
    // Whoever stops the engine leaves positions behind: their stops stay.
    expect([...waiting(world.venues.a), ...waiting(world.venues.b)]).toHaveLength(2);
  });

  it.each([
    [
      'stops are turned off',
      { args: { exits: { ...defaultArgs.exits, liquidation: { ...defaultArgs.exits.liquidation, stopDistance: 0 } } } },
    ],
    ['the venues have none', { instruments: {} }],
  ])('has none where %s', (_, options) => {
    const world = opened(options);
    world.run(30_000);
    expect([...waiting(world.venues.a), ...waiting(world.venues.b)]).toEqual([]);
  });

  it('moves a stop when the venue says that the liquidation is nearer, and has never two', () => {
    const world = protectedPair();
    const before = waiting(world.venues.b)[0]?.trigger?.ticks ?? 0;
    world.venues.b.liquidationPrice = 45_000;
    world.deliver({
      type: 'position-reported',
      venue: 'vb',
      account: 'main',
      symbol: 'BTC-USD',
      signedLots: 33,
      liquidationPrice: 45_000,
      source: 'stream',
      sequence: 1_000_000,
      receivedAtMonotonicMs: Number.MAX_SAFE_INTEGER,
    });
    world.runUntil(() => {
      expect(waiting(world.venues.b).length).toBeLessThan(2);
      return (waiting(world.venues.b)[0]?.trigger?.ticks ?? 0) > before;
    }, 120_000);
    expect(waiting(world.venues.b)[0]?.trigger?.ticks).toBe(Math.round(450_000 / 0.95));
  });

  it('does not ask again and again what the venue refuses for good', () => {
    const world = opened({
      fateOf: (_, { order }) => (order.trigger === undefined ? { type: 'fill' } : { type: 'refuse' }),
    });
    world.run(120_000);
    for (const venue of [world.venues.a, world.venues.b])
      expect(venue.placed.filter(({ order }) => order.trigger)).toHaveLength(1);
    expect(world.picture().phase).toBe('OPEN');
  });
});

describe('a pair that is left', () => {
  it('is closed in full although its stops wait, and takes them along', () => {
    const world = protectedPair();
    world.deliver({ type: 'exit-pair', reason: 'MANUAL' });
    world.runUntil(() => world.picture().phase === 'CLOSED', 5_000);
    expect(held(world)).toEqual([0, 0]);
    for (const venue of [world.venues.a, world.venues.b]) expect(reducing(venue).map(({ lots }) => lots)).toEqual([33]);
    world.runUntil(() => waiting(world.venues.a).length + waiting(world.venues.b).length === 0, 5_000);
  });

  it('is followed by no other while a stop of it may still be executed', () => {
    const world = protectedPair();
    world.venues.a.cancelsLost = 1_000;
    world.deliver({ type: 'exit-pair', reason: 'MANUAL' });
    world.runUntil(() => world.picture().phase === 'CLOSED', 5_000);
    world.deliver({ type: 'enter-pair', plan: world.plan() });
    world.run(200);
    expect(world.picture()).toMatchObject({ phase: 'CLOSED', reason: 'STOP_NOT_ENDED' });
    world.venues.a.cancelsLost = 0;
    world.runUntil(() => waiting(world.venues.a).length === 0, 5_000);
    world.run(100);
    world.deliver({ type: 'enter-pair', plan: world.plan() });
    world.runUntil(() => world.picture().phase === 'OPEN', 5_000);
  });
});

describe('a stop that is reached', () => {
  it('ends its pair: the other leg follows at once, and the books say whose the fills are', () => {
    const world = protectedPair();
    world.reachStops(world.venues.a);
    world.runUntil(() => world.picture().phase === 'CLOSED', 5_000);
    expect(held(world)).toEqual([0, 0]);
    expect(world.picture()).toMatchObject({ reason: 'LEG_MISSING', closedPairs: 1 });
    expect(world.unhedged.longestMs).toBeLessThan(1_500);
    // An order of ours did it: nobody has to clear the symbol.
    expect(world.picture().entryBlock).toBeUndefined();
    expect(world.logged.filter(({ event }) => event === 'external-fill' || event === 'leg-reduced')).toEqual([]);
  });

  it('in part is followed by the other leg', () => {
    const world = protectedPair();
    world.reachStops(world.venues.a, 0.5);
    world.runUntil(() => held(world)[0] === -17 && held(world)[1] === 17, 10_000);
    world.runUntil(() => waiting(world.venues.a)[0]?.lots === 17 && waiting(world.venues.b)[0]?.lots === 17, 60_000);
    expect(world.picture().phase).toBe('OPEN');
  });

  it('while the engine is dead is found when it lives again', () => {
    const world = protectedPair();
    world.crash(30_000);
    world.run(1_000);
    world.reachStops(world.venues.a);
    world.runUntil(() => world.pictures.at(-1)?.phase === 'CLOSED', 60_000);
    expect(held(world)).toEqual([0, 0]);
    world.runUntil(() => waiting(world.venues.b).length === 0, 5_000);
  });
});

describe('a venue that was away', () => {
  it('and ended a stop meanwhile gets another one', () => {
    const world = protectedPair();
    world.venues.a.dark = true;
    world.run(5_000);
    endSilently(world.venues.a);
    world.run(5_000);
    world.venues.a.dark = false;
    world.runUntil(() => waiting(world.venues.a).length === 1, 30_000);
    expect(world.picture().phase).toBe('OPEN');
  });
});

describe('a restart', () => {
  it('keeps the stops it finds', () => {
    const world = protectedPair();
    const before = [waiting(world.venues.a), waiting(world.venues.b)];
    world.crash(5_000);
    world.runUntil(() => world.pictures.at(-1)?.phase === 'RECOVERING', 10_000);
    world.runUntil(() => world.pictures.at(-1)?.phase === 'OPEN', 20_000);
    world.run(60_000);
    expect([waiting(world.venues.a), waiting(world.venues.b)]).toEqual(before);
  });

  it('places a stop anew that the venue ended meanwhile', () => {
    const world = protectedPair();
    const before = waiting(world.venues.b);
    world.crash(5_000);
    endSilently(world.venues.a);
    world.runUntil(() => world.pictures.at(-1)?.phase === 'RECOVERING', 10_000);
    world.runUntil(() => waiting(world.venues.a).length === 1, 60_000);
    world.run(30_000);
    expect(waiting(world.venues.a)).toHaveLength(1);
    expect(waiting(world.venues.b)).toEqual(before);
    expect(world.picture().phase).toBe('OPEN');
  });

  it('in the middle of placing one ends with one, whether or not it had left', () => {
    for (const row of [1, 2, 3, 4, 5, 6]) {
      const world = opened();
      world.crashAtRow(world.rows.length + row, 3_000);
      world.runUntil(() => world.pictures.at(-1)?.phase === 'RECOVERING', 30_000);
      world.runUntil(() => world.pictures.at(-1)?.phase === 'OPEN', 30_000);
      world.runUntil(() => waiting(world.venues.a).length === 1 && waiting(world.venues.b).length === 1, 60_000);
      world.deliver({ type: 'exit-pair', reason: 'MANUAL' });
      world.runUntil(() => world.picture().phase === 'CLOSED', 10_000);
      world.runUntil(() => waiting(world.venues.a).length + waiting(world.venues.b).length === 0, 10_000);
      expect(held(world)).toEqual([0, 0]);
    }
  });
});
