/** Reads rows: each query walks one index in sequence order and stops at its limit. The thread of the journal only. */
import type Database from 'better-sqlite3';
import { RangeViolation } from '../../money/range-violation.ts';
import { decodePayload } from '../payload.ts';
import type { JournalRow, JournalRowType, StoreQuery } from '../rows.ts';

const READ_ROWS_MAX = 10_000;

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
function conditionOf(query: StoreQuery): { readonly column: string; readonly value: string } | undefined {
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
  const condition = conditionOf(query);
  const text = `SELECT ${ROW_COLUMNS} FROM rows WHERE ${condition === undefined ? '' : `${condition.column} = ? AND `}sequence > ? ORDER BY sequence LIMIT ?`;
  const values = [...(condition === undefined ? [] : [condition.value]), query.afterSequence, query.limit];
  return database
    .prepare<(string | number)[], StoredRow>(text)
    .raw()
    .all(...values)
    .map(toRow);
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
