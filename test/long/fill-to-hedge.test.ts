import { expect, it } from 'vitest';
import { measure } from '../../bench/fill-to-hedge/measure.ts';
import type { LoadPlan } from '../../bench/fill-to-hedge/plan.ts';

it('a small measurement hedges every fill once, loaded and quiet', async () => {
  const plan: LoadPlan = { framesPerSecond: 200, fills: 3, spacingMinMs: 50, spacingMaxMs: 100 };
  const results = await measure(
    { rounds: 1, warmUp: { ...plan, fills: 1 }, loaded: plan, quiet: { ...plan, framesPerSecond: 10 } },
    () => undefined,
  );
  expect(results.map(({ metric }) => metric)).toEqual([
    ...['p50', 'p95', 'p99', 'max'].map((rank) => `fill to hedge ${rank}`),
    'fills hedged',
    'frames',
  ]);
  for (const { value, baseline } of results) {
    expect(value).toBeGreaterThan(0);
    expect(baseline?.value).toBeGreaterThan(0);
  }
  expect(results.find(({ metric }) => metric === 'fills hedged')).toMatchObject({ value: 3, baseline: { value: 3 } });
}, 180_000);
