import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import type { FundingOutlook } from '../../src/market/funding-forecast.ts';
import { HOUR_MS } from '../../src/market/funding-rate.ts';
import { evaluateExit, initialExitState } from '../../src/strategy/exit-decision.ts';
import type { ExitDecision, ExitInput, ExitLeg, ExitState } from '../../src/strategy/exit-decision.ts';
import { comingPayment } from '../../src/strategy/hold-value.ts';
import type { ExitPolicies } from '../../src/strategy/policy.ts';
import { propertyRuns } from '../property-runs.ts';
import { Example } from '../examples.ts';

const MINUTE_MS = 60_000;
const policy: ExitPolicies = {
  exit: {
    minHoldHours: 0,
    horizonHours: 8,
    hysteresis: 0.1,
    confirm: 2,
    takeProfitQuote: 10,
    stopLossPct: 2,
    maxHoldHours: 240,
    maxDarkMs: 120_000,
    darkVenue: 'hold',
    maxMarkDivergenceBps: 150,
    takeProfitFees: 0,
    maxAdlRank: 0.9,
    maxMove: 0.15,
    moveWindowMs: 5 * MINUTE_MS,
  },
  settle: { guardMs: 15_000, minDeferQuote: 0.05, deferMs: 10 * MINUTE_MS },
  liquidation: { minEntryDistance: 0.25, warn: 0.2, reduce: 0.15, critical: 0.1, stopDistance: 0.05 },
  forecast: { halfLifeHours: 8, lookbackHours: 72, haircut: 0.25 },
  stablecoin: { warnGap: 0.003, maxGap: 0.01 },
};
const outlook = (rate: number, nextSettleInMs = 30 * MINUTE_MS): FundingOutlook => ({
  nextSettleInMs,
  intervalMs: HOUR_MS,
  nextRate: rate,
  medianRate: rate,
  halfLifeHours: 8,
});
const leg = (changes: Partial<ExitLeg> = {}): ExitLeg => ({
  venue: 'lighter',
  confirmedQuantity: 3.3,
  notionalQuote: 10_000,
  markPrice: 3_000,
  liquidationDistance: 0.3,
  maintenance: 0.012,
  adlRank: undefined,
  profitQuote: 0,
  darkForMs: 0,
  funding: outlook(0),
  predictionKey: 'a',
  ...changes,
});
const short = (changes: Partial<ExitLeg> = {}): ExitLeg =>
  leg({ venue: 'extended', confirmedQuantity: -3.3, funding: outlook(0.0000135), ...changes });
const input = (changes: Partial<ExitInput> = {}): ExitInput => ({
  nowMs: 10 * HOUR_MS,
  monotonicMs: 1_000,
  openedAtMs: 9 * HOUR_MS,
  long: leg(),
  short: short(),
  flatten: undefined,
  manual: false,
  executableQuote: -5,
  exitCostQuote: 8,
  feesQuote: 5,
  quoteGap: 0,
  reducible: true,
  rotation: undefined,
  capitalQuote: 6_000,
  ...changes,
});
const losing = (rate = -0.0001): Partial<ExitInput> => ({ short: short({ funding: outlook(rate) }) });
const decide = (state: ExitState, given: ExitInput, rules: ExitPolicies = policy): ExitDecision =>
  evaluateExit(state, given, rules).decision;
/** Plays evaluations one after the other and returns the last decision with its state. */
function play(inputs: readonly ExitInput[], rules = policy): { state: ExitState; decision: ExitDecision } {
  let last = { state: initialExitState, decision: { action: 'HOLD', detail: '' } as ExitDecision };
  for (const given of inputs) last = evaluateExit(last.state, given, rules);
  return last;
}
const reversed = (changes: Partial<ExitInput> = {}): readonly ExitInput[] =>
  ['a', 'b'].map((predictionKey) => input({ short: short({ funding: outlook(-0.0001), predictionKey }), ...changes }));

it('holds a pair that earns', () => {
  expect(decide(initialExitState, input())).toEqual({ action: 'HOLD', detail: '' });
});

test.each([
  ['LEG_MISSING', 'immediate', input({ long: leg({ confirmedQuantity: 0 }) }), 'long leg on lighter is 0'],
  ['LEG_MISSING', 'immediate', input({ short: short({ confirmedQuantity: 1 }) }), 'short leg on extended is 1'],
  ['LIQUIDATION', 'immediate', input({ short: short({ liquidationDistance: 0.099 }) }), 'extended 9.90 % < 10.00 %'],
  ['KILL_SWITCH', 'immediate', input({ flatten: { cause: 'KILL_SWITCH', detail: 'K3' } }), 'K3'],
  ['DAILY_LOSS', 'immediate', input({ flatten: { cause: 'DAILY_LOSS', detail: 'lost 100' } }), 'lost 100'],
  ['STOP_LOSS', 'fast', input({ executableQuote: -120.1 }), 'closing now nets -120.100 < -120.000'],
  ['MAX_HOLD', 'normal', input({ openedAtMs: -230.5 * HOUR_MS }), 'held 240.500 h > 240 h'],
  ['MANUAL', 'normal', input({ manual: true }), 'asked by the operator'],
] as const)('%s leaves the pair (%s)', (reason, urgency, given, detail) => {
  const decision = decide(initialExitState, given);
  expect(decision).toMatchObject({ action: 'EXIT', reason, urgency });
  expect(decision.detail).toContain(detail);
});

test.each([
  ['unconfirmed legs', input({ long: leg({ confirmedQuantity: undefined }) })],
  ['an unknown liquidation price', input({ long: leg({ liquidationDistance: undefined }) })],
  ['a missing book', input({ executableQuote: undefined, exitCostQuote: undefined, ...losing() })],
  ['missing marks', input({ long: leg({ markPrice: undefined }) })],
  ['a stop exactly at its limit', input({ executableQuote: -120 })],
  ['a missing rate', input({ short: short({ funding: undefined }) })],
] as const)('%s are no reason to leave', (_what, given) => {
  expect(play([given, given, given]).decision.action).toBe('HOLD');
});

describe('a dark venue', () => {
  const dark = input({ short: short({ darkForMs: 120_001 }), executableQuote: -500 });

  it('holds back everything below it: one leg alone is exposure', () => {
    expect(decide(initialExitState, dark)).toMatchObject({ action: 'HOLD', reason: 'STALE_VENUE' });
  });
  it('is flattened where the policy says so', () => {
    const flatten: ExitPolicies = { ...policy, exit: { ...policy.exit, darkVenue: 'flatten' } };
    expect(decide(initialExitState, dark, flatten)).toMatchObject({ action: 'EXIT', reason: 'STALE_VENUE' });
  });
  it('does not overrule an operator or the kill switch', () => {
    expect(decide(initialExitState, { ...dark, executableQuote: 0, manual: true })).toMatchObject({ reason: 'MANUAL' });
    const killed = { ...dark, flatten: { cause: 'KILL_SWITCH', detail: '' } as const };
    expect(decide(initialExitState, killed)).toMatchObject({ action: 'EXIT', reason: 'KILL_SWITCH' });
  });
});

describe('DIVERGENCE', () => {
  const apart = (monotonicMs: number, markPrice = 3_046): ExitInput =>
    input({ monotonicMs, short: short({ markPrice }) });

  it('leaves after 60 s of marks apart', () => {
    expect(play([apart(0), apart(59_999)]).decision.action).toBe('HOLD');
    expect(play([apart(0), apart(60_000)]).decision).toMatchObject({ reason: 'DIVERGENCE', urgency: 'fast' });
  });
  it('starts over when the marks come together in between', () => {
    expect(play([apart(0), apart(30_000, 3_000), apart(60_000)]).decision.action).toBe('HOLD');
  });
});

describe('layers 4 and 6', () => {
  it('ADL_RISK leaves a leg that is next in the queue and has something to lose', () => {
    const next = (profitQuote: number, adlRank = 0.9): ExitInput => input({ short: short({ adlRank, profitQuote }) });
    expect(decide(initialExitState, next(1))).toMatchObject({ action: 'EXIT', reason: 'ADL_RISK', urgency: 'fast' });
    expect(decide(initialExitState, next(0)).action).toBe('HOLD');
    expect(decide(initialExitState, next(1, 0.8)).action).toBe('HOLD');
  });

  it('STABLECOIN_DEPEG leaves after 10 s apart, and not for a late price', () => {
    const gap = (monotonicMs: number, quoteGap: number | undefined): ExitInput => input({ monotonicMs, quoteGap });
    expect(play([gap(0, 0.011), gap(9_999, 0.011)]).decision.action).toBe('HOLD');
    expect(play([gap(0, 0.011), gap(10_000, 0.011)]).decision).toMatchObject({
      reason: 'STABLECOIN_DEPEG',
      urgency: 'fast',
    });
    expect(play([gap(0, 0.011), gap(5_000, 0.01), gap(10_000, 0.011)]).decision.action).toBe('HOLD');
    expect(play([gap(0, undefined), gap(60_000, undefined)]).decision.action).toBe('HOLD');
  });

  it('VOL_PANIC leaves when both marks together move too far within the window', () => {
    const at = (minutes: number, price: number, other = price): ExitInput =>
      input({
        nowMs: 10 * HOUR_MS + minutes * MINUTE_MS,
        long: leg({ markPrice: price }),
        short: short({ markPrice: other }),
      });
    expect(play([at(0, 3_000), at(4, 3_451)]).decision).toMatchObject({ reason: 'VOL_PANIC', urgency: 'fast' });
    expect(play([at(0, 3_000), at(4, 3_449)]).decision.action).toBe('HOLD');
    expect(play([at(0, 3_000), at(6, 3_451)]).decision.action).toBe('HOLD');
    // One venue alone moves it half.
    expect(play([at(0, 3_000), at(4, 3_000, 3_451)]).decision.action).toBe('HOLD');
  });
});

describe('REDUCE', () => {
  const near = (distance: number, changes: Partial<ExitInput> = {}): ExitInput =>
    input({ short: short({ liquidationDistance: distance }), ...changes });

  it('keeps what brings the weakest leg back to the distance of a new one', () => {
    const decision = decide(initialExitState, near(0.12));
    expect(decision).toMatchObject({ action: 'REDUCE', reason: 'LIQUIDATION' });
    expect(decision.keep).toBeCloseTo(0.503_547, 5);
    const both = near(0.14, { long: leg({ liquidationDistance: 0.12 }) });
    expect(decide(initialExitState, both).keep).toBeCloseTo(0.504_093, 5);
    expect(decide(initialExitState, near(0.15)).action).toBe('HOLD');
  });

  it('is not repeated before the venue can have said what it did', () => {
    const again = (monotonicMs: number): ExitInput => near(0.12, { monotonicMs });
    expect(play([again(0), again(29_999)]).decision.action).toBe('HOLD');
    expect(play([again(0), again(30_000)]).decision.action).toBe('REDUCE');
  });

  it('gives way to what closes the pair at once, not to what may wait', () => {
    expect(decide(initialExitState, near(0.09))).toMatchObject({ action: 'EXIT', reason: 'LIQUIDATION' });
    expect(decide(initialExitState, near(0.12, { executableQuote: -500 }))).toMatchObject({ reason: 'STOP_LOSS' });
    expect(decide(initialExitState, near(0.12, { rotation: 'x' })).action).toBe('REDUCE');
  });

  it('waits while a leg cannot be traded: one leg alone would be exposure', () => {
    expect(decide(initialExitState, near(0.12, { reducible: false })).action).toBe('HOLD');
  });
});

describe('the guard band', () => {
  const at = (nextSettleInMs: number, rate: number): ExitInput =>
    input({ long: leg({ funding: outlook(0) }), short: short({ funding: outlook(rate, nextSettleInMs) }) });
  const twice = (one: ExitInput): readonly ExitInput[] =>
    ['a', 'b'].map((predictionKey) => ({ ...one, short: { ...one.short, predictionKey } }));

  it('counts a payment in the band only where it speaks for staying', () => {
    // 10,000 x 0.01 %, 25 % off: one payment of -1.25 and nothing else within 8 h would be worth leaving for.
    const eightHours = (inMs: number): ExitInput => {
      const funding = { ...outlook(-0.0001, inMs), intervalMs: 8 * HOUR_MS };
      return input({
        short: short({ funding }),
        long: leg({ funding: { ...outlook(0, inMs), intervalMs: 8 * HOUR_MS } }),
      });
    };
    expect(play(twice(eightHours(20_000))).decision).toMatchObject({ reason: 'CARRY_REVERSED' });
    expect(play(twice(eightHours(14_000))).decision.action).toBe('HOLD');
  });

  it('waits for a payment that has just passed by our clock and may come yet by the venue’s', () => {
    const passed = { ...at(HOUR_MS - 5_000, 0.0001), rotation: 'a better pair' };
    const { decision } = play([passed]);
    expect(decision).toMatchObject({ action: 'HOLD', reason: 'ROTATION' });
    expect(decision.deferUntilMs).toBe(10 * HOUR_MS + 10_000);
    expect(play([{ ...at(HOUR_MS - 15_000, 0.0001), rotation: 'a better pair' }]).decision.action).toBe('EXIT');
  });
});

describe('TAKE_PROFIT', () => {
  it('may ask for a multiple of all fees, the exit’s included', () => {
    const rules: ExitPolicies = { ...policy, exit: { ...policy.exit, takeProfitFees: 3 } };
    const rich = (monotonicMs: number, executableQuote: number, feesQuote: number | undefined = 5): ExitInput =>
      input({ monotonicMs, executableQuote, feesQuote });
    expect(play([rich(0, 14.9), rich(300, 14.9)], rules).decision.action).toBe('HOLD');
    expect(play([rich(0, 15), rich(300, 15)], rules).decision).toMatchObject({ reason: 'TAKE_PROFIT' });
    expect(play([rich(0, 9, 1), rich(300, 9, 1)], rules).decision.action).toBe('HOLD');
    const unknown = (monotonicMs: number): ExitInput => ({ ...rich(monotonicMs, 99), feesQuote: undefined });
    expect(play([unknown(0), unknown(300)], rules).decision.action).toBe('HOLD');
  });

  const rich = (monotonicMs: number, executableQuote = 10): ExitInput => input({ monotonicMs, executableQuote });

  it('needs two evaluations at least 250 ms apart', () => {
    expect(play([rich(0), rich(249)]).decision.action).toBe('HOLD');
    expect(play([rich(0), rich(249), rich(250)]).decision).toMatchObject({ action: 'EXIT', reason: 'TAKE_PROFIT' });
  });
  it('starts over when the profit goes away in between', () => {
    expect(play([rich(0), rich(100, 9.99), rich(300)]).decision.action).toBe('HOLD');
  });
  it('is confirmed also while the carry cannot be judged or repeats the same loss', () => {
    const unknown = (monotonicMs: number): ExitInput => ({ ...rich(monotonicMs), exitCostQuote: undefined });
    const same = (monotonicMs: number): ExitInput => ({ ...rich(monotonicMs), ...losing() });
    expect(play([unknown(0), unknown(250)]).decision).toMatchObject({ reason: 'TAKE_PROFIT' });
    expect(play([same(0), same(250)]).decision).toMatchObject({ reason: 'TAKE_PROFIT' });
  });
  it('waits for the minimum hold, unlike the stop', () => {
    const slow: ExitPolicies = { ...policy, exit: { ...policy.exit, minHoldHours: 2 } };
    expect(play([rich(0), rich(500)], slow).decision.action).toBe('HOLD');
    expect(play([input({ executableQuote: -500 })], slow).decision).toMatchObject({ reason: 'STOP_LOSS' });
  });
});

describe('CARRY_REVERSED', () => {
  it('needs two distinct predictions', () => {
    const [first] = reversed();
    if (first === undefined) throw new Error('two predictions were made');
    expect(play([first, first, first]).decision.action).toBe('HOLD');
    expect(play(reversed()).decision).toMatchObject({ action: 'EXIT', reason: 'CARRY_REVERSED', urgency: 'normal' });
  });
  it('forgets a prediction when staying pays again', () => {
    const [first, second] = reversed();
    if (first === undefined || second === undefined) throw new Error('two predictions were made');
    expect(play([first, input(), second]).decision.action).toBe('HOLD');
  });
  it('lets losses within the hysteresis pass', () => {
    // 8 payments of 10,000 x 0.0000079 with a quarter added are 0.79 < 0.8.
    const slight = ['a', 'b', 'c'].map((predictionKey) =>
      input({ short: short({ funding: outlook(-0.0000079), predictionKey }) }),
    );
    expect(play(slight).decision.action).toBe('HOLD');
  });
  it('keeps its count while facts are missing', () => {
    const [first, second] = reversed();
    if (first === undefined || second === undefined) throw new Error('two predictions were made');
    expect(play([first, { ...second, exitCostQuote: undefined }, second]).decision.reason).toBe('CARRY_REVERSED');
  });
});

describe('EX-17 settlement timing', () => {
  const soon = 3 * MINUTE_MS;
  // Worth +1.35 at the coming settlement, a loss over the whole horizon.
  const paying: FundingOutlook = { ...outlook(0.000135, soon), medianRate: -0.001, halfLifeHours: 0.01 };
  const late = (funding: FundingOutlook, changes: Partial<ExitInput> = {}): readonly ExitInput[] =>
    ['a', 'b'].map((predictionKey) => input({ short: short({ funding, predictionKey }), ...changes }));

  it('waits for +1.35 in 3 min, until 15 s after it', (context) => {
    expect(comingPayment(input({ short: short({ funding: paying }) }))?.quote).toBeCloseTo(1.35, 9);
    const { decision } = play(late(paying));
    expect(decision).toMatchObject({ action: 'HOLD', reason: 'CARRY_REVERSED' });
    expect(decision.deferUntilMs).toBe(10 * HOUR_MS + soon + 15_000);
    const example = new Example('EX-17', context);
    example.is('+1.35 in 3 min', 'HOLD', decision.action);
    example.is('until after it, s', 15, ((decision.deferUntilMs ?? 0) - 10 * HOUR_MS - soon) / 1_000);
  });

  it('still waits inside the guard after the settlement, then leaves', () => {
    const deferred = play(late(paying));
    const afterwards = (nowMs: number): ExitInput =>
      input({ nowMs, short: short({ funding: outlook(-0.0001, 57 * MINUTE_MS), predictionKey: 'b' }) });
    const settledAtMs = 10 * HOUR_MS + soon;
    expect(decide(deferred.state, afterwards(settledAtMs + 14_999)).action).toBe('HOLD');
    expect(decide(deferred.state, afterwards(settledAtMs + 15_000))).toMatchObject({
      action: 'EXIT',
      reason: 'CARRY_REVERSED',
    });
  });

  it('does not hold back a liquidation', (context) => {
    const { state } = play(late(paying));
    const critical = input({ short: short({ funding: paying, liquidationDistance: 0.05 }) });
    expect(decide(state, critical)).toMatchObject({ action: 'EXIT', reason: 'LIQUIDATION' });
    new Example('EX-17', context).is('a liquidation', 'EXIT', decide(state, critical).action);
  });

  it('leaves before a payment of -1.35', (context) => {
    new Example('EX-17', context).is('-1.35', 'EXIT', play(late(outlook(-0.000135, soon))).decision.action);
    expect(play(late(outlook(-0.000135, soon))).decision).toMatchObject({ action: 'EXIT', reason: 'CARRY_REVERSED' });
  });

  it('does not wait for a payment too small or too far away', () => {
    expect(play(late({ ...paying, nextRate: 0.000004 })).decision.action).toBe('EXIT');
    expect(play(late({ ...paying, nextSettleInMs: 10 * MINUTE_MS + 1 })).decision.action).toBe('EXIT');
  });

  it('counts only the legs that settle at that instant', () => {
    const mixed = { long: leg({ funding: outlook(-0.0001, soon + 2_000) }), short: short({ funding: paying }) };
    expect(comingPayment(mixed)?.quote).toBeCloseTo(1.35, 9);
    const together = { ...mixed, long: leg({ funding: outlook(-0.0001, soon) }) };
    expect(comingPayment(together)?.quote).toBeCloseTo(2.35, 9);
  });
});

/** The emergency that must be named: the first of these that is a fact. */
function mostUrgent({ long, short, flatten }: ExitInput): string | undefined {
  const legs = [long, short];
  if (legs.some(({ confirmedQuantity }) => confirmedQuantity === 0)) return 'LEG_MISSING';
  if (legs.some(({ liquidationDistance = 1 }) => liquidationDistance < policy.liquidation.critical))
    return 'LIQUIDATION';
  if (flatten !== undefined) return flatten.cause;
  const isNext = ({ adlRank = 0, profitQuote = 0 }: ExitLeg): boolean =>
    adlRank >= policy.exit.maxAdlRank && profitQuote > 0;
  return legs.some(isNext) ? 'ADL_RISK' : undefined;
}

it('T10: leaves for the most urgent reason, and evaluated again gives the same decision and state', () => {
  const legArbitrary = (sign: 1 | -1): fc.Arbitrary<ExitLeg> =>
    fc.record({
      venue: fc.constant(sign === 1 ? 'lighter' : 'extended'),
      confirmedQuantity: fc.constantFrom(sign * 3.3, sign * 3.3, sign * 3.3, 0, undefined),
      notionalQuote: fc.constant(10_000),
      markPrice: fc.constantFrom(3_000, 3_000, 3_060, undefined),
      liquidationDistance: fc.constantFrom(0.3, 0.3, 0.05, undefined),
      maintenance: fc.constant(0.012),
      adlRank: fc.constantFrom(undefined, 0.4, 1),
      profitQuote: fc.constantFrom(-1, 1, undefined),
      darkForMs: fc.constantFrom(0, 0, 0, 200_000),
      funding: fc.constantFrom(outlook(0.0001), outlook(-0.0001), outlook(0.0005, MINUTE_MS), undefined),
      predictionKey: fc.constantFrom('a', 'b', 'c'),
    });
  const any: fc.Arbitrary<ExitInput> = fc.record({
    nowMs: fc.integer({ min: 10 * HOUR_MS, max: 300 * HOUR_MS }),
    monotonicMs: fc.integer({ min: 0, max: 200_000 }),
    openedAtMs: fc.constant(9 * HOUR_MS),
    long: legArbitrary(1),
    short: legArbitrary(-1),
    flatten: fc.constantFrom(undefined, undefined, { cause: 'KILL_SWITCH', detail: 'K3' } as const),
    manual: fc.boolean(),
    feesQuote: fc.constantFrom(5, undefined),
    quoteGap: fc.constantFrom(0, 0, 0.02, undefined),
    reducible: fc.boolean(),
    rotation: fc.constantFrom(undefined, undefined, 'a better pair waits'),
    executableQuote: fc.constantFrom(-500, -5, 20, undefined),
    exitCostQuote: fc.constantFrom(8, undefined),
    capitalQuote: fc.constant(6_000),
  });
  fc.assert(
    fc.property(fc.array(any, { minLength: 1, maxLength: 6 }), (inputs) => {
      const before = play(inputs.slice(0, -1));
      const last = inputs.at(-1);
      if (last === undefined) return;
      const once = evaluateExit(before.state, last, policy);
      const again = evaluateExit(once.state, last, policy);
      expect(again).toEqual(once);
      // Emergencies come first and in their order, whatever else is true.
      const urgent = mostUrgent(last);
      if (urgent !== undefined) expect(once.decision).toMatchObject({ action: 'EXIT', reason: urgent });
      // What is worse than all that is so far makes nothing wait that did not wait before.
      const worse = { ...last, short: { ...last.short, liquidationDistance: 0.01 } };
      expect(evaluateExit(before.state, worse, policy).decision).toMatchObject({
        action: 'EXIT',
        urgency: 'immediate',
      });
    }),
    propertyRuns(),
  );
});
