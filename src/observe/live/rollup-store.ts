/** Roll-ups of metrics on disk: written once a minute, read by metric, dropped when they are too old. A thread of its own. */
import { join } from 'node:path';
import Database from 'better-sqlite3';
import type { Database as Connection, Statement } from 'better-sqlite3';
import type { Rollup } from '../rollups.ts';

export const ROLLUP_FILE = 'metrics.db';
const VERSION = 1;
/** Rows of an answer at most. */
const ROWS_MAX = 20_000;
const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
/** Lengths of the periods there are rows of. */
export const PERIODS_MS = [MINUTE_MS, HOUR_MS] as const;
const DAY_MS = 24 * HOUR_MS;
/** Minutes are kept this long, hours as long as configured. */
const MINUTES_KEPT_MS = DAY_MS;

// Another file than the journal's: nothing of this may ever hold up an order, and it may be deleted at any time.
const SCHEMA = `
  CREATE TABLE rollup (
    name TEXT NOT NULL,
    labels TEXT NOT NULL,
    period_ms INTEGER NOT NULL,
    at_ms INTEGER NOT NULL,
    count REAL NOT NULL,
    sum REAL NOT NULL,
    max REAL NOT NULL,
    last REAL NOT NULL,
    edge REAL NOT NULL,
    PRIMARY KEY (name, period_ms, at_ms, labels)
  ) WITHOUT ROWID;
  CREATE INDEX rollup_by_age ON rollup (period_ms, at_ms);
  PRAGMA user_version = ${VERSION};
`;

interface Row {
  readonly name: string;
  readonly labels: string;
  readonly period_ms: number;
  readonly at_ms: number;
  readonly count: number;
  readonly sum: number;
  readonly max: number;
  readonly last: number;
  readonly edge: number;
}

export interface RollupQuery {
  readonly name: string;
  readonly fromMs: number;
}

export class RollupStore {
  readonly #connection: Connection;
  readonly #retentionMs: number;
  readonly #insert: Statement;
  readonly #select: Statement<unknown[], Row>;
  readonly #prune: Statement;

  /** Opens the file, made anew when it is of another version. Throws what SQLite throws. */
  constructor(directory: string, retentionDays: number) {
    this.#retentionMs = retentionDays * DAY_MS;
    this.#connection = new Database(join(directory, ROLLUP_FILE));
    this.#connection.pragma('journal_mode = WAL');
    // The end may be lost in a power failure: these are numbers to look at, not to trade by.
    this.#connection.pragma('synchronous = NORMAL');
    const version = this.#connection.pragma('user_version', { simple: true });
    if (version !== VERSION) {
      this.#connection.exec('DROP TABLE IF EXISTS rollup');
      this.#connection.exec(SCHEMA);
    }
    this.#insert = this.#connection.prepare(
      `INSERT OR REPLACE INTO rollup (name, labels, period_ms, at_ms, count, sum, max, last, edge)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    );
    this.#select = this.#connection.prepare(
      `SELECT * FROM rollup WHERE name = ? AND period_ms = ? AND at_ms >= ? AND at_ms < ?
       ORDER BY at_ms DESC LIMIT ${ROWS_MAX}`,
    );
    this.#prune = this.#connection.prepare('DELETE FROM rollup WHERE period_ms = ? AND at_ms < ?');
  }

  /** Writes rows, all or none, and drops what is too old by then. */
  write(rows: readonly Rollup[], nowMs: number): void {
    this.#connection.transaction(() => {
      for (const { name, labels, periodMs, atMs, count, sum, max, last, edge } of rows)
        this.#insert.run(name, JSON.stringify(labels), periodMs, atMs, count, sum, max, last, edge);
      this.#prune.run(MINUTE_MS, nowMs - MINUTES_KEPT_MS);
      this.#prune.run(HOUR_MS, nowMs - this.#retentionMs);
    })();
  }

  /** Returns the rows of a metric, oldest first: minutes as far back as they are kept, hours before. */
  read({ name, fromMs }: RollupQuery, nowMs: number): readonly Rollup[] {
    const minutesFromMs = Math.floor((nowMs - MINUTES_KEPT_MS) / HOUR_MS) * HOUR_MS + HOUR_MS;
    const minutes = this.#select.all(name, MINUTE_MS, Math.max(fromMs, minutesFromMs), Number.MAX_SAFE_INTEGER);
    // Where minutes begin is where hours end; a young file has minutes only since it was made.
    const firstMs = minutes.at(-1)?.at_ms ?? Number.MAX_SAFE_INTEGER;
    const hours = this.#select.all(name, HOUR_MS, fromMs, Math.floor(firstMs / HOUR_MS) * HOUR_MS);
    return [...hours.toReversed(), ...minutes.toReversed()].map(rollupOf);
  }

  close(): void {
    this.#connection.close();
  }
}

function rollupOf({ labels, period_ms: periodMs, at_ms: atMs, name, count, sum, max, last, edge }: Row): Rollup {
  // Written by this very class.
  const parsed = JSON.parse(labels) as Rollup['labels'];
  return { name, labels: parsed, atMs, periodMs, count, sum, max, last, edge };
}
