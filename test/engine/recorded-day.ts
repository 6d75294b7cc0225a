/** A recorded day of July 2025, twenty symbols at four venues. Which rows play which role is written in recorded-day.yaml. Tests only. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { loadConfig } from '../../config/load.ts';
import type { ConfigOverrides, TandemConfig } from '../../config/schema.ts';
import { marketCalendar, tapeSpec } from '../../src/composition/market.ts';
import { buildTape } from '../../src/simulation/live/build-tape.ts';
import type { TapeSpec } from '../../src/simulation/live/build-tape.ts';
import type { MarketTape } from '../../src/simulation/market-tape.ts';
import { SHARED_DATA } from './january.ts';

export const hasRecordedDay = existsSync(join(SHARED_DATA, 'wide', 'hyperliquid-funding-60d.csv.gz'));

export function recordedDayConfig(overrides: ConfigOverrides = {}): TandemConfig {
  return loadConfig(join(import.meta.dirname, 'recorded-day.yaml'), { dataDir: 'unused', ...overrides });
}

/** The rows that the configuration names, from the folder of recordings. */
export function recordedDayTape(config: TandemConfig): MarketTape {
  const spec = tapeSpec(config, marketCalendar(config, 0).startAtMs);
  return buildTape(spec.kind === 'recorded' ? { ...spec, venues: inFolder(spec.venues) } : spec);
}

function inFolder(venues: Extract<TapeSpec, { kind: 'recorded' }>['venues']): typeof venues {
  const file = (name: string): string => join(SHARED_DATA, name);
  const sourceOf = <Source extends { fundingFile: string; candlesFiles: readonly string[] }>(
    source: Source,
  ): Source => ({
    ...source,
    fundingFile: file(source.fundingFile),
    candlesFiles: source.candlesFiles.map(file),
  });
  return Object.fromEntries(
    Object.entries(venues).map(([name, { except = [], ...venue }]) => [
      name,
      { ...sourceOf(venue), except: except.map(sourceOf) },
    ]),
  );
}
