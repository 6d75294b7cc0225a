import { expect, it } from 'vitest';
import { runKills } from '../runtime/fixtures/kill-run.ts';

it.each([1, 2, 3, 4])('a thousand random kills in four parts lose, tear and stall nothing (seed %i)', async (seed) => {
  const { repeated: _repeated, ...run } = await runKills({ seed, entries: 200_000, kills: 250, pauseMsMax: 120 });
  expect(run).toEqual({ kills: 250, lost: 0, torn: 0, lostWakeUps: 0 });
});
