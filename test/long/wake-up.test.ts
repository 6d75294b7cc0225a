import { expect, it } from 'vitest';
import { runTokens } from '../runtime/traps/bed.ts';

it.each([
  ['two threads with event loops', ['nudge', 'nudge']],
  ['two threads that block', ['wait', 'wait']],
  ['one of each', ['nudge', 'wait']],
] as const)('trap 1: three million messages to sleeping threads wake every one of them: %s', async (_, wakes) => {
  const run = await runTokens({ wakes, tokens: 1, hopsPerToken: 3_000_000 });
  expect(run).toEqual({ hops: 3_000_000, fromTheFuture: 0, lostWakeUps: 0 });
});
