import { existsSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { BOOK_LEVELS, FollowedBook } from '../../../src/venues/bybit/book.ts';
import { asFields, parseLosslessJson } from '../../../src/venues/json.ts';
import { readBookFrame } from '../../../src/venues/level-lists.ts';
import { instrument } from './fixtures.ts';

const recording = new URL('../../../../shared/data/raw-ws/bybit-v5-ob500-xrpusdt-20241201.jsonl.gz', import.meta.url);
const hasRecording = existsSync(recording);

describe.skipIf(!hasRecording)('a recorded book (needs ../shared/data)', () => {
  const lines = hasRecording ? gunzipSync(readFileSync(recording)).toString().trim().split('\n') : [];
  const xrp = instrument('XRPUSDT', {
    priceFilter: { tickSize: '0.0001' },
    lotSizeFilter: { minOrderQty: '1', qtyStep: '1' },
  });
  const frames = lines.map((line) => readBookFrame(line, 'line', BOOK_LEVELS));

  it('is followed from its snapshot to its last change', () => {
    const book = new FollowedBook(xrp);
    expect(frames.map((frame) => book.apply(frame, 1))).toEqual(frames.map(() => 'changed'));
    expect(book.view()?.bids).toHaveLength(20);
  });

  it('is the same book when it is read in place and when it is parsed', () => {
    const [inPlace, parsed] = [new FollowedBook(xrp), new FollowedBook(xrp)];
    expect(frames.every(({ lists }) => lists !== undefined)).toBe(true);
    frames.forEach((frame, index) => {
      const fields = asFields(parseLosslessJson(lines[index] ?? '', 'line'), 'line');
      inPlace.apply(frame, 1);
      parsed.apply({ fields, lists: undefined }, 1);
      expect(inPlace.view()).toEqual(parsed.view());
    });
  });

  it('is given up where a change is missing', () => {
    const book = new FollowedBook(xrp);
    const outcomes = frames.filter((_frame, index) => index !== 10).map((frame) => book.apply(frame, 1));
    expect(outcomes.indexOf('gap')).toBe(10);
    expect(outcomes.slice(11).every((outcome) => outcome === 'ignored')).toBe(true);
    expect(book.view()).toBeUndefined();
  });
});
