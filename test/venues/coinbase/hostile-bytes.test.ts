import { describe, expect, it, test } from 'vitest';
import { randomStream } from '../../../src/runtime/random.ts';
import { coinbaseAdapter } from '../../../src/venues/coinbase/adapter.ts';
import { parseProduct } from '../../../src/venues/coinbase/advanced-parse.ts';
import { parseSpotFrame } from '../../../src/venues/coinbase/spot-parse.ts';
import { parseLosslessJson, reading } from '../../../src/venues/json.ts';
import { MalformedPayload, VenueError } from '../../../src/venues/venue.ts';
import type { Instant } from '../../../src/venues/venue.ts';
import { fixture, fixturesOf, hasFixtures, product } from './fixtures.ts';
import { BTC, KEYS, VenueStage } from './venue-stage.ts';

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
  'true',
];
const RUNS = 2_000;

/** Damages a text in one to three places: cuts, doubles, swaps in something else. */
function damaged(text: string, fraction: () => number): string {
  let result = text;
  for (let edits = 1 + Math.floor(fraction() * 3); edits > 0; edits--) {
    const at = Math.floor(fraction() * result.length);
    const length = Math.floor(fraction() * 12);
    const kind = fraction();
    const token = TOKENS[Math.floor(fraction() * TOKENS.length)] ?? '';
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

describe('damaged frames', () => {
  it('never break the stream: each is read, or told as malformed, and none makes it throw', () => {
    const frames = ownFrames();
    const random = randomStream(7, 'damage');
    const fraction = (): number => random.nextFraction();
    const stage = new VenueStage().start();
    const { main } = stage.streams;
    let malformed = 0;
    for (let run = 0; run < RUNS; run++) {
      const [socketKey = 'market', text = ''] = frames[Math.floor(fraction() * frames.length)] ?? [];
      const { events } = main.frame(socketKey, damaged(text, fraction), stage.at());
      malformed += events.filter(({ type }) => type === 'malformed-frame').length;
    }
    expect(malformed).toBeGreaterThan(RUNS / 10);
    // What is left of the book is a book: no side empty of sense.
    const book = main.book(BTC);
    for (const [ticks, lots] of [...(book?.bids ?? []), ...(book?.asks ?? [])]) {
      expect(Number.isSafeInteger(ticks) && ticks > 0).toBe(true);
      expect(Number.isSafeInteger(lots) && lots > 0).toBe(true);
    }
  });
});

describe('damaged answers', () => {
  const adapter = coinbaseAdapter({
    account: 'main',
    restUrl: 'http://venue',
    streamUrl: 'ws://venue',
    options: {},
    secrets: KEYS.main,
    calendarScale: 1,
  });

  it('are errors of a known kind', () => {
    const stage = new VenueStage();
    const random = randomStream(8, 'damage');
    const fraction = (): number => random.nextFraction();
    const operation = adapter.instruments();
    const body = stage.send(operation.request)?.body ?? '';
    let refused = 0;
    for (let run = 0; run < RUNS; run++) {
      const answer = {
        type: 'http-answered',
        ref: 1,
        status: 200,
        headers: {},
        body: damaged(body, fraction),
      } as const;
      try {
        operation.parse(answer, AT);
      } catch (error) {
        if (!(error instanceof MalformedPayload || error instanceof VenueError)) throw error;
        refused += 1;
      }
    }
    expect(refused).toBeGreaterThan(0);
  });

  test.each([
    ['a product', JSON.stringify(product()), (value: unknown) => parseProduct(value)],
    [
      'a spot ticker',
      '{"type":"ticker","sequence":5,"product_id":"BTC-USD","price":"1","best_bid":"1","best_ask":"2","time":"2026-01-01T00:00:00Z"}',
      (value: unknown) => parseSpotFrame(value),
    ],
  ])('of %s as well', (_what, text, parse) => {
    const random = randomStream(9, 'damage');
    for (let run = 0; run < RUNS; run++) {
      try {
        const broken = damaged(text, () => random.nextFraction());
        reading('payload', () => parse(parseLosslessJson(broken, 'payload')));
      } catch (error) {
        if (!(error instanceof MalformedPayload)) throw error;
      }
    }
  });
});

describe.skipIf(!hasFixtures)('recorded frames (need ../shared)', () => {
  it.each([...fixturesOf('gw-ws'), ...fixturesOf('gw-error')])(
    '%s does not disturb a stream that knows nothing of it',
    (name) => {
      const stage = new VenueStage().start();
      for (const socketKey of ['account', 'market'])
        expect(() => stage.streams.main.frame(socketKey, fixture(name), stage.at())).not.toThrow();
    },
  );
});
