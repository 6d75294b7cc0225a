/** When an open pair leaves: the actor's own facts through the strategy's rules. */
import { describe, expect, it } from 'vitest';
import type { FundingRate } from '../../src/market/funding-rate.ts';
import type { PicoRate } from '../../src/money/units.ts';
import { BASE, createWorld, defaultArgs } from './position-world.ts';
import type { World } from './position-world.ts';
import { Example } from '../examples.ts';

function opened(exits: Partial<(typeof defaultArgs)['exits']['exit']> = {}): World {
  const world = createWorld({
    args: { exits: { ...defaultArgs.exits, exit: { ...defaultArgs.exits.exit, ...exits } } },
  });
  world.runUntil(() => world.pictures.at(-1)?.phase === 'IDLE', 5_000);
  world.deliver({ type: 'enter-pair', plan: world.plan() });
  world.runUntil(() => world.picture().phase === 'OPEN', 5_000);
  return world;
}

/** Tells a prediction of the coming settlement; hourly rate as a fraction. */
function predict(world: World, venue: 'va' | 'vb', hourly: number, settleInMs: number): void {
  const symbol = venue === 'va' ? 'BTC' : 'BTC-USD';
  const settleAtMs = world.now() + settleInMs;
  const rate: FundingRate = {
    venue,
    symbol,
    kind: 'predicted',
    raw: String(hourly),
    unit: { scale: 'fraction', perMs: 3_600_000 },
    hourly: Math.round(hourly * 1e12) as PicoRate,
    intervalMs: 3_600_000,
    settleAtMs,
    venueAtMs: world.now(),
  };
  const receivedAtMonotonicMs = world.stage().self.monotonicMs();
  world.deliver({
    type: 'funding-rate-changed',
    venue,
    symbol,
    base: BASE,
    kind: 'predicted',
    settleAtMs,
    rate,
    receivedAtMonotonicMs,
  });
}

describe('leaving', () => {
  it('happens once staying has lost under two different predictions', () => {
    const world = opened();
    predict(world, 'vb', 0.0001, 1_800_000);
    predict(world, 'va', -0.0001, 1_800_000);
    world.run(1_000);
    expect(world.picture().phase).toBe('OPEN');
    predict(world, 'vb', 0.00011, 1_800_000);
    world.runUntil(() => world.picture().phase === 'CLOSED', 5_000);
    expect(world.picture().reason).toBe('CARRY_REVERSED');
  });

  it('waits for a settlement that pays, until it is certainly booked', () => {
    const world = opened({ maxHoldHours: 0.001 });
    predict(world, 'va', 0.001, 60_000);
    predict(world, 'vb', -0.001, 60_000);
    world.run(30_000);
    expect(world.picture().phase).toBe('OPEN');
    world.run(30_000);
    expect(world.picture().phase).toBe('OPEN');
    world.runUntil(() => world.picture().phase === 'CLOSED', 20_000);
    expect(world.picture().reason).toBe('MAX_HOLD');
  });

  it('does not wait when the coming settlement costs', () => {
    // Predictions alone would not end it: the time is up, and waiting for this settlement is not worth it.
    const world = opened({ maxHoldHours: 0.001, confirm: 9 });
    predict(world, 'va', -0.001, 60_000);
    predict(world, 'vb', 0.001, 60_000);
    world.runUntil(() => world.picture().phase === 'CLOSED', 8_000);
    expect(world.picture().reason).toBe('MAX_HOLD');
  });

  it('takes a profit that can be had now, twice in a row', () => {
    const world = opened({ takeProfitQuote: 1 });
    predict(world, 'va', 0.0001, 1_800_000);
    predict(world, 'vb', -0.0001, 1_800_000);
    // The short leg's market falls by 100: closing now nets more than 2 quote.
    world.venues.a.bidTicks = 599_000;
    world.venues.a.askTicks = 599_010;
    world.runUntil(() => world.picture().phase === 'CLOSED', 5_000);
    expect(world.picture().reason).toBe('TAKE_PROFIT');
    expect(world.picture().closedNetMicro).toBeGreaterThan(1_000_000n);
    const told = world.logged.filter(({ event }) => event === 'exit-decided' || event === 'pair-leaving');
    expect(told.map(({ event }) => event)).toEqual(['exit-decided', 'pair-leaving']);
    expect(told[1]?.fields).toMatchObject({ reason: 'TAKE_PROFIT' });
  });

  it('EX-18: closes once, however often it is decided while the orders are in flight and after', (context) => {
    const inFlightMs = 1_500;
    const world = createWorld({
      fateOf: (_, { purpose }) =>
        purpose.purpose === 'close' ? { type: 'fill', afterMs: inFlightMs } : { type: 'fill' },
      args: { exits: { ...defaultArgs.exits, exit: { ...defaultArgs.exits.exit, takeProfitQuote: 1 } } },
    });
    world.runUntil(() => world.pictures.at(-1)?.phase === 'IDLE', 5_000);
    world.deliver({ type: 'enter-pair', plan: world.plan() });
    world.runUntil(() => world.picture().phase === 'OPEN', 5_000);
    predict(world, 'va', 0.0001, 1_800_000);
    predict(world, 'vb', -0.0001, 1_800_000);
    // The profit stays there to be taken at every evaluation from here on.
    world.venues.a.bidTicks = 599_000;
    world.venues.a.askTicks = 599_010;
    world.runUntil(() => world.picture().phase === 'CLOSING', 5_000);
    for (let again = 0; again < 3; again += 1) {
      world.deliver({ type: 'exit-pair', reason: 'TAKE_PROFIT' });
      world.run(300);
    }
    expect(world.picture().phase).toBe('CLOSING');
    world.runUntil(() => world.picture().phase === 'CLOSED', 5_000);
    world.deliver({ type: 'exit-pair', reason: 'TAKE_PROFIT' });
    world.run(5_000);
    expect(world.picture()).toMatchObject({ phase: 'CLOSED', reason: 'TAKE_PROFIT' });
    for (const venue of [world.venues.a, world.venues.b]) {
      expect(venue.placed.filter(({ order }) => order.reduceOnly)).toHaveLength(1);
      expect(venue.placed).toHaveLength(2);
      expect(venue.positionLots).toBe(0);
    }
    const venues = [world.venues.a, world.venues.b];
    const example = new Example('EX-18', context);
    const reducing = venues.flatMap(({ placed }) => placed.filter(({ order }) => order.reduceOnly));
    example.is('reduce-only orders', 2, reducing.length);
    example.is('lots left', '0, 0', venues.map(({ positionLots }) => positionLots).join(', '));
  });

  it('makes room for a better pair when asked to, not for another pair’s sake, and not long after', () => {
    const world = opened();
    const { pairId } = world.picture();
    world.deliver({ type: 'rotate-pair', pairId: 'another', detail: 'SOL a/b brings 9' });
    world.run(1_000);
    expect(world.picture().phase).toBe('OPEN');
    world.deliver({ type: 'rotate-pair', pairId, detail: 'SOL a/b brings 9' });
    world.runUntil(() => world.picture().phase === 'CLOSED', 5_000);
    expect(world.picture()).toMatchObject({ reason: 'ROTATION', rotatedAtMs: [world.picture().closedAtMs] });
    const { rotatedAtMs } = world.picture();
    world.crash(500);
    world.run(5_000);
    // The budget of the day outlives the life that used it.
    expect(world.picture().rotatedAtMs).toEqual(rotatedAtMs);
    for (const venue of [world.venues.a, world.venues.b]) expect(venue.positionLots).toBe(0);
  });

  it('lets a payment come before it makes room, and forgets a wish that is not repeated', () => {
    const world = opened();
    predict(world, 'va', 0.001, 60_000);
    predict(world, 'vb', -0.001, 60_000);
    world.deliver({ type: 'rotate-pair', pairId: world.picture().pairId, detail: 'SOL a/b brings 9' });
    world.run(80_000);
    expect(world.picture().phase).toBe('OPEN');
  });

  it('is left once the quote currencies of its legs have been apart for 10 s, and not entered again', () => {
    const world = createWorld();
    world.venues.b.instrument = { ...world.venues.b.instrument, quote: 'USDT' };
    world.run(2_000);
    world.deliver({ type: 'enter-pair', plan: world.plan() });
    world.run(500);
    expect(world.picture()).toMatchObject({ phase: 'IDLE', reason: 'STABLECOIN_UNKNOWN' });
    const rates = (rate: number): void =>
      world.deliver({ type: 'quote-rates-told', rates: [{ first: 'USDC', second: 'USDT', rate, samples: 5 }] });
    rates(1.002);
    world.deliver({ type: 'enter-pair', plan: world.plan() });
    world.runUntil(() => world.picture().phase === 'OPEN', 5_000);
    rates(1.011);
    world.run(9_000);
    expect(world.picture().phase).toBe('OPEN');
    world.runUntil(() => world.picture().phase === 'CLOSED', 3_000);
    expect(world.picture().reason).toBe('STABLECOIN_DEPEG');
    world.deliver({ type: 'enter-pair', plan: world.plan() });
    world.run(500);
    expect(world.picture()).toMatchObject({ phase: 'CLOSED', reason: 'STABLECOIN_DEPEG' });
    expect(world.venues.a.placed).toHaveLength(2);
  });

  it('is stopped by a loss that can be had now', () => {
    const world = opened({ stopLossPct: 0.2 });
    world.venues.a.bidTicks = 601_000;
    world.venues.a.askTicks = 601_010;
    world.runUntil(() => world.picture().phase === 'CLOSED', 5_000);
    expect(world.picture().reason).toBe('STOP_LOSS');
  });
});

describe('an open pair is watched', () => {
  const compared = (world: World, ms: number): readonly number[] => {
    const before = [world.venues.a.compared, world.venues.b.compared];
    world.run(ms);
    return [world.venues.a.compared, world.venues.b.compared].map((count, index) => count - (before[index] ?? 0));
  };

  it('more often the nearer its stop, with one question to each venue whatever is watched', () => {
    const world = opened({ stopLossPct: 10 });
    predict(world, 'va', 0.0001, 1_800_000);
    predict(world, 'vb', -0.0001, 1_800_000);
    // Its own comparisons of the start are over.
    world.run(3_000);
    expect(compared(world, 20_000)).toEqual([0, 0]);
    // 33 lots of 0.001: 2,400 against the short leg is 79 of the 130 quote at which it is stopped.
    world.venues.a.bidTicks = 624_000;
    world.venues.a.askTicks = 624_010;
    world.run(1_000);
    expect(compared(world, 20_000)).toEqual([4, 4]);
    // Beside the stop, both legs come near their liquidation: still one question each.
    world.venues.a.askTicks = 635_010;
    world.venues.a.bidTicks = 635_000;
    world.venues.a.liquidationPrice = 68_000;
    world.run(1_000);
    for (const count of compared(world, 20_000)) {
      expect(count).toBeGreaterThanOrEqual(17);
      expect(count).toBeLessThanOrEqual(20);
    }
    expect(world.picture().phase).toBe('OPEN');
    const told = world.logged.filter(({ event }) => event === 'pair-watched').map(({ fields }) => fields);
    expect(told).toMatchObject([
      { level: 'busy', was: 'calm', nearest: 'stop-loss' },
      { level: 'urgent', was: 'busy', nearest: 'stop-loss' },
    ]);
  });

  it('and told once in the log while it trembles at a level for minutes', () => {
    const world = opened({ stopLossPct: 10 });
    predict(world, 'va', 0.0001, 18_000_000);
    predict(world, 'vb', -0.0001, 18_000_000);
    world.run(3_000);
    for (let swing = 0; swing < 120; swing++) {
      // 79 and 109 of the 130 quote at which it is stopped: busy, urgent, busy.
      const ticks = swing % 2 === 0 ? 624_000 : 633_000;
      world.venues.a.bidTicks = ticks;
      world.venues.a.askTicks = ticks + 10;
      world.run(1_000);
    }
    expect(world.picture().phase).toBe('OPEN');
    expect(world.stage().counts.get('pairs-watched:urgent')).toBeGreaterThan(30);
    const told = world.logged.filter(({ event }) => event === 'pair-watched').map(({ fields }) => fields);
    expect(told).toMatchObject([{ level: 'busy', was: 'calm' }]);
  });
});

describe('marks of an open pair that are apart', () => {
  it('are told in parts of what an entry allows, until the pair is gone', () => {
    const world = opened();
    world.run(1_000);
    expect(world.picture().markDivergenceRatio).toBe(0);
    // Against 60,000.5, of which 30 bps are allowed: 75 bps.
    world.venues.a.markNano = 60_450_503_750_000n;
    world.run(1_000);
    expect(world.picture().markDivergenceRatio).toBeCloseTo(2.5, 3);
    world.deliver({ type: 'exit-pair', reason: 'MANUAL' });
    world.runUntil(() => world.picture().phase === 'CLOSED', 5_000);
    world.run(1_000);
    expect(world.picture()).not.toHaveProperty('markDivergenceRatio');
  });
});
