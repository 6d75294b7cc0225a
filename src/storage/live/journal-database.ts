/**
 * The journal on SQLite: rows chained by hash in `journal.db`, the head record in `journal.head`. One thread at a time: the
 * main thread while the engine starts (verify, boot number), then the store thread.
 */
import assert from 'node:assert/strict';
import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { chainHash, encodeRow } from '../hash-chain.ts';
import type { EncodedRow } from '../hash-chain.ts';
import type { AppendSummary, Journal } from '../journal.ts';
import { BootNumbersExhausted, JournalDamaged, RowConflict } from '../journal-errors.ts';
import { decodePayload } from '../payload.ts';
import { QUERIES } from '../queries.ts';
import type { ReadPage } from '../row-page.ts';
import type { ForwardQuery, JournalRow, JournalRowType, StoreQuery } from '../rows.ts';
import { factDifference } from '../same-fact.ts';
import { MIGRATIONS, SCHEMA_VERSION } from '../schema.ts';
import { judgeEnd, nextBoot } from '../verdict.ts';
import type { JournalVerdict } from '../verdict.ts';
import { HeadFile } from './head-file.ts';
import { runPageQuery, runQuery } from './journal-queries.ts';
import { asDamage } from './sqlite-damage.ts';
import type { ChainEnd } from './verify-chain.ts';
import { verifyEverything, verifyTail } from './verify-journal.ts';

export const DATABASE_FILE = 'journal.db';
export const HEAD_FILE = 'journal.head';

/** Boot numbers have 20 bits: they are a part of every client order id. */
export const BOOT_MAX = 2 ** 20 - 1;

const BUSY_TIMEOUT_MS = 1_000;
const WAL_BYTES_KEPT_MAX = 64 * 1024 * 1024;
/**
 * Rows after which the log is brought over into the table, about 1 MB of it. SQLite would do that within the commit that makes the log
 * long enough: one commit in ten then waited for three writes to the disk instead of one. Upkeep does it between commits.
 */
const CHECKPOINT_ROWS = 1_000;
/** Pages of 4 KiB after which a commit does it after all: upkeep did not come. */
const LOG_PAGES_MAX = 8_192;

/**
 * Opens the journal of a data directory (made before) and checks everything: SQLite's own integrity, every row's hash and
 * sequence, and the head record. Throws JournalDamaged when rows contradict each other. Rows can be appended after `allocateBoot`.
 */
export function openJournal(directory: string): JournalDatabase {
  return new JournalDatabase(directory, { check: 'everything' });
}

/**
 * Opens the journal whose boot number this process has allocated before, checking only its last rows. Throws JournalDamaged,
 * also when rows are missing: they vanished while the engine runs.
 */
export function reopenJournal(directory: string, boot: number): JournalDatabase {
  return new JournalDatabase(directory, { check: 'tail', boot });
}

type Opening = { readonly check: 'everything' } | { readonly check: 'tail'; readonly boot: number };

interface Insertion {
  readonly end: ChainEnd;
  readonly repeatedAt: ReadonlySet<number>;
}

/** What is stored under an id. */
interface StoredFact {
  readonly sequence: number;
  readonly type: JournalRowType;
  readonly payload: string;
}

export class JournalDatabase implements Journal {
  readonly verdict: JournalVerdict;
  readonly #file: string;
  readonly #database: Database.Database;
  readonly #head: HeadFile;
  readonly #insertRow: Database.Statement<
    [number, string, string, number, string, string, number | null, string, string, Uint8Array]
  >;
  readonly #findRow: Database.Statement<[string], StoredFact>;
  readonly #insertAll: (rows: readonly EncodedRow[], end: ChainEnd) => Insertion;
  /** Where the chain ends: sequence and hash of the last row. */
  #end: ChainEnd;
  /** 0 until this life has its number. */
  #boot = 0;
  /** Sequence up to which the log was brought over into the table. */
  #checkpointedAt: number;

  constructor(directory: string, opening: Opening) {
    this.#file = join(directory, DATABASE_FILE);
    this.#database = openDatabase(this.#file);
    try {
      this.#head = new HeadFile(join(directory, HEAD_FILE));
      try {
        const check = opening.check === 'tail' ? verifyTail : verifyEverything;
        this.#end = check(this.#database, this.#file, this.#head.record);
        this.verdict = judgeEnd(this.#end.sequence, this.#head.record);
        this.#checkpointedAt = this.#end.sequence;
        if (opening.check === 'tail') this.#continueBoot(opening.boot);
        this.#insertRow = this.#database.prepare(
          `INSERT INTO rows (sequence, id, type, at_ms, actor, correlation, venue_at_ms, causation, payload, hash)
           VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING`,
        );
        this.#findRow = this.#database.prepare(QUERIES['row-by-id'].sql);
      } catch (error) {
        this.#head.close();
        throw error;
      }
    } catch (error) {
      this.#database.close();
      throw asDamage(error, this.#file);
    }
    const transaction = this.#database.transaction((rows: readonly EncodedRow[], end: ChainEnd) =>
      this.#insert(rows, end),
    );
    this.#insertAll = (rows, end) => transaction.immediate(rows, end);
  }

  /** Sequence of the last row, 0 when there is none. */
  get sequence(): number {
    return this.#end.sequence;
  }

  /** The highest boot number handed out so far, 0 when none; read from both places. */
  get boot(): number {
    const row = this.#database.prepare<[], { payload: string }>(QUERIES['newest-boot'].sql).get();
    const inRow = row === undefined ? 0 : Number(decodePayload(row.payload).boot);
    return Math.max(this.#boot, this.#head.record?.boot ?? 0, inRow);
  }

  /**
   * Returns this life's number, 1 and up, larger than all before and durable in the head file and in a row: once, before
   * anything else is appended. After a lost tail it jumps by 1,024. Throws BootNumbersExhausted.
   */
  allocateBoot(atMs: number): number {
    assert.equal(this.#boot, 0, 'a boot number is allocated once per opening');
    const { verdict } = this;
    const boot = nextBoot(this.boot, verdict);
    if (boot > BOOT_MAX) throw new BootNumbersExhausted(boot, BOOT_MAX);
    // The head first, with the loss marked: dying before the row is durable must not hide that rows are missing.
    this.#writeHead(boot, verdict.type === 'tail-lost');
    this.#head.sync();
    this.#boot = boot;
    const loss = verdict.type === 'ok' ? {} : { lostAfterSequence: this.#end.sequence, detail: verdict.detail };
    this.append([
      encodeRow({ id: `boot:${boot}`, type: 'boot', atMs, actor: 'main', correlation: '', payload: { boot, ...loss } }),
    ]);
    this.#head.sync();
    return boot;
  }

  /**
   * Makes rows durable in one transaction, all or none, and moves the head. Rows that are stored already are skipped. Throws
   * RowConflict, nothing stored, for a row that contradicts the stored one of its id; else what SQLite or the file system throws:
   * the journal must then be closed and opened again, nothing is known about the disk.
   */
  append(rows: readonly EncodedRow[]): AppendSummary {
    assert.ok(this.#boot > 0, 'a boot number is allocated before the first append');
    const { end, repeatedAt } = this.#insertAll(rows, this.#end);
    this.#end = end;
    const appended = rows.length - repeatedAt.size;
    if (appended > 0) this.#writeHead(this.#boot, false);
    return { appended, repeatedAt };
  }

  read(query: StoreQuery): readonly JournalRow[] {
    return runQuery(this.#database, query);
  }

  readPage(query: ForwardQuery): ReadPage {
    return runPageQuery(this.#database, query);
  }

  upkeep(): void {
    this.#head.sync();
    if (this.#end.sequence - this.#checkpointedAt < CHECKPOINT_ROWS) return;
    // Passive: what a reader still needs stays in the log for the next time.
    this.#database.pragma('wal_checkpoint(PASSIVE)');
    this.#checkpointedAt = this.#end.sequence;
  }

  close(): void {
    if (!this.#database.open) return;
    this.#database.close();
    this.#head.close();
  }

  #insert(rows: readonly EncodedRow[], { sequence, hash }: ChainEnd): Insertion {
    const repeatedAt = new Set<number>();
    for (const [index, row] of rows.entries()) {
      const next = chainHash(hash, sequence + 1, row);
      const { changes } = this.#insertRow.run(
        sequence + 1,
        row.id,
        row.type,
        row.atMs,
        row.actor,
        row.correlation,
        row.venueAtMs,
        row.causation,
        row.payload,
        next,
      );
      if (changes === 0) {
        this.#expectRepeat(row);
        repeatedAt.add(index);
        continue;
      }
      sequence += 1;
      hash = next;
    }
    return { end: { sequence, hash }, repeatedAt };
  }

  #expectRepeat(row: EncodedRow): void {
    const stored = this.#findRow.get(row.id);
    assert.ok(stored !== undefined, 'only a stored id keeps a row out');
    const difference = factDifference(stored, row);
    if (difference !== undefined) throw new RowConflict(row.id, stored.sequence, difference);
  }

  #continueBoot(boot: number): void {
    if (this.verdict.type !== 'ok') {
      throw new JournalDamaged(this.#file, `rows must not vanish while the engine runs: ${this.verdict.detail}`);
    }
    const known = this.#head.record?.boot ?? 0;
    if (known !== boot) {
      throw new JournalDamaged(this.#file, `${HEAD_FILE} must name the running boot ${boot}, names ${known}`);
    }
    this.#boot = boot;
  }

  #writeHead(boot: number, isLossUnrecorded: boolean): void {
    const { sequence, hash } = this.#end;
    this.#head.write({ boot, sequence, hash: Buffer.from(hash).toString('hex'), isLossUnrecorded });
  }
}

function openDatabase(file: string): Database.Database {
  let database: Database.Database;
  try {
    database = new Database(file, { timeout: BUSY_TIMEOUT_MS });
  } catch (error) {
    throw asDamage(error, file);
  }
  try {
    chmodSync(file, 0o600);
    database.pragma('journal_mode = WAL');
    // In WAL mode the build's default is NORMAL, which loses acknowledged rows at a power failure.
    database.pragma('synchronous = FULL');
    assert.equal(database.pragma('journal_mode', { simple: true }), 'wal', 'the journal writes ahead');
    assert.equal(database.pragma('synchronous', { simple: true }), 2, 'each commit waits for the disk');
    database.pragma(`journal_size_limit = ${WAL_BYTES_KEPT_MAX}`);
    database.pragma(`wal_autocheckpoint = ${LOG_PAGES_MAX}`);
    database.pragma('trusted_schema = OFF');
    database.pragma('cell_size_check = ON');
    migrate(database, file);
    return database;
  } catch (error) {
    database.close();
    throw asDamage(error, file);
  }
}

function migrate(database: Database.Database, file: string): void {
  const version = Number(database.pragma('user_version', { simple: true }));
  if (version > SCHEMA_VERSION) {
    throw new JournalDamaged(
      file,
      `schema version must be at most ${SCHEMA_VERSION}, was ${version}: made by a newer Tandem`,
    );
  }
  for (const [offset, step] of MIGRATIONS.slice(version).entries()) {
    database
      .transaction(() => {
        database.exec(step);
        database.pragma(`user_version = ${version + offset + 1}`);
      })
      .immediate();
  }
}
