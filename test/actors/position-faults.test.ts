/** The position actor against a world that refuses, stays silent, fills late, tells twice and lets it crash at any row. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { foldBook } from '../../src/execution/execution-book.ts';
import type { ExecutionBook } from '../../src/execution/execution-book.ts';
import { bookOf, walletChangeMicro } from '../../src/execution/ledger.ts';
import { createWorld } from './position-world.ts';
import type { Fate, VenueModel, World } from './position-world.ts';
import { propertyRuns } from '../property-runs.ts';

const fate: fc.Arbitrary<Fate> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      type: fc.constant('fill' as const),
      lots: fc.integer({ min: 0, max: 40 }),
      afterMs: fc.integer({ min: 1, max: 400 }),
    }),
  },
  { weight: 4, arbitrary: fc.record({ type: fc.constant('fill' as const) }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('refuse' as const) }) },
  {
    weight: 2,
    arbitrary: fc.record({ type: fc.constant('silent' as const), executedLots: fc.integer({ min: 0, max: 40 }) }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('silent' as const) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constant('late-fill' as const),
      lots: fc.integer({ min: 1, max: 40 }),
      afterMs: fc.integer({ min: 1, max: 3_000 }),
    }),
  },
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
  journalMuteMs: fc.constantFrom(0, 0, 0, 1_000, 4_000),
  exitAfterMs: fc.constantFrom(50, 500, 5_000),
});
type Script = typeof script extends fc.Arbitrary<infer Value> ? Value : never;

const harmless: Script = {
  fatesA: [],
  fatesB: [],
  tellFills: 1,
  crashAtRow: undefined,
  crashAgainAtRow: undefined,
  deadMs: 10,
  muteMs: 0,
  queriesFailMs: 0,
  journalMuteMs: 0,
  exitAfterMs: 500,
};

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
  if (of.journalMuteMs > 0) {
    world.run(40);
    world.journalMode = 'mute';
    world.run(of.journalMuteMs);
    world.journalMode = 'keep';
  }
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

function orderResults(book: ExecutionBook): readonly unknown[] {
  const byId = [...book.orders.values()].toSorted((one, other) =>
    one.planned.clientOrderId < other.planned.clientOrderId ? -1 : 1,
  );
  return byId.map((order) => [order.planned, order.status, order.filledLots, order.fillIds.toSorted()]);
}

/** P2 and P4: once a leg is being closed or undone, every order of it reduces. */
function closingsThatIncrease(venue: VenueModel): readonly string[] {
  const reducing = new Set(['close', 'unwind', 'rebalance']);
  return venue.placed
    .filter(({ order, purpose }) => reducing.has(purpose.purpose) !== order.reduceOnly)
    .map(({ order }) => order.clientOrderId);
}

describe('a crash after any row of an open and a close', () => {
  it.each([10, 4_000, 30_000] as const)('is recovered from when it lasts %i ms', { timeout: 60_000 }, (deadMs) => {
    const outcomes = new Map<string, number>();
    for (let row = 1; row <= 26; row += 1) {
      const world = play({ ...harmless, crashAtRow: row, deadMs });
      const { phase } = world.picture();
      outcomes.set(phase, (outcomes.get(phase) ?? 0) + 1);
      expect([row, delta(world)]).toEqual([row, 0]);
      for (const venue of [world.venues.a, world.venues.b]) {
        expect(new Set(placedIds(venue)).size).toBe(venue.placed.length);
        const key = { venue: venue.name, account: 'main', symbol: venue.instrument.symbol };
        expect(bookOf(foldBook(world.rows).ledger, key)).toMatchObject({
          signedLots: venue.positionLots,
          fills: venue.fills.length,
        });
      }
    }
    expect([...outcomes.keys()].toSorted().filter((phase) => !['CLOSED', 'FAILED', 'OPEN'].includes(phase))).toEqual(
      [],
    );
  });
});

describe('whatever the venues do', () => {
  it('T2: ends balanced or quarantined, sends every id once and books every fill once', { timeout: 600_000 }, () => {
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
          expect(walletChangeMicro(folded.ledger, venue.name, 'main')).toBe(
            walletChangeMicro(live.ledger, venue.name, 'main'),
          );
        }
        expect(folded.record).toEqual(live.record);
        expect(orderResults(folded)).toEqual(orderResults(live));
        for (const venue of [world.venues.a, world.venues.b]) expect(closingsThatIncrease(venue)).toEqual([]);
        expect(folded.ledger.closed).toEqual(live.ledger.closed);
      }),
      propertyRuns('heavy'),
    );
  });
});
