/**
 * What a candidate can score at best, for a fraction of what its judgement costs: a scan need not judge what cannot be its best entry.
 * Pure functions, any thread.
 *
 * The bound is the score of the smallest order there is: filled at the touch, both in and out, with no less margin than the leverage
 * asks. Walking deeper only makes a price worse, and tiers only ask for more margin; all else in a score is proportional to the size.
 */
import { expectedFunding } from '../market/funding-forecast.ts';
import { HOUR_MS } from '../market/funding-rate.ts';
import { outlookOf, symbolLeverageOf } from './entry-assessment.ts';
import type { EntryLegFacts } from './entry-facts.ts';
import { CAPITAL_PER_MARGIN } from './opportunity.ts';
import type { EntryPolicies } from './policy.ts';
import { venueNowMs } from './venue-clock.ts';

/** One leg at its best, per base unit in quote; fees as fractions. */
export interface BestLeg {
  readonly bid: number;
  readonly ask: number;
  readonly mark: number;
  readonly takerFee: number;
  readonly makerFee: number;
  readonly marginQuote: number;
  /** Conservative funding over the horizon when the leg is long, and when it is short. */
  readonly longFundingQuote: number;
  readonly shortFundingQuote: number;
}

/** Of the marks: far above what rounding makes of these sums, far below what decides between two candidates. */
const ROUNDING = 1e-9;

/** Returns a leg at its best; undefined while it lacks what figures need. */
export function bestLeg(
  leg: EntryLegFacts,
  at: { readonly nowMs: number; readonly calendarScale: number },
  policy: EntryPolicies,
): BestLeg | undefined {
  const { instrument, book, mark: known, predicted } = leg;
  const bid = book?.bids[0]?.[0];
  const ask = book?.asks[0]?.[0];
  if (instrument === undefined || known === undefined || predicted === undefined) return undefined;
  if (bid === undefined || ask === undefined || known.markNano <= 0n) return undefined;
  const perTick = instrument.tickUnits / 10 ** instrument.priceDecimals / instrument.multiplier;
  const mark = Number(known.markNano) / 1e9 / instrument.multiplier;
  const outlook = outlookOf(predicted.rate, leg.medianHourly, venueNowMs(at, leg), policy.forecast.halfLifeHours);
  const horizonMs = policy.entry.horizonHours * HOUR_MS;
  const expected = expectedFunding(outlook, mark, horizonMs);
  const held = policy.forecast.haircut * Math.abs(expected);
  return {
    bid: bid * perTick,
    ask: ask * perTick,
    mark,
    takerFee: instrument.takerFee / 1e12,
    makerFee: instrument.makerFee / 1e12,
    marginQuote: mark / Math.max(1, symbolLeverageOf(instrument, policy)),
    // What one side pays the other receives; either way the haircut is taken of it.
    longFundingQuote: expected - held,
    shortFundingQuote: -expected - held,
  };
}

/** Returns what a pair of these legs scores at most; never below 0, where no entry is. */
export function scoreBound(long: BestLeg, short: BestLeg, { entry, maker }: EntryPolicies): number {
  const out = long.bid * (1 - long.takerFee) - short.ask * (1 + short.takerFee);
  const bought = long.ask * (1 + long.takerFee);
  const sold = short.bid * (1 - short.takerFee);
  let tradedQuote = sold - bought + out;
  if (entry.mode === 'auto' || entry.mode === 'maker-taker') {
    const { fillProbability: filled, maxAdverseBps } = maker;
    const moved = maxAdverseBps / 1e4;
    const blend = (quoted: number, taken: number): number => filled * quoted + (1 - filled) * taken;
    const quotedBuy = blend(long.bid, long.ask * (1 + moved)) * (1 + blend(long.makerFee, long.takerFee));
    const quotedSale = blend(short.ask, short.bid * (1 - moved)) * (1 - blend(short.makerFee, short.takerFee));
    tradedQuote = Math.max(tradedQuote, sold - quotedBuy + out, quotedSale - bought + out);
  }
  const valueQuote =
    long.longFundingQuote + short.shortFundingQuote + tradedQuote + ROUNDING * (long.mark + short.mark);
  if (!(valueQuote > 0)) return 0;
  return valueQuote / (CAPITAL_PER_MARGIN * (long.marginQuote + short.marginQuote)) / entry.horizonHours;
}
