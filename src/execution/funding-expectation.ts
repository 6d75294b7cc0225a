/**
 * What a settlement should have paid next to what the venue paid (domain 15.4). Pure, any thread.
 *
 * The latest word on a settlement counts, however late (a test holds this table and the code against each other):
 *
 * | from | event | to |
 * | ---- | ----- | -- |
 * | PENDING, MISSING, MISMATCH | paid as expected | MATCHED |
 * | PENDING, MISSING, MATCHED | paid otherwise | MISMATCH |
 * | PENDING | nothing for 15 min | MISSING |
 */

import { impliedRate, paymentConfirmsRate } from '../market/funding-check.ts';
import type { FundingVerdict } from '../market/funding-check.ts';
import { perSettlement } from '../market/funding-rate.ts';
import type { PicoRate } from '../money/units.ts';
import { legKeyText } from './facts.ts';
import type { FactRow, FundingFact } from './facts.ts';

export interface FundingExpectation {
  /** Venue, account and symbol as text. */
  readonly leg: string;
  /** Calendar ms. */
  readonly settleAtMs: number;
  readonly expectedMicro: bigint;
  /** What it was computed from; absent in rows of earlier versions. */
  readonly basis?: PaymentBasis;
  /** Monotonic ms. */
  readonly createdAtMs: number;
  readonly status: 'PENDING' | 'MATCHED' | 'MISMATCH' | 'MISSING';
}

/** A settled rate and what it was applied to: quantity x funding price with the position's sign. */
export interface PaymentBasis {
  readonly notionalMicro: bigint;
  readonly hourly: PicoRate;
  readonly intervalMs: number;
}

/** The part of an expectation that is journaled when its settlement passes. */
export type ExpectedPayment = Pick<FundingExpectation, 'leg' | 'settleAtMs' | 'expectedMicro' | 'basis'>;

/** What a venue paid on one leg for one settlement. */
export interface ReceivedPayment {
  readonly leg: string;
  /** Calendar ms. */
  readonly settledAtMs: number;
  readonly amountMicro: bigint;
}

/** A payment later than this is missing; it still matches when it comes. Monotonic ms. */
const MISSING_AFTER_MS = 15 * 60_000;
/** 0.5 %, in 1/1,000. */
const TOLERANCE_PER_MILLE = 5n;
/** 0.0005 quote. */
const TOLERANCE_MICRO = 500n;
/** Settlement times of feed and payment record may differ by rounding. */
const SAME_SETTLEMENT_MS = 60_000;
/** Remembered settlements; the oldest leave first. */
const EXPECTATIONS_MAX = 200;

/** A settlement passed while a position was held. The first expectation of a settlement stays. */
export function expectFunding(
  expectations: readonly FundingExpectation[],
  expectation: Omit<FundingExpectation, 'status'>,
): readonly FundingExpectation[] {
  if (expectations.some((known) => isSame(known, expectation.leg, expectation.settleAtMs))) return expectations;
  return [...expectations, { ...expectation, status: 'PENDING' as const }].slice(-EXPECTATIONS_MAX);
}

/** The venue reported a payment: compares it with what was expected. */
export function receiveFunding(
  expectations: readonly FundingExpectation[],
  leg: string,
  settledAtMs: number,
  amountMicro: bigint,
): readonly FundingExpectation[] {
  return expectations.map((known) => {
    if (!isSame(known, leg, settledAtMs)) return known;
    return { ...known, status: isClose(known.expectedMicro, amountMicro) ? 'MATCHED' : 'MISMATCH' };
  });
}

/** Payments that did not come in time become missing; never zero. */
export function ageExpectations(
  expectations: readonly FundingExpectation[],
  monotonicMs: number,
): readonly FundingExpectation[] {
  const isOverdue = (known: FundingExpectation): boolean =>
    known.status === 'PENDING' && monotonicMs - known.createdAtMs > MISSING_AFTER_MS;
  if (!expectations.some(isOverdue)) return expectations;
  return expectations.map((known) => (isOverdue(known) ? { ...known, status: 'MISSING' } : known));
}

/** Remembers a payment: feeds may tell a settlement's rate only after the venue has paid it. */
export function rememberPayment(
  payments: readonly ReceivedPayment[],
  payment: ReceivedPayment,
): readonly ReceivedPayment[] {
  return [...payments, payment].slice(-EXPECTATIONS_MAX);
}

/** Compares every expectation with the payments known; their order does not matter. */
export function matchPayments(
  expectations: readonly FundingExpectation[],
  payments: readonly ReceivedPayment[],
): readonly FundingExpectation[] {
  let matched = expectations;
  for (const { leg, settledAtMs, amountMicro } of payments)
    matched = receiveFunding(matched, leg, settledAtMs, amountMicro);
  return matched;
}

/** The expectations and payments of one symbol while its rows are read; `payments` may hold more than are kept in the end. */
export interface FundingFold {
  expectations: readonly FundingExpectation[];
  payments: ReceivedPayment[];
}

export function emptyFundingFold(): FundingFold {
  return { expectations: [], payments: [] };
}

/** Adds one row. `monotonicOf` places a row's calendar time in this life. */
export function foldFundingRow(fold: FundingFold, row: FactRow, monotonicOf: (atMs: number) => number): void {
  if (row.type !== 'funding' && row.type !== 'funding-expected') return;
  // Written by the position actor (`expected`) and the connectors (`event`), in exactly these shapes.
  const { expected, event } = row.payload as { readonly expected?: ExpectedPayment; readonly event?: FundingFact };
  if (expected !== undefined)
    fold.expectations = expectFunding(fold.expectations, { ...expected, createdAtMs: monotonicOf(row.atMs) });
  if (event?.type !== 'funding-paid') return;
  fold.payments.push(paymentOf(event));
  // Most rows of a long history are payments: cut now and then, not at each.
  if (fold.payments.length >= 2 * EXPECTATIONS_MAX) fold.payments = fold.payments.slice(-EXPECTATIONS_MAX);
}

export function endFundingFold(fold: FundingFold): {
  readonly expectations: readonly FundingExpectation[];
  readonly payments: readonly ReceivedPayment[];
} {
  const payments = fold.payments.slice(-EXPECTATIONS_MAX);
  return { expectations: matchPayments(fold.expectations, payments), payments };
}

export function paymentOf(fact: FundingFact): ReceivedPayment {
  const { settledAtMs, amountMicro } = fact.payment;
  return { leg: legKeyText(fact), settledAtMs, amountMicro };
}

/**
 * The second check of a feed's unit (domain 2.3), by the newest settlement of a leg that was paid: returns a suspicion when the
 * payment does not imply the settled rate. Payments settled before `clearedAtMs` were looked at by a person.
 */
export function paymentSuspicion(
  expectations: readonly FundingExpectation[],
  payments: readonly ReceivedPayment[],
  leg: string,
  clearedAtMs: number,
): Extract<FundingVerdict, { state: 'PAYMENT_SUSPECT' }> | undefined {
  for (const known of expectations.toReversed()) {
    const { basis } = known;
    if (known.leg !== leg || basis === undefined || known.settleAtMs <= clearedAtMs) continue;
    const paid = payments.findLast((payment) => isSame(known, payment.leg, payment.settledAtMs));
    if (paid === undefined) continue;
    const notionalQuote = Number(basis.notionalMicro) / 1e6;
    const paidQuote = Number(paid.amountMicro) / 1e6;
    if (paymentConfirmsRate(paidQuote, notionalQuote, basis)) return undefined;
    const implied = impliedRate(paidQuote, notionalQuote);
    return { state: 'PAYMENT_SUSPECT', implied, stated: perSettlement(basis) / 1e12 };
  }
  return undefined;
}

/** Sum of what is expected and not received, micro-units: shown as awaiting, never booked. */
export function awaitedMicro(expectations: readonly FundingExpectation[]): bigint {
  return expectations.reduce((sum, known) => (known.status === 'PENDING' ? sum + known.expectedMicro : sum), 0n);
}

/** Sum of what is expected and has not come, missing payments included, micro-units. */
export function owedMicro(expectations: readonly FundingExpectation[]): bigint {
  return expectations.reduce(
    (sum, known) => (known.status === 'PENDING' || known.status === 'MISSING' ? sum + known.expectedMicro : sum),
    0n,
  );
}

function isSame(known: FundingExpectation, leg: string, settleAtMs: number): boolean {
  return known.leg === leg && Math.abs(known.settleAtMs - settleAtMs) < SAME_SETTLEMENT_MS;
}

function isClose(expectedMicro: bigint, receivedMicro: bigint): boolean {
  const difference = expectedMicro > receivedMicro ? expectedMicro - receivedMicro : receivedMicro - expectedMicro;
  const size = expectedMicro < 0n ? -expectedMicro : expectedMicro;
  return difference <= TOLERANCE_MICRO || difference * 1_000n <= size * TOLERANCE_PER_MILLE;
}
