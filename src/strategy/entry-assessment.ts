/** Turns the facts of a candidate into size, prices and expected result, for the gates to judge. Pure functions, any thread. */
import { quoteOfMicro, priceOf, quantityOf } from '../money/amounts.ts';
import { comingSettlement } from '../market/funding-forecast.ts';
import type { FundingOutlook } from '../market/funding-forecast.ts';
import { HOUR_MS, perSettlement } from '../market/funding-rate.ts';
import type { FundingRate } from '../market/funding-rate.ts';
import type { BookView } from '../market/book.ts';
import { commonStep } from '../market/instrument-match.ts';
import type { Instrument } from '../market/instrument.ts';
import { entryHeadroom } from '../risk/limits.ts';
import { opposite, usableLots, walkBook } from './book-walk.ts';
import type { Assessment, EntryFacts, EntryInput, EntryLegFacts, PricedEntry } from './entry-facts.ts';
import { initialMargin, symbolLeverage, liquidationDistance, liquidationPrice } from './liquidation.ts';
import { evaluateOpportunity } from './opportunity.ts';
import type { CandidateLeg } from './opportunity.ts';
import { priceCapTicks } from './order-price.ts';
import type { EntryPolicies } from './policy.ts';
import { venueNowMs } from './venue-clock.ts';
import { depthSteps, leastSteps, lotsOf, sizePair } from './sizing.ts';
import type { SizingLeg } from './sizing.ts';

/** A leg with everything that figures need. */
interface KnownLeg {
  readonly side: 'long' | 'short';
  readonly instrument: Instrument;
  readonly book: BookView;
  readonly markNano: bigint;
  readonly predicted: FundingRate;
  readonly medianHourly: number | undefined;
  readonly venueNowMs: number;
  readonly leverage: number;
}

/** Returns the facts with their assessment, which is undefined while a leg lacks what figures need. */
export function assessEntry(facts: EntryFacts, policy: EntryPolicies): EntryInput {
  const long = knownLeg('long', facts.long, facts, policy);
  const short = knownLeg('short', facts.short, facts, policy);
  const comparable = long !== undefined && short !== undefined && long.instrument.base === short.instrument.base;
  return { ...facts, assessment: comparable ? assess(long, short, facts, policy) : undefined };
}

/** Returns what a leg's funding is expected to do, as seen at `venueNowMs` (calendar ms by the venue's clock). */
export function outlookOf(
  predicted: FundingRate,
  medianHourlyPico: number | undefined,
  venueNowMs: number,
  halfLifeHours: number,
): FundingOutlook {
  return {
    nextSettleInMs: comingSettlement(predicted.settleAtMs, predicted.intervalMs, venueNowMs) - venueNowMs,
    intervalMs: predicted.intervalMs,
    nextRate: perSettlement(predicted) / 1e12,
    // Without any settled rate nothing is known to last: the forecast returns to zero.
    medianRate: ((medianHourlyPico ?? 0) / 1e12) * (predicted.intervalMs / HOUR_MS),
    halfLifeHours,
  };
}

function knownLeg(
  side: 'long' | 'short',
  leg: EntryLegFacts,
  facts: EntryFacts,
  policy: EntryPolicies,
): KnownLeg | undefined {
  const { instrument, book, mark, predicted } = leg;
  if (instrument === undefined || book === undefined || mark === undefined || predicted === undefined) return undefined;
  if (mark.markNano <= 0n) return undefined;
  return {
    side,
    instrument,
    book,
    markNano: mark.markNano,
    predicted: predicted.rate,
    medianHourly: leg.medianHourly,
    venueNowMs: venueNowMs(facts, leg),
    leverage: symbolLeverage({
      wanted: policy.sizing.leverage,
      cap: policy.risk.maxLeverage,
      venueMax: instrument.maxLeverage,
      distance: policy.liquidation.minEntryDistance,
      maintenance: instrument.maintenanceMarginRate / 1e12,
    }),
  };
}

function assess(long: KnownLeg, short: KnownLeg, facts: EntryFacts, policy: EntryPolicies): Assessment {
  const step = commonStep(long.instrument, short.instrument);
  const headroom = entryHeadroom(policy.risk, facts.exposures, {
    base: facts.base,
    longVenue: facts.long.venue,
    shortVenue: facts.short.venue,
  });
  const longSizing = sizingLeg(long, facts.long, step.longLots, policy);
  const shortSizing = sizingLeg(short, facts.short, step.shortLots, policy);
  const size = sizePair({
    long: longSizing,
    short: shortSizing,
    equityQuote: quoteOfMicro((facts.long.balance?.walletMicro ?? 0n) + (facts.short.balance?.walletMicro ?? 0n)),
    headroomQuote: headroom.legNotionalQuote,
    unprovenMaxQuote: isUnproven(facts) ? policy.fundingCheck.unprovenMaxNotionalQuote : Infinity,
    policy: policy.sizing,
  });
  const least = leastSteps(longSizing, shortSizing);
  const lots = lotsOf(size.sized ? size.steps : Number.isFinite(least) ? least : 1, step);
  const longMarginQuote = marginOf(long, lots.long);
  const shortMarginQuote = marginOf(short, lots.short);
  return {
    step,
    size,
    headroom,
    longLots: lots.long,
    shortLots: lots.short,
    depthSteps: depthSteps(longSizing, shortSizing, policy.sizing.depthFraction),
    leastSteps: least,
    longLeverage: long.leverage,
    shortLeverage: short.leverage,
    longLiquidationDistance: distanceOf(long),
    shortLiquidationDistance: distanceOf(short),
    longMarginQuote,
    shortMarginQuote,
    priced: priceEntry(long, short, lots, { long: longMarginQuote, short: shortMarginQuote }, policy),
  };
}

/** A unit that is unproven, or whose evidence is unstable, may carry only a small position; a suspect one none at all (gate 7). */
function isUnproven(facts: EntryFacts): boolean {
  return [facts.long, facts.short].some(
    ({ fundingVerdict }) => fundingVerdict.state === 'UNPROVEN' || fundingVerdict.state === 'UNSTABLE',
  );
}

function sizingLeg(leg: KnownLeg, facts: EntryLegFacts, lotsPerStep: number, policy: EntryPolicies): SizingLeg {
  const { open, close } = sides(leg);
  return {
    instrument: leg.instrument,
    lotsPerStep,
    markNano: leg.markNano,
    freeMarginQuote: Math.max(0, quoteOfMicro(facts.balance?.availableMicro ?? 0n)),
    // A leg that no leverage makes safe is refused by its own gate, not by a margin of nothing.
    leverage: Math.max(1, leg.leverage),
    usableOpenLots: usableLots(leg.book, open, policy.depth.maxWalkBps),
    usableCloseLots: usableLots(leg.book, close, policy.depth.maxWalkBps),
  };
}

function priceEntry(
  long: KnownLeg,
  short: KnownLeg,
  lots: { readonly long: number; readonly short: number },
  marginQuote: { readonly long: number; readonly short: number },
  policy: EntryPolicies,
): PricedEntry | undefined {
  const longWalks = walks(long, lots.long);
  const shortWalks = walks(short, lots.short);
  if (longWalks === undefined || shortWalks === undefined) return undefined;
  const candidate = {
    quantity: quantityOf(lots.long, long.instrument) * long.instrument.multiplier,
    long: candidateLeg(long, longWalks, marginQuote.long, policy),
    short: candidateLeg(short, shortWalks, marginQuote.short, policy),
  };
  const metrics = evaluateOpportunity(candidate, {
    horizonHours: policy.entry.horizonHours,
    haircut: policy.forecast.haircut,
    breakEvenLimitHours: Math.max(policy.entry.horizonHours, policy.entry.maxBreakEvenHours),
  });
  return {
    longLimitTicks: priceCapTicks('buy', longWalks.worstTicks, long.markNano, long.instrument, policy.cap),
    shortLimitTicks: priceCapTicks('sell', shortWalks.worstTicks, short.markNano, short.instrument, policy.cap),
    longWorstTicks: longWalks.worstTicks,
    shortWorstTicks: shortWalks.worstTicks,
    entryBasisBps: ((candidate.short.entryPrice - candidate.long.entryPrice) / candidate.long.markPrice) * 1e4,
    metrics,
  };
}

interface LegWalks {
  readonly openVwapTicks: number;
  readonly worstTicks: number;
  readonly closeVwapTicks: number;
}

function walks(leg: KnownLeg, lots: number): LegWalks | undefined {
  const { open, close } = sides(leg);
  const opening = walkBook(opposite(leg.book, open), lots);
  const closing = walkBook(opposite(leg.book, close), lots);
  if (!opening.filled || !closing.filled) return undefined;
  return { openVwapTicks: opening.vwapTicks, worstTicks: opening.worstTicks, closeVwapTicks: closing.vwapTicks };
}

function candidateLeg(leg: KnownLeg, walked: LegWalks, marginQuote: number, policy: EntryPolicies): CandidateLeg {
  const { instrument } = leg;
  return {
    entryPrice: priceOf(walked.openVwapTicks, instrument) / instrument.multiplier,
    exitPrice: priceOf(walked.closeVwapTicks, instrument) / instrument.multiplier,
    markPrice: basePrice(leg),
    hourlyRate: leg.predicted.hourly / 1e12,
    takerFee: instrument.takerFee / 1e12,
    funding: outlookOf(leg.predicted, leg.medianHourly, leg.venueNowMs, policy.forecast.halfLifeHours),
    marginQuote,
  };
}

function sides(leg: KnownLeg): { readonly open: 'buy' | 'sell'; readonly close: 'buy' | 'sell' } {
  return leg.side === 'long' ? { open: 'buy', close: 'sell' } : { open: 'sell', close: 'buy' };
}

function basePrice(leg: KnownLeg): number {
  return Number(leg.markNano) / 1e9 / leg.instrument.multiplier;
}

function marginOf(leg: KnownLeg, lots: number): number {
  const notional = quantityOf(lots, leg.instrument) * (Number(leg.markNano) / 1e9);
  return initialMargin(notional, Math.max(1, leg.leverage), leg.instrument.maxLeverage);
}

/** Entry happens near mark: the distance is measured from there. */
function distanceOf(leg: KnownLeg): number {
  if (leg.leverage < 1) return 0;
  const mark = basePrice(leg);
  const maintenance = leg.instrument.maintenanceMarginRate / 1e12;
  return liquidationDistance(mark, liquidationPrice(leg.side, mark, leg.leverage, maintenance));
}
