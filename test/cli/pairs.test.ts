import { spawn } from 'node:child_process';
import { once } from 'node:events';
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
import { LAUNCH, runTandem } from './run-tandem.ts';

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

  it('--follow prints what a running engine adds, each pair once for each change', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'tandem-pairs-'));
    const journal = openJournal(directory);
    onTestFinished(() => {
      journal.close();
      rmSync(directory, { recursive: true });
    });
    journal.allocateBoot(1);
    const rows = rowsOfTwoPairs().map(encodeRow);
    const last = rows.splice(-1);
    journal.append(rows);
    const child = spawn(process.execPath, [LAUNCH, 'pairs', '--follow', '--json', '--data-dir', directory], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let printed = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      printed += text;
      if (last.length > 0) journal.append(last.splice(0));
      if (printed.includes('ETH-2')) child.kill('SIGINT');
    });
    expect(await once(child, 'close')).toEqual([0, null]);
    const ids = printed
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { pairId: string }).pairId);
    expect(ids).toEqual(['ETH-1', 'ETH-2']);
  });

  it('is 1 where there is no journal', async () => {
    const { code, stderr } = await runTandem(['pairs', '--data-dir', '/nowhere']);
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: 'there must be a journal in /nowhere/journal.db, there is none\n',
    });
  });
});

describe('tandem report', () => {
  it('sums what was closed, whole and in the groups asked for', async () => {
    const directory = journalOf(rowsOfTwoPairs());
    const { code, stdout } = await runTandem(['report', '--by', 'symbol,reason', '--data-dir', directory]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/closed pairs +1 +1 +\+3\.5879 +13\.8012 +-0\.3300 +\+8\.9100/);
    expect(stdout).toMatch(/hedged in 80 ms p50, 120 ms p95, 120 ms at most/);
    expect(stdout).toMatch(/^ +symbol +pairs[^]*^ +ETH +1 [^]*^ +reason +pairs[^]*^ +TAKE_PROFIT +1 /m);
    expect(stdout).not.toMatch(/^ +venues/m);
  });

  it('leaves out what was closed at another time, and says so; --json keeps every amount', async () => {
    const directory = journalOf(rowsOfTwoPairs());
    const later = await runTandem(['report', '--from', '2100-01-01', '--data-dir', directory]);
    expect([later.code, later.stdout]).toEqual([0, 'no pair was closed in this time\n']);
    const { stdout } = await runTandem(['report', '--json', '--data-dir', directory]);
    expect(JSON.parse(stdout)).toMatchObject({
      all: { pairs: 1, netMicro: '3587883' },
      groups: { symbol: [{ name: 'ETH' }] },
    });
  });

  it.each([
    ['--from yesterday', 'must be a UTC day or instant like 2026-01-21T08:00:00Z'],
    ['--by week', 'must be some of day, symbol, venues, reason, was "week"'],
  ])('refuses %s', async (words, complaint) => {
    const { code, stderr } = await runTandem(['report', ...words.split(' ')]);
    expect(code).toBe(2);
    expect(stderr).toContain(complaint);
  });
});
