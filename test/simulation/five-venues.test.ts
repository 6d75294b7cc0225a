/** The whole engine in virtual time at all five venues, minutes of it: the short sister of test/long/five-venues. */
import { beforeAll, describe, expect, it } from 'vitest';
import { expectHourExact, fiveVenuesConfig, playFiveVenues } from '../engine/five-venues.ts';
import type { FaultyHour } from '../engine/five-venues.ts';
import type { VenueOracle } from '../../src/simulation/simulated-venue.ts';
import type { JournalRow } from '../../src/storage/rows.ts';

let hour: FaultyHour;

beforeAll(() => {
  // Enough symbols that all three pairs of venues have some: the best has most of them. Bybit settles at 8.
  const config = fiveVenuesConfig(8, {
    calendar: { scale: 240, startAt: '2026-01-05T04:32:00Z' },
    venuePairs: [
      ['lighter:main', 'bybit:main'],
      ['lighter:main', 'hyperliquid:main'],
      ['extended:main', 'coinbase:main'],
    ],
  });
  hour = playFiveVenues(config, 1, 6.5, 0.04);
}, 300_000);

it('trades at all five venues while each of them misbehaves now and then, and ends exact', () => {
  expectHourExact(hour);
});

describe('such an hour is not called exact', () => {
  const withDay = (changed: Partial<FaultyHour['day']>): FaultyHour => ({ ...hour, day: { ...hour.day, ...changed } });
  const withRows = (change: (rows: readonly JournalRow[]) => readonly JournalRow[]): FaultyHour =>
    withDay({ rows: change(hour.day.rows) });
  const without =
    (type: string) =>
    (rows: readonly JournalRow[]): readonly JournalRow[] => {
      const last = rows.findLastIndex((row) => row.type === type);
      expect(last).toBeGreaterThan(-1);
      return rows.filter((_, index) => index !== last);
    };
  const withOracle = (venue: string, change: (oracle: VenueOracle) => VenueOracle): FaultyHour =>
    withDay({
      oracles: new Map([...hour.day.oracles].map(([name, oracle]) => [name, name === venue ? change(oracle) : oracle])),
    });

  it.each<[string, () => FaultyHour]>([
    ['with a fill that the journal lacks', () => withRows(without('fill'))],
    ['with a payment that the journal lacks', () => withRows(without('funding'))],
    [
      'with a fee of one micro-unit more',
      () =>
        withRows((rows) => {
          const last = rows.findLastIndex((row) => row.type === 'fill');
          return rows.map((row, index) => {
            if (index !== last) return row;
            const event = row.payload['event'] as { readonly fill: { readonly feeMicro: bigint } };
            const fill = { ...event.fill, feeMicro: event.fill.feeMicro + 1n };
            return { ...row, payload: { ...row.payload, event: { ...event, fill } } };
          });
        }),
    ],
    [
      'with a wallet of one micro-unit less',
      () =>
        withOracle('bybit', (oracle) => ({
          ...oracle,
          accounts: new Map(
            [...oracle.accounts].map(([name, account]) => [
              name,
              { ...account, walletMicro: account.walletMicro - 1n },
            ]),
          ),
        })),
    ],
    [
      'with one request too many at a venue',
      () => withOracle('lighter', (oracle) => ({ ...oracle, rateLimitRefusals: oracle.rateLimitRefusals + 1 })),
    ],
    ['with an actor that was restarted', () => withDay({ restarted: ['position/BTC'] })],
  ])('%s', (_what, broken) => {
    expect(() => expectHourExact(broken())).toThrow(/^expected /);
  });
});
