import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { assessEntry } from '../../src/strategy/entry-assessment.ts';
import { decideEntry } from '../../src/strategy/entry-decision.ts';
import type { EntryFacts, EntryLegFacts } from '../../src/strategy/entry-facts.ts';
import { ENTRY_GATES } from '../../src/strategy/entry-gates.ts';
import type { EntryPolicies } from '../../src/strategy/policy.ts';
import { book, instrument, micro, pico } from '../market/instruments.ts';
import { MONOTONIC_MS, NOW_MS, candidate, entryPolicy, legFacts, predicted } from './candidates.ts';
import { propertyRuns } from '../property-runs.ts';

const long = (changes: Partial<EntryLegFacts>): Partial<EntryFacts> => ({ long: legFacts('lighter', 0, changes) });
const short = (changes: Partial<EntryLegFacts>): Partial<EntryFacts> => ({
  short: legFacts('extended', 50_000_000, changes),
});
const status = (changes: Partial<NonNullable<EntryLegFacts['status']>>): Partial<EntryLegFacts> => ({
  status: {
    status: 'ready',
    reason: '',
    clockOffsetMs: 0,
    clockErrorMs: 0,
    entriesAllowed: true,
    openBudgetShare: 1,
    ...changes,
  },
});
const mark = (quote: number): Partial<EntryLegFacts> => ({
  mark: { markNano: BigInt(quote * 1e9), receivedAtMonotonicMs: MONOTONIC_MS },
});
const view = (bid: number, ask: number, size = 5_000): Partial<EntryLegFacts> => ({
  book: book([[bid, size]], [[ask, size]], { receivedAtMonotonicMs: MONOTONIC_MS, venueAtMs: NOW_MS }),
});
const balance = (availableMicro: bigint, walletMicro = 10_000_000_000n): Partial<EntryLegFacts> => ({
  balance: {
    walletMicro: micro(walletMicro),
    availableMicro: micro(availableMicro),
    receivedAtMonotonicMs: MONOTONIC_MS,
  },
});
const rate = (hourly: number): Partial<EntryFacts> => ({ short: legFacts('extended', hourly) });
const policy = <Part extends keyof EntryPolicies>(
  part: Part,
  changes: Partial<EntryPolicies[Part]>,
): EntryPolicies => ({
  ...entryPolicy,
  [part]: { ...entryPolicy[part], ...changes },
});
const gateNumbers = (facts: EntryFacts, rules: EntryPolicies = entryPolicy): readonly number[] => {
  const input = assessEntry(facts, rules);
  return ENTRY_GATES.flatMap((gate, index) => (gate(input, rules) === undefined ? [] : [index + 1]));
};

it('lets a good candidate through all 27 gates', () => {
  expect(ENTRY_GATES).toHaveLength(27);
  expect(gateNumbers(candidate())).toEqual([]);
});

/** Gate number, code, the broken fact, words of the detail, and the policy where it is not the usual one. */
type Case = readonly [number, string, Partial<EntryFacts>, string, EntryPolicies?];
const cases: readonly Case[] = [
  [
    1,
    'ENGINE_NOT_TRADING',
    { engine: { state: 'ARMED', reason: 'recovered', entriesPaused: false } },
    'ARMED: recovered',
  ],
  [
    1,
    'ENGINE_NOT_TRADING',
    { engine: { state: 'TRADING', reason: '3 losses', entriesPaused: true } },
    'paused: 3 losses',
  ],
  [2, 'VENUE_DOWN', short(status({ status: 'down', reason: 'socket' })), 'extended:main is down: socket'],
  [2, 'VENUE_DOWN', long(status({ entriesAllowed: false, reason: 'start-up' })), 'lighter:main allows no entries yet'],
  [2, 'CIRCUIT_OPEN', long(status({ status: 'degraded', reason: '5 failures' })), 'degraded: 5 failures'],
  [
    3,
    'STALE_BOOK',
    {
      long: legFacts('lighter', 0, {
        book: book([[59_999, 5_000]], [[60_001, 5_000]], {
          receivedAtMonotonicMs: MONOTONIC_MS - 2_001,
          venueAtMs: NOW_MS,
        }),
      }),
    },
    'lighter 2001 ms > 2000 ms',
  ],
  [
    3,
    'STALE_BOOK',
    long({
      book: book([[59_999, 5_000]], [[60_001, 5_000]], {
        receivedAtMonotonicMs: MONOTONIC_MS,
        venueAtMs: NOW_MS + 3_100,
      }),
    }),
    'in the future',
  ],
  [
    3,
    'LAGGING',
    long({
      book: book([[59_999, 5_000]], [[60_001, 5_000]], {
        receivedAtMonotonicMs: MONOTONIC_MS - 1_000,
        venueAtMs: NOW_MS - 4_100,
      }),
    }),
    'lighter book was 3112 ms > 3000 ms old when it came',
  ],
  [
    3,
    'STALE_MARK',
    short({ mark: { markNano: 3_000_000_000_000n, receivedAtMonotonicMs: MONOTONIC_MS - 5_001 } }),
    'extended 5001 ms > 5000 ms',
  ],
  [
    3,
    'STALE_FUNDING',
    short({ predicted: { rate: predicted(50_000_000), receivedAtMonotonicMs: MONOTONIC_MS - 120_001 } }),
    '120001 ms > 120000 ms',
  ],
  [
    3,
    'STALE_ACCOUNT',
    long({
      balance: {
        walletMicro: 10_000_000_000n,
        availableMicro: 10_000_000_000n,
        receivedAtMonotonicMs: MONOTONIC_MS - 15_001,
      },
    }),
    '15001 ms > 15000 ms',
  ],
  [4, 'CLOCK_SKEW', long(status({ clockOffsetMs: -2_001 })), 'lighter 2001 ms > 2000 ms'],
  [4, 'CLOCK_SKEW', long(status({ clockErrorMs: 1_001 })), 'uncertain by 1001 ms > 1000 ms'],
  [
    5,
    'INSTRUMENT_STATUS',
    short({ instrument: instrument({ takerFee: pico(0), status: 'reduce-only' }) }),
    'ETH is reduce-only',
  ],
  [
    6,
    'UNMATCHED',
    short({ ...mark(3_090), ...view(61_799, 61_801) }),
    'marks 3.00 % apart > 2.00 %',
    policy('entry', { maxMarkDivergenceBps: 500 }),
  ],
  [
    7,
    'FUNDING_UNIT',
    short({ fundingVerdict: { state: 'UNIT_SUSPECT', factor: 1 / 8 } }),
    'extended settles 0.125 times',
  ],
  [7, 'FUNDING_UNIT', short({ fundingVerdict: { state: 'SIGN_SUSPECT' } }), 'sign opposite'],
  [
    8,
    'BLACKLIST',
    { pair: { phase: 'IDLE', active: false, cooldownUntilMs: 0, blacklisted: true } },
    'ETH is blacklisted',
  ],
  [
    8,
    'COOLDOWN',
    { pair: { phase: 'FAILED', active: false, cooldownUntilMs: NOW_MS + 60_000, blacklisted: false } },
    'another 60000 ms',
  ],
  [9, 'PAIR_EXISTS', { pair: { phase: 'OPEN', active: true, cooldownUntilMs: 0, blacklisted: false } }, 'ETH is OPEN'],
  [10, 'MAX_PAIRS', { activePairs: 5 }, '5 of 5 pairs'],
  [11, 'MARK_DIVERGENCE', short({ ...mark(3_010), ...view(60_199, 60_201) }), '33.33 bps > 30 bps'],
  [
    12,
    'SPREAD',
    short(view(59_950, 60_050)),
    'extended half-spread 8.33 bps > 8 bps',
    policy('entry', { minEdgeMultiple: 0, maxBreakEvenHours: 100, minExpectedValueQuote: -100 }),
  ],
  [
    15,
    'CARRY_TOO_SMALL',
    rate(22_000_000),
    'APR 19.27 % < 20 %',
    policy('entry', { maxBreakEvenHours: 100, minEdgeMultiple: 0, minExpectedValueQuote: -9 }),
  ],
  [15, 'CARRY_TOO_SMALL', {}, '5.00e-5 per hour < 0.0001', policy('entry', { minHourly: 0.0001 })],
  [16, 'BREAKEVEN_TOO_LONG', {}, '1.50 h > 1 h', policy('entry', { maxBreakEvenHours: 1 })],
  [17, 'EV_TOO_SMALL', {}, 'EV(48 h) 4.1600 < 5', policy('entry', { minExpectedValueQuote: 5 })],
  [18, 'EDGE_MULTIPLE', {}, 'funding 4.3200 < 30 x cost 0.1600', policy('entry', { minEdgeMultiple: 30 })],
  [19, 'TREND', { favourableStreak: 2 }, '2 favourable in a row < 3'],
  [20, 'STEP_TOO_COARSE', {}, 'common step is worth 300.00 > 125.00', policy('sizing', { maxStepNotionalShare: 0.05 })],
  [
    21,
    'EXPOSURE_TOTAL',
    {
      exposures: [{ base: 'BTC', longVenue: 'a', shortVenue: 'b', legNotionalQuote: 24_900, unhedgedNotionalQuote: 0 }],
    },
    'total notional 49800.00 used of 50000.00',
  ],
  // Bought at 3,000.95 and sold at 2,999.10; sold again at 2,985 and bought at 3,015: 31.85 on each of 0.8.
  [21, 'EXPOSURE_LOSS', {}, 'at worst the pair loses 25.48 > 25.00', policy('risk', { maxPairLossQuote: 25 })],
  [22, 'MARGIN', long(balance(100_000_000n)), '210.00 quote (margin)'],
  [22, 'MARGIN', long(balance(4_000_000_000n)), 'lighter use 68.0 % > 60.0 %'],
  [23, 'LIQ_DISTANCE', {}, 'lighter 0.00 % < 99.00 % at leverage 0', policy('liquidation', { minEntryDistance: 0.99 })],
  [24, 'RATE_LIMIT', long(status({ openBudgetShare: 0.19 })), 'lighter budget 19 % < 20 %'],
  [
    25,
    'SETTLE_WINDOW',
    short({
      predicted: { rate: predicted(50_000_000, { settleAtMs: NOW_MS + 14_999 }), receivedAtMonotonicMs: MONOTONIC_MS },
    }),
    '14987 ms away',
  ],
  [
    25,
    'SETTLE_WINDOW',
    short({
      predicted: { rate: predicted(50_000_000, { settleAtMs: NOW_MS - 1_000 }), receivedAtMonotonicMs: MONOTONIC_MS },
    }),
    '1012 ms away',
  ],
  [
    26,
    'LAST_GATE_PRICE_COLLAR',
    short({
      mark: { markNano: 3_000_000_000_000n, indexNano: 3_040_000_000_000n, receivedAtMonotonicMs: MONOTONIC_MS - 100 },
    }),
    'extended price must be at most 100 bps below 3040',
  ],
  [
    26,
    'LAST_GATE_NOTIONAL',
    {},
    'lighter order notional must be at most 1000.000000',
    { ...entryPolicy, lastGate: { ...entryPolicy.lastGate, maxOrderNotionalMicro: 1_000_000_000n } },
  ],
  [27, 'LEVERAGE_MISMATCH', long({ leverage: undefined }), 'lighter has not reported any, 3 is wanted'],
  [27, 'LEVERAGE_MISMATCH', short({ leverage: 10 }), 'extended has 10, 3 is wanted'],
];

describe('each gate alone', () => {
  for (const [number, code, broken, detail, rules = entryPolicy] of cases) {
    it(`${number} refuses with ${code}: ${detail}`, () => {
      const facts = candidate(broken);
      expect(gateNumbers(facts, rules)).toEqual([number]);
      const decision = decideEntry(facts, rules);
      expect(decision.verdict).toBe(code);
      expect(decision.detail).toContain(detail);
      expect(decision.plan).toBeUndefined();
    });
  }
});

describe('facts that several gates stand on', () => {
  it('13 DEPTH: a book too thin for the least order, named before the size it would make', () => {
    const decision = decideEntry(candidate(short(view(59_999, 60_001, 4))), entryPolicy);
    expect(decision.verdict).toBe('DEPTH');
    expect(decision.detail).toContain('0 steps within 25 bps < 1 steps');
    expect(decision.detail).toContain('extended 4 lots on 1 levels');
  });

  it('13 DEPTH: a level that the price cap excludes', () => {
    const far = policy('cap', { maxDeviationBps: 0.1 });
    expect(decideEntry(candidate(), far)).toMatchObject({ verdict: 'DEPTH', detail: expect.stringContaining('cap') });
  });

  it('14 BOOK_GAP and BOOK_CROSSED: a lost, one-sided or crossed book', () => {
    const lost = { book: undefined, bookLostReason: 'gap' };
    expect(decideEntry(candidate(long(lost)), entryPolicy)).toMatchObject({
      verdict: 'BOOK_GAP',
      detail: 'lighter book lost: gap',
    });
    const oneSided = { book: book([], [[60_001, 5]], { receivedAtMonotonicMs: MONOTONIC_MS, venueAtMs: NOW_MS }) };
    expect(decideEntry(candidate(long(oneSided)), entryPolicy).verdict).toBe('BOOK_GAP');
    expect(decideEntry(candidate(long(view(60_001, 59_999))), entryPolicy).verdict).toBe('BOOK_CROSSED');
    expect(decideEntry(candidate(long(view(60_000, 60_000))), entryPolicy).verdict).toBe('BOOK_CROSSED');
  });

  it('20 SIZE_BELOW_MIN: a target below what one venue accepts', () => {
    const small = policy('sizing', { maxNotionalQuote: 200, maxStepNotionalShare: 1 });
    const lenient = { ...small, entry: { ...small.entry, minExpectedValueQuote: -100 } };
    expect(decideEntry(candidate(), lenient)).toMatchObject({
      verdict: 'SIZE_BELOW_MIN',
      detail: '200.00 quote (maxNotional) is 0 steps < 1 steps that both venues accept',
    });
  });

  it.each(['book', 'mark', 'predicted', 'balance', 'instrument', 'status'] as const)(
    'a missing %s never enters',
    (fact) => {
      for (const side of ['long', 'short'] as const) {
        const facts = candidate();
        const decision = decideEntry({ ...facts, [side]: { ...facts[side], [fact]: undefined } }, entryPolicy);
        expect(decision.plan).toBeUndefined();
        expect(decision.verdict).toMatch(/^(STALE_|INSTRUMENT_STATUS|VENUE_DOWN)/);
      }
    },
  );
});

it('names the first gate in order when several refuse', () => {
  const everything: EntryFacts = candidate({
    engine: { state: 'HALTED', reason: 'K3', entriesPaused: false },
    favourableStreak: 0,
    activePairs: 9,
    ...long(status({ status: 'down', clockOffsetMs: 9_999, openBudgetShare: 0 })),
  });
  expect(gateNumbers(everything)).toEqual([1, 2, 4, 10, 19, 24]);
  const heal: readonly ((facts: EntryFacts) => EntryFacts)[] = [
    (facts) => ({ ...facts, engine: { state: 'TRADING', reason: '', entriesPaused: false } }),
    (facts) => ({ ...facts, ...long(status({ clockOffsetMs: 9_999, openBudgetShare: 0 })) }),
    (facts) => ({ ...facts, ...long(status({ openBudgetShare: 0 })) }),
    (facts) => ({ ...facts, activePairs: 0 }),
    (facts) => ({ ...facts, favourableStreak: 3 }),
  ];
  const verdicts = [];
  let facts = everything;
  for (const step of heal) {
    verdicts.push(decideEntry(facts, entryPolicy).verdict);
    facts = step(facts);
  }
  verdicts.push(decideEntry(facts, entryPolicy).verdict);
  expect(verdicts).toEqual(['ENGINE_NOT_TRADING', 'VENUE_DOWN', 'CLOCK_SKEW', 'MAX_PAIRS', 'TREND', 'RATE_LIMIT']);
});

it('measures venue clocks in real time where the calendar is compressed', () => {
  const inTenCalendarMinutes = predicted(50_000_000, { settleAtMs: NOW_MS + 600_000 });
  const facts = candidate({
    calendarScale: 360,
    ...short({
      ...status({ clockOffsetMs: 1_650 }),
      predicted: { rate: inTenCalendarMinutes, receivedAtMonotonicMs: MONOTONIC_MS },
    }),
  });
  // 1,650 ms are 594 s of this calendar: the settlement is 6 s away by the venue's clock.
  expect(decideEntry(facts, entryPolicy)).toMatchObject({ verdict: 'SETTLE_WINDOW' });
});

describe('an entry', () => {
  it('is a complete plan in each leg’s own lots and ticks', () => {
    const decision = decideEntry(candidate(), entryPolicy);
    expect(decision.verdict).toBe('ENTER');
    expect(decision.plan).toMatchObject({
      base: 'ETH',
      long: { venue: 'lighter', account: 'main', symbol: 'ETH', lots: 8, limitTicks: 60_019, vwapTicks: 60_001 },
      short: { venue: 'extended', account: 'main', symbol: 'ETH', lots: 8, limitTicks: 59_982, vwapTicks: 59_999 },
      decidedAtMs: NOW_MS,
    });
    expect(decision.plan?.expected.netHourlyQuote).toBeCloseTo(0.8 * 3_000 * 0.00005, 9);
    expect(decision.plan?.expected.roundTripCostQuote).toBeCloseTo(0.8 * 0.2, 9);
    expect(decision.plan?.expected.entryBasisBps).toBeCloseTo(-0.3333, 4);
    expect(decision.plan?.expected.capitalQuote).toBeCloseTo(1.5 * 2 * 800, 9);
  });

  it('is at most a thousandth of what the quieter venue traded in a day', () => {
    const quiet = instrument({ venue: 'extended', takerFee: pico(0), volume24hQuote: 2_200_000 });
    const decision = decideEntry(candidate(short({ instrument: quiet })), entryPolicy);
    expect(decision).toMatchObject({ verdict: 'ENTER', plan: { long: { lots: 7 }, short: { lots: 7 } } });
    expect(decision.detail).toContain('sized by volume');
  });

  it('stays small while a funding unit is unproven or unstable', () => {
    for (const state of ['UNPROVEN', 'UNSTABLE'] as const) {
      const rules = policy('sizing', { maxStepNotionalShare: 1 });
      const lenient = { ...rules, entry: { ...rules.entry, minExpectedValueQuote: 0 } };
      const decision = decideEntry(candidate(short({ fundingVerdict: { state } })), lenient);
      expect(decision.plan?.long.lots).toBe(1);
    }
  });

  it('counts settlements by the venue clock', () => {
    const behind = candidate(
      short({
        ...status({ clockOffsetMs: 1_900 }),
        predicted: {
          rate: predicted(50_000_000, { settleAtMs: NOW_MS + 16_000 }),
          receivedAtMonotonicMs: MONOTONIC_MS,
        },
      }),
    );
    expect(decideEntry(behind, entryPolicy)).toMatchObject({ verdict: 'SETTLE_WINDOW' });
  });
});

it('enters exactly when no gate refuses, whatever is broken together', () => {
  fc.assert(
    fc.property(fc.subarray([...cases], { maxLength: 4 }), (broken) => {
      let facts = candidate();
      for (const [, , changes] of broken) facts = { ...facts, ...changes };
      const refusing = gateNumbers(facts);
      const decision = decideEntry(facts, entryPolicy);
      expect(decision.plan === undefined).toBe(refusing.length > 0);
      const first = ENTRY_GATES[(refusing[0] ?? 1) - 1];
      const named = first?.(assessEntry(facts, entryPolicy), entryPolicy)?.code ?? 'ENTER';
      expect(decision.verdict).toBe(named);
    }),
    propertyRuns(),
  );
});
