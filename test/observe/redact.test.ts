import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createRedactor, DISPLAY_BYTES_MAX, REDACTED } from '../../src/observe/redact.ts';

const SECRET = 'S3cr3t+Key/With?odd "chars"';
const HEX_KEY = '0x1f2e3d4c5b6a79888796a5b4c3d2e1f0';

describe('redaction by value', () => {
  const redactor = createRedactor([SECRET, HEX_KEY]);

  it.each([
    ['as it is', SECRET],
    ['in hex', Buffer.from(SECRET).toString('hex')],
    ['in capital hex', Buffer.from(SECRET).toString('hex').toUpperCase()],
    ['in base64', Buffer.from(SECRET).toString('base64')],
    ['in base64url', Buffer.from(SECRET).toString('base64url')],
    ['URL-encoded', encodeURIComponent(SECRET)],
    ['inside JSON', JSON.stringify({ note: SECRET })],
    ['inside basic authorization', Buffer.from(`user:${SECRET}`).toString('base64')],
    ['a hexadecimal key without its prefix', HEX_KEY.slice(2)],
    ["a hexadecimal key's bytes in base64", Buffer.from(HEX_KEY.slice(2), 'hex').toString('base64')],
    ['a bearer token', 'Authorization: Bearer abcdefghijkl'],
    ['a JWT', 'eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl'],
  ])('takes out a secret %s', (_, text) => {
    const shown = redactor.text(`before ${text} after`);
    expect(shown).toContain(REDACTED);
    expect(shown).toMatch(/^before .* after$/);
    expect(shown.length).toBeLessThan(`before ${text} after`.length + REDACTED.length);
    for (const piece of [SECRET.slice(0, 12), HEX_KEY.slice(2, 14)]) expect(shown).not.toContain(piece);
  });

  it('never shows a secret, wherever it begins in base64 text', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 12 }), fc.string({ maxLength: 12 }), (before, after) => {
        const text = Buffer.from(before + SECRET + after).toString('base64');
        const shown = redactor.text(text).split(REDACTED);
        for (const piece of shown) expect(Buffer.from(piece, 'base64').toString('latin1')).not.toContain('Key');
      }),
    );
  });

  it('leaves other text alone, also with no secret known', () => {
    const text = 'BTC spread 12.5 bps at lighter';
    expect(redactor.text(text)).toBe(text);
    expect(createRedactor([]).text(text)).toBe(text);
  });
});

describe('redaction of values', () => {
  const redactor = createRedactor([SECRET]);

  it('hides members by name, whatever they hold', () => {
    expect(
      redactor.value({
        apiKey: 'x',
        api_key: 1,
        privateKey: ['a'],
        authToken: 'y',
        signature: {},
        Authorization: 'z',
        token: 5n,
        tokens: 3,
        key: 'kept',
        seed: 7,
        password: undefined,
      }),
    ).toEqual({
      apiKey: REDACTED,
      api_key: REDACTED,
      privateKey: REDACTED,
      authToken: REDACTED,
      signature: REDACTED,
      Authorization: REDACTED,
      token: REDACTED,
      tokens: 3,
      key: 'kept',
      seed: 7,
      password: undefined,
    });
  });

  it('gives what JSON can carry', () => {
    const shown = redactor.value({
      big: 12_345_678_901_234_567_890n,
      not: Number.NaN,
      map: new Map([['a', new Set([1])]]),
      bytes: new Uint8Array(3),
      run: () => 1,
    });
    expect(JSON.parse(JSON.stringify(shown))).toEqual({
      big: '12345678901234567890',
      not: 'NaN',
      map: { a: [1] },
      bytes: '[3 bytes]',
      run: '[function]',
    });
  });

  it('rebuilds errors from name, message and code alone', () => {
    const error = Object.assign(new TypeError(`bad ${SECRET}`), { code: 'E1', request: { body: SECRET } });
    expect(redactor.value({ error })).toEqual({ error: { name: 'TypeError', message: `bad ${REDACTED}`, code: 'E1' } });
  });

  it('ends in circles', () => {
    const circle: Record<string, unknown> = {};
    circle.again = circle;
    expect(JSON.stringify(redactor.value(circle))).toContain('[deeper]');
  });

  it('keeps hostile keys ordinary keys', () => {
    const hostile: unknown = JSON.parse('{"__proto__":{"polluted":1},"constructor":2}');
    expect(JSON.stringify(redactor.value(hostile))).toBe('{"__proto__":{"polluted":1},"constructor":2}');
  });

  it('cuts long payloads for display', () => {
    expect(redactor.display({ a: 1n })).toEqual({ a: '1' });
    expect(redactor.display({ text: 'x'.repeat(10_000) })).toMatchObject({ truncated: true, bytes: 10_011 });
    expect(JSON.stringify(redactor.display('y'.repeat(10_000))).length).toBeLessThan(DISPLAY_BYTES_MAX + 100);
  });
});
