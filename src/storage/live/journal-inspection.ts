/** Reads the journal of a data directory without changing anything, also while an engine works on it. Commands only, in their own process. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { decodeHead } from '../head-record.ts';
import type { HeadRecord } from '../head-record.ts';
import { JournalDamaged } from '../journal-errors.ts';
import { QUERIES } from '../queries.ts';
import type { NamedQuery } from '../queries.ts';
import type { JournalRow, StoreQuery } from '../rows.ts';
import { SCHEMA_VERSION } from '../schema.ts';
import { judgeEnd } from '../verdict.ts';
import type { JournalVerdict } from '../verdict.ts';
import { DATABASE_FILE, HEAD_FILE } from './journal-database.ts';
import { runQuery } from './journal-queries.ts';
import { asDamage } from './sqlite-damage.ts';
import { verifyEverything } from './verify-journal.ts';

/**
 * Checks everything that a start checks. Throws JournalDamaged, or the file system's error when there is no journal.
 *
 * Never call it in the engine's own process: closing the file there would drop the engine's locks on it.
 */
export function verifyJournal(directory: string): JournalVerdict {
  // The head first: an engine that appends meanwhile is then ahead of it, never behind.
  const head = readHead(join(directory, HEAD_FILE));
  return withDatabase(directory, (database, file) => {
    return judgeEnd(verifyEverything(database, file, head).sequence, head);
  });
}

/** Gives rows page by page until there are no more. Throws like `verifyJournal`. */
export function* readJournal(directory: string, pages: (afterSequence: number) => StoreQuery): Generator<JournalRow> {
  for (let afterSequence = 0; ;) {
    const query = pages(afterSequence);
    const rows = withDatabase(directory, (database) => runQuery(database, query));
    yield* rows;
    const last = rows.at(-1)?.sequence;
    if (last === undefined || rows.length < query.limit) return;
    afterSequence = last;
  }
}

/** Returns how SQLite answers each named query on this journal: the steps of its plan, in words. Throws like `verifyJournal`. */
export function explainQueries(directory: string): readonly ExplainedQuery[] {
  return withDatabase(directory, (database) =>
    Object.entries<NamedQuery>(QUERIES).map(([name, { purpose, sql, example }]) => ({
      name,
      purpose,
      sql,
      plan: database
        .prepare<(string | number)[], { readonly detail: string }>(`EXPLAIN QUERY PLAN ${sql}`)
        .all(...example)
        .map(({ detail }) => detail),
    })),
  );
}

export interface ExplainedQuery {
  readonly name: string;
  readonly purpose: string;
  readonly sql: string;
  readonly plan: readonly string[];
}

function withDatabase<Result>(
  directory: string,
  action: (database: Database.Database, file: string) => Result,
): Result {
  const file = join(directory, DATABASE_FILE);
  let database: Database.Database | undefined;
  try {
    database = new Database(file, { readonly: true, fileMustExist: true, timeout: 1_000 });
    const version = Number(database.pragma('user_version', { simple: true }));
    if (version !== SCHEMA_VERSION) {
      throw new JournalDamaged(file, `schema version must be ${SCHEMA_VERSION}, was ${version}`);
    }
    return action(database, file);
  } catch (error) {
    throw asDamage(error, file);
  } finally {
    database?.close();
  }
}

function readHead(path: string): HeadRecord | undefined {
  try {
    return decodeHead(readFileSync(path));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}
