/** What a settlement should have paid next to what the venue paid (domain 15.4). Pure, any thread. */

export interface FundingExpectation {
  /** Venue, account and symbol as text. */
  readonly leg: string;
  /** Calendar ms. */
  readonly settleAtMs: number;
  readonly expectedMicro: bigint;
  /** Monotonic ms. */
  readonly createdAtMs: number;
  readonly status: 'PENDING' | 'MATCHED' | 'MISMATCH' | 'MISSING';
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

/** Sum of what is expected and not received, micro-units: shown as awaiting, never booked. */
export function awaitedMicro(expectations: readonly FundingExpectation[]): bigint {
  return expectations.reduce((sum, known) => (known.status === 'PENDING' ? sum + known.expectedMicro : sum), 0n);
}

function isSame(known: FundingExpectation, leg: string, settleAtMs: number): boolean {
  return known.leg === leg && Math.abs(known.settleAtMs - settleAtMs) < SAME_SETTLEMENT_MS;
}

function isClose(expectedMicro: bigint, receivedMicro: bigint): boolean {
  const difference = expectedMicro > receivedMicro ? expectedMicro - receivedMicro : receivedMicro - expectedMicro;
  const size = expectedMicro < 0n ? -expectedMicro : expectedMicro;
  return difference <= TOLERANCE_MICRO || difference * 1_000n <= size * TOLERANCE_PER_MILLE;
}
