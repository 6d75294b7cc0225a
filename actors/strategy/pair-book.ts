/** What the strategy actor knows of every base's pair, plans it asked for included. Owned and mutated by that actor only. */
import { notionalMicro, quoteOfMicro } from '../../src/money/amounts.ts';
import type { Exposure } from '../../src/risk/limits.ts';
import type { PlannedEntry } from '../../src/strategy/entry-decision.ts';
import type { PairChanged } from '../position-messages.ts';
import type { MarketPicture } from './market-picture.ts';

/** An entry asked for and not answered yet, or the one its pair came from: the pair's size at its worst. */
interface AskedPlan {
  readonly plan: PlannedEntry;
  readonly legNotionalQuote: number;
  readonly askedAtMonotonicMs: number;
  /** What the pair looked like when it was asked: any change answers. */
  readonly pairIdBefore: string;
  readonly phaseBefore: string;
}

export interface PairBook {
  readonly byBase: Map<string, PairChanged>;
  /** Unanswered, at most one per base. */
  readonly plans: Map<string, AskedPlan>;
  /** Answered; kept while the pair lives, because its own notional grows only with its fills. */
  readonly entered: Map<string, AskedPlan>;
  readonly bases: ReadonlySet<string>;
}

export function createPairBook(bases: readonly string[]): PairBook {
  return { byBase: new Map(), plans: new Map(), entered: new Map(), bases: new Set(bases) };
}

export function takePairChanged(book: PairBook, pair: PairChanged): void {
  if (!book.bases.has(pair.base)) return;
  book.byBase.set(pair.base, pair);
  const asked = book.plans.get(pair.base);
  if (asked !== undefined && (pair.pairId !== asked.pairIdBefore || pair.phase !== asked.phaseBefore)) {
    book.plans.delete(pair.base);
    book.entered.set(pair.base, asked);
  }
  if (!isActivePhase(pair.phase)) book.entered.delete(pair.base);
}

/** Remembers an entry that was just asked for. */
export function notePlan(book: PairBook, market: MarketPicture, plan: PlannedEntry, monotonicMs: number): void {
  const pair = book.byBase.get(plan.base);
  book.plans.set(plan.base, {
    plan,
    legNotionalQuote: Math.max(legNotional(market, plan.base, plan.long), legNotional(market, plan.base, plan.short)),
    askedAtMonotonicMs: monotonicMs,
    pairIdBefore: pair?.pairId ?? '',
    phaseBefore: pair?.phase ?? '',
  });
}

/** Stops waiting for answers that did not come; the position actor may have refused, crashed or never received the plan. */
export function expirePlans(book: PairBook, monotonicMs: number, answerMs: number): void {
  for (const [base, asked] of book.plans)
    if (monotonicMs - asked.askedAtMonotonicMs > answerMs) book.plans.delete(base);
}

/** Whether a base has a pair or may be about to get one. A base whose position actor has not reported counts as taken. */
export function pairStanding(book: PairBook, base: string): { readonly active: boolean; readonly phase: string } {
  const pair = book.byBase.get(base);
  if (pair === undefined) return { active: true, phase: 'not reported yet' };
  if (book.plans.has(base)) return { active: true, phase: 'being asked to enter' };
  return { active: isActivePhase(pair.phase), phase: pair.phase };
}

/** Every pair at its worst: reported, entered or merely asked for. */
export function exposuresOf(book: PairBook): readonly Exposure[] {
  const exposures: Exposure[] = [];
  for (const base of book.bases) {
    const exposure = exposureOf(book, base);
    if (exposure !== undefined) exposures.push(exposure);
  }
  return exposures;
}

function exposureOf(book: PairBook, base: string): Exposure | undefined {
  const pair = book.byBase.get(base);
  const active = pair !== undefined && isActivePhase(pair.phase);
  const asked = book.plans.get(base) ?? (active ? book.entered.get(base) : undefined);
  if (!active && asked === undefined) return undefined;
  const reportedQuote = active ? quoteOfMicro(pair.notionalMicro) : 0;
  const legNotionalQuote = Math.max(reportedQuote, asked?.legNotionalQuote ?? 0);
  const hedged = active && pair.phase === 'OPEN' && !book.plans.has(base);
  return {
    base,
    longVenue: asked?.plan.long.venue ?? pair?.long?.venue ?? '',
    shortVenue: asked?.plan.short.venue ?? pair?.short?.venue ?? '',
    legNotionalQuote,
    unhedgedNotionalQuote: hedged ? 0 : legNotionalQuote,
  };
}

function isActivePhase(phase: PairChanged['phase']): boolean {
  return phase !== 'IDLE' && phase !== 'CLOSED' && phase !== 'FAILED';
}

function legNotional(market: MarketPicture, base: string, leg: PlannedEntry['long']): number {
  const instrument = market.instruments.get(`${leg.venue}:${leg.account}|${base}`);
  return instrument === undefined ? 0 : quoteOfMicro(notionalMicro(instrument, leg.limitTicks, leg.lots));
}
