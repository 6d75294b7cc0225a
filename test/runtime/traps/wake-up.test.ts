/** Traps of sleeping and waking: 1, 4, 5 and 12. Longer runs of trap 1 are in test/long. */
import { describe, expect, it } from 'vitest';
import type { MessageShape } from '../../../src/runtime/actor.ts';
import { actorOf, runTokens, startTraps, until } from './bed.ts';
import { keepMessage } from './fixtures/trap-actors.ts';

const NUDGE = 'nudge';
const WAIT = 'wait';

describe('trap 1: waiting on the tail instead of the sleep flag', () => {
  it.each([
    ['two threads with event loops', [NUDGE, NUDGE]],
    ['two threads that block', [WAIT, WAIT]],
    ['one of each', [NUDGE, WAIT]],
  ] as const)('loses no wake-up while each message finds its receiver about to sleep: %s', async (_, wakes) => {
    // One token: every hop meets a thread that has nothing else to do, at every moment of its falling asleep.
    const run = await runTokens({ wakes, tokens: 1, hopsPerToken: 30_000 });
    expect(run).toEqual({ hops: 30_000, fromTheFuture: 0, lostWakeUps: 0 });
  });
});

describe('trap 5: a blocked thread runs neither timers, nor promises, nor port events', () => {
  it('so timers of its actors and orders of the control plane wake it by other means', async () => {
    const system = await startTraps([WAIT], [actorOf('keeper', 'keeper', 't0')]);
    expect(await system.ask('keeper', { type: 'count-ticks', ticks: 50 } as MessageShape, { deadlineMs: 20_000 })).toBe(
      'all ticked',
    );
    // Nothing but the control port speaks to it now.
    for (let question = 0; question < 20; question++)
      expect(await system.inspect('keeper')).toMatchObject({ status: 'running' });
    expect(await system.pauseActor('keeper')).toBe(true);
    system.tell('keeper', keepMessage(1, 3));
    await until(
      () => system.inspect('keeper'),
      (answer) => answer?.mailbox.depthTotal === 1,
    );
    expect(await system.resumeActor('keeper')).toBe(true);
    expect(await system.ask('keeper', { type: 'check-kept' }, { deadlineMs: 20_000 })).toMatchObject({ numbers: [1] });
    expect(await system.restartActor('keeper')).toBe(true);
    await until(
      () => system.inspect('keeper'),
      (answer) => answer?.incarnation === 2 && answer.status === 'running',
    );
  });
});

describe('trap 12: more threads than cores', () => {
  it.each([NUDGE, WAIT] as const)('five %s threads pass tokens round and stall nowhere', async (wake) => {
    const run = await runTokens({ wakes: [wake, wake, wake, wake, wake], tokens: 15, hopsPerToken: 1_000 });
    expect(run).toEqual({ hops: 15_000, fromTheFuture: 0, lostWakeUps: 0 });
  });
});
