/** Reads rows: each query walks one index in sequence order and stops at its limit. The thread of the journal only. */
import type Database from 'better-sqlite3';
import { RangeViolation } from '../../money/range-violation.ts';
import { decodePayload } from '../payload.ts';
import type { JournalRow, JournalRowType, StoreQuery } from '../rows.ts';

const READ_ROWS_MAX = 10_000;

/** One row as SQLite gives it. */
export interface StoredRow {
  readonly sequence: number;
  readonly id: string;
  readonly type: JournalRowType;
  readonly atMs: number;
  readonly actor: string;
  readonly correlation: string;
  readonly venueAtMs: number | null;
  readonly causation: string;
  readonly payload: string;
  readonly hash: Uint8Array;
}

export const ROW_COLUMNS =
  'sequence, id, type, at_ms AS atMs, actor, correlation, venue_at_ms AS venueAtMs, causation, payload, hash';

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
    .all(...values)
    .map(toRow);
}

function toRow(stored: StoredRow): JournalRow {
  return {
    id: stored.id,
    type: stored.type,
    atMs: stored.atMs,
    actor: stored.actor,
    correlation: stored.correlation,
    ...(stored.venueAtMs === null ? {} : { venueAtMs: stored.venueAtMs }),
    ...(stored.causation === '' ? {} : { causation: stored.causation }),
    payload: decodePayload(stored.payload),
    sequence: stored.sequence,
  };
}
