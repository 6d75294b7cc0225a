/** A simulated venue as a deterministic state machine: inputs and time in, outputs out; no I/O. Hosted over loopback or by the simulator. */
import type { Instant } from '../venues/venue.ts';
import type { ExchangePast } from './exchange-facts.ts';

export type VenueInput =
  | {
      readonly type: 'http-request';
      readonly requestId: number;
      readonly remote: string; // caller's IP, for per-IP limits
      readonly method: string;
      /** Path with query, for example `/api/v1/orderBooks?market_id=1`. */
      readonly path: string;
      /** Lower-case names. */
      readonly headers: Readonly<Record<string, string>>;
      readonly body: string;
    }
  | {
      readonly type: 'socket-requested';
      readonly socketId: number;
      readonly remote: string;
      readonly path: string;
      readonly headers: Readonly<Record<string, string>>;
    }
  | { readonly type: 'socket-text'; readonly socketId: number; readonly text: string }
  | { readonly type: 'socket-pong'; readonly socketId: number }
  | { readonly type: 'socket-ping'; readonly socketId: number }
  | { readonly type: 'socket-closed'; readonly socketId: number }
  /** Time passed; sent when a wake-up asked for is due (or earlier). */
  | { readonly type: 'tick' };

export type VenueOutput =
  | {
      readonly type: 'http-answer';
      readonly requestId: number;
      readonly status: number;
      readonly headers: Readonly<Record<string, string>>;
      readonly body: string;
    }
  /** The connection of a request breaks off instead of being answered. */
  | { readonly type: 'http-reset'; readonly requestId: number }
  | { readonly type: 'socket-accept'; readonly socketId: number }
  | { readonly type: 'socket-refuse'; readonly socketId: number; readonly status: number; readonly body: string }
  | { readonly type: 'socket-text'; readonly socketId: number; readonly text: string }
  | { readonly type: 'socket-ping'; readonly socketId: number }
  | { readonly type: 'socket-close'; readonly socketId: number; readonly code: number; readonly reason: string };

/** What a request or frame of a client is about, for faults that mean one kind only. */
export type RequestKind = 'order' | 'cancel' | 'question' | 'other';

export interface SimulatedVenue {
  readonly venue: string;
  handle(input: VenueInput, at: Instant): readonly VenueOutput[];
  /** Monotonic ms when `tick` is wanted next; asked after every `handle`. */
  nextWakeMs(): number;
  /** The venue's own truth for tests and checkers. */
  oracle(): VenueOracle;
  /** Faults on command, by name with plain arguments; throws on an unknown name. Names are documented in the venue's simulated.ts. */
  inject(fault: string, options?: Readonly<Record<string, number | string | boolean>>): void;
}

/** A venue whose next life can go on where this one ended. */
export interface LastingVenue extends SimulatedVenue {
  /** What the wire must remember beside the exchange's facts, such as nonces: by name, for the past of its next life. */
  keepsake(): Readonly<Record<string, number>>;
}

/** What an earlier life of a venue kept. */
export interface VenuePast extends ExchangePast {
  readonly keepsake: Readonly<Record<string, number>>;
}

/** The venue's books as decimal-free integers, per account name. */
export interface VenueOracle {
  readonly accounts: ReadonlyMap<string, AccountOracle>;
  /** Requests refused with 429 (or the socket equivalent) so far. */
  readonly rateLimitRefusals: number;
}
export interface AccountOracle {
  readonly openingWalletMicro: bigint;
  /** Opening + realised price profit + fees (negative) + funding + transfers. */
  readonly walletMicro: bigint;
  /** Signed lots by symbol; flat symbols absent. */
  readonly positions: ReadonlyMap<string, number>;
  readonly fills: readonly OracleFill[];
  readonly fundingPayments: readonly OracleFundingPayment[];
  /** Every order ever accepted, by client order id. */
  readonly orders: readonly OracleOrder[];
}
export interface OracleFill {
  readonly fillId: string;
  readonly clientOrderId: string;
  readonly symbol: string;
  readonly side: 'buy' | 'sell';
  readonly priceTicks: number;
  readonly lots: number;
  readonly feeMicro: bigint;
  /** Realised price profit of this fill by average cost, half-even. */
  readonly realisedMicro: bigint;
  readonly atMs: number;
}
export interface OracleFundingPayment {
  readonly paymentId: string;
  readonly symbol: string;
  readonly amountMicro: bigint;
  readonly signedLots: number;
  readonly settledAtMs: number;
}
export interface OracleOrder {
  readonly clientOrderId: string;
  readonly symbol: string;
  readonly side: 'buy' | 'sell';
  readonly lots: number;
  readonly filledLots: number;
  readonly reduceOnly: boolean;
  readonly status: 'queued' | 'open' | 'filled' | 'cancelled' | 'rejected' | 'expired';
}
