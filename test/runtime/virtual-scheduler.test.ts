import { expect, it } from 'vitest';
import { VirtualScheduler } from '../../src/runtime/virtual-scheduler.ts';

it('names the instant at which time stands still instead of running there for ever', () => {
  const scheduler = new VirtualScheduler({ nextUint32: () => 0, nextFraction: () => 0 });
  // A wait too short for the clock to show it: over again and again, and never any later.
  const wait = (): void => {
    scheduler.at(scheduler.nowMs + 1e-14, wait);
  };
  scheduler.at(1_000, wait);
  const runOn = (): void => {
    while (scheduler.nowMs < 1_001) scheduler.runOne();
  };
  expect(runOn).toThrow('virtual time must move on, 1000000 events ran at 1000 ms');
});

it('lets any number of events run as long as each brings time on', () => {
  const scheduler = new VirtualScheduler({ nextUint32: () => 0, nextFraction: () => 0 });
  let ticks = 0;
  const tick = (): void => {
    ticks += 1;
    if (ticks < 1_000_010) scheduler.at(scheduler.nowMs + 1, tick);
  };
  scheduler.at(0, tick);
  let isRunning = true;
  while (isRunning) isRunning = scheduler.runOne();
  expect([ticks, scheduler.nowMs]).toEqual([1_000_010, 1_000_009]);
});
