import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { boundedMarginTiers, halfMarginTiers, marginTermsAt } from '../../src/market/margin-tiers.ts';
import { instrument, pico } from './instruments.ts';

const tiers = halfMarginTiers([
  { lowerBound: '0.0', maxLeverage: 40 },
  { lowerBound: '150000000.0', maxLeverage: 20 },
]);

describe('margin tiers', () => {
  test.each([
    [0, 40, 0.0125],
    [149_999_999, 40, 0.0125],
    [150_000_000, 20, 0.025],
    [1e12, 20, 0.025],
  ])('at %s: leverage %s, maintenance %s', (notional, maxLeverage, maintenance) => {
    const terms = marginTermsAt(
      { ...instrument({}), ...(tiers === undefined ? {} : { marginTiers: tiers }) },
      notional,
    );
    expect(terms).toEqual({ maxLeverage, maintenance });
  });

  it('are the instrument’s own terms where it has none, and below the first', () => {
    const own = instrument({ maxLeverage: 7, maintenanceMarginRate: pico(60_000_000_000) });
    expect(marginTermsAt(own, 1e9)).toEqual({ maxLeverage: 7, maintenance: 0.06 });
    const from = halfMarginTiers([{ lowerBound: '100', maxLeverage: 5 }]) ?? [];
    expect(marginTermsAt({ ...own, marginTiers: from }, 99)).toEqual({ maxLeverage: 7, maintenance: 0.06 });
  });

  it('never ask less of a larger position', () => {
    const row = fc.record({
      lowerBound: fc.integer({ min: 0, max: 1_000_000 }).map(String),
      maxLeverage: fc.integer({ min: 1, max: 50 }),
    });
    fc.assert(
      fc.property(fc.array(row, { maxLength: 6 }), fc.nat(2_000_000), fc.nat(2_000_000), (rows, one, other) => {
        const marginTiers = halfMarginTiers(rows);
        const base = instrument({ maxLeverage: 50, maintenanceMarginRate: pico(10_000_000_000) });
        const at = (notional: number): number =>
          marginTermsAt({ ...base, ...(marginTiers === undefined ? {} : { marginTiers }) }, notional).maintenance;
        expect(at(Math.max(one, other))).toBeGreaterThanOrEqual(at(Math.min(one, other)));
      }),
    );
  });

  it.each([
    ['no rows', []],
    ['a bound that is none', [{ lowerBound: 'x', maxLeverage: 5 }]],
    ['a leverage below 1', [{ lowerBound: '0', maxLeverage: 0 }]],
    [
      'terms that get easier',
      [
        { lowerBound: '0', maxLeverage: 5 },
        { lowerBound: '9', maxLeverage: 6 },
      ],
    ],
    [
      'bounds that fall',
      [
        { lowerBound: '9', maxLeverage: 5 },
        { lowerBound: '1', maxLeverage: 4 },
      ],
    ],
  ])('are not relied on with %s', (_what, rows) => {
    expect(halfMarginTiers(rows)).toBeUndefined();
  });
});

describe('tiers by their upper bounds', () => {
  const bounded = boundedMarginTiers([
    { upperBound: '400000', maxLeverage: 50, maintenance: 0.02 },
    { upperBound: '800000', maxLeverage: 25, maintenance: 0.04 },
    { upperBound: '1200000', maxLeverage: 16, maintenance: 0.06 },
  ]);

  test.each([
    [399_999, 50, 0.02],
    [400_000, 25, 0.04],
    [800_000, 16, 0.06],
    // Beyond the last bound the venue takes nothing at all.
    [9_000_000, 16, 0.06],
  ])('at %s: leverage %s, maintenance %s', (notional, maxLeverage, maintenance) => {
    const terms = marginTermsAt({ ...instrument({}), ...(bounded ? { marginTiers: bounded } : {}) }, notional);
    expect(terms).toEqual({ maxLeverage, maintenance });
  });

  it.each([
    ['maintenance above the initial margin', [{ upperBound: '9', maxLeverage: 50, maintenance: 0.03 }]],
    ['maintenance that is none', [{ upperBound: '9', maxLeverage: 50, maintenance: Number.NaN }]],
    [
      'maintenance that falls',
      [
        { upperBound: '9', maxLeverage: 50, maintenance: 0.01 },
        { upperBound: '19', maxLeverage: 50, maintenance: 0.009 },
      ],
    ],
    [
      'bounds that fall',
      [
        { upperBound: '9', maxLeverage: 50, maintenance: 0.01 },
        { upperBound: '5', maxLeverage: 40, maintenance: 0.01 },
        { upperBound: '6', maxLeverage: 40, maintenance: 0.01 },
      ],
    ],
  ])('are not relied on with %s', (_what, rows) => {
    expect(boundedMarginTiers(rows)).toBeUndefined();
  });
});
