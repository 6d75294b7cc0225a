/** What one position actor knows: its durable book, its pair, its venues and what it waits for. Owned by that actor alone. */
import type { Self, TimerRef } from '../../src/runtime/actor.ts';
import type { BookView } from '../../src/market/book.ts';
import { emptyFundingCheck } from '../../src/market/funding-check.ts';
import type { FundingCheck, FundingVerdict } from '../../src/market/funding-check.ts';
import { emptyFundingHistory } from '../../src/market/funding-history.ts';
import type { FundingHistory } from '../../src/market/funding-history.ts';
import type { FundingRate } from '../../src/market/funding-rate.ts';
import type { MarkWatch } from '../../src/market/mark-watch.ts';
import type { SettlementMarks } from '../../src/market/settlement-mark.ts';
import type { QuoteRate } from '../../src/market/quote-rates.ts';
import type { Instrument } from '../../src/market/instrument.ts';
import { emptyBook } from '../../src/execution/execution-book.ts';
import type { ExecutionBook } from '../../src/execution/execution-book.ts';
import type { LegKey, LegSide } from '../../src/execution/facts.ts';
import type { FundingExpectation, ReceivedPayment } from '../../src/execution/funding-expectation.ts';
import type { LegReduction } from '../../src/execution/leg-reduction.ts';
import type { OrderWatch } from '../../src/execution/order-watch.ts';
import type { Pair } from '../../src/execution/pair.ts';
import type { ExecutionPolicy } from '../../src/execution/policy.ts';
import { unseenPosition } from '../../src/execution/position-truth.ts';
import type { PositionWatch } from '../../src/execution/position-truth.ts';
import type { OrderGateLimits } from '../../src/risk/approval.ts';
import { noDanger, noDangerNews } from '../../src/strategy/danger.ts';
import type { Danger, DangerNews } from '../../src/strategy/danger.ts';
import { initialExitState } from '../../src/strategy/exit-decision.ts';
import type { ExitState } from '../../src/strategy/exit-decision.ts';
import { beginHistory } from '../../src/execution/history-fold.ts';
import type { HistoryFold } from '../../src/execution/history-fold.ts';
import type { CapPolicy, ClockPolicy, EntryPolicies, ExitPolicies, StalePolicy } from '../../src/strategy/policy.ts';
import type { ConnectorEvent } from '../connector-messages.ts';
import type { EngineStateChanged } from '../guard-messages.ts';
import type { JournalMessage } from '../journal-messages.ts';
import type { ExitReason, PairChanged, PositionMessage } from '../position-messages.ts';

export type PositionSelf = Self<PositionMessage>;

/** Plain-data arguments of one position actor. */
export interface PositionArgs {
  readonly base: string;
  /** Index of the base in the configuration, 0 to 255: part of every client order id. */
  readonly symbolIndex: number;
  /** Number of this process life, made durable before any actor starts. */
  readonly boot: number;
  /** Calendar ms per monotonic ms. */
  readonly calendarScale: number;
  /** Pause between looks at the clock, monotonic ms. */
  readonly positionTickMs: number;
  readonly venues: readonly {
    readonly venue: string;
    readonly account: string;
    readonly connectorPath: string;
    /** Validity of one order request, monotonic ms. */
    readonly requestValidityMs: number;
  }[];
  readonly journalPath: string;
  readonly strategyPath: string;
  readonly guardPath: string;
  readonly observerPath: string;
  readonly execution: ExecutionPolicy;
  readonly exits: ExitPolicies;
  readonly cap: CapPolicy;
  readonly stale: StalePolicy;
  readonly clock: ClockPolicy;
  /** What a plan is judged by once more before its first order leaves. */
  readonly entry: EntryPolicies;
  /** Limits of the connectors' last gate, asked before the first leg of a pair leaves. */
  readonly gate: Omit<OrderGateLimits, 'symbols'>;
  /** An order that adds exposure is not sent when the commit of its intent took longer, monotonic ms. */
  readonly slowCommitMs: number;
  /** Leverage asked of the venues and the most any leg may use; for liquidation distances. */
  readonly leverage: { readonly wanted: number; readonly max: number };
}

/** One venue account this symbol may have a leg on. */
export interface VenueTrack {
  readonly venue: string;
  readonly account: string;
  readonly connectorPath: string;
  readonly requestValidityMs: number;
  instrument: Instrument | undefined;
  status: Extract<ConnectorEvent, { type: 'venue-status' }> | undefined;
  book: BookView | undefined;
  mark: Extract<ConnectorEvent, { type: 'mark-changed' }> | undefined;
  markWatch: MarkWatch | undefined;
  /** What was settled is paid by these. */
  settlementMarks: SettlementMarks;
  /** As the venue reported it last; undefined before its first word. */
  leverage: number | undefined;
  predicted: FundingRate | undefined;
  /** When the prediction came, monotonic ms. */
  predictedAtMs: number;
  /** Whether what was predicted is what was settled. */
  fundingCheck: FundingCheck;
  /** What it last paid here is not what it says it settled; undefined while that agrees or is not known. */
  paymentSuspicion: Extract<FundingVerdict, { state: 'PAYMENT_SUSPECT' }> | undefined;
  balance: Extract<ConnectorEvent, { type: 'account-changed' }> | undefined;
  settled: FundingHistory;
  /** Monotonic ms of the last sign of life. */
  heardAtMs: number;
  watch: PositionWatch;
  /** By the venue's latest word on the position, quote per contract; undefined where it states none. */
  liquidationPrice: number | undefined;
  /** Place in the venue's queue for deleveraging, 0 to 1 (next); undefined where it states none. */
  adlRank: number | undefined;
  /** Compared with the venue at least once in this life. */
  reconciled: boolean;
  reconcile:
    | {
        readonly id: number;
        readonly endedOrders: readonly string[];
        /** Stops that waited there, as far as we knew, when it was asked for. */
        readonly waitingStops: readonly string[];
        readonly overdue: TimerRef;
      }
    | undefined;
  /** Those of them that the venue did not list: their end may have been told to nobody. Not asked about yet. */
  missedStops: readonly string[];
  lastReconcileAtMs: number;
  /** A reduce-only order was refused: the position must be queried before another one. */
  queryFirst: boolean;
  /** Calendar ms of the newest fact from this venue: comparisons start a little before it. */
  lastFactAtMs: number;
  /** Monotonic ms since when report and fills differ; undefined while they agree. */
  differsSinceMs: number | undefined;
  /** The venue's newest word contradicts our fills since then, monotonic ms; undefined while they agree. */
  mismatch: { readonly sinceMs: number; isTold: boolean } | undefined;
  /** Holds a position no pair of ours explains. */
  external: boolean;
}

/** An append on its way to the journal. */
export interface PendingAppend {
  readonly message: Extract<JournalMessage, { type: 'append-rows' }>;
  sentAtMs: number;
  /** Orders that leave once the rows are durable. */
  readonly clientOrderIds: readonly string[];
  /** Of facts the book has applied already; of an adoption it applies once it is durable; of a barrier it has none to apply. */
  readonly kind: 'facts' | 'barrier' | 'adoption';
  /** How long its commit took, when that was told. */
  commitMs?: number;
}

/** The newest adoption a person asked for; `asked` counts them in this life of the actor. */
export interface Adoption {
  readonly asked: number;
  readonly outcome: 'writing' | 'adopted' | 'refused';
  /** The pair, or the rule that refused it. */
  readonly detail: string;
}

export interface PositionState {
  readonly args: PositionArgs;
  /** starting: waiting until everything an earlier life wrote is durable. reading: folding it. comparing: asking venues. */
  stage: 'starting' | 'reading' | 'comparing' | 'running';
  book: ExecutionBook;
  pair: Pair | undefined;
  readonly venues: Map<string, VenueTrack>;
  /** Facts that arrived while reading, in order. */
  buffered: Extract<ConnectorEvent, { type: 'order-changed' | 'fill-received' | 'funding-paid' }>[];
  /** How far the journal has been read, and when the next page was asked for (monotonic ms). */
  rowsRead: { readonly sequence: number; readonly askedAtMs: number };
  /** What the rows read so far add up to; empty again once the journal is read. */
  history: HistoryFold;
  readonly appends: Map<number, PendingAppend>;
  /** Those of the handler at work, told to the journal when it ends. */
  readonly untold: PendingAppend['message'][];
  lastAppendId: number;
  lastReconcileId: number;
  orderCounter: number;
  /** Monotonic ms at which a stop of each leg was last placed. */
  readonly stopPlacedAtMs: Record<LegSide, number>;
  readonly orderWatches: Map<string, OrderWatch>;
  engine: EngineStateChanged | undefined;
  engineAskedAtMs: number;
  /** Monotonic ms of the last regular look at what is unsettled. */
  lastCheckAtMs: number;
  exit: ExitState;
  /** How near the open pair is to what would end it, as of the last evaluation. */
  danger: Danger;
  /** What of it was told in the log. */
  dangerNews: DangerNews;
  /** Somebody asked to leave this pair before it was open: it leaves as soon as it is. */
  exitWanted: { readonly pairId: string; readonly reason: ExitReason } | undefined;
  lastExitEvaluationAtMs: number;
  /** What quote currencies are worth in each other; empty until the strategy told it. */
  quoteRates: readonly QuoteRate[];
  /** A better pair waits for this one's capital: why, and when it was told (monotonic ms). */
  rotation: { readonly pairId: string; readonly detail: string; readonly atMs: number } | undefined;
  /** Monotonic ms at which each leg was last told to be near its liquidation. */
  readonly liquidationToldAtMs: Record<LegSide, number>;
  expectations: readonly FundingExpectation[];
  /** The newest payments, bounded: their settlements may be told later. */
  payments: readonly ReceivedPayment[];
  /** Taken from legs without an order of ours and not cleared by a person yet: no entry until then. */
  legReductions: readonly LegReduction[];
  /** When a person last cleared what keeps the symbol out, calendar ms. */
  clearedAtMs: number;
  adoption: Adoption | undefined;
  /** When pairs were closed for better ones, calendar ms: bounded by what a day's budget may need. */
  rotatedAtMs: readonly number[];
  draining: boolean;
  /** Why the last entry was refused; empty when it was not. */
  refusal: string;
  lastTold: PairChanged | undefined;
  lastToldAtMs: number;
}

/** Returns whether the venue can be asked and can be left; it may be too unwell to be entered. */
export function isReachable(status: VenueTrack['status']): boolean {
  return status?.status === 'ready' || status?.status === 'degraded';
}

/** Returns the state of a new incarnation; nothing is sent yet. */
export function newPositionState(args: PositionArgs): PositionState {
  const venues = new Map<string, VenueTrack>();
  for (const venue of args.venues) {
    venues.set(venueKey(venue), {
      ...venue,
      instrument: undefined,
      status: undefined,
      book: undefined,
      mark: undefined,
      settlementMarks: [],
      markWatch: undefined,
      leverage: undefined,
      predicted: undefined,
      predictedAtMs: Number.NEGATIVE_INFINITY,
      fundingCheck: emptyFundingCheck,
      paymentSuspicion: undefined,
      balance: undefined,
      settled: emptyFundingHistory,
      heardAtMs: Number.NEGATIVE_INFINITY,
      watch: unseenPosition,
      liquidationPrice: undefined,
      adlRank: undefined,
      reconciled: false,
      reconcile: undefined,
      missedStops: [],
      lastReconcileAtMs: Number.NEGATIVE_INFINITY,
      queryFirst: false,
      lastFactAtMs: 0,
      differsSinceMs: undefined,
      mismatch: undefined,
      external: false,
    });
  }
  return {
    args,
    stage: 'starting',
    book: emptyBook(),
    pair: undefined,
    venues,
    buffered: [],
    rowsRead: { sequence: 0, askedAtMs: 0 },
    history: beginHistory(),
    appends: new Map(),
    untold: [],
    lastAppendId: 0,
    lastReconcileId: 0,
    orderCounter: 0,
    stopPlacedAtMs: { long: Number.NEGATIVE_INFINITY, short: Number.NEGATIVE_INFINITY },
    orderWatches: new Map(),
    engine: undefined,
    engineAskedAtMs: Number.NEGATIVE_INFINITY,
    lastCheckAtMs: Number.NEGATIVE_INFINITY,
    exit: initialExitState,
    danger: noDanger,
    dangerNews: noDangerNews,
    exitWanted: undefined,
    lastExitEvaluationAtMs: Number.NEGATIVE_INFINITY,
    quoteRates: [],
    rotation: undefined,
    liquidationToldAtMs: { long: Number.NEGATIVE_INFINITY, short: Number.NEGATIVE_INFINITY },
    expectations: [],
    payments: [],
    legReductions: [],
    clearedAtMs: 0,
    adoption: undefined,
    rotatedAtMs: [],
    draining: false,
    refusal: '',
    lastTold: undefined,
    lastToldAtMs: Number.NEGATIVE_INFINITY,
  };
}

export function venueKey(key: { readonly venue: string; readonly account: string }): string {
  return `${key.venue}:${key.account}`;
}

/** Returns the track of a leg's venue account, or undefined when this actor does not know it. */
export function trackOf(
  state: PositionState,
  key: { readonly venue: string; readonly account: string },
): VenueTrack | undefined {
  return state.venues.get(venueKey(key));
}

/** Returns the tracks that show this symbol's market facts; several accounts of one venue share them. */
export function tracksOfMarket(state: PositionState, venue: string, symbol: string): readonly VenueTrack[] {
  return [...state.venues.values()].filter(
    (track) => track.venue === venue && (track.instrument === undefined || track.instrument.symbol === symbol),
  );
}

/** Returns the key of this venue's position once its instrument is listed. */
export function legKeyOf(track: VenueTrack): LegKey | undefined {
  return track.instrument === undefined
    ? undefined
    : { venue: track.venue, account: track.account, symbol: track.instrument.symbol };
}

/** Returns both legs' tracks of a pair. Throws when the configuration no longer has one of its venues. */
export function pairTracks(state: PositionState, pair: Pair): Readonly<Record<LegSide, VenueTrack>> {
  const track = (leg: LegSide): VenueTrack => {
    const found = trackOf(state, pair.record[leg]);
    if (found === undefined) {
      throw new Error(
        `pair ${pair.record.pairId} must have its venues configured, ${venueKey(pair.record[leg])} is not`,
      );
    }
    return found;
  };
  return { long: track('long'), short: track('short') };
}
