import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import { chainHash, encodeRow, GENESIS_HASH } from '../../../src/storage/hash-chain.ts';
import { decodeHead } from '../../../src/storage/head-record.ts';
import { JournalDamaged } from '../../../src/storage/journal-errors.ts';
import { DATABASE_FILE, HEAD_FILE, openJournal } from '../../../src/storage/live/journal-database.ts';
import { asDamage } from '../../../src/storage/live/sqlite-damage.ts';
import { followChain } from '../../../src/storage/live/verify-chain.ts';
import { verifyEverything } from '../../../src/storage/live/verify-journal.ts';
import type { JournalRow } from '../../../src/storage/rows.ts';
import { encoded, row } from '../rows.ts';
import { temporaryDirectory } from '../temporary-directory.ts';

const AT_MS = 1_767_225_600_000;
/** With the boot row 201: the first part of two ends with row 180. */
const IDS = Array.from({ length: 200 }, (_, index) => `fill:lighter:main:${index}`);

function journalOf(rows: readonly JournalRow[]): string {
  const directory = temporaryDirectory();
  const journal = openJournal(directory);
  journal.allocateBoot(AT_MS);
  journal.append(rows.map(encodeRow));
  journal.close();
  return directory;
}

/** Does what no code of ours can. */
function tamper(directory: string, sql: string): void {
  const database = new Database(join(directory, DATABASE_FILE)).unsafeMode();
  database.exec('DROP TRIGGER rows_are_not_updated; DROP TRIGGER rows_are_not_deleted;');
  database.exec(sql);
  database.close();
}

/** What the check says: how far the chain goes, or the row at which it breaks (`structure` when it is no row). */
function judgement(directory: string, twoThreadsRows: number): string {
  const file = join(directory, DATABASE_FILE);
  let database: Database.Database | undefined;
  try {
    database = new Database(file, { readonly: true });
    const end = verifyEverything(database, file, decodeHead(readFileSync(join(directory, HEAD_FILE))), twoThreadsRows);
    return `whole up to ${end.sequence}, ${Buffer.from(end.hash).toString('hex')}`;
  } catch (error) {
    const damage = asDamage(error, file);
    if (!(damage instanceof JournalDamaged)) throw error;
    return `damaged at ${damage.sequence ?? 'structure'}`;
  } finally {
    database?.close();
  }
}

const ONE_THREAD = Number.POSITIVE_INFINITY;
const TWO_THREADS = 1;

describe('two threads come to the judgement of one', () => {
  it.each([
    ['a whole journal', '', /^whole up to 201, /],
    ['an altered row in the first part', `UPDATE rows SET payload = '{}' WHERE sequence = 77`, /^damaged at 77$/],
    ['an altered last row of the first part', `UPDATE rows SET actor = '' WHERE sequence = 180`, /^damaged at 180$/],
    ['an altered first row of the second', `UPDATE rows SET actor = '' WHERE sequence = 181`, /^damaged at 181$/],
    ['an altered last row', `UPDATE rows SET actor = 'me' WHERE sequence = 201`, /^damaged at 201$/],
    [
      'an altered hash where the parts meet',
      `UPDATE rows SET hash = zeroblob(32) WHERE sequence = 180`,
      /^damaged at 180$/,
    ],
    ['altered rows in both parts', `UPDATE rows SET actor = '' WHERE sequence IN (70, 190)`, /^damaged at 70$/],
    ['a deleted row in the first part', 'DELETE FROM rows WHERE sequence = 12', /^damaged at 12$/],
    ['a deleted row in the second part', 'DELETE FROM rows WHERE sequence = 190', /^damaged at 190$/],
    ['a deleted row where the parts meet', 'DELETE FROM rows WHERE sequence = 180', /^damaged at 180$/],
    ['a deleted tail', 'DELETE FROM rows WHERE sequence > 150', /^whole up to 150, /],
    ['no rows left', 'DELETE FROM rows', /^whole up to 0, /],
    [
      'an index that lacks a row',
      `PRAGMA writable_schema = ON;
       UPDATE sqlite_schema SET sql = 'CREATE INDEX rows_by_type ON rows (actor)' WHERE name = 'rows_by_type'`,
      /^damaged at structure$/,
    ],
  ])('about %s', (_, sql, expected) => {
    const directory = journalOf(IDS.map((id) => row(id)));
    if (sql !== '') tamper(directory, sql);
    expect(judgement(directory, ONE_THREAD)).toMatch(expected);
    expect(judgement(directory, TWO_THREADS)).toBe(judgement(directory, ONE_THREAD));
  });

  it('about a chain that was computed anew, by the head record in either part', () => {
    for (const head of [100, 190]) {
      const directory = journalOf(IDS.slice(0, head - 1).map((id) => row(id)));
      const known = readFileSync(join(directory, HEAD_FILE));
      const other = journalOf(IDS.map((id) => row(`${id}x`)));
      writeFileSync(join(other, HEAD_FILE), known);
      expect(judgement(other, ONE_THREAD)).toBe(`damaged at ${head}`);
      expect(judgement(other, TWO_THREADS)).toBe(`damaged at ${head}`);
    }
  });

  it('about a file in which a bit flipped', () => {
    const directory = journalOf(IDS.map((id) => row(id)));
    const file = join(directory, DATABASE_FILE);
    const whole = readFileSync(file);
    const found = new Set<string>();
    for (let at = 100; at < whole.length; at += 9_001) {
      const flipped = Buffer.from(whole);
      flipped[at] = (flipped[at] ?? 0) ^ (1 << (at % 8));
      writeFileSync(file, flipped);
      const judged = judgement(directory, TWO_THREADS).split(' ')[0] ?? '';
      expect(judged, `bit in byte ${at}`).toBe(judgement(directory, ONE_THREAD).split(' ')[0]);
      found.add(judged);
    }
    expect(found).toEqual(new Set(['whole', 'damaged']));
  });
});

describe('a journal of many blocks', () => {
  /** Every hundredth row is one whose text SQLite writes differently: the chain goes on behind it by the next block. */
  const many = Array.from({ length: 1_000 }, (_, index) =>
    row(`fill:lighter:main:${index}`, index % 100 === 50 ? { atMs: 2 ** 60 } : {}),
  );

  it('is followed to its end', () => {
    expect(judgement(journalOf(many), ONE_THREAD)).toMatch(/^whole up to 1001, /);
  });

  it.each([1, 2, 52, 53, 199, 200, 201, 202, 400, 401, 900, 901, 1_000, 1_001])(
    'shows an altered row wherever it stands: %i',
    (sequence) => {
      const directory = journalOf(many);
      tamper(directory, `UPDATE rows SET actor = 'me' WHERE sequence = ${sequence}`);
      expect(judgement(directory, ONE_THREAD)).toBe(`damaged at ${sequence}`);
      expect(judgement(directory, TWO_THREADS)).toBe(`damaged at ${sequence}`);
    },
  );

  it.each([1, 200, 201, 400, 900, 901, 1_000, 1_001])('shows an altered hash wherever it stands: %i', (sequence) => {
    const directory = journalOf(many);
    tamper(directory, `UPDATE rows SET hash = randomblob(32) WHERE sequence = ${sequence}`);
    expect(judgement(directory, ONE_THREAD)).toBe(`damaged at ${sequence}`);
    expect(judgement(directory, TWO_THREADS)).toBe(`damaged at ${sequence}`);
  });

  it.each([
    ['as long as a block', 201, 400],
    ['longer than a block', 300, 620],
    ['at the beginning', 1, 450],
    ['over both parts', 700, 1_000],
  ])('shows a gap %s', (_, first, last) => {
    const directory = journalOf(many);
    tamper(directory, `DELETE FROM rows WHERE sequence BETWEEN ${first} AND ${last}`);
    expect(judgement(directory, ONE_THREAD)).toBe(`damaged at ${first}`);
  });

  it('shows two rows that changed places', () => {
    const directory = journalOf(many);
    tamper(
      directory,
      `UPDATE rows SET sequence = 5000 WHERE sequence = 301;
       UPDATE rows SET sequence = 301 WHERE sequence = 302;
       UPDATE rows SET sequence = 302 WHERE sequence = 5000;`,
    );
    expect(judgement(directory, ONE_THREAD)).toBe('damaged at 301');
  });
});

describe('a row', () => {
  const odd: readonly JournalRow[] = [
    row('plain'),
    row('half a ms', { atMs: 12.25 }),
    row('before 1970', { atMs: -3 }),
    row('beyond whole numbers', { atMs: 2 ** 60 }),
    row('huge', { atMs: 1e300 }),
    row('text \u0000 \u0001 \u001f " \\ / \u007f \b\f\n\r\t', { actor: 'a\u0000b', correlation: "'\n'" }),
    row('text é 😀 \u2028 \ufffd', { payload: { 'é\n\u0000': '\u2029"\\', $: 1n, __proto__: 2 } }),
    row('of a venue', { venueAtMs: AT_MS - 1, causation: 'plain' }),
    row('of a venue between two ms', { venueAtMs: 0.5 }),
    row('of a venue in 1970', { venueAtMs: 0 }),
    row('that follows', { causation: 'é"\n' }),
  ];

  it('of any content is followed, and keeps the hash it has always had', () => {
    const directory = journalOf(odd);
    expect(judgement(directory, ONE_THREAD)).toMatch(/^whole up to 12, /);
    const first = encodeRow(row('plain'));
    const text = [1, 'plain', 'fill', first.atMs, first.actor, first.correlation, first.payload];
    const expected = createHash('sha256').update(GENESIS_HASH).update(JSON.stringify(text)).digest();
    expect(chainHash(GENESIS_HASH, 1, first)).toEqual(expected);
  });

  it.each([
    ['a time by half a ms', 'at_ms = at_ms + 0.5', 'plain'],
    ['a time that is no whole number', 'at_ms = 12.5', 'half a ms'],
    ['a time beyond whole numbers', 'at_ms = at_ms * 2', 'beyond whole numbers'],
    ['a time beyond all numbers', 'at_ms = 9e999', 'plain'],
    ['what stands after a zero character', `actor = 'a' || char(0) || 'c'`, 'text%'],
    ['a zero character at the end', `payload = payload || char(0)`, 'plain'],
    ['a zero character and more at the end', `payload = payload || char(0) || '{}'`, 'plain'],
    ['a line end', `correlation = correlation || char(10)`, 'plain'],
    ['a broken character', `actor = CAST(x'ff' AS TEXT)`, 'plain'],
    ['a time of the venue where there was none', 'venue_at_ms = 0', 'plain'],
    ['a time of the venue', 'venue_at_ms = 0.25', 'of a venue between two ms'],
    ['a cause that is no more', `causation = ''`, 'that follows'],
  ])('that was changed shows: %s', (_, change, id) => {
    const directory = journalOf(odd);
    const database = new Database(join(directory, DATABASE_FILE));
    const sequence = database.prepare('SELECT min(sequence) FROM rows WHERE id LIKE ?').pluck().get(id);
    database.close();
    tamper(directory, `UPDATE rows SET ${change} WHERE sequence = ${String(sequence)}`);
    expect(judgement(directory, ONE_THREAD)).toBe(`damaged at ${String(sequence)}`);
  });

  it('of most kinds is followed by the text SQLite writes', () => {
    const directory = journalOf([]);
    const journal = openJournal(directory);
    journal.allocateBoot(AT_MS);
    journal.append(encoded(...IDS));
    journal.close();
    const file = join(directory, DATABASE_FILE);
    const database = new Database(file, { readonly: true });
    // Its columns' own values would have to be read with this statement.
    const prepare = database.prepare.bind(database);
    const prepared: string[] = [];
    database.prepare = ((sql: string) => {
      prepared.push(sql);
      return prepare(sql);
    }) as typeof database.prepare;
    followChain(database, file, undefined, { sequence: 0, hash: GENESIS_HASH });
    expect(prepared.filter((sql) => sql.includes('json_array'))).toHaveLength(1);
    expect(prepared.filter((sql) => sql.includes('AS venueAtMs'))).toEqual([]);
    database.close();
  });
});
