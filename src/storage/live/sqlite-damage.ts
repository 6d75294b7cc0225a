/** Tells damage of a file from all other complaints of SQLite. The thread of the journal only. */
import Database from 'better-sqlite3';
import { JournalDamaged } from '../journal-errors.ts';

/** Returns JournalDamaged when SQLite cannot make sense of the file; any other error as it is. */
export function asDamage(error: unknown, file: string): unknown {
  if (!(error instanceof Database.SqliteError)) return error;
  // The table as the file declares it is not the one that was made: our statements no longer fit it.
  const isOtherTable = /^no such (column|table)/.test(error.message);
  const isDamage = isOtherTable || /^SQLITE_(CORRUPT|NOTADB)/.test(error.code);
  return isDamage
    ? new JournalDamaged(file, `SQLite must be able to read it: ${error.message}`, { cause: error })
    : error;
}
