/** What one connector knows: its sockets, requests, orders and the venue's latest facts. Owned by the connector actor alone. */
import type { Self, TimerRef } from '../../src/runtime/actor.ts';
import type { ConnectorPorts, RequestRef, SocketRef, TaskRef } from '../../src/ports/ports.ts';
import type { Instrument } from '../../src/market/instrument.ts';
import { unknownClockOffset } from '../../src/venues/clock-offset.ts';
import type { ClockOffset } from '../../src/venues/clock-offset.ts';
import { RateLimiter } from '../../src/venues/rate-limiter.ts';
import type { RequestPriority } from '../../src/venues/rate-limiter.ts';
import type { Operation, OperationResult, OrderRequest, SocketPlan, SubmissionPlan, VenueAdapter, VenueSettings, VenueStream } from '../../src/venues/venue.ts';
import type { OrderGate, OrderGateLimits } from '../../src/risk/approval.ts';
import { createOrderGate } from '../../src/risk/approval.ts';
import type { ConnectorMessage, MarketEvent, OrderEvent, OrderPurpose } from '../connector-messages.ts';
import type { JournalMessage } from '../journal-messages.ts';

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
  /** Entries are refused this long after start: requests of an earlier life may still be in flight. */
  readonly startupQuarantineMs: number;
  /** Validity of a cancel, and how far before its end an order was made. */
  readonly requestValidityMs: number;
  /** A placed order without answer after this is unknown. */
  readonly orderAnswerMs: number;
  /** Pause between full comparisons with the venue. */
  readonly comparisonMs: number;
  /** Pause between polls where the venue streams no predicted funding. */
  readonly marketPollMs: number;
  /** Shortest pause between reads of funding payments. */
  readonly fundingPollMs: number;
  /** Books of one symbol are told at most this often; the newest always follows. */
  readonly publishMs: number;
  /** Limits of the last gate; its allow-list is the instruments of `bases`. */
  readonly gate: Omit<OrderGateLimits, 'symbols'>;
}

export interface QueuedOperation {
  readonly operation: Operation;
  readonly priority: RequestPriority;
  readonly done: (outcome: OperationOutcome) => void;
}
/** How an operation ended. `events` were already applied when ok. */
export type OperationOutcome =
  | { readonly ok: true; readonly result: OperationResult }
  | { readonly ok: false; readonly sent: boolean; readonly error: Error };

export interface InFlightOperation extends QueuedOperation {
  readonly sentAtMs: number;
}

export interface SocketTrack {
  readonly plan: SocketPlan;
  ref: SocketRef | undefined;
  status: 'opening' | 'open' | 'waiting';
  lastHeardMs: number;
  /** Ends of connections since the last good frame, for the backoff. */
  failures: number;
}

/** One order of ours as this connector saw it. */
export interface OrderTrack {
  readonly request: OrderRequest;
  readonly purpose: OrderPurpose | undefined;
  lastEvent: Extract<OrderEvent, { type: 'order-changed' }> | undefined;
  lastChangeMs: number;
}

/** Something signed and sent in nonce order. */
export interface SubmissionTrack {
  readonly kind: 'place' | 'cancel' | 'leverage';
  readonly clientOrderId: string;
  readonly symbol: string;
  readonly priority: RequestPriority;
  readonly validUntilMs: number;
  readonly plan: (nonce: bigint | undefined) => SubmissionPlan;
  state: 'waiting' | 'signing' | 'signed' | 'sent';
  made: SubmissionPlan | undefined;
  task: TaskRef | undefined;
  signature: unknown;
  submissionId: string | undefined;
  overdue: TimerRef | undefined;
}

export interface ResolveTrack {
  readonly symbol: string;
  readonly clientOrderId: string;
  readonly validUntilMs: number;
  notFound: number;
  firstNotFoundAtMs: number;
  active: boolean;
  retryAtMs: number;
  readonly whenResolved: (() => void)[];
}

export interface SweepRequest {
  readonly sinceMs: number;
  readonly done: (ok: boolean) => void;
}

export interface ConnectorState {
  readonly args: ConnectorArgs;
  readonly adapter: VenueAdapter;
  readonly stream: VenueStream;
  readonly startedAtMs: number;
  readonly restLimiter: RateLimiter;
  readonly orderLimiter: RateLimiter | undefined;
  readonly frameLimiter: RateLimiter | undefined;
  gate: OrderGate;

  readonly instruments: Map<string, Instrument>;
  readonly baseBySymbol: Map<string, string>;
  symbols: readonly string[];

  queue: QueuedOperation[];
  readonly inFlight: Map<RequestRef, InFlightOperation>;
  dueTimer: TimerRef | undefined;
  frames: { readonly socketKey: string; readonly text: string }[];

  readonly sockets: Map<string, SocketTrack>;
  readonly socketKeyByRef: Map<SocketRef, string>;
  privateReady: boolean;

  readonly orders: Map<string, OrderTrack>;
  submissions: SubmissionTrack[];
  nonce: { status: 'unknown' | 'fetching' | 'known'; next: bigint; blockedUntilMs: number };
  readonly resolving: Map<string, ResolveTrack>;

  sweep: 'idle' | 'running';
  sweepWaiting: SweepRequest[];
  reconciled: boolean;
  lastSweepAtMs: number;
  lastMarketPollAtMs: number;
  marketPollActive: boolean;
  lastFundingPollAtMs: number;
  fundingPollActive: boolean;
  fundingDue: boolean;
  fundingCursorMs: number;
  lastServerTimeAtMs: number;
  clock: ClockOffset;

  /** Latest signed lots by symbol, and which orders the venue holds open. */
  readonly positions: Map<string, number>;
  positionSequence: number;
  openOrders: readonly { readonly symbol: string; readonly clientOrderId: string }[];
  readonly marks: Map<string, Extract<MarketEvent, { type: 'mark-changed' }>>;
  readonly fundingRates: Map<string, Extract<MarketEvent, { type: 'funding-rate-changed' }>>;
  lastAccount: Extract<MarketEvent, { type: 'account-changed' }> | undefined;
  lastStatus: Extract<MarketEvent, { type: 'venue-status' }> | undefined;
  /** The wallet when this UTC day was first seen, for the gate's daily loss. */
  dayOpening: { readonly day: number; readonly walletMicro: bigint } | undefined;
  readonly dirtyBooks: Map<string, string | undefined>;
  readonly bookToldAtMs: Map<string, number>;
  bookTimer: TimerRef | undefined;
  startupStep: 'instruments' | 'sockets' | 'running';
  fatal: string | undefined;

  readonly appends: Map<number, { readonly message: Extract<JournalMessage, { type: 'append-rows' }>; sentAtMs: number }>;
  lastAppendId: number;
  /** Facts already journaled in this life, newest last; keeps repeated polls from writing again. */
  readonly published: Set<string>;
  eventSequence: number;
}

/** Builds the state of a new incarnation; nothing is sent yet. */
export function newConnectorState(args: ConnectorArgs, adapter: VenueAdapter, self: ConnectorSelf): ConnectorState {
  const limits = adapter.limits;
  return {
    args,
    adapter,
    stream: adapter.openStream(),
    startedAtMs: self.monotonicMs(),
    restLimiter: new RateLimiter(limits.rest),
    orderLimiter: limits.orders === undefined ? undefined : new RateLimiter(limits.orders),
    frameLimiter: limits.socketMessages === undefined ? undefined : new RateLimiter(limits.socketMessages),
    gate: createOrderGate({ ...args.gate, symbols: [] }),
    instruments: new Map(),
    baseBySymbol: new Map(),
    symbols: [],
    queue: [],
    inFlight: new Map(),
    dueTimer: undefined,
    frames: [],
    sockets: new Map(),
    socketKeyByRef: new Map(),
    privateReady: false,
    orders: new Map(),
    submissions: [],
    nonce: { status: 'unknown', next: 0n, blockedUntilMs: 0 },
    resolving: new Map(),
    sweep: 'idle',
    sweepWaiting: [],
    reconciled: false,
    lastSweepAtMs: 0,
    lastMarketPollAtMs: Number.NEGATIVE_INFINITY,
    marketPollActive: false,
    lastFundingPollAtMs: Number.NEGATIVE_INFINITY,
    fundingPollActive: false,
    fundingDue: false,
    fundingCursorMs: self.nowMs(),
    lastServerTimeAtMs: Number.NEGATIVE_INFINITY,
    clock: unknownClockOffset,
    positions: new Map(),
    positionSequence: 0,
    openOrders: [],
    marks: new Map(),
    fundingRates: new Map(),
    lastAccount: undefined,
    lastStatus: undefined,
    dayOpening: undefined,
    dirtyBooks: new Map(),
    bookToldAtMs: new Map(),
    bookTimer: undefined,
    startupStep: 'instruments',
    fatal: undefined,
    appends: new Map(),
    lastAppendId: 0,
    published: new Set(),
    eventSequence: 0,
  };
}

/** Both clocks now, as the adapter wants them. */
export function instant(self: ConnectorSelf): { readonly calendarMs: number; readonly monotonicMs: number } {
  return { calendarMs: self.nowMs(), monotonicMs: self.monotonicMs() };
}
