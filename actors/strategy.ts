/**
 * The strategy: keeps the latest market picture, evaluates the bases on the ordered pairs of accounts at each scan, and asks
 * the base's position actor to enter the best. Trading thread. Holds nothing that a resend does not bring back.
 */
import { refOf, unreachable } from '../src/runtime/actor.ts';
import type { ActorKind, ActorRef, Self, TraceRef } from '../src/runtime/actor.ts';
import { decideEntry } from '../src/strategy/entry-decision.ts';
import type { PlannedEntry } from '../src/strategy/entry-decision.ts';
import type { EntryFacts } from '../src/strategy/entry-facts.ts';
import type { EntryPolicies } from '../src/strategy/policy.ts';
import type { RotationPolicy } from '../src/strategy/rotation.ts';
import { connectorEventDelivery } from './connector-messages.ts';
import type { ConnectorEvent, ConnectorMessage } from './connector-messages.ts';
import { guardDelivery } from './guard-messages.ts';
import type { GuardMessage } from './guard-messages.ts';
import { positionRef } from './addresses.ts';
import { positionDelivery } from './position-messages.ts';
import { strategyDelivery } from './strategy-messages.ts';
import type { OpportunitiesScanned, StrategyMessage } from './strategy-messages.ts';
import { createMarketPicture, feedOf, takeMarketEvent } from './strategy/market-picture.ts';
import type { MarketPicture } from './strategy/market-picture.ts';
import { createPairBook, exposuresOf, notePlan, takePairChanged, expirePlans } from './strategy/pair-book.ts';
import { newQuoteWatch, watchQuotes } from './strategy/quote-watch.ts';
import type { QuoteWatch } from './strategy/quote-watch.ts';
import { isRotationDue, newRotationState, watchRotations } from './strategy/rotation.ts';
import type { RefusedCandidate, RotationState } from './strategy/rotation.ts';
import type { PairBook } from './strategy/pair-book.ts';
import { entryFacts } from './strategy/candidate.ts';
import type { EngineView } from './strategy/candidate.ts';
import { boundOf, chooseCandidates, createCandidateTable, refreshLegs } from './strategy/candidate-table.ts';
import type { CandidateTable, TableCandidate } from './strategy/candidate-table.ts';
import { candidatesToTell } from './strategy/told-candidates.ts';
import type { Exposure } from '../src/risk/limits.ts';

export interface StrategyArgs {
  readonly policy: EntryPolicies;
  readonly venues: readonly StrategyVenue[];
  /** Pairs of account names (`venue:account`) that may hold the two legs; every pair of accounts when absent. */
  readonly venuePairs?: readonly (readonly [string, string])[];
  /** Canonical underlyings to trade. */
  readonly bases: readonly string[];
  /** Bases that are watched but never entered. */
  readonly blacklist?: readonly string[];
  /** Monotonic ms between scans. */
  readonly scanIntervalMs: number;
  /** Monotonic ms before the first scan: the resent state has to arrive first. */
  readonly startupGraceMs: number;
  /** Calendar ms per monotonic ms. */
  readonly calendarScale: number;
  readonly guardPath: string;
  readonly observerPath: string;
  /** Worth of quote currencies in USD where no two venues show it. */
  readonly quoteRatesUsd?: Readonly<Record<string, number>>;
  /** When an open pair makes room for a better one; never when absent. */
  readonly rotation?: RotationPolicy;
}

export interface StrategyVenue {
  readonly venue: string;
  readonly account: string;
  readonly connectorPath: string;
}

export interface StrategyState {
  readonly args: StrategyArgs;
  readonly table: CandidateTable;
  readonly market: MarketPicture;
  readonly pairs: PairBook;
  engine: EngineView;
  readonly refusals: Map<string, number>;
  toldAtMonotonicMs: number;
  quotes: QuoteWatch;
  rotation: RotationState;
  /** Of the last scan. */
  profile: ScanProfile;
}

/** How long the parts of an evaluation cycle took, monotonic ms. In virtual time nothing takes any. */
export interface ScanProfile {
  /** Every leg brought up to date: who is there, how old, how trusted is what is known of it. */
  readonly healthMs: number;
  /** What all pairs may amount to at worst. */
  readonly riskMs: number;
  /** Candidates chosen and judged. */
  readonly strategyMs: number;
  /** The best plan handed to its position, and the observer told. */
  readonly intentMs: number;
}

type StrategySelf = Self<StrategyMessage>;

const TELL_INTERVAL_MS = 1_000;
/** A plan the position actor did not answer by then is no longer waited for. */
const PLAN_ANSWER_MS = 5_000;

export const strategy: ActorKind<StrategyArgs, StrategyState, StrategyMessage> = {
  kind: 'strategy',
  delivery: {
    ...strategyDelivery,
    'venue-status': connectorEventDelivery['venue-status'],
    'instrument-listed': connectorEventDelivery['instrument-listed'],
    'book-changed': connectorEventDelivery['book-changed'],
    'mark-changed': connectorEventDelivery['mark-changed'],
    'funding-rate-changed': connectorEventDelivery['funding-rate-changed'],
    'account-changed': connectorEventDelivery['account-changed'],
    'leverage-reported': connectorEventDelivery['leverage-reported'],
    'engine-state-changed': guardDelivery['engine-state-changed'],
    'pair-changed': positionDelivery['pair-changed'],
  },

  start(args, self) {
    for (const { connectorPath } of args.venues) {
      // The connector's subscriber type is wider than what it sends to the strategy: order facts go to positions.
      const to: ActorRef<ConnectorEvent> = refOf(self.path);
      self.tell(refOf<ConnectorMessage>(connectorPath), { type: 'resend-state', to, bases: args.bases });
    }
    self.tell(refOf<GuardMessage>(args.guardPath), { type: 'resend-engine-state', to: self.path });
    self.after(args.startupGraceMs, { type: 'scan-opportunities' });
    return {
      args,
      table: createCandidateTable(args.bases, directionsOf(args)),
      market: createMarketPicture(args.bases, args.policy.forecast.lookbackHours, args.calendarScale),
      pairs: createPairBook(args.bases),
      engine: { state: 'STOPPED', reason: 'the guard has not reported yet', entriesPaused: false },
      refusals: new Map(),
      toldAtMonotonicMs: Number.NEGATIVE_INFINITY,
      profile: { healthMs: 0, riskMs: 0, strategyMs: 0, intentMs: 0 },
      quotes: newQuoteWatch,
      rotation: newRotationState,
    };
  },

  receive(state, message, self) {
    switch (message.type) {
      case 'scan-opportunities':
        scan(state, self);
        self.after(state.args.scanIntervalMs, { type: 'scan-opportunities' });
        return state;
      case 'engine-state-changed':
        state.engine = {
          state: message.state,
          reason: message.reason,
          entriesPaused: message.entriesPaused === true,
        };
        return state;
      case 'pair-changed':
        takePairChanged(state.pairs, message);
        return state;
      case 'venue-status':
      case 'instrument-listed':
      case 'book-changed':
      case 'mark-changed':
      case 'funding-rate-changed':
      case 'account-changed':
      case 'leverage-reported':
        takeMarketEvent(state.market, message, state.args.policy.fundingCheck.minSettlements, self);
        return state;
      default:
        return unreachable(message);
    }
  },

  digest: (state) => ({
    engine: state.engine.state,
    pairs: [...state.pairs.byBase].map(([base, pair]) => `${base} ${pair.phase}`),
    waiting: [...state.pairs.plans.keys()],
    refusals: Object.fromEntries(state.refusals),
    lastScan: state.profile,
  }),
};

/**
 * One evaluation cycle: looks at everything, judges what may be worth it, asks for the best entry, and says now and then what it
 * saw. Each part is timed, see ScanProfile.
 */
function scan(state: StrategyState, self: StrategySelf): void {
  const startedMs = self.monotonicMs();
  state.quotes = watchQuotes(state.quotes, state, self);
  expirePlans(state.pairs, startedMs, PLAN_ANSWER_MS);
  refreshLegs(state.table, state.market);
  const healthMs = self.monotonicMs();
  const exposures = exposuresOf(state.pairs);
  const riskMs = self.monotonicMs();
  const isLookDue = isRotationDue(state.rotation, state.args.rotation, startedMs);
  const { best, refused } = judge(state, self, exposures);
  const strategyMs = self.monotonicMs();
  // One entry per scan: the next evaluation must count this one's exposure first.
  if (best !== undefined) enter(state, self, best);
  else if (isLookDue) state.rotation = watchRotations(state.rotation, state, refused, self);
  tellObserver(state, self);
  const profile = {
    healthMs: healthMs - startedMs,
    riskMs: riskMs - healthMs,
    strategyMs: strategyMs - riskMs,
    intentMs: self.monotonicMs() - strategyMs,
  };
  state.profile = profile;
  recordScan(self, profile, self.monotonicMs() - startedMs);
}

function recordScan({ metrics }: StrategySelf, profile: ScanProfile, totalMs: number): void {
  metrics.distribution('opportunity_scan_duration').record(totalMs);
  metrics.distribution('eval_total').record(totalMs);
  metrics.distribution('eval_health').record(profile.healthMs);
  metrics.distribution('eval_risk').record(profile.riskMs);
  metrics.distribution('eval_strategy').record(profile.strategyMs);
  metrics.distribution('eval_intent').record(profile.intentMs);
}

/**
 * Judges candidates; returns the plan of the best that may be entered, and all refused ones. When there is no such plan, every
 * candidate that carries enough has been judged.
 */
function judge(
  state: StrategyState,
  self: StrategySelf,
  exposures: readonly Exposure[],
): { readonly best: PlannedEntry | undefined; readonly refused: readonly RefusedCandidate[] } {
  const at = { nowMs: self.nowMs(), monotonicMs: self.monotonicMs() };
  const known = { ...state, exposures };
  const { policy, calendarScale } = state.args;
  const refused: RefusedCandidate[] = [];
  const { inTurn, rich } = chooseCandidates(state.table, at.nowMs, policy);
  let best: RankedPlan | undefined;
  const take = (candidate: TableCandidate): void => {
    const ranked = judgeOne(state, candidate, entryFacts(known, candidate, at), refused);
    if (ranked !== undefined && (best === undefined || ranksBefore(ranked, best))) best = ranked;
  };
  for (const candidate of inTurn) take(candidate);
  const bounded = rich.map((candidate) => ({
    candidate,
    bound: boundOf(candidate, state.market, policy, { nowMs: at.nowMs, calendarScale }),
  }));
  bounded.sort((one, other) => other.bound - one.bound || one.candidate.index - other.candidate.index);
  for (const { candidate, bound } of bounded) {
    if (best !== undefined && bound < best.score) break;
    take(candidate);
  }
  return { best: best?.plan, refused };
}

/** A plan and what it is compared with others by. */
interface RankedPlan {
  readonly plan: PlannedEntry;
  readonly score: number;
  readonly costQuote: number;
  /** Of its candidate in the table. */
  readonly index: number;
}

function judgeOne(
  state: StrategyState,
  candidate: TableCandidate,
  facts: EntryFacts,
  refused: RefusedCandidate[],
): RankedPlan | undefined {
  const decision = decideEntry(facts, state.args.policy);
  const { metrics, plan, verdict, detail } = decision;
  state.table.netAprPct[candidate.index] = metrics?.netAprPct ?? 0;
  candidate.seen = {
    base: candidate.base,
    longVenue: candidate.long.name.venue,
    shortVenue: candidate.short.name.venue,
    verdict,
    detail,
    netAprPct: metrics?.netAprPct ?? 0,
    expectedValueQuote: metrics?.expectedValueQuote ?? 0,
  };
  if (plan !== undefined) {
    const { score, roundTripCostQuote: costQuote } = decision.metrics;
    return { plan, score, costQuote, index: candidate.index };
  }
  state.refusals.set(verdict, (state.refusals.get(verdict) ?? 0) + 1);
  refused.push({ verdict, facts });
  return undefined;
}

/** Higher score, then lower cost, then the base's name, then the table: the order is total, so that replays agree. */
function ranksBefore(one: RankedPlan, other: RankedPlan): boolean {
  if (one.score !== other.score) return one.score > other.score;
  if (one.costQuote !== other.costQuote) return one.costQuote < other.costQuote;
  if (one.plan.base !== other.plan.base) return one.plan.base < other.plan.base;
  return one.index < other.index;
}

function enter(state: StrategyState, self: StrategySelf, plan: PlannedEntry): void {
  // A clock sets off the scan; what it decides on is news: the entry belongs to the trace of the newer book.
  const outcome = self.tracing.within(traceOf(state, plan), () => {
    self.tracing.begin();
    return self.tell(positionRef(plan.base), { type: 'enter-pair', plan });
  });
  if (outcome === 'refused' || outcome === 'dead') {
    self.count(`enter-pair-${outcome}`);
    return;
  }
  self.count('entries-asked');
  notePlan(state.pairs, state.market, plan, self.monotonicMs());
}

function traceOf(state: StrategyState, { long, short }: PlannedEntry): TraceRef {
  const [older, newer] = [long, short]
    .map((leg) => feedOf(state.market, leg.venue, leg.symbol))
    .toSorted((one, other) => (one.book?.receivedAtMonotonicMs ?? 0) - (other.book?.receivedAtMonotonicMs ?? 0));
  return newer?.bookTrace || (older?.bookTrace ?? 0);
}

function tellObserver(state: StrategyState, self: StrategySelf): void {
  const now = self.monotonicMs();
  if (now - state.toldAtMonotonicMs < TELL_INTERVAL_MS) return;
  state.toldAtMonotonicMs = now;
  self.tell(refOf<OpportunitiesScanned>(state.args.observerPath), {
    type: 'opportunities-scanned',
    atMs: self.nowMs(),
    candidates: candidatesToTell(state.table),
    refusals: Object.fromEntries(state.refusals),
  });
}

function directionsOf(args: StrategyArgs): readonly (readonly [StrategyVenue, StrategyVenue])[] {
  const allowed = args.venuePairs?.map(([one, other]) => new Set([one, other]));
  const directions: (readonly [StrategyVenue, StrategyVenue])[] = [];
  for (const long of args.venues) {
    for (const short of args.venues) {
      const names = [`${long.venue}:${long.account}`, `${short.venue}:${short.account}`] as const;
      if (names[0] === names[1]) continue;
      if (allowed === undefined || allowed.some((pair) => pair.has(names[0]) && pair.has(names[1]))) {
        directions.push([long, short]);
      }
    }
  }
  return directions;
}
