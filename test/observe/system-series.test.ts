import { expect, it } from 'vitest';
import type { ActorSnapshot, SystemSnapshot } from '../../src/runtime/snapshot.ts';
import { systemSeries } from '../../src/observe/system-series.ts';

/** Only what is read of an actor. */
const actor = (path: string, kind: string, counters: Readonly<Record<string, number>>): ActorSnapshot =>
  ({
    ...{ path, kind, counters, thread: 'main', status: 'running', restarts: 0 },
    mailbox: { merged: 0, evicted: 0, refused: 0, depthTotal: 0, oldestAgeMs: 0 },
  }) as unknown as ActorSnapshot;

it('tells what actors count, all of a kind together: what was refused, and why, can be watched', () => {
  const snapshot = {
    actors: [
      actor('position/BTC', 'position', { 'external-exposures': 1, 'entries-refused:EXTERNAL_EXPOSURE': 3 }),
      actor('position/ETH', 'position', { 'entries-refused:EXTERNAL_EXPOSURE': 4 }),
      actor('connector/lighter:main', 'connector', { 'bad-values:MARK': 2 }),
    ],
    deadLetters: { total: 0, byReason: {} },
    threads: [],
    supervisors: [],
  } as unknown as SystemSnapshot;
  const told = systemSeries(snapshot)
    .filter(({ name }) => name === 'actor_events_total')
    .map(({ labels, value }) => [labels['kind'], labels['event'], value]);
  expect(told).toEqual([
    ['position', 'external-exposures', 1],
    ['position', 'entries-refused:EXTERNAL_EXPOSURE', 7],
    ['connector', 'bad-values:MARK', 2],
  ]);
});
