import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { approve, createOrderGate, previewOpening } from '../../src/risk/approval.ts';
import type { OrderGate, OrderGateContext, OrderGateLimits } from '../../src/risk/approval.ts';
import type { OrderRequest } from '../../src/venues/venue.ts';
import type { PriceTicks, QuantityLots } from '../../src/money/units.ts';
import { book, instrument } from '../market/instruments.ts';

const limits: OrderGateLimits = {
  symbols: ['ETH'],
  maxOrderNotionalMicro: 5_000_000_000n,
  maxPositionNotionalMicro: 10_000_000_000n,
  maxOpenOrders: 3,
  maxOrdersPerSec: 10,
  priceCollarBps: 100,
  dailyLossMicro: 100_000_000n,
};
/** 10 contracts at 100 quote: 1,000 quote notional. */
const order = (changes: Partial<OrderRequest> = {}): OrderRequest => ({
  clientOrderId: '281474976710655',
  symbol: 'ETH',
  side: 'buy',
  lots: 100 as QuantityLots,
  limitTicks: 2_000 as PriceTicks,
  timeInForce: 'ioc',
  postOnly: false,
  reduceOnly: false,
  validUntilMs: 2_000,
  ...changes,
});
const context = (changes: Partial<OrderGateContext> = {}): OrderGateContext => ({
  instrument: instrument(),
  markNano: 100_000_000_000n,
  positionLots: 0,
  workingOrders: [],
  openOrders: 0,
  nowMs: 1_000,
  monotonicMs: 5_000,
  ...changes,
});
const lots = (value: number): QuantityLots => value as QuantityLots;
const ticks = (value: number): PriceTicks => value as PriceTicks;
const without = <Key extends keyof OrderGateContext>(key: Key): OrderGateContext => {
  const { [key]: _dropped, ...rest } = context();
  return rest as OrderGateContext;
};

it('lets an ordinary order pass unchanged', () => {
  expect(approve(createOrderGate(limits), order(), context()).approved).toEqual(order());
});

describe('denials name code, rule and value', () => {
  test.each([
    ['BAD_ORDER', order({ clientOrderId: '281474976710656' }), context(), '2^48-1, was 281474976710656'],
    ['BAD_ORDER', order({ clientOrderId: '01' }), context(), 'was 01'],
    ['BAD_ORDER', order({ postOnly: true }), context(), 'must not be post-only'],
    ['BAD_ORDER', order({ limitTicks: ticks(0) }), context(), 'positive whole number of ticks, was 0'],
    ['EXPIRED_INTENT', order({ validUntilMs: 1_000 }), context(), 'must be valid beyond now, was 1000 at 1000'],
    ['SYMBOL_NOT_ALLOWED', order({ symbol: 'DOGE' }), context(), 'symbol must be one of ETH, was DOGE'],
    [
      'INSTRUMENT_MISMATCH',
      order(),
      context({ instrument: instrument({ symbol: 'BTC' }) }),
      'must be for BTC, was ETH',
    ],
    ['INSTRUMENT_STATUS', order(), context({ instrument: instrument({ status: 'reduce-only' }) }), 'was reduce-only'],
    ['QUANTITY', order({ lots: lots(1.5) }), context(), 'positive whole number of lots, was 1.5'],
    [
      'QUANTITY',
      order({ lots: lots(3) }),
      context({ instrument: instrument({ minQuantityLots: lots(5) }) }),
      'at least 5 lots, was 3',
    ],
    ['NOTIONAL', order({ lots: lots(501) }), context(), 'at most 5000.000000, was 5010.000000'],
    ['POSITION_UNKNOWN', order(), context({ positionLots: undefined }), 'must be reconciled'],
    ['POSITION_CAP', order(), context({ positionLots: 901 }), 'at most 10000.000000, was 10010.000000'],
    ['OPEN_ORDERS', order(), context({ openOrders: 3 }), 'at most 3, was 4'],
    ['DAILY_LOSS', order(), context({ dayResultMicro: -100_000_000n }), 'was -100.000000'],
    ['NO_REFERENCE_PRICE', order(), without('markNano'), 'a mark, index or book must be known'],
    ['PRICE_COLLAR', order({ limitTicks: ticks(2_021) }), context(), 'at most 100 bps above 100, was 101.05'],
    [
      'PRICE_COLLAR',
      order({ side: 'sell', limitTicks: ticks(1_979) }),
      context(),
      'at most 100 bps below 100, was 98.95',
    ],
  ] as const)('%s', (code, asked, known, detail) => {
    const { denied } = approve(createOrderGate(limits), asked, known);
    expect(denied?.code).toBe(code);
    expect(denied?.detail).toContain(detail);
  });
});

it('counts working orders of the same side as filled when it caps the position', () => {
  const working = [{ side: 'buy', remainingLots: 850, reduceOnly: false }] as const;
  expect(approve(createOrderGate(limits), order(), context({ workingOrders: working })).approved).toBeDefined();
  const more = [{ side: 'buy', remainingLots: 901, reduceOnly: false }] as const;
  expect(approve(createOrderGate(limits), order(), context({ workingOrders: more })).denied?.code).toBe('POSITION_CAP');
});

it('measures opening prices against the index even where the mark is pushed along', () => {
  const pushed = context({ markNano: 110_000_000_000n, indexNano: 100_000_000_000n });
  expect(approve(createOrderGate(limits), order({ limitTicks: ticks(2_100) }), pushed).denied?.code).toBe(
    'PRICE_COLLAR',
  );
});

it('lets a closing order lean on the mark where the index stands still', () => {
  const moved = context({ markNano: 110_000_000_000n, indexNano: 100_000_000_000n, positionLots: -100 });
  const close = order({ reduceOnly: true, limitTicks: ticks(2_210) });
  expect(approve(createOrderGate(limits), close, moved).approved).toBeDefined();
});

it('takes the mid of a sound book in place of a missing mark, and none of a crossed one', () => {
  const sound = { ...without('markNano'), book: book([[1_999, 1]], [[2_001, 1]]) };
  expect(approve(createOrderGate(limits), order(), sound).approved).toBeDefined();
  const crossed = { ...without('markNano'), book: book([[2_001, 1]], [[1_999, 1]]) };
  expect(approve(createOrderGate(limits), order(), crossed).denied?.code).toBe('NO_REFERENCE_PRICE');
});

describe('reduce-only orders', () => {
  const close = (changes: Partial<OrderRequest> = {}): OrderRequest =>
    order({ reduceOnly: true, side: 'sell', ...changes });

  it('pass below the minimum quantity, on a reduce-only instrument, on a bad day and beyond the open-order cap', () => {
    const known = context({
      instrument: instrument({ status: 'reduce-only', minQuantityLots: lots(500) }),
      positionLots: 100,
      openOrders: 99,
      dayResultMicro: -1_000_000_000n,
    });
    expect(approve(createOrderGate(limits), close(), known).approved).toBeDefined();
  });

  test.each([
    ['flat', 0],
    ['on the same side', -100],
    ['smaller', 99],
  ])('are denied when the position is %s', (_what, positionLots) => {
    expect(approve(createOrderGate(limits), close(), context({ positionLots })).denied?.code).toBe(
      'REDUCE_ONLY_INCREASES',
    );
  });

  it('are denied when they and what already works would flip the position', () => {
    const known = context({ positionLots: 100, workingOrders: [{ side: 'sell', remainingLots: 1, reduceOnly: true }] });
    expect(approve(createOrderGate(limits), close(), known).denied?.detail).toContain('was 100 beside 1 working');
  });

  it('pass while the position is unknown: the venue itself keeps them from increasing it', () => {
    expect(approve(createOrderGate(limits), close(), context({ positionLots: undefined })).approved).toBeDefined();
  });

  it('wait until the position is known at a venue that would let them increase it', () => {
    const unguarded = (positionLots: number | undefined): OrderGateContext =>
      context({ positionLots, lacksReduceOnly: true });
    expect(approve(createOrderGate(limits), close(), unguarded(undefined)).denied?.code).toBe('POSITION_UNKNOWN');
    expect(approve(createOrderGate(limits), close(), unguarded(100)).approved).toBeDefined();
  });
});

it('keeps the same share of a second from stops, for what closes at once', () => {
  const trigger = { ticks: ticks(1_900), direction: 'fall' } as const;
  const close = order({ side: 'sell', reduceOnly: true, lots: lots(1) });
  const stop: OrderRequest = { ...close, limitTicks: ticks(1_890), trigger, restsUntilMs: 90_000 };
  let gate: OrderGate = createOrderGate(limits);
  const codeOf = (one: OrderRequest): string => {
    const decision = approve(gate, one, context({ positionLots: 500 }));
    gate = decision.gate;
    return decision.denied?.code ?? 'passed';
  };
  const passed = (count: number): string[] => Array.from({ length: count }, () => 'passed');
  expect(Array.from({ length: 10 }, () => codeOf(stop))).toEqual([...passed(8), 'ORDER_RATE', 'ORDER_RATE']);
  expect([codeOf(close), codeOf(close), codeOf(close)]).toEqual(['passed', 'passed', 'ORDER_RATE']);
});

it('never lets more than the configured orders pass in any second and keeps a share for reducing ones', () => {
  const step = fc.record({ waitMs: fc.integer({ min: 0, max: 300 }), reduceOnly: fc.boolean() });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      let gate: OrderGate = createOrderGate(limits);
      let monotonicMs = 0;
      const passed: { atMs: number; reduceOnly: boolean }[] = [];
      for (const { waitMs, reduceOnly } of steps) {
        monotonicMs += waitMs;
        const decision = approve(
          gate,
          order({ reduceOnly }),
          context({ monotonicMs, positionLots: reduceOnly ? -500 : 0 }),
        );
        gate = decision.gate;
        if (decision.approved !== undefined) passed.push({ atMs: monotonicMs, reduceOnly });
      }
      for (const { atMs } of passed) {
        const window = passed.filter((other) => other.atMs <= atMs && atMs - other.atMs < 1_000);
        expect(window.length).toBeLessThanOrEqual(10);
        expect(window.filter((other) => !other.reduceOnly).length).toBeLessThanOrEqual(8);
      }
      expect(gate.passedAtMonotonicMs.length).toBeLessThanOrEqual(10);
    }),
    { numRuns: 60 },
  );
});

it('lets a reducing order pass whose value outgrew the cap on orders: a position must always be able to close', () => {
  const close = order({ side: 'sell', reduceOnly: true, lots: lots(501), limitTicks: ticks(2_000) });
  expect(approve(createOrderGate(limits), close, context({ positionLots: 501 })).denied).toBeUndefined();
});

describe('the preview of an opening leg', () => {
  const leg = fc.record({
    side: fc.constantFrom('buy' as const, 'sell' as const),
    lots: fc.integer({ min: 0, max: 700 }).map(lots),
    limitTicks: fc.integer({ min: 1_960, max: 2_040 }).map(ticks),
  });
  const known = fc.record(
    {
      markNano: fc.bigInt({ min: 99_000_000_000n, max: 101_000_000_000n }),
      indexNano: fc.bigInt({ min: 99_000_000_000n, max: 101_000_000_000n }),
      positionLots: fc.integer({ min: -1_000, max: 1_000 }),
      status: fc.constantFrom('active' as const, 'reduce-only' as const),
    },
    { requiredKeys: ['positionLots', 'status'] },
  );

  it('says what the gate itself would say of that order, for every leg and every price', () => {
    const seen = new Set<string>();
    fc.assert(
      fc.property(leg, known, (wanted, { status, ...facts }) => {
        const listed = instrument({ status });
        const previewed = previewOpening({ symbol: 'ETH', ...wanted }, { instrument: listed, ...facts }, limits);
        const { markNano: _mark, ...bare } = context();
        const { denied } = approve(createOrderGate(limits), order(wanted), { ...bare, instrument: listed, ...facts });
        expect(previewed).toEqual(denied);
        seen.add(previewed?.code ?? 'passes');
      }),
      { numRuns: 500, seed: 7 },
    );
    expect([...seen].toSorted()).toEqual(
      [
        'INSTRUMENT_STATUS',
        'NOTIONAL',
        'NO_REFERENCE_PRICE',
        'POSITION_CAP',
        'PRICE_COLLAR',
        'QUANTITY',
        'passes',
      ].toSorted(),
    );
  });
});

describe('orders over longer times', () => {
  const wide: OrderGateLimits = { ...limits, maxOrdersPerSec: 1_000, maxOrdersPerMinute: 5, maxOrdersPerDay: 8 };
  /** Plays orders at monotonic times and tells which passed; `dayMs` is calendar time. */
  function play(atMs: readonly number[], change: Partial<OrderRequest> = {}, dayMs = 0): readonly boolean[] {
    let gate = createOrderGate(wide);
    return atMs.map((monotonicMs) => {
      const opposed = change.reduceOnly === true ? { positionLots: -1_000 } : {};
      const decision = approve(
        gate,
        order({ validUntilMs: Number.MAX_SAFE_INTEGER, lots: lots(1), ...change }),
        context({ monotonicMs, nowMs: dayMs + monotonicMs, ...opposed }),
      );
      ({ gate } = decision);
      return decision.approved !== undefined;
    });
  }

  it('are at most so many in any minute', () => {
    expect(play([0, 1, 2, 3, 4, 5, 59_999, 60_000, 60_000, 60_001])).toEqual([
      ...Array.from({ length: 5 }, () => true),
      false,
      false,
      true,
      false,
      true,
    ]);
  });

  it('are at most so many on a UTC day, and begin again with the next', () => {
    const spread = Array.from({ length: 10 }, (_, index) => index * 60_000);
    expect(play(spread).filter((passed) => passed)).toHaveLength(8);
    // The fifth is the first of the new day.
    expect(play(spread, {}, 86_400_000 - 4 * 60_000)).not.toContain(false);
  });

  it('are never too many to close', () => {
    expect(
      play(
        Array.from({ length: 20 }, (_, index) => index),
        { side: 'buy', reduceOnly: true },
      ),
    ).not.toContain(false);
  });
});
