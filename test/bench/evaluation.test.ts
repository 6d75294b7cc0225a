import { expect, it } from 'vitest';
import { measure } from '../../bench/evaluation/measure.ts';
import { targetOutcome } from '../../bench/result.ts';

it('a small measurement asks for an entry in every cycle and times each part beside the whole', async () => {
  const results = await measure({ runs: 2, symbols: 20, warmUpCycles: 1, cycles: 5 }, () => undefined);
  expect(results.map(({ metric }) => metric)).toEqual([
    ...['cycle p50', 'cycle p99', 'cycle max'],
    ...['health', 'risk', 'strategy', 'intent'].flatMap((part) => [`${part} p50`, `${part} p99`]),
  ]);
  const [p50, p99] = results;
  expect(p50?.value).toBeGreaterThan(0);
  expect(p99?.value).toBeGreaterThanOrEqual(p50?.value ?? Infinity);
  expect(p99?.baseline?.value).toBeGreaterThan(0);
  expect(p99 === undefined ? undefined : targetOutcome(p99)).toBeDefined();
});
