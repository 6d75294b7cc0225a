/** The position actor against a world that refuses, stays silent, fills late, tells twice and lets it crash at any row. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { foldBook } from '../../src/execution/execution-book.ts';
import { bookOf, walletChangeMicro } from '../../src/execution/ledger.ts';
import { createWorld } from './position-world.ts';
import type { Fate, VenueModel, World } from './position-world.ts';

const fate: fc.Arbitrary<Fate> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ type: fc.constant('fill' as const), lots: fc.integer({ min: 0, max: 40 }), afterMs: fc.integer({ min: 1, max: 400 }) }) },
  { weight: 4, arbitrary: fc.record({ type: fc.constant('fill' as const) }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('refuse' as const) }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('silent' as const), executedLots: fc.integer({ min: 0, max: 40 }) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('silent' as const) }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('late-fill' as const), lots: fc.integer({ min: 1, max: 40 }), afterMs: fc.integer({ min: 1, max: 3_000 }) }) },
);

const script = fc.record({
  fatesA: fc.array(fate, { maxLength: 4 }),
  fatesB: fc.array(fate, { maxLength: 4 }),
  tellFills: fc.integer({ min: 1, max: 3 }),
  crashAtRow: fc.option(fc.integer({ min: 1, max: 40 }), { nil: undefined }),
  crashAgainAtRow: fc.option(fc.integer({ min: 1, max: 40 }), { nil: undefined }),
  deadMs: fc.constantFrom(10, 4_000, 30_000),
  muteMs: fc.constantFrom(0, 0, 2_000),
  queriesFailMs: fc.constantFrom(0, 0, 5_000),
  exitAfterMs: fc.constantFrom(50, 500, 5_000),
});
type Script = typeof script extends fc.Arbitrary<infer Value> ? Value : never;

function play(of: Script): World {
  const count = { va: 0, vb: 0 };
  const world = createWorld({
    fateOf: (venue) => {
      const fates = venue === 'va' ? of.fatesA : of.fatesB;
      const key = venue === 'va' ? 'va' : 'vb';
      count[key] += 1;
      return fates[count[key] - 1] ?? { type: 'fill' };
    },
  });
  const venues = [world.venues.a, world.venues.b];
  for (const venue of venues) venue.tellFills = of.tellFills;
  world.runUntil(() => world.pictures.at(-1)?.phase === 'IDLE', 5_000);
  if (of.crashAtRow !== undefined) world.crashAtRow(world.rows.length + of.crashAtRow, of.deadMs);
  for (const venue of venues) {
    venue.mute = of.muteMs > 0;
    venue.queriesFail = of.queriesFailMs > 0;
  }
  world.deliver({ type: 'enter-pair', plan: world.plan() });
  world.run(of.exitAfterMs);
  if (of.crashAgainAtRow !== undefined) world.crashAtRow(world.rows.length + of.crashAgainAtRow, of.deadMs);
  world.deliver({ type: 'exit-pair', reason: 'MANUAL' });
  world.run(of.muteMs);
  for (const venue of venues) venue.mute = false;
  world.run(of.queriesFailMs);
  for (const venue of venues) venue.queriesFail = false;
  world.run(150_000);
  return world;
}

/** Signed 0.001 BTC; both venues' lots are that large in this world. */
function delta(world: World): number {
  return world.venues.a.positionLots + world.venues.b.positionLots;
}

function placedIds(venue: VenueModel): string[] {
  return venue.placed.map((command) => command.order.clientOrderId);
}

describe('whatever the venues do', () => {
  it('ends balanced or quarantined, sends every id once and books every fill once', { timeout: 120_000 }, () => {
    fc.assert(
      fc.property(script, (of) => {
        const world = play(of);
        const picture = world.picture();
        if (picture.phase !== 'QUARANTINED') expect(delta(world)).toBe(0);
        expect(['IDLE', 'OPEN', 'CLOSED', 'FAILED', 'QUARANTINED']).toContain(picture.phase);

        for (const venue of [world.venues.a, world.venues.b]) {
          expect(new Set(placedIds(venue)).size).toBe(venue.placed.length);
        }
        const live = world.stage().state().book;
        const folded = foldBook(world.rows);
        for (const venue of [world.venues.a, world.venues.b]) {
          const key = { venue: venue.name, account: 'main', symbol: venue.instrument.symbol };
          expect(bookOf(live.ledger, key).signedLots).toBe(venue.positionLots);
          expect(bookOf(live.ledger, key).fills).toBe(venue.fills.length);
          expect(bookOf(folded.ledger, key)).toEqual(bookOf(live.ledger, key));
          expect(walletChangeMicro(folded.ledger, venue.name, 'main')).toBe(walletChangeMicro(live.ledger, venue.name, 'main'));
        }
        expect(folded.record).toEqual(live.record);
        expect(folded.ledger.closed).toEqual(live.ledger.closed);
      }),
      { numRuns: 150 },
    );
  });
});
