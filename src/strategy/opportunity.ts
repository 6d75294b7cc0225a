/** What a candidate pair costs and is expected to earn: domain 5.1 and 5.2. Floats for decisions. Pure functions, any thread. */
import { conservativeFunding, persistence } from '../market/funding-forecast.ts';
import type { FundingOutlook } from '../market/funding-forecast.ts';
import { HOUR_MS } from '../market/funding-rate.ts';

/** One leg of a candidate; prices in quote per base unit, rates and fees as fractions. */
export interface CandidateLeg {
  /** Average price of opening now, by walking the book. */
  readonly entryPrice: number;
  /** Average price of closing again, by walking the other side of the present book. */
  readonly exitPrice: number;
  readonly markPrice: number;
  readonly hourlyRate: number;
  readonly takerFee: number;
  /** Fee of opening where that is not the taker's. */
  readonly entryFee?: number;
  readonly funding: FundingOutlook;
  /** Initial margin of the leg, quote. */
  readonly marginQuote: number;
}

export interface Candidate {
  /** Base units of each leg. */
  readonly quantity: number;
  readonly long: CandidateLeg;
  readonly short: CandidateLeg;
  /** What the market may move between the executions of both legs, quote; absent where they are executed together. */
  readonly adverseMoveQuote?: number;
}

export interface OpportunityMetrics {
  readonly entryEdgeQuote: number;
  readonly exitCostQuote: number;
  readonly feesInQuote: number;
  readonly feesOutQuote: number;
  /** What the market may move between the executions of both legs, quote. */
  readonly adverseMoveQuote: number;
  /** C: fees both ways, exit cost and that move, less the entry edge. */
  readonly roundTripCostQuote: number;
  /** K_h at marks. */
  readonly hourlyCarryQuote: number;
  /** Mean notional of the two legs. */
  readonly notionalQuote: number;
  readonly netAprPct: number;
  /** C / K_h; Infinity when the pair does not earn. For display. */
  readonly accrualBreakEvenHours: number;
  /** The payment that has paid the round trip; undefined when none within the limit does. */
  readonly breakEven: BreakEven | undefined;
  /** Conservative E[F(H)]. */
  readonly expectedFundingQuote: number;
  /** EV(H). */
  readonly expectedValueQuote: number;
  /** M: both margins with their buffer. */
  readonly capitalQuote: number;
  /** EV(H) / M. */
  readonly returnOnCapital: number;
  readonly annualReturnPct: number;
  /** EV(H) / M / H: candidates are ranked by it. */
  readonly score: number;
}

/** Settlements of the pair (both legs at one instant count once) until the round trip is paid. */
export interface BreakEven {
  readonly payments: number;
  readonly hours: number;
}

export interface EvaluationTerms {
  readonly horizonHours: number;
  readonly haircut: number;
  /** How far ahead a break-even is looked for. */
  readonly breakEvenLimitHours: number;
}

const HOURS_PER_YEAR = 8_760;
/** Capital bound per unit of initial margin: a pair is given half as much again before its legs move apart. */
export const CAPITAL_PER_MARGIN = 1.5;

export function evaluateOpportunity(candidate: Candidate, terms: EvaluationTerms): OpportunityMetrics {
  const { quantity, long, short, adverseMoveQuote = 0 } = candidate;
  const entryEdgeQuote = quantity * (short.entryPrice - long.entryPrice);
  const exitCostQuote = quantity * (short.exitPrice - long.exitPrice);
  const feesInQuote = quantity * (entryFeePerUnit(long) + entryFeePerUnit(short));
  const feesOutQuote = quantity * (long.exitPrice * long.takerFee + short.exitPrice * short.takerFee);
  const roundTripCostQuote = feesInQuote + feesOutQuote + exitCostQuote + adverseMoveQuote - entryEdgeQuote;

  const hourlyCarryQuote = quantity * (short.markPrice * short.hourlyRate - long.markPrice * long.hourlyRate);
  const notionalQuote = (quantity * (long.markPrice + short.markPrice)) / 2;
  const expectedFundingQuote = fundingWithin(candidate, terms);
  const expectedValueQuote = expectedFundingQuote - roundTripCostQuote;
  const capitalQuote = CAPITAL_PER_MARGIN * (long.marginQuote + short.marginQuote);
  const returnOnCapital = expectedValueQuote / capitalQuote;
  return {
    entryEdgeQuote,
    exitCostQuote,
    feesInQuote,
    feesOutQuote,
    adverseMoveQuote,
    roundTripCostQuote,
    hourlyCarryQuote,
    notionalQuote,
    netAprPct: ((hourlyCarryQuote * HOURS_PER_YEAR) / notionalQuote) * 100,
    accrualBreakEvenHours: accrualBreakEven(roundTripCostQuote, hourlyCarryQuote),
    breakEven: breakEven(candidate, roundTripCostQuote, terms.breakEvenLimitHours),
    expectedFundingQuote,
    expectedValueQuote,
    capitalQuote,
    returnOnCapital,
    annualReturnPct: ((returnOnCapital * HOURS_PER_YEAR) / terms.horizonHours) * 100,
    score: returnOnCapital / terms.horizonHours,
  };
}

/**
 * Returns what a pair may cost at worst as long as its orders keep to their limits, quote: both legs filled at `limitPrice`, both
 * closed again `maxDeviationBps` beyond mark, taker fees on all four, and not one payment received.
 */
export function worstLoss(
  quantity: number,
  long: Pick<CandidateLeg, 'markPrice' | 'takerFee'> & { readonly limitPrice: number },
  short: Pick<CandidateLeg, 'markPrice' | 'takerFee'> & { readonly limitPrice: number },
  maxDeviationBps: number,
): number {
  const soldAt = long.markPrice * (1 - maxDeviationBps / 1e4);
  const boughtAt = short.markPrice * (1 + maxDeviationBps / 1e4);
  const prices = long.limitPrice - soldAt + (boughtAt - short.limitPrice);
  const fees = (long.limitPrice + soldAt) * long.takerFee + (short.limitPrice + boughtAt) * short.takerFee;
  return quantity * (prices + fees);
}

function entryFeePerUnit({ entryPrice, entryFee, takerFee }: CandidateLeg): number {
  return entryPrice * (entryFee ?? takerFee);
}

function fundingWithin({ quantity, long, short }: Candidate, terms: EvaluationTerms): number {
  const horizonMs = terms.horizonHours * HOUR_MS;
  return (
    conservativeFunding(long.funding, quantity * long.markPrice, horizonMs, terms.haircut) +
    conservativeFunding(short.funding, -quantity * short.markPrice, horizonMs, terms.haircut)
  );
}

function accrualBreakEven(costQuote: number, hourlyCarryQuote: number): number {
  if (costQuote <= 0) return 0;
  return hourlyCarryQuote > 0 ? costQuote / hourlyCarryQuote : Infinity;
}

/**
 * Counts real settlements of both legs in time order until they have paid `costQuote`. Once both forecasts have come to rest every
 * common period of the legs pays the same, and whole periods are counted at once: a far limit costs no more than a near one.
 */
function breakEven({ quantity, long, short }: Candidate, costQuote: number, limitHours: number): BreakEven | undefined {
  if (costQuote <= 0) return { payments: 0, hours: 0 };
  const limitMs = limitHours * HOUR_MS;
  const one = paymentStream(long.funding, -quantity * long.markPrice);
  const other = paymentStream(short.funding, quantity * short.markPrice);
  let receivedQuote = 0;
  let payments = 0;
  let period: CommonPeriod | undefined;
  for (;;) {
    const atMs = Math.min(one.atMs, other.atMs);
    if (atMs > limitMs) return undefined;
    // Both are looked at before either moves on: two settlements of one instant are one payment.
    const [isOne, isOther] = [one.atMs === atMs, other.atMs === atMs];
    if (isOne) receivedQuote += takePayment(one);
    if (isOther) receivedQuote += takePayment(other);
    payments += 1;
    if (receivedQuote >= costQuote) return { payments, hours: atMs / HOUR_MS };
    if (!isAtRest(one) || !isAtRest(other)) continue;
    period ??= periodOf(one, other);
    const missingQuote = costQuote - receivedQuote;
    if (period.gainQuote <= 0 && period.swingQuote < missingQuote) return undefined;
    const periods = periodsToSkip(period, missingQuote, limitMs - atMs);
    receivedQuote += periods * period.gainQuote;
    payments += periods * period.payments;
    one.atMs += periods * period.lengthMs;
    other.atMs += periods * period.lengthMs;
  }
}

/** The coming payments of one leg, one after the other. */
interface PaymentStream {
  /** Time of the next payment, ms from now. */
  atMs: number;
  /** What is left of the way from the next rate to the median, as a fraction. */
  deviation: number;
  readonly medianRate: number;
  readonly intervalMs: number;
  /** Share of the deviation that is left one interval later. */
  readonly phi: number;
  /** What a rate of 1 would pay us. */
  readonly perRateQuote: number;
}

/** All later payments together change less than this by what is left of the deviation, as a fraction of notional. */
const REST_RATE = 1e-15;

function paymentStream(funding: FundingOutlook, perRateQuote: number): PaymentStream {
  return {
    atMs: funding.nextSettleInMs,
    deviation: funding.nextRate - funding.medianRate,
    medianRate: funding.medianRate,
    intervalMs: funding.intervalMs,
    phi: persistence(funding.intervalMs, funding.halfLifeHours),
    perRateQuote,
  };
}

function takePayment(stream: PaymentStream): number {
  const payment = stream.perRateQuote * (stream.medianRate + stream.deviation);
  stream.deviation *= stream.phi;
  stream.atMs += stream.intervalMs;
  return payment;
}

function isAtRest({ deviation, phi }: PaymentStream): boolean {
  return phi === 1 || Math.abs(deviation) < REST_RATE * (1 - phi);
}

/** The least time after which the settlements of both legs repeat, and what they pay in it. */
interface CommonPeriod {
  readonly lengthMs: number;
  readonly payments: number;
  readonly gainQuote: number;
  /** No payment within the period stands higher above its start than this. */
  readonly swingQuote: number;
}

function periodOf(one: PaymentStream, other: PaymentStream): CommonPeriod {
  let [divisorMs, restMs] = [one.intervalMs, other.intervalMs];
  while (restMs > 0) [divisorMs, restMs] = [restMs, divisorMs % restMs];
  const lengthMs = (one.intervalMs / divisorMs) * other.intervalMs;
  const [oneCount, otherCount] = [lengthMs / one.intervalMs, lengthMs / other.intervalMs];
  const oneQuote = oneCount * one.perRateQuote * (one.medianRate + one.deviation);
  const otherQuote = otherCount * other.perRateQuote * (other.medianRate + other.deviation);
  return {
    lengthMs,
    // Within a period the two grids meet once, or never.
    payments: oneCount + otherCount - ((one.atMs - other.atMs) % divisorMs === 0 ? 1 : 0),
    gainQuote: oneQuote + otherQuote,
    swingQuote: Math.max(0, oneQuote) + Math.max(0, otherQuote),
  };
}

/** Whole periods after which the payment looked for is still to come, and the limit not passed. */
function periodsToSkip(
  { lengthMs, gainQuote, swingQuote }: CommonPeriod,
  missingQuote: number,
  leftMs: number,
): number {
  const unpaid = gainQuote > 0 ? Math.floor((missingQuote - swingQuote) / gainQuote) : 0;
  // One less than what rounding allows: the last ones are counted one by one.
  return Math.max(0, Math.min(unpaid, Math.floor(leftMs / lengthMs)) - 1);
}
