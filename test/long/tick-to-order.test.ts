import { expect, it } from 'vitest';
import type { LoadPlan } from '../../bench/order-path/plan.ts';
import { measure } from '../../bench/tick-to-order/measure.ts';

const SPACING = { spacingMinMs: 5, spacingMaxMs: 10 };

it('a small measurement answers every trigger with one order on both paths and gives comparable results', async () => {
  const plan: LoadPlan = { framesPerSecond: 500, triggers: 4, ...SPACING };
  const said: string[] = [];
  const results = await measure(
    { rounds: 1, warmUp: plan, flood: plan, idle: { ...plan, framesPerSecond: 10, triggers: 2 } },
    (text) => said.push(text),
  );
  expect(results.map(({ metric }) => metric)).toEqual([
    ...['p50', 'p95', 'p99', 'max'].map((rank) => `tick to order ${rank}`),
    'triggers answered',
    'frames',
    ...['frame to decision', 'decision to durable', 'durable to order bytes'].flatMap((stage) => [
      `${stage} p50`,
      `${stage} p99`,
    ]),
    ...['p50', 'p95', 'p99', 'max'].map((rank) => `idle tick to order ${rank}`),
  ]);
  for (const { value, runs, spread, baseline, ratio } of results) {
    expect(value).toBeGreaterThan(0);
    expect(baseline?.value).toBeGreaterThan(0);
    expect(ratio).toBeGreaterThan(0);
    expect([runs, spread]).toEqual([1, 0]);
  }
  expect(results.find(({ metric }) => metric === 'triggers answered')).toMatchObject({
    value: 4,
    baseline: { value: 4 },
  });
  expect(said).toContain('run 1 of 1');
}, 300_000);
