/**
 * The kill switch of the whole engine in virtual time: how long it takes from the command until the venues hold nothing and no order of
 * ours rests there, with the engine alive and with its process replaced by another.
 */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../config/load.ts';
import { marketCalendar, tapeSpec } from '../../src/composition/market.ts';
import { buildTape } from '../../src/simulation/live/build-tape.ts';
import { simulateWorld } from '../../src/simulation/world.ts';
import type { SimulatedWorld } from '../../src/simulation/world.ts';
import type { AccountOracle } from '../../src/simulation/simulated-venue.ts';

/** By the same engine, and by a process that takes its place. */
const KILL_MS_MAX = 10_000;
const OTHER_PROCESS_MS_MAX = 20_000;
const K3 = { type: 'kill', level: 3, reason: 'test' } as const;
const K4 = { type: 'kill', level: 4, reason: 'test' } as const;

function accounts(world: SimulatedWorld): readonly AccountOracle[] {
  return [...world.venues.values()].map(({ venue }) => {
    const account = venue.oracle().accounts.get('main');
    if (account === undefined) throw new Error(`${venue.venue} must know the account main`);
    return account;
  });
}
const held = (world: SimulatedWorld): number =>
  accounts(world).reduce((sum, { positions }) => sum + [...positions.values()].filter((lots) => lots !== 0).length, 0);
const isClean = (world: SimulatedWorld): boolean =>
  held(world) === 0 &&
  accounts(world).every(({ orders }) => orders.every(({ status }) => status !== 'open' && status !== 'queued'));

/** Runs in small steps until it is true; returns the virtual ms it took. */
function runUntil(world: SimulatedWorld, isTrue: () => boolean, limitMs: number): number {
  const fromMs = world.system.monotonicMs();
  while (!isTrue()) {
    const spentMs = world.system.monotonicMs() - fromMs;
    if (spentMs > limitMs) throw new Error(`it must happen within ${limitMs} ms, ${held(world)} legs are held`);
    world.system.runUntil(world.system.monotonicMs() + 50);
  }
  return world.system.monotonicMs() - fromMs;
}

/** A world whose engine holds both its pairs. */
function holding(seed: number): SimulatedWorld {
  const config = loadConfig(join(import.meta.dirname, 'fixtures', 'kill.yaml'), {
    dataDir: 'unused',
    resumeTrading: true,
    exit: { maxHoldH: 100_000 },
  });
  const calendar = marketCalendar(config, 0);
  const tape = buildTape(tapeSpec(config, calendar.startAtMs));
  const world = simulateWorld(config, { seed, tape, startAtMs: calendar.startAtMs });
  runUntil(world, () => held(world) === 4, 60_000);
  return world;
}

describe.each([1, 2, 3])('kill level 3 (seed %i)', (seed) => {
  it(`leaves nothing at the venues within ${KILL_MS_MAX} ms, and nothing comes back`, () => {
    const world = holding(seed);
    world.system.tell('guard', K3);
    expect(runUntil(world, () => isClean(world), KILL_MS_MAX)).toBeLessThanOrEqual(KILL_MS_MAX);
    world.system.runUntil(world.system.monotonicMs() + 30_000);
    expect(isClean(world)).toBe(true);
    expect(world.system.inspect('guard')?.digest).toMatchObject({ state: 'HALTED', flatten: true });
  });

  it(`does so within ${OTHER_PROCESS_MS_MAX} ms from a process that replaces a dead one, and is still in force in the next`, () => {
    const world = holding(seed);
    world.restart();
    world.system.tell('guard', K3);
    expect(runUntil(world, () => isClean(world), OTHER_PROCESS_MS_MAX)).toBeLessThanOrEqual(OTHER_PROCESS_MS_MAX);
    world.system.runUntil(world.system.monotonicMs() + 1_000);
    world.restart();
    world.system.runUntil(world.system.monotonicMs() + 30_000);
    expect(isClean(world)).toBe(true);
    expect(world.system.inspect('guard')?.digest).toMatchObject({ state: 'HALTED', flatten: true });
  });

  it('is taken up again by the process after one that died in the middle of it', () => {
    const world = holding(seed);
    world.system.tell('guard', K3);
    world.system.runUntil(world.system.monotonicMs() + 40 * seed);
    world.restart();
    runUntil(world, () => isClean(world), OTHER_PROCESS_MS_MAX);
    // There may have been nothing left to do before the new process is up.
    world.system.runUntil(world.system.monotonicMs() + 1_000);
    expect(isClean(world)).toBe(true);
    expect(world.system.inspect('guard')?.digest).toMatchObject({ state: 'HALTED', flatten: true });
  });
});

it('kill level 4 leaves the positions, no order, and no connection', () => {
  const world = holding(1);
  world.system.tell('guard', K4);
  const areGone = (): boolean =>
    JSON.stringify(world.system.inspect('guard')?.digest).split('"openOrders":0').length === 3;
  runUntil(world, areGone, KILL_MS_MAX);
  world.system.runUntil(world.system.monotonicMs() + 30_000);
  expect(held(world)).toBe(4);
  for (const venue of ['lighter', 'extended'])
    expect(world.system.inspect(`connector/${venue}:main`)?.digest).toMatchObject({ sockets: [], status: 'down' });
});
