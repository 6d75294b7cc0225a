/** The facts execution is built from, as connectors tell and journal them. Types only, any thread. */
import type { FillReport, FundingPaymentReport, RefusalClass } from '../venues/venue.ts';

/** A journal row as the folds read it; the storage layer's rows fit this shape. */
export interface FactRow {
  readonly id: string;
  readonly type: string;
  /** Calendar ms at the writer. */
  readonly atMs: number;
  readonly payload: Readonly<Record<string, unknown>>;
}

export type LegSide = 'long' | 'short';
export type OrderPurposeName = 'open' | 'hedge' | 'close' | 'unwind' | 'rebalance' | 'protect';

/** What the connector says became of one order; see the connector's contract for the meaning of each status. */
export interface OrderChangedFact {
  readonly type: 'order-changed';
  readonly venue: string;
  readonly account: string;
  readonly symbol: string;
  readonly clientOrderId: string;
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
  /** Calendar ms. */
  readonly atMs: number;
  readonly sequence: number;
}

export interface FillFact {
  readonly type: 'fill-received';
  readonly venue: string;
  readonly account: string;
  readonly symbol: string;
  readonly fill: FillReport;
}

export interface FundingFact {
  readonly type: 'funding-paid';
  readonly venue: string;
  readonly account: string;
  readonly symbol: string;
  readonly payment: FundingPaymentReport;
}

/** One leg's place in the world: the key of its position and its money. */
export interface LegKey {
  readonly venue: string;
  readonly account: string;
  readonly symbol: string;
}

/** Returns the key as text for maps and row ids. */
export function legKeyText(key: LegKey): string {
  return `${key.venue}:${key.account}:${key.symbol}`;
}

/** Returns the id of the row an order is planned by: what its changes and fills follow from. */
export function orderRowId({
  venue,
  account,
  clientOrderId,
}: Pick<PlannedOrder, 'venue' | 'account' | 'clientOrderId'>): string {
  return `order-planned:${venue}:${account}:${clientOrderId}`;
}

/** Everything about an order that is fixed before it is sent; journaled in its `order-planned` row. */
export interface PlannedOrder extends LegKey {
  readonly clientOrderId: string;
  readonly pairId: string;
  readonly leg: LegSide;
  readonly purpose: OrderPurposeName;
  /** 1 and up per leg of a pair. */
  readonly attempt: number;
  readonly side: 'buy' | 'sell';
  readonly lots: number;
  readonly limitTicks: number;
  readonly reduceOnly: boolean;
  /** Calendar ms after which the venue must not accept it any more. */
  readonly validUntilMs: number;
  /** Post-only: rests on the book until then at most, calendar ms. Absent: immediate or cancel. */
  readonly restsUntilMs?: number;
  /** Waits at the venue until the mark is there (see `protective-stop`): then it takes at once. */
  readonly trigger?: { readonly ticks: number; readonly direction: 'rise' | 'fall' };
  /** Calendar ms. */
  readonly plannedAtMs: number;
  /** Middle of the book when it was planned, ticks with fractions; absent while nobody knew it. For statistics. */
  readonly midTicks?: number;
  /** The fee rate it is expected to pay, pico; for statistics. The fill's own fee is what counts. */
  readonly feeRate?: number;
}

/**
 * Calendar ms until which the venue may still take the order: some know one time only, for the request and for its resting. Venues
 * that keep stops know both.
 */
export function provableAfterMs(order: Pick<PlannedOrder, 'validUntilMs' | 'restsUntilMs' | 'trigger'>): number {
  return order.trigger === undefined ? endsAtMs(order) : order.validUntilMs;
}

/** Calendar ms until which the order may be executed once it was taken. */
export function endsAtMs({ validUntilMs, restsUntilMs }: Pick<PlannedOrder, 'validUntilMs' | 'restsUntilMs'>): number {
  return Math.max(validUntilMs, restsUntilMs ?? validUntilMs);
}
