import { describe, expect, it, onTestFinished } from 'vitest';
import { LoadMeter, loadMessage, type LoadPlan } from '../../../bench/runtime/load-actors.ts';
import { runThroughRuntime, startLoadSystem } from '../../../bench/runtime/load-runs.ts';
import type { ActorSystem } from '../../../src/runtime/system.ts';

const PLAN: LoadPlan = { count: 20_000, ratePerSecond: 0 };

async function start(): Promise<ActorSystem> {
  const system = await startLoadSystem();
  onTestFinished(() => system.stop({ deadlineMs: 2_000 }));
  return system;
}

describe('trap 14: figures of runs that were not completed', () => {
  it('a run has figures when all of its messages arrived', async () => {
    const report = await runThroughRuntime(await start(), PLAN);
    expect(report.received).toBe(PLAN.count);
    expect(report.elapsedMs).toBeGreaterThan(0);
  });

  it('a run has none as long as one message is missing', () => {
    const meter = new LoadMeter(3);
    meter.note(0, 5);
    meter.note(1, 6);
    expect(meter.report()).toEqual({
      received: 2,
      isComplete: false,
      elapsedMs: 0,
      p50Ms: 0,
      p95Ms: 0,
      p99Ms: 0,
      maxMs: 0,
    });
    meter.note(2, 9);
    expect(meter.report()).toMatchObject({ received: 3, isComplete: true, elapsedMs: 4 });
  });

  it('a run fails when a message arrived that it did not send', async () => {
    const system = await start();
    const run = runThroughRuntime(system, PLAN);
    system.tell('consumer', loadMessage(0, 0));
    await expect(run).rejects.toThrow('20000 messages must arrive once, 20001 did');
  });
});
