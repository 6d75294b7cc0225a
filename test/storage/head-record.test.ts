import { describe, expect, it } from 'vitest';
import { decodeHead, encodeHead, SLOT_BYTES } from '../../src/storage/head-record.ts';
import type { HeadRecord } from '../../src/storage/head-record.ts';

function head(counter: number): HeadRecord {
  return { counter, boot: 3, sequence: counter * 10, hash: 'ab'.repeat(32), isLossUnrecorded: false };
}

describe('head record', () => {
  it('reads the newer of two slots', () => {
    expect(decodeHead(Buffer.concat([encodeHead(head(8)), encodeHead(head(7))]))).toEqual(head(8));
    expect(decodeHead(Buffer.concat([encodeHead(head(8)), encodeHead(head(9))]))).toEqual(head(9));
  });

  it('reads the other slot when the newer one is torn at any byte', () => {
    const older = encodeHead(head(8));
    const newer = encodeHead(head(9));
    // The text ends before the padding: tears inside the padding change nothing.
    const textBytes = newer.toString('latin1').trimEnd().length;
    for (let kept = 0; kept < textBytes; kept += 1) {
      const torn = Buffer.concat([newer.subarray(0, kept), encodeHead(head(7)).subarray(kept)]);
      const read = decodeHead(Buffer.concat([older, torn]));
      expect([8, 9]).toContain(read?.counter);
    }
  });

  it('is undefined for an empty, short or foreign file', () => {
    expect(decodeHead(Buffer.alloc(0))).toBeUndefined();
    expect(decodeHead(Buffer.alloc(2 * SLOT_BYTES, 0x20))).toBeUndefined();
    expect(decodeHead(Buffer.from('something else'))).toBeUndefined();
  });

  it('refuses a flipped bit', () => {
    const bytes = encodeHead(head(1));
    for (let at = 0; at < 60; at += 1) {
      const flipped = Buffer.from(bytes);
      flipped[at] = (flipped[at] ?? 0) ^ 1;
      expect(decodeHead(flipped)).toBeUndefined();
    }
  });
});
