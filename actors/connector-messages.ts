/** What a connector actor understands, and what it tells strategy, positions and observers. Types and delivery tables only. */
import type { ActorRef, DeliveryTable } from '../src/runtime/actor.ts';
import type { CpuMessage, HttpMessage, SocketMessage } from '../src/ports/ports.ts';
import type { BookView } from '../src/market/book.ts';
import type { FundingRate } from '../src/market/funding-rate.ts';
import type { Instrument } from '../src/market/instrument.ts';
import type { OrdersAllowed } from '../src/risk/orders-allowed.ts';
import type { FillReport, FundingPaymentReport, OrderRequest, RefusalClass } from '../src/venues/venue.ts';
import type { AppendFailed, RowsRead } from './journal-messages.ts';

/** Which leg of a pair an order works for, and why it exists. */
export interface OrderPurpose {
  readonly pairId: string;
  readonly leg: 'long' | 'short';
  readonly purpose: 'open' | 'hedge' | 'close' | 'unwind' | 'rebalance' | 'protect';
  readonly attempt: number;
}

/** Commands to a connector, from position actors and the control plane. */
export type ConnectorCommand =
  /** The intent is durable already. Sent at most once per client order id; a repeat is answered from memory, never resent. */
  | {
      readonly type: 'place-order';
      readonly order: OrderRequest;
      readonly purpose: OrderPurpose;
      readonly replyTo: ActorRef<ConnectorEvent>;
    }
  | {
      readonly type: 'cancel-order';
      readonly symbol: string;
      readonly clientOrderId: string;
      readonly replyTo: ActorRef<ConnectorEvent>;
    }
  /** Settles what became of one order by the venue's own evidence; ends in a terminal or open `order-changed` (maybe after proof of death). */
  | {
      readonly type: 'resolve-order';
      readonly symbol: string;
      readonly clientOrderId: string;
      readonly validUntilMs: number;
      readonly replyTo: ActorRef<ConnectorEvent>;
    }
  /**
   * Compares with the venue: resolves the given orders, replays fills and funding since `sinceMs`, reads the position; everything arrives
   * as ordinary events, then `reconciled`. Answered only once the venue is READY; a failed query answers `reconciled` with ok false.
   */
  | {
      readonly type: 'reconcile-symbol';
      readonly reconcileId: number;
      readonly symbol: string;
      readonly sinceMs: number;
      readonly orders: readonly { readonly clientOrderId: string; readonly validUntilMs: number }[];
      readonly replyTo: ActorRef<ConnectorEvent>;
    }
  | LimitOrders
  /** Switches an optimisation on or off; see src/venues/flags.ts. */
  | { readonly type: 'set-flag'; readonly name: string; readonly isOn: boolean }
  /** A new incarnation of a subscriber wants all current state again (instruments, status, books, marks, rates, account). */
  | { readonly type: 'resend-state'; readonly to: ActorRef<ConnectorEvent>; readonly bases: readonly string[] };

/** The guard's word on what may leave. Until it was heard nothing leaves that opens; what waits and is not allowed any more is refused. */
export interface LimitOrders {
  readonly type: 'limit-orders';
  readonly allowed: OrdersAllowed;
  /** Opening orders that have left already are cancelled at the venue. */
  readonly cancelOpens: boolean;
  /** Everything is cancelled at the venue by one request, then the connector disconnects for good (K4) and tells `connector-left`. */
  readonly leave?: true;
  readonly reason: string;
}

/** The connector's own timers. */
export type ConnectorTimer =
  | { readonly type: 'connector-tick' }
  | { readonly type: 'operation-due' }
  | { readonly type: 'books-due' }
  | { readonly type: 'submission-overdue'; readonly clientOrderId: string; readonly kind: string }
  | { readonly type: 'reopen-socket'; readonly socketKey: string };

export type ConnectorMessage =
  | ConnectorCommand
  | ConnectorTimer
  | HttpMessage
  | SocketMessage
  | CpuMessage
  | AppendFailed
  | RowsRead
  | AppendDurable;

/** The connector's own receipt for an append (told by the journal through `whenDurable`). */
export interface AppendDurable {
  readonly type: 'append-durable';
  readonly appendId: number;
}

/** Market facts and account facts as others see them. `base` is the canonical underlying. */
export type MarketEvent =
  | {
      readonly type: 'venue-status';
      readonly venue: string;
      readonly account: string;
      readonly status: 'connecting' | 'reconciling' | 'ready' | 'degraded' | 'down';
      readonly reason: string;
      /** Venue clock minus ours, calendar ms, and half the round trip. */
      readonly clockOffsetMs: number;
      readonly clockErrorMs: number;
      /** False inside the start-up quarantine: cancel and reduce only. */
      readonly entriesAllowed: boolean;
      /** Free share 0..1 of the REST and order budgets usable for opening (domain 12.5); 0 while an entry with its unwinding has no room. */
      readonly openBudgetShare: number;
    }
  | {
      readonly type: 'instrument-listed';
      readonly venue: string;
      readonly account: string;
      readonly symbol: string;
      readonly instrument: Instrument;
    }
  | {
      readonly type: 'book-changed';
      readonly venue: string;
      readonly symbol: string;
      readonly base: string;
      /** Undefined while the book is not trusted; `lostReason` says why. */
      readonly book?: BookView;
      readonly lostReason?: string;
    }
  | {
      readonly type: 'mark-changed';
      readonly venue: string;
      readonly symbol: string;
      readonly base: string;
      /** 1e-9 quote per contract. */
      readonly markNano: bigint;
      readonly indexNano?: bigint;
      readonly venueAtMs: number;
      readonly receivedAtMonotonicMs: number;
    }
  | {
      readonly type: 'funding-rate-changed';
      readonly venue: string;
      readonly symbol: string;
      readonly base: string;
      readonly kind: 'predicted' | 'settled';
      readonly settleAtMs: number;
      readonly rate: FundingRate;
      readonly receivedAtMonotonicMs: number;
    }
  /** Leverage in force for a symbol, read from the venue; 0 when the venue names none. */
  | {
      readonly type: 'leverage-reported';
      readonly venue: string;
      readonly account: string;
      readonly symbol: string;
      readonly base: string;
      readonly leverage: number;
    }
  | {
      readonly type: 'account-changed';
      readonly venue: string;
      readonly account: string;
      readonly walletMicro: bigint;
      readonly availableMicro: bigint;
      readonly receivedAtMonotonicMs: number;
    };

/** Order, fill and position facts, told to the position actor of the symbol's base after they are durable in the journal. */
export type OrderEvent =
  | {
      readonly type: 'order-changed';
      readonly venue: string;
      readonly account: string;
      readonly symbol: string;
      readonly clientOrderId: string;
      /**
       * sending: bytes handed to the socket. accepted: the venue took it. refused: definitive, nothing was accepted. unknown: no proof either way.
       * not-found: proven dead (never accepted). The rest is the venue's own status.
       */
      readonly status:
        | 'sending'
        | 'accepted'
        | 'refused'
        | 'unknown'
        | 'not-found'
        | 'open'
        | 'filled'
        | 'cancelled'
        | 'rejected'
        | 'expired';
      readonly venueOrderId: string;
      /** Filled so far by the venue's count; absent when not stated. */
      readonly filledLots?: number;
      readonly code: string;
      readonly reason: string;
      readonly refusal?: RefusalClass;
      readonly atMs: number;
      readonly sequence: number;
    }
  | {
      readonly type: 'fill-received';
      readonly venue: string;
      readonly account: string;
      readonly symbol: string;
      readonly fill: FillReport;
    }
  | {
      readonly type: 'funding-paid';
      readonly venue: string;
      readonly account: string;
      readonly symbol: string;
      readonly payment: FundingPaymentReport;
    }
  /** The venue's word on our position. Newer `sequence` wins (per venue, account, symbol, one connector incarnation). */
  | {
      readonly type: 'position-reported';
      readonly venue: string;
      readonly account: string;
      readonly symbol: string;
      readonly signedLots: number;
      /** Mark at which the venue says it would close this position, quote per contract; absent where it states none. */
      readonly liquidationPrice?: number;
      /** Place in the venue's queue for deleveraging, 0 (last) to 1 (next); absent where it states none. */
      readonly adlRank?: number;
      readonly source: 'stream' | 'query';
      readonly sequence: number;
      readonly receivedAtMonotonicMs: number;
    }
  | {
      readonly type: 'reconciled';
      readonly venue: string;
      readonly account: string;
      readonly symbol: string;
      readonly reconcileId: number;
      /** False: a query failed; nothing may be concluded, ask again. */
      readonly ok: boolean;
      readonly signedLots: number;
      /** Orders of ours still open at the venue for this symbol. */
      readonly openClientOrderIds: readonly string[];
    };

export type ConnectorEvent = MarketEvent | OrderEvent;

/** Payload of `order-event`, `fill` and `funding` journal rows written by connectors: the told message itself under `event`. */
export interface ConnectorRowPayload {
  readonly event: OrderEvent;
}
/** Row ids: `fill:<venue>:<account>:<fillId>`, `funding:<venue>:<account>:<paymentId>`, `order:<venue>:<account>:<clientOrderId>:<status>:<sequence>:<filledLots or time>`. Correlation: `base`. */

export const connectorDelivery: DeliveryTable<ConnectorMessage> = {
  'place-order': { class: 'must-deliver', priority: 'order' },
  'cancel-order': { class: 'must-deliver', priority: 'risk' },
  'limit-orders': { class: 'must-deliver', priority: 'risk' },
  'resolve-order': { class: 'must-deliver', priority: 'order' },
  'reconcile-symbol': { class: 'must-deliver', priority: 'order' },
  'set-flag': { class: 'must-deliver', priority: 'normal' },
  'resend-state': { class: 'must-deliver', priority: 'normal' },
  'connector-tick': { class: 'must-deliver', priority: 'normal' },
  'operation-due': { class: 'must-deliver', priority: 'normal' },
  'books-due': { class: 'must-deliver', priority: 'normal' },
  'submission-overdue': { class: 'must-deliver', priority: 'normal' },
  'reopen-socket': { class: 'must-deliver', priority: 'normal' },
  'http-answered': { class: 'must-deliver', priority: 'order' },
  'http-failed': { class: 'must-deliver', priority: 'order' },
  'socket-opened': { class: 'must-deliver', priority: 'order' },
  'socket-frame': { class: 'must-deliver', priority: 'order' },
  'socket-heartbeat': { class: 'must-deliver', priority: 'order' },
  'socket-closed': { class: 'must-deliver', priority: 'order' },
  'task-done': { class: 'must-deliver', priority: 'order' },
  'task-failed': { class: 'must-deliver', priority: 'order' },
  'append-durable': { class: 'must-deliver', priority: 'order' },
  'append-failed': { class: 'must-deliver', priority: 'order' },
  'rows-read': { class: 'must-deliver', priority: 'order' },
};

export const connectorEventDelivery: DeliveryTable<ConnectorEvent> = {
  'venue-status': { class: 'state', keyFields: ['venue', 'account'] },
  'instrument-listed': { class: 'state', keyFields: ['venue', 'account', 'symbol'] },
  // The four there are most of have shapes. A lost book and a mark without an index price are rare, and travel without.
  'book-changed': {
    class: 'market',
    keyFields: ['venue', 'symbol'],
    shape: (f, event) =>
      event.book === undefined || 'lostReason' in event
        ? undefined
        : {
            type: 'book-changed',
            venue: f.text(event.venue),
            symbol: f.text(event.symbol),
            base: f.text(event.base),
            book: {
              venue: f.text(event.book.venue),
              symbol: f.text(event.book.symbol),
              bids: f.pairs(event.book.bids),
              asks: f.pairs(event.book.asks),
              venueAtMs: f.number(event.book.venueAtMs),
              receivedAtMonotonicMs: f.number(event.book.receivedAtMonotonicMs),
            },
          },
  },
  'mark-changed': {
    class: 'market',
    keyFields: ['venue', 'symbol'],
    shape: (f, event) =>
      event.indexNano === undefined
        ? undefined
        : {
            type: 'mark-changed',
            venue: f.text(event.venue),
            symbol: f.text(event.symbol),
            base: f.text(event.base),
            markNano: f.bigint(event.markNano),
            indexNano: f.bigint(event.indexNano),
            venueAtMs: f.number(event.venueAtMs),
            receivedAtMonotonicMs: f.number(event.receivedAtMonotonicMs),
          },
  },
  'funding-rate-changed': {
    class: 'state',
    keyFields: ['venue', 'symbol', 'kind', 'settleAtMs'],
    // Predictions have a shape; what was settled comes once an hour.
    shape: (f, event) =>
      'ofFeed' in event.rate || 'feedHourly' in event.rate
        ? undefined
        : {
            type: 'funding-rate-changed',
            venue: f.text(event.venue),
            symbol: f.text(event.symbol),
            base: f.text(event.base),
            kind: f.text(event.kind),
            settleAtMs: f.number(event.settleAtMs),
            rate: {
              venue: f.text(event.rate.venue),
              symbol: f.text(event.rate.symbol),
              kind: f.text(event.rate.kind),
              raw: f.text(event.rate.raw),
              unit: { scale: f.text(event.rate.unit.scale), perMs: f.number(event.rate.unit.perMs) },
              hourly: f.number(event.rate.hourly),
              intervalMs: f.number(event.rate.intervalMs),
              settleAtMs: f.number(event.rate.settleAtMs),
              venueAtMs: f.number(event.rate.venueAtMs),
            },
            receivedAtMonotonicMs: f.number(event.receivedAtMonotonicMs),
          },
  },
  'account-changed': {
    class: 'state',
    keyFields: ['venue', 'account'],
    shape: (f, event) => ({
      type: 'account-changed',
      venue: f.text(event.venue),
      account: f.text(event.account),
      walletMicro: f.bigint(event.walletMicro),
      availableMicro: f.bigint(event.availableMicro),
      receivedAtMonotonicMs: f.number(event.receivedAtMonotonicMs),
    }),
  },
  'leverage-reported': { class: 'state', keyFields: ['venue', 'account', 'symbol'] },
  'order-changed': { class: 'must-deliver', priority: 'risk' },
  'fill-received': { class: 'must-deliver', priority: 'risk' },
  // As urgent as the rest: `reconciled` must not overtake what it was found with.
  'funding-paid': { class: 'must-deliver', priority: 'risk' },
  'position-reported': { class: 'must-deliver', priority: 'risk' },
  reconciled: { class: 'must-deliver', priority: 'risk' },
};
