/**
 * All durable knowledge of one symbol: its ledger, its orders and its newest pair, as the fold of journal rows. The live actor
 * applies the same rows and facts as they happen, so that what recovery rebuilds is what was there. Owned by one actor.
 */
import { decodeClientOrderId } from './client-order-id.ts';
import type { FactRow, FillFact, FundingFact, LegSide, OrderChangedFact, PlannedOrder } from './facts.ts';
import { applyFill, applyFunding, applyRowToLedger, bookOf, emptyLedger } from './ledger.ts';
import type { Ledger, LegBook } from './ledger.ts';
import { advanceOrder, isSettled, plannedOrder } from './order-state.ts';
import type { OrderEffect, OrderInput, OrderState } from './order-state.ts';
import type { PairRecord } from './pair.ts';

export interface ExecutionBook {
  readonly ledger: Ledger;
  /** By client order id, in the order they were planned. */
  readonly orders: Map<string, OrderState>;
  /** The newest pair, ended or not. */
  record: PairRecord | undefined;
  /** The books of both legs as they were when that pair was entered: what they gained since is the pair's. */
  legsAtEntry: { readonly [Leg in LegSide]?: LegBook };
}

export type ExecutionFact = OrderChangedFact | FillFact | FundingFact;

/** What applying a fact did, beyond changing the book. */
export interface FactOutcome {
  /** False: known already, nothing changed. */
  readonly isNew: boolean;
  /** The order concerned, when it is one of ours. */
  readonly order: OrderState | undefined;
  readonly effects: readonly OrderEffect[];
}

/** Settled orders stay this long (calendar ms): late fills must find them. */
const ORDER_KEPT_MS = 24 * 3_600_000;

export function emptyBook(): ExecutionBook {
  return { ledger: emptyLedger(), orders: new Map(), record: undefined, legsAtEntry: {} };
}

/** Rebuilds the book of one symbol from its rows in sequence order. Pure and deterministic. */
export function foldBook(rows: readonly FactRow[]): ExecutionBook {
  const book = emptyBook();
  for (const row of rows) if (row.type === 'config') applyRowToLedger(book.ledger, row);
  for (const row of rows) if (row.type !== 'config') applyRow(book, row);
  return book;
}

/** Applies one row of this symbol. */
export function applyRow(book: ExecutionBook, row: FactRow): void {
  // Each payload was written by this engine in exactly this shape (see the writers: position actor and connectors).
  const payload = row.payload as {
    readonly event?: ExecutionFact;
    readonly order?: PlannedOrder;
    readonly pair?: PairRecord;
  };
  if (payload.event !== undefined) {
    applyFact(book, payload.event);
    return;
  }
  applyRowToLedger(book.ledger, row);
  if (row.type === 'order-planned' && payload.order !== undefined) {
    if (!book.orders.has(payload.order.clientOrderId))
      book.orders.set(payload.order.clientOrderId, plannedOrder(payload.order));
  }
  if (row.type === 'pair-state' && payload.pair !== undefined) {
    if (!isNewer(payload.pair, book.record)) return;
    if (book.record?.pairId !== payload.pair.pairId) {
      forgetOldOrders(book, row.atMs);
      const { long, short } = payload.pair;
      book.legsAtEntry = { long: bookOf(book.ledger, long), short: bookOf(book.ledger, short) };
    }
    book.record = payload.pair;
  }
}

/** Applies one fact told by a connector; the same fact again changes nothing. */
export function applyFact(book: ExecutionBook, fact: ExecutionFact): FactOutcome {
  switch (fact.type) {
    case 'funding-paid':
      return { isNew: applyFunding(book.ledger, fact), order: undefined, effects: [] };
    case 'fill-received': {
      const isNew = applyFill(book.ledger, fact);
      return { ...applyToOrder(book, fact.fill.clientOrderId, { type: 'filled', fill: fact.fill }), isNew };
    }
    case 'order-changed':
      return applyToOrder(book, fact.clientOrderId, { type: 'changed', fact });
  }
}

/** Joins an input into one of our orders. */
export function applyToOrder(book: ExecutionBook, clientOrderId: string, input: OrderInput): FactOutcome {
  const before = book.orders.get(clientOrderId);
  if (before === undefined) return { isNew: false, order: undefined, effects: [] };
  const { order, effects } = advanceOrder(before, input);
  book.orders.set(clientOrderId, order);
  return { isNew: true, order, effects };
}

/** Orders of one pair, oldest first. */
export function ordersOfPair(book: ExecutionBook, pairId: string): readonly OrderState[] {
  return [...book.orders.values()].filter((order) => order.planned.pairId === pairId);
}

/** Returns the highest counter used in this boot, by an order or by the newest pair, 0 when none: the next continues after it. */
export function highestCounter(book: ExecutionBook, boot: number): number {
  // An adopted pair has no order that would tell of its number.
  const pair = /-(\d+)-(\d+)$/.exec(book.record?.pairId ?? '');
  let highest = Number(pair?.[1]) === boot ? Number(pair?.[2]) : 0;
  for (const clientOrderId of book.orders.keys()) {
    const parts = decodeClientOrderId(clientOrderId);
    if (parts?.boot === boot) highest = Math.max(highest, parts.counter);
  }
  return highest;
}

/** Pair ids sort by age; within a pair the revision counts. A row that was repeated late must not bring an old state back. */
function isNewer(candidate: PairRecord, known: PairRecord | undefined): boolean {
  if (known === undefined || candidate.pairId > known.pairId) return true;
  return candidate.pairId === known.pairId && candidate.revision >= known.revision;
}

function forgetOldOrders(book: ExecutionBook, nowMs: number): void {
  for (const [clientOrderId, order] of book.orders) {
    if (isSettled(order) && nowMs - order.planned.plannedAtMs > ORDER_KEPT_MS) book.orders.delete(clientOrderId);
  }
}
