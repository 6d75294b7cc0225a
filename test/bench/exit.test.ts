import { expect, it } from 'vitest';
import { measure } from '../../bench/exit/measure.ts';
import { targetOutcome } from '../../bench/result.ts';

it('a small measurement lets every open position look at its exit, and compares many with few', () => {
  const results = measure({ runs: 2, positions: [2, 4], looksPerRun: 200 }, () => undefined);
  const metrics = ['per position p50', 'p99', 'max', 'mean'];
  expect(results.map(({ metric }) => metric)).toEqual(
    [2, 4].flatMap((open) => metrics.map((metric) => `${open} open: ${metric}`)),
  );
  const flat = results.find(({ metric }) => metric === '4 open: per position p50');
  expect(flat?.baseline).toEqual({ name: '2 open', value: results[0]?.value });
  for (const result of results.filter(({ target }) => target !== undefined))
    expect(targetOutcome(result)).toBeDefined();
});
