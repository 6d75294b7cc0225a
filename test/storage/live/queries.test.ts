import { join } from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import { explainQueries } from '../../../src/storage/live/journal-inspection.ts';
import { DATABASE_FILE, openJournal } from '../../../src/storage/live/journal-database.ts';
import { existsSql, pageSql, QUERIES } from '../../../src/storage/queries.ts';
import type { NamedQuery } from '../../../src/storage/queries.ts';
import { encoded } from '../rows.ts';
import { temporaryDirectory } from '../temporary-directory.ts';

/** A step that finds its rows by an index, or that takes over what another step found. */
const FINDS =
  /^(?:SEARCH rows USING (?:COVERING )?(?:INDEX \S+|INTEGER PRIMARY KEY) \(.+\)|CO-ROUTINE \S+|SCAN \(subquery-\d+\))$/;

describe('the named queries', () => {
  it('walk an index in the order of their answer: no sorting, no scan of the table', () => {
    const directory = temporaryDirectory();
    const journal = openJournal(directory);
    journal.allocateBoot(1);
    journal.append(encoded('a', 'b', 'c'));
    journal.close();
    const explained = explainQueries(directory);
    expect(explained.map(({ name }) => name)).toEqual(Object.keys(QUERIES));
    for (const { name, plan } of explained) {
      expect([name, plan.length > 0, plan.filter((step) => !FINDS.test(step))]).toEqual([name, true, []]);
    }
    // What two conditions have to look at they find in the index alone.
    const { plan = [] } = explained.find(({ name }) => name === 'latest-by-correlation-and-type') ?? {};
    expect(plan).toContainEqual(expect.stringContaining('USING COVERING INDEX rows_by_correlation'));
  });

  it.each(['rows-all', 'rows-by-correlation', 'rows-by-actor', 'rows-by-type'] as const)(
    '%s walks the same way when a page is made of its rows, or asked whether there are any',
    (name) => {
      const directory = temporaryDirectory();
      openJournal(directory).close();
      const database = new Database(join(directory, DATABASE_FILE), { readonly: true });
      for (const sql of [pageSql(name), existsSql(name)]) {
        const plan = database
          .prepare<(string | number)[], { readonly detail: string }>(`EXPLAIN QUERY PLAN ${sql}`)
          .all(...QUERIES[name].example)
          .map(({ detail }) => detail);
        expect(
          plan.filter((step) => !FINDS.test(step) && !/^SCAN CONSTANT ROW$|^SCALAR SUBQUERY \d+$/.test(step)),
        ).toEqual([]);
        expect(plan.some((step) => step.startsWith('SEARCH rows'))).toBe(true);
      }
      database.close();
    },
  );

  it.each(Object.entries<NamedQuery>(QUERIES))(
    '%s has a limit or one answer, and a place for each example',
    (_, query) => {
      expect(query.sql).toMatch(/ LIMIT (?:\?|1)$|WHERE id = \?$/);
      expect(query.sql.split('?').length - 1).toBe(query.example.length);
    },
  );
});
