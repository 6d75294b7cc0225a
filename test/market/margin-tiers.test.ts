import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { halfMarginTiers, marginTermsAt } from '../../src/market/margin-tiers.ts';
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
