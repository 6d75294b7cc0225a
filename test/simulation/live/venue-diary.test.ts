import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { ExchangeFact } from '../../../src/simulation/exchange-facts.ts';
import { VenueDiary } from '../../../src/simulation/live/venue-diary.ts';
import { openWorld, WorldDiffers } from '../../../src/simulation/live/world-file.ts';
import { temporaryDirectory } from '../../storage/temporary-directory.ts';

const SET: ExchangeFact = { type: 'leverage-set', account: 'main', symbol: 'BTC', leverage: 3 };

function written(): string {
  const path = join(temporaryDirectory(), 'lighter');
  const diary = new VenueDiary(path);
  expect(diary.past).toBeUndefined();
  diary.write(1_000, [SET], { key: 1 });
  diary.write(2_000, [], { key: 2 });
  // Nothing has happened: nothing is written.
  diary.write(3_000, [], { key: 2 });
  diary.close();
  return path;
}

describe('the diary of a venue', () => {
  it('gives back the facts in order, the last keepsake and its time', () => {
    const past = new VenueDiary(written()).past;
    expect(past).toEqual({ facts: [SET], keepsake: { key: 2 }, calendarMs: 2_000 });
  });

  it('drops a last line that a death cut off, and goes on after the whole ones', () => {
    const path = written();
    appendFileSync(path, '0123abcd {"at":3000,"fac');
    const diary = new VenueDiary(path);
    expect(diary.past).toMatchObject({ calendarMs: 2_000 });
    diary.write(4_000, [SET], { key: 2 });
    diary.close();
    expect(new VenueDiary(path).past).toMatchObject({ calendarMs: 4_000, facts: [SET, SET] });
  });

  it('names file and line of what was altered', () => {
    const path = written();
    writeFileSync(path, readFileSync(path, 'utf8').replace('"leverage":3', '"leverage":4'));
    expect(() => new VenueDiary(path)).toThrow(`${path} line 1 must be as the simulated venue wrote it`);
  });
});

describe('a world', () => {
  const FRESH = { startAtMs: 5_000, scale: 360, anchorEpochMs: 100 };
  const MATERIAL = { symbols: ['BTC'], seed: 1 };

  it('stands still while nobody runs it, or has gone on', () => {
    const directory = temporaryDirectory();
    expect(openWorld(directory, MATERIAL, FRESH, 100, true)).toMatchObject({ calendar: FRESH, tapeStartAtMs: 5_000 });
    writeFileSync(join(directory, 'simulated', 'time'), '77000\n');
    const later = { startAtMs: 9_000, scale: 360, anchorEpochMs: 900 };
    expect(openWorld(directory, MATERIAL, later, 900, true)).toMatchObject({
      calendar: { startAtMs: 77_000, scale: 360, anchorEpochMs: 900 },
      tapeStartAtMs: 5_000,
    });
    expect(openWorld(directory, MATERIAL, later, 900, false)).toMatchObject({ calendar: FRESH, tapeStartAtMs: 5_000 });
  });

  it('is not opened with other settings, naming the setting and both values', () => {
    const directory = temporaryDirectory();
    openWorld(directory, MATERIAL, FRESH, 100, true);
    const other = { ...MATERIAL, symbols: ['BTC', 'ETH'] };
    expect(() => openWorld(directory, other, FRESH, 100, true)).toThrow(WorldDiffers);
    expect(() => openWorld(directory, other, FRESH, 100, true)).toThrow(
      'were made with symbols ["BTC"], the configuration has ["BTC","ETH"]: use another --data-dir',
    );
  });

  it('names the file that does not hold a time', () => {
    const directory = temporaryDirectory();
    openWorld(directory, MATERIAL, FRESH, 100, true);
    writeFileSync(join(directory, 'simulated', 'time'), 'noon\n');
    expect(() => openWorld(directory, MATERIAL, FRESH, 100, true)).toThrow(
      'must hold a calendar time in ms, was "noon',
    );
  });
});
