/**
 * Folds one symbol's journal row by row as its pages are read: nothing of a long history is kept but what it adds up to. Owned and
 * changed by one actor.
 */
import { applyRow, emptyBook } from './execution-book.ts';
import type { ExecutionBook } from './execution-book.ts';
import type { FactRow, FillFact } from './facts.ts';
import { emptyFundingFold, endFundingFold, foldFundingRow } from './funding-expectation.ts';
import type { FundingExpectation, FundingFold, ReceivedPayment } from './funding-expectation.ts';
import { foldReductionRow, noReductions } from './leg-reduction.ts';
import type { ReductionFold } from './leg-reduction.ts';
import { applyRowToLedger, stepsOf } from './ledger.ts';
import type { Adjustment } from './ledger.ts';
import { foldRotationRow } from './rotation-history.ts';

/** What all rows of a symbol add up to. */
export interface History extends ReductionFold {
  readonly book: ExecutionBook;
  readonly expectations: readonly FundingExpectation[];
  readonly payments: readonly ReceivedPayment[];
  readonly rotatedAtMs: readonly number[];
}

export interface HistoryFold {
  readonly book: ExecutionBook;
  /** Rows for the book that came before the steps of their instrument, and all for the book after them: their order counts. */
  readonly waiting: FactRow[];
  readonly funding: FundingFold;
  reductions: ReductionFold;
  rotatedAtMs: readonly number[];
}

export function beginHistory(): HistoryFold {
  return {
    book: emptyBook(),
    waiting: [],
    funding: emptyFundingFold(),
    reductions: noReductions,
    rotatedAtMs: [],
  };
}

/** Adds the next row in sequence order. `monotonicOf` places a row's calendar time in this life. */
export function foldHistoryRow(fold: HistoryFold, row: FactRow, monotonicOf: (atMs: number) => number): void {
  foldFundingRow(fold.funding, row, monotonicOf);
  fold.reductions = foldReductionRow(fold.reductions, row);
  fold.rotatedAtMs = foldRotationRow(fold.rotatedAtMs, row);
  foldForBook(fold, row);
}

/** Returns the sum of all rows. Throws when there are fills of an instrument whose steps no row tells. */
export function endHistory(fold: HistoryFold): History {
  for (const row of fold.waiting) applyRow(fold.book, row);
  fold.waiting.length = 0;
  return { book: fold.book, ...endFundingFold(fold.funding), ...fold.reductions, rotatedAtMs: fold.rotatedAtMs };
}

/** A venue may replay fills from before this engine knew the instrument: the steps a later row tells hold for them too. */
function foldForBook({ book, waiting }: HistoryFold, row: FactRow): void {
  if (row.type === 'config') {
    applyRowToLedger(book.ledger, row);
    const ready = waiting.findIndex((earlier) => lacksSteps(book, earlier));
    for (const earlier of waiting.splice(0, ready < 0 ? waiting.length : ready)) applyRow(book, earlier);
  } else if (waiting.length > 0 || lacksSteps(book, row)) {
    waiting.push(row);
  } else {
    applyRow(book, row);
  }
}

function lacksSteps({ ledger }: ExecutionBook, { payload }: FactRow): boolean {
  // Written by connectors and position actors, in exactly these shapes.
  const { event, adjustment } = payload as { readonly event?: FillFact; readonly adjustment?: Adjustment };
  if (event?.type === 'fill-received') return stepsOf(ledger, event) === undefined;
  return adjustment !== undefined && stepsOf(ledger, adjustment) === undefined;
}
