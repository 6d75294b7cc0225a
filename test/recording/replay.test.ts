/** What a connector heard, played to it again, makes the same market of it; and raw frames of other programs are followed. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { ConnectorEvent } from '../../actors/connector-messages.ts';
import { replayRecording } from '../../src/composition/live/replay-run.ts';
import { replay } from '../../src/composition/replay.ts';
import { parseRecording, RECORDING_VERSION } from '../../src/recording/format.ts';
import type { RecordingEntry, RecordingHeading } from '../../src/recording/format.ts';
import { Recorder } from '../../src/recording/recorder.ts';
import { demoAccount } from '../../src/simulation/demo-accounts.ts';
import { hostsOf } from '../../src/venues/hosts.ts';
import { ConnectorWorld, WORLD_START_MS } from '../actors/connector-world.ts';
import { VENUES } from '../conformance/venues.ts';
import type { TestedVenue } from '../conformance/venues.ts';

/** Best prices and why a book was lost, without repeats: how often a book is told depends on the moment. */
function course(events: readonly ConnectorEvent[]): readonly string[] {
  const tops = events.flatMap((event) => {
    if (event.type !== 'book-changed') return [];
    const { book } = event;
    return [book === undefined ? `lost ${event.lostReason}` : `${String(book.bids[0])} ${String(book.asks[0])}`];
  });
  return tops.filter((top, index) => top !== tops[index - 1]);
}

function recorded(venue: TestedVenue): {
  readonly heading: RecordingHeading;
  readonly entries: readonly RecordingEntry[];
  readonly lived: readonly string[];
} {
  const lines: string[] = [];
  const note = (entry: RecordingEntry): void => void lines.push(JSON.stringify(entry));
  const moving = (calendarMs: number): number => 1 + 0.001 * Math.sin(calendarMs / 700);
  const world = new ConnectorWorld({
    venue,
    priceAt: moving,
    args: { startupQuarantineMs: 0 },
    recorder: (nowMs) => new Recorder(note, nowMs, Object.values(demoAccount(venue, 'main').secrets)),
  }).ready();
  world.place();
  world.run(3_000);
  world.inject('close-sockets', { code: 1006 });
  world.run(5_000);
  const { restPath, streamPath, profileOptions } = hostsOf(venue);
  const heading: RecordingHeading = {
    recording: RECORDING_VERSION,
    venue,
    account: 'main',
    startedAtMs: WORLD_START_MS,
    scale: 1,
    restUrl: `http://${world.host}${restPath}`,
    streamUrl: `ws://${world.host}${streamPath}`,
    options: { ...demoAccount(venue, 'main').options, ...profileOptions[venue === 'lighter' ? 'premium' : 'standard'] },
    bases: ['BTC'],
  };
  const parsed = parseRecording([JSON.stringify(heading), ...lines]);
  return { ...parsed, lived: course((world.heard.get('strategy') ?? []).map(({ event }) => event)) };
}

describe.each(VENUES)('a recording of %s', (venue) => {
  it('replays to the same books in the same order, twice alike, and holds no secret', () => {
    const { heading, entries, lived } = recorded(venue);
    const told: ConnectorEvent[] = [];
    const report = replay({ heading, entries, heard: (event) => told.push(event) });
    expect(lived.length).toBeGreaterThan(10);
    const replayed = course(told);
    // Between threads the newest book replaces those nobody has looked at yet: the replay may tell more, and nothing else.
    let from = 0;
    for (const top of lived) {
      const found = replayed.indexOf(top, from);
      expect(found, `${top} after ${lived[lived.indexOf(top) - 1]}`).toBeGreaterThanOrEqual(from);
      from = found;
    }
    expect(lived).toContain('lost closed');
    expect(report.counted['malformed-frames'] ?? 0).toBe(0);
    expect(report.frames).toBe(entries.filter(({ k }) => k === 'frame').length);
    expect(replay({ heading, entries }).hash).toBe(report.hash);
    // One frame less is another course of events.
    const first = entries.findIndex(({ k, t }) => k === 'frame' && t > 2_000);
    expect(replay({ heading, entries: entries.filter((_entry, index) => index !== first) }).hash).not.toBe(report.hash);
    const text = JSON.stringify(entries);
    for (const secret of Object.values(demoAccount(venue, 'main').secrets))
      expect(text.includes(secret.replace(/^0x/, ''))).toBe(false);
  });
});

it('lines that are no recording are refused by number', () => {
  const heading = JSON.stringify({ recording: 1, venue: 'v', account: 'a', restUrl: 'http://v', streamUrl: 'ws://v' });
  expect(() => parseRecording([''])).toThrow('recording heading must be JSON');
  expect(() => parseRecording(['{"recording":2}'])).toThrow('recording heading.recording must be 1, was 2');
  expect(() => parseRecording([heading, '{"t":-1,"k":"frame"}'])).toThrow(
    'recording line 2.t must be ms since the start',
  );
  expect(() => parseRecording([heading, '{"t":1,"k":"film"}'])).toThrow('recording line 2.k must be opening, ');
});

const RAW = [
  ['lighter-btc-20251210.jsonl.gz', { format: 'timed-json', venue: 'lighter', base: 'BTC' }, 3_000, 500],
  ['bybit-v5-ob500-xrpusdt-20241201.jsonl.gz', { format: 'lines', venue: 'bybit', base: 'XRP' }, 50, 20],
  ['hyperliquid-btc-20250126.gz', { format: 'timed-lines', venue: 'hyperliquid', base: 'BTC' }, 50, 5],
] as const;
const folder = new URL('../../../shared/data/raw-ws/', import.meta.url);

describe.skipIf(!existsSync(folder))('raw frames of real venues (needs ../shared/data)', () => {
  it.each(RAW)('%s are followed without a gap', (file, source, framesMin, booksMin) => {
    const told: ConnectorEvent[] = [];
    const path = fileURLToPath(new URL(file, folder));
    const report = replayRecording(path, source, { heard: (event) => told.push(event) });
    expect(report.frames).toBeGreaterThanOrEqual(framesMin);
    expect(report.counted['malformed-frames'] ?? 0).toBe(0);
    const books = told.flatMap((event) => (event.type === 'book-changed' ? [event] : []));
    expect(books.filter(({ book }) => book !== undefined).length).toBeGreaterThanOrEqual(booksMin);
    expect(books.filter(({ lostReason }) => lostReason === 'gap' || lostReason === 'crossed')).toEqual([]);
  });
});
