/**
 * Rows on their way to whoever reads many: text made by SQLite itself and parsed once, where the rows are needed. As objects they would
 * be parsed on the journal's thread, packed there and unpacked on the reader's.
 *
 * A page is one JSON object of its rows' columns, each an array with a value for each row: parsed at once it costs two thirds of
 * what its rows cost one by one, and SQLite makes it in two thirds of the time. Pure, any thread.
 */
import { encodeRow } from './hash-chain.ts';
import type { EncodedRow } from './hash-chain.ts';
import { decodeMembers, mayHoldMarks } from './payload.ts';
import type { JournalRow, JournalRowType } from './rows.ts';

/** Text of a page; empty for no rows. */
export type RowPage = string;

/** What a journal answers a reader with. */
export interface ReadPage {
  readonly page: RowPage;
  /** False when more rows of the query follow the last one. */
  readonly complete: boolean;
}

export const NO_ROWS: RowPage = '';

/** What the text of a page says; row n is what stands at place n of each. */
export interface PageColumns {
  readonly sequence: readonly number[];
  readonly id: readonly string[];
  readonly type: readonly JournalRowType[];
  readonly atMs: readonly number[];
  readonly actor: readonly string[];
  readonly correlation: readonly string[];
  readonly venueAtMs: readonly (number | null)[];
  readonly causation: readonly string[];
  readonly payload: readonly unknown[];
}

const COLUMN_NAMES = [
  ...['sequence', 'id', 'type', 'atMs', 'actor'],
  ...['correlation', 'venueAtMs', 'causation', 'payload'],
] as readonly (keyof PageColumns)[];

/** One row by its columns, in the order of `ROW_COLUMNS`. */
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

/** A row in its stored form and where it stands. */
export type PlacedRow = readonly [sequence: number, row: EncodedRow];

/** Returns the rows of a page. Throws SyntaxError when it is none. */
export function rowsOfPage(page: RowPage): readonly JournalRow[] {
  if (page === NO_ROWS) return [];
  const columns = columnsOf(page);
  const hasMarks = mayHoldMarks(page);
  return columns.sequence.map((_, place) => rowAt(columns, place, hasMarks));
}

/** Returns the page of these rows, as SQLite makes it. */
export function pageOfStored(rows: readonly PlacedRow[]): RowPage {
  if (rows.length === 0) return NO_ROWS;
  const column = (of: (row: EncodedRow) => string | number | null): string =>
    JSON.stringify(rows.map(([, row]) => of(row)));
  const members = {
    sequence: JSON.stringify(rows.map(([sequence]) => sequence)),
    id: column(({ id }) => id),
    type: column(({ type }) => type),
    atMs: column(({ atMs }) => atMs),
    actor: column(({ actor }) => actor),
    correlation: column(({ correlation }) => correlation),
    venueAtMs: column(({ venueAtMs }) => venueAtMs),
    causation: column(({ causation }) => causation),
    payload: `[${rows.map(([, { payload }]) => payload).join(',')}]`,
  } satisfies Readonly<Record<keyof PageColumns, string>>;
  return `{${Object.entries(members)
    .map(([name, values]) => `"${name}":${values}`)
    .join(',')}}`;
}

/** Returns the page of stored rows, as the journal would answer with it. Throws when a row has no sequence or cannot be stored. */
export function pageOfRows(rows: readonly JournalRow[]): RowPage {
  return pageOfStored(
    rows.map((row) => {
      if (row.sequence === undefined) throw new Error(`row ${row.id} must be stored, it has no sequence`);
      return [row.sequence, encodeRow(row)];
    }),
  );
}

/** Returns the row of these columns, whose payload was decoded. */
export function rowOfColumns(
  [sequence, id, type, atMs, actor, correlation, venueAtMs, causation]: RowColumns<unknown>,
  payload: JournalRow['payload'],
): JournalRow {
  return rowOf({ id, type, atMs, actor, correlation, payload, sequence }, venueAtMs, causation);
}

/** A payload that is not one value would move all behind it to other rows. */
function columnsOf(page: RowPage): PageColumns {
  // The text is one that `pageOfStored` or the journal's query wrote.
  const columns = JSON.parse(page) as Partial<PageColumns>;
  const rows = columns.sequence?.length;
  for (const name of COLUMN_NAMES) {
    if (columns[name]?.length !== rows || rows === undefined)
      throw new SyntaxError(`a page must have ${rows} values in each column, was ${page.slice(0, 80)}`);
  }
  return columns as PageColumns;
}

/** A row from columns of one length: the place is one of theirs. */
function rowAt(columns: PageColumns, place: number, hasMarks: boolean): JournalRow {
  return rowOf(
    {
      id: columns.id[place] as string,
      type: columns.type[place] as JournalRowType,
      atMs: columns.atMs[place] as number,
      actor: columns.actor[place] as string,
      correlation: columns.correlation[place] as string,
      payload: decodeMembers(columns.payload[place], hasMarks),
      sequence: columns.sequence[place] as number,
    },
    columns.venueAtMs[place] as number | null,
    columns.causation[place] as string,
  );
}

function rowOf(row: JournalRow, venueAtMs: number | null, causation: string): JournalRow {
  // One shape for nearly all rows, made at once: spreading what is absent cost more than the rest.
  if (venueAtMs === null && causation === '') return row;
  const { payload, sequence, ...rest } = row;
  return {
    ...rest,
    ...(venueAtMs === null ? {} : { venueAtMs }),
    ...(causation === '' ? {} : { causation }),
    payload,
    ...(sequence === undefined ? {} : { sequence }),
  };
}
