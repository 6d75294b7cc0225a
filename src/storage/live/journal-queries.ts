/** Reads rows: each query walks one index in sequence order and stops at its limit. The thread of the journal only. */
import type Database from 'better-sqlite3';
import { RangeViolation } from '../../money/range-violation.ts';
import { decodePayload } from '../payload.ts';
import type { ForwardQuery, JournalRow, JournalRowType, LatestRows, StoreQuery } from '../rows.ts';

const READ_ROWS_MAX = 10_000;
/** With two conditions one index is walked and its rows are looked at: so many at most, however rare the wanted ones are. */
export const LOOKED_AT_MAX = 10_000;

/**
 * One row as SQLite gives it, its columns in the order of `ROW_COLUMNS`: an array costs half of an object with names, and a start reads
 * a million of them.
 */
type StoredRow = readonly [
  sequence: number,
  id: string,
  type: JournalRowType,
  atMs: number,
  actor: string,
  correlation: string,
  venueAtMs: number | null,
  causation: string,
  payload: string,
];

const ROW_COLUMNS = 'sequence, id, type, at_ms, actor, correlation, venue_at_ms, causation, payload';

/** The column that selects, and its value; undefined for all rows. */
function conditionOf(query: ForwardQuery): { readonly column: string; readonly value: string } | undefined {
  switch (query.type) {
    case 'all':
      return undefined;
    case 'by-correlation':
      return { column: 'correlation', value: query.correlation };
    case 'by-actor':
      return { column: 'actor', value: query.actor };
    case 'by-type':
      return { column: 'type', value: query.rowType };
  }
}

/** Returns rows after `afterSequence`, at most `limit`. Throws RangeViolation for a limit outside 1 to 10,000. */
export function runQuery(database: Database.Database, query: StoreQuery): readonly JournalRow[] {
  if (!Number.isSafeInteger(query.limit) || query.limit < 1 || query.limit > READ_ROWS_MAX) {
    throw new RangeViolation('row limit of a query', `an integer from 1 to ${READ_ROWS_MAX}`, query.limit);
  }
  if (query.type === 'latest') return readLatest(database, query);
  const condition = conditionOf(query);
  const text = `SELECT ${ROW_COLUMNS} FROM rows WHERE ${condition === undefined ? '' : `${condition.column} = ? AND `}sequence > ? ORDER BY sequence LIMIT ?`;
  const values = [...(condition === undefined ? [] : [condition.value]), query.afterSequence, query.limit];
  return database
    .prepare<(string | number)[], StoredRow>(text)
    .raw()
    .all(...values)
    .map(toRow);
}

function readLatest(database: Database.Database, query: LatestRows): readonly JournalRow[] {
  const before = query.beforeSequence ?? Number.MAX_SAFE_INTEGER;
  const { correlation, rowType, limit } = query;
  const walked = (column: string | undefined, rows: string): string =>
    `SELECT ${rows} FROM rows WHERE ${column === undefined ? '' : `${column} = ? AND `}sequence < ? ORDER BY sequence DESC LIMIT ?`;
  const all = (text: string, values: readonly (string | number)[]): readonly JournalRow[] =>
    database
      .prepare<(string | number)[], StoredRow>(text)
      .raw()
      .all(...values)
      .map(toRow);
  if (correlation !== undefined && rowType !== undefined) {
    const text = `SELECT ${ROW_COLUMNS} FROM rows WHERE type = ? AND sequence IN (${walked('correlation', 'sequence')}) ORDER BY sequence DESC LIMIT ?`;
    return all(text, [rowType, correlation, before, LOOKED_AT_MAX, limit]);
  }
  if (correlation !== undefined) return all(walked('correlation', ROW_COLUMNS), [correlation, before, limit]);
  if (rowType !== undefined) return all(walked('type', ROW_COLUMNS), [rowType, before, limit]);
  return all(walked(undefined, ROW_COLUMNS), [before, limit]);
}

function toRow([sequence, id, type, atMs, actor, correlation, venueAtMs, causation, payload]: StoredRow): JournalRow {
  // One shape for nearly all rows, made at once: spreading what is absent cost more than the rest.
  const decoded = decodePayload(payload);
  if (venueAtMs === null && causation === '') return { id, type, atMs, actor, correlation, payload: decoded, sequence };
  return {
    ...{ id, type, atMs, actor, correlation },
    ...(venueAtMs === null ? {} : { venueAtMs }),
    ...(causation === '' ? {} : { causation }),
    payload: decoded,
    sequence,
  };
}
