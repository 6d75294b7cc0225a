/** A position told to stop in each phase a pair can be in: it ends what is under way, books it, and then sends nothing any more. */
import { expect, it } from 'vitest';
import type { PairPhase } from '../../src/execution/pair.ts';
import { createWorld } from './position-world.ts';
import type { Fate, World } from './position-world.ts';

type Phase = PairPhase | 'RECOVERING';

/** Slow enough to be met under way. */
const SLOW: Fate = { type: 'fill', afterMs: 200 };
const LIMIT_MS = 30_000;
/** Longer than any pause between two tries. */
const AFTERWARDS_MS = 60_000;

function ready(fateOf?: (venue: string, purpose: string) => Fate): World {
  const world = createWorld(
    fateOf === undefined ? {} : { fateOf: (venue, { purpose }) => fateOf(venue, purpose.purpose) },
  );
  world.runUntil(() => world.pictures.at(-1)?.phase === 'IDLE', LIMIT_MS);
  return world;
}

function entering(fateOf?: (venue: string, purpose: string) => Fate): World {
  const world = ready(fateOf);
  world.deliver({ type: 'enter-pair', plan: world.plan() });
  return world;
}

function opened(fateOf?: (venue: string, purpose: string) => Fate): World {
  const world = entering(fateOf);
  world.runUntil(() => world.picture().phase === 'OPEN', LIMIT_MS);
  return world;
}

function leaving(fateOf?: (venue: string, purpose: string) => Fate): World {
  const world = opened(fateOf);
  world.deliver({ type: 'exit-pair', reason: 'MANUAL' });
  return world;
}

/** Leads to each phase; what is not listed here does not compile. */
const WAYS: Readonly<Record<Phase, () => World>> = {
  RECOVERING: () => {
    const world = opened();
    world.crash(100);
    return world;
  },
  IDLE: () => ready(),
  PREFLIGHT: () => entering(() => SLOW),
  OPENING: () => entering(() => SLOW),
  OPEN: () => opened(),
  REBALANCING: () => {
    const world = opened((_, purpose) => (purpose === 'open' ? { type: 'fill' } : SLOW));
    world.external(world.venues.a, 10, 'adl');
    return world;
  },
  CLOSING: () => leaving((_, purpose) => (purpose === 'open' ? { type: 'fill' } : SLOW)),
  UNWINDING: () =>
    entering((venue, purpose) =>
      venue === 'va' && purpose === 'open' ? { type: 'refuse', class: 'permanent' } : SLOW,
    ),
  CLOSED: () => leaving(),
  FAILED: () => entering(() => ({ type: 'refuse', class: 'permanent' })),
  QUARANTINED: () =>
    leaving((venue, purpose) =>
      venue === 'va' && purpose !== 'open' ? { type: 'refuse', class: 'permanent' } : { type: 'fill' },
    ),
};

it.each(Object.entries(WAYS))(
  'told to stop while %s, it leaves no order and no fill out of its journal',
  (phase, way) => {
    const world = way();
    world.runUntil(() => world.pictures.at(-1)?.phase === phase, LIMIT_MS);
    world.deliver({ type: 'drain-position' });
    world.runUntil(() => world.pictures.at(-1)?.drained === true, LIMIT_MS);
    const venues = [world.venues.a, world.venues.b];
    const sent = (): number => venues.reduce((sum, { placed }) => sum + placed.length, 0);
    const before = sent();
    const fills = world.rows.filter(({ type }) => type === 'fill').length;
    expect(venues.map(({ resting }) => resting.size)).toEqual([0, 0]);
    expect(fills).toBe(venues.reduce((sum, venue) => sum + venue.fills.length, 0));
    world.run(AFTERWARDS_MS);
    expect(sent()).toBe(before);
  },
);
