import { expect, it } from 'vitest';
import { runKills } from './fixtures/kill-run.ts';

it('loses, tears and stalls nothing while its threads are killed at random', { timeout: 60_000 }, async () => {
  const { repeated, ...run } = await runKills({ seed: 20_260_101, entries: 10_000, kills: 25, pauseMsMax: 60 });
  expect(run).toEqual({ kills: 25, lost: 0, torn: 0, lostWakeUps: 0 });
  // The window of a dead life is told again: repetitions exist, and are no more than that.
  expect(repeated).toBeLessThan(25 * 2 * 64 * 3);
});
