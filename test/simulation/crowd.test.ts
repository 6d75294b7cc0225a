/** The whole engine in virtual time on a generated market, minutes of it: the short sister of test/long/recorded-day and test/long/crowd. */
import { describe, expect, it } from 'vitest';
import { madeUpSymbols, playCrowd } from '../engine/crowd.ts';
import { expectDayExact } from '../engine/played-day.ts';

describe('the whole engine', () => {
  it('trades with main and mirror account of one venue, and ends exact on both', () => {
    const day = playCrowd(2.5);
    expectDayExact(day);
    const accounts = day.oracles.get('lighter')?.accounts;
    for (const name of ['main', 'mirror']) {
      expect(accounts?.get(name)?.fills.length).toBeGreaterThan(0);
      expect(accounts?.get(name)?.fundingPayments.length).toBeGreaterThan(0);
    }
  }, 300_000);

  it('trades at Bybit, whose settlements are eight hours apart, and ends exact with two more venues connected', () => {
    const accounts = [{ name: 'main', balance: 100_000 }];
    // Bybit settles at 8: by then the pairs are open.
    const day = playCrowd(7, {
      symbols: madeUpSymbols(4),
      calendar: { scale: 1_440, startAt: '2026-01-05T03:02:00Z' },
      venues: {
        bybit: { kind: 'simulated', limits: 'premium', accounts },
        hyperliquid: { kind: 'simulated', limits: 'premium', accounts },
      },
      venuePairs: [
        ['lighter:mirror', 'bybit:main'],
        ['lighter:mirror', 'hyperliquid:main'],
      ],
      tape: { venues: { bybit: { series: 'bybit' }, hyperliquid: { series: 'hyperliquid' } } },
    });
    expectDayExact(day);
    expect(day.oracles.get('bybit')?.accounts.get('main')?.fundingPayments.length).toBeGreaterThan(0);
  }, 300_000);
});
