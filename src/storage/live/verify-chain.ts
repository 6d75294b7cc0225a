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

const HASH_HEX = HASH_BYTES * 2;
const LINE_END = 0x0a;

/**
 * Rows as SQLite itself writes their canonical text, many in one block: a line each of the stored hash in hexadecimal digits, room for
 * the hash of the row before, and the text. JSON holds no line end. Fetching each row's columns instead costs twice the hashing.
 */
const BLOCK = `
  SELECT count(*), max(sequence), CAST(group_concat(lower(hex(hash)) || '${' '.repeat(HASH_BYTES)}' || text || x'0a', '') AS BLOB)
  FROM (
    SELECT sequence, hash, CASE
      WHEN venue_at_ms IS NULL AND causation = '' THEN json_array(${COLUMNS})
      ELSE json_array(${COLUMNS}, ${number('venue_at_ms')}, causation)
    END AS text
    FROM rows WHERE sequence > ? ORDER BY sequence LIMIT ?
  )`;
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
  return new Chain(database, file, head, start).follow(last);
}

/** Returns a row's sequence and its stored hash. Throws JournalDamaged when there is no such row. */
export function storedEnd(database: Database.Database, file: string, sequence: number): ChainEnd {
  const row = database
    .prepare<[number], { hash: Uint8Array }>('SELECT hash FROM rows WHERE sequence = ?')
    .get(sequence);
  if (row === undefined) throw new JournalDamaged(file, `rows must be there up to ${sequence}`, { sequence });
  return { sequence, hash: row.hash };
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
  /** Hexadecimal digits. */
  #hash: string;

  constructor(database: Database.Database, file: string, head: HeadRecord | undefined, start: ChainEnd) {
    this.#database = database;
    this.#file = file;
    this.#head = head;
    this.#sequence = start.sequence;
    this.#hash = Buffer.from(start.hash).toString('hex');
  }

  follow(end: number): ChainEnd {
    this.#checkHead();
    const blocks = this.#database.prepare<[number, number], [number, number | null, Buffer | null]>(BLOCK).raw();
    while (this.#sequence < end) {
      const limit = Math.min(BLOCK_ROWS, end - this.#sequence);
      const [rows, last, block] = blocks.get(this.#sequence, limit) ?? [0, null, null];
      if (last === null) break;
      const isDense = last === this.#sequence + rows;
      if (isDense && block !== null) this.#followBlock(block);
      if (this.#sequence !== last) this.#followRows(last);
    }
    return { sequence: this.#sequence, hash: Buffer.from(this.#hash, 'hex') };
  }

  /**
   * Follows rows by the text SQLite wrote, up to the first whose hash is another one than that text's, which proves nothing yet: SQLite
   * may write the same content differently. A row whose hash it is has been proven: no other text has that hash, and the text tells
   * all of the row's content.
   */
  #followBlock(block: Buffer): void {
    for (let start = 0; start < block.length;) {
      const hashed = start + HASH_HEX;
      const end = block.indexOf(LINE_END, hashed + HASH_BYTES);
      block.write(this.#hash, hashed, HASH_BYTES, 'hex');
      const found = hash('sha256', block.subarray(hashed, end), 'hex');
      if (block.toString('latin1', start, hashed) !== found) return;
      this.#advance(found);
      start = end + 1;
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
      const found = chainHash(Buffer.from(this.#hash, 'hex'), next, row);
      if (!found.equals(row.hash)) {
        throw this.#damaged("the row's hash must follow from its content and the row before", next);
      }
      this.#advance(found.toString('hex'));
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
    if (this.#head === undefined || this.#head.sequence !== this.#sequence || this.#head.hash === this.#hash) return;
    throw this.#damaged('the row must have the hash that journal.head recorded for it', this.#sequence);
  }

  #damaged(rule: string, sequence: number): JournalDamaged {
    return new JournalDamaged(this.#file, rule, { sequence });
  }
}
