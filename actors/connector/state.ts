/** What one connector knows: its sockets, requests, orders and the venue's latest facts. Owned by the connector actor alone. */
import type { ActorRef, Self, TimerRef, TraceRef } from '../../src/runtime/actor.ts';
import type { Distribution } from '../../src/runtime/metrics.ts';
import type { ConnectorPorts, HttpHealth, HttpPort, RequestRef, SocketRef, TaskRef } from '../../src/ports/ports.ts';
import type { Instrument } from '../../src/market/instrument.ts';
import type { MarginTier } from '../../src/market/margin-tiers.ts';
import type { PicoRate } from '../../src/money/units.ts';
import { unknownClockOffset } from '../../src/venues/clock-offset.ts';
import type { ClockOffset } from '../../src/venues/clock-offset.ts';
import { RateLimiter, shareOf } from '../../src/venues/rate-limiter.ts';
import type { RequestPriority } from '../../src/venues/rate-limiter.ts';
import type {
  FillReport,
  LimitBucket,
  Operation,
  OperationResult,
  OrderReport,
  OrderRequest,
  OutboundFrame,
  SocketPlan,
  SubmissionPlan,
  VenueAdapter,
  VenueSettings,
  VenueStream,
} from '../../src/venues/venue.ts';
import type { OrderGate, OrderGateLimits } from '../../src/risk/approval.ts';
import { createOrderGate } from '../../src/risk/approval.ts';
import type { OrdersAllowed } from '../../src/risk/orders-allowed.ts';
import type { ConnectorEvent, ConnectorMessage, MarketEvent, OrderEvent, OrderPurpose } from '../connector-messages.ts';
import { DEFAULT_FLAGS } from '../../src/venues/flags.ts';
import type { FlagName, Flags } from '../../src/venues/flags.ts';
import { newCircuits } from './circuits.ts';
import type { ConcurrencyPolicy } from './concurrency.ts';
import type { Circuits } from './circuits.ts';
import type { JournalMessage } from '../journal-messages.ts';
import type { FallBack } from './fall-back.ts';
import { newFlagTrack } from './flags.ts';
import type { FlagTrack } from './flags.ts';
import { newUsage } from './usage-ramp.ts';
import type { UsageRampPolicy, UsageTrack } from './usage-ramp.ts';

export type ConnectorSelf = Self<ConnectorMessage, ConnectorPorts>;

/** Plain-data arguments of one connector. All durations are monotonic ms unless the name says otherwise. */
export interface ConnectorArgs {
  readonly venue: string;
  readonly account: string;
  readonly settings: Omit<VenueSettings, 'secrets'>;
  /** Canonical bases to trade; symbols are found among the venue's instruments. */
  readonly bases: readonly string[];
  /** Who hears market facts: `bases` undefined means all of them. */
  readonly subscribers: readonly { readonly path: string; readonly bases?: readonly string[] }[];
  readonly observerPath: string;
  readonly journalPath: string;
  /** Who says which orders may leave; absent where nobody does and all may. */
  readonly guardPath?: string;
  /** Entries are refused this long after start: requests of an earlier life may still be in flight. */
  readonly startupQuarantineMs: number;
  /** Accounts at this venue behind our one address: limits that the venue counts by address are divided among them. Default 1. */
  readonly addressSharedBy?: number;
  /** How much of the limits is used by choice at first, and how that grows. Absent: all that may be, at once. */
  readonly usageRamp?: UsageRampPolicy;
  /** Questions under way at once; see concurrency.ts. */
  readonly concurrency?: ConcurrencyPolicy;
  /** Optimisations on or off from the start; absent ones as by default. */
  readonly flags?: Partial<Flags>;
  /** An earlier process used this account, perhaps a moment ago: it counts as an earlier life of the limits. */
  readonly afterEarlierProcess?: boolean;
  /** Validity of a cancel, and how far before its end an order was made. */
  readonly requestValidityMs: number;
  /** A placed order without answer after this is unknown. */
  readonly orderAnswerMs: number;
  /** A not-found answer about an order made less than this ago is no evidence. */
  readonly notFoundGraceMs: number;
  /** A larger clock offset is told as a warning. */
  readonly clockWarnOffsetMs: number;
  /** Pause between full comparisons with the venue. */
  readonly comparisonMs: number;
  /** Pause between polls where the venue streams no predicted funding. */
  readonly marketPollMs: number;
  /** Shortest pause between reads of funding payments. */
  readonly fundingPollMs: number;
  /** Books of one symbol whose best prices stand are told at most this often; the newest always follows. */
  readonly publishMs: number;
  /** What every symbol's leverage is set to before it is traded: see `symbolLeverage`. Absent: left as it is. */
  readonly leverage?: { readonly wanted: number; readonly cap: number; readonly distance: number };
  /** How long the venue holds back orders that take, where that is not as its adapter says. */
  readonly takerDelayMs?: number;
  /** The venue's dead man's switch stays unarmed: somebody else's orders rest on this account. */
  readonly withoutDeadMan?: boolean;
  /** Stops are to wait at venues that keep them. */
  readonly withStops?: boolean;
  /** Limits of the last gate; its allow-list is the instruments of `bases`. */
  readonly gate: Omit<OrderGateLimits, 'symbols'>;
}

/** How urgent a sequence of requests is; raised while it waits when somebody more urgent joins it. */
export interface Urgency {
  priority: RequestPriority;
  /** Answers to reads that left at or after this, monotonic ms, are as good as new ones. Absent: only new ones. */
  readonly sinceMs?: number;
  /** Requests of their own that left for it, where somebody counts. */
  readonly calls?: { sent: number };
}

export interface QueuedOperation {
  readonly operation: Operation;
  readonly urgency: Urgency;
  readonly done: (outcome: OperationOutcome) => void;
}
/** How an operation ended. Its events were already applied when ok. */
export type OperationOutcome =
  | { readonly ok: true; readonly result: OperationResult }
  | { readonly ok: false; readonly sent: boolean; readonly error: Error };

/** When a request left, by both clocks. */
export interface SentAt {
  readonly calendarMs: number;
  readonly monotonicMs: number;
}
export interface InFlightOperation extends QueuedOperation {
  readonly sentAt: SentAt;
  /** What was used of the limits when it left. */
  readonly usedThen: { readonly rest: number; readonly orders: number };
}

/** What subscribers know of one book: when they were told, and its best prices then. */
export interface BookTold {
  readonly atMs: number;
  readonly bidTicks: number | undefined;
  readonly askTicks: number | undefined;
}

export interface SocketTrack {
  readonly plan: SocketPlan;
  ref: SocketRef | undefined;
  status: 'opening' | 'open' | 'waiting';
  lastHeardMs: number;
  openedAtMs: number;
  /** Connections in a row that did not last, for the backoff. */
  failures: number;
  /** Orders and cancels in a row that this connection left unanswered. */
  unanswered: number;
}

/** One order placed in this life. */
export interface OrderTrack {
  readonly order: OrderRequest;
  readonly purpose: OrderPurpose['purpose'];
  readonly replyTo: ActorRef<ConnectorEvent>;
  /**
   * unsent: no byte left. sent: handed over, perhaps acknowledged. unknown: no answer came. live: the venue's own report or a fill
   * proves it. ended: nothing more will be executed. Evidence never goes back.
   */
  phase: 'unsent' | 'sent' | 'unknown' | 'live' | 'ended';
  /** Filled by the venue's own count, and by the fills we know; either may come first. */
  reportedLots: number;
  fillLots: number;
  venueOrderId: string;
  lastEvent: Extract<OrderEvent, { type: 'order-changed' }> | undefined;
  /** Monotonic ms of the last news. */
  changedAtMs: number;
  readonly trace: TraceRef;
}

/** Something signed and sent; on a venue with nonces in their order. */
export interface SubmissionTrack {
  readonly kind: 'place' | 'cancel' | 'leverage' | 'account';
  /** Of an order; else a name of its own. */
  readonly clientOrderId: string;
  readonly symbol: string;
  readonly priority: RequestPriority;
  /** Ordered by the kill switch: before all else, and not held up by what is under way. The limit holds. */
  readonly overtakes?: true;
  readonly validUntilMs: number;
  readonly plan: (nonce: bigint | undefined) => SubmissionPlan;
  /** Called once when it is over, for what concerns the whole account: orders are told about instead. */
  readonly ended?: (outcome: 'accepted' | 'refused' | 'unknown') => void;
  state: 'waiting' | 'signing' | 'signed' | 'sent';
  /** Its place in the venue's limit is booked; kept when it must be signed again. */
  isBooked: boolean;
  /** Order of signing, which on a venue with nonces is the order of leaving. */
  turn: number;
  nonce: bigint | undefined;
  made: SubmissionPlan | undefined;
  task: TaskRef | undefined;
  signature: unknown;
  submissionId: string | undefined;
  socketKey: string | undefined;
  overdue: TimerRef | undefined;
  /** The venue refused it for its nonce, and it was signed for another one. */
  isSignedAgain: boolean;
  /** Times that happened without a refusal of ours before it. */
  taken: number;
  /** When its command came, monotonic ms. */
  readonly queuedAtMs: number;
  /** The trace of its command: what is done for it later belongs there, whoever's answer set it off. */
  readonly trace: TraceRef;
}

/** The venue's dead man's switch. */
export interface DeadManTrack {
  /** Monotonic ms. */
  nextAtMs: number;
  /** Times in a row that arming it was not accepted. */
  failures: number;
  active: boolean;
}

/** The way out (K4). It only goes forward, and ends with this process. */
export interface LeaveTrack {
  readonly sinceMs: number;
  readonly reason: string;
  /** Requests that have not ended. */
  pending: number;
  /** The venue's list of open orders is being read. */
  isLooking: boolean;
  nextLookAtMs: number;
  /** Orders still open by that list; undefined until it was read once. */
  openOrders: number | undefined;
  /** Nothing is sent or heard any more. */
  isGone: boolean;
}

export interface NonceTrack {
  status: 'unknown' | 'fetching' | 'known';
  next: bigint;
  wasKnown: boolean;
  unknownSinceMs: number;
  retryAtMs: number;
  failures: number;
  /** One above the highest nonce the venue has answered as accepted. */
  acceptedBelow: bigint;
  /** Nonces of requests that may still arrive, with the calendar end of their validity. */
  unsettled: readonly { readonly nonce: bigint; readonly validUntilMs: number }[];
}

export interface ResolveTrack {
  readonly symbol: string;
  readonly clientOrderId: string;
  readonly validUntilMs: number;
  /** Not-found answers that count: asked after the validity's end. */
  notFound: number;
  firstNotFoundAtMs: number;
  /** The question under way was asked after the validity's end by the venue's clock. */
  askedPastValidity: boolean;
  active: boolean;
  /** Questions asked, and failed ones in a row. */
  asked: number;
  failures: number;
  retryAtMs: number;
  readonly whenResolved: (() => void)[];
}

/** Somebody who waits for a comparison. */
export interface SweepRequest {
  readonly symbol: string;
  readonly sinceMs: number;
  readonly done: (ok: boolean) => void;
}
export interface SweepTrack {
  running: boolean;
  urgency: Urgency;
  /** Another one must follow the running one at once. */
  isWantedAgain: boolean;
  waiting: SweepRequest[];
  /** How many wait for the running one. */
  serving: number;
  /** Monotonic ms of the latest wish: what left before it does not answer it. */
  wantedAtMs: number;
  endedAtMs: number;
  failures: number;
  retryAtMs: number;
  /** No other one starts before this: its questions must last for the whole window of the limit. */
  pacedUntilMs: number;
  /** Fills before this calendar time were read by a complete comparison. */
  fillsReadUntilMs: number;
}

/** The position as the last gate counts it. */
export interface PositionTrack {
  /** Undefined before the venue's first word. */
  reportedLots: number | undefined;
  reportedAtMs: number;
  /** Signed sum and number of fills since that word. */
  filledSinceLots: number;
  fillsSince: number;
  lastFillAtMs: number;
}

/** Reading of funding payments. */
export interface FundingTrack {
  /** Everything settled before this calendar time was read by a complete poll. */
  cursorMs: number;
  newestPaidAtMs: number;
  isDue: boolean;
  active: boolean;
  nextPollAtMs: number;
  /** Polls since the last settlement, for the pace of asking again. */
  polls: number;
  readonly lastPaidAtMs: Map<string, number>;
  /** Settlements of held positions whose payment has not been seen, by symbol and time. */
  readonly expected: Map<string, { readonly symbol: string; readonly settledAtMs: number; readonly sinceMs: number }>;
  /** Settlement instants passed so far, by symbol: calendar ms divided by the interval. */
  readonly instantBySymbol: Map<string, number>;
}

/** Leverage by symbol: what was told, what has to be read, and how often setting it failed in a row. */
export interface LeverageTrack {
  readonly told: Map<string, Extract<MarketEvent, { type: 'leverage-reported' }>>;
  readonly doubtful: Set<string>;
  readonly failures: Map<string, number>;
  /** To be set once the venue allows more changes, and when the latest were asked for, monotonic ms. */
  readonly postponed: Set<string>;
  changedAtMs: readonly number[];
  readonly reading: Recurring;
  allReadAtMs: number;
  /** When the last questions were asked. */
  askedAtMs: number;
  /** What a socket will bring, and since when it is waited for, monotonic ms. */
  readonly listening: Map<string, number>;
}

/** Something read again and again: when next, and how often it failed in a row. */
export interface Recurring {
  nextAtMs: number;
  failures: number;
  active: boolean;
}

type Mark = Extract<MarketEvent, { type: 'mark-changed' }>;
export interface MarkTrack {
  readonly message: Mark;
  readonly markAtMs: number;
  readonly indexAtMs: number;
}

export interface ConnectorState {
  readonly args: ConnectorArgs;
  readonly adapter: VenueAdapter;
  readonly stream: VenueStream;
  readonly startedAt: SentAt;
  readonly restLimiter: RateLimiter;
  readonly orderLimiter: RateLimiter | undefined;
  readonly frameLimiter: RateLimiter | undefined;
  /** Of limits that count every request of an address, and its new connections. */
  readonly addressLimiter: RateLimiter | undefined;
  readonly connectLimiter: RateLimiter | undefined;
  readonly usage: UsageTrack;
  gate: OrderGate;
  readonly circuits: Circuits;
  /** Pairs whose opening orders came, and until when what they may need is kept for them, monotonic ms. */
  readonly openingPairs: Map<string, number>;
  /** Weight of asking about one order; 0 until an instrument is known. */
  questionWeight: number;
  /** The guard's word; undefined until it was heard in this life. */
  ordersAllowed: OrdersAllowed | undefined;

  readonly instruments: Map<string, Instrument>;
  readonly baseBySymbol: Map<string, string>;
  readonly fees: Map<string, { readonly makerFee: PicoRate; readonly takerFee: PicoRate }>;
  /** Margin by size, where it is read apart from the instruments; and whose was not read yet. */
  readonly marginTiers: Map<string, readonly MarginTier[]>;
  readonly tiersMissing: Set<string>;
  readonly tiers: Recurring;
  symbols: readonly string[];

  /** Optimisations that are on. */
  flags: Flags;
  readonly flagTrack: FlagTrack;
  readonly fallBacks: Map<FlagName, FallBack>;
  /** What the doors count, as of the last tick. */
  doors: DoorStatistics | undefined;
  /** Questions that may be under way at once, as last told. */
  questionsAtOnce: number;
  readsToldAtMs: number;

  queue: QueuedOperation[];
  readonly inFlight: Map<RequestRef, InFlightOperation>;
  due: { readonly timer: TimerRef; readonly atMs: number } | undefined;
  /** Refusals for a limit in a row that named no end, and when the last silence began. */
  limitRefusals: number;
  limitRefusedAtMs: number;

  readonly sockets: Map<string, SocketTrack>;
  readonly socketKeyByRef: Map<SocketRef, string>;
  /** Control frames that wait for the venue's limit, in their order. */
  frames: OutboundFrame[];
  /** Control frames sent whose answer is awaited: by socket and what they await, when each left, monotonic ms. */
  readonly awaited: Map<string, number[]>;
  /** Of those, which took the place of older wishes that never left. */
  readonly coalesced: Set<string>;
  privateReady: boolean;
  /** Counts the private streams of this life: a comparison belongs to one. */
  privateGeneration: number;

  readonly orders: Map<string, OrderTrack>;
  /** The venue's open orders by client order id, our own of earlier lives and foreign ones included. */
  openOrders: Map<string, OrderReport>;
  /** Orders whose cancel came before them: cancels overtake. */
  readonly cancelledEarly: Set<string>;
  submissions: SubmissionTrack[];
  lastTurn: number;
  /** Socket submissions given up as unknown whose answer may still come, by submission id. */
  readonly unanswered: Map<string, SubmissionTrack>;
  readonly nonce: NonceTrack;
  readonly resolving: Map<string, ResolveTrack>;

  readonly sweep: SweepTrack;
  /** Compared completely since the private stream was last ready. */
  reconciled: boolean;
  readonly funding: FundingTrack;
  /** Of fills that no stream tells: when they may be asked for next, monotonic ms, and how often they were. */
  readonly fillReading: { active: boolean; nextAtMs: number; tries: number };
  readonly leverage: LeverageTrack;
  readonly deadMan: DeadManTrack;
  leave: LeaveTrack | undefined;
  readonly marketPoll: Recurring;
  readonly serverTime: Recurring;
  readonly instrumentList: Recurring;
  readonly feeTier: Recurring;
  /** UTC day of the fee tier's last reading. */
  feeDay: number;
  readonly history: Recurring;
  /** Symbols whose settled rates were not read yet. */
  readonly historyMissing: Set<string>;
  clock: ClockOffset;
  lastTickAt: SentAt;
  /** Monotonic ms of the last warning about the venue's clock; undefined while its offset is small. */
  clockWarnedAtMs: number | undefined;
  /** The guard knows that the venue's clock is too far off. */
  clockSkewTold: boolean;

  readonly positions: Map<string, PositionTrack>;
  positionSequence: number;
  readonly marks: Map<string, MarkTrack>;
  /** Marks that jumped, by symbol, and how many agree with them. */
  readonly heldMarks: Map<string, { readonly markNano: bigint; readonly agreeing: number }>;
  /** What cannot be, and the rule it breaks; nothing is entered while there is any. */
  readonly doubts: Map<string, string>;
  /** By symbol, the latest fill whose fee does not add up by the tier we know. */
  readonly feeSuspects: Map<string, FillReport>;
  /** Monotonic ms of unreadable frames within the last minute. */
  unreadableAtMs: readonly number[];
  readonly fundingRates: Map<string, Extract<MarketEvent, { type: 'funding-rate-changed' }>>;
  lastAccount: Extract<MarketEvent, { type: 'account-changed' }> | undefined;
  accountToldAtMs: number;
  lastStatus: Extract<MarketEvent, { type: 'venue-status' }> | undefined;
  statusToldAtMs: number;
  /** The wallet when this UTC day was first seen, for the gate's daily loss. */
  dayOpening: { readonly day: number; readonly walletMicro: bigint } | undefined;
  readonly dirtyBooks: Map<string, string | undefined>;
  readonly booksTold: Map<string, BookTold>;
  bookTimer: TimerRef | undefined;

  isRunning: boolean;
  readonly startUp: Recurring;
  /** The venue refused our orders for good, or its key must not be used: a person must look. */
  fatal: string | undefined;
  /** Somebody without a valid certificate answers at the venue's address: nothing is asked, sent or opened any more. */
  isUntrusted: boolean;
  /** The venue refuses to tell us about the account; cleared by the next complete comparison. */
  accessRefused: string | undefined;

  readonly appends: Map<number, PendingAppend>;
  lastAppendId: number;
  /** Messages that must not overtake the facts found before them. */
  barriers: { readonly afterAppendId: number; readonly to: ActorRef<ConnectorEvent>; readonly event: ConnectorEvent }[];
  /** Facts already journaled in this life by id, newest last, as they were last told: repeated polls write nothing again. */
  readonly published: Map<string, string>;
  eventSequence: number;
  readonly meters: ConnectorMeters;
}

/** What the connector records of its own work, see meters.ts; each made when first used. */
export interface ConnectorMeters {
  /** Frames since books were last told. */
  framesUntold: number;
  refresh: Distribution | undefined;
  batch: Distribution | undefined;
}

export interface PendingAppend {
  readonly message: Extract<JournalMessage, { type: 'append-rows' }>;
  sentAtMs: number;
}

/** Local observations of different lives must not share numbers; far below any venue's sequence, whose word is newer. */
const SEQUENCES_PER_LIFE = 1_000_000;
/**
 * Part of every limit counted as used by the life before, whose requests of the last window are not known here: writing down each
 * request would cost a commit per request and still miss the last ones. It is forgotten after one window. Queries stop at 60 %, so two lives in one window stay below the whole, and the new one keeps enough to compare and to prove orders dead. One that
 * died more often leaves more.
 */
const EARLIER_LIFE_SHARE = 0.3;
const EARLIER_LIVES_SHARE = 0.4;

/** Builds the state of a new incarnation; nothing is sent yet. */
export function newConnectorState(args: ConnectorArgs, adapter: VenueAdapter, self: ConnectorSelf): ConnectorState {
  const { limits } = adapter;
  const at = instant(self);
  const configured: Flags = { ...DEFAULT_FLAGS, ...args.flags };
  return {
    args,
    adapter,
    stream: adapter.openStream(args.addressSharedBy),
    startedAt: at,
    restLimiter: limiterOf(limits.rest, args, self),
    orderLimiter: limits.orders === undefined ? undefined : limiterOf(limits.orders, args, self),
    frameLimiter: limits.socketMessages === undefined ? undefined : limiterOf(limits.socketMessages, args, self),
    addressLimiter: limits.address === undefined ? undefined : limiterOf(limits.address, args, self),
    connectLimiter: limits.connects === undefined ? undefined : limiterOf(limits.connects, args, self),
    usage: newUsage(args.usageRamp, self),
    gate: createOrderGate({ ...args.gate, symbols: [] }),
    circuits: newCircuits(),
    openingPairs: new Map(),
    questionWeight: 0,
    ordersAllowed: args.guardPath === undefined ? 'all' : undefined,
    instruments: new Map(),
    baseBySymbol: new Map(),
    fees: new Map(),
    marginTiers: new Map(),
    tiersMissing: new Set(),
    tiers: recurring(),
    symbols: [],
    flags: configured,
    flagTrack: newFlagTrack(configured),
    fallBacks: new Map(),
    doors: undefined,
    questionsAtOnce: 0,
    readsToldAtMs: at.monotonicMs,
    queue: [],
    inFlight: new Map(),
    due: undefined,
    limitRefusals: 0,
    limitRefusedAtMs: Number.NEGATIVE_INFINITY,
    sockets: new Map(),
    socketKeyByRef: new Map(),
    frames: [],
    awaited: new Map(),
    coalesced: new Set(),
    privateReady: false,
    privateGeneration: 0,
    orders: new Map(),
    openOrders: new Map(),
    cancelledEarly: new Set(),
    submissions: [],
    lastTurn: 0,
    unanswered: new Map(),
    nonce: {
      status: 'unknown',
      next: 0n,
      wasKnown: false,
      unknownSinceMs: at.monotonicMs,
      retryAtMs: 0,
      failures: 0,
      acceptedBelow: 0n,
      unsettled: [],
    },
    resolving: new Map(),
    sweep: {
      running: false,
      urgency: { priority: 4 },
      isWantedAgain: false,
      waiting: [],
      serving: 0,
      wantedAtMs: at.monotonicMs,
      endedAtMs: 0,
      failures: 0,
      retryAtMs: 0,
      pacedUntilMs: 0,
      fillsReadUntilMs: at.calendarMs,
    },
    reconciled: false,
    fillReading: { active: false, nextAtMs: 0, tries: 0 },
    funding: {
      cursorMs: at.calendarMs,
      newestPaidAtMs: 0,
      isDue: true,
      active: false,
      nextPollAtMs: 0,
      polls: 0,
      lastPaidAtMs: new Map(),
      expected: new Map(),
      instantBySymbol: new Map(),
    },
    leverage: {
      told: new Map(),
      doubtful: new Set(),
      failures: new Map(),
      postponed: new Set(),
      changedAtMs: [],
      reading: recurring(),
      allReadAtMs: Number.NEGATIVE_INFINITY,
      askedAtMs: Number.NEGATIVE_INFINITY,
      listening: new Map(),
    },
    deadMan: { nextAtMs: 0, failures: 0, active: false },
    leave: undefined,
    marketPoll: recurring(),
    serverTime: recurring(),
    instrumentList: recurring(),
    feeTier: recurring(),
    feeDay: Number.NaN,
    history: recurring(),
    historyMissing: new Set(),
    clock: unknownClockOffset,
    lastTickAt: at,
    clockWarnedAtMs: undefined,
    clockSkewTold: false,
    positions: new Map(),
    positionSequence: 0,
    marks: new Map(),
    heldMarks: new Map(),
    doubts: new Map(),
    feeSuspects: new Map(),
    unreadableAtMs: [],
    fundingRates: new Map(),
    lastAccount: undefined,
    accountToldAtMs: Number.NEGATIVE_INFINITY,
    lastStatus: undefined,
    statusToldAtMs: Number.NEGATIVE_INFINITY,
    dayOpening: undefined,
    dirtyBooks: new Map(),
    booksTold: new Map(),
    bookTimer: undefined,
    isRunning: false,
    startUp: recurring(),
    fatal: undefined,
    isUntrusted: false,
    accessRefused: undefined,
    appends: new Map(),
    lastAppendId: 0,
    barriers: [],
    published: new Map(),
    eventSequence: self.incarnation * SEQUENCES_PER_LIFE,
    meters: { framesUntold: 0, refresh: undefined, batch: undefined },
  };
}

/** Plain counters of the thread's doors. */
export interface DoorStatistics {
  readonly reads: ReturnType<HttpPort['statistics']>;
  readonly health: HttpHealth;
  readonly cpuFallbacks: number;
}

/** Both clocks now, as the adapter wants them. */
export function instant(self: ConnectorSelf): SentAt {
  return { calendarMs: self.nowMs(), monotonicMs: self.monotonicMs() };
}

/** The limiter that orders and cancels pass. */
export function submissionLimiter(state: ConnectorState): RateLimiter {
  return state.orderLimiter ?? state.restLimiter;
}

/** Drops the oldest entries of a map or set, which keep insertion order, until at most `max` are left. */
export function keepNewest<Key>(
  entries: { readonly size: number; keys(): Iterable<Key>; delete(key: Key): boolean },
  max: number,
): void {
  if (entries.size <= max) return;
  for (const key of entries.keys()) {
    entries.delete(key);
    if (entries.size <= max) return;
  }
}

function recurring(): Recurring {
  return { nextAtMs: 0, failures: 0, active: false };
}

/** Every limit of this account. */
export function limitersOf(state: ConnectorState): readonly RateLimiter[] {
  const { restLimiter, orderLimiter, addressLimiter, frameLimiter, connectLimiter } = state;
  return [restLimiter, orderLimiter, addressLimiter, frameLimiter, connectLimiter].filter(
    (limiter) => limiter !== undefined,
  );
}

function limiterOf(documented: LimitBucket, args: ConnectorArgs, self: ConnectorSelf): RateLimiter {
  const bucket = shareOf(documented, args.addressSharedBy ?? 1);
  const limiter = new RateLimiter(bucket);
  const earlierLives = self.incarnation - 1 + (args.afterEarlierProcess === true ? 1 : 0);
  const share = earlierLives === 1 ? EARLIER_LIFE_SHARE : EARLIER_LIVES_SHARE;
  if (earlierLives > 0) limiter.book(bucket.max * share, self.monotonicMs());
  return limiter;
}
