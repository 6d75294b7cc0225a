/** Worked examples of the smaller decisions: complete or unwind, the exposure clock, position truth, funding expectations, recovery. */
import { describe, expect, it } from 'vitest';
import { completeOrUnwind } from '../../src/execution/complete-or-unwind.ts';
import type { HalfFilled } from '../../src/execution/complete-or-unwind.ts';
import { observeExposure, stoppedExposureClock, unhedgedForMs } from '../../src/execution/exposure-clock.ts';
import {
  ageExpectations,
  awaitedMicro,
  expectFunding,
  receiveFunding,
} from '../../src/execution/funding-expectation.ts';
import {
  positionAdjusted,
  positionFilled,
  positionQueried,
  positionReported,
  positionTruth,
  unseenPosition,
} from '../../src/execution/position-truth.ts';
import { decideRecovery } from '../../src/execution/recovery.ts';
import type { RecoveryFacts } from '../../src/execution/recovery.ts';

describe('completing or unwinding a half-filled pair', () => {
  /** EX-8: 0.6 sold on the short venue at 3001.20, the long leg failing. */
  const half: HalfFilled = {
    expectedValueQuote: 13.8012369,
    plannedQuantity: 3.3,
    filledQuantity: 0.6,
    completion: { side: 'buy', plannedPrice: 3000.95, price: 3006, feeRate: 0.00025 },
    unwinding: { side: 'buy', filledPrice: 3001.2, price: 3003, feeRate: 0 },
    maxBps: 30,
    overdue: false,
  };

  it('EX-8: takes the smaller loss', () => {
    const verdict = completeOrUnwind(half);
    expect(verdict.action).toBe('complete');
    expect(verdict.completeQuote).toBeCloseTo(-0.5214417, 7);
    expect(verdict.unwindQuote).toBeCloseTo(-1.08, 10);
  });

  it.each([
    ['the completion is beyond the hard cap', { ...half, maxBps: 16 }],
    ['the exposure deadline has passed', { ...half, overdue: true }],
    ['nobody sells what is missing', { ...half, completion: { ...half.completion, price: undefined } }],
    ['undoing is cheaper', { ...half, unwinding: { ...half.unwinding, price: 3001.3 } }],
  ])('unwinds when %s', (_, facts) => {
    expect(completeOrUnwind(facts).action).toBe('unwind');
  });

  it('completes past the deadline when the book to undo is empty', () => {
    expect(
      completeOrUnwind({ ...half, overdue: true, unwinding: { ...half.unwinding, price: undefined } }).action,
    ).toBe('complete');
  });
});

describe('EX-7: the exposure clock', () => {
  it('measures 240 quote-seconds when every fill is hedged after 80 ms', () => {
    let clock = stoppedExposureClock;
    for (const [atMs, quantity] of [
      [0, 0.35],
      [1_200, 0.25],
      [3_000, 0.4],
    ] as const) {
      clock = observeExposure(clock, 3_000 * quantity, atMs);
      clock = observeExposure(clock, 0, atMs + 80);
    }
    expect(clock.quoteSeconds).toBeCloseTo(240, 9);
    expect(clock.unhedgedMs).toBe(240);
  });

  it('measures 1,590 when the second fill waits for the third, and knows the deadline has passed at 2.7 s', () => {
    let clock = observeExposure(stoppedExposureClock, 1_050, 0);
    clock = observeExposure(clock, 0, 80);
    clock = observeExposure(clock, 750, 1_200);
    expect(unhedgedForMs(clock, 2_700)).toBe(1_500);
    clock = observeExposure(clock, 1_950, 3_000);
    clock = observeExposure(clock, 0, 3_080);
    expect(clock.quoteSeconds).toBeCloseTo(1_590, 9);
    expect(unhedgedForMs(clock, 3_100)).toBe(0);
  });
});

describe('the truth about a position', () => {
  it('is unknown before the venue has spoken', () => {
    expect(positionTruth(unseenPosition, 0)).toEqual({ kind: 'unknown' });
  });

  it('is confirmed when the venue agrees with our fills, and unknown when it does not', () => {
    const watch = positionReported(unseenPosition, 33, 10);
    expect(positionTruth(watch, 33)).toEqual({ kind: 'confirmed', lots: 33 });
    expect(positionTruth(watch, 0)).toEqual({ kind: 'unknown' });
  });

  it('believes a difference only after two queries gave the same answer', () => {
    const once = positionQueried(positionReported(unseenPosition, 20, 10), 20, 33, 11);
    expect(positionTruth(once, 33)).toEqual({ kind: 'unknown' });
    const twice = positionQueried(once, 20, 33, 12);
    expect(positionTruth(twice, 33)).toEqual({ kind: 'contradicted', lots: 20 });
    expect(positionTruth(positionQueried(once, 25, 33, 12), 33)).toEqual({ kind: 'unknown' });
  });

  it('starts over once the difference was booked: the same word proves no second one', () => {
    const watch = positionAdjusted(positionQueried(positionQueried(unseenPosition, 20, 33, 5), 20, 33, 6));
    expect(positionTruth(watch, 20)).toEqual({ kind: 'confirmed', lots: 20 });
    expect(positionTruth(watch, 33)).toEqual({ kind: 'unknown' });
    expect(positionTruth(positionQueried(watch, 20, 33, 7), 33)).toEqual({ kind: 'unknown' });
  });

  it('starts counting again after a fill', () => {
    const once = positionQueried(unseenPosition, 20, 33, 11);
    const filled = positionFilled(once, 12);
    expect(positionTruth(positionQueried(filled, 20, 33, 13), 33)).toEqual({ kind: 'unknown' });
  });

  it('ignores a report that was received before the last one', () => {
    const watch = positionReported(positionReported(unseenPosition, 33, 10), 0, 9);
    expect(watch.reportedLots).toBe(33);
  });
});

describe('expected funding', () => {
  const expected = expectFunding([], {
    leg: 'va:main:BTC',
    settleAtMs: 3_600_000,
    expectedMicro: 100_000n,
    createdAtMs: 0,
  });

  it('is awaited until the venue pays, then matches within half a percent', () => {
    expect(awaitedMicro(expected)).toBe(100_000n);
    const paid = receiveFunding(expected, 'va:main:BTC', 3_600_010, 100_400n);
    expect(paid[0]?.status).toBe('MATCHED');
    expect(awaitedMicro(paid)).toBe(0n);
  });

  it('is a mismatch beyond the tolerance, and missing after fifteen minutes', () => {
    expect(receiveFunding(expected, 'va:main:BTC', 3_600_000, 101_000n)[0]?.status).toBe('MISMATCH');
    expect(ageExpectations(expected, 15 * 60_000)[0]?.status).toBe('PENDING');
    expect(ageExpectations(expected, 15 * 60_000 + 1)[0]?.status).toBe('MISSING');
  });

  it('is created once per settlement and leg', () => {
    expect(
      expectFunding(expected, { leg: 'va:main:BTC', settleAtMs: 3_600_000, expectedMicro: 5n, createdAtMs: 9 }),
    ).toBe(expected);
  });
});

describe('the recovery table', () => {
  const facts: RecoveryFacts = {
    phase: 'OPENING',
    compared: true,
    exposed: false,
    waitedMs: 0,
    exposedMsMax: 5_000,
    waitMsMax: 60_000,
    unresolved: 0,
    lost: 0,
    filled: { long: false, short: true },
    balanced: false,
    matches: true,
    ageMs: 4_000,
    completeMs: 10_000,
    increaseRefused: undefined,
  };

  it.each([
    ['hedges a leg filled 4 s ago', {}, 'complete'],
    ['unwinds a leg filled 60 s ago', { ageMs: 60_000 }, 'unwind'],
    ['unwinds when gates refuse to add exposure', { increaseRefused: 'STALE_BOOK' }, 'unwind'],
    ['sends nothing while a position query fails', { compared: false }, 'wait'],
    [
      'waits a little for a venue that leaves the other exposed',
      { compared: false, exposed: true, waitedMs: 4_999 },
      'wait',
    ],
    [
      'acts without a venue that leaves the other exposed',
      { compared: false, exposed: true, waitedMs: 5_000 },
      'quarantine',
    ],
    ['waits for a silent venue of a pair that is whole', { compared: false, phase: 'OPEN', waitedMs: 59_999 }, 'wait'],
    ['ends even when a venue never answers', { compared: false, phase: 'OPEN', waitedMs: 60_000 }, 'quarantine'],
    ['ends even when an order is never resolved', { unresolved: 1, waitedMs: 60_000 }, 'quarantine'],
    ['never quarantines what has ended', { compared: false, phase: 'CLOSED', waitedMs: 90_000 }, 'wait'],
    ['waits for an unresolved order', { unresolved: 1 }, 'wait'],
    ['fails a pair without fills', { filled: { long: false, short: false }, balanced: true }, 'fail'],
    ['opens a pair filled equally', { filled: { long: true, short: true }, balanced: true }, 'open'],
    ['goes on closing', { phase: 'CLOSING' }, 'continue'],
    ['leaves an open pair open', { phase: 'OPEN' }, 'continue'],
    ['leaves a lost order to quarantine', { lost: 1 }, 'continue'],
    ['is idle without pair and position', { phase: 'IDLE' }, 'idle'],
  ] as const)('%s', (_, changes, action) => {
    expect(decideRecovery({ ...facts, ...changes }).action).toBe(action);
  });
});
