import { it } from 'vitest';
import type { ConfigOverrides } from '../../config/schema.ts';
import { expectExact, play } from './lighter-bybit.ts';

const GENERATED: ConfigOverrides['tape'] = {
  kind: 'generated',
  seed: 7,
  venues: { lighter: { series: 'lighter' }, bybit: { series: 'bybit' } },
};

it('a pair of Lighter and Bybit on loopback opens, is paid and closes, and the ledger equals both venues', async () => {
  expectExact(await play(GENERATED));
}, 240_000);
