import { describe, expect, it } from 'vitest';
import { explainQueries } from '../../../src/storage/live/journal-inspection.ts';
import { openJournal } from '../../../src/storage/live/journal-database.ts';
import { QUERIES } from '../../../src/storage/queries.ts';
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

  it.each(Object.entries<NamedQuery>(QUERIES))(
    '%s has a limit or one answer, and a place for each example',
    (_, query) => {
      expect(query.sql).toMatch(/ LIMIT (?:\?|1)$|WHERE id = \?$/);
      expect(query.sql.split('?').length - 1).toBe(query.example.length);
    },
  );
});
