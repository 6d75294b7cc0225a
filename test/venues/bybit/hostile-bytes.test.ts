import { existsSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it, test } from 'vitest';
import { randomStream } from '../../../src/runtime/random.ts';
import { FollowedBook } from '../../../src/venues/bybit/book.ts';
import { openEnvelope } from '../../../src/venues/bybit/signed-request.ts';
import { BybitStream } from '../../../src/venues/bybit/stream.ts';
import { asFields, parseLosslessJson } from '../../../src/venues/json.ts';
import { MalformedPayload, VenueError } from '../../../src/venues/venue.ts';
import type { Instant } from '../../../src/venues/venue.ts';
import { fixture, fixturesOf, hasFixtures, instrument, knownMarkets } from './fixtures.ts';
import { VenueStage } from './venue-stage.ts';

const AT: Instant = { calendarMs: 1_790_000_000_000, monotonicMs: 1_000 };
const TOKENS = [
  'null',
  '{}',
  '[]',
  '"',
  ',',
  '-',
  '1e999',
  '99999999999999999999',
  'NaN',
  '\u0000',
  '""',
  '":',
  '\\',
  'true',
];

/** Damages a text in one to three places: cuts, doubles, swaps in something else. */
function damaged(text: string, fraction: () => number): string {
  let result = text;
  for (let edits = 1 + Math.floor(fraction() * 3); edits > 0; edits--) {
    const at = Math.floor(fraction() * result.length);
    const length = Math.floor(fraction() * 12);
    const token = TOKENS[Math.floor(fraction() * TOKENS.length)] ?? '';
    const kind = fraction();
    const inserted = kind < 0.3 ? '' : kind < 0.5 ? result.slice(at, at + 2 * length) : token;
    result = result.slice(0, at) + inserted + result.slice(at + length);
  }
  return result;
}

/** Frames as the simulated venue sends them: no recording is needed. */
function ownFrames(): readonly (readonly [socket: string, text: string])[] {
  const stage = new VenueStage();
  const frames: (readonly [string, string])[] = [];
  const { main } = stage.streams;
  const heard = main.frame.bind(main);
  main.frame = (socketKey, text, at) => {
    frames.push([socketKey, text]);
    return heard(socketKey, text, at);
  };
  stage.start();
  stage.place();
  stage.pass(2_000);
  return frames;
}

describe('hostile bytes', () => {
  it('on the sockets become events, never errors, and the venue is followed again afterwards', () => {
    const frames = ownFrames();
    expect(new Set(frames.map(([socket]) => socket))).toEqual(new Set(['account', 'public']));
    const random = randomStream(7, 'hostile');
    const fraction = (): number => random.nextFraction();
    const markets = knownMarkets();
    const stream = new BybitStream({
      streamUrl: 'ws://v',
      key: { apiKey: 'k', secret: 's' },
      markets,
      calendarScale: 1,
    });
    stream.opened('account', AT);
    stream.opened('public', AT);
    let malformed = 0;
    for (let round = 0; round < 8_000; round++) {
      const [socket, text] = frames[round % frames.length] ?? ['public', ''];
      const { events } = stream.frame(socket, damaged(text, fraction), AT);
      if (events.some(({ type }) => type === 'malformed-frame')) malformed += 1;
    }
    expect(malformed).toBeGreaterThan(2_000);
    stream.opened('public', AT);
    for (const [socket, text] of frames) stream.frame(socket, text, AT);
    expect(stream.book('BTCUSDT')?.bids.length).toBeGreaterThan(0);
  });

  test.skipIf(!hasFixtures)('in answers are refusals or nonsense by name (needs ../shared/venues/fixtures)', () => {
    const random = randomStream(8, 'hostile');
    const texts = ['rest-orders', 'rest-executions', 'rest-wallet'].flatMap(fixturesOf).map(fixture);
    let refused = 0;
    for (let round = 0; round < 5_000; round++) {
      const body = damaged(texts[round % texts.length] ?? '', () => random.nextFraction());
      const status = round % 7 === 0 ? 502 : 200;
      try {
        openEnvelope('test', { type: 'http-answered', ref: 1, status, headers: {}, body }, 1);
      } catch (error) {
        expect(error instanceof MalformedPayload || error instanceof VenueError).toBe(true);
        refused += 1;
      }
    }
    expect(refused).toBeGreaterThan(1_000);
  });
});

const recording = new URL('../../../../shared/data/raw-ws/bybit-v5-ob500-xrpusdt-20241201.jsonl.gz', import.meta.url);
const hasRecording = existsSync(recording);

describe.skipIf(!hasRecording)('a recorded book (needs ../shared/data)', () => {
  const lines = hasRecording ? gunzipSync(readFileSync(recording)).toString().trim().split('\n') : [];
  const xrp = instrument('XRPUSDT', {
    priceFilter: { tickSize: '0.0001' },
    lotSizeFilter: { minOrderQty: '1', qtyStep: '1' },
  });
  const frames = lines.map((line) => asFields(parseLosslessJson(line, 'line'), 'line'));

  it('is followed from its snapshot to its last change', () => {
    const book = new FollowedBook(xrp);
    expect(frames.map((frame) => book.apply(frame, 1))).toEqual(frames.map(() => 'changed'));
    expect(book.view()?.bids).toHaveLength(20);
  });

  it('is given up where a change is missing', () => {
    const book = new FollowedBook(xrp);
    const outcomes = frames.filter((_frame, index) => index !== 10).map((frame) => book.apply(frame, 1));
    expect(outcomes.indexOf('gap')).toBe(10);
    expect(outcomes.slice(11).every((outcome) => outcome === 'ignored')).toBe(true);
    expect(book.view()).toBeUndefined();
  });
});
