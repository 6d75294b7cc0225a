import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { reportOf } from '../../src/execution/pair-report.ts';
import type { PairSums } from '../../src/execution/pair-report.ts';
import type { PairStatistics } from '../../src/execution/pair-statistics.ts';

const DAY_MS = 24 * 3_600_000;

function closed(fields: Partial<PairStatistics> = {}): PairStatistics {
  return {
    ...{
      pairId: 'BTC-1',
      base: 'BTC',
      long: 'lighter:main:1',
      short: 'extended:main:BTC-USD',
      exitReason: 'CARRY_REVERSED',
    },
    ...{ openedAtMs: 0, closedAtMs: DAY_MS, heldMs: DAY_MS, fills: 4, netMicro: 5n, priceMicro: -3n, feesMicro: -2n },
    ...{ fundingMicro: 10n, adjustedMicro: 0n, expectedValueQuote: 1, expectedCostQuote: 0.5, feesEstimatedMicro: -2n },
    ...{ payments: 2, paymentsExpected: 3, fundingExpectedMicro: 11n, fundingMissingMicro: 1n, slippageBps: {} },
    ...{ exposureQuoteSec: 2, maxUnhedgedQuote: 1, hedgeLatencyMs: [] },
    ...fields,
  };
}

const ALL = { fromMs: 0, toMs: Number.MAX_SAFE_INTEGER };

describe('a report of closed pairs', () => {
  it('counts a pair in the span it was closed in; the end is outside', () => {
    const pairs = [DAY_MS - 1, DAY_MS, 2 * DAY_MS - 1, 2 * DAY_MS].map((closedAtMs) => closed({ closedAtMs }));
    expect(reportOf(pairs, { fromMs: DAY_MS, toMs: 2 * DAY_MS }).all.pairs).toBe(2);
    expect(reportOf([], ALL).all).toMatchObject({ pairs: 0, netMicro: 0n, won: 0 });
  });

  it('names days in UTC, symbols, venues and reasons', () => {
    const { groups } = reportOf([closed(), closed({ base: 'ETH', closedAtMs: 3 * DAY_MS - 1, exitReason: '' })], ALL);
    const names = (group: keyof typeof groups): readonly string[] => groups[group].map(({ name }) => name);
    expect(names('day')).toEqual(['1970-01-02', '1970-01-03']);
    expect(names('symbol')).toEqual(['BTC', 'ETH']);
    expect(names('venues')).toEqual(['lighter / extended']);
    expect(names('reason')).toEqual(['CARRY_REVERSED', 'not said']);
  });

  it('tells latencies as they were measured, and slippage over all sides that name one', () => {
    const pairs = [
      closed({ hedgeLatencyMs: [80, 10], slippageBps: { longIn: 1, shortIn: 3 } }),
      closed({ hedgeLatencyMs: [200], slippageBps: { longOut: -1 } }),
    ];
    expect(reportOf(pairs, ALL)).toMatchObject({ hedgeLatencyMs: { p50: 80, p95: 200, max: 200 }, slippageBps: 1 });
    const silent = reportOf([closed()], ALL);
    expect([silent.hedgeLatencyMs, silent.slippageBps]).toEqual([undefined, undefined]);
  });

  it('loses nothing: each grouping sums to the whole, to the micro-unit', () => {
    const pair = fc
      .record({
        base: fc.constantFrom('BTC', 'ETH', 'SOL'),
        exitReason: fc.constantFrom('', 'MANUAL', 'STOP_LOSS'),
        closedAtMs: fc.integer({ min: 0, max: 5 * DAY_MS }),
        netMicro: fc.bigInt({ min: -(10n ** 18n), max: 10n ** 18n }),
        fundingMicro: fc.bigInt({ min: -(10n ** 18n), max: 10n ** 18n }),
      })
      .map(closed);
    fc.assert(
      fc.property(fc.array(pair, { maxLength: 30 }), (pairs) => {
        const { all, groups } = reportOf(pairs, ALL);
        for (const members of Object.values(groups)) {
          const sum = (of: (sums: PairSums) => bigint): bigint => members.reduce((total, one) => total + of(one), 0n);
          expect(sum(({ netMicro }) => netMicro)).toBe(all.netMicro);
          expect(sum(({ fundingMicro }) => fundingMicro)).toBe(all.fundingMicro);
          expect(sum((sums) => BigInt(sums.pairs))).toBe(BigInt(all.pairs));
        }
      }),
      { numRuns: 100 },
    );
  });
});
