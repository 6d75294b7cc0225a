import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openJournal } from '../../src/storage/live/journal-database.ts';
import { encoded } from '../storage/rows.ts';
import { runTandem } from './run-tandem.ts';

/** A data directory with a boot row and these rows. */
function journalOf(...ids: readonly string[]): string {
  const directory = mkdtempSync(join(tmpdir(), 'tandem-db-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const journal = openJournal(directory);
  journal.allocateBoot(1);
  journal.append(encoded(...ids));
  journal.close();
  return directory;
}

function change(directory: string, sql: string): void {
  const database = new Database(join(directory, 'journal.db'));
  database.exec(`DROP TRIGGER rows_are_not_updated; DROP TRIGGER rows_are_not_deleted; ${sql}`);
  database.close();
}

describe('tandem db verify', () => {
  it('is 0 for a whole journal', async () => {
    const { code, stdout } = await runTandem(['db', 'verify', '--data-dir', journalOf('a', 'b')]);
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'OK  3 rows\n' });
  });

  it('is 1 for a damaged one and names the row', async () => {
    const directory = journalOf('a', 'b');
    change(directory, `UPDATE rows SET payload = '{}' WHERE sequence = 2`);
    const { code, stderr } = await runTandem(['db', 'verify', '--data-dir', directory]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^DAMAGED {2}journal .*journal\.db is damaged at row 2: the row's hash must follow/);
    const json = await runTandem(['db', 'verify', '--json', '--data-dir', directory]);
    expect(JSON.parse(json.stdout)).toMatchObject({ type: 'damaged', sequence: 2 });
  });

  it('is 1 for a shortened one', async () => {
    const directory = journalOf('a', 'b');
    change(directory, 'DELETE FROM rows WHERE sequence = 3');
    const { code, stdout } = await runTandem(['db', 'verify', '--data-dir', directory]);
    expect({ code, stdout }).toEqual({
      code: 1,
      stdout: 'TAIL LOST  rows 3 to 3 are lost: journal.head has seen row 3\n',
    });
  });

  it('is 1 where there is no journal', async () => {
    const { code, stderr } = await runTandem(['db', 'verify', '--data-dir', '/nowhere']);
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: 'there must be a journal in /nowhere/journal.db, there is none\n',
    });
  });
});

describe('tandem db dump', () => {
  it('prints rows as JSON lines, bigints marked', async () => {
    const { code, stdout } = await runTandem([
      'db',
      'dump',
      '--data-dir',
      journalOf('a', 'b', 'c'),
      '--after',
      '1',
      '--limit',
      '2',
    ]);
    expect(code).toBe(0);
    const rows = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(rows.map((row) => [row.sequence, row.id])).toEqual([
      [2, 'a'],
      [3, 'b'],
    ]);
    expect(rows[0].payload.quantity).toEqual({ $bigint: '12345678901234567890' });
  });

  it('prints only what was asked for', async () => {
    const directory = journalOf('a');
    const boots = await runTandem(['db', 'dump', '--type', 'boot', '--data-dir', directory]);
    expect(JSON.parse(boots.stdout)).toMatchObject({ id: 'boot:1' });
    const pair = await runTandem(['db', 'dump', 'BTC-1', '--data-dir', directory]);
    expect(JSON.parse(pair.stdout)).toMatchObject({ id: 'a' });
  });
});
