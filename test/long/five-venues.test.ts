/** An hour of five venues and fifty symbols, with every fault at every venue, on a bad network, in virtual time. */
import { expect, it } from 'vitest';
import { expectHourExact, fiveVenuesConfig, playFiveVenues } from '../engine/five-venues.ts';
import { tradedPairs } from '../engine/ledger-check.ts';

const SYMBOLS = 50;
/** A quarter of an hour of a core, which a busy machine gives late. */
const TIMEOUT_MS = 6 * 3_600_000;

it.each([3, 4, 5])(
  'ends exact, with no limit exceeded, where all faults fall into a quarter of an hour and few symbols (seed %i)',
  (seed) => {
    // So many calendar hours of 150 real seconds each.
    expectHourExact(playFiveVenues(fiveVenuesConfig(10), seed, 5));
  },
  TIMEOUT_MS,
);

it(
  'ends an hour of faults with the ledger equal to every venue, no limit exceeded, and pairs opened at all five',
  () => {
    const config = fiveVenuesConfig(SYMBOLS);
    // A calendar day, which is an hour here.
    const hour = playFiveVenues(config, 1, config.calendar.scale);
    expectHourExact(hour);
    const { day } = hour;
    expect(new Set(tradedPairs(day.rows).map(({ base }) => base)).size).toBeGreaterThan(SYMBOLS / 2);
    for (const oracle of day.oracles.values())
      expect(oracle.accounts.get('main')?.fundingPayments.length).toBeGreaterThan(0);
  },
  TIMEOUT_MS,
);
