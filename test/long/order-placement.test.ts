import { expect, it } from 'vitest';
import { measure } from '../../bench/order-placement/measure.ts';
import type { LoadPlan } from '../../bench/order-path/plan.ts';
import type { BenchResult } from '../../bench/result.ts';

it('a small measurement places every order once, at both venues, by both subjects', async () => {
  const orders: LoadPlan = { framesPerSecond: 200, triggers: 3, spacingMinMs: 50, spacingMaxMs: 100 };
  const results: BenchResult[] = [];
  for await (const result of measure({ rounds: 1, oneWayMs: 20, warmUp: orders, orders }, () => undefined))
    results.push(result);
  const metrics = [
    ...['p50', 'p95', 'p99'].map((rank) => `decision to the venue's word ${rank}`),
    ...['p50', 'p95', 'p99'].map((rank) => `own part ${rank}`),
    ...['orders placed', 'frames'],
  ];
  expect(results.map(({ metric }) => metric)).toEqual([...metrics, ...metrics]);
  expect(new Set(results.map(({ topology }) => topology.split(' ')[0]))).toEqual(new Set(['bybit', 'extended']));
  for (const { metric, value, baseline } of results) {
    // Both ways to the venue and back are in the whole, and none of them in our own part.
    if (metric.startsWith('decision')) expect(Math.min(value, baseline?.value ?? 0)).toBeGreaterThanOrEqual(40);
    else expect(value).toBeGreaterThan(0);
    if (metric === 'orders placed') expect([value, baseline?.value]).toEqual([3, 3]);
  }
}, 180_000);
