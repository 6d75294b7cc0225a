/** Follows the chain of rows and compares it with the head record. The thread of the journal only. */
import { hash } from 'node:crypto';
import type Database from 'better-sqlite3';
import { chainHash, HASH_BYTES } from '../hash-chain.ts';
import type { EncodedRow } from '../hash-chain.ts';
import type { HeadRecord } from '../head-record.ts';
import { JournalDamaged } from '../journal-errors.ts';

/** Sequence and hash of a chain's last row; 0 and the genesis hash when it is empty. */
export interface ChainEnd {
  readonly sequence: number;
  readonly hash: Uint8Array;
}

/** One row with its columns' own values: what the chain is defined on. */
interface StoredRow extends EncodedRow {
  readonly hash: Uint8Array;
}

/** A number as JSON.stringify writes it, where both surely write the same: whole and below 2^53. Else null, which no row's text holds there. */
const number = (column: string): string =>
  `CASE WHEN ${column} = CAST(${column} AS INTEGER) AND abs(${column}) < 9007199254740992 THEN CAST(${column} AS INTEGER) END`;

const COLUMNS = `sequence, id, type, ${number('at_ms')}, actor, correlation, payload`;

const LINE_END = 0x0a;
/** The encoding with a character for each byte. */
const BYTES = 'binary';

/**
 * Rows as SQLite itself writes their canonical text, many in one block: of each the text, a line end, which JSON does not hold, and the
 * stored hash. So what a row's hash is made of, the hash of the row before and its own text, lies side by side in the block and is
 * hashed where it is. Fetching each row's columns instead costs twice the hashing. The rows of a range come in the order of their
 * sequence, unasked: a subquery that sorts them would copy each. In any other order their hashes would not follow.
 *
 *   text of n | line end | hash of n | text of n + 1 | line end | hash of n + 1 | ...
 *                        [--- hashed for n + 1 -----]
 */
const BLOCK = `
  SELECT count(*), max(sequence), CAST(group_concat(
    CASE
      WHEN venue_at_ms IS NULL AND causation = '' THEN json_array(${COLUMNS})
      ELSE json_array(${COLUMNS}, ${number('venue_at_ms')}, causation)
    END || x'0a' || hash, '') AS BLOB)
  FROM rows WHERE sequence > ? AND sequence <= ?`;
/** At the journal's largest payload a block stays within what SQLite makes of one value (1 GB). */
const BLOCK_ROWS = 200;

/**
 * Follows the chain from its row `start`, which it takes as told, up to row `last` or to the end; returns how far it came. Throws
 * JournalDamaged at the first row that does not follow from the one before, and when the row the head record names is another one.
 */
export function followChain(
  database: Database.Database,
  file: string,
  head: HeadRecord | undefined,
  start: ChainEnd,
  last = Number.MAX_SAFE_INTEGER,
): ChainEnd {
  return new Chain(database, file, head, start).follow(Math.min(last, lastSequence(database)));
}

/** Returns a row's sequence and its stored hash. Throws JournalDamaged when there is no such row. */
export function storedEnd(database: Database.Database, file: string, sequence: number): ChainEnd {
  const row = database
    .prepare<[number], { hash: Uint8Array }>('SELECT hash FROM rows WHERE sequence = ?')
    .get(sequence);
  if (row === undefined) throw new JournalDamaged(file, `rows must be there up to ${sequence}`, { sequence });
  return { sequence, hash: row.hash };
}

/** Returns the sequence of the last row, 0 when there is none. */
export function lastSequence(database: Database.Database): number {
  return database.prepare<[], number>('SELECT ifnull(max(sequence), 0) FROM rows').pluck().get() ?? 0;
}

/** Throws JournalDamaged unless SQLite finds its own structure in order: every page, every index, every rule of the table. */
export function checkStructure(database: Database.Database, file: string): void {
  const answer = database.pragma('integrity_check(1)', { simple: true });
  if (answer !== 'ok')
    throw new JournalDamaged(file, `SQLite's integrity check must answer ok, answered: ${String(answer)}`);
}

class Chain {
  readonly #database: Database.Database;
  readonly #file: string;
  readonly #head: HeadRecord | undefined;
  #sequence: number;
  /** A character for each byte: what hashing returns and a block holds soonest. */
  #hash: string;

  constructor(database: Database.Database, file: string, head: HeadRecord | undefined, start: ChainEnd) {
    this.#database = database;
    this.#file = file;
    this.#head = head;
    this.#sequence = start.sequence;
    this.#hash = Buffer.from(start.hash).toString(BYTES);
  }

  follow(end: number): ChainEnd {
    this.#checkHead();
    const blocks = this.#database.prepare<[number, number], [number, number | null, Buffer | null]>(BLOCK).raw();
    while (this.#sequence < end) {
      const [rows, found, block] = blocks.get(this.#sequence, Math.min(end, this.#sequence + BLOCK_ROWS)) ?? [
        0,
        null,
        null,
      ];
      // In a gap as long as a block lies no row: the one behind it is the next.
      const last = found ?? end;
      const isDense = last === this.#sequence + rows;
      if (isDense && block !== null) this.#followBlock(block);
      if (this.#sequence !== last) this.#followRows(last);
    }
    return { sequence: this.#sequence, hash: this.#hashBytes() };
  }

  /**
   * Follows rows by the text SQLite wrote, up to the first whose hash is another one than that text's, which proves nothing yet: SQLite
   * may write the same content differently. A row whose hash it is has been proven: no other text has that hash, and the text tells
   * all of the row's content.
   */
  #followBlock(block: Buffer): void {
    for (let start = 0; start < block.length;) {
      const end = block.indexOf(LINE_END, start);
      const next = end + 1 + HASH_BYTES;
      // The hash before a later row's text is the stored one of the row before, which was just found to be that row's.
      const content =
        start === 0
          ? Buffer.concat([this.#hashBytes(), block.subarray(0, end)])
          : block.subarray(start - HASH_BYTES, end);
      const found = hash('sha256', content, BYTES);
      if (end < start || block.toString(BYTES, end + 1, next) !== found) return;
      this.#advance(found);
      start = next;
    }
  }

  /** Follows rows up to `last` by their columns' values. */
  #followRows(last: number): void {
    const rows = this.#database
      .prepare<[number, number], StoredRow & { readonly sequence: number }>(
        `SELECT sequence, id, type, at_ms AS atMs, actor, correlation, venue_at_ms AS venueAtMs, causation, payload, hash
         FROM rows WHERE sequence > ? AND sequence <= ? ORDER BY sequence`,
      )
      .iterate(this.#sequence, last);
    for (const row of rows) {
      const next = this.#sequence + 1;
      if (row.sequence !== next) {
        throw this.#damaged(`sequence must go on with ${next}, goes on with ${row.sequence}`, next);
      }
      const found = chainHash(this.#hashBytes(), next, row);
      if (!found.equals(row.hash)) {
        throw this.#damaged("the row's hash must follow from its content and the row before", next);
      }
      this.#advance(found.toString(BYTES));
    }
    if (this.#sequence !== last) throw this.#damaged(`rows must be there up to ${last}`, this.#sequence + 1);
  }

  #advance(found: string): void {
    this.#sequence += 1;
    this.#hash = found;
    this.#checkHead();
  }

  /** The head may be behind (death between commit and its write) or ahead (lost rows), but never beside the chain. */
  #checkHead(): void {
    if (this.#head === undefined || this.#head.sequence !== this.#sequence) return;
    if (this.#head.hash === this.#hashBytes().toString('hex')) return;
    throw this.#damaged('the row must have the hash that journal.head recorded for it', this.#sequence);
  }

  #hashBytes(): Buffer {
    return Buffer.from(this.#hash, BYTES);
  }

  #damaged(rule: string, sequence: number): JournalDamaged {
    return new JournalDamaged(this.#file, rule, { sequence });
  }
}
