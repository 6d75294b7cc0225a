/** Turns the facts of a candidate into size, prices and expected result, for the gates to judge. Pure functions, any thread. */
import { quoteOfMicro, priceOf, quantityOf } from '../money/amounts.ts';
import { comingSettlement } from '../market/funding-forecast.ts';
import type { FundingOutlook } from '../market/funding-forecast.ts';
import { HOUR_MS, perSettlement } from '../market/funding-rate.ts';
import type { FundingRate } from '../market/funding-rate.ts';
import type { BookView } from '../market/book.ts';
import { expectedMove, recentPremium } from '../market/mark-watch.ts';
import type { MarkWatch } from '../market/mark-watch.ts';
import { blendedHourly } from '../market/premium-rate.ts';
import type { PremiumFormula } from '../market/premium-rate.ts';
import { marginTermsAt } from '../market/margin-tiers.ts';
import { commonStep } from '../market/instrument-match.ts';
import type { Instrument } from '../market/instrument.ts';
import { entryHeadroom } from '../risk/limits.ts';
import { opposite, usableLots, walkBook } from './book-walk.ts';
import { chooseEntryMode } from './entry-mode.ts';
import type { EntryMode, MakerEntryPolicy, ModeLeg } from './entry-mode.ts';
import type { Assessment, EntryFacts, EntryInput, EntryLegFacts, PricedEntry } from './entry-facts.ts';
import { initialMargin, symbolLeverage, liquidationDistance, liquidationPrice } from './liquidation.ts';
import { evaluateOpportunity, worstLoss } from './opportunity.ts';
import type { Candidate, CandidateLeg } from './opportunity.ts';
import { priceCapTicks } from './order-price.ts';
import type { EntryPolicies } from './policy.ts';
import { venueNowMs } from './venue-clock.ts';
import { depthSteps, leastSteps, lotsOf, sizePair } from './sizing.ts';
import type { SizingLeg } from './sizing.ts';

/** Free share of a connector's budgets that an entry needs: see the gate of that name. */
const OPEN_BUDGET_SHARE_MIN = 0.2;

/** A leg with everything that figures need. */
interface KnownLeg {
  readonly side: 'long' | 'short';
  readonly instrument: Instrument;
  readonly book: BookView;
  readonly markNano: bigint;
  readonly markWatch: MarkWatch | undefined;
  readonly predicted: FundingRate;
  readonly medianHourly: number | undefined;
  readonly premium: number | undefined;
  readonly venueNowMs: number;
  readonly leverage: number;
}

/** Lots and limit prices that are decided already, in each leg's own units. */
export interface DecidedOrders {
  readonly long: { readonly lots: number; readonly limitTicks: number };
  readonly short: { readonly lots: number; readonly limitTicks: number };
}

/**
 * Returns the facts with their assessment, which is undefined while a leg lacks what figures need. `decided` are the orders of a
 * plan made earlier: the figures are then theirs, whatever size would be chosen now.
 */
export function assessEntry(facts: EntryFacts, policy: EntryPolicies, decided?: DecidedOrders): EntryInput {
  const long = knownLeg('long', facts.long, facts, policy);
  const short = knownLeg('short', facts.short, facts, policy);
  const comparable = long !== undefined && short !== undefined && long.instrument.base === short.instrument.base;
  return { ...facts, assessment: comparable ? assess(long, short, facts, policy, decided) : undefined };
}

/**
 * Returns what a leg's funding is expected to do, as seen at `venueNowMs` (calendar ms by the venue's clock). `premium`, where it is
 * known, stands for the part of the period that is still to come.
 */
export function outlookOf(
  predicted: FundingRate,
  medianHourlyPico: number | undefined,
  venueNowMs: number,
  halfLifeHours: number,
  forming?: {
    readonly formula: PremiumFormula | undefined;
    readonly premium: number | undefined;
    /** How far the premium of a moment is trusted, 0 to 1. */
    readonly weight?: number;
  },
): FundingOutlook {
  const { intervalMs } = predicted;
  return {
    nextSettleInMs: comingSettlement(predicted.settleAtMs, intervalMs, venueNowMs) - venueNowMs,
    intervalMs,
    nextRate:
      forming?.formula === undefined || forming.premium === undefined || forming.weight === 0
        ? perSettlement(predicted) / 1e12
        : (blendedHourly(predicted, forming.formula, forming.premium, venueNowMs, forming.weight) * intervalMs) /
          HOUR_MS /
          1e12,
    // Without any settled rate nothing is known to last: the forecast returns to zero.
    medianRate: ((medianHourlyPico ?? 0) / 1e12) * (intervalMs / HOUR_MS),
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
    markWatch: leg.markWatch,
    predicted: predicted.rate,
    medianHourly: leg.medianHourly,
    premium: recentPremium(leg.markWatch, facts.monotonicMs, facts.calendarScale),
    venueNowMs: venueNowMs(facts, leg),
    leverage: symbolLeverageOf(instrument, policy),
  };
}

/** Returns the whole leverage a position of the least size would run at; 0 when none is safe. */
export function symbolLeverageOf(
  instrument: Pick<Instrument, 'maxLeverage' | 'maintenanceMarginRate'>,
  policy: EntryPolicies,
): number {
  return symbolLeverage({
    wanted: policy.sizing.leverage,
    cap: policy.risk.maxLeverage,
    venueMax: instrument.maxLeverage,
    distance: policy.liquidation.minEntryDistance,
    maintenance: instrument.maintenanceMarginRate / 1e12,
  });
}

function assess(
  long: KnownLeg,
  short: KnownLeg,
  facts: EntryFacts,
  policy: EntryPolicies,
  decided: DecidedOrders | undefined,
): Assessment {
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
  const lots =
    decided === undefined
      ? lotsOf(size.sized ? size.steps : Number.isFinite(least) ? least : 1, step)
      : { long: decided.long.lots, short: decided.short.lots };
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
    longLiquidationDistance: distanceOf(long, lots.long),
    shortLiquidationDistance: distanceOf(short, lots.short),
    longMarginQuote,
    shortMarginQuote,
    priced: limitedBy(
      decided,
      priceEntry(
        long,
        short,
        {
          lots,
          marginQuote: { long: longMarginQuote, short: shortMarginQuote },
          usableLots: { long: longSizing.usableOpenLots, short: shortSizing.usableOpenLots },
        },
        facts,
        policy,
      ),
    ),
  };
}

/** The limit prices of a plan stay what they were when it was made. */
function limitedBy(decided: DecidedOrders | undefined, priced: PricedEntry | undefined): PricedEntry | undefined {
  if (decided === undefined || priced === undefined) return priced;
  return { ...priced, longLimitTicks: decided.long.limitTicks, shortLimitTicks: decided.short.limitTicks };
}

/** A unit that is unproven, or whose evidence is unstable, may carry only a small position; a suspect one none at all (gate 7). */
function isUnproven(facts: EntryFacts): boolean {
  return isUnprovenLeg(facts.long) || isUnprovenLeg(facts.short);
}

function isUnprovenLeg({ fundingVerdict }: EntryLegFacts): boolean {
  return fundingVerdict.state === 'UNPROVEN' || fundingVerdict.state === 'UNSTABLE';
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
    ...(leg.instrument.volume24hQuote === undefined ? {} : { volume24hQuote: leg.instrument.volume24hQuote }),
    usableOpenLots: usableLots(leg.book, open, policy.depth.maxWalkBps),
    usableCloseLots: usableLots(leg.book, close, policy.depth.maxWalkBps),
  };
}

/** What sizing found for each leg; `usableLots` to open with. */
interface PerLeg {
  readonly lots: { readonly long: number; readonly short: number };
  readonly marginQuote: { readonly long: number; readonly short: number };
  readonly usableLots: { readonly long: number; readonly short: number };
}

function priceEntry(
  long: KnownLeg,
  short: KnownLeg,
  { lots, marginQuote, usableLots }: PerLeg,
  facts: EntryFacts,
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
  const modeLegs = [
    modeLeg(long, facts.long, candidate.long, usableLots.long, facts),
    modeLeg(short, facts.short, candidate.short, usableLots.short, facts),
  ] as const;
  const entry = chooseEntryMode(modeLegs, policy.entry, policy.maker);
  const adverseMoveQuote = adverseMove(candidate, entry, long, short);
  const metrics = evaluateOpportunity(
    { ...entered(candidate, entry, modeLegs, policy.maker), adverseMoveQuote },
    {
      horizonHours: policy.entry.horizonHours,
      haircut: policy.forecast.haircut,
      breakEvenLimitHours: Math.max(policy.entry.horizonHours, policy.entry.maxBreakEvenHours),
    },
  );
  const longLimitTicks = priceCapTicks('buy', longWalks.worstTicks, long.markNano, long.instrument, policy.cap);
  const shortLimitTicks = priceCapTicks('sell', shortWalks.worstTicks, short.markNano, short.instrument, policy.cap);
  return {
    longVwapTicks: longWalks.openVwapTicks,
    shortVwapTicks: shortWalks.openVwapTicks,
    longLimitTicks,
    shortLimitTicks,
    worstLossQuote: worstLoss(
      candidate.quantity,
      limitedLeg(candidate.long, longLimitTicks, long.instrument),
      limitedLeg(candidate.short, shortLimitTicks, short.instrument),
      policy.cap.maxDeviationBps,
    ),
    longWorstTicks: longWalks.worstTicks,
    shortWorstTicks: shortWalks.worstTicks,
    entryBasisBps: ((candidate.short.entryPrice - candidate.long.entryPrice) / candidate.long.markPrice) * 1e4,
    entry,
    metrics,
  };
}

/** What the worst loss follows from, and no more: copying all of a leg is garbage for each candidate of a scan. */
function limitedLeg(
  { markPrice, takerFee }: CandidateLeg,
  limitTicks: number,
  instrument: Instrument,
): Parameters<typeof worstLoss>[1] {
  return { markPrice, takerFee, limitPrice: priceOf(limitTicks, instrument) / instrument.multiplier };
}

function modeLeg(
  leg: KnownLeg,
  facts: EntryLegFacts,
  candidate: CandidateLeg,
  openLots: number,
  { calendarScale }: EntryFacts,
): ModeLeg {
  const { instrument, book, side } = leg;
  const quote = (side === 'long' ? book.bids : book.asks)[0]?.[0];
  const basePerLot = quantityOf(1, instrument) * instrument.multiplier;
  return {
    venue: instrument.venue,
    side,
    takePrice: candidate.entryPrice,
    quotePrice: quote === undefined ? undefined : priceOf(quote, instrument) / instrument.multiplier,
    quoteTicks: quote ?? 0,
    takerFee: instrument.takerFee / 1e12,
    makerFee: instrument.makerFee / 1e12,
    depth: openLots * basePerLot,
    canHedge: facts.status?.status === 'ready' && facts.status.openBudgetShare >= OPEN_BUDGET_SHARE_MIN,
    settlesInMs: candidate.funding.nextSettleInMs / calendarScale,
  };
}

/** A quoted leg costs what quoting does when it is filled, and what taking does, after the market moved, when it is not (domain 5.1). */
function entered<Legs extends { readonly long: CandidateLeg; readonly short: CandidateLeg }>(
  candidate: Legs,
  entry: EntryMode,
  legs: readonly [ModeLeg, ModeLeg],
  { fillProbability, maxAdverseBps }: MakerEntryPolicy,
): Legs {
  if (entry.mode !== 'maker-taker') return candidate;
  const leg = legs.find(({ side }) => side === entry.leg);
  if (leg?.quotePrice === undefined) return candidate;
  const blend = (filled: number, missed: number): number => fillProbability * filled + (1 - fillProbability) * missed;
  const moved = 1 + ((leg.side === 'long' ? 1 : -1) * maxAdverseBps) / 1e4;
  const quoted: CandidateLeg = {
    ...candidate[entry.leg],
    entryPrice: blend(leg.quotePrice, leg.takePrice * moved),
    entryFee: blend(leg.makerFee, leg.takerFee),
  };
  return { ...candidate, [entry.leg]: quoted };
}

/** What the market is expected to move, against us, between the moments at which the two legs are executed: domain 7.3. */
function adverseMove(
  { quantity, long: one, short: other }: Candidate,
  entry: EntryMode,
  long: KnownLeg,
  short: KnownLeg,
): number {
  const delay = { long: long.instrument.takerDelayMs ?? 0, short: short.instrument.takerDelayMs ?? 0 };
  // Both held back alike are executed together. One that follows the other's fill is alone for all of its own delay.
  const apartMs =
    entry.mode === 'taker-taker' ? Math.abs(delay.long - delay.short) : delay[entry.leg === 'long' ? 'short' : 'long'];
  const move = Math.max(expectedMove(long.markWatch, apartMs), expectedMove(short.markWatch, apartMs));
  return quantity * ((one.markPrice + other.markPrice) / 2) * move;
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
    funding: outlookOf(leg.predicted, leg.medianHourly, leg.venueNowMs, policy.forecast.halfLifeHours, {
      formula: instrument.premiumFormula,
      premium: leg.premium,
      weight: policy.forecast.premiumWeight ?? 0,
    }),
    marginQuote,
  };
}

const LONG_SIDES = { open: 'buy', close: 'sell' } as const;
const SHORT_SIDES = { open: 'sell', close: 'buy' } as const;

function sides(leg: KnownLeg): { readonly open: 'buy' | 'sell'; readonly close: 'buy' | 'sell' } {
  return leg.side === 'long' ? LONG_SIDES : SHORT_SIDES;
}

function basePrice(leg: KnownLeg): number {
  return Number(leg.markNano) / 1e9 / leg.instrument.multiplier;
}

function marginOf(leg: KnownLeg, lots: number): number {
  const notional = notionalOf(leg, lots);
  return initialMargin(notional, Math.max(1, leg.leverage), marginTermsAt(leg.instrument, notional).maxLeverage);
}

function notionalOf(leg: KnownLeg, lots: number): number {
  return quantityOf(lots, leg.instrument) * (Number(leg.markNano) / 1e9);
}

/** Entry happens near mark: the distance is measured from there. */
function distanceOf(leg: KnownLeg, lots: number): number {
  if (leg.leverage < 1) return 0;
  const mark = basePrice(leg);
  const { maxLeverage, maintenance } = marginTermsAt(leg.instrument, notionalOf(leg, lots));
  const leverage = Math.min(leg.leverage, maxLeverage);
  return liquidationDistance(mark, liquidationPrice(leg.side, mark, leverage, maintenance));
}
