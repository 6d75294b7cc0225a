import { describe, expect, it, test } from 'vitest';
import { asFields } from '../../../src/venues/json.ts';
import type { Fields } from '../../../src/venues/json.ts';
import { isSameSignature, requestSignature, sessionSignature } from '../../../src/venues/bybit/sign.ts';
import { timesUntil } from '../../../src/venues/bybit/signed-request.ts';
import { isTimely } from '../../../src/venues/bybit/wire.ts';
import { hasVectors, vectors } from './fixtures.ts';

function cases(name: string): readonly Fields[] {
  if (!hasVectors) return [];
  const value = vectors()[name];
  return (Array.isArray(value) ? value : [value]).map((item: unknown) => asFields(item, name));
}

describe.skipIf(!hasVectors)('published and recomputed signatures (needs ../shared/venues/vectors)', () => {
  test.each(cases('rest').map((vector) => [String(vector['name']), vector] as const))(
    'of requests: %s',
    (_name, vector) => {
      const key = { apiKey: String(vector['apiKey']), secret: String(vector['apiSecret']) };
      const times = { timestamp: Number(vector['timestamp']), recvWindow: Number(vector['recvWindow']) };
      expect(requestSignature(key, times, String(vector['payload']))).toBe(vector['signature']);
    },
  );

  test.each(cases('ws').map((vector) => [String(vector['name']), vector] as const))(
    'of sessions: %s',
    (_name, vector) => {
      const key = { apiKey: String(vector['apiKey']), secret: String(vector['apiSecret']) };
      expect(sessionSignature(key, Number(vector['expires']))).toBe(vector['signature']);
    },
  );

  it('of requests with an RSA key', () => {
    const [vector] = cases('rsa');
    const key = { apiKey: String(vector?.['apiKey']), secret: String(vector?.['privateKeyPem']) };
    const times = { timestamp: Number(vector?.['timestamp']), recvWindow: Number(vector?.['recvWindow']) };
    expect(requestSignature(key, times, String(vector?.['payload']))).toBe(vector?.['signatureBase64']);
  });

  const timed = cases('serverSideRules').filter((rule) => rule['serverTime'] !== undefined);
  test.each(timed.map((rule) => [String(rule['name']), rule] as const))(
    'and the rule about times: %s',
    (_name, rule) => {
      const times = { timestamp: Number(rule['timestamp']), recvWindow: Number(rule['recvWindow']) };
      const isFine = asFields(rule['expect'], 'expect')['retCode'] === 0;
      expect(isTimely(times, Number(rule['serverTime']), 1)).toBe(isFine);
    },
  );
});

describe('a request’s times', () => {
  const untilMs = 1_790_000_005_000;
  const at = { calendarMs: 1_790_000_000_000.7, monotonicMs: 5 };

  it('end at the validity’s end, to the ms', () => {
    const times = timesUntil(untilMs, at, 1);
    expect(isTimely(times, untilMs, 1)).toBe(true);
    expect(isTimely(times, untilMs + 1, 1)).toBe(false);
  });

  it('suit a venue whose clock is up to two seconds behind or ahead of ours', () => {
    const times = timesUntil(untilMs, at, 1);
    expect(isTimely(times, at.calendarMs - 1_990, 1)).toBe(true);
    expect(isTimely(times, at.calendarMs + 2_000, 1)).toBe(true);
  });

  it('stretch with a compressed calendar', () => {
    const scale = 360;
    const times = timesUntil(at.calendarMs + 5_000 * scale, at, scale);
    expect(isTimely(times, at.calendarMs + 4_900 * scale, scale)).toBe(true);
    expect(isTimely(times, at.calendarMs + 5_001 * scale, scale)).toBe(false);
  });
});

it('signatures are compared whole', () => {
  expect(isSameSignature('abcd', 'abcd')).toBe(true);
  expect(isSameSignature('abcd', 'abce')).toBe(false);
  expect(isSameSignature('abcd', 'abcde')).toBe(false);
});
