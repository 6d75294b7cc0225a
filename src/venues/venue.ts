/** What every venue folder provides to the connector actor: one shape, so that shared code never asks which venue it is. Types only. */
import type { HttpAnswered, HttpRequest, ReadSource } from '../ports/ports.ts';
import type { AccessProblem } from './access.ts';
import type { BookView } from '../market/book.ts';
import type { FundingRate } from '../market/funding-rate.ts';
import type { Instrument, VenueId } from '../market/instrument.ts';
import type { MarginTier } from '../market/margin-tiers.ts';
import type { MicroUnits, PicoRate, PriceTicks, QuantityLots, SignedLots } from '../money/units.ts';

/** Both clocks at the moment of a call; see Self.nowMs and Self.monotonicMs. */
export interface Instant {
  readonly calendarMs: number;
  readonly monotonicMs: number;
}

/** Plain-data settings of one account's connector. Secrets reach only the connector's thread. */
export interface VenueSettings {
  readonly account: string;
  readonly restUrl: string;
  readonly streamUrl: string;
  /** Venue-specific plain values, for example accountIndex, apiKeyIndex, vault, limit profile. */
  readonly options: Readonly<Record<string, string | number | boolean>>;
  /** Venue-specific secrets as text or hex, for example privateKey, apiKey. */
  readonly secrets: Readonly<Record<string, string>>;
  /** Calendar ms per monotonic ms: request validity in calendar time is validity x scale. */
  readonly calendarScale: number;
}

/** An order that passed the last gate. Only src/risk/approval.ts makes one. */
export interface OrderRequest {
  /** Ours, made before sending, the idempotency key. Decimal integer text 1..2^48-1, unique for the account for ever. */
  readonly clientOrderId: string;
  readonly symbol: string;
  readonly side: 'buy' | 'sell';
  readonly lots: QuantityLots;
  /** Limit, always present: worst acceptable price. */
  readonly limitTicks: PriceTicks;
  readonly timeInForce: 'ioc' | 'gtc';
  readonly postOnly: boolean;
  readonly reduceOnly: boolean;
  /** Calendar ms after which the venue must not accept it any more. */
  readonly validUntilMs: number;
  /**
   * Calendar ms until which a resting order is meant to stay; absent for one that does not rest. A venue that knows one time only
   * takes it for both, and may then accept the request until here.
   */
  readonly restsUntilMs?: number;
  /**
   * The order waits at the venue, outside the book, until the mark is at `ticks` or beyond in this direction; then it is what the rest
   * says. Only for orders that reduce, and only at venues with `hasStops`; it waits until `restsUntilMs` at most.
   */
  readonly trigger?: StopTrigger;
}

export interface StopTrigger {
  readonly ticks: PriceTicks;
  readonly direction: 'rise' | 'fall';
}

/** One HTTP exchange: what to send, what it costs, how to read the answer. */
export interface Operation {
  /** Endpoint name for limits, metrics and errors, for example `accountActiveOrders`. */
  readonly name: string;
  readonly request: HttpRequest;
  /** The request as it must leave now, where it carries the time of leaving: reads may wait longer than a signature is good for. */
  requestAt?(at: Instant): HttpRequest;
  /** Weight in the venue's REST bucket. */
  readonly weight: number;
  /** Domain 12.5: 0 cancels and reducing orders, 1 hedges, 2 resolving unknowns, 3 opens, 4 account snapshots, 5 market data. */
  readonly priority: 0 | 1 | 2 | 3 | 4 | 5;
  /** Sent without a key or signature: what the venue counts by key does not count it. */
  readonly isAnonymous?: true;
  /** What it reads, where its answer may serve others who ask the same; absent: nobody else. */
  readonly source?: ReadSource;
  /** True when the request changes anything at the venue: never repeated by transport, unknown on failure. */
  readonly mutates: boolean;
  /** Reads the answer into events. Throws VenueError on a venue refusal and MalformedPayload on nonsense. */
  parse(answer: HttpAnswered, at: Instant): OperationResult;
}
export interface OperationResult {
  readonly events: readonly VenueEvent[];
  /** The next page, when there is one. */
  readonly next?: Operation;
}

/** A socket the connector should hold open. Keys are stable: the connector opens missing and cuts surplus ones. */
export interface SocketPlan {
  readonly key: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Cut and reopen after this long without a frame or heartbeat, monotonic ms. Default 10,000. */
  readonly silenceMs?: number;
}
/** A frame to send on a socket. `control` frames count against the venue's message limit, `order` frames do not. */
export interface OutboundFrame {
  readonly socketKey: string;
  readonly text: string;
  readonly kind: 'control' | 'order';
  /** Of control frames: those of one key that wait to be sent are replaced, in their place, by later ones of that key. */
  readonly key?: string;
  /** Of control frames: it is in flight until `FrameResult.answered` names this, or too long. */
  readonly awaits?: string;
}

/** What a stream makes of one frame. */
export interface FrameResult {
  readonly events: readonly VenueEvent[];
  readonly send: readonly OutboundFrame[];
  /** What outbound frames awaited and this frame brought. */
  readonly answered?: string;
  /** Set when the socket must be cut and reopened (sequence broken beyond repair by resubscribing). */
  readonly reconnect?: string;
}

/**
 * The stream side of one account: owns continuity state (books, sequences, confirmed subscriptions) of its sockets. One
 * instance per connector incarnation; called on the connector's thread only; no clock of its own.
 */
export interface VenueStream {
  /** Sockets wanted for these symbols (public) and the account (private). */
  plan(symbols: readonly string[]): readonly SocketPlan[];
  /** A (re)opened socket: forgets its old continuity, returns subscribe frames in order. */
  opened(socketKey: string, at: Instant): FrameResult;
  /** Never throws for venue bytes: nonsense becomes a `malformed-frame` event. */
  frame(socketKey: string, text: string, at: Instant): FrameResult;
  closed(socketKey: string, at: Instant): readonly VenueEvent[];
  /** True for the socket whose loss makes account facts uncertain: the connector must compare with the venue again. */
  isPrivate(socketKey: string): boolean;
  /** Called about every second: keep-alives, token renewal, books too old (returns frames and events as needed). */
  tick(at: Instant): FrameResult;
  /** The current book, or undefined when there is none or it is not trusted. */
  book(symbol: string): BookView | undefined;
  /**
   * Has a socket bring the leverage in force of these symbols: costs nothing of the limit that `leverageOf` uses. Returns those that
   * will be asked for now, as `leverage` events; undefined while no socket can. Absent where no channel tells it.
   */
  askLeverage?(symbols: readonly string[]): readonly string[] | undefined;
}

/** What the connector does to place or cancel: sign on the CPU pool (or not at all), then submit. */
export interface SubmissionPlan {
  /** Task for the CPU port; absent when no signature is needed. */
  readonly sign?: { readonly task: string; readonly input: unknown };
  /** Makes the request from the signature (`undefined` when there was no task). */
  submit(signature: unknown, at: Instant): Submission;
}
export type Submission =
  | { readonly via: 'http'; readonly operation: Operation }
  | {
      readonly via: 'socket';
      readonly frame: OutboundFrame;
      /** Answer events carry this same text in `submissionId`. */
      readonly submissionId: string;
    };

/** One order as a request names it. */
export interface OrderName {
  readonly symbol: string;
  /** Empty text for one that is not ours. */
  readonly clientOrderId: string;
  readonly venueOrderId?: string;
}

/** Makes one request that concerns the whole account; on a venue with nonces it takes one like any order. */
export type AccountRequest = (nonce: bigint | undefined, at: Instant) => SubmissionPlan;

/** Cancels every order of the account at the venue unless it is armed again in time. It hedges nothing. */
export interface DeadManSwitch {
  /** Time it is usually armed for, and the shortest the venue takes; monotonic ms. */
  readonly usualMs: number;
  readonly shortestMs: number;
  /** Starts its time anew. */
  arm(forMs: number): AccountRequest;
}

/** One account at one venue: a pure description of its protocol. */
export interface VenueAdapter {
  readonly venue: VenueId;
  /** Shortest validity of a mutating request that works, monotonic ms. */
  readonly requestValidityMs: number;
  /** True when transactions carry consecutive nonces from one sequencer. */
  readonly usesNonces: boolean;
  readonly limits: LimitProfile;
  /** How long the venue holds back orders that take, monotonic ms; absent where it does not do so on purpose. */
  readonly takerDelayMs?: number;
  /** Reads what headers say of limits; absent where the venue sends none. */
  limitFeedback?(operation: Operation, answer: HttpAnswered): LimitFeedback | undefined;
  /** `addressSharedBy`: accounts of ours behind this address, which divide what the venue counts by address. Default 1. */
  openStream(addressSharedBy?: number): VenueStream;

  serverTime(): Operation; // -> server-time
  instruments(): Operation; // -> instruments
  /** Operations that together give positions, balances and open orders. -> positions-snapshot, balance, open-orders */
  accountSnapshot(at: Instant): readonly Operation[];
  feeTier(at: Instant): Operation; // -> fee-tier
  /** The order by our id; the last resort for unknown outcomes. -> order-update*, then order-lookup {found} */
  findOrder(symbol: string, clientOrderId: string, at: Instant): readonly Operation[];
  fillsSince(sinceMs: number, at: Instant): Operation; // -> fill*
  /** Its streams tell of orders and what they have filled, and of no fill: those are asked for as soon as an order has filled more. */
  readonly streamsNoFills?: true;
  fundingPaymentsSince(sinceMs: number, at: Instant): Operation; // -> funding-payment*
  /** Margin by the size of a position, where the list of instruments does not say. -> margin-tiers */
  marginTiersOf?(symbol: string): Operation;
  /** Settled rates, newest last. -> funding-rate* (settled) */
  fundingHistory(symbol: string, sinceMs: number, at: Instant): Operation;
  /** REST poll for predicted rates where no stream has them; undefined when the stream delivers. -> funding-rate*, mark* */
  marketPoll?(at: Instant): Operation;
  nextNonce?(at: Instant): Operation; // -> nonce
  /** Operations that together say what leverage is in force for these symbols; none where the venue keeps none. -> leverage* */
  leverageOf(symbols: readonly string[], at: Instant): readonly Operation[];
  /** Accepted is not proof: `leverageOf` is. Absent where the venue keeps none. */
  setLeverage?(symbol: string, leverage: number, nonce: bigint | undefined, at: Instant): SubmissionPlan;
  /** Present where the venue keeps no leverage of a market: what is asked for is in force at once, by our own reckoning or with each order. */
  assumeLeverage?(symbol: string, leverage: number): void;
  /** Orders with a trigger wait at this venue; absent where they are not offered. */
  readonly hasStops?: true;
  /** The venue takes orders that reduce like any other: nothing there keeps one from turning the position around. */
  readonly lacksReduceOnly?: true;
  placeOrder(order: OrderRequest, nonce: bigint | undefined, at: Instant): SubmissionPlan;
  cancelOrder(
    order: { readonly symbol: string; readonly clientOrderId: string; readonly venueOrderId?: string },
    nonce: bigint | undefined,
    at: Instant,
  ): SubmissionPlan;
  /**
   * Requests that together cancel every order of the account, foreign ones included. `open` names those known, for venues that only
   * cancel what they are told; none for such a venue and nothing known. Accepted is not proof: the list of open orders is.
   */
  cancelAll(open: readonly OrderName[]): readonly AccountRequest[];
  /** Absent where the venue offers none to everybody. */
  readonly deadMan?: DeadManSwitch;
  /** What a refusal says about our access, by the code of its VenueError; undefined when it says nothing about that. */
  accessProblem?(code: string): AccessProblem | undefined;
  /** What the key may do, read from the venue; absent where the venue does not tell. -> key-rights */
  keyRights?(at: Instant): Operation;
  /** What cannot be read from the venue and a person must know about this key; absent when there is nothing. */
  readonly keyCaution?: string;
}

/** Reasons of a refusal, domain 8.3. `unknown-outcome`: the code does not prove that nothing was accepted. */
export type RefusalClass =
  'permanent' | 'transient' | 'state' | 'nonce' | 'rate-limit' | 'duplicate' | 'unknown-outcome' | 'fatal';

/** Normalised facts from a venue. Quantities in lots, prices in ticks, money in micro-units, times in calendar ms. */
export type VenueEvent =
  | { readonly type: 'server-time'; readonly serverMs: number }
  | { readonly type: 'instruments'; readonly instruments: readonly Instrument[] }
  | { readonly type: 'margin-tiers'; readonly symbol: string; readonly tiers: readonly MarginTier[] }
  | { readonly type: 'book-changed'; readonly symbol: string }
  | {
      readonly type: 'book-invalid';
      readonly symbol: string;
      readonly reason: 'gap' | 'crossed' | 'no-snapshot' | 'closed';
    }
  | { readonly type: 'mark'; readonly symbol: string; readonly markTicksScaled: MarkPrice; readonly venueAtMs: number }
  | { readonly type: 'funding-rate'; readonly rate: FundingRate }
  | { readonly type: 'positions-snapshot'; readonly positions: readonly PositionReport[] }
  | { readonly type: 'position'; readonly position: PositionReport }
  | { readonly type: 'balance'; readonly walletMicro: MicroUnits; readonly availableMicro?: MicroUnits }
  | { readonly type: 'open-orders'; readonly orders: readonly OrderReport[] }
  | { readonly type: 'order-update'; readonly order: OrderReport }
  | { readonly type: 'order-lookup'; readonly clientOrderId: string; readonly found: boolean }
  | { readonly type: 'fill'; readonly fill: FillReport }
  | { readonly type: 'funding-payment'; readonly payment: FundingPaymentReport }
  | { readonly type: 'fee-tier'; readonly symbol?: string; readonly makerFee: PicoRate; readonly takerFee: PicoRate }
  | { readonly type: 'nonce'; readonly next: bigint }
  | { readonly type: 'key-rights'; readonly rights: KeyRights }
  | { readonly type: 'leverage'; readonly symbol: string; readonly leverage: number }
  /** The venue took the request (not yet proof of acceptance where matching is asynchronous). */
  | { readonly type: 'submission-accepted'; readonly submissionId?: string; readonly venueOrderId?: string }
  | {
      readonly type: 'submission-refused';
      readonly submissionId?: string;
      readonly code: string;
      readonly reason: string;
      readonly class: RefusalClass;
    }
  /** All first frames of the private channels have arrived on this socket generation. */
  | { readonly type: 'private-stream-ready' }
  | { readonly type: 'malformed-frame'; readonly channel: string; readonly detail: string; readonly sample: string }
  /** Well formed, and impossible: not to be used. */
  | {
      readonly type: 'bad-value';
      readonly what: 'FUNDING_RATE';
      readonly symbol: string;
      readonly code: string;
      readonly detail: string;
    }
  | { readonly type: 'venue-error'; readonly code: string; readonly reason: string };

/** What a key may do at its venue. */
export interface KeyRights {
  readonly canTrade: boolean;
  /** Withdrawals and transfers alike: money leaves the account. */
  readonly canWithdraw: boolean;
  /** Calendar ms; absent for a key without an end. */
  readonly expiresAtMs?: number;
  /** Whether it works from listed addresses only; absent where the venue does not tell. */
  readonly isAddressBound?: boolean;
}

/** Mark and index prices with more digits than ticks: decimal text as received plus pico-free integers of 1e-9 quote. */
export interface MarkPrice {
  /** Mark price in 1e-9 quote units per contract (bigint: exact). */
  readonly markNano: bigint;
  readonly indexNano?: bigint;
}

export interface PositionReport {
  readonly symbol: string;
  readonly signedLots: SignedLots;
  readonly entryPrice?: string;
  readonly liquidationPrice?: string;
  readonly leverage?: number;
  /** Place in the queue of positions the venue closes first when it must, 0 (last) to 1 (first); absent where it does not say. */
  readonly adlRank?: number;
}

export interface OrderReport {
  readonly symbol: string;
  /** Empty text when the venue reports none (not ours). */
  readonly clientOrderId: string;
  readonly venueOrderId: string;
  readonly status: 'open' | 'filled' | 'cancelled' | 'rejected' | 'expired';
  readonly side: 'buy' | 'sell';
  readonly lots: QuantityLots;
  /** Filled so far, in lots, when the venue says. */
  readonly filledLots?: QuantityLots;
  readonly reason?: string;
  /** It waits for the mark, outside the book. */
  readonly isWaiting?: true;
  readonly venueAtMs: number;
  /** Grows with each report of the same order; older reports are ignored. */
  readonly sequence: number;
}

export interface FillReport {
  /** Venue's trade id as text; with venue and account the dedup key. */
  readonly fillId: string;
  readonly symbol: string;
  readonly clientOrderId: string;
  readonly venueOrderId: string;
  readonly side: 'buy' | 'sell';
  readonly priceTicks: PriceTicks;
  readonly lots: QuantityLots;
  /** Signed cash flow: negative when we paid. */
  readonly feeMicro: MicroUnits;
  readonly liquidity: 'maker' | 'taker';
  readonly venueAtMs: number;
  /** The venue made this trade itself, and why; absent on ordinary ones and where it does not say. */
  readonly forced?: 'liquidation' | 'adl';
}

export interface FundingPaymentReport {
  readonly paymentId: string;
  readonly symbol: string;
  /** Signed cash flow: positive when we received. */
  readonly amountMicro: MicroUnits;
  /** Hourly-equivalent is not implied: the fraction of this settlement. */
  readonly rate: PicoRate;
  readonly signedLots: SignedLots;
  readonly settledAtMs: number;
}

/** A weighted sliding window: at most `max` within any `windowMs` (monotonic). */
export interface LimitBucket {
  readonly name: string;
  readonly max: number;
  readonly windowMs: number;
  /** Whom the venue counts: each account (default), or the address that all our accounts at this venue share. */
  readonly per?: 'account' | 'address';
  /** At most so many without an answer at once; absent where only the window counts. */
  readonly inFlightMax?: number;
  /**
   * No kind of request has a part of its own, only what all may use together when one of its urgency asks: in a window so long that
   * a busy minute would keep a kind waiting for the rest of it.
   */
  readonly isUndivided?: true;
}
export interface LimitProfile {
  readonly rest: LimitBucket;
  /** Placement bucket when separate from `rest`. */
  readonly orders?: LimitBucket;
  /** Every request of whatever kind counts 1 here as well, except that a key's own limit does not count what is anonymous. */
  readonly address?: LimitBucket;
  /** Control frames of all connections together; `inFlightMax` those without an answer. */
  readonly socketMessages?: LimitBucket;
  /** New connections. */
  readonly connects?: LimitBucket;
  /** Connections of the address open at once. */
  readonly connectionsMax?: number;
  /** Subscriptions on one connection, or on all of an address where the venue counts those: its stream knows which. */
  readonly subscriptionsMax?: number;
  /** Changes of leverage in any minute, where the venue counts them by themselves. */
  readonly leverageChangesPerMinute?: number;
}

/** What an answer says about a limit, whatever else it says. */
export interface LimitFeedback {
  readonly bucket: 'rest' | 'orders';
  /** Share 0 to 1 of the limit that is used by now. */
  readonly usedShare: number;
  /** Part of the documented limit that is granted, 0 to 1. */
  readonly granted: number;
}

/** A venue refused a request in its own words. */
export class VenueError extends Error {
  readonly code: string;
  readonly class: RefusalClass;
  /** Of a refusal for a limit: when the venue will listen again, monotonic ms from now; absent when it does not say. */
  readonly retryAfterMs: number | undefined;
  constructor(operation: string, code: string, reason: string, refusal: RefusalClass, retryAfterMs?: number) {
    super(`${operation} refused with code ${code}: ${reason}`);
    this.name = 'VenueError';
    this.code = code;
    this.class = refusal;
    this.retryAfterMs = retryAfterMs;
  }
}

/** Venue bytes that break the protocol: named by where, the rule and a short sample. */
export class MalformedPayload extends Error {
  constructor(where: string, rule: string, sample: string) {
    super(`${where} must be ${rule}, was ${sample.slice(0, 200)}`);
    this.name = 'MalformedPayload';
  }
}
