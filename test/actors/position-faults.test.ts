/** The position actor against a world that refuses, stays silent, fills late, tells twice and lets it crash at any row. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { EntryPlan } from '../../actors/position-messages.ts';
import { foldBook } from '../../src/execution/execution-book.ts';
import type { ExecutionBook } from '../../src/execution/execution-book.ts';
import { bookOf, walletChangeMicro } from '../../src/execution/ledger.ts';
import { createWorld, defaultArgs, VALIDITY_MS } from './position-world.ts';
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
    weight: 1,
    arbitrary: fc.record({ type: fc.constant('overfill' as const), extraLots: fc.integer({ min: 1, max: 9 }) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constant('rest' as const),
      fills: fc.array(
        fc.record({ lots: fc.integer({ min: 1, max: 20 }), afterMs: fc.integer({ min: 1, max: 16_000 }) }),
        { maxLength: 4 },
      ),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constant('late-fill' as const),
      lots: fc.integer({ min: 1, max: 40 }),
      afterMs: fc.integer({ min: 1, max: 3_000 }),
    }),
  },
);

const mode: fc.Arbitrary<EntryPlan['entry']['mode']> = fc.constantFrom('taker-taker', 'maker-taker', 'sequential');

const script = fc.record({
  mode,
  leg: fc.constantFrom('long' as const, 'short' as const),
  escalate: fc.boolean(),
  cancelsLost: fc.constantFrom(0, 0, 0, 1, 3),
  /** Moves of the host's calendar, ms, one a second after the entry and one after the exit. */
  jumpsMs: fc.array(fc.constantFrom(0, -3_000, -400, 400, 3_000, 60_000), { minLength: 2, maxLength: 2 }),
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
  /** Whether the venues keep stops, and whether the mark gets to those of one of them before the exit. */
  stops: fc.constantFrom('none' as const, 'wait' as const, 'reached' as const),
});
type Script = typeof script extends fc.Arbitrary<infer Value> ? Value : never;

const harmless: Script = {
  mode: 'taker-taker',
  leg: 'long',
  escalate: false,
  cancelsLost: 0,
  jumpsMs: [],
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
  stops: 'none',
};

/** Nothing follows the end of a pair after this: both venues were compared again by then. */
const QUIET_MS = defaultArgs.execution.reconcile.intervalMs + 1_000;

function play(of: Script): World {
  const count = { va: 0, vb: 0 };
  const world = createWorld({
    ...(of.stops === 'none' ? {} : { instruments: { va: { hasStops: true }, vb: { hasStops: true } } }),
    fateOf: (venue) => {
      const fates = venue === 'va' ? of.fatesA : of.fatesB;
      const key = venue === 'va' ? 'va' : 'vb';
      count[key] += 1;
      return fates[count[key] - 1] ?? { type: 'fill' };
    },
  });
  const venues = [world.venues.a, world.venues.b];
  for (const venue of venues) {
    venue.tellFills = of.tellFills;
    venue.cancelsLost = of.cancelsLost;
  }
  world.runUntil(() => world.pictures.at(-1)?.phase === 'IDLE', 5_000);
  if (of.crashAtRow !== undefined) world.crashAtRow(world.rows.length + of.crashAtRow, of.deadMs);
  for (const venue of venues) {
    venue.mute = of.muteMs > 0;
    venue.queriesFail = of.queriesFailMs > 0;
  }
  world.deliver({ type: 'enter-pair', plan: world.plan({ entry: entryOf(of) }) });
  if (of.journalMuteMs > 0) {
    world.run(40);
    world.journalMode = 'mute';
    world.run(of.journalMuteMs);
    world.journalMode = 'keep';
  }
  const [first = 0, second = 0] = of.jumpsMs;
  if (first !== 0) {
    world.run(1_000);
    world.jumpCalendar(first);
  }
  world.run(of.exitAfterMs);
  if (of.stops === 'reached') world.reachStops(world.venues.a);
  if (of.crashAgainAtRow !== undefined) world.crashAtRow(world.rows.length + of.crashAgainAtRow, of.deadMs);
  world.deliver({ type: 'exit-pair', reason: 'MANUAL' });
  if (second !== 0) {
    world.run(40);
    world.jumpCalendar(second);
  }
  world.run(of.muteMs);
  for (const venue of venues) venue.mute = false;
  world.run(of.queriesFailMs);
  for (const venue of venues) venue.queriesFail = false;
  world.runUntilOver(150_000, QUIET_MS);
  return world;
}

function entryOf({ mode: way, leg, escalate }: Script): EntryPlan['entry'] {
  if (way === 'taker-taker') return { mode: way };
  if (way === 'sequential') return { mode: way, leg };
  return { mode: way, leg, quoteTicks: leg === 'long' ? 600_000 : 600_010, escalate };
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
  const reducing = new Set(['close', 'unwind', 'rebalance', 'protect']);
  return venue.placed
    .filter(({ order, purpose }) => reducing.has(purpose.purpose) !== order.reduceOnly)
    .map(({ order }) => order.clientOrderId);
}

/** With nothing unknown an imbalance ends within this, by the venues' own count, while both answer (I-2). */
const IMBALANCE_MS_MAX = 5_000;
/** An order without an answer holds its pair up until its proof: unknown, past its validity, asked twice, and the answer's way. */
const PROOF_MS = defaultArgs.execution.order.ackMs + VALIDITY_MS + 3_000;
/** A fill that is told after the end of its order: until the comparison that would have found it. */
const LATE_MS = 3_000;
/** A life that begins reads, compares and starts its clocks again. */
const RECOVERY_MS = 4_000;
/** What was asked while nobody answered is asked again after a pause. */
const REPEAT_MS = 2_500;

/** The bound of one script: every fault of it may add what it holds up by its nature. */
function unhedgedMsMax(of: Script): number {
  const fates = [...of.fatesA, ...of.fatesB];
  const count = (...types: readonly Fate['type'][]): number => fates.filter(({ type }) => types.includes(type)).length;
  const crashes = [of.crashAtRow, of.crashAgainAtRow].filter((row) => row !== undefined).length;
  const outages = [of.queriesFailMs, of.journalMuteMs, of.muteMs].filter((ms) => ms > 0).length;
  // A calendar set back lets requests live longer by as much.
  const setBackMs = of.jumpsMs.reduce<number>((sum, ms) => sum + Math.max(0, -ms), 0);
  return (
    IMBALANCE_MS_MAX +
    PROOF_MS * count('silent', 'rest') +
    LATE_MS * count('late-fill') +
    RECOVERY_MS * crashes +
    REPEAT_MS * outages +
    setBackMs
  );
}

describe('a crash after any row of an open and a close', () => {
  const trickle: readonly Fate[] = [
    {
      type: 'rest',
      fills: [
        { lots: 12, afterMs: 60 },
        { lots: 9, afterMs: 160 },
      ],
    },
  ];

  it.each([
    ['taker-taker', 10, 'none'],
    ['taker-taker', 4_000, 'none'],
    ['taker-taker', 30_000, 'none'],
    ['maker-taker', 10, 'none'],
    ['maker-taker', 30_000, 'none'],
    ['sequential', 10, 'none'],
    ['sequential', 30_000, 'none'],
    ['taker-taker', 10, 'wait'],
    ['taker-taker', 4_000, 'reached'],
  ] as const)(
    'is recovered from in mode %s when it lasts %i ms, stops: %s',
    { timeout: 120_000 },
    (way, deadMs, stops) => {
      const quotes: Partial<Script> = way === 'maker-taker' ? { leg: 'short', fatesA: trickle.slice() } : {};
      const outcomes = new Map<string, number>();
      for (let row = 1; row <= 26; row += 1) {
        const world = play({ ...harmless, mode: way, ...quotes, crashAtRow: row, deadMs, stops });
        const { phase } = world.picture();
        outcomes.set(phase, (outcomes.get(phase) ?? 0) + 1);
        expect([row, delta(world)]).toEqual([row, 0]);
        expect(world.venues.a.resting.size + world.venues.b.resting.size).toBe(
          phase === 'OPEN' && stops !== 'none' ? 2 : 0,
        );
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
    },
  );
});

describe('a life that begins while no venue answers', () => {
  it('goes on at full pace as soon as they answer, also when the first attempt is refused', () => {
    const of: Script = {
      ...harmless,
      fatesA: [{ type: 'fill', lots: 1, afterMs: 1 }, { type: 'refuse' }],
      fatesB: [{ type: 'refuse' }],
      jumpsMs: [3_000, 0],
      // After the unwinding order is planned and before it is sent.
      crashAtRow: 11,
      queriesFailMs: 5_000,
      exitAfterMs: 50,
    };
    const world = play(of);
    expect(world.picture()).toMatchObject({ phase: 'CLOSED' });
    expect(world.venues.a.placed.at(-2)).toMatchObject({ purpose: { purpose: 'unwind' } });
    expect(world.unhedged.answeredMs).toBeLessThanOrEqual(IMBALANCE_MS_MAX);
  });
});

describe('whatever the venues do', () => {
  it('T2: ends balanced or quarantined, sends every id once and books every fill once', { timeout: 600_000 }, () => {
    fc.assert(
      fc.property(script, (of) => {
        const world = play(of);
        expect(world.unhedged.answeredMs).toBeLessThanOrEqual(unhedgedMsMax(of));
        const picture = world.picture();
        if (picture.phase !== 'QUARANTINED') expect([delta(world), world.isHedged()]).toEqual([delta(world), true]);
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
        for (const venue of [world.venues.a, world.venues.b]) {
          expect(closingsThatIncrease(venue)).toEqual([]);
          if (['CLOSED', 'FAILED'].includes(picture.phase)) expect([...venue.resting.keys()]).toEqual([]);
        }
        expect(folded.ledger.closed).toEqual(live.ledger.closed);
      }),
      propertyRuns(),
    );
  });
});
