/** What a position actor (one per symbol) understands and tells. Types and delivery tables only. */
import type { ActorRef, DeliveryTable } from '../src/runtime/actor.ts';
import type { PnlViews } from '../src/strategy/pnl-views.ts';
import type { EntryMode } from '../src/strategy/entry-mode.ts';
import type { QuoteRate } from '../src/market/quote-rates.ts';
import type { ConnectorEvent } from './connector-messages.ts';
import type { EngineStateChanged } from './guard-messages.ts';
import type { AppendFailed, AppendSlow, RowsRead } from './journal-messages.ts';

/** Everything strategy decided about one entry; sizes in each leg's own lots, prices in each leg's own ticks. */
export interface EntryPlan {
  readonly base: string;
  readonly long: LegPlan;
  readonly short: LegPlan;
  readonly entry: EntryMode;
  readonly decidedAtMs: number;
  /** What was expected, for calibration: quote units, plain numbers. */
  readonly expected: {
    readonly netHourlyQuote: number;
    readonly expectedValueQuote: number;
    readonly roundTripCostQuote: number;
    readonly entryBasisBps: number;
    /** Margin both legs need, quote: the M of domain 5.2. */
    readonly capitalQuote: number;
  };
}
export interface LegPlan {
  readonly venue: string;
  readonly account: string;
  readonly symbol: string;
  readonly lots: number;
  readonly limitTicks: number;
  /** Average price of the planned quantity by the book it was decided on, ticks with fractions. */
  readonly vwapTicks: number;
}

export type ExitReason =
  | 'LEG_MISSING'
  | 'LIQUIDATION'
  | 'KILL_SWITCH'
  | 'DAILY_LOSS'
  | 'ADL_RISK'
  | 'STALE_VENUE'
  | 'STABLECOIN_DEPEG'
  | 'DIVERGENCE'
  | 'VOL_PANIC'
  | 'STOP_LOSS'
  | 'TAKE_PROFIT'
  | 'CARRY_REVERSED'
  | 'ROTATION'
  | 'MAX_HOLD'
  | 'MANUAL';

export type PairPhase =
  | 'IDLE'
  | 'PREFLIGHT'
  | 'OPENING'
  | 'OPEN'
  | 'REBALANCING'
  | 'CLOSING'
  | 'UNWINDING'
  | 'CLOSED'
  | 'FAILED'
  | 'QUARANTINED';

/** The public picture of a position actor; the latest one is the truth. Money in micro-units. */
export interface PairChanged {
  readonly type: 'pair-changed';
  readonly base: string;
  readonly phase: PairPhase | 'RECOVERING';
  readonly pairId: string;
  readonly reason: string;
  readonly long?: LegState;
  readonly short?: LegState;
  readonly openedAtMs: number;
  readonly closedAtMs: number;
  readonly fundingMicro: bigint;
  readonly feesMicro: bigint;
  readonly realisedMicro: bigint;
  /** View C of domain 15.3 (executable), all in; undefined while books are missing. */
  readonly executableMicro?: bigint;
  /** The three views and what they are made of; absent while a mark is missing. */
  readonly views?: PnlViews;
  /** Funding expected and not received, missing payments included; never booked. */
  readonly owedMicro?: bigint;
  /** Of the leg that is nearer to its liquidation, fraction of the mark; absent while none is held or known. */
  readonly liquidationDistance?: number;
  /** How far the legs' marks are apart, in parts of what an entry allows; absent while no pair is held, or a mark is missing. */
  readonly markDivergenceRatio?: number;
  readonly fundingPayments: number;
  /** Orders of ours that may be live at a venue right now. */
  readonly liveOrders: number;
  /** Asked to drain, and nothing is on its way or in between any more. */
  readonly drained: boolean;
  /** Entries on this symbol are refused until this calendar ms. */
  readonly cooldownUntilMs: number;
  /** When pairs of this symbol were closed for better ones, calendar ms, the newest few; absent when none was. */
  readonly rotatedAtMs?: readonly number[];
  /** Legs whose payments contradict the venue's settled rates: no entry on them until a person or the next payment says otherwise. */
  readonly suspectPayments?: readonly SuspectPayment[];
  /** Why a person must look before this symbol is entered again, in words; absent when nobody must. */
  readonly entryBlock?: string;
  /** Sums over all closed pairs of this symbol since the journal began. */
  readonly closedPairs: number;
  readonly closedNetMicro: bigint;
  readonly closedFundingMicro: bigint;
  readonly notionalMicro: bigint;
  /** Unhedged notional times time of this pair, in all lives of its actor, quote x seconds. */
  readonly exposureQuoteSec: number;
}
export interface SuspectPayment {
  readonly venue: string;
  readonly account: string;
  /** Fractions of one settlement: what was paid, and what the venue says was settled. */
  readonly implied: number;
  readonly stated: number;
}
export interface LegState {
  readonly venue: string;
  readonly account: string;
  readonly symbol: string;
  readonly signedLots: number;
  readonly averagePrice: number;
  /** Signed quote paid for the open lots, micro-units. */
  readonly costMicro?: bigint;
  /** What the venue says it holds; absent before its first word. */
  readonly reportedLots?: number;
  /** What the next settlement would pay by the predicted rate and the mark, micro-units, signed; absent while nothing is held or known. */
  readonly nextFunding?: { readonly settleAtMs: number; readonly expectedMicro: bigint };
}

/** What a person saw an account hold, unsigned lots of its instrument. */
export interface AdoptedLeg {
  readonly venue: string;
  readonly account: string;
  readonly lots: number;
}

/** What quote currencies are worth in each other, as the strategy measured it over all symbols. */
export interface QuoteRatesTold {
  readonly type: 'quote-rates-told';
  readonly rates: readonly QuoteRate[];
}

export type PositionMessage =
  | { readonly type: 'enter-pair'; readonly plan: EntryPlan }
  | { readonly type: 'exit-pair'; readonly reason: ExitReason }
  /** A better pair waits for this one's capital; repeated while that is so, forgotten soon after. */
  | { readonly type: 'rotate-pair'; readonly pairId: string; readonly detail: string }
  /** A person has looked at what keeps the symbol out (lots taken by a venue, payments that contradict a rate): enter it again. */
  | { readonly type: 'clear-entry-blocks'; readonly reason: string }
  /** A person says that what these accounts hold, no pair's so far, is to be one pair: refused where it is not exactly that. */
  | {
      readonly type: 'adopt-position';
      readonly long: AdoptedLeg;
      readonly short: AdoptedLeg;
      readonly reason: string;
    }
  /** Stop starting things; tell `pair-changed` when no order is live. */
  | { readonly type: 'drain-position' }
  | { readonly type: 'position-tick' }
  | { readonly type: 'order-deadline'; readonly clientOrderId: string }
  | { readonly type: 'reconcile-overdue'; readonly reconcileId: number }
  | { readonly type: 'plan-durable'; readonly appendId: number }
  | QuoteRatesTold
  | EngineStateChanged
  | ConnectorEvent
  | RowsRead
  | AppendFailed
  | AppendSlow;

export type PositionRef = ActorRef<PositionMessage>;

export const positionDelivery: DeliveryTable<
  Exclude<PositionMessage, EngineStateChanged | ConnectorEvent | RowsRead | AppendFailed | AppendSlow> | PairChanged
> = {
  'enter-pair': { class: 'must-deliver', priority: 'normal' },
  'exit-pair': { class: 'must-deliver', priority: 'risk' },
  'rotate-pair': { class: 'must-deliver', priority: 'normal' },
  'clear-entry-blocks': { class: 'must-deliver', priority: 'normal' },
  'adopt-position': { class: 'must-deliver', priority: 'normal' },
  'drain-position': { class: 'must-deliver', priority: 'risk' },
  'position-tick': { class: 'must-deliver', priority: 'normal' },
  'order-deadline': { class: 'must-deliver', priority: 'order' },
  'reconcile-overdue': { class: 'must-deliver', priority: 'order' },
  'plan-durable': { class: 'must-deliver', priority: 'order' },
  'quote-rates-told': { class: 'state', keyFields: ['type'] },
  'pair-changed': { class: 'state', keyFields: ['base'] },
};
