import { join } from 'node:path';
import { it } from 'vitest';
import type { ConfigOverrides } from '../../config/schema.ts';
import { hasSharedData, SHARED_DATA } from '../engine/january.ts';
import { expectExact, play } from '../engine/lighter-bybit.ts';

const data = (path: string): string => join(SHARED_DATA, path);
const RECORDED: ConfigOverrides['tape'] = {
  kind: 'recorded',
  venues: {
    lighter: {
      series: 'lighter',
      fundingFile: data('funding/lighter.csv.gz'),
      candlesFiles: [data('candles/lighter-1h.csv.gz'), data('candles/binance-1h.csv.gz')],
    },
    bybit: {
      series: 'bybit',
      fundingFile: data('funding/bybit.csv.gz'),
      candlesFiles: [data('candles/bybit-1h.csv.gz')],
    },
  },
  from: '2026-01-01T00:00:00Z',
  to: '2026-01-31T00:00:00Z',
};

it.skipIf(!hasSharedData)(
  'a pair on recorded rows of Lighter and Bybit is paid and closed, and the ledger equals both venues (needs ../shared/data)',
  async () => expectExact(await play(RECORDED)),
);
