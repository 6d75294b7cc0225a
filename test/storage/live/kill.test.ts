/** The journal of a process that is killed: real processes, real files. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openJournal } from '../../../src/storage/live/journal-database.ts';
import { temporaryDirectory } from '../temporary-directory.ts';

const CHILD = join(import.meta.dirname, '..', 'fixtures', 'append-forever.ts');

/** Runs a writer and kills it once it has acknowledged so many rows. Returns every line it printed. */
function killAfter(directory: string, acknowledged: number): Promise<readonly string[]> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [CHILD, directory], { stdio: ['ignore', 'pipe', 'pipe'] });
    let text = '';
    let complaint = '';
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
      if (text.split('\n').length > acknowledged + 1) child.kill('SIGKILL');
    });
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => (complaint += chunk));
    child.on('close', (_, signal) => {
      if (signal === 'SIGKILL') resolve(text.split('\n').slice(0, -1));
      else reject(new Error(`the writer ended by itself: ${complaint}`));
    });
  });
}

describe('SIGKILL while appending', () => {
  it('loses no acknowledged row, splits no transaction, repeats no boot number, leaves no lock (20 kills)', async () => {
    const directory = temporaryDirectory();
    const acknowledged: string[] = [];
    const boots: number[] = [];
    for (let kill = 0; kill < 20; kill += 1) {
      const [first, ...rows] = await killAfter(directory, 1 + ((kill * 7) % 40));
      const [, boot, verdict] = first?.split(' ') ?? [];
      expect(verdict).toBe('ok');
      boots.push(Number(boot));
      acknowledged.push(...rows);
    }
    expect(boots).toEqual(boots.map((_, index) => index + 1));
    const journal = openJournal(directory);
    expect(journal.verdict.type).toBe('ok');
    const ids = new Set<string>();
    for (let after = 0; ;) {
      const page = journal.read({ type: 'all', afterSequence: after, limit: 1_000 });
      for (const found of page) ids.add(found.id);
      const last = page.at(-1)?.sequence;
      if (last === undefined) break;
      after = last;
    }
    journal.close();
    expect(acknowledged.filter((id) => !ids.has(id))).toEqual([]);
    expect([...ids].filter((id) => /^\d+:\d+$/.test(id) && !ids.has(`${id}:second`))).toEqual([]);
    // Twenty processes start one after the other, on a machine that may have other work.
  }, 120_000);
});
