import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { emptyStatistics, noteRow, statisticsOf } from '../../src/execution/pair-statistics.ts';
import { foldLedger } from '../../src/execution/ledger.ts';
import { encodeRow } from '../../src/storage/hash-chain.ts';
import { openJournal } from '../../src/storage/live/journal-database.ts';
import type { JournalRow } from '../../src/storage/rows.ts';
import { Story } from '../actors/monitor-world.ts';
import { runTandem } from './run-tandem.ts';

function journalOf(rows: readonly JournalRow[]): string {
  const directory = mkdtempSync(join(tmpdir(), 'tandem-pairs-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const journal = openJournal(directory);
  journal.allocateBoot(1);
  journal.append(rows.map(encodeRow));
  journal.close();
  return directory;
}

/** The whole story, its statistics, and a second pair that is still open. */
function rowsOfTwoPairs(): readonly JournalRow[] {
  const story = new Story();
  story.open();
  story.paid();
  story.close();
  const book = emptyStatistics(1);
  for (const row of story.rows) noteRow(book, row);
  const statistics = statisticsOf(book, foldLedger(story.rows), 'ETH-1');
  story.row('pair-statistics', 'pair-statistics:ETH-1:1:8', { statistics }, 'ETH-1');
  story.pair('OPEN', { pairId: 'ETH-2' });
  return story.rows;
}

describe('tandem pairs', () => {
  it('lists closed pairs with what was expected of them and what came, and the open ones before them', async () => {
    const directory = journalOf(rowsOfTwoPairs());
    const { code, stdout } = await runTandem(['pairs', '--data-dir', directory]);
    expect(code).toBe(0);
    const [heading, open, , closed] = stdout.split('\n');
    expect(heading).toContain('phase');
    expect(open).toMatch(/ETH-2 +OPEN +L \/ S +13\.8012/);
    expect(closed).toMatch(/ETH-1 +TAKE_PROFIT +1 h 00 m +\+3\.5879 +13\.8012 +-0\.3300 +\+8\.9100 +2 of 2 +0\.0000/);
  });

  it('--closed leaves out the open ones, a symbol all others; --json keeps every amount to the micro-unit', async () => {
    const directory = journalOf(rowsOfTwoPairs());
    const { stdout } = await runTandem(['pairs', 'ETH', '--closed', '--json', '--data-dir', directory]);
    const pairs = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(pairs).toMatchObject([{ pairId: 'ETH-1', netMicro: '3587883', hedgeLatencyMs: [80, 120] }]);
    const other = await runTandem(['pairs', 'BTC', '--data-dir', directory]);
    expect(other.stdout).toBe('no pair has been closed\n');
  });

  it('is 1 where there is no journal', async () => {
    const { code, stderr } = await runTandem(['pairs', '--data-dir', '/nowhere']);
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: 'there must be a journal in /nowhere/journal.db, there is none\n',
    });
  });
});
