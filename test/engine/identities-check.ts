/** What the invariant monitor of a whole engine must have found at the end of a run: everything compared, nothing broken. */
import { expect } from 'vitest';
import type { IdentitiesChecked } from '../../actors/monitor-messages.ts';
import { monitor } from '../../actors/monitor.ts';
import { reportOf } from '../../actors/monitor/report.ts';
import { pageOfRows } from '../../src/storage/row-page.ts';
import type { JournalRow } from '../../src/storage/rows.ts';
import { stage } from '../actors/stage.ts';

const PAGE_ROWS = 64;

/** `digest` is the monitor's own, or what the summary shows of it. */
export function expectBooksExact(digest: unknown): void {
  const checked = digest as Omit<IdentitiesChecked, 'type'> | undefined;
  expect(checked).toBeDefined();
  if (checked === undefined) return;
  expect(checked.broken).toEqual([]);
  expect(checked.isCaughtUp).toBe(true);
  expect(checked.comparisons).toBeGreaterThan(0);
}

/** Every wallet moved by what the journal explains, to the micro-unit; for runs whose last booking has been read. */
export function expectWalletsExplained(digest: unknown): void {
  const { wallets } = digest as Omit<IdentitiesChecked, 'type'>;
  expect(wallets.length).toBeGreaterThan(0);
  for (const wallet of wallets) expect(wallet).toMatchObject({ unexplainedMicro: 0n });
}

/** The same of a journal alone: no row is about a broken identity, and a monitor that reads it finds none. */
export function expectRowsExact(rows: readonly JournalRow[]): void {
  const reasons = rows.filter((row) => row.type === 'engine-state').map((row) => String(row.payload['reason']));
  expect(reasons.filter((reason) => reason.includes('IDENTITY_BROKEN'))).toEqual([]);
  const actor = stage(monitor, {
    journalPath: 'journal',
    guardPath: 'guard',
    observerPath: 'observer',
    bases: [],
    calendarScale: 1,
  });
  for (let sequence = 0; sequence < rows.length; sequence += PAGE_ROWS) {
    const page = rows.slice(sequence, sequence + PAGE_ROWS);
    actor.deliver({
      type: 'rows-read',
      readId: sequence,
      page: pageOfRows(page),
      complete: sequence + page.length === rows.length,
    });
    actor.advance(250);
  }
  actor.advance(600_000);
  expectBooksExact(reportOf(actor.state()));
}
