/** Reads rows with the named queries. The thread of the journal only. */
import type Database from 'better-sqlite3';
import { RangeViolation } from '../../money/range-violation.ts';
import { decodePayload } from '../payload.ts';
import { linesSql, LOOKED_AT_MAX, QUERIES } from '../queries.ts';
import type { QueryName } from '../queries.ts';
import { rowOfColumns } from '../row-page.ts';
import type { RowColumns } from '../row-page.ts';
import type { ForwardQuery, JournalRow, StoreQuery } from '../rows.ts';

const READ_ROWS_MAX = 10_000;

/**
 * One row as SQLite gives it: an array costs half of an object with names, and there may be many.
 */
type StoredRow = RowColumns<string>;

interface Asked {
  readonly name: QueryName;
  readonly values: readonly (string | number)[];
}

/** Returns the query a question is answered with. */
export function queryOf(query: StoreQuery): Asked {
  switch (query.type) {
    case 'all':
      return { name: 'rows-all', values: [query.afterSequence, query.limit] };
    case 'by-correlation':
      return { name: 'rows-by-correlation', values: [query.correlation, query.afterSequence, query.limit] };
    case 'by-actor':
      return { name: 'rows-by-actor', values: [query.actor, query.afterSequence, query.limit] };
    case 'by-type':
      return { name: 'rows-by-type', values: [query.rowType, query.afterSequence, query.limit] };
    case 'latest': {
      const { correlation, rowType, limit, beforeSequence: before = Number.MAX_SAFE_INTEGER } = query;
      if (correlation !== undefined && rowType !== undefined) {
        return { name: 'latest-by-correlation-and-type', values: [correlation, before, LOOKED_AT_MAX, rowType, limit] };
      }
      if (correlation !== undefined) return { name: 'latest-by-correlation', values: [correlation, before, limit] };
      if (rowType !== undefined) return { name: 'latest-by-type', values: [rowType, before, limit] };
      return { name: 'latest', values: [before, limit] };
    }
  }
}

/** Returns the rows asked for. Throws RangeViolation for a limit outside 1 to 10,000. */
export function runQuery(database: Database.Database, query: StoreQuery): readonly JournalRow[] {
  checkLimit(query);
  const { name, values } = queryOf(query);
  return database
    .prepare<(string | number)[], StoredRow>(QUERIES[name].sql)
    .raw()
    .all(...values)
    .map(toRow);
}

/** Returns the same rows, each as one text. Throws as `runQuery` does. */
export function runLinesQuery(database: Database.Database, query: ForwardQuery): readonly string[] {
  checkLimit(query);
  const { name, values } = queryOf(query);
  return database
    .prepare<(string | number)[], string>(linesSql(name))
    .pluck()
    .all(...values);
}

function checkLimit({ limit }: StoreQuery): void {
  if (!Number.isSafeInteger(limit) || limit < 1 || limit > READ_ROWS_MAX)
    throw new RangeViolation('row limit of a query', `an integer from 1 to ${READ_ROWS_MAX}`, limit);
}

function toRow(columns: StoredRow): JournalRow {
  return rowOfColumns(columns, decodePayload(columns[8]));
}
