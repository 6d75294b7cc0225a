/** The whole engine in virtual time at all five venues, minutes of it: the short sister of test/long/five-venues. */
import { it } from 'vitest';
import { expectHourExact, fiveVenuesConfig, playFiveVenues } from '../engine/five-venues.ts';

it('trades at all five venues while each of them misbehaves now and then, and ends exact', () => {
  const accounts = [{ name: 'main', balance: 100_000 }];
  const venue = { kind: 'simulated', limits: 'premium', accounts, takerDelayMs: 5, bookIntervalMs: 1_000 } as const;
  // Few symbols: what a venue lets an engine ask in its first minute is soon spent on reading up on many. Bybit settles at 8.
  const config = fiveVenuesConfig(8, {
    calendar: { scale: 360, startAt: '2026-01-05T05:02:00Z' },
    poll: { scanMs: 250 },
    venues: { lighter: venue, extended: venue, bybit: venue, hyperliquid: venue, coinbase: venue },
    venuePairs: [
      ['lighter:main', 'bybit:main'],
      ['lighter:main', 'hyperliquid:main'],
      ['extended:main', 'coinbase:main'],
    ],
  });
  expectHourExact(playFiveVenues(config, 1, 5, 0.04));
}, 300_000);
