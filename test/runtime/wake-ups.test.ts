import { describe, expect, it } from 'vitest';
import { runWakes } from './fixtures/wake-run.ts';

describe('threads that sleep between messages', () => {
  it.each([
    { wakes: ['nudge', 'nudge'], spinUs: 0 },
    { wakes: ['wait', 'nudge'], spinUs: 0 },
    { wakes: ['wait', 'wait'], spinUs: 0 },
    { wakes: ['wait', 'wait'], spinUs: 50 },
  ] as const)('lose no wake-up and no message ($wakes, spin $spinUs us)', async ({ wakes, spinUs }) => {
    const run = await runWakes({ count: 60_000, wakes, spinUs });
    expect(run).toEqual({ received: [60_000, 60_000], lostWakeUps: 0 });
  });
});
