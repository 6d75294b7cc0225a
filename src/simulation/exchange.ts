/**
 * The venue-neutral heart of a simulated venue: matching, margin, funding and books of record, moved by a market tape.
 * Contract between the exchange engine (exchange-engine.ts) and the wire layers in src/venues/<venue>/simulated.ts.
 */
import type { Instrument } from '../market/instrument.ts';
import type { Instant } from '../venues/venue.ts';
import type { AccountOracle } from './simulated-venue.ts';
import type { MarketTape } from './market-tape.ts';

export interface ExchangeOptions {
  readonly venue: string;
  readonly markets: readonly Instrument[];
  readonly accounts: readonly {
    readonly name: string;
    readonly openingWalletMicro: bigint;
    readonly leverage: number;
  }[];
  readonly tape: MarketTape;
  readonly seed: number;
  /** Delay between acceptance and execution, monotonic ms. */
  readonly takerDelayMs: number;
  readonly makerDelayMs: number;
  readonly cancelDelayMs: number;
  /** How often the outside book follows the tape, monotonic ms (default 250). */
  readonly bookIntervalMs: number;
  /** Half-even money rounding of funding = -(signed lots) x price x rate. `mark` or `index`, per instrument.fundingPrice. */
}

export interface ExchangeOrder {
  readonly account: string;
  readonly clientOrderId: string;
  readonly symbol: string;
  readonly side: 'buy' | 'sell';
  readonly lots: number;
  readonly limitTicks: number;
  readonly timeInForce: 'ioc' | 'gtc';
  readonly postOnly: boolean;
  readonly reduceOnly: boolean;
  /** Calendar ms; past it an unexecuted order expires. */
  readonly validUntilMs: number;
  /** Waits outside the book until the mark is there or beyond, in the direction named. */
  readonly trigger?: OrderTrigger;
}

export interface OrderTrigger {
  readonly markTicks: number;
  readonly direction: 'rise' | 'fall';
}

/** The live view of one order; `venueOrderNumber` is unique in the exchange, from 1: wire layers map it to their id space. */
export interface ExchangeOrderState extends ExchangeOrder {
  readonly venueOrderNumber: number;
  readonly status: 'queued' | 'open' | 'filled' | 'cancelled' | 'rejected' | 'expired';
  /** The mark has been there; absent while the order waits, which it does as `open`. */
  readonly isTriggered?: true;
  /** Neutral reason, for example `post-only`, `reduce-only`, `margin`, `no-liquidity`, `self-trade`, `price-band`, `asked`. */
  readonly reason?: string;
  readonly filledLots: number;
  readonly filledQuoteMicro: bigint;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
}

export interface ExchangeTrade {
  /** Unique in the exchange, from 1. */
  readonly tradeNumber: number;
  readonly symbol: string;
  readonly priceTicks: number;
  readonly lots: number;
  readonly takerSide: 'buy' | 'sell';
  readonly atMs: number;
  /** Set when the side was one of our accounts. */
  readonly taker?: TradeParty;
  readonly maker?: TradeParty;
}
export interface TradeParty {
  readonly account: string;
  readonly clientOrderId: string;
  readonly venueOrderNumber: number;
  /** Signed cash flow, negative when paid; fees are rounded up against the account. */
  readonly feeMicro: bigint;
  readonly realisedMicro: bigint;
  readonly positionBeforeLots: number;
}

export interface ExchangePosition {
  readonly symbol: string;
  readonly signedLots: number;
  /** Exact cost basis: signed quote paid for the open quantity, micro-units. */
  readonly costMicro: bigint;
  readonly unrealisedMicro: bigint;
  readonly leverage: number;
  readonly liquidationPrice?: number;
}

export interface ExchangeStats {
  readonly symbol: string;
  /** In 1e-9 quote units. */
  readonly markNano: bigint;
  readonly indexNano: bigint;
  readonly lastTradeTicks: number;
  /** Fraction per hour in 1e-12, predicted for the coming settlement and last settled. */
  readonly predictedHourlyPico: number;
  readonly settledHourlyPico: number;
  readonly settledAtMs: number;
  readonly nextSettleAtMs: number;
  readonly volume24hQuote: number;
  readonly volume24hBase: number;
  readonly openInterestBase: number;
}

export interface ExchangeFunding {
  readonly symbol: string;
  readonly settledAtMs: number;
  /** Fraction of this settlement (interval), 1e-12. */
  readonly ratePico: number;
  readonly priceNano: bigint;
}
export interface ExchangeFundingPayment extends ExchangeFunding {
  readonly paymentNumber: number;
  readonly account: string;
  readonly amountMicro: bigint;
  readonly signedLots: number;
}

/** Facts in the order they happened; each wire layer turns them into its frames. */
export type ExchangeEvent =
  /** Changed levels with new absolute sizes (0 deletes). */
  | {
      readonly type: 'book';
      readonly symbol: string;
      readonly bids: readonly (readonly [priceTicks: number, lots: number])[];
      readonly asks: readonly (readonly [priceTicks: number, lots: number])[];
      readonly atMs: number;
    }
  | { readonly type: 'trade'; readonly trade: ExchangeTrade }
  | { readonly type: 'order'; readonly order: ExchangeOrderState }
  | { readonly type: 'position'; readonly account: string; readonly position: ExchangePosition }
  | { readonly type: 'wallet'; readonly account: string; readonly walletMicro: bigint }
  | { readonly type: 'stats'; readonly stats: ExchangeStats }
  | {
      readonly type: 'funding';
      readonly funding: ExchangeFunding;
      readonly payments: readonly ExchangeFundingPayment[];
    };

export type SubmitOutcome =
  | { readonly accepted: true; readonly venueOrderNumber: number }
  | {
      readonly accepted: false;
      readonly reason:
        | 'duplicate-client-id'
        | 'unknown-symbol'
        | 'below-minimum'
        | 'above-maximum'
        | 'price-band'
        | 'margin'
        | 'inactive'
        | 'expired';
    };

export interface Exchange {
  /** Moves everything to `at`: tape, books, due orders and cancels, funding. Call before any other use at that time. */
  advance(at: Instant): readonly ExchangeEvent[];
  /** Monotonic ms of the next thing that will happen by itself. */
  nextWakeMs(): number;
  /** Queues; execution and its events come from `advance` after the delay. */
  submit(order: ExchangeOrder, at: Instant): SubmitOutcome;
  /** Queues a cancel; false when no such live order. */
  cancel(
    account: string,
    find: { readonly clientOrderId?: string; readonly venueOrderNumber?: number },
    at: Instant,
  ): boolean;
  cancelAll(account: string, at: Instant): number;
  setLeverage(account: string, symbol: string, leverage: number): boolean;
  book(symbol: string): {
    readonly bids: readonly (readonly [number, number])[];
    readonly asks: readonly (readonly [number, number])[];
  };
  stats(symbol: string): ExchangeStats;
  markets(): readonly Instrument[];
  wallet(account: string): {
    readonly walletMicro: bigint;
    readonly equityMicro: bigint;
    readonly initialMarginMicro: bigint;
    readonly maintenanceMarginMicro: bigint;
    readonly availableMicro: bigint;
  };
  position(account: string, symbol: string): ExchangePosition | undefined;
  positions(account: string): readonly ExchangePosition[];
  orders(account: string): readonly ExchangeOrderState[];
  /** Trades of the account, oldest first; bounded by the exchange's own memory limit of 100,000. */
  trades(account: string): readonly ExchangeTrade[];
  recentTrades(symbol: string): readonly ExchangeTrade[];
  fundingPayments(account: string): readonly ExchangeFundingPayment[];
  fundingHistory(symbol: string): readonly ExchangeFunding[];
  oracle(account: string): AccountOracle;
  /** Changes a position from outside (manual trade, liquidation, ADL) at mark, for fault injection. */
  forceTrade(account: string, symbol: string, signedLots: number, at: Instant): void;
}
