/** Lets one engine at a time use a data directory. Main thread only. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { DataDirectoryInUse } from '../journal-errors.ts';

const LOCK_FILE = 'engine.lock';
/** Who holds it, for the message of whoever is refused. */
const PID_FILE = 'engine.pid';

export interface DirectoryLock {
  /** Gives the directory free. The end of the process, however it comes, does the same. */
  release(): void;
}

/**
 * Takes the directory (making it, mode 0700, if it is not there) until `release`. Throws DataDirectoryInUse.
 *
 * The lock is the operating system's, held through an SQLite transaction on an empty file: it ends with the process even
 * after SIGKILL, so there is no stale lock to judge and no process id that could have been given to somebody else since.
 */
export function lockDataDirectory(directory: string): DirectoryLock {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const database = new Database(join(directory, LOCK_FILE), { timeout: 0 });
  try {
    database.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    database.close();
    if (error instanceof Database.SqliteError && error.code.startsWith('SQLITE_BUSY')) {
      throw new DataDirectoryInUse(directory, readPid(directory));
    }
    throw error;
  }
  writeFileSync(join(directory, PID_FILE), `${process.pid}\n`, { mode: 0o600 });
  return {
    release() {
      if (database.open) database.close();
    },
  };
}

function readPid(directory: string): number | undefined {
  try {
    const pid = Number(readFileSync(join(directory, PID_FILE), 'utf8'));
    return Number.isSafeInteger(pid) && pid > 0 ? pid : undefined;
  } catch {
    // The other engine takes the lock before it writes its number.
    return undefined;
  }
}
