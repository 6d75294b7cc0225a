import { expect, it } from 'vitest';
import { runWakes } from '../runtime/fixtures/wake-run.ts';

const MESSAGES = 12_500_000;

it.each([
  { wakes: ['nudge', 'nudge'], spinUs: 0 },
  { wakes: ['wait', 'nudge'], spinUs: 0 },
  { wakes: ['wait', 'wait'], spinUs: 0 },
  { wakes: ['wait', 'wait'], spinUs: 50 },
] as const)(
  'a hundred million messages in four parts lose no wake-up ($wakes, spin $spinUs us)',
  async ({ wakes, spinUs }) => {
    const run = await runWakes({ count: MESSAGES, wakes, spinUs });
    expect(run).toEqual({ received: [MESSAGES, MESSAGES], lostWakeUps: 0 });
  },
);
