/** A generated market with as many symbols as wanted, and two accounts of one venue, the first too small for all of them. Tests only. */
import { join } from 'node:path';
import { loadConfig } from '../../config/load.ts';
import type { ConfigOverrides } from '../../config/schema.ts';
import { marketCalendar, tapeSpec } from '../../src/composition/market.ts';
import { buildTape } from '../../src/simulation/live/build-tape.ts';
import { playDay } from './played-day.ts';
import type { PlayedDay } from './played-day.ts';

/** SIM1 and up: markets that no venue lists. */
export function madeUpSymbols(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `SIM${index + 1}`);
}

export function playCrowd(hours: number, overrides: ConfigOverrides = {}): PlayedDay {
  const config = loadConfig(join(import.meta.dirname, 'crowd.yaml'), { dataDir: 'unused', ...overrides });
  const tape = buildTape(tapeSpec(config, marketCalendar(config, 0).startAtMs));
  return playDay(config, { seed: 1, tape, hours });
}
