/** Legs that a venue makes smaller, and legs that are made smaller because their venue is about to. */
import { describe, expect, it } from 'vitest';
import { foldBook } from '../../src/execution/execution-book.ts';
import { bookOf } from '../../src/execution/ledger.ts';
import type { QuantityLots } from '../../src/money/units.ts';
import { createWorld, defaultArgs } from './position-world.ts';
import type { VenueModel, World, WorldOptions } from './position-world.ts';

function opened(options: WorldOptions = {}): World {
  const world = createWorld(options);
  world.runUntil(() => world.pictures.at(-1)?.phase === 'IDLE', 5_000);
  world.deliver({ type: 'enter-pair', plan: world.plan() });
  world.runUntil(() => world.picture().phase === 'OPEN', 5_000);
  return world;
}
const told = (world: World, name: string): readonly unknown[] =>
  world.logged.filter(({ event }) => event === name).map(({ fields }) => fields);
const reducing = (venue: VenueModel): readonly number[] =>
  venue.placed.filter(({ order }) => order.reduceOnly).map(({ order }) => order.lots);
/** Tells the venue's word on its position again, with what the model says of it now. */
function retell(world: World, venue: VenueModel): void {
  const { instrument, positionLots, liquidationPrice, adlRank } = venue;
  world.deliver({
    type: 'position-reported',
    venue: venue.name,
    account: 'main',
    symbol: instrument.symbol,
    signedLots: positionLots,
    ...(liquidationPrice === undefined ? {} : { liquidationPrice }),
    ...(adlRank === undefined ? {} : { adlRank }),
    source: 'stream',
    sequence: 100_000,
    receivedAtMonotonicMs: world.stage().self.monotonicMs(),
  });
}

/** The venue's least order grows. */
function relist(venue: VenueModel, minLots: number): void {
  venue.instrument = { ...venue.instrument, minQuantityLots: minLots as QuantityLots };
}

describe('a leg the venue liquidated', () => {
  it('is booked at the price and fee of its fill, told with its cause, and the other leg follows at once', () => {
    const world = opened();
    const atMs = world.now();
    world.external(world.venues.a, 33, 'liquidation');
    world.runUntil(() => world.venues.b.positionLots === 0, 1_000);
    expect(world.now() - atMs).toBeLessThan(200);
    world.runUntil(() => world.picture().phase === 'CLOSED', 5_000);
    expect(world.picture().reason).toBe('LIQUIDATION');
    expect(told(world, 'leg-reduced')).toMatchObject([
      { leg: 'short', venue: 'va', cause: 'liquidation', takenLots: 33, leftLots: 0 },
    ]);
    // Sold at 60,000.0, bought back at 60,001.0: 0.033 x 1.0, fees 0.
    expect(bookOf(world.stage().state().book.ledger, { venue: 'va', account: 'main', symbol: 'BTC' })).toMatchObject({
      signedLots: 0,
      realisedMicro: -33_000n,
      feesMicro: 0n,
      adjustments: 0,
    });
    expect(reducing(world.venues.a)).toEqual([]);
    expect(reducing(world.venues.b)).toEqual([33]);
  });

  it('ends the pair also when only a part was taken: the venue is taking the rest too', () => {
    const world = opened();
    world.external(world.venues.a, 5, 'liquidation');
    world.runUntil(() => world.picture().phase === 'CLOSED', 5_000);
    expect(world.picture().reason).toBe('LIQUIDATION');
    expect([world.venues.a.positionLots, world.venues.b.positionLots]).toEqual([0, 0]);
  });

  it('keeps the symbol out of the market until a person clears it, through a restart too', () => {
    const world = opened();
    world.external(world.venues.a, 33, 'liquidation');
    world.runUntil(() => world.picture().phase === 'CLOSED', 5_000);
    expect(world.picture().entryBlock).toContain('va took 33 lots of BTC (liquidation)');
    world.crash(500);
    world.run(5_000);
    world.deliver({ type: 'enter-pair', plan: world.plan() });
    world.run(1_000);
    expect(world.picture().phase).toBe('CLOSED');
    expect(world.venues.a.placed).toHaveLength(1);
    world.deliver({ type: 'clear-entry-blocks', reason: 'topped up' });
    world.run(1_000);
    expect(world.picture().entryBlock).toBeUndefined();
    world.deliver({ type: 'enter-pair', plan: world.plan() });
    world.runUntil(() => world.picture().phase === 'OPEN', 5_000);
    world.crash(500);
    world.run(5_000);
    expect(world.picture().entryBlock).toBeUndefined();
    expect(foldBook(world.rows).ledger).toEqual(world.stage().state().book.ledger);
  });
});

describe('a leg the venue deleveraged', () => {
  it('is followed down by the other leg at once and every time, without the pause between rebalancings', () => {
    const world = opened();
    world.external(world.venues.a, 10, 'adl');
    world.runUntil(() => world.venues.b.positionLots === 23, 1_000);
    world.run(1_000);
    world.external(world.venues.a, 4, 'adl');
    world.runUntil(() => world.venues.b.positionLots === 19, 1_000);
    world.runUntil(() => world.picture().phase === 'OPEN', 5_000);
    expect(world.picture().reason).toBe('REBALANCED');
    expect(told(world, 'leg-reduced')).toMatchObject([
      { cause: 'adl', takenLots: 10, leftLots: -23 },
      { cause: 'adl', takenLots: 4, leftLots: -19 },
    ]);
    expect(reducing(world.venues.b)).toEqual([10, 4]);
  });

  it('is followed below the thresholds of ordinary drift', () => {
    const { execution } = defaultArgs;
    const world = opened({ args: { execution: { ...execution, delta: { ...execution.delta, maxRatio: 0.04 } } } });
    // 1 of 33 lots is 60 quote of 150, and 4 % of a leg would be drift.
    world.external(world.venues.a, 1, 'adl');
    world.runUntil(() => world.venues.b.positionLots === 32, 1_000);
  });

  it('is accepted where the difference is less than the larger leg’s venue takes as an order', () => {
    const world = opened();
    relist(world.venues.b, 4);
    world.run(1_000);
    world.external(world.venues.a, 3, 'adl');
    world.run(40_000);
    // 180 quote would be drift worth trimming; an order of 3 lots would be refused, and the pair closed for it.
    expect(world.picture().phase).toBe('OPEN');
    expect([world.venues.a.positionLots, world.venues.b.positionLots]).toEqual([-30, 33]);
    expect(reducing(world.venues.b)).toEqual([]);
    world.external(world.venues.a, 1, 'adl');
    world.runUntil(() => world.venues.b.positionLots === 29, 1_000);
  });

  it('ends the pair when what is left is less than the venue accepts as an order', () => {
    const world = opened();
    relist(world.venues.b, 10);
    world.run(1_000);
    world.external(world.venues.a, 32, 'adl');
    world.runUntil(() => world.picture().phase === 'CLOSED', 5_000);
    expect(world.picture().reason).toBe('BELOW_MINIMUM');
    expect([world.venues.a.positionLots, world.venues.b.positionLots]).toEqual([0, 0]);
  });

  it('is found without its fill too, booked at mark and proven by two comparisons', () => {
    const world = opened();
    world.venues.a.positionLots += 10;
    retell(world, world.venues.a);
    world.runUntil(() => world.venues.b.positionLots === 23, 20_000);
    expect(told(world, 'leg-reduced')).toMatchObject([{ cause: 'external', takenLots: 10, leftLots: -23 }]);
    expect(world.picture().entryBlock).toContain('external');
  });
});

describe('a leg near its liquidation', () => {
  it('has both legs made smaller, by what brings it back to the distance of a new leg', () => {
    const world = opened();
    const { a, b } = world.venues;
    // 12 % above the mark of 60,000.5: below 15 %, above 10 %.
    a.liquidationPrice = 67_200;
    retell(world, a);
    world.runUntil(() => b.positionLots < 33 && a.positionLots > -33, 2_000);
    // Equity for 12 % over equity for 25 %: ((1.12)(1.012) - 1) / ((1.25)(1.012) - 1) = 0.5036 of 33 lots.
    world.run(100);
    expect([a.positionLots, b.positionLots]).toEqual([-16, 16]);
    a.liquidationPrice = 75_100;
    retell(world, a);
    world.runUntil(() => world.picture().phase === 'OPEN', 5_000);
    expect(world.picture().reason).toBe('REDUCED');
    world.run(60_000);
    expect([a.positionLots, b.positionLots]).toEqual([-16, 16]);
    expect(told(world, 'reduce-decided')).toMatchObject([{ reason: 'LIQUIDATION' }]);
  });

  it('goes on after a crash in the middle', () => {
    const world = opened({
      fateOf: (venue, { purpose }) =>
        purpose.purpose === 'rebalance' && venue === 'vb' ? { type: 'fill', afterMs: 400 } : { type: 'fill' },
    });
    const { a, b } = world.venues;
    a.liquidationPrice = 67_200;
    retell(world, a);
    world.runUntil(() => a.positionLots > -33, 2_000);
    world.crash(1_000);
    a.liquidationPrice = 75_100;
    world.run(15_000);
    expect(world.picture().phase).toBe('OPEN');
    expect([a.positionLots, b.positionLots]).toEqual([-16, 16]);
  });

  it('is closed where half of it would be too little to hold', () => {
    const world = opened();
    relist(world.venues.b, 20);
    world.run(1_000);
    world.venues.a.liquidationPrice = 67_200;
    retell(world, world.venues.a);
    world.runUntil(() => world.picture().phase === 'CLOSED', 5_000);
    expect(world.picture().reason).toBe('LIQUIDATION');
  });

  it('is told with the transfer that would help, once the other venue has it', () => {
    const world = opened();
    world.venues.a.liquidationPrice = 70_800;
    retell(world, world.venues.a);
    world.run(2_000);
    // 1980.0165 x (0.012 + 1/3) less the equity of 18 % (1.18 x 1.012 - 1 = 0.19416): 299.38.
    const [advised] = told(world, 'margin-transfer-advised') as readonly { amountQuote: number }[];
    expect(advised).toMatchObject({ from: 'vb:main', to: 'va:main' });
    expect(advised?.amountQuote).toBeCloseTo(299.3, 0);
    expect(told(world, 'liquidation-near')).toHaveLength(1);
    expect(world.picture().phase).toBe('OPEN');
  });

  it('is left before it is deleveraged, when it is next in the queue and has a profit', () => {
    const world = opened();
    world.venues.a.adlRank = 1;
    retell(world, world.venues.a);
    world.run(2_000);
    expect(world.picture().phase).toBe('OPEN');
    world.venues.a.markNano = 59_900_000_000_000n;
    world.runUntil(() => world.picture().phase === 'CLOSED', 5_000);
    expect(world.picture().reason).toBe('ADL_RISK');
  });
});

it('leaves while legs are being brought together when what happens does not wait', () => {
  const world = opened({
    fateOf: (_, { purpose }) =>
      purpose.purpose === 'rebalance' ? { type: 'refuse', class: 'transient' } : { type: 'fill' },
    args: { execution: { ...defaultArgs.execution, hedge: { ...defaultArgs.execution.hedge, attemptMs: 60_000 } } },
  });
  world.external(world.venues.a, 10, 'adl');
  world.runUntil(() => world.picture().phase === 'REBALANCING', 2_000);
  world.venues.b.liquidationPrice = 57_000;
  retell(world, world.venues.b);
  world.runUntil(() => world.picture().reason === 'LIQUIDATION', 2_000);
});
