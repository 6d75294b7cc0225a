/** Decides one candidate: enter with a complete plan, or the first gate that refuses. Pure, any thread. */
import { assessEntry } from './entry-assessment.ts';
import type { EntryFacts, EntryInput, EntryLegFacts } from './entry-facts.ts';
import { firstRefusal } from './entry-gates.ts';
import type { EntryMode } from './entry-mode.ts';
import type { OpportunityMetrics } from './opportunity.ts';
import type { EntryPolicies } from './policy.ts';

/** Lots and limit prices in each leg's own units. */
export interface PlannedLeg {
  readonly venue: string;
  readonly account: string;
  readonly symbol: string;
  readonly lots: number;
  readonly limitTicks: number;
  /** Average price of those lots by the book, ticks with fractions. */
  readonly vwapTicks: number;
}

export interface PlannedEntry {
  readonly base: string;
  readonly long: PlannedLeg;
  readonly short: PlannedLeg;
  readonly entry: EntryMode;
  readonly decidedAtMs: number;
  /** Quote units, for calibration against what came of it. */
  readonly expected: {
    readonly netHourlyQuote: number;
    readonly expectedValueQuote: number;
    readonly roundTripCostQuote: number;
    readonly entryBasisBps: number;
    readonly capitalQuote: number;
  };
}

export type EntryDecision =
  | {
      readonly verdict: 'ENTER';
      readonly detail: string;
      readonly metrics: OpportunityMetrics;
      readonly plan: PlannedEntry;
    }
  | {
      readonly verdict: string;
      readonly detail: string;
      readonly metrics: OpportunityMetrics | undefined;
      readonly plan?: undefined;
    };

/** Evaluates one base on one ordered pair of accounts. */
export function decideEntry(facts: EntryFacts, policy: EntryPolicies): EntryDecision {
  const input = assessEntry(facts, policy);
  const metrics = input.assessment?.priced?.metrics;
  const refusal = firstRefusal(input, policy);
  if (refusal !== undefined) return { verdict: refusal.code, detail: refusal.detail, metrics };
  const { verdict, detail, metrics: of, plan } = planned(input);
  return { verdict, detail, metrics: of, plan: { ...plan, entry: withEscalation(plan.entry, facts, policy) } };
}

/** What a quote does not get is taken only where taking all of it would have been an entry as well. */
function withEscalation(entry: EntryMode, facts: EntryFacts, policy: EntryPolicies): EntryMode {
  if (entry.mode !== 'maker-taker' || !entry.escalate) return entry;
  const taking: EntryPolicies = { ...policy, entry: { ...policy.entry, mode: 'taker-taker' } };
  return { ...entry, escalate: firstRefusal(assessEntry(facts, taking), taking) === undefined };
}

/** All gates have passed, so every fact is there; anything missing is a broken gate and no reason to trade. */
function planned(input: EntryInput): Extract<EntryDecision, { verdict: 'ENTER' }> {
  const { assessment, long, short } = input;
  const priced = assessment?.priced;
  if (assessment === undefined || priced === undefined || !assessment.size.sized) {
    throw new Error(`${input.base} passed all entry gates without a sized and priced assessment`);
  }
  const { metrics } = priced;
  return {
    verdict: 'ENTER',
    detail: `APR ${metrics.netAprPct.toFixed(2)} %, EV ${metrics.expectedValueQuote.toFixed(4)}, ${priced.entry.mode}, sized by ${assessment.size.boundBy}, loses ${priced.worstLossQuote.toFixed(2)} at worst`,
    metrics,
    plan: {
      base: input.base,
      long: plannedLeg(long, assessment.longLots, priced.longLimitTicks, priced.longVwapTicks),
      short: plannedLeg(short, assessment.shortLots, priced.shortLimitTicks, priced.shortVwapTicks),
      entry: priced.entry,
      decidedAtMs: input.nowMs,
      expected: {
        netHourlyQuote: metrics.hourlyCarryQuote,
        expectedValueQuote: metrics.expectedValueQuote,
        roundTripCostQuote: metrics.roundTripCostQuote,
        entryBasisBps: priced.entryBasisBps,
        capitalQuote: metrics.capitalQuote,
      },
    },
  };
}

function plannedLeg(leg: EntryLegFacts, lots: number, limitTicks: number, vwapTicks: number): PlannedLeg {
  if (leg.instrument === undefined) throw new Error(`${leg.venue} has no instrument to plan an order for`);
  return { venue: leg.venue, account: leg.account, symbol: leg.instrument.symbol, lots, limitTicks, vwapTicks };
}
