/** Reads the journal behind everybody else and folds it twice: with the ledger's own code, and as plain sums. */
import { refOf } from '../../src/runtime/actor.ts';
import type { FillFact, FundingFact, PlannedOrder } from '../../src/execution/facts.ts';
import { legKeyText } from '../../src/execution/facts.ts';
import { expectFunding, matchPayments, paymentOf, rememberPayment } from '../../src/execution/funding-expectation.ts';
import type { ExpectedPayment } from '../../src/execution/funding-expectation.ts';
import { applyRowToLedger, stepsOf } from '../../src/execution/ledger.ts';
import { noteRow } from '../../src/execution/pair-statistics.ts';
import { tallyRow } from '../../src/execution/tally.ts';
import { rowsOfPage } from '../../src/storage/row-page.ts';
import type { JournalRow } from '../../src/storage/rows.ts';
import type { JournalMessage, RowsRead } from '../journal-messages.ts';
import { acknowledgeRows, brokenByRow } from './report.ts';
import { booksOf } from './state.ts';
import type { MonitorSelf, MonitorState, SymbolBooks } from './state.ts';
import { statisticsRead } from './statistics.ts';

/** Small pages, a millisecond or two each: the journal's thread makes orders durable in between, and none may wait for this. */
const PAGE_ROWS = 32;
const ASK_AGAIN_MS = 2_000;

/** Asks for what was written since, unless an answer is on its way. */
export function askForRows(state: MonitorState, self: MonitorSelf): void {
  const now = self.monotonicMs();
  if (state.askedAtMs !== undefined && now - state.askedAtMs < ASK_AGAIN_MS) return;
  state.askedAtMs = now;
  const read: JournalMessage = {
    type: 'read-rows',
    query: { type: 'all', afterSequence: state.sequence, limit: PAGE_ROWS },
    replyTo: self.ref,
    readId: state.sequence,
  };
  self.tell(refOf<JournalMessage>(state.args.journalPath), read);
}

/** Folds one page. Returns whether it was news; an answer to a question that was asked twice is not. */
export function takeRows(state: MonitorState, self: MonitorSelf, { page, readId }: RowsRead): boolean {
  if (readId !== state.sequence || state.askedAtMs === undefined) return false;
  state.askedAtMs = undefined;
  for (const row of rowsOfPage(page)) {
    state.sequence = row.sequence ?? state.sequence;
    takeRow(state, self, row);
  }
  return true;
}

function takeRow(state: MonitorState, self: MonitorSelf, row: JournalRow): void {
  if (row.type === 'engine-state') {
    if (row.payload['state'] === 'TRADING' && !state.isCaughtUp) acknowledgeRows(state);
    return;
  }
  if (row.type === 'pair-statistics') {
    statisticsRead(state, row);
    return;
  }
  // Rows that carry no symbol carry no money.
  if (row.correlation === '') return;
  const books = booksOf(state, row.correlation);
  if (isTooEarly(books, row)) {
    books.waiting.push(row);
    return;
  }
  fold(state, self, books, row);
  if (row.type === 'config' && books.waiting.length > 0) {
    for (const waiting of books.waiting.splice(0)) {
      if (isTooEarly(books, waiting)) books.waiting.push(waiting);
      else fold(state, self, books, waiting);
    }
  }
}

/** A venue may tell fills from before this engine knew the instrument: they count once its steps are known. */
function isTooEarly(books: SymbolBooks, row: JournalRow): boolean {
  if (row.type !== 'fill') return false;
  const event = row.payload['event'] as FillFact | undefined;
  return event?.type === 'fill-received' && stepsOf(books.ledger, event) === undefined;
}

function fold(state: MonitorState, self: MonitorSelf, books: SymbolBooks, row: JournalRow): void {
  applyRowToLedger(books.ledger, row);
  for (const breach of tallyRow(books.tally, row)) brokenByRow(state, self, breach);
  const pairId = noteRow(books.statistics, row);
  if (pairId !== undefined) books.touchedPairs.add(pairId);
  const payload = row.payload as {
    readonly event?: FillFact | FundingFact;
    readonly order?: PlannedOrder;
    readonly expected?: ExpectedPayment;
    readonly adjustment?: { readonly venue: string; readonly account: string; readonly symbol: string };
  };
  const leg = payload.event ?? payload.adjustment;
  if (leg !== undefined && (row.type === 'fill' || row.type === 'funding' || row.type === 'adjust'))
    books.touchedLegs.add(legKeyText(leg));
  if (row.type === 'funding-expected' && payload.expected !== undefined) {
    // Nothing ages here: what did not come in time is owed all the same.
    const expectation = { ...payload.expected, createdAtMs: Number.POSITIVE_INFINITY };
    const next = expectFunding(books.expectations, expectation);
    // Only the new one can match a payment that came before it.
    if (next !== books.expectations)
      books.expectations = [...next.slice(0, -1), ...matchPayments(next.slice(-1), books.payments)];
  }
  if (row.type === 'funding' && payload.event?.type === 'funding-paid') {
    const payment = paymentOf(payload.event);
    books.payments = rememberPayment(books.payments, payment);
    books.expectations = matchPayments(books.expectations, [payment]);
  }
}
