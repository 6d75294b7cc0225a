/**
 * The strategy: keeps the latest market picture, evaluates every base on every ordered pair of accounts at each scan, and asks
 * the base's position actor to enter the best. Trading thread. Holds nothing that a resend does not bring back.
 */
import { refOf, unreachable } from '../src/runtime/actor.ts';
import type { ActorKind, ActorRef, Self, TraceRef } from '../src/runtime/actor.ts';
import { decideEntry } from '../src/strategy/entry-decision.ts';
import type { PlannedEntry } from '../src/strategy/entry-decision.ts';
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
import { newQuoteWatch, watchQuotes } from './strategy/quote-watch.ts';
import type { QuoteWatch } from './strategy/quote-watch.ts';
import { isRotationDue, newRotationState, watchRotations } from './strategy/rotation.ts';
import type { RefusedCandidate, RotationState } from './strategy/rotation.ts';
import { createPairBook, notePlan, takePairChanged, expirePlans } from './strategy/pair-book.ts';
import type { PairBook } from './strategy/pair-book.ts';
import { entryFacts, sampleCarry } from './strategy/candidate.ts';
import type { CarrySample, EngineView } from './strategy/candidate.ts';

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

interface StrategyState {
  readonly args: StrategyArgs;
  /** Ordered pairs: the first is long. */
  readonly directions: readonly (readonly [StrategyVenue, StrategyVenue])[];
  readonly market: MarketPicture;
  readonly pairs: PairBook;
  engine: EngineView;
  /** Per candidate: how long its carry has been positive. */
  readonly carry: Map<string, CarrySample>;
  readonly refusals: Map<string, number>;
  toldAtMonotonicMs: number;
  quotes: QuoteWatch;
  rotation: RotationState;
}

type StrategySelf = Self<StrategyMessage>;
type Candidates = OpportunitiesScanned['candidates'];

const TELL_INTERVAL_MS = 1_000;
/** Candidates told to the observer beside the best one of every base: enough for any screen. */
const CANDIDATES_TOLD_MAX = 100;
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
      directions: directionsOf(args),
      market: createMarketPicture(args.bases, args.policy.forecast.lookbackHours, args.calendarScale),
      pairs: createPairBook(args.bases),
      engine: { state: 'STOPPED', reason: 'the guard has not reported yet', entriesPaused: false },
      carry: new Map(),
      refusals: new Map(),
      toldAtMonotonicMs: Number.NEGATIVE_INFINITY,
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
  }),
};

/** Evaluates everything, asks for the best entry, and says now and then what it saw. */
function scan(state: StrategyState, self: StrategySelf): void {
  state.quotes = watchQuotes(state.quotes, state, self);
  expirePlans(state.pairs, self.monotonicMs(), PLAN_ANSWER_MS);
  const seen: Candidates[number][] = [];
  const refused: RefusedCandidate[] = [];
  const isLookDue = isRotationDue(state.rotation, state.args.rotation, self.monotonicMs());
  let best: { readonly plan: PlannedEntry; readonly score: number; readonly costQuote: number } | undefined;
  for (const base of state.args.bases) {
    for (const [long, short] of state.directions) {
      const key = `${base}|${long.venue}:${long.account}|${short.venue}:${short.account}`;
      const sample = sampleCarry(state.market, state.carry.get(key), base, long, short, self.nowMs());
      state.carry.set(key, sample);
      const facts = entryFacts(state, base, long, short, sample, {
        nowMs: self.nowMs(),
        monotonicMs: self.monotonicMs(),
      });
      const decision = decideEntry(facts, state.args.policy);
      const { metrics, plan, verdict, detail } = decision;
      seen.push({
        base,
        longVenue: long.venue,
        shortVenue: short.venue,
        verdict,
        detail,
        netAprPct: metrics?.netAprPct ?? 0,
        expectedValueQuote: metrics?.expectedValueQuote ?? 0,
      });
      if (plan === undefined) {
        state.refusals.set(verdict, (state.refusals.get(verdict) ?? 0) + 1);
        if (isLookDue) refused.push({ verdict, facts });
        continue;
      }
      const rank = { plan, score: decision.metrics.score, costQuote: decision.metrics.roundTripCostQuote };
      if (best === undefined || ranksBefore(rank, best)) best = rank;
    }
  }
  // One entry per scan: the next evaluation must count this one's exposure first.
  if (best !== undefined) enter(state, self, best.plan);
  else if (isLookDue) state.rotation = watchRotations(state.rotation, state, refused, self);
  tellObserver(state, self, seen);
}

/** Higher score, then lower cost, then the base's name: the order is total, so that replays agree. */
function ranksBefore(
  one: { readonly plan: PlannedEntry; readonly score: number; readonly costQuote: number },
  other: { readonly plan: PlannedEntry; readonly score: number; readonly costQuote: number },
): boolean {
  if (one.score !== other.score) return one.score > other.score;
  if (one.costQuote !== other.costQuote) return one.costQuote < other.costQuote;
  return one.plan.base < other.plan.base;
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

function tellObserver(state: StrategyState, self: StrategySelf, seen: readonly Candidates[number][]): void {
  const now = self.monotonicMs();
  if (now - state.toldAtMonotonicMs < TELL_INTERVAL_MS) return;
  state.toldAtMonotonicMs = now;
  self.tell(refOf<OpportunitiesScanned>(state.args.observerPath), {
    type: 'opportunities-scanned',
    atMs: self.nowMs(),
    candidates: worthTelling(seen),
    refusals: Object.fromEntries(state.refusals),
  });
}

/** Largest carry first. Every base is among them: whoever asks why it is not traded gets an answer. */
function worthTelling(seen: readonly Candidates[number][]): Candidates {
  const told = new Set<string>();
  return seen
    .toSorted((one, other) => other.netAprPct - one.netAprPct)
    .filter(({ base }, index) => {
      const isFirstOfBase = !told.has(base);
      told.add(base);
      return isFirstOfBase || index < CANDIDATES_TOLD_MAX;
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
