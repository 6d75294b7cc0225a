import { expect, it } from 'vitest';
import { measure } from '../../bench/book-delta/measure.ts';
import { targetOutcome } from '../../bench/result.ts';

it('a small measurement follows the books of every venue and compares with parsing alone', () => {
  const results = measure({ runs: 1, framesPerRun: 60, frames: 30 }, () => undefined);
  const metrics = results.map(({ metric }) => metric);
  for (const venue of ['lighter', 'extended', 'bybit', 'hyperliquid', 'coinbase'])
    for (const metric of ['p50', 'p99', 'changes']) expect(metrics).toContain(`${venue}, simulated: ${metric}`);
  for (const result of results) {
    expect(result.baseline?.name).toBe('JSON.parse alone');
    expect(result.value).toBeGreaterThan(0);
    expect(targetOutcome(result)).toBeDefined();
  }
});
