import { expect, it } from 'vitest';
import { runKills } from '../runtime/fixtures/kill-run.ts';
import { runTold } from '../runtime/fixtures/told-run.ts';

it.each([1, 2, 3, 4])('a thousand random kills in four parts lose, tear and stall nothing (seed %i)', async (seed) => {
  const { repeated: _repeated, ...run } = await runKills({ seed, entries: 200_000, kills: 250, pauseMsMax: 120 });
  expect(run).toEqual({ kills: 250, lost: 0, torn: 0, lostWakeUps: 0 });
});

it.each([1, 2, 3])('a thousand ends of actors alone repeat nothing either (seed %i)', async (seed) => {
  const run = await runTold({ seed, entries: 40_000, actorKills: 1_000, threadKills: 0, crashEvery: 400 });
  expect(run).toEqual({
    told: 80_000,
    lost: 0,
    torn: 0,
    outOfOrder: 0,
    repeated: 0,
    crashes: 200,
    lostWakeUps: 0,
  });
});

it.each([1, 2, 3])('ends of actors and threads at once lose nothing and keep the order (seed %i)', async (seed) => {
  const { repeated: _repeated, ...run } = await runTold({
    seed,
    entries: 40_000,
    actorKills: 300,
    threadKills: 100,
    crashEvery: 0,
  });
  expect(run).toEqual({ told: 80_000, lost: 0, torn: 0, outOfOrder: 0, crashes: 0, lostWakeUps: 0 });
});
