/** Reads the rows of an engine's journal, also while the engine runs. */
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { DATABASE_FILE } from '../../src/storage/live/journal-database.ts';
import { runQuery } from '../../src/storage/live/journal-queries.ts';
import type { JournalRow } from '../../src/storage/rows.ts';

const PAGE = 5_000;

/** All rows, oldest first. */
export function readJournal(dataDir: string): readonly JournalRow[] {
  const database = new Database(join(dataDir, DATABASE_FILE), { readonly: true });
  try {
    const rows: JournalRow[] = [];
    for (;;) {
      const page = runQuery(database, { type: 'all', afterSequence: rows.length, limit: PAGE });
      rows.push(...page);
      if (page.length < PAGE) return rows;
    }
  } finally {
    database.close();
  }
}
