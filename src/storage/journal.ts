/** What the store port needs of a journal: the SQLite one, or one in memory where time is virtual. Types only. */
import type { EncodedRow } from './hash-chain.ts';
import type { ReadPage } from './row-page.ts';
import type { ForwardQuery, JournalRow, StoreQuery } from './rows.ts';

export interface AppendSummary {
  readonly appended: number;
  /** Places in the appended list of rows that were stored already: nothing changed. */
  readonly repeatedAt: ReadonlySet<number>;
}

export interface Journal {
  /**
   * All or none, in order. Throws RowConflict, with nothing stored, when a row contradicts the stored one of its id; whatever
   * else it throws means that nothing is known about the rows any more: close and open again.
   */
  append(rows: readonly EncodedRow[]): AppendSummary;
  /** Rows in sequence order, at most the query's limit. */
  read(query: StoreQuery): readonly JournalRow[];
  /** The same rows as a page, see row-page.ts. */
  readPage(query: ForwardQuery): ReadPage;
  /** Does what no append should wait for: makes the record of how far the journal went as durable as the rows, and tidies up. */
  upkeep(): void;
  close(): void;
}
