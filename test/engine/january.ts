/** The recorded hours that the engine is played on: real Lighter funding and prices against another venue's, January 2026. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { loadConfig } from '../../config/load.ts';
import type { ConfigOverrides, TandemConfig } from '../../config/schema.ts';

/** Stands beside the project; absent in a bare copy, and the tests say so. */
export const SHARED_DATA = join(import.meta.dirname, '..', '..', '..', 'shared', 'data');
export const hasSharedData = existsSync(join(SHARED_DATA, 'funding', 'lighter.csv.gz'));

const file = (path: string): string => join(SHARED_DATA, path);

export const HOUR_MS = 3_600_000;

/** Funding of Lighter's own rows against Hyperliquid's on the second venue; prices of Lighter where recorded, else Binance's. */
export function januaryConfig(dataDir: string, overrides: ConfigOverrides = {}): TandemConfig {
  return loadConfig(join(import.meta.dirname, 'january.yaml'), {
    dataDir,
    tape: {
      kind: 'recorded',
      venues: {
        lighter: {
          series: 'lighter',
          fundingFile: file('funding/lighter.csv.gz'),
          candlesFiles: [file('candles/lighter-1h.csv.gz'), file('candles/binance-1h.csv.gz')],
        },
        extended: {
          series: 'hyperliquid',
          fundingFile: file('funding/hyperliquid.csv.gz'),
          candlesFiles: [file('candles/binance-1h.csv.gz')],
        },
      },
      from: '2026-01-01T00:00:00Z',
      to: '2026-01-27T00:00:00Z',
    },
    ...overrides,
  });
}
