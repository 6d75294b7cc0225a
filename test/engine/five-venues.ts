/** A generated market at all five venues, with as many symbols as wanted, played in virtual time. Tests only. */
import { join } from 'node:path';
import { expect } from 'vitest';
import { loadConfig } from '../../config/load.ts';
import type { ConfigOverrides, TandemConfig } from '../../config/schema.ts';
import { marketCalendar, tapeSpec } from '../../src/composition/market.ts';
import { buildTape } from '../../src/simulation/live/build-tape.ts';
import { badNetwork } from './bad-network.ts';
import { madeUpSymbols } from './crowd.ts';
import { tradedPairs } from './ledger-check.ts';
import { expectDayExact, playDay } from './played-day.ts';
import type { PlayedDay, PlayedHours } from './played-day.ts';
import { SeededFaults } from './seeded-faults.ts';

export const FIVE_VENUES = ['bybit', 'coinbase', 'extended', 'hyperliquid', 'lighter'] as const;
const HOUR_MS = 3_600_000;
const STRETCH_MS = 2_000;
/** As often as the network's weather changes. */
const WEATHER_MS = 4_000;
/** Of these every venue has a market of its own; further ones are made up. */
const LISTED = ['BTC', 'ETH', 'SOL', 'DOGE', 'HYPE', 'XRP', 'BNB', 'SUI', 'LINK', 'AVAX', 'LTC', 'ARB'];

export function fiveVenuesConfig(symbols: number, overrides: ConfigOverrides = {}): TandemConfig {
  return loadConfig(join(import.meta.dirname, 'five-venues.yaml'), {
    dataDir: 'unused',
    symbols: [...LISTED, ...madeUpSymbols(Math.max(0, symbols - LISTED.length))].slice(0, symbols),
    ...overrides,
  });
}

export interface FaultyHour {
  readonly day: PlayedDay;
  readonly faults: SeededFaults;
}

/** So many calendar hours in virtual time, on a bad network, with `share` of all faults at all venues spread over them. */
export function playFiveVenues(config: TandemConfig, seed: number, hours: number, share = 1): FaultyHour {
  const spanMs = (hours * HOUR_MS) / config.calendar.scale;
  const faults = new SeededFaults(seed, FIVE_VENUES, spanMs - STRETCH_MS, share);
  const weather = badNetwork(seed);
  const day = playDay(config, {
    seed,
    hours,
    tape: buildTape(tapeSpec(config, marketCalendar(config, 0).startAtMs)),
    stretchMs: STRETCH_MS,
    between: (world, atMs) => {
      if (atMs % WEATHER_MS === 0) weather.between?.(world, atMs);
      faults.look(new Map([...world.venues].map(([name, { venue }]) => [name, venue.oracle()])), atMs);
      for (const { venue, fault, options } of faults.due(atMs)) world.venues.get(venue)?.venue.inject(fault, options);
    },
  });
  return { day, faults };
}

/** Everything that must hold after such hours, whether in virtual time or on threads. */
export function expectHourExact({ day, faults }: { readonly day: PlayedHours; readonly faults: SeededFaults }): void {
  expectDayExact(day, faults.refusals);
  expect(faults.left).toBe(0);
  const venues = new Set(tradedPairs(day.rows).flatMap(({ long, short }) => [long, short]));
  expect([...venues].toSorted()).toEqual(FIVE_VENUES);
}
