/** Looks for an open pair that stands in the way of a better one, and asks its position to leave. Owned by the strategy actor. */
import { positionRef } from '../addresses.ts';
import type { PairChanged } from '../position-messages.ts';
import type { StrategyMessage } from '../strategy-messages.ts';
import type { Self } from '../../src/runtime/actor.ts';
import { recentPremium } from '../../src/market/mark-watch.ts';
import { medianHourly } from '../../src/market/funding-history.ts';
import type { Instrument } from '../../src/market/instrument.ts';
import type { MicroUnits } from '../../src/money/units.ts';
import { priceOf, quantityOf } from '../../src/money/amounts.ts';
import { midTicks, opposite, walkBook } from '../../src/strategy/book-walk.ts';
import { outlookOf } from '../../src/strategy/entry-assessment.ts';
import { decideEntry } from '../../src/strategy/entry-decision.ts';
import type { EntryFacts, EntryLegFacts } from '../../src/strategy/entry-facts.ts';
import { holdValueQuote } from '../../src/strategy/hold-value.ts';
import type { FundedLeg } from '../../src/strategy/hold-value.ts';
import { exitCost } from '../../src/strategy/pair-value.ts';
import type { EntryPolicies } from '../../src/strategy/policy.ts';
import { judgeRotation, noRotation, weakestPair } from '../../src/strategy/rotation.ts';
import type { HeldPair, Replacement, RotationPolicy, RotationWatch } from '../../src/strategy/rotation.ts';
import { feedOf, venueNowMs } from './market-picture.ts';
import type { MarketPicture } from './market-picture.ts';
import type { PairBook } from './pair-book.ts';

export interface RotationState {
  readonly lookedAtMs: number;
  readonly watch: RotationWatch;
}

export const newRotationState: RotationState = { lookedAtMs: Number.NEGATIVE_INFINITY, watch: noRotation };

interface Known {
  readonly market: MarketPicture;
  readonly pairs: PairBook;
  readonly args: { readonly policy: EntryPolicies; readonly rotation?: RotationPolicy };
}

/** A candidate that was refused, with the facts it was judged by. */
export interface RefusedCandidate {
  readonly verdict: string;
  readonly facts: EntryFacts;
}

/** Between two looks, monotonic ms: what rotation earns, it earns in hours. */
const LOOK_MS = 5_000;
/** Refusals that an open pair's end may lift. */
const CAPACITY: ReadonlySet<string> = new Set([
  'PAIR_EXISTS',
  'MAX_PAIRS',
  'EXPOSURE_SYMBOL',
  'EXPOSURE_VENUE',
  'EXPOSURE_TOTAL',
  'MARGIN',
]);

/** Returns whether the next scan should keep what it refuses for `watchRotations`. */
export function isRotationDue(state: RotationState, policy: RotationPolicy | undefined, monotonicMs: number): boolean {
  return policy !== undefined && policy.perDay > 0 && monotonicMs - state.lookedAtMs >= LOOK_MS;
}

/** Called after a scan that entered nothing: what can be entered beside the open pairs needs no room. */
export function watchRotations(
  state: RotationState,
  known: Known,
  refused: readonly RefusedCandidate[],
  self: Self<StrategyMessage>,
): RotationState {
  const policy = known.args.rotation;
  if (policy === undefined) return state;
  const at = { nowMs: self.nowMs(), monotonicMs: self.monotonicMs() };
  const pairs = [...known.pairs.byBase.values()];
  // One at a time: while a pair is on its way out or in, nobody knows what will be free.
  const isQuiet = known.pairs.plans.size === 0 && pairs.every(({ phase }) => SETTLED.has(phase));
  const offer = isQuiet ? bestOffer(known, policy, refused, at) : undefined;
  const rotatedAtMs = pairs.flatMap((pair) => pair.rotatedAtMs ?? []);
  const { watch, detail } = judgeRotation(state.watch, offer, policy, rotatedAtMs, at);
  if (offer !== undefined && detail !== undefined) {
    self.count('rotations-asked');
    self.tell(positionRef(offer.held.base), { type: 'rotate-pair', pairId: offer.held.pairId, detail });
  }
  return { lookedAtMs: at.monotonicMs, watch };
}

const SETTLED: ReadonlySet<PairChanged['phase']> = new Set(['IDLE', 'OPEN', 'CLOSED', 'FAILED']);

function bestOffer(
  known: Known,
  policy: RotationPolicy,
  refused: readonly RefusedCandidate[],
  at: { readonly nowMs: number; readonly monotonicMs: number },
): { readonly held: HeldPair; readonly replacement: Replacement } | undefined {
  const held = new Map<string, HeldPair>();
  for (const pair of known.pairs.byBase.values()) {
    const value = pair.phase === 'OPEN' ? heldPair(known, pair, at) : undefined;
    if (value !== undefined) held.set(pair.base, value);
  }
  const weakest = weakestPair([...held.values()], policy, at.nowMs);
  if (weakest === undefined) return undefined;

  let best: { readonly held: HeldPair; readonly replacement: Replacement; readonly gain: number } | undefined;
  for (const { verdict, facts } of refused) {
    if (!CAPACITY.has(verdict)) continue;
    // A symbol has one pair: another one of it can only take that one's place.
    const own = held.get(facts.base);
    const leaving = verdict === 'PAIR_EXISTS' ? own : weakest;
    if (leaving === undefined || weakestPair([leaving], policy, at.nowMs) === undefined) continue;
    const pair = known.pairs.byBase.get(leaving.base);
    if (pair === undefined || isSamePair(pair, facts)) continue;
    const decision = decideEntry(withoutPair(facts, pair, known), known.args.policy);
    if (decision.plan === undefined) continue;
    const replacement = {
      name: `${facts.base} ${facts.long.venue}/${facts.short.venue}`,
      expectedValueQuote: decision.metrics.expectedValueQuote,
    };
    const gain = replacement.expectedValueQuote - leaving.holdQuote - leaving.exitCostQuote;
    if (best === undefined || gain > best.gain) best = { held: leaving, replacement, gain };
  }
  return best;
}

function isSamePair(pair: PairChanged, facts: EntryFacts): boolean {
  const isSame = (leg: PairChanged['long'], fact: EntryLegFacts): boolean =>
    leg?.venue === fact.venue && leg.account === fact.account;
  return pair.base === facts.base && isSame(pair.long, facts.long) && isSame(pair.short, facts.short);
}

/** The facts as they would be with a pair closed: its exposure gone, its margin free again. */
function withoutPair(facts: EntryFacts, pair: PairChanged, { market, args }: Known): EntryFacts {
  const freed = (leg: EntryLegFacts): EntryLegFacts => {
    const held = [pair.long, pair.short].find((one) => one?.venue === leg.venue && one.account === leg.account);
    const instrument = market.instruments.get(`${leg.venue}:${leg.account}|${pair.base}`);
    const mark = instrument === undefined ? undefined : feedOf(market, leg.venue, instrument.symbol).mark;
    if (held === undefined || instrument === undefined || mark === undefined || leg.balance === undefined) return leg;
    const notional = quantityOf(Math.abs(held.signedLots), instrument) * (Number(mark.markNano) / 1e9);
    const marginMicro = BigInt(Math.floor((notional / args.policy.sizing.leverage) * 1e6));
    const availableMicro = (leg.balance.availableMicro + marginMicro) as MicroUnits;
    return { ...leg, balance: { ...leg.balance, availableMicro } };
  };
  return {
    ...facts,
    long: freed(facts.long),
    short: freed(facts.short),
    activePairs: facts.activePairs - 1,
    exposures: facts.exposures.filter(({ base }) => base !== pair.base),
    pair: pair.base === facts.base ? { ...facts.pair, active: false, phase: 'CLOSED' } : facts.pair,
  };
}

/** Undefined while a fact is missing: a pair nobody can value is not left for a better one. */
function heldPair(
  known: Known,
  pair: PairChanged,
  at: { readonly nowMs: number; readonly monotonicMs: number },
): HeldPair | undefined {
  const { policy } = known.args;
  const long = heldLeg(known, pair.base, pair.long, at);
  const short = heldLeg(known, pair.base, pair.short, at);
  if (long === undefined || short === undefined) return undefined;
  const holdQuote = holdValueQuote({ long, short }, policy.entry.horizonHours, policy.forecast.haircut);
  if (holdQuote === undefined) return undefined;
  const { base, pairId, openedAtMs } = pair;
  return { base, pairId, openedAtMs, holdQuote, exitCostQuote: exitCost([long.closing, short.closing]) };
}

function heldLeg(
  { market, args }: Known,
  base: string,
  leg: PairChanged['long'],
  { nowMs, monotonicMs }: { readonly nowMs: number; readonly monotonicMs: number },
): (FundedLeg & { readonly closing: Parameters<typeof exitCost>[0][number] }) | undefined {
  const instrument = leg === undefined ? undefined : market.instruments.get(`${leg.venue}:${leg.account}|${base}`);
  if (leg === undefined || instrument === undefined || leg.signedLots === 0) return undefined;
  const { book, mark, markWatch, predicted, history } = feedOf(market, leg.venue, instrument.symbol);
  const mid = book === undefined ? undefined : midTicks(book);
  if (book === undefined || mid === undefined || mark === undefined || predicted === undefined) return undefined;
  const walk = walkBook(opposite(book, leg.signedLots > 0 ? 'sell' : 'buy'), Math.abs(leg.signedLots));
  if (!walk.filled) return undefined;
  const venueNow = venueNowMs(market, leg.venue, nowMs);
  return {
    notionalQuote: quantityOf(Math.abs(leg.signedLots), instrument) * (Number(mark.markNano) / 1e9),
    funding: outlookOf(predicted.rate, medianHourly(history), venueNow, args.policy.forecast.halfLifeHours, {
      formula: instrument.premiumFormula,
      premium: recentPremium(markWatch, monotonicMs, market.calendarScale),
      weight: args.policy.forecast.premiumWeight ?? 0,
    }),
    closing: {
      signedQuantity: quantityOf(leg.signedLots, instrument) * instrument.multiplier,
      averagePrice: 0,
      closePrice: basePriceOf(walk.vwapTicks, instrument),
      midPrice: basePriceOf(mid, instrument),
      feeRate: instrument.takerFee / 1e12,
    },
  };
}

function basePriceOf(ticks: number, instrument: Instrument): number {
  return priceOf(ticks, instrument) / instrument.multiplier;
}
