/** The whole engine in virtual time with stops at its venues: there while a pair is open, in nobody's way, gone with it. */
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { loadConfig } from '../../config/load.ts';
import { marketCalendar, tapeSpec } from '../../src/composition/market.ts';
import type { PairRecord } from '../../src/execution/pair.ts';
import { buildTape } from '../../src/simulation/live/build-tape.ts';
import { simulateWorld } from '../../src/simulation/world.ts';
import type { AccountOracle } from '../../src/simulation/simulated-venue.ts';
import { expectRowsExact } from './identities-check.ts';

const SETTLED_MS = 25_000;
const ARM = { type: 'set-engine-state', state: 'ARMED', reason: 'the test closes' } as const;
const LEAVE = { type: 'exit-pair', reason: 'MANUAL' } as const;

it('keeps a stop under a leg through a restart, closes the pair past it, and takes it away', () => {
  const config = loadConfig(join(import.meta.dirname, 'fixtures', 'entry-modes.yaml'), {
    dataDir: 'unused',
    liq: { venueStop: 0.05 },
    tape: {
      kind: 'generated',
      seed: 7,
      venues: { lighter: { series: 'lighter' }, extended: { series: 'hyperliquid' } },
    },
  });
  const { startAtMs } = marketCalendar(config, 0);
  const world = simulateWorld(config, { seed: 3, tape: buildTape(tapeSpec(config, startAtMs)), startAtMs });
  const run = (ms: number): void => world.system.runUntil(world.system.monotonicMs() + ms);
  const newest = (base: string): PairRecord | undefined =>
    world.disk
      .rowsAfter(0)
      .flatMap(({ type, payload }) => (type === 'pair-state' ? [payload['pair'] as PairRecord] : []))
      .findLast((pair) => pair.base === base);
  const account = (venue: string): AccountOracle | undefined =>
    world.venues.get(venue)?.venue.oracle().accounts.get('main');
  const live = (venue: string): AccountOracle['orders'] =>
    (account(venue)?.orders ?? []).filter(({ status }) => status === 'queued' || status === 'open');

  run(SETTLED_MS);
  for (const base of config.symbols) expect(newest(base)).toMatchObject({ phase: 'OPEN' });
  const stops = (): readonly string[] =>
    ['lighter', 'extended'].flatMap((venue) => live(venue).map(({ clientOrderId }) => `${venue} ${clientOrderId}`));
  // One per leg.
  const before = stops();
  expect(before).toHaveLength(2 * config.symbols.length);

  world.restart();
  run(SETTLED_MS);
  for (const base of config.symbols) expect(newest(base)).toMatchObject({ phase: 'OPEN' });
  expect(stops()).toEqual(before);

  // Nothing new is entered meanwhile.
  world.system.tell('guard', ARM);
  for (const base of config.symbols) world.system.tell(`position/${base}`, LEAVE);
  run(SETTLED_MS);
  for (const base of config.symbols) expect(newest(base)).toMatchObject({ phase: 'CLOSED', exitReason: 'MANUAL' });
  for (const venue of ['lighter', 'extended']) {
    expect(live(venue)).toEqual([]);
    expect([...(account(venue)?.positions.values() ?? [])].filter((lots) => lots !== 0)).toEqual([]);
  }
  expectRowsExact(world.disk.rowsAfter(0));
});
