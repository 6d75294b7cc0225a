/** The entry gates of domain 5.3, in their order: the first that refuses is the reason. Pure functions, any thread. */
import { mismatch } from '../market/instrument-match.ts';
import { comingSettlement } from '../market/funding-forecast.ts';
import { quoteOfMicro } from '../money/amounts.ts';
import type { PriceTicks, QuantityLots } from '../money/units.ts';
import { previewOpening } from '../risk/approval.ts';
import { halfSpreadBps, opposite, usableLots } from './book-walk.ts';
import type { EntryInput, EntryLegFacts } from './entry-facts.ts';
import type { OpportunityMetrics } from './opportunity.ts';
import type { EntryPolicies } from './policy.ts';
import { venueNowMs } from './venue-clock.ts';

export interface Refusal {
  readonly code: string;
  /** Rule and value in words. */
  readonly detail: string;
}

/** Returns why not to enter, or undefined. A gate that lacks its facts leaves the refusal to the gate that guards them. */
export type EntryGate = (input: EntryInput, policy: EntryPolicies) => Refusal | undefined;

/** Venue clocks further than this from a request's midpoint cannot be corrected for. */
const CLOCK_ERROR_MS_MAX = 1_000;
/** A venue time this far from our receive time, either way and in real ms, makes data as unusable as an old one. */
const VENUE_TIME_MS_MAX = 3_000;
/** Free share of the budgets that covers two opens, cancels, unwinds and four queries on small profiles. */
const OPEN_BUDGET_SHARE_MIN = 0.2;

export const ENTRY_GATES: readonly EntryGate[] = [
  engineTrading,
  venuesUp,
  dataFresh,
  clocksAgree,
  instrumentsActive,
  sameUnderlying,
  fundingUnitTrusted,
  notExcluded,
  noPairYet,
  pairsLeft,
  marksTogether,
  spreadsTight,
  depthSufficient,
  booksSound,
  carryLargeEnough,
  breakEvenSoon,
  valueLargeEnough,
  edgeLargeEnough,
  carryLasting,
  sizeLegal,
  exposureAllowed,
  marginFree,
  liquidationFar,
  budgetFree,
  outsideSettlement,
  lastGatePasses,
  leverageProven,
];

/**
 * The gates asked again before the first byte, by the actor that sends it. What only the strategy knows (limits over all pairs,
 * the record of a carry) and what made the pair worth entering a moment ago is not among them.
 */
export const PREFLIGHT_GATES: readonly EntryGate[] = [
  venuesUp,
  dataFresh,
  clocksAgree,
  instrumentsActive,
  sameUnderlying,
  fundingUnitTrusted,
  marksTogether,
  spreadsTight,
  depthSufficient,
  booksSound,
  marginFree,
  liquidationFar,
  budgetFree,
  outsideSettlement,
  lastGatePasses,
  leverageProven,
];

/** Returns the first refusal in the order of domain 5.3, or undefined when the pair may be entered. */
export function firstRefusal(
  input: EntryInput,
  policy: EntryPolicies,
  gates: readonly EntryGate[] = ENTRY_GATES,
): Refusal | undefined {
  for (const gate of gates) {
    const refusal = gate(input, policy);
    if (refusal !== undefined) return refusal;
  }
  return undefined;
}

function engineTrading({ engine }: EntryInput): Refusal | undefined {
  if (engine.state !== 'TRADING') return refuse('ENGINE_NOT_TRADING', `engine is ${engine.state}: ${engine.reason}`);
  if (engine.entriesPaused) return refuse('ENGINE_NOT_TRADING', `entries are paused: ${engine.reason}`);
  return undefined;
}

function venuesUp(input: EntryInput): Refusal | undefined {
  return perLeg(input, ({ venue, account, status }) => {
    const name = `${venue}:${account}`;
    if (status === undefined) return refuse('VENUE_DOWN', `${name} has not reported yet`);
    if (status.status === 'degraded') return refuse('CIRCUIT_OPEN', `${name} is degraded: ${status.reason}`);
    if (status.status !== 'ready') return refuse('VENUE_DOWN', `${name} is ${status.status}: ${status.reason}`);
    if (!status.entriesAllowed) return refuse('VENUE_DOWN', `${name} allows no entries yet: ${status.reason}`);
    return undefined;
  });
}

function dataFresh(input: EntryInput, { stale, depth, clock }: EntryPolicies): Refusal | undefined {
  const bookMs = Math.min(stale.bookMs, depth.maxLevelAgeMs);
  return perLeg(input, (leg) => {
    // A book that was lost is not old: gate 14 names what happened to it.
    const book = leg.bookLostReason === '' ? (leg.book ?? 'missing') : undefined;
    return (
      tooOld('STALE_BOOK', leg, book, bookMs, input.monotonicMs) ??
      lagging(leg, input, clock.maxOffsetMs) ??
      tooOld('STALE_MARK', leg, leg.mark ?? 'missing', stale.markMs, input.monotonicMs) ??
      tooOld('STALE_FUNDING', leg, leg.predicted ?? 'missing', stale.fundingMs, input.monotonicMs) ??
      tooOld('STALE_ACCOUNT', leg, leg.balance ?? 'missing', stale.accountMs, input.monotonicMs)
    );
  });
}

function tooOld(
  code: string,
  leg: EntryLegFacts,
  fact: { readonly receivedAtMonotonicMs: number } | 'missing' | undefined,
  maxMs: number,
  monotonicMs: number,
): Refusal | undefined {
  if (fact === undefined) return undefined;
  if (fact === 'missing') return refuse(code, `${leg.venue} has sent none yet`);
  const ageMs = monotonicMs - fact.receivedAtMonotonicMs;
  return ageMs <= maxMs ? undefined : refuse(code, `${leg.venue} ${Math.round(ageMs)} ms > ${maxMs} ms`);
}

/** A venue's own time of a book tells of delays that no receive time shows: of frames that waited on their way to us. */
function lagging(leg: EntryLegFacts, input: EntryInput, maxOffsetMs: number): Refusal | undefined {
  // Without a trusted clock nobody can say: gate 4 refuses.
  if (leg.book === undefined || clockSkew(leg, maxOffsetMs) !== undefined) return undefined;
  const { venueAtMs, receivedAtMonotonicMs } = leg.book;
  const aheadMs = (venueAtMs - venueNowMs(input, leg)) / input.calendarScale;
  if (aheadMs > VENUE_TIME_MS_MAX) {
    const detail = `${leg.venue} book is ${Math.round(aheadMs)} ms > ${VENUE_TIME_MS_MAX} ms in the future`;
    return refuse('STALE_BOOK', detail);
  }
  const ageMs = input.monotonicMs - receivedAtMonotonicMs;
  const behindMs = -aheadMs - ageMs;
  const detail = `${leg.venue} book was ${Math.round(behindMs)} ms > ${VENUE_TIME_MS_MAX} ms old when it came`;
  return behindMs <= VENUE_TIME_MS_MAX ? undefined : refuse('LAGGING', detail);
}

function clocksAgree(input: EntryInput, { clock }: EntryPolicies): Refusal | undefined {
  return perLeg(input, (leg) => clockSkew(leg, clock.maxOffsetMs));
}

function clockSkew({ venue, status }: EntryLegFacts, maxOffsetMs: number): Refusal | undefined {
  if (status === undefined) return undefined;
  const offsetMs = Math.abs(status.clockOffsetMs);
  if (offsetMs > maxOffsetMs) return refuse('CLOCK_SKEW', `${venue} ${offsetMs} ms > ${maxOffsetMs} ms`);
  return status.clockErrorMs <= CLOCK_ERROR_MS_MAX
    ? undefined
    : refuse('CLOCK_SKEW', `${venue} uncertain by ${status.clockErrorMs} ms > ${CLOCK_ERROR_MS_MAX} ms`);
}

function instrumentsActive(input: EntryInput): Refusal | undefined {
  return perLeg(input, ({ venue, instrument }) => {
    if (instrument === undefined) return refuse('INSTRUMENT_STATUS', `${venue} has not listed ${input.base}`);
    return instrument.status === 'active'
      ? undefined
      : refuse('INSTRUMENT_STATUS', `${venue} ${instrument.symbol} is ${instrument.status}`);
  });
}

/** Domain 3.2: one underlying, priced in what is worth the same. */
function sameUnderlying(input: EntryInput, policy: EntryPolicies): Refusal | undefined {
  return quotesTogether(input, policy) ?? marksOfOneThing(input, policy);
}

function marksOfOneThing({ long, short }: EntryInput, { match }: EntryPolicies): Refusal | undefined {
  if (long.instrument === undefined || short.instrument === undefined) return undefined;
  if (long.mark === undefined || short.mark === undefined) return undefined;
  const why = mismatch(long.instrument, long.mark.markNano, short.instrument, short.mark.markNano, match.maxMarkGap);
  return why === undefined ? undefined : refuse('UNMATCHED', why);
}

/** Paid in what has lost its worth, a hedge is none. */
function quotesTogether({ long, short, quoteGap }: EntryInput, { stablecoin }: EntryPolicies): Refusal | undefined {
  const [one, other] = [long.instrument?.quote, short.instrument?.quote];
  if (one === undefined || other === undefined || one === other) return undefined;
  if (quoteGap === undefined) return refuse('STABLECOIN_UNKNOWN', `nothing shows what ${one} is worth in ${other}`);
  if (quoteGap <= stablecoin.maxGap) return undefined;
  const percents = [quoteGap, stablecoin.maxGap].map((gap) => `${(gap * 100).toFixed(2)} %`);
  return refuse('STABLECOIN_DEPEG', `${one} and ${other} are ${percents[0]} apart > ${percents[1]}`);
}

function fundingUnitTrusted(input: EntryInput): Refusal | undefined {
  return perLeg(input, ({ venue, fundingVerdict }) => {
    if (fundingVerdict.state === 'UNIT_SUSPECT') {
      return refuse('FUNDING_UNIT', `${venue} settles ${fundingVerdict.factor} times what its feed says`);
    }
    if (fundingVerdict.state === 'PAYMENT_SUSPECT') {
      const { implied, stated } = fundingVerdict;
      return refuse(
        'FUNDING_UNIT',
        `${venue} paid a rate of ${implied.toExponential(3)}, not its ${stated.toExponential(3)}`,
      );
    }
    if (fundingVerdict.state === 'SIGN_SUSPECT') {
      return refuse('FUNDING_UNIT', `${venue} settles with the sign opposite to its predictions`);
    }
    return undefined;
  });
}

function notExcluded({ pair, base, nowMs }: EntryInput): Refusal | undefined {
  if (pair.blacklisted) return refuse('BLACKLIST', `${base} is blacklisted`);
  if (pair.entryBlock !== undefined) return refuse('VENUE_REDUCED', pair.entryBlock);
  if (nowMs >= pair.cooldownUntilMs) return undefined;
  return refuse('COOLDOWN', `${base} rests for another ${Math.ceil(pair.cooldownUntilMs - nowMs)} ms`);
}

function noPairYet({ pair, base }: EntryInput): Refusal | undefined {
  return pair.active ? refuse('PAIR_EXISTS', `${base} is ${pair.phase}`) : undefined;
}

function pairsLeft({ activePairs }: EntryInput, { risk }: EntryPolicies): Refusal | undefined {
  return activePairs < risk.maxPairs ? undefined : refuse('MAX_PAIRS', `${activePairs} of ${risk.maxPairs} pairs`);
}

function marksTogether({ long, short }: EntryInput, { entry }: EntryPolicies): Refusal | undefined {
  if (long.instrument === undefined || short.instrument === undefined) return undefined;
  if (long.mark === undefined || short.mark === undefined) return undefined;
  const shortMark = Number(short.mark.markNano) / short.instrument.multiplier;
  const longMark = Number(long.mark.markNano) / long.instrument.multiplier;
  const bps = Math.abs(shortMark / longMark - 1) * 1e4;
  return bps <= entry.maxMarkDivergenceBps
    ? undefined
    : refuse('MARK_DIVERGENCE', `${bps.toFixed(2)} bps > ${entry.maxMarkDivergenceBps} bps`);
}

function spreadsTight(input: EntryInput, { entry }: EntryPolicies): Refusal | undefined {
  return perLeg(input, ({ venue, book }) => {
    const bps = book === undefined ? undefined : halfSpreadBps(book);
    if (bps === undefined || bps <= entry.maxHalfSpreadBps) return undefined;
    return refuse('SPREAD', `${venue} half-spread ${bps.toFixed(2)} bps > ${entry.maxHalfSpreadBps} bps`);
  });
}

function depthSufficient(input: EntryInput, policy: EntryPolicies): Refusal | undefined {
  const { assessment, long, short } = input;
  if (assessment === undefined || isUnsound(long) || isUnsound(short)) return undefined;
  if (assessment.depthSteps < assessment.leastSteps) {
    const detail = `${assessment.depthSteps} steps within ${policy.depth.maxWalkBps} bps < ${assessment.leastSteps} steps`;
    return refuse('DEPTH', `${detail}; ${depthWords(long, 'buy', policy)}, ${depthWords(short, 'sell', policy)}`);
  }
  const { priced } = assessment;
  if (priced === undefined)
    return refuse('DEPTH', `books too thin for ${assessment.longLots} and ${assessment.shortLots} lots`);
  if (priced.longLimitTicks < priced.longWorstTicks) {
    return refuse('DEPTH', `buy needs tick ${priced.longWorstTicks} > cap ${priced.longLimitTicks} on ${long.venue}`);
  }
  if (priced.shortLimitTicks > priced.shortWorstTicks) {
    return refuse(
      'DEPTH',
      `sell needs tick ${priced.shortWorstTicks} < cap ${priced.shortLimitTicks} on ${short.venue}`,
    );
  }
  return undefined;
}

function depthWords(leg: EntryLegFacts, side: 'buy' | 'sell', { depth }: EntryPolicies): string {
  if (leg.book === undefined) return `${leg.venue} has no book`;
  const usable = usableLots(leg.book, side, depth.maxWalkBps);
  return `${leg.venue} ${usable} lots on ${opposite(leg.book, side).length} levels`;
}

function booksSound(input: EntryInput): Refusal | undefined {
  return perLeg(input, (leg) => {
    if (leg.book === undefined) return refuse('BOOK_GAP', `${leg.venue} book lost: ${leg.bookLostReason}`);
    const spread = halfSpreadBps(leg.book);
    if (spread === undefined) return refuse('BOOK_GAP', `${leg.venue} book has one side only`);
    return spread > 0 ? undefined : refuse('BOOK_CROSSED', `${leg.venue} bid is at or above ask`);
  });
}

function isUnsound({ book }: EntryLegFacts): boolean {
  const spread = book === undefined ? undefined : halfSpreadBps(book);
  return spread === undefined || spread <= 0;
}

function carryLargeEnough(input: EntryInput, { entry }: EntryPolicies): Refusal | undefined {
  return perMetrics(input, (metrics) => {
    if (!(metrics.netAprPct >= entry.minAprPct)) {
      return refuse('CARRY_TOO_SMALL', `APR ${metrics.netAprPct.toFixed(2)} % < ${entry.minAprPct} %`);
    }
    const hourly = metrics.hourlyCarryQuote / metrics.notionalQuote;
    return hourly >= entry.minHourly
      ? undefined
      : refuse('CARRY_TOO_SMALL', `${hourly.toExponential(2)} per hour < ${entry.minHourly}`);
  });
}

function breakEvenSoon(input: EntryInput, { entry }: EntryPolicies): Refusal | undefined {
  return perMetrics(input, ({ breakEven }) => {
    if (breakEven === undefined) {
      return refuse('BREAKEVEN_TOO_LONG', `no payment within the horizon pays the round trip`);
    }
    return breakEven.hours <= entry.maxBreakEvenHours
      ? undefined
      : refuse('BREAKEVEN_TOO_LONG', `${breakEven.hours.toFixed(2)} h > ${entry.maxBreakEvenHours} h`);
  });
}

function valueLargeEnough(input: EntryInput, { entry }: EntryPolicies): Refusal | undefined {
  // Without a size the value is that of the least order: the size gate tells the true reason.
  if (input.assessment?.size.sized !== true) return undefined;
  return perMetrics(input, ({ expectedValueQuote }) =>
    expectedValueQuote >= entry.minExpectedValueQuote
      ? undefined
      : refuse(
          'EV_TOO_SMALL',
          `EV(${entry.horizonHours} h) ${expectedValueQuote.toFixed(4)} < ${entry.minExpectedValueQuote}`,
        ),
  );
}

function edgeLargeEnough(input: EntryInput, { entry }: EntryPolicies): Refusal | undefined {
  return perMetrics(input, ({ expectedFundingQuote, roundTripCostQuote }) =>
    expectedFundingQuote >= entry.minEdgeMultiple * roundTripCostQuote
      ? undefined
      : refuse(
          'EDGE_MULTIPLE',
          `funding ${expectedFundingQuote.toFixed(4)} < ${entry.minEdgeMultiple} x cost ${roundTripCostQuote.toFixed(4)}`,
        ),
  );
}

function carryLasting({ favourableStreak }: EntryInput, { entry }: EntryPolicies): Refusal | undefined {
  return favourableStreak >= entry.minFavourable
    ? undefined
    : refuse('TREND', `${favourableStreak} favourable in a row < ${entry.minFavourable}`);
}

function sizeLegal({ assessment }: EntryInput): Refusal | undefined {
  if (assessment === undefined || assessment.size.sized) return undefined;
  const { code, detail, boundBy } = assessment.size;
  // Exposure and margin have gates of their own to say so.
  return code === 'SIZE_BELOW_MIN' && (boundBy === 'headroom' || boundBy === 'margin')
    ? undefined
    : refuse(code, detail);
}

function exposureAllowed({ assessment }: EntryInput, { risk }: EntryPolicies): Refusal | undefined {
  if (assessment === undefined) return undefined;
  const { size, headroom, priced } = assessment;
  if (!size.sized) {
    return size.boundBy === 'headroom' ? refuse(headroom.code, `${headroom.detail}; ${size.detail}`) : undefined;
  }
  if (priced === undefined || priced.worstLossQuote <= risk.maxPairLossQuote) return undefined;
  const detail = `at worst the pair loses ${priced.worstLossQuote.toFixed(2)} > ${risk.maxPairLossQuote.toFixed(2)}`;
  return refuse('EXPOSURE_LOSS', detail);
}

function marginFree(input: EntryInput, { sizing, risk }: EntryPolicies): Refusal | undefined {
  const { assessment } = input;
  if (assessment === undefined) return undefined;
  if (!assessment.size.sized && assessment.size.boundBy === 'margin') return refuse('MARGIN', assessment.size.detail);
  return perLeg(input, ({ venue, balance }, side) => {
    if (balance === undefined) return refuse('MARGIN', `${venue} balance is unknown`);
    const needed = side === 'long' ? assessment.longMarginQuote : assessment.shortMarginQuote;
    const available = quoteOfMicro(balance.availableMicro) * (1 - sizing.marginBuffer);
    if (needed > available) return refuse('MARGIN', `${venue} ${needed.toFixed(2)} > ${available.toFixed(2)} free`);
    const wallet = quoteOfMicro(balance.walletMicro);
    const use = (wallet - quoteOfMicro(balance.availableMicro) + needed) / wallet;
    return use <= risk.maxVenueMarginUse
      ? undefined
      : refuse('MARGIN', `${venue} use ${(use * 100).toFixed(1)} % > ${(risk.maxVenueMarginUse * 100).toFixed(1)} %`);
  });
}

function liquidationFar(input: EntryInput, { liquidation }: EntryPolicies): Refusal | undefined {
  const { assessment } = input;
  if (assessment === undefined) return undefined;
  return perLeg(input, ({ venue }, side) => {
    const distance = side === 'long' ? assessment.longLiquidationDistance : assessment.shortLiquidationDistance;
    const leverage = side === 'long' ? assessment.longLeverage : assessment.shortLeverage;
    if (distance >= liquidation.minEntryDistance) return undefined;
    const detail = `${venue} ${(distance * 100).toFixed(2)} % < ${(liquidation.minEntryDistance * 100).toFixed(2)} %`;
    return refuse('LIQ_DISTANCE', `${detail} at leverage ${leverage}`);
  });
}

function budgetFree(input: EntryInput): Refusal | undefined {
  return perLeg(input, ({ venue, status }) => {
    const share = status?.openBudgetShare ?? 0;
    return share >= OPEN_BUDGET_SHARE_MIN
      ? undefined
      : refuse('RATE_LIMIT', `${venue} budget ${(share * 100).toFixed(0)} % < ${OPEN_BUDGET_SHARE_MIN * 100} %`);
  });
}

function outsideSettlement(input: EntryInput, { settle }: EntryPolicies): Refusal | undefined {
  return perLeg(input, (leg) => {
    const { venue, predicted } = leg;
    if (predicted === undefined) return undefined;
    const { settleAtMs, intervalMs } = predicted.rate;
    const atMs = venueNowMs(input, leg);
    const untilMs = comingSettlement(settleAtMs, intervalMs, atMs) - atMs;
    const nearestMs = Math.min(untilMs, intervalMs - untilMs);
    return nearestMs >= settle.guardMs
      ? undefined
      : refuse('SETTLE_WINDOW', `${venue} settlement ${nearestMs} ms away < ${settle.guardMs} ms`);
  });
}

/** Not one of domain 5.3: what the sending thread would deny is no opportunity, and denied on one leg only it is a loss. */
function lastGatePasses(input: EntryInput, { lastGate }: EntryPolicies): Refusal | undefined {
  const { assessment } = input;
  const priced = assessment?.priced;
  if (assessment === undefined || priced === undefined) return undefined;
  return perLeg(input, ({ venue, instrument, mark, book }, side) => {
    if (instrument === undefined) return undefined;
    const isLong = side === 'long';
    const denial = previewOpening(
      {
        symbol: instrument.symbol,
        side: isLong ? 'buy' : 'sell',
        // The assessment counts in this instrument's own lots and ticks.
        lots: (isLong ? assessment.longLots : assessment.shortLots) as QuantityLots,
        limitTicks: (isLong ? priced.longLimitTicks : priced.shortLimitTicks) as PriceTicks,
      },
      {
        instrument,
        positionLots: 0,
        ...(mark === undefined ? {} : { markNano: mark.markNano }),
        ...(mark?.indexNano === undefined ? {} : { indexNano: mark.indexNano }),
        ...(book === undefined ? {} : { book }),
      },
      lastGate,
    );
    // Gate 5 guards the instrument's status.
    if (denial === undefined || denial.code === 'INSTRUMENT_STATUS') return undefined;
    return refuse(`LAST_GATE_${denial.code}`, `${venue} ${denial.detail}`);
  });
}

/** Domain 6.2: margin and liquidation distance were computed with a leverage that the venue must have confirmed. */
function leverageProven(input: EntryInput): Refusal | undefined {
  const { assessment } = input;
  if (assessment === undefined) return undefined;
  return perLeg(input, ({ venue, leverage }, side) => {
    const wanted = side === 'long' ? assessment.longLeverage : assessment.shortLeverage;
    // Gate 23 refuses where no leverage is safe.
    if (wanted < 1 || leverage === wanted) return undefined;
    return refuse('LEVERAGE_MISMATCH', `${venue} has ${leverage ?? 'not reported any'}, ${wanted} is wanted`);
  });
}

function perLeg(
  input: EntryInput,
  check: (leg: EntryLegFacts, side: 'long' | 'short') => Refusal | undefined,
): Refusal | undefined {
  return check(input.long, 'long') ?? check(input.short, 'short');
}

function perMetrics(
  { assessment }: EntryInput,
  check: (metrics: OpportunityMetrics) => Refusal | undefined,
): Refusal | undefined {
  const metrics = assessment?.priced?.metrics;
  return metrics === undefined ? undefined : check(metrics);
}

function refuse(code: string, detail: string): Refusal {
  return { code, detail };
}
