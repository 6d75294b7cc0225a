/** Follows the chain of rows and compares it with the head record. The thread of the journal only. */
import type Database from 'better-sqlite3';
import { chainHash, GENESIS_HASH } from '../hash-chain.ts';
import type { HeadRecord } from '../head-record.ts';
import { JournalDamaged } from '../journal-errors.ts';
import { ROW_COLUMNS } from './journal-queries.ts';
import type { StoredRow } from './journal-queries.ts';

/** Sequence and hash of a chain's last row; 0 and the genesis hash when it is empty. */
export interface ChainEnd {
  readonly sequence: number;
  readonly hash: Uint8Array;
}

/**
 * Returns where the chain ends. Throws JournalDamaged at the first row that does not follow from the one before, and when
 * the row the head record names is another one. Checks all rows and SQLite's own structure, or only the last `tailRows`.
 */
export function verifyChain(
  database: Database.Database,
  file: string,
  head: HeadRecord | undefined,
  tailRows?: number,
): ChainEnd {
  if (tailRows === undefined) checkStructure(database, file);
  let end: ChainEnd = tailRows === undefined ? { sequence: 0, hash: GENESIS_HASH } : startOfTail(database, tailRows);
  const rows = database
    .prepare<[number], StoredRow>(`SELECT ${ROW_COLUMNS} FROM rows WHERE sequence > ? ORDER BY sequence`)
    .iterate(end.sequence);
  if (head !== undefined) checkHead(end, head, file);
  for (const row of rows) {
    if (row.sequence !== end.sequence + 1) {
      throw new JournalDamaged(file, `sequence must go on with ${end.sequence + 1}, goes on with ${row.sequence}`, {
        sequence: end.sequence + 1,
      });
    }
    const hash = chainHash(end.hash, row.sequence, row);
    if (!hash.equals(row.hash)) {
      throw new JournalDamaged(file, "the row's hash must follow from its content and the row before", {
        sequence: row.sequence,
      });
    }
    end = { sequence: row.sequence, hash };
    if (head !== undefined) checkHead(end, head, file);
  }
  return end;
}

/** The head may be behind (death between commit and its write) or ahead (lost rows), but never beside the chain. */
function checkHead(end: ChainEnd, head: HeadRecord, file: string): void {
  if (head.sequence !== end.sequence || Buffer.from(end.hash).toString('hex') === head.hash) return;
  throw new JournalDamaged(file, 'the row must have the hash that journal.head recorded for it', {
    sequence: end.sequence,
  });
}

function checkStructure(database: Database.Database, file: string): void {
  const answer = database.pragma('integrity_check(1)', { simple: true });
  if (answer !== 'ok')
    throw new JournalDamaged(file, `SQLite's integrity check must answer ok, answered: ${String(answer)}`);
}

function startOfTail(database: Database.Database, tailRows: number): ChainEnd {
  const row = database
    .prepare<[number], { sequence: number; hash: Uint8Array }>(
      `SELECT sequence, hash FROM rows WHERE sequence <= (SELECT max(sequence) FROM rows) - ? ORDER BY sequence DESC LIMIT 1`,
    )
    .get(tailRows);
  return row ?? { sequence: 0, hash: GENESIS_HASH };
}
