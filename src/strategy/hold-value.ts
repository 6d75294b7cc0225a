/** What staying in a pair is worth, and which payment is near: domain sections 2.4, 2.5 and 10. Pure functions, any thread. */
import { conservativeSum, expectedRate, paymentsWithin } from '../market/funding-forecast.ts';
import type { FundingOutlook } from '../market/funding-forecast.ts';
import { HOUR_MS } from '../market/funding-rate.ts';

/** What a leg's funding is counted on. */
export interface FundedLeg {
  /** Quantity x mark, quote, unsigned. */
  readonly notionalQuote: number;
  readonly funding: FundingOutlook | undefined;
}

export interface FundedPair {
  readonly long: FundedLeg;
  readonly short: FundedLeg;
}

/** Settlements of both legs this close together are one. */
const SAME_SETTLEMENT_MS = 1_000;

/** Returns the conservative V_hold over `horizonHours`, quote; undefined without forecasts for both legs. */
export function holdValueQuote(pair: FundedPair, horizonHours: number, haircut: number): number | undefined {
  return valueOf(pair, horizonHours, haircut, 0);
}

/**
 * Returns V_hold as a decision to leave now may count on it. Within `guardMs` of a settlement an order may reach the venue before or
 * after it: leaving must be right either way, so that a payment in the band counts only where it speaks for staying.
 */
export function decidingHoldValueQuote(
  pair: FundedPair,
  horizonHours: number,
  haircut: number,
  guardMs: number,
): number | undefined {
  return valueOf(pair, horizonHours, haircut, guardMs);
}

function valueOf(pair: FundedPair, horizonHours: number, haircut: number, guardMs: number): number | undefined {
  const { long, short } = pair;
  if (long.funding === undefined || short.funding === undefined) return undefined;
  const horizonMs = horizonHours * HOUR_MS;
  return (
    legValue(long.funding, long.notionalQuote, horizonMs, haircut, guardMs) +
    legValue(short.funding, -short.notionalQuote, horizonMs, haircut, guardMs)
  );
}

function legValue(
  funding: FundingOutlook,
  signedNotionalQuote: number,
  horizonMs: number,
  haircut: number,
  guardMs: number,
): number {
  const payments = paymentsWithin(horizonMs, funding.nextSettleInMs, funding.intervalMs);
  const all = conservativeSum(funding, signedNotionalQuote, 1, payments, haircut);
  if (funding.nextSettleInMs < guardMs)
    return Math.max(all, conservativeSum(funding, signedNotionalQuote, 2, payments, haircut));
  // Where intervals just changed, the next settlement may be farther than one of them: then none has just passed.
  if (Math.abs(funding.intervalMs - funding.nextSettleInMs) < guardMs) {
    // The settlement just passed by our clock; by the venue's it may still come, at about the rate of the next one.
    return all + Math.max(0, conservativeSum(funding, signedNotionalQuote, 1, 1, haircut));
  }
  return all;
}

/** Returns the pair's nearest settlement and what it is expected to pay; undefined without forecasts for both legs. */
export function comingPayment(pair: FundedPair): { readonly inMs: number; readonly quote: number } | undefined {
  const { long, short } = pair;
  if (long.funding === undefined || short.funding === undefined) return undefined;
  const inMs = Math.min(long.funding.nextSettleInMs, short.funding.nextSettleInMs);
  return { inMs, quote: paidAt(pair, (funding) => funding.nextSettleInMs - inMs) };
}

/** Returns how long ago the pair's last settlement passed by our clock, and about what it paid. */
export function passedPayment(pair: FundedPair): { readonly agoMs: number; readonly quote: number } | undefined {
  const { long, short } = pair;
  if (long.funding === undefined || short.funding === undefined) return undefined;
  const ago = (funding: FundingOutlook): number => funding.intervalMs - funding.nextSettleInMs;
  const agoMs = Math.min(ago(long.funding), ago(short.funding));
  return { agoMs, quote: paidAt(pair, (funding) => ago(funding) - agoMs) };
}

/** What the legs pay whose settlement is the one `apartMs` measures from. */
function paidAt({ long, short }: FundedPair, apartMs: (funding: FundingOutlook) => number): number {
  let quote = 0;
  if (long.funding !== undefined && apartMs(long.funding) < SAME_SETTLEMENT_MS)
    quote -= long.notionalQuote * expectedRate(long.funding, 1);
  if (short.funding !== undefined && apartMs(short.funding) < SAME_SETTLEMENT_MS)
    quote += short.notionalQuote * expectedRate(short.funding, 1);
  return quote;
}
