import { expect, it, test } from 'vitest';
import { epochMsOfIso, isoOfEpochMs } from '../../src/venues/iso-time.ts';

it('agrees with the platform about every day of two centuries, both ways', () => {
  for (let epochMs = 0; epochMs < Date.UTC(2170, 0, 1); epochMs += 86_399_001) {
    const text = new Date(epochMs).toISOString();
    if (isoOfEpochMs(epochMs) !== text || epochMsOfIso(text) !== epochMs) expect(isoOfEpochMs(epochMs)).toBe(text);
  }
});

test.each([
  ['2026-02-29T00:00:00Z'],
  ['2100-02-29T00:00:00Z'],
  ['2026-04-31T00:00:00Z'],
  ['2026-13-01T00:00:00Z'],
  ['2026-01-01T24:00:00Z'],
  ['1969-12-31T23:59:59Z'],
  ['0001-01-01T00:00:00Z'],
  ['2026-01-01T00:00:00+02:00'],
  ['2026-01-01'],
])('%s is no time', (text) => {
  expect(epochMsOfIso(text)).toBeUndefined();
});

it('knows the leap days that there are', () => {
  expect(epochMsOfIso('2000-02-29T00:00:00Z')).toBe(Date.UTC(2000, 1, 29));
  expect(epochMsOfIso('2024-02-29T23:59:59.9999999Z')).toBe(Date.UTC(2024, 1, 29, 23, 59, 59, 999));
});
