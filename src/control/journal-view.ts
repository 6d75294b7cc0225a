/** The journal as a person reads it: pages of rows, newest first, and one symbol as it was at a row. Main thread only. */
import type { RowsPage } from '../../actors/journal-messages.ts';
import { ordersOfPair } from '../execution/execution-book.ts';
import { beginHistory, endHistory, foldHistoryRow } from '../execution/history-fold.ts';
import type { ExecutionBook } from '../execution/execution-book.ts';
import { pairBook } from '../execution/ledger.ts';
import type { PairBook } from '../execution/ledger.ts';
import type { PairRecord } from '../execution/pair.ts';
import type { JournalRow, JournalRowType, LatestRows, StoreQuery } from '../storage/rows.ts';
import { BadRequest } from './control-actions.ts';

/** What `GET /debug/journal` answers: newest first. */
export interface JournalPage {
  readonly rows: readonly JournalRow[];
  /** True when there are no older ones. */
  readonly complete: boolean;
}

/** What `GET /debug/journal/at/BTC?row=123` answers: what was durably known of a symbol right after that row. */
export interface PairAtRow {
  readonly base: string;
  readonly row: number;
  /** Of the last row of this symbol at or before `row`, calendar ms. */
  readonly atMs: number;
  readonly rowsFolded: number;
  /** The symbol's rows next to it; absent at the ends. */
  readonly previous?: number;
  readonly next?: number;
  readonly pair?: Pick<PairRecord, 'pairId' | 'phase' | 'reason'>;
  readonly pairBook?: PairBook;
  /** Legs that hold something. */
  readonly positions: readonly { readonly leg: string; readonly signedLots: number; readonly costMicro: bigint }[];
  /** Of the pair, oldest first. */
  readonly orders: readonly {
    readonly clientOrderId: string;
    readonly leg: string;
    readonly purpose: string;
    readonly status: string;
    readonly lots: number;
    readonly filledLots: number;
  }[];
}

/** Asks the journal for a page. */
export type ReadRows = (query: StoreQuery) => Promise<RowsPage>;

const ROWS_MAX = 200;
const ROWS_DEFAULT = 100;
/** Rows read at a time. */
const FOLD_ROWS = 500;
const TYPE_CHARACTERS_MAX = 40;

/** Reads `?correlation=&type=&before=&limit=`. Throws BadRequest. */
export function journalQuery(parameter: (name: string) => string | undefined): LatestRows {
  const correlation = parameter('correlation');
  const rowType = parameter('type');
  const before = parameter('before');
  if (rowType !== undefined && (rowType.length > TYPE_CHARACTERS_MAX || !/^[a-z-]+$/.test(rowType))) {
    throw new BadRequest('type', 'a type of row, for example fill', rowType.slice(0, TYPE_CHARACTERS_MAX));
  }
  return {
    type: 'latest',
    limit: readCount('limit', parameter('limit'), ROWS_MAX) ?? ROWS_DEFAULT,
    ...(correlation === undefined ? {} : { correlation }),
    // An unknown type is a type without rows.
    ...(rowType === undefined ? {} : { rowType: rowType as JournalRowType }),
    ...(before === undefined ? {} : { beforeSequence: readRow('before', before) }),
  };
}

/** Reads a row's number. Throws BadRequest. */
export function readRow(name: string, text: string | undefined): number {
  const row = readCount(name, text, Number.MAX_SAFE_INTEGER);
  if (row === undefined) throw new BadRequest(name, 'the number of a row', text);
  return row;
}

function readCount(name: string, text: string | undefined, most: number): number | undefined {
  if (text === undefined) return undefined;
  const count = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (!(count >= 1 && count <= most)) throw new BadRequest(name, `a whole number from 1 to ${most}`, text);
  return count;
}

/**
 * Folds the symbol's rows up to and including `row`, page by page as recovery does: nothing of a long history is kept but its sum, and
 * others are served in between. Undefined when it has no row that early.
 */
export async function pairAtRow(read: ReadRows, base: string, row: number): Promise<PairAtRow | undefined> {
  const fold = beginHistory();
  let rowsFolded = 0;
  let previous: number | undefined;
  let last: JournalRow | undefined;
  let next: number | undefined;
  for (let isOver = false; !isOver;) {
    const afterSequence = last?.sequence ?? 0;
    const page = await read({ type: 'by-correlation', correlation: base, afterSequence, limit: FOLD_ROWS });
    for (const one of page.rows) {
      if ((one.sequence ?? 0) > row) {
        next = one.sequence;
        break;
      }
      foldHistoryRow(fold, one, (atMs) => atMs);
      rowsFolded += 1;
      previous = last?.sequence;
      last = one;
    }
    isOver = next !== undefined || page.complete || page.rows.length === 0;
  }
  if (last === undefined) return undefined;
  return {
    base,
    row,
    atMs: last.atMs,
    rowsFolded,
    ...(previous === undefined ? {} : { previous }),
    ...(next === undefined ? {} : { next }),
    ...picture(endHistory(fold).book),
  };
}

function picture(book: ExecutionBook): Pick<PairAtRow, 'pair' | 'pairBook' | 'positions' | 'orders'> {
  const { record, ledger } = book;
  return {
    ...(record === undefined
      ? {}
      : {
          pair: { pairId: record.pairId, phase: record.phase, reason: record.reason },
          pairBook: pairBook(ledger, record.pairId),
        }),
    positions: [...ledger.books]
      .filter(([, { signedLots }]) => signedLots !== 0)
      .map(([leg, { signedLots, costMicro }]) => ({ leg, signedLots, costMicro })),
    orders: (record === undefined ? [] : ordersOfPair(book, record.pairId)).map(({ planned, status, filledLots }) => ({
      clientOrderId: planned.clientOrderId,
      leg: planned.leg,
      purpose: planned.purpose,
      status,
      lots: planned.lots,
      filledLots,
    })),
  };
}
