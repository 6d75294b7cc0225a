/** How a position actor writes: every fact of its own is applied to its book and sent to the journal as one and the same row. */
import { refOf } from '../../src/runtime/actor.ts';
import { applyRow, applyToOrder } from '../../src/execution/execution-book.ts';
import { orderRowId } from '../../src/execution/facts.ts';
import type { PlannedOrder } from '../../src/execution/facts.ts';
import type { InstrumentSteps } from '../../src/execution/ledger.ts';
import { stepsOf } from '../../src/execution/ledger.ts';
import type { Pair, PairRecord } from '../../src/execution/pair.ts';
import type { Instrument } from '../../src/market/instrument.ts';
import type { JournalRow, JournalRowType } from '../../src/storage/rows.ts';
import type { JournalMessage } from '../journal-messages.ts';
import type { PositionMessage } from '../position-messages.ts';
import type { PendingAppend, PositionSelf, PositionState } from './state.ts';

/** An append without receipt is repeated after this; row ids make the repeat harmless. */
const APPEND_REPEAT_MS = 2_000;
/** More unacknowledged appends than this mean that the store is gone: nothing new is started. */
export const APPENDS_MAX = 256;
/** What is decided at once is a few rows. More of them go one by one, so that no message outgrows what a lane takes in one go. */
const TOGETHER_ROWS_MAX = 32;

/** Makes one of this actor's rows. All of a symbol's rows share their correlation, so that one read finds them in order. */
export function rowOf(
  state: PositionState,
  self: PositionSelf,
  type: JournalRowType,
  id: string,
  payload: JournalRow['payload'],
): JournalRow {
  return { id, type, atMs: self.nowMs(), actor: self.path, correlation: state.args.base, payload };
}

/** Applies rows to the book and sends them to the journal; `clientOrderIds` leave once they are durable. */
export function append(
  state: PositionState,
  self: PositionSelf,
  rows: readonly JournalRow[],
  clientOrderIds: readonly string[] = [],
): void {
  for (const row of rows) applyRow(state.book, row);
  enqueue(state, self, rows, clientOrderIds, 'facts');
}

/** Sends the rows of an adoption without applying them: nothing is believed of it before it is durable. */
export function appendAdoption(state: PositionState, self: PositionSelf, rows: readonly JournalRow[]): void {
  enqueue(state, self, rows, [], 'adoption');
}

/** True while an adoption is being written: nothing may be entered meanwhile. */
export function isAdopting(state: PositionState): boolean {
  for (const { kind } of state.appends.values()) if (kind === 'adoption') return true;
  return false;
}

/**
 * Asks to be told when everything this path wrote so far is durable, an earlier life's rows included: the journal keeps order, so
 * the receipt of this row is theirs too. Reading before that could miss a planned order and give its id out again.
 */
export function appendBarrier(state: PositionState, self: PositionSelf): void {
  const { base, boot } = state.args;
  const row = rowOf(state, self, 'config', `position-started:${base}:${boot}:${self.incarnation}`, {
    base,
    boot,
    incarnation: self.incarnation,
  });
  enqueue(state, self, [row], [], 'barrier');
}

function enqueue(
  state: PositionState,
  self: PositionSelf,
  rows: readonly JournalRow[],
  clientOrderIds: readonly string[],
  kind: PendingAppend['kind'],
): void {
  state.lastAppendId += 1;
  const appendId = state.lastAppendId;
  const receipt: PositionMessage = { type: 'plan-durable', appendId };
  const message: Extract<JournalMessage, { type: 'append-rows' }> = {
    type: 'append-rows',
    rows,
    // This life only: a receipt for an earlier one must not release anything here.
    whenDurable: [{ to: self.ref, message: receipt }],
    sender: self.ref,
    appendId,
    ...(clientOrderIds.length > 0 ? { tellSlow: true as const } : {}),
  };
  state.appends.set(appendId, { message, sentAtMs: self.monotonicMs(), clientOrderIds, kind });
  state.untold.push(message);
}

/**
 * Tells the journal what the handler has written, all at once at its end and in one message. One commit takes what comes together: told
 * one by one, the row of the pair was on its way to the disk while the orders were still being planned, or while the message of their
 * intent was still being written, and their intent waited for a second write.
 */
export function tellJournal(state: PositionState, self: PositionSelf): void {
  const appends = state.untold.splice(0);
  const [only] = appends;
  if (only === undefined) return;
  const journal = refOf<JournalMessage>(state.args.journalPath);
  const rows = appends.reduce((sum, one) => sum + one.rows.length, 0);
  if (appends.length > 1 && rows <= TOGETHER_ROWS_MAX) self.tell(journal, { type: 'append-together', appends });
  else for (const message of appends) self.tell(journal, message);
}

/** Sends appends without receipt again. */
export function repeatAppends(state: PositionState, self: PositionSelf): void {
  const now = self.monotonicMs();
  for (const pending of state.appends.values()) {
    if (now - pending.sentAtMs < APPEND_REPEAT_MS) continue;
    pending.sentAtMs = now;
    self.count('appends-repeated');
    self.tell(refOf<JournalMessage>(state.args.journalPath), pending.message);
  }
}

/** The row of a new order; it is applied and written together with the rest of its plan. */
export function orderRow(
  state: PositionState,
  self: PositionSelf,
  order: PlannedOrder,
  intent: JournalRow,
): JournalRow {
  return { ...rowOf(state, self, 'order-planned', orderRowId(order), { order }), causation: intent.id };
}

/** The row of a pair as it is now. Boot, incarnation and count make its id unlike any other's: calendar time may repeat. */
export function pairRow(state: PositionState, self: PositionSelf, record: PairRecord): JournalRow {
  return rowOf(
    state,
    self,
    'pair-state',
    `pair-state:${record.pairId}:${state.args.boot}.${self.incarnation}.${state.lastAppendId + 1}`,
    { pair: record },
  );
}

/** Takes a pair over; a changed record is journaled, and a new phase starts its own clock in the actor. */
export function keepPair(state: PositionState, self: PositionSelf, pair: Pair): void {
  const changed = pair.record !== state.book.record;
  state.pair = pair;
  if (changed) append(state, self, [pairRow(state, self, pair.record)]);
}

/** Ends an order that was never handed over, in the book and in the journal. */
export function abortOrder(state: PositionState, self: PositionSelf, clientOrderId: string, reason: string): void {
  const order = state.book.orders.get(clientOrderId);
  if (order === undefined || order.status !== 'PLANNED') return;
  const { venue, account, symbol } = order.planned;
  const event = {
    type: 'order-changed',
    venue,
    account,
    symbol,
    clientOrderId,
    status: 'refused',
    venueOrderId: '',
    code: 'LOCAL',
    reason,
    atMs: self.nowMs(),
    sequence: 0,
  };
  append(state, self, [
    rowOf(state, self, 'order-event', `order-aborted:${venue}:${account}:${clientOrderId}`, { event }),
  ]);
}

/**
 * Applies our own handing over. Not a row of its own: the intent and the order are durable before it, and a life that finds an order
 * without news asks the venue about it whether or not it was handed over. The connector's `sending` row follows the bytes.
 */
export function markHandedOver(state: PositionState, clientOrderId: string): void {
  applyToOrder(state.book, clientOrderId, { type: 'handed-over' });
}

/**
 * Journals an instrument's exact steps before anything is counted in them. Returns false when the venue changed the steps of an
 * instrument that is already in the books: its lots would mean something else.
 */
export function defineInstrumentOnce(state: PositionState, self: PositionSelf, instrument: Instrument): boolean {
  const known = stepsOf(state.book.ledger, instrument);
  const { venue, symbol, priceDecimals, tickUnits, quantityDecimals, lotUnits, multiplier } = instrument;
  if (known === undefined) {
    const steps: InstrumentSteps = { venue, symbol, priceDecimals, tickUnits, quantityDecimals, lotUnits, multiplier };
    append(state, self, [rowOf(state, self, 'config', `instrument:${venue}:${symbol}`, { instrument: steps })]);
    return true;
  }
  return (
    known.priceDecimals === priceDecimals &&
    known.tickUnits === tickUnits &&
    known.quantityDecimals === quantityDecimals &&
    known.lotUnits === lotUnits &&
    known.multiplier === multiplier
  );
}
