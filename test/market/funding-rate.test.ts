import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { HOUR_MS, fundingRateFromText, hourlyFromText, perSettlement } from '../../src/market/funding-rate.ts';
import type { FundingRate, FundingUnit } from '../../src/market/funding-rate.ts';
import { formatDecimal } from '../../src/money/decimal.ts';
import { propertyRuns } from '../property-runs.ts';

const record = (changes: Partial<Omit<FundingRate, 'hourly'>> = {}): Omit<FundingRate, 'hourly'> => ({
  venue: 'lighter',
  symbol: 'ETH',
  kind: 'settled',
  raw: '0.0012',
  unit: { scale: 'percent', perMs: HOUR_MS },
  intervalMs: HOUR_MS,
  settleAtMs: 1_767_225_600_000,
  venueAtMs: 1_767_225_600_000,
  ...changes,
});

describe('EX-1 funding units', () => {
  test.each([
    ['Lighter settled percent per hour', '0.0012', { scale: 'percent', perMs: HOUR_MS }, 12_000_000],
    ['Lighter rates, fraction per 8 h', '0.000096', { scale: 'fraction', perMs: 8 * HOUR_MS }, 12_000_000],
    ['Bybit fraction per 8 h', '0.0001', { scale: 'fraction', perMs: 8 * HOUR_MS }, 12_500_000],
    ['Bybit fraction per 4 h', '0.0001', { scale: 'fraction', perMs: 4 * HOUR_MS }, 25_000_000],
  ] as const)('%s', (_feed, raw, unit, hourly) => {
    expect(hourlyFromText(raw, unit)).toBe(hourly);
  });
});

describe('fundingRateFromText', () => {
  it('keeps the record and adds the hourly fraction', () => {
    expect(fundingRateFromText(record())).toEqual({ ...record(), hourly: 12_000_000 });
  });

  it('refuses more than 1 % per hour in either direction', () => {
    expect(fundingRateFromText(record({ raw: '1' }))).toHaveProperty('hourly', 10_000_000_000);
    expect(fundingRateFromText(record({ raw: '-1.0001' }))).toEqual({
      rejected: 'RATE_OUT_OF_RANGE',
      detail: 'funding rate must be within 1 % per hour, was -1.0001 %',
    });
  });

  test.each([
    [{ raw: '1e-5' }, 'funding rate must be a plain decimal, was "1e-5"'],
    [{ raw: '' }, 'funding rate must be a plain decimal, was ""'],
    [{ unit: { scale: 'fraction', perMs: 0 } }, 'funding rate unit must be per a positive number of ms, was 0'],
    [{ intervalMs: -1 }, 'funding interval must be a positive number of ms, was -1'],
    [{ settleAtMs: Number.NaN }, 'settlement time must be a positive epoch ms, was NaN'],
  ] as const)('refuses %j as a bad value', (changes, detail) => {
    expect(fundingRateFromText(record(changes))).toEqual({ rejected: 'BAD_VALUE', detail });
  });
});

it('T6: any declared unit gives back the same hourly fraction', () => {
  const unit: fc.Arbitrary<FundingUnit> = fc.record({
    scale: fc.constantFrom('fraction', 'percent'),
    perMs: fc.constantFrom(HOUR_MS, 2 * HOUR_MS, 4 * HOUR_MS, 8 * HOUR_MS, 24 * HOUR_MS, 60_000),
  });
  fc.assert(
    fc.property(unit, fc.integer({ min: -10_000_000_000, max: 10_000_000_000 }), (declared, hourlyPico) => {
      // The venue's own number: hourly x perMs, in percent when it speaks percent; exact at 12 + 6 digits for these units.
      const scale = declared.scale === 'percent' ? 100n : 1n;
      const numerator = BigInt(hourlyPico) * BigInt(declared.perMs) * 10n ** 6n * scale;
      if (numerator % BigInt(HOUR_MS) !== 0n) return;
      const raw = formatDecimal(numerator / BigInt(HOUR_MS), 18);
      expect(hourlyFromText(raw, declared)).toBe(hourlyPico);
    }),
    propertyRuns(),
  );
});

it('converts an hourly rate to what one settlement exchanges', () => {
  const rate = fundingRateFromText(
    record({ raw: '0.000096', unit: { scale: 'fraction', perMs: 8 * HOUR_MS }, intervalMs: 8 * HOUR_MS }),
  );
  if ('rejected' in rate) throw new Error(rate.detail);
  expect(perSettlement(rate)).toBe(96_000_000);
  expect(perSettlement({ ...rate, intervalMs: HOUR_MS })).toBe(12_000_000);
});
