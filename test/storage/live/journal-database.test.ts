import { createHash } from 'node:crypto';
import { chmodSync, copyFileSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import { encodeRow } from '../../../src/storage/hash-chain.ts';
import { BootNumbersExhausted, JournalDamaged, RowConflict } from '../../../src/storage/journal-errors.ts';
import {
  BOOT_MAX,
  DATABASE_FILE,
  HEAD_FILE,
  openJournal,
  reopenJournal,
} from '../../../src/storage/live/journal-database.ts';
import { MIGRATIONS } from '../../../src/storage/schema.ts';
import { SimulatedDisk } from '../../../src/simulation/simulated-disk.ts';
import type { LatestRows } from '../../../src/storage/rows.ts';
import type { JournalVerdict } from '../../../src/storage/verdict.ts';
import { HeadFile } from '../../../src/storage/live/head-file.ts';
import { encoded, row } from '../rows.ts';
import { temporaryDirectory } from '../temporary-directory.ts';

const AT_MS = 1_767_225_600_000;
const IDS = Array.from({ length: 200 }, (_, index) => `fill:lighter:main:${index}`);

/** One finished life: boot row and 200 fills, closed. Returns its boot number. */
function live(directory: string, ids: readonly string[] = IDS): number {
  const journal = openJournal(directory);
  const boot = journal.allocateBoot(AT_MS);
  for (let at = 0; at < ids.length; at += 20) journal.append(encoded(...ids.slice(at, at + 20)));
  journal.close();
  return boot;
}

function verdictOf(directory: string): JournalVerdict {
  const journal = openJournal(directory);
  journal.close();
  return journal.verdict;
}

function damageOf(directory: string): JournalDamaged {
  try {
    openJournal(directory).close();
  } catch (error) {
    if (error instanceof JournalDamaged) return error;
    throw error;
  }
  throw new Error('the journal must be damaged, was not');
}

/** Does what no code of ours can: the triggers are dropped first and put back after. */
function tamper(directory: string, sql: string): void {
  const database = new Database(join(directory, DATABASE_FILE));
  const triggers = database
    .prepare<[], { sql: string }>(`SELECT sql FROM sqlite_schema WHERE type = 'trigger'`)
    .all()
    .map((trigger) => trigger.sql);
  database.exec('DROP TRIGGER rows_are_not_updated; DROP TRIGGER rows_are_not_deleted;');
  database.exec(sql);
  for (const trigger of triggers) database.exec(trigger);
  database.close();
}

describe('rows', () => {
  it('are read back in order with their sequence, bigints and all', () => {
    const journal = openJournal(temporaryDirectory());
    journal.allocateBoot(AT_MS);
    journal.append([encodeRow(row('a', { atMs: 12.25 })), encodeRow(row('b', { type: 'funding', correlation: '' }))]);
    expect(journal.read({ type: 'all', afterSequence: 1, limit: 10 })).toEqual([
      row('a', { atMs: 12.25, sequence: 2 }),
      row('b', { type: 'funding', correlation: '', sequence: 3 }),
    ]);
    journal.close();
  });

  it('name the time at the venue and the row they follow from, where they do; neither can be changed unseen', () => {
    const directory = temporaryDirectory();
    const journal = openJournal(directory);
    journal.allocateBoot(AT_MS);
    const origin = { venueAtMs: AT_MS - 40.5, causation: 'order-planned:lighter:main:7' };
    journal.append([encodeRow(row('a', origin)), encodeRow(row('b')), encodeRow(row('c', { venueAtMs: 0 }))]);
    expect(journal.read({ type: 'all', afterSequence: 1, limit: 10 })).toEqual([
      row('a', { ...origin, sequence: 2 }),
      row('b', { sequence: 3 }),
      row('c', { venueAtMs: 0, sequence: 4 }),
    ]);
    journal.close();
    expect(verdictOf(directory)).toEqual({ type: 'ok', rows: 4 });
    for (const change of ["causation = 'x'", 'venue_at_ms = 1', "causation = '', venue_at_ms = NULL"]) {
      const copy = temporaryDirectory();
      for (const file of [DATABASE_FILE, HEAD_FILE]) copyFileSync(join(directory, file), join(copy, file));
      tamper(copy, `UPDATE rows SET ${change} WHERE sequence = 2`);
      expect(damageOf(copy).sequence).toBe(2);
    }
  });

  it('written before those columns existed keep their hashes: an old journal goes on', () => {
    const directory = temporaryDirectory();
    const old = new Database(join(directory, DATABASE_FILE));
    old.exec(MIGRATIONS[0] ?? '');
    old.pragma('user_version = 1');
    let previous: Uint8Array = new Uint8Array(32);
    ['boot:1', 'old:2'].forEach((id, at) => {
      const type = at === 0 ? 'boot' : 'fill';
      const payload = at === 0 ? '{"boot":1}' : '{"quantity":{"$bigint":"5"}}';
      const canonical = JSON.stringify([at + 1, id, type, AT_MS, 'main', '', payload]);
      previous = createHash('sha256').update(previous).update(canonical).digest();
      old
        .prepare('INSERT INTO rows VALUES (?, ?, ?, ?, ?, ?, ?, ?)')
        .run(at + 1, id, type, AT_MS, 'main', '', payload, previous);
    });
    old.close();
    const head = new HeadFile(join(directory, HEAD_FILE));
    head.write({ boot: 1, sequence: 2, hash: Buffer.from(previous).toString('hex'), isLossUnrecorded: false });
    head.close();

    const journal = openJournal(directory);
    expect(journal.verdict).toEqual({ type: 'ok', rows: 2 });
    expect(journal.allocateBoot(AT_MS)).toBe(2);
    journal.append([encodeRow(row('new', { causation: 'old:2' }))]);
    expect(journal.read({ type: 'all', afterSequence: 1, limit: 9 }).map(({ id }) => id)).toEqual([
      'old:2',
      'boot:2',
      'new',
    ]);
    journal.close();
    expect(verdictOf(directory)).toEqual({ type: 'ok', rows: 4 });
  });

  it('of closed pairs can be asked for in SQL, the newest of each pair', () => {
    const directory = temporaryDirectory();
    const journal = openJournal(directory);
    journal.allocateBoot(AT_MS);
    const statistics = (id: string, pairId: string, netMicro: bigint) =>
      encodeRow(
        row(id, { type: 'pair-statistics', correlation: pairId, payload: { statistics: { base: 'BTC', netMicro } } }),
      );
    journal.append([statistics('1', 'BTC-1', 5n), statistics('2', 'BTC-2', -7_000_000n), statistics('3', 'BTC-1', 6n)]);
    journal.close();
    const database = new Database(join(directory, DATABASE_FILE), { readonly: true });
    expect(database.prepare('SELECT pair_id, base, net_micro FROM closed_pairs ORDER BY pair_id').all()).toEqual([
      { pair_id: 'BTC-1', base: 'BTC', net_micro: 6 },
      { pair_id: 'BTC-2', base: 'BTC', net_micro: -7_000_000 },
    ]);
    database.close();
  });

  it('are found by correlation, actor and type, in pages', () => {
    const journal = openJournal(temporaryDirectory());
    journal.allocateBoot(AT_MS);
    journal.append([
      encodeRow(row('a', { correlation: 'X' })),
      encodeRow(row('b', { correlation: 'Y', actor: 'guard' })),
      encodeRow(row('c', { correlation: 'X', type: 'intent' })),
    ]);
    const ids = (query: Parameters<typeof journal.read>[0]): readonly string[] =>
      journal.read(query).map((found) => found.id);
    expect(ids({ type: 'by-correlation', correlation: 'X', afterSequence: 0, limit: 9 })).toEqual(['a', 'c']);
    expect(ids({ type: 'by-correlation', correlation: 'X', afterSequence: 2, limit: 9 })).toEqual(['c']);
    expect(ids({ type: 'by-actor', actor: 'guard', afterSequence: 0, limit: 9 })).toEqual(['b']);
    expect(ids({ type: 'by-type', rowType: 'fill', afterSequence: 0, limit: 1 })).toEqual(['a']);
    expect(() => ids({ type: 'all', afterSequence: 0, limit: 0 })).toThrow('row limit of a query must be');
    journal.close();
  });

  it('are found from the end, of a correlation, a type or both, as on the simulated disk', () => {
    const real = openJournal(temporaryDirectory());
    real.allocateBoot(AT_MS);
    const simulated = new SimulatedDisk().open();
    const rows = Array.from({ length: 30 }, (_, at) =>
      encodeRow(row(`r${at}`, { correlation: at % 3 === 0 ? 'X' : 'Y', type: at % 2 === 0 ? 'fill' : 'intent' })),
    );
    // Row 1 of a real journal is its boot.
    simulated.append([encodeRow(row('boot', { type: 'boot', correlation: '' })), ...rows]);
    real.append(rows);
    const queries: readonly Omit<LatestRows, 'type'>[] = [
      { limit: 4 },
      { limit: 4, beforeSequence: 3 },
      { limit: 4, beforeSequence: 1 },
      { correlation: 'X', limit: 3 },
      { correlation: 'X', beforeSequence: 20, limit: 9 },
      { rowType: 'intent', beforeSequence: 9, limit: 9 },
      { correlation: 'X', rowType: 'fill', limit: 2 },
      { correlation: 'X', rowType: 'fill', beforeSequence: 14, limit: 9 },
      { correlation: 'none', limit: 9 },
    ];
    const found = queries.map((query) => real.read({ type: 'latest', ...query }).map(({ sequence }) => sequence));
    expect(found).toEqual(
      queries.map((query) => simulated.read({ type: 'latest', ...query }).map(({ sequence }) => sequence)),
    );
    expect(found).toEqual([
      [31, 30, 29, 28],
      [2, 1],
      [],
      [29, 26, 23],
      [17, 14, 11, 8, 5, 2],
      [7, 5, 3],
      [26, 20],
      [8, 2],
      [],
    ]);
    real.close();
  });

  it('change nothing when their id is known, and leave no gap', () => {
    const journal = openJournal(temporaryDirectory());
    journal.allocateBoot(AT_MS);
    expect(journal.append(encoded('a', 'b'))).toEqual({ appended: 2, repeatedAt: new Set() });
    expect(journal.append(encoded('b', 'c', 'a', 'd'))).toEqual({ appended: 2, repeatedAt: new Set([0, 2]) });
    expect(journal.read({ type: 'all', afterSequence: 1, limit: 9 }).map(({ id, sequence }) => [id, sequence])).toEqual(
      [
        ['a', 2],
        ['b', 3],
        ['c', 4],
        ['d', 5],
      ],
    );
    journal.close();
  });

  it('are refused whole when one of them contradicts the stored row of its id', () => {
    const journal = openJournal(temporaryDirectory());
    journal.allocateBoot(AT_MS);
    journal.append(encoded('a'));
    const other = encodeRow(row('a', { payload: { quantity: 13n, symbol: 'BTC' } }));
    expect(() => journal.append([...encoded('b'), other])).toThrow(
      'a row with a known id must state the fact of row 2, a differs: quantity "12345678901234567890n" and "13n"',
    );
    expect(journal.sequence).toBe(2);
    const twice = encodeRow(row('c', { payload: { quantity: 1n } }));
    expect(() => journal.append([...encoded('c'), twice])).toThrow(RowConflict);
    // The same connection goes on, and the chain has no gap.
    expect(journal.append(encoded('a', 'b'))).toEqual({ appended: 1, repeatedAt: new Set([0]) });
    expect(journal.read({ type: 'all', afterSequence: 1, limit: 9 }).map(({ id }) => id)).toEqual(['a', 'b']);
    journal.close();
  });

  it('are brought from the log into the table between commits, and none is lost with the log', () => {
    const directory = temporaryDirectory();
    const journal = openJournal(directory);
    journal.allocateBoot(AT_MS);
    const many = Array.from({ length: 1_200 }, (_, index) => `row ${index}`);
    const log = join(directory, `${DATABASE_FILE}-wal`);
    for (let at = 0; at < many.length; at += 100) journal.append(encoded(...many.slice(at, at + 100)));
    const [tableBytes, logBytes] = [statSync(join(directory, DATABASE_FILE)).size, statSync(log).size];
    expect(tableBytes).toBeLessThan(100_000);
    journal.upkeep();
    expect(statSync(join(directory, DATABASE_FILE)).size).toBeGreaterThan(300_000);
    // The log begins anew instead of growing.
    journal.append(encoded('after'));
    expect(statSync(log).size).toBe(logBytes);
    journal.close();
    expect(verdictOf(directory)).toEqual({ type: 'ok', rows: 1_202 });
  });

  it('are never updated or deleted, not even by a slip of ours', () => {
    const directory = temporaryDirectory();
    live(directory);
    const database = new Database(join(directory, DATABASE_FILE));
    expect(() => database.exec(`UPDATE rows SET payload = '{}' WHERE sequence = 5`)).toThrow('never updated');
    expect(() => database.exec('DELETE FROM rows WHERE sequence = 5')).toThrow('never deleted');
    database.close();
  });

  it('are readable by their owner only', () => {
    const directory = temporaryDirectory();
    live(directory);
    for (const file of [DATABASE_FILE, HEAD_FILE]) expect(statSync(join(directory, file)).mode & 0o777).toBe(0o600);
  });
});

describe('opening', () => {
  it('is ok for a new directory and after an ordinary end', () => {
    const directory = temporaryDirectory();
    expect(verdictOf(directory)).toEqual({ type: 'ok', rows: 0 });
    live(directory);
    expect(verdictOf(directory)).toEqual({ type: 'ok', rows: 201 });
  });

  it('is ok when death came between a commit and the head record', () => {
    const directory = temporaryDirectory();
    live(directory, IDS.slice(0, 100));
    const head = readFileSync(join(directory, HEAD_FILE));
    const journal = openJournal(directory);
    journal.allocateBoot(AT_MS);
    journal.append(encoded('late'));
    journal.close();
    writeFileSync(join(directory, HEAD_FILE), head);
    expect(verdictOf(directory)).toEqual({ type: 'ok', rows: 103 });
  });

  it.each([
    ['an altered row in the middle', `UPDATE rows SET payload = '{"quantity":1}' WHERE sequence = 77`, 77],
    ['an altered time', 'UPDATE rows SET at_ms = at_ms + 1 WHERE sequence = 12', 12],
    ['an altered last row', `UPDATE rows SET actor = 'me' WHERE sequence = 201`, 201],
    ['a deleted row in the middle', 'DELETE FROM rows WHERE sequence = 77', 77],
    ['a deleted first row', 'DELETE FROM rows WHERE sequence = 1', 1],
    [
      'two rows that changed places',
      'UPDATE rows SET sequence = -1 WHERE sequence = 50; UPDATE rows SET sequence = 50 WHERE sequence = 51; UPDATE rows SET sequence = 51 WHERE sequence = -1',
      50,
    ],
  ])('names %s', (_, sql, sequence) => {
    const directory = temporaryDirectory();
    live(directory);
    tamper(directory, sql);
    const damage = damageOf(directory);
    expect(damage).toMatchObject({ code: 'journal-damaged', sequence, file: join(directory, DATABASE_FILE) });
    expect(damage.message).toContain(`is damaged at row ${sequence}: `);
  });

  it('names a row that a rewritten chain put in the place of another', () => {
    const directory = temporaryDirectory();
    const other = temporaryDirectory();
    live(directory);
    live(
      other,
      IDS.map((id) => `${id}x`),
    );
    copyFileSync(join(other, DATABASE_FILE), join(directory, DATABASE_FILE));
    expect(damageOf(directory)).toMatchObject({ sequence: 201, rule: expect.stringContaining('journal.head') });
  });

  it('names a file that is no database', () => {
    const directory = temporaryDirectory();
    live(directory);
    writeFileSync(join(directory, DATABASE_FILE), 'x'.repeat(8_192));
    expect(damageOf(directory).rule).toContain('SQLite must be able to read it');
  });

  it('names a schema from the future', () => {
    const directory = temporaryDirectory();
    live(directory);
    tamper(directory, 'PRAGMA user_version = 999');
    expect(damageOf(directory).rule).toContain('schema version must be at most');
  });

  it('notices a file cut anywhere', () => {
    const directory = temporaryDirectory();
    live(directory);
    const file = join(directory, DATABASE_FILE);
    const whole = readFileSync(file);
    for (const kept of [0, 1, 4_095, 4_096, whole.length / 2, whole.length - 4_096, whole.length - 1]) {
      writeFileSync(file, whole);
      truncateSync(file, Math.floor(kept));
      let noticed: string;
      try {
        noticed = verdictOf(directory).type;
      } catch (error) {
        noticed = error instanceof JournalDamaged ? 'damaged' : String(error);
      }
      // SQLite takes a file of a page's fraction for a new one: then the head file tells that rows are gone.
      expect(noticed, `cut to ${kept} of ${whole.length} bytes`).toBe(kept <= 1 ? 'tail-lost' : 'damaged');
    }
  });

  it('notices every flipped bit that changes what is read', () => {
    const directory = temporaryDirectory();
    live(directory);
    const file = join(directory, DATABASE_FILE);
    const whole = readFileSync(file);
    const before = readAll(directory);
    let noticed = 0;
    for (let at = 100; at < whole.length; at += 331) {
      const flipped = Buffer.from(whole);
      flipped[at] = (flipped[at] ?? 0) ^ (1 << (at % 8));
      writeFileSync(file, flipped);
      try {
        if (verdictOf(directory).type === 'ok') {
          expect(readAll(directory), `bit in byte ${at}`).toEqual(before);
        }
      } catch (error) {
        expect(error, `bit in byte ${at}`).toBeInstanceOf(JournalDamaged);
        noticed += 1;
      }
    }
    // The rest hit free space inside pages, which is not data.
    expect(noticed).toBeGreaterThan(50);
  });
});

function readAll(directory: string): unknown {
  const database = new Database(join(directory, DATABASE_FILE));
  const rows = database.prepare('SELECT * FROM rows ORDER BY sequence').all();
  database.close();
  return rows;
}

describe('a lost tail', () => {
  it('is noticed when the last rows are gone, and the engine may go on', () => {
    const directory = temporaryDirectory();
    const boot = live(directory);
    tamper(directory, 'DELETE FROM rows WHERE sequence > 150');
    expect(verdictOf(directory)).toEqual({
      type: 'tail-lost',
      rows: 150,
      expectedSequence: 201,
      detail: 'rows 151 to 201 are lost: journal.head has seen row 201',
    });
    const journal = openJournal(directory);
    expect(journal.allocateBoot(AT_MS)).toBe(boot + 1 + 1_024);
    journal.append(encoded('after'));
    expect(journal.read({ type: 'by-type', rowType: 'boot', afterSequence: 1, limit: 9 })).toMatchObject([
      { sequence: 151, payload: { boot: boot + 1_025, lostAfterSequence: 150 } },
    ]);
    journal.close();
    expect(verdictOf(directory)).toEqual({ type: 'ok', rows: 152 });
  });

  it('is noticed when one row is gone, also by a start that died before it could say so', () => {
    const directory = temporaryDirectory();
    const boot = live(directory);
    tamper(directory, 'DELETE FROM rows WHERE sequence = 201');
    const file = join(directory, DATABASE_FILE);
    const shortened = readFileSync(file);
    const journal = openJournal(directory);
    expect(journal.allocateBoot(AT_MS)).toBe(boot + 1_025);
    journal.close();
    // The head says that the loss was taken note of, and the row that did so vanished with the next one.
    writeFileSync(file, shortened);
    expect(verdictOf(directory).type).toBe('tail-lost');
    const second = openJournal(directory);
    expect(second.allocateBoot(AT_MS)).toBe(boot + 2 * 1_025);
    second.close();
  });

  it('stays known when death comes between marking it in the head and the boot row', () => {
    const directory = temporaryDirectory();
    live(directory);
    tamper(directory, 'DELETE FROM rows WHERE sequence > 200');
    const file = join(directory, DATABASE_FILE);
    const database = new Database(file);
    const last = database.prepare<[], { hash: Buffer }>('SELECT hash FROM rows WHERE sequence = 200').get();
    database.close();
    const head = new HeadFile(join(directory, HEAD_FILE));
    head.write({ boot: 1_026, sequence: 200, hash: last?.hash.toString('hex') ?? '', isLossUnrecorded: true });
    head.close();
    const journal = openJournal(directory);
    expect(journal.verdict).toMatchObject({ type: 'tail-lost', rows: 200 });
    expect(journal.allocateBoot(AT_MS)).toBe(1_026 + 1_025);
    journal.close();
    expect(verdictOf(directory).type).toBe('ok');
  });

  it.each([
    ['an older copy is put in its place', (file: string, older: Buffer) => writeFileSync(file, older)],
    ['the database is deleted', (file: string) => rmSync(file)],
  ])('is noticed when %s', (_, harm) => {
    const directory = temporaryDirectory();
    live(directory, IDS.slice(0, 100));
    const file = join(directory, DATABASE_FILE);
    const older = readFileSync(file);
    const boot = live(directory, IDS.slice(100));
    harm(file, older);
    expect(verdictOf(directory)).toMatchObject({ type: 'tail-lost', expectedSequence: 202 });
    const journal = openJournal(directory);
    expect(journal.allocateBoot(AT_MS)).toBe(boot + 1_025);
    journal.close();
  });

  it.each([
    ['missing', (file: string) => rmSync(file)],
    ['unreadable', (file: string) => writeFileSync(file, 'nonsense')],
  ])('is assumed when the head file is %s', (_, harm) => {
    const directory = temporaryDirectory();
    const boot = live(directory);
    harm(join(directory, HEAD_FILE));
    expect(verdictOf(directory)).toMatchObject({ type: 'tail-lost', rows: 201, expectedSequence: undefined });
    const journal = openJournal(directory);
    expect(journal.allocateBoot(AT_MS)).toBe(boot + 1_025);
    journal.close();
    expect(verdictOf(directory).type).toBe('ok');
  });
});

describe('boot numbers', () => {
  it('rise by one with each life', () => {
    const directory = temporaryDirectory();
    expect([live(directory, []), live(directory, []), live(directory, [])]).toEqual([1, 2, 3]);
  });

  it('end before they repeat', () => {
    const directory = temporaryDirectory();
    live(directory);
    const head = new HeadFile(join(directory, HEAD_FILE));
    const { sequence, hash } = head.record ?? { sequence: 0, hash: '' };
    head.write({ boot: BOOT_MAX, sequence, hash, isLossUnrecorded: false });
    head.close();
    const journal = openJournal(directory);
    expect(() => journal.allocateBoot(AT_MS)).toThrow(BootNumbersExhausted);
    journal.close();
  });

  it('come before everything else', () => {
    const journal = openJournal(temporaryDirectory());
    expect(() => journal.append(encoded('a'))).toThrow('a boot number is allocated before the first append');
    journal.close();
  });

  it('are known again when a running engine opens its journal anew', () => {
    const directory = temporaryDirectory();
    const boot = live(directory);
    const journal = reopenJournal(directory, boot);
    journal.append(encoded('again'));
    journal.close();
    expect(() => reopenJournal(directory, boot + 1)).toThrow('must name the running boot 2, names 1');
    tamper(directory, 'DELETE FROM rows WHERE sequence > 200');
    expect(() => reopenJournal(directory, boot)).toThrow('rows must not vanish while the engine runs');
  });
});

describe.skipIf(process.getuid?.() === 0)('without the right to write (skipped for root, who may always)', () => {
  it('fails with the operating fault, not as damage', () => {
    const directory = temporaryDirectory();
    live(directory);
    chmodSync(directory, 0o500);
    expect(() => openJournal(directory)).toThrow(/EACCES|readonly|unable to open/);
    chmodSync(directory, 0o700);
  });
});
