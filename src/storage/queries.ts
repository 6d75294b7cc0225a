/**
 * Every query the engine reads its journal with, by name: each walks one index in the order of its answer and stops at its limit.
 * A test holds their plans to that; `tandem db explain` shows them. Plain data, any thread.
 */
import type { PageColumns } from './row-page.ts';

/** With two conditions one index is walked and its rows are looked at: so many at most, however rare the wanted ones are. */
export const LOOKED_AT_MAX = 5_000;

/** One row as a query gives it, its columns in this order. */
export const ROW_COLUMNS = 'sequence, id, type, at_ms, actor, correlation, venue_at_ms, causation, payload';

/** A time as JSON: whole ones as such, others with all digits that tell them from their neighbours. */
const time = (column: string): string =>
  `CASE WHEN ${column} = CAST(${column} AS INTEGER) THEN CAST(${column} AS INTEGER)
  WHEN ${column} IS NULL THEN 'null' ELSE printf('%!.17g', ${column}) END`;

/** A page, see row-page.ts: each column's values as a JSON array. */
const PAGE_COLUMNS = {
  sequence: `'[' || group_concat(sequence) || ']'`,
  id: 'json_group_array(id)',
  type: 'json_group_array(type)',
  atMs: `'[' || group_concat(${time('at_ms')}) || ']'`,
  actor: 'json_group_array(actor)',
  correlation: 'json_group_array(correlation)',
  venueAtMs: `'[' || group_concat(${time('venue_at_ms')}) || ']'`,
  causation: 'json_group_array(causation)',
  payload: `'[' || group_concat(payload) || ']'`,
} as const satisfies Readonly<Record<keyof PageColumns, string>>;

const PAGE_TEXT = Object.entries(PAGE_COLUMNS)
  .map(([column, values], place) => `'${place === 0 ? '{' : ','}"${column}":' || ${values} || `)
  .concat(`'}'`)
  .join('');

export interface NamedQuery {
  /** What it is asked for. */
  readonly purpose: string;
  readonly sql: string;
  /** Values that fit its places, for plans and measurements. */
  readonly example: readonly (string | number)[];
}

const forward = (condition: string): string =>
  `SELECT ${ROW_COLUMNS} FROM rows WHERE ${condition}sequence > ? ORDER BY sequence LIMIT ?`;
const backward = (condition: string): string =>
  `SELECT ${ROW_COLUMNS} FROM rows WHERE ${condition}sequence < ? ORDER BY sequence DESC LIMIT ?`;

const PAGE = 500;
const SHOWN = 100;
const END = Number.MAX_SAFE_INTEGER;

export const QUERIES = {
  'rows-all': {
    purpose: 'the monitor follows the journal, row by row',
    sql: forward(''),
    example: [0, PAGE],
  },
  'rows-by-correlation': {
    purpose: 'a position actor reads its symbol when it starts',
    sql: forward('correlation = ? AND '),
    example: ['BTC', 0, PAGE],
  },
  'rows-by-actor': {
    purpose: 'the guard reads what it wrote when it starts',
    sql: forward('actor = ? AND '),
    example: ['guard', 0, PAGE],
  },
  'rows-by-type': {
    purpose: 'reports read one kind of fact',
    sql: forward('type = ? AND '),
    example: ['funding', 0, PAGE],
  },
  latest: {
    purpose: 'the newest rows, for a person',
    sql: backward(''),
    example: [END, SHOWN],
  },
  'latest-by-correlation': {
    purpose: 'the timeline of a symbol',
    sql: backward('correlation = ? AND '),
    example: ['BTC', END, SHOWN],
  },
  'latest-by-type': {
    purpose: 'the newest fills, payments or states',
    sql: backward('type = ? AND '),
    example: ['fill', END, SHOWN],
  },
  'latest-by-correlation-and-type': {
    purpose: 'the newest fills of one symbol',
    // The index alone says which rows to look at, and of those only the wanted ones are read whole: half the time of reading all of them.
    sql: `SELECT ${ROW_COLUMNS} FROM (SELECT sequence AS looked_at FROM rows WHERE correlation = ? AND sequence < ? ORDER BY sequence DESC LIMIT ?) CROSS JOIN rows ON sequence = looked_at WHERE type = ? ORDER BY looked_at DESC LIMIT ?`,
    example: ['BTC', END, LOOKED_AT_MAX, 'fill', SHOWN],
  },
  'row-by-id': {
    purpose: 'a fact that is written again is compared with the stored one',
    sql: 'SELECT sequence, type, payload FROM rows WHERE id = ?',
    example: ['boot:1'],
  },
  'newest-boot': {
    purpose: 'the number of the newest life',
    sql: `SELECT payload FROM rows WHERE type = 'boot' ORDER BY sequence DESC LIMIT 1`,
    example: [],
  },
} as const satisfies Readonly<Record<string, NamedQuery>>;

export type QueryName = keyof typeof QUERIES;

/**
 * Returns the SQL of a query that answers with all its rows as one page, by the same walk: how many they are, the last one's sequence and
 * the text; of no rows 0 and twice NULL.
 */
export function pageSql(name: QueryName): string {
  return `SELECT count(*), max(sequence), ${PAGE_TEXT} FROM (${QUERIES[name].sql})`;
}

/** Returns the SQL of a query that answers with 1 when it has rows, else with 0. */
export function existsSql(name: QueryName): string {
  return `SELECT EXISTS (${QUERIES[name].sql})`;
}
