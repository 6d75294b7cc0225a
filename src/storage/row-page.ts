/**
 * Rows on their way to whoever reads many: text, a line each, made by SQLite itself and parsed once, where the rows are needed. As
 * objects they would be parsed on the journal's thread, packed there and unpacked on the reader's. Pure, any thread.
 */
import { encodeRow } from './hash-chain.ts';
import type { EncodedRow } from './hash-chain.ts';
import { decodeMembers } from './payload.ts';
import type { JournalRow, JournalRowType } from './rows.ts';

/** Lines of rows with a line end between two; empty for no rows. JSON holds no line end. */
export type RowPage = string;

/** One row by its columns, in the order of `ROW_COLUMNS`; a line of a page is this as JSON. */
export type RowColumns<Payload> = readonly [
  sequence: number,
  id: string,
  type: JournalRowType,
  atMs: number,
  actor: string,
  correlation: string,
  venueAtMs: number | null,
  causation: string,
  payload: Payload,
];

/** Returns the page of these lines. */
export function pageOfLines(lines: readonly string[]): RowPage {
  return lines.join('\n');
}

/** Returns the rows of a page. Throws SyntaxError when it is none. */
export function rowsOfPage(page: RowPage): readonly JournalRow[] {
  return page === '' ? [] : page.split('\n').map(rowOfLine);
}

/** Returns the page of stored rows, as the journal would answer with it. Throws when a row has no sequence or cannot be stored. */
export function pageOfRows(rows: readonly JournalRow[]): RowPage {
  return pageOfLines(rows.map(lineOfRow));
}

/** Returns the line of a row in its stored form. */
export function lineOfStored(sequence: number, row: EncodedRow): string {
  const columns = [sequence, row.id, row.type, row.atMs, row.actor, row.correlation, row.venueAtMs, row.causation];
  return `${JSON.stringify(columns).slice(0, -1)},${row.payload}]`;
}

function rowOfLine(line: string): JournalRow {
  // The line is one that `lineOfStored` or the journal's query wrote.
  const columns = JSON.parse(line) as RowColumns<unknown>;
  return rowOfColumns(columns, decodeMembers(columns[8], line));
}

/** Returns the row of these columns, whose payload was decoded. */
export function rowOfColumns(
  [sequence, id, type, atMs, actor, correlation, venueAtMs, causation]: RowColumns<unknown>,
  payload: JournalRow['payload'],
): JournalRow {
  // One shape for nearly all rows, made at once: spreading what is absent cost more than the rest.
  if (venueAtMs === null && causation === '') return { id, type, atMs, actor, correlation, payload, sequence };
  return {
    ...{ id, type, atMs, actor, correlation },
    ...(venueAtMs === null ? {} : { venueAtMs }),
    ...(causation === '' ? {} : { causation }),
    payload,
    sequence,
  };
}

/** The same of a row as it is told. Throws when it has no sequence or cannot be stored. */
export function lineOfRow(row: JournalRow): string {
  if (row.sequence === undefined) throw new Error(`row ${row.id} must be stored, it has no sequence`);
  return lineOfStored(row.sequence, encodeRow(row));
}
