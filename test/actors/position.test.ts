import { describe, expect, it } from 'vitest';
import { encodeClientOrderId } from '../../src/execution/client-order-id.ts';
import { foldBook } from '../../src/execution/execution-book.ts';
import { bookOf } from '../../src/execution/ledger.ts';
import type { MicroUnits, PriceTicks, QuantityLots } from '../../src/money/units.ts';
import { createWorld, defaultArgs } from './position-world.ts';
import type { World } from './position-world.ts';
import { Example } from '../examples.ts';

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

function settled(world: World, settleAtMs: number): void {
  world.deliver({
    type: 'funding-rate-changed',
    venue: 'va',
    symbol: 'BTC',
    base: 'BTC',
    kind: 'settled',
    settleAtMs,
    rate: {
      venue: 'va',
      symbol: 'BTC',
      kind: 'settled',
      raw: '0.0001',
      unit: { scale: 'fraction', perMs: 3_600_000 },
      hourly: 100_000_000 as never,
      intervalMs: 3_600_000,
      settleAtMs,
      venueAtMs: settleAtMs,
    },
    receivedAtMonotonicMs: 0,
  });
}

function paid(world: World, paymentId: string, settledAtMs: number, amountMicro: bigint): void {
  world.payFunding({
    type: 'funding-paid',
    venue: 'va',
    account: 'main',
    symbol: 'BTC',
    payment: {
      paymentId,
      symbol: 'BTC',
      amountMicro: amountMicro as never,
      rate: 0 as never,
      signedLots: -33 as never,
      settledAtMs,
    },
  });
}

/** What was told of payments that are wrong or did not come. */
function fundingAlarms(world: World): readonly string[] {
  return world.logged.filter(({ event }) => event.startsWith('funding-')).map(({ event }) => event);
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
    expect(world.venues.a.placed[0]?.order).toMatchObject({
      side: 'sell',
      lots: 33,
      reduceOnly: false,
      timeInForce: 'ioc',
    });
    expect(world.venues.b.placed[0]?.order).toMatchObject({
      side: 'buy',
      lots: 33,
      reduceOnly: false,
      timeInForce: 'ioc',
    });
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

describe('an entry that goes wrong', () => {
  const busy = { type: 'refuse', code: 'OVERLOADED', class: 'transient' } as const;

  it('is tried again when both venues were only too busy, at the planned limits and with pauses that grow', () => {
    const world = opened({ fateOf: (_, { purpose }) => (purpose.attempt <= 2 ? busy : { type: 'fill' }) });
    for (const { placed } of [world.venues.a, world.venues.b]) {
      expect(placed.map(({ purpose }) => [purpose.purpose, purpose.attempt])).toEqual([
        ['open', 1],
        ['open', 2],
        ['open', 3],
      ]);
      expect(new Set(placed.map(({ order }) => order.limitTicks)).size).toBe(1);
      const [first = 0, second = 0, third = 0] = placed.map(({ order }) => order.validUntilMs);
      expect(second - first).toBeGreaterThanOrEqual(400);
      expect(third - second).toBeGreaterThanOrEqual(800);
    }
  });

  it.each([
    ['the venues stay busy', () => busy, () => undefined],
    [
      'one took its leg and found nobody',
      (venue: string) => (venue === 'va' ? busy : ({ type: 'fill', lots: 0 } as const)),
      () => undefined,
    ],
    ['a gate has closed meanwhile', () => busy, (world: World) => world.engine('ARMED')],
    [
      'the guard holds back entries meanwhile',
      () => busy,
      (world: World) =>
        world.deliver({
          type: 'engine-state-changed',
          state: 'TRADING',
          reason: 'losses in a row',
          flatten: false,
          entriesPaused: true,
        }),
    ],
    [
      'a position that no pair explains has appeared meanwhile',
      () => busy,
      (world: World) => world.external(world.venues.a, 50),
    ],
    [
      'somebody asked to leave meanwhile',
      () => busy,
      (world: World) => world.deliver({ type: 'exit-pair', reason: 'MANUAL' }),
    ],
  ] as const)('is given up when %s', (what, fateOf, meanwhile) => {
    const world = ready({ fateOf });
    world.deliver({ type: 'enter-pair', plan: world.plan() });
    world.runUntil(() => world.venues.a.placed.length > 0, 1_000);
    meanwhile(world);
    world.runUntil(() => world.picture().phase === 'FAILED', 6_000);
    for (const { placed } of [world.venues.a, world.venues.b])
      expect(placed).toHaveLength(what === 'the venues stay busy' ? 4 : 1);
    expect(world.venues.b.positionLots).toBe(0);
    expect(world.picture()).toMatchObject({ closedPairs: 0 });
  });

  it('fails without a trade when both venues refuse, and pauses longer each time', () => {
    const world = ready({ fateOf: () => ({ type: 'refuse' }) });
    world.deliver({ type: 'enter-pair', plan: world.plan() });
    world.runUntil(() => world.picture().phase === 'FAILED', 2_000);
    expect(world.picture()).toMatchObject({
      reason: 'REJECTED: MARGIN',
      closedPairs: 0,
      feesMicro: 0n,
      realisedMicro: 0n,
    });
    const firstPause = world.picture().cooldownUntilMs - world.picture().closedAtMs;
    expect(firstPause).toBe(60_000);

    world.deliver({ type: 'enter-pair', plan: world.plan() });
    expect(world.picture()).toMatchObject({ phase: 'FAILED', reason: 'COOLDOWN' });
    world.run(61_000);
    world.deliver({ type: 'enter-pair', plan: world.plan() });
    world.runUntil(() => world.picture().phase === 'FAILED' && world.picture().reason !== 'COOLDOWN', 2_000);
    expect(world.picture().cooldownUntilMs - world.picture().closedAtMs).toBe(240_000);
  });

  it('completes a leg that was filled in part, with a hedge that waited for its result', () => {
    const world = opened({
      fateOf: (venue, command) =>
        venue === 'vb' && command.purpose.purpose === 'open' ? { type: 'fill', lots: 20 } : { type: 'fill' },
    });
    expect(
      world.venues.b.placed.map(({ order, purpose }) => [
        purpose.purpose,
        purpose.attempt,
        order.lots,
        order.reduceOnly,
      ]),
    ).toEqual([
      ['open', 1, 33, false],
      ['hedge', 2, 13, false],
    ]);
    expect(world.picture()).toMatchObject({ long: { signedLots: 33 }, short: { signedLots: -33 } });
  });

  it('waits between two rungs for as long as a venue holds orders back, too', () => {
    const rungs = (delayed: Partial<World['venues']['b']['instrument']>): readonly number[] => {
      const world = opened({
        instruments: { vb: delayed },
        fateOf: (venue, { purpose }) =>
          venue === 'vb' && purpose.attempt < 3 ? { type: 'fill', lots: 10 } : { type: 'fill' },
      });
      return world.venues.b.placed.map(({ order }) => order.validUntilMs);
    };
    const [, plainFirst = 0, plainSecond = 0] = rungs({});
    expect(plainSecond - plainFirst).toBeGreaterThanOrEqual(400);
    expect(plainSecond - plainFirst).toBeLessThan(600);
    const [, first = 0, second = 0] = rungs({ takerDelayMs: 300 });
    expect(second - first).toBeGreaterThanOrEqual(700);
  });

  it('measures the completion from the price that was planned, not from the limit above it', () => {
    const world = ready({
      fateOf: (venue, command) =>
        venue === 'vb' && command.purpose.purpose === 'open' ? { type: 'fill', lots: 20 } : { type: 'fill' },
    });
    const plan = world.plan();
    // The ask is 33 bps above the planned average and below the limit; 30 bps is the most a completion may cost.
    world.deliver({ type: 'enter-pair', plan: { ...plan, long: { ...plan.long, vwapTicks: 598_000.5 } } });
    world.runUntil(() => world.picture().phase === 'CLOSED', 5_000);
    expect(world.picture().reason).toBe('UNWIND_CHEAPER');
    expect(world.venues.b.placed.map(({ purpose }) => purpose.purpose)).toEqual(['open', 'unwind']);
  });

  it.each([
    ['permanent', ['open', 'unwind'], ['open']],
    ['state', ['open', 'unwind'], ['open', 'hedge']],
  ] as const)(
    'does not try for long against the same %s refusal: the filled leg is undone at once',
    (refusal, filledLeg, refusedLeg) => {
      const world = ready({
        fateOf: (venue, command) =>
          venue === 'vb' && !command.order.reduceOnly
            ? { type: 'refuse', code: 'PRICE_COLLAR', class: refusal }
            : { type: 'fill' },
      });
      world.deliver({ type: 'enter-pair', plan: world.plan() });
      world.runUntil(() => world.venues.a.positionLots !== 0, 1_000);
      const aloneAtMs = world.now();
      world.runUntil(() => world.venues.a.positionLots === 0, 1_500);
      // Two rungs of the ladder at most, where there are four.
      expect(world.now() - aloneAtMs).toBeLessThan(2 * 400);
      world.runUntil(() => world.picture().phase === 'CLOSED', 5_000);
      expect(world.venues.a.placed.map(({ purpose }) => purpose.purpose)).toEqual(filledLeg);
      expect(world.venues.b.placed.map(({ purpose }) => purpose.purpose)).toEqual(refusedLeg);
      expect(world.picture().reason).toContain('PRICE_COLLAR');
    },
  );

  it.each([
    ['long', { limitTicks: 607_000 }, 'LAST_GATE_PRICE_COLLAR'],
    ['short', { limitTicks: 593_000 }, 'LAST_GATE_PRICE_COLLAR'],
    ['short', { lots: 84 }, 'LAST_GATE_NOTIONAL'],
  ] as const)('sends neither leg when the last gate would deny the %s one', (side, change, refusal) => {
    const world = ready();
    const plan = world.plan();
    world.deliver({ type: 'enter-pair', plan: { ...plan, [side]: { ...plan[side], ...change } } });
    world.run(1_000);
    expect(world.picture()).toMatchObject({ phase: 'IDLE', reason: refusal });
    expect([...world.venues.a.placed, ...world.venues.b.placed]).toEqual([]);
  });

  it('sends neither leg before the venue has confirmed the leverage', () => {
    const world = ready();
    world.venues.a.leverage = 10;
    world.run(1_000);
    world.deliver({ type: 'enter-pair', plan: world.plan() });
    world.run(1_000);
    expect(world.picture()).toMatchObject({ phase: 'IDLE', reason: 'LEVERAGE_MISMATCH' });
    expect([...world.venues.a.placed, ...world.venues.b.placed]).toEqual([]);
  });

  it('sends neither leg when prices left the collar while the plan was being written', () => {
    const world = ready();
    world.deliver({ type: 'enter-pair', plan: world.plan() });
    world.deliver({
      type: 'mark-changed',
      venue: 'va',
      symbol: 'BTC',
      base: 'BTC',
      markNano: 60_600_000_000_000n,
      indexNano: 60_700_000_000_000n,
      venueAtMs: world.now(),
      receivedAtMonotonicMs: 10_000,
    });
    world.runUntil(() => world.picture().phase === 'FAILED', 1_000);
    expect(world.picture().reason).toBe('LAST_GATE_PRICE_COLLAR');
    expect([...world.venues.a.placed, ...world.venues.b.placed]).toEqual([]);
  });

  it.each([
    ['a settlement is seconds away', 'SETTLE_WINDOW', (world) => world.run(1_785_500)],
    ['the book moved past the limit price', 'DEPTH', (world) => (world.venues.b.askTicks = 600_400)],
    ['the spread opened', 'SPREAD', (world) => (world.venues.b.bidTicks = 598_000)],
    [
      'the other venue marks it 40 bps away',
      'MARK_DIVERGENCE',
      (world) => (world.venues.b.markNano = 60_240_500_000_000n),
    ],
    ['one account has no margin left', 'MARGIN', (world) => (world.venues.b.walletMicro = 1_000_000n)],
  ] as const satisfies readonly (readonly [string, string, (world: World) => unknown])[])(
    'sends neither leg when %s (%s)',
    (_, refusal, change) => {
      const world = ready();
      const plan = world.plan();
      change(world);
      world.run(1_000);
      world.deliver({ type: 'enter-pair', plan });
      world.run(1_000);
      expect(world.picture()).toMatchObject({ phase: 'IDLE', reason: refusal });
      expect([...world.venues.a.placed, ...world.venues.b.placed]).toEqual([]);
    },
  );

  it('undoes the filled leg with a reduce-only order when the other never fills', () => {
    const world = ready({
      fateOf: (venue, command) =>
        venue === 'vb' && !command.order.reduceOnly ? { type: 'fill', lots: 0 } : { type: 'fill' },
    });
    world.deliver({ type: 'enter-pair', plan: world.plan() });
    world.runUntil(() => world.picture().phase === 'CLOSED', 10_000);
    const undoing = world.venues.a.placed.filter((command) => command.purpose.purpose === 'unwind');
    expect(undoing.map(({ order }) => [order.side, order.lots, order.reduceOnly])).toEqual([['buy', 33, true]]);
    expect(world.venues.b.placed.filter((command) => command.order.reduceOnly)).toHaveLength(0);
    expect(world.venues.a.positionLots).toBe(0);
    expect(world.picture().cooldownUntilMs).toBeGreaterThan(world.now());
  });

  it('sends nothing while an outcome is unknown, and asks the venue instead', () => {
    const world = ready({
      fateOf: (venue, command) =>
        venue === 'vb' && command.purpose.purpose === 'open' ? { type: 'silent' } : { type: 'fill' },
    });
    world.deliver({ type: 'enter-pair', plan: world.plan() });
    world.run(3_500);
    expect(world.venues.a.placed).toHaveLength(1);
    expect(world.venues.b.placed).toHaveLength(1);
    expect(world.picture()).toMatchObject({ phase: 'OPENING', liveOrders: 1 });
    // Proven dead only after its validity: then the filled leg is undone.
    world.runUntil(() => world.picture().phase === 'CLOSED', 5_000);
    expect([world.venues.a.positionLots, world.venues.b.positionLots]).toEqual([0, 0]);
  });

  it('takes in a fill that comes after a cancel without cum', () => {
    const world = ready({
      fateOf: (venue, command) =>
        venue === 'vb' && command.purpose.purpose === 'open'
          ? { type: 'late-fill', lots: 33, afterMs: 1_500 }
          : { type: 'fill' },
    });
    world.deliver({ type: 'enter-pair', plan: world.plan() });
    world.run(20_000);
    expect(world.venues.a.positionLots + world.venues.b.positionLots).toBe(0);
    expect(['OPEN', 'CLOSED']).toContain(world.picture().phase);
  });

  it('is not sent when the engine stopped trading while the plan was being written', () => {
    const world = ready();
    world.deliver({ type: 'enter-pair', plan: world.plan() });
    world.deliver({ type: 'engine-state-changed', state: 'REDUCE_ONLY', reason: 'test', flatten: false });
    world.run(1_000);
    expect(world.picture()).toMatchObject({ phase: 'FAILED', reason: 'ENGINE_NOT_TRADING' });
    expect([...world.venues.a.placed, ...world.venues.b.placed]).toHaveLength(0);
  });
});

describe('a journal that is slow', () => {
  it('has no order sent that adds exposure, and the guard told', () => {
    const world = ready();
    world.commitMs = 51;
    world.deliver({ type: 'enter-pair', plan: world.plan() });
    world.runUntil(() => world.picture().phase === 'FAILED', 2_000);
    expect(world.picture().reason).toBe('JOURNAL_SLOW');
    expect([...world.venues.a.placed, ...world.venues.b.placed]).toEqual([]);
    expect(world.slowTold).toEqual([51]);
  });

  it('still has closing orders sent', () => {
    const world = opened();
    world.commitMs = 500;
    world.deliver({ type: 'exit-pair', reason: 'MANUAL' });
    world.runUntil(() => world.picture().phase === 'CLOSED', 5_000);
    expect([world.venues.a.positionLots, world.venues.b.positionLots]).toEqual([0, 0]);
  });
});

describe('a journal that does not answer', () => {
  it('stops an entry whose plan could not be written', () => {
    const world = ready();
    world.journalMode = 'fail';
    world.deliver({ type: 'enter-pair', plan: world.plan() });
    world.run(500);
    expect(world.picture()).toMatchObject({ phase: 'FAILED', reason: 'JOURNAL' });
    expect([...world.venues.a.placed, ...world.venues.b.placed]).toHaveLength(0);
  });

  it('is told again after two seconds, and a plan that has grown old is not sent', () => {
    const world = ready();
    world.journalMode = 'mute';
    world.deliver({ type: 'enter-pair', plan: world.plan() });
    world.run(1_900);
    expect(world.stage().counts.get('appends-repeated')).toBeUndefined();
    world.run(900);
    expect(world.stage().counts.get('appends-repeated')).toBe(1);
    world.journalMode = 'keep';
    world.run(3_000);
    expect(world.picture()).toMatchObject({ phase: 'FAILED', reason: 'JOURNAL_SLOW' });
    expect([...world.venues.a.placed, ...world.venues.b.placed]).toHaveLength(0);
  });

  it('is not told again what contradicts a row of its own', () => {
    const world = ready();
    world.journalMode = 'conflict';
    world.deliver({ type: 'enter-pair', plan: world.plan() });
    world.run(10_000);
    expect(world.picture()).toMatchObject({ phase: 'FAILED', reason: 'JOURNAL' });
    expect(world.stage().counts.get('rows-contradicted')).toBeGreaterThan(0);
    expect(world.stage().counts.get('appends-repeated')).toBeUndefined();
  });

  it('does not hold back a plan that became durable late but in time', () => {
    const world = ready();
    world.journalMode = 'mute';
    world.deliver({ type: 'enter-pair', plan: world.plan() });
    world.run(1_000);
    world.journalMode = 'keep';
    world.run(1_600);
    expect(world.picture().phase).toBe('OPEN');
  });
});

describe('an open pair', () => {
  it('closes the other leg when one was liquidated', () => {
    const world = opened();
    world.external(world.venues.a, 33);
    world.runUntil(() => world.picture().phase === 'CLOSED', 5_000);
    expect(world.picture().reason).toBe('LEG_MISSING');
    expect(world.venues.b.placed.filter((command) => command.order.reduceOnly)).toHaveLength(1);
    expect([world.venues.a.positionLots, world.venues.b.positionLots]).toEqual([0, 0]);
  });

  it('trims the larger leg when the other was reduced from outside', () => {
    const world = opened();
    world.external(world.venues.a, 10);
    world.runUntil(() => world.venues.b.positionLots === 23, 5_000);
    world.runUntil(() => world.picture().phase === 'OPEN', 5_000);
    const trims = world.venues.b.placed.filter((command) => command.purpose.purpose === 'rebalance');
    expect(trims.map(({ order }) => [order.side, order.lots, order.reduceOnly])).toEqual([['sell', 10, true]]);
  });

  it('leaves when the engine orders everything flat', () => {
    const world = opened();
    world.engine('HALTED', true);
    world.runUntil(() => world.picture().phase === 'CLOSED', 5_000);
    expect(world.picture().reason).toBe('KILL_SWITCH');
  });

  it('keeps trying with reduce-only orders when closing meets thin books, and ends flat', () => {
    const world = opened();
    world.venues.a.fateOf = () => ({ type: 'fill', lots: 9 });
    world.deliver({ type: 'exit-pair', reason: 'STOP_LOSS' });
    world.runUntil(() => world.picture().phase === 'CLOSED', 20_000);
    const closing = world.venues.a.placed.filter((command) => command.order.reduceOnly).map(({ order }) => order.lots);
    expect(closing).toEqual([33, 24, 15, 6]);
    expect(world.venues.a.positionLots).toBe(0);
  });

  it.each([
    ['for a minute for reasons that may pass', 'transient', 70_000, 200],
    ['for good, after its third try', 'permanent', 5_000, 3],
  ] as const)(
    'is quarantined when closing is refused %s, and still ends flat once the venue relents',
    (_, kind, withinMs, triesMax) => {
      const world = opened();
      world.venues.a.fateOf = () => ({ type: 'refuse', class: kind });
      world.deliver({ type: 'exit-pair', reason: 'STOP_LOSS' });
      world.runUntil(() => world.picture().phase === 'QUARANTINED', withinMs);
      const before = world.venues.a.placed.length;
      expect(before - 1).toBeLessThanOrEqual(triesMax);
      world.run(30_000);
      expect(world.venues.a.placed.length - before).toBeLessThanOrEqual(4);
      world.venues.a.fateOf = () => ({ type: 'fill' });
      world.runUntil(() => world.picture().phase === 'CLOSED', 30_000);
      expect([world.venues.a.positionLots, world.venues.b.positionLots]).toEqual([0, 0]);
    },
  );

  it('is left as it is while draining, and nothing new is entered', () => {
    const world = opened();
    world.deliver({ type: 'drain-position' });
    world.deliver({ type: 'exit-pair', reason: 'MANUAL' });
    world.run(2_000);
    expect(world.picture()).toMatchObject({ phase: 'OPEN', liveOrders: 0 });
    expect(world.venues.a.placed).toHaveLength(1);
  });

  it('books a funding payment once, however often it is told', () => {
    const world = opened();
    const paid = {
      type: 'funding-paid',
      venue: 'va',
      account: 'main',
      symbol: 'BTC',
      payment: {
        paymentId: '1',
        symbol: 'BTC',
        amountMicro: 1_234n as never,
        rate: 0 as never,
        signedLots: -33 as never,
        settledAtMs: world.now(),
      },
    } as const;
    world.deliver(paid);
    world.deliver(paid);
    world.run(1_000);
    expect(world.picture()).toMatchObject({ fundingMicro: 1_234n, fundingPayments: 1 });
  });

  it('raises an alarm when a payment is not what the settlement should have paid, and when none comes', () => {
    const world = opened();
    const firstMs = world.now() + 3_600_000;
    for (const hours of [0, 1, 2]) settled(world, firstMs + hours * 3_600_000);
    // 33 lots of 0.001 at 60,000.5 and 0.01 %: 0.198002 quote to the short leg.
    paid(world, '1', firstMs, 198_000n);
    world.run(200);
    expect(fundingAlarms(world)).toEqual([]);
    paid(world, '2', firstMs + 3_600_000, -198_000n);
    world.run(200);
    expect(fundingAlarms(world)).toEqual(['funding-mismatch']);
    world.run(16 * 60_000);
    expect(fundingAlarms(world)).toEqual(['funding-mismatch', 'funding-missing']);
  });

  it('awaits payments across a restart, and a payment told before its rate is no surprise', () => {
    const world = opened();
    const firstMs = world.now() + 3_600_000;
    for (const hours of [0, 1, 2]) settled(world, firstMs + hours * 3_600_000);
    paid(world, '1', firstMs, 198_000n);
    world.run(200);
    world.crash(1_000);
    world.run(10_000);
    const statuses = (): readonly string[] =>
      world
        .stage()
        .state()
        .expectations.map(({ status }) => status);
    expect(statuses()).toEqual(['MATCHED', 'PENDING', 'PENDING']);
    paid(world, '2', firstMs + 3_600_000, 198_000n);
    paid(world, '4', firstMs + 3 * 3_600_000, 198_000n);
    settled(world, firstMs + 3 * 3_600_000);
    expect(statuses()).toEqual(['MATCHED', 'MATCHED', 'PENDING', 'MATCHED']);
    expect(fundingAlarms(world)).toEqual([]);
    world.crash(1_000);
    world.run(16 * 60_000);
    expect(statuses()).toEqual(['MATCHED', 'MATCHED', 'MISSING', 'MATCHED']);
    expect(fundingAlarms(world)).toEqual(['funding-missing']);
  });

  it('is warned about once a minute while a leg is near its liquidation, before it has to be closed', () => {
    const world = opened();
    // At 3x the short leg opened at 60,000 is liquidated near 79,050: 18 % above 67,000.
    for (const venue of [world.venues.a, world.venues.b]) venue.markNano = 67_000_000_000_000n;
    world.run(100_000);
    const near = world.logged.filter(({ event }) => event === 'liquidation-near');
    expect(near).toHaveLength(2);
    expect(world.picture().phase).toBe('OPEN');
  });

  it.each([
    ['long', 'b', 55_000],
    ['short', 'a', 65_000],
  ] as const)(
    'leaves when the venue itself would liquidate the %s leg soon, wherever our own price is',
    (_, name, price) => {
      const world = ready();
      // Other positions of that account eat its margin: 8.3 % away, while the leg by itself would stand 25 % away and more.
      world.venues[name].liquidationPrice = price;
      world.deliver({ type: 'enter-pair', plan: world.plan() });
      world.runUntil(() => world.picture().phase === 'CLOSED', 5_000);
      expect(world.picture().reason).toBe('LIQUIDATION');
    },
  );

  it('leaves as soon as it is open when somebody asked before', () => {
    const world = ready();
    world.deliver({ type: 'enter-pair', plan: world.plan() });
    world.deliver({ type: 'exit-pair', reason: 'MANUAL' });
    world.runUntil(() => world.picture().phase === 'CLOSED', 5_000);
    expect(world.picture()).toMatchObject({ reason: 'MANUAL', closedPairs: 1 });
  });
});

describe('lots that vanish without a fill', () => {
  it('are booked once, at the mark and with an alarm, and the other leg follows', () => {
    const world = opened();
    // The venue says less than our fills, twice in a row, and has no fill that explains it.
    world.venues.a.positionLots = 0;
    world.deliver({
      type: 'position-reported',
      venue: 'va',
      account: 'main',
      symbol: 'BTC',
      signedLots: 0,
      source: 'stream',
      sequence: 1_000,
      receivedAtMonotonicMs: 1_000_000,
    });
    world.runUntil(() => world.picture().phase === 'CLOSED', 60_000);
    expect([world.venues.a.positionLots, world.venues.b.positionLots]).toEqual([0, 0]);
    expect(world.logged.filter(({ event }) => event === 'position-adjusted')).toHaveLength(1);
    const key = { venue: 'va', account: 'main', symbol: 'BTC' };
    const book = bookOf(foldBook(world.rows).ledger, key);
    // Sold at 60,000.0, gone at a mark of 60,000.5: 33 lots of 0.001.
    expect(book).toMatchObject({ signedLots: 0, costMicro: 0n, adjustments: 1, adjustedMicro: -16_500n });
    expect(world.picture().closedNetMicro).toBe(
      world.picture().realisedMicro + world.picture().feesMicro + world.picture().fundingMicro,
    );
  });
});

describe('a position that is not ours', () => {
  it('cancels an open order that carries our mark but stands in no journal row, and says so', () => {
    const world = opened();
    const [known] = world.venues.a.placed;
    if (known === undefined) throw new Error('an order was placed');
    const mark = { symbolIndex: defaultArgs.symbolIndex, counter: 99 };
    const ours = encodeClientOrderId({ ...mark, boot: 40 });
    const foreign = encodeClientOrderId({ ...mark, boot: 40, symbolIndex: mark.symbolIndex + 1 });
    for (const id of [ours, foreign])
      world.venues.a.resting.set(id, { command: known, filledLots: 0, late: undefined });
    // Recovery compares with what the venue lists.
    world.crash(1_000);
    world.runUntil(() => world.venues.a.cancels.length > 0, 30_000);
    expect(world.venues.a.cancels.map(({ clientOrderId }) => clientOrderId)).toEqual([ours]);
    expect(world.logged.filter(({ event }) => event === 'unjournaled-order')).toMatchObject([
      { level: 'error', fields: { venue: 'va', clientOrderId: ours } },
    ]);
  });

  it('blocks entries, is told, and is never traded', () => {
    const world = createWorld();
    world.venues.a.positionLots = 5;
    world.run(15_000);
    expect(world.picture()).toMatchObject({ phase: 'IDLE', reason: 'EXTERNAL_EXPOSURE' });
    world.deliver({ type: 'enter-pair', plan: world.plan() });
    world.run(2_000);
    expect([...world.venues.a.placed, ...world.venues.b.placed]).toHaveLength(0);
    expect(world.logged.filter((entry) => entry.event === 'external-exposure')).toHaveLength(1);
  });
});

describe('a venue that contradicts our fills', () => {
  /** Its report says one lot more, and its queries, which would settle it, fail. */
  function atOdds(): World {
    const world = opened();
    world.venues.a.queriesFail = true;
    world.venues.a.positionLots += 1;
    world.deliver({
      type: 'position-reported',
      venue: 'va',
      account: 'main',
      symbol: 'BTC',
      signedLots: world.venues.a.positionLots,
      source: 'stream',
      sequence: 1_000_000,
      receivedAtMonotonicMs: world.stage().self.monotonicMs(),
    });
    world.run(30_000);
    return world;
  }
  it('is the guard’s business after 60 s, once, and by name', () => {
    const world = atOdds();
    expect(world.mismatchesTold).toEqual([]);
    world.run(120_000);
    expect(world.mismatchesTold).toMatchObject([{ venue: 'va', account: 'main', symbol: 'BTC' }]);
    expect(world.logged.filter(({ event }) => event === 'position-mismatch')).toHaveLength(1);
  });

  it('is not when a query settles it in time', () => {
    const world = atOdds();
    world.venues.a.queriesFail = false;
    world.run(120_000);
    expect(world.mismatchesTold).toEqual([]);
  });
});

describe('an order given up without proof', () => {
  const unproven = (lost: 'open' | 'close', executedLots: number): World => {
    const world = ready({
      fateOf: (venue, { purpose }) => {
        if (venue !== 'va' || purpose.purpose !== lost) return { type: 'fill' };
        world.venues.a.unprovable = true;
        return { type: 'silent', executedLots };
      },
    });
    return world;
  };

  it.each([0, 33])('while opening: %i lots of it are found by the position alone and undone', (lots) => {
    const world = unproven('open', lots);
    world.deliver({ type: 'enter-pair', plan: world.plan() });
    world.runUntil(() => world.venues.a.placed.length > 0, 1_000);
    // Fills the venue does not list: what it holds is all there is to go by.
    world.venues.a.fills.length = 0;
    world.runUntil(() => world.picture().phase === 'QUARANTINED', 20_000);
    expect(world.picture().reason).toBe('ORDER_LOST');
    // The other leg stood alone too long to wait: both are undone, the one that showed up late as well.
    world.runUntil(() => world.picture().phase === 'CLOSED', 30_000);
    expect([world.venues.a.positionLots, world.venues.b.positionLots]).toEqual([0, 0]);
    expect(world.logged.filter(({ event }) => event === 'pair-quarantined')).toHaveLength(1);
    expect(world.venues.a.placed.map(({ purpose }) => purpose.purpose)).toEqual(
      lots === 0 ? ['open'] : ['open', 'unwind'],
    );
  });

  it.each([0, 20, 33])('while closing: %i lots of it were executed, the rest is closed', (lots) => {
    const world = unproven('close', lots);
    world.deliver({ type: 'enter-pair', plan: world.plan() });
    world.runUntil(() => world.picture().phase === 'OPEN', 5_000);
    world.deliver({ type: 'exit-pair', reason: 'MANUAL' });
    world.runUntil(() => world.picture().phase === 'CLOSED', 60_000);
    expect([world.venues.a.positionLots, world.venues.b.positionLots]).toEqual([0, 0]);
    expect(world.venues.a.placed.every(({ order, purpose }) => order.reduceOnly || purpose.purpose === 'open')).toBe(
      true,
    );
  });
});

it('counts orders of which nobody knows what became at their worst', () => {
  const world = ready({
    fateOf: (venue) => {
      const model = venue === 'va' ? world.venues.a : world.venues.b;
      model.unprovable = true;
      model.queriesFail = true;
      model.mute = true;
      return { type: 'silent', executedLots: 33 };
    },
  });
  world.deliver({ type: 'enter-pair', plan: world.plan() });
  world.runUntil(() => world.picture().phase === 'QUARANTINED', 30_000);
  world.run(1_000);
  expect(world.picture()).toMatchObject({ phase: 'QUARANTINED', notionalMicro: 1_980_016_500n });
  expect(world.picture().long?.signedLots).toBe(0);
});

describe('lots that somebody else adds to a leg of an open pair', () => {
  it.each([
    ['by a trade of which the fill is told', true],
    ['without a fill', false],
  ])('%s are told, never traded, and block the next entry', (_, hasFill) => {
    const world = opened();
    if (hasFill) world.external(world.venues.a, -7);
    else {
      world.venues.a.positionLots -= 7;
      world.deliver({
        type: 'position-reported',
        venue: 'va',
        account: 'main',
        symbol: 'BTC',
        signedLots: -40,
        source: 'query',
        sequence: 1_000,
        receivedAtMonotonicMs: 4_000,
      });
    }
    // The delta of the account is 420 quote, far beyond what a drift of the pair's own would be trimmed for.
    world.run(60_000);
    expect(world.picture()).toMatchObject({ phase: 'OPEN', reason: 'EXTERNAL_EXPOSURE' });
    expect([...world.venues.a.placed, ...world.venues.b.placed].map(({ purpose }) => purpose.purpose)).toEqual([
      'open',
      'open',
    ]);
    expect(world.logged.filter(({ event }) => event === 'external-exposure')).toHaveLength(1);
    // A restart knows it as well.
    world.crash(1_000);
    world.run(20_000);
    world.deliver({ type: 'exit-pair', reason: 'MANUAL' });
    world.runUntil(() => world.picture().phase === 'CLOSED', 10_000);
    expect([world.venues.a.positionLots, world.venues.b.positionLots]).toEqual([-7, 0]);
    expect(world.venues.a.placed.map(({ order }) => order.lots)).toEqual([33, 33]);
    world.run(20_000);
    world.deliver({ type: 'enter-pair', plan: world.plan() });
    world.run(1_000);
    expect(world.picture()).toMatchObject({ phase: 'CLOSED', reason: 'EXTERNAL_EXPOSURE' });
    expect(foldBook(world.rows).ledger).toEqual(world.stage().state().book.ledger);
  });

  it('are the pair’s where the settings claim them, and trimmed', () => {
    const { execution } = defaultArgs;
    const delta = { ...execution.delta, claimExternal: true };
    const world = opened({ args: { execution: { ...execution, delta } } });
    world.external(world.venues.a, -7);
    world.runUntil(() => world.venues.a.positionLots === -33, 5_000);
    expect(world.venues.a.placed.map(({ purpose }) => purpose.purpose)).toEqual(['open', 'rebalance']);
  });
});

it('a stranger’s fill that the journal has before the end of a pair and the actor hears of after it is booked alike', () => {
  const world = opened();
  world.deliver({ type: 'exit-pair', reason: 'MANUAL' });
  world.runUntil(() => world.picture().phase === 'CLOSED', 5_000);
  world.run(100);
  const at = world.rows.findIndex(({ type, payload }) => type === 'pair-state' && isClosed(payload['pair']));
  const { symbol } = world.venues.b.instrument;
  const event = {
    type: 'fill-received',
    venue: 'vb',
    account: 'main',
    symbol,
    fill: {
      fillId: 'vb-stranger',
      symbol,
      clientOrderId: '',
      venueOrderId: 'v9',
      side: 'buy',
      priceTicks: 600_010 as PriceTicks,
      lots: 5 as QuantityLots,
      feeMicro: -75_001n as MicroUnits,
      liquidity: 'taker',
      venueAtMs: world.rows[at]?.atMs ?? 0,
    },
  } as const;
  const actor = 'connector/vb:main';
  world.rows.splice(at, 0, { id: 'stranger', type: 'fill', atMs: 0, actor, correlation: 'BTC', payload: { event } });
  world.deliver(event);
  const live = world.stage().state().book.ledger;
  const folded = foldBook(world.rows).ledger;
  expect(at).toBeGreaterThan(0);
  expect([...folded.pairs]).toEqual([...live.pairs]);
  expect(folded.closed).toEqual(live.closed);
});

function isClosed(pair: unknown): boolean {
  return (pair as { readonly phase: string }).phase === 'CLOSED';
}

describe('a restart', () => {
  it('ends an opening whose fills are known and gone again as a trade, not as an entry without a fill', () => {
    const world = ready();
    world.deliver({ type: 'enter-pair', plan: world.plan() });
    const held = (): readonly number[] => [world.venues.a.positionLots, world.venues.b.positionLots];
    world.runUntil(() => held().every((lots) => lots !== 0), 1_000);
    world.crash(1_000);
    world.external(world.venues.a, 33);
    world.external(world.venues.b, -33);
    world.runUntil(() => ['CLOSED', 'FAILED'].includes(world.picture().phase), 20_000);
    expect(held()).toEqual([0, 0]);
    expect(world.picture()).toMatchObject({ phase: 'CLOSED', reason: 'LEG_MISSING' });
    expect(world.stage().state().book.ledger.closed.pairs).toBe(1);
  });

  /** EX-15: the short leg filled, the engine died before it knew, the long leg never executed. */
  function halfOpen(deadMs: number, queriesFail = false): World {
    const world = ready({
      fateOf: (venue, command) =>
        command.purpose.purpose !== 'open'
          ? { type: 'fill' }
          : venue === 'va'
            ? { type: 'silent', executedLots: 33 }
            : { type: 'refuse', code: 'OVERLOADED', class: 'transient' },
    });
    world.deliver({ type: 'enter-pair', plan: world.plan() });
    world.runUntil(() => world.venues.a.placed.length === 1, 1_000);
    world.run(20);
    world.venues.a.queriesFail = queriesFail;
    world.crash(deadMs);
    return world;
  }

  it('EX-15: after 4 s hedges the leg that was filled', (context) => {
    const world = halfOpen(4_000);
    world.runUntil(() => world.pictures.at(-1)?.phase === 'OPEN', 15_000);
    expect(world.venues.b.placed.map(({ purpose }) => purpose.purpose)).toEqual(['open', 'hedge']);
    expect(world.venues.b.placed.map(({ purpose }) => purpose.attempt)).toEqual([1, 2]);
    new Example('EX-15', context).is('after 4 s', 'hedge', world.venues.b.placed.at(-1)?.purpose.purpose);
  });

  it('EX-15: after 60 s undoes it with a reduce-only order', (context) => {
    const world = halfOpen(60_000);
    world.runUntil(() => world.pictures.at(-1)?.phase === 'CLOSED', 80_000);
    expect(world.venues.a.placed.map(({ order }) => [order.side, order.lots, order.reduceOnly])).toEqual([
      ['sell', 33, false],
      ['buy', 33, true],
    ]);
    new Example('EX-15', context).is('after 60 s', 'unwind', world.venues.a.placed.at(-1)?.purpose.purpose);
  });

  it('EX-15: sends nothing while a position query fails', (context) => {
    const world = halfOpen(4_000, true);
    world.run(30_000);
    expect(world.picture().phase).toBe('RECOVERING');
    expect([...world.venues.a.placed, ...world.venues.b.placed]).toHaveLength(2);
    new Example('EX-15', context).is('while a query fails', 'RECOVERING', world.picture().phase);
  });

  it('finds its open pair again and closes it when asked', () => {
    const world = opened();
    world.crash(2_000);
    world.runUntil(() => world.pictures.at(-1)?.phase === 'RECOVERING', 5_000);
    world.runUntil(() => world.pictures.at(-1)?.phase === 'OPEN', 5_000);
    world.deliver({ type: 'exit-pair', reason: 'MANUAL' });
    world.runUntil(() => world.picture().phase === 'CLOSED', 5_000);
    expect([world.venues.a.positionLots, world.venues.b.positionLots]).toEqual([0, 0]);
  });

  it('never gives an order id out again, not even one whose row was still on its way', () => {
    const world = ready();
    world.deliver({ type: 'enter-pair', plan: world.plan() });
    world.crash(10);
    world.runUntil(() => world.pictures.at(-1)?.phase === 'FAILED', 20_000);
    world.run(61_000);
    world.deliver({ type: 'enter-pair', plan: world.plan() });
    world.runUntil(() => world.picture().phase === 'OPEN', 5_000);
    const planned = world.rows.filter((row) => row.type === 'order-planned').map((row) => row.id);
    expect(new Set(planned).size).toBe(planned.length);
    expect(planned).toHaveLength(4);
  });
});
