import { appendFileSync, mkdtempSync, readdirSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseRecording } from '../../src/recording/format.ts';
import type { RecordingEntry, RecordingHeading } from '../../src/recording/format.ts';
import { readRecordingLines, RecordingWriter } from '../../src/recording/live/recording-file.ts';

const HEADING: RecordingHeading = {
  recording: 1,
  venue: 'play',
  account: 'main',
  startedAtMs: 1,
  scale: 1,
  restUrl: 'http://v',
  streamUrl: 'ws://v',
  options: {},
  bases: ['BTC'],
};
const frame = (t: number): RecordingEntry => ({ t, k: 'frame', s: 1, x: `{"n":${t},"pad":"${'x'.repeat(200)}"}` });

describe('recordings on disk', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'recording-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('are compressed, put aside when full, and read as one', () => {
    const writer = new RecordingWriter(folder, HEADING, 100_000);
    for (let t = 0; t < 2_000; t++) writer.write(frame(t));
    writer.close();
    const files = readdirSync(folder).toSorted();
    expect(files.length).toBeGreaterThan(3);
    expect(files[0]).toBe('play-main-0001.jsonl.gz');
    const size = files.reduce((sum, file) => sum + statSync(join(folder, file)).size, 0);
    expect(size).toBeLessThan(2_000 * 100);
    const { heading, entries } = parseRecording(readRecordingLines(folder));
    expect(heading).toEqual(HEADING);
    expect(entries).toEqual(Array.from({ length: 2_000 }, (_unused, t) => frame(t)));
    expect(statSync(join(folder, 'play-main-0001.jsonl.gz')).mode & 0o777).toBe(0o600);
  });

  it('go on beside what an earlier life wrote', () => {
    for (const t of [1, 2]) {
      const writer = new RecordingWriter(folder, HEADING);
      writer.write(frame(t));
      writer.close();
    }
    expect(readdirSync(folder)).toHaveLength(2);
    expect(parseRecording(readRecordingLines(folder)).entries).toEqual([frame(1), frame(2)]);
  });

  it('cut off in the middle of a piece keep what came before it', () => {
    const writer = new RecordingWriter(folder, HEADING);
    for (let t = 0; t < 1_000; t++) writer.write(frame(t));
    writer.close();
    const path = join(folder, 'play-main-0001.jsonl.gz');
    truncateSync(path, statSync(path).size - 20);
    const { entries } = parseRecording(readRecordingLines(path));
    expect(entries.length).toBeGreaterThan(300);
    expect(entries).toEqual(Array.from({ length: entries.length }, (_unused, t) => frame(t)));
  });

  it('of several accounts in one folder are told apart', () => {
    new RecordingWriter(folder, HEADING).close();
    new RecordingWriter(folder, { ...HEADING, account: 'mirror' }).close();
    expect(() => readRecordingLines(folder)).toThrow('holds recordings of play-main, play-mirror');
    expect(() => readRecordingLines(mkdtempSync(join(folder, 'empty-')))).toThrow('must hold recordings');
  });

  it('that are something else are no recording', () => {
    const path = join(folder, 'other.jsonl.gz');
    writeFileSync(path, 'hello');
    appendFileSync(path, 'hello');
    expect(() => readRecordingLines(path)).toThrow('incorrect header check');
  });
});
