/**
 * Real threads under random kills. What the runtime promises of must-deliver messages, and these runs hold it to:
 *
 * - A teller whose thread lives loses nothing: each message is handled, or is a counted dead letter. The death of a
 *   receiver repeats what it had not reported as handled, so receivers take repetitions out with their durable state.
 * - The end of a life alone, by a kill or a crash, repeats nothing: the mailbox is kept. Only a message that crashed its
 *   actor comes once more.
 * - What a dead thread had told is read to the tail of its rings. What was in its memory (state, timers, messages it had
 *   not written yet, handling it had not finished) ends with it: its actors tell again from what they know for certain.
 */
import { describe, expect, it } from 'vitest';
import { runKills } from './fixtures/kill-run.ts';
import { runTold } from './fixtures/told-run.ts';

describe('under random kills', { timeout: 120_000 }, () => {
  it('of all threads, tellers included, nothing is lost, torn or stalled', async () => {
    const { repeated, ...run } = await runKills({ seed: 20_260_101, entries: 10_000, kills: 25, pauseMsMax: 60 });
    expect(run).toEqual({ kills: 25, lost: 0, torn: 0, lostWakeUps: 0 });
    // The window of a dead life is told again: repetitions exist, and are no more than that.
    expect(repeated).toBeLessThan(25 * 2 * 64 * 3);
  });

  it('and crashes of actors alone every message comes exactly once and in order', async () => {
    const run = await runTold({
      seed: 20_261_121,
      entries: 4_000,
      actorKills: 60,
      threadKills: 0,
      crashEvery: 500,
    });
    expect(run).toEqual({
      told: 8_000,
      lost: 0,
      torn: 0,
      outOfOrder: 0,
      repeated: 0,
      crashes: 16,
      lostWakeUps: 0,
    });
  });

  it('of actors and of their threads every message comes, in order, and only what was not reported as handled again', async () => {
    const threadKills = 15;
    const { repeated, ...run } = await runTold({
      seed: 20_261_122,
      entries: 4_000,
      actorKills: 30,
      threadKills,
      crashEvery: 0,
    });
    expect(run).toEqual({ told: 8_000, lost: 0, torn: 0, outOfOrder: 0, crashes: 0, lostWakeUps: 0 });
    // Of each teller at most two full mailboxes were handled beyond the first message that was not.
    expect(repeated).toBeLessThanOrEqual(threadKills * 2 * 2 * 200);
  });
});
