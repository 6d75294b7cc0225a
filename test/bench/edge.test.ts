import { expect, it } from 'vitest';
import { measure as measureHttp } from '../../bench/edge/http-overhead.ts';
import { measure as measureRefresh } from '../../bench/edge/refresh.ts';
import { measure as measureWatchers } from '../../bench/edge/watchers.ts';
import { targetOutcome } from '../../bench/result.ts';

const quiet = (): void => undefined;

it('39 watchers in 13 groups cost at most 31 calls a cycle, and 85 of 100 reads none of their own', () => {
  const results = measureWatchers({ cycles: 2, watchers: 39, groups: 13 }, quiet);
  expect(results.map((result) => targetOutcome(result))).toEqual(['reached', 'reached']);
  expect(results[0]?.baseline?.value).toBe(195);
});

it('a small refresh reads what is common once, and gives its times beside those of one read after the other', async () => {
  const [refresh, factor] = await measureRefresh({ runs: 1, symbols: 3 }, quiet);
  // 5 + 3 x 3 of 24 reads are sent.
  expect(refresh?.note).toContain('42 %');
  expect(factor?.value).toBeGreaterThan(1);
});

it('a small measurement of the door has three percentiles beside those of a plain pool', async () => {
  const results = await measureHttp({ runs: 1, requests: 50 }, quiet);
  expect(results.map(({ metric }) => metric)).toEqual(['latency p50', 'latency p95', 'latency p99']);
  expect(results.every(({ baseline, value }) => value > 0 && (baseline?.value ?? 0) > 0)).toBe(true);
});
