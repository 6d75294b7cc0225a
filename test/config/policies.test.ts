import { expect, it } from 'vitest';
import { configSchema } from '../../config/schema.ts';
import { entryPolicies, exitPolicies, guardLimits, orderGateLimits } from '../../config/policies.ts';

const config = configSchema.parse({
  mode: 'simulated',
  venues: {},
  venuePairs: [['lighter:main', 'extended:main']],
  symbols: ['BTC'],
  risk: { maxOrderNotional: 1_234.567891, maxPairNotional: 2_000 },
  exit: { takeProfit: 3 },
  settle: { minDefer: 0.25 },
});

it('carries every threshold over with its unit', () => {
  expect(entryPolicies(config)).toMatchObject({
    entry: { minAprPct: 20, horizonHours: 48, minExpectedValueQuote: 0.8 },
    settle: { guardMs: 15_000, minDeferQuote: 0.25 },
    liquidation: { minEntryDistance: 0.25 },
    risk: { maxPairNotionalQuote: 2_000 },
  });
  expect(exitPolicies(config)).toMatchObject({
    exit: { takeProfitQuote: 3, darkVenue: 'hold', maxHoldHours: 240 },
    forecast: { halfLifeHours: 8, haircut: 0.25 },
  });
});

it('turns money into micro-units exactly', () => {
  expect(orderGateLimits(config, ['BTC'])).toMatchObject({
    symbols: ['BTC'],
    maxOrderNotionalMicro: 1_234_567_891n,
    maxPositionNotionalMicro: 2_000_000_000n,
  });
  expect(guardLimits(config)).toMatchObject({ dailyLossMicro: 100_000_000n, maxConsecutiveLosses: 3 });
});
