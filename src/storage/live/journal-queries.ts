/** Reads rows with the named queries. The thread of the journal only. */
import type Database from 'better-sqlite3';
import { RangeViolation } from '../../money/range-violation.ts';
import { decodePayload } from '../payload.ts';
import { existsSql, LOOKED_AT_MAX, pageSql, QUERIES } from '../queries.ts';
import type { QueryName } from '../queries.ts';
import { NO_ROWS, rowOfColumns } from '../row-page.ts';
import type { ReadPage, RowColumns } from '../row-page.ts';
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
  return prepared<StoredRow>(database, QUERIES[name].sql)
    .raw()
    .all(...values)
    .map(toRow);
}

/** Returns the same rows as a page. Throws as `runQuery` does. */
export function runPageQuery(database: Database.Database, query: ForwardQuery): ReadPage {
  checkLimit(query);
  const { name, values } = queryOf(query);
  const [rows, last, page] = prepared<PageAnswer>(database, pageSql(name))
    .raw()
    .get(...values) ?? [0, null, null];
  if (page === null || last === null) return { page: NO_ROWS, complete: true };
  return { page, complete: rows < query.limit || !hasRows(database, { ...query, afterSequence: last }) };
}

type PageAnswer = readonly [rows: number, last: number | null, page: string | null];

function hasRows(database: Database.Database, query: ForwardQuery): boolean {
  const { name, values } = queryOf(query);
  return (
    prepared<number>(database, existsSql(name))
      .pluck()
      .get(...values) === 1
  );
}

/** Statements by their SQL, as long as their connection: a start asks the same thousands of times, and compiling costs as much as some rows. */
const statements = new WeakMap<Database.Database, Map<string, Database.Statement<(string | number)[], unknown>>>();

function prepared<Row>(database: Database.Database, sql: string): Database.Statement<(string | number)[], Row> {
  let known = statements.get(database);
  if (known === undefined) statements.set(database, (known = new Map()));
  let statement = known.get(sql);
  if (statement === undefined) known.set(sql, (statement = database.prepare<(string | number)[], unknown>(sql)));
  // What a statement's rows are follows from its SQL.
  return statement as Database.Statement<(string | number)[], Row>;
}

function checkLimit({ limit }: StoreQuery): void {
  if (!Number.isSafeInteger(limit) || limit < 1 || limit > READ_ROWS_MAX)
    throw new RangeViolation('row limit of a query', `an integer from 1 to ${READ_ROWS_MAX}`, limit);
}

function toRow(columns: StoredRow): JournalRow {
  return rowOfColumns(columns, decodePayload(columns[8]));
}
