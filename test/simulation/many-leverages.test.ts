/** More symbols than a venue lets an account change the leverage of in one minute. */
import { expect, it } from 'vitest';
import { marketCalendar, tapeSpec } from '../../src/composition/market.ts';
import { buildTape } from '../../src/simulation/live/build-tape.ts';
import { simulateWorld } from '../../src/simulation/world.ts';
import { fiveVenuesConfig } from '../engine/five-venues.ts';

it('sets the leverage of fifty symbols at Lighter without one change too many in a minute', () => {
  const config = fiveVenuesConfig(50, { venuePairs: [['lighter:main', 'extended:main']] });
  const { startAtMs } = marketCalendar(config, 0);
  let untaken = 0;
  const world = simulateWorld(config, {
    seed: 1,
    startAtMs,
    tape: buildTape(tapeSpec(config, startAtMs)),
    log: ({ event, path }) => {
      if (event === 'leverage-not-taken' && path === 'connector/lighter:main') untaken += 1;
    },
  });
  world.system.runUntil(20_000);
  expect(world.venues.get('lighter')?.venue.oracle().rateLimitRefusals).toBe(0);
  expect(untaken).toBe(0);
});
