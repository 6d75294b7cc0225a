/** The whole engine in virtual time at all five venues, minutes of it: the short sister of test/long/five-venues. */
import { it } from 'vitest';
import { expectHourExact, fiveVenuesConfig, playFiveVenues } from '../engine/five-venues.ts';

it('trades at all five venues while each of them misbehaves now and then, and ends exact', () => {
  // Long enough for Hyperliquid: what may be asked of it in the first minute is spent on reading up. Bybit settles at 8.
  const config = fiveVenuesConfig(6, {
    calendar: { scale: 240, startAt: '2026-01-05T04:32:00Z' },
    venuePairs: [
      ['lighter:main', 'bybit:main'],
      ['lighter:main', 'hyperliquid:main'],
      ['extended:main', 'coinbase:main'],
    ],
  });
  expectHourExact(playFiveVenues(config, 1, 6.5, 0.04));
}, 300_000);
