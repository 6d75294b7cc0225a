/** I-2: while one venue gives no account, the other's leg does not stand alone for long, and the late truth is never acted on twice. */
import { describe, expect, it } from 'vitest';
import { foldBook } from '../../src/execution/execution-book.ts';
import { bookOf } from '../../src/execution/ledger.ts';
import type { PositionArgs } from '../../actors/position.ts';
import { createWorld, defaultArgs } from './position-world.ts';
import type { Fate, World } from './position-world.ts';

const LIMIT_MS = 15_000;

/** The short leg's venue takes the opening order and then falls silent; `executedLots` is what it did with it. */
function half(executedLots: number | undefined, args: Partial<PositionArgs> = {}): World {
  const silent: Fate = executedLots === undefined ? { type: 'silent' } : { type: 'silent', executedLots };
  const world = createWorld({
    args,
    fateOf: (venue, command) => (venue === 'va' && command.purpose.purpose === 'open' ? silent : { type: 'fill' }),
  });
  world.runUntil(() => world.pictures.at(-1)?.phase === 'IDLE', 5_000);
  world.deliver({ type: 'enter-pair', plan: world.plan() });
  world.runUntil(() => world.venues.a.placed.length > 0, 1_000);
  goDark(world);
  return world;
}

function goDark(world: World): void {
  world.venues.a.dark = true;
  world.deliver({
    type: 'venue-status',
    venue: 'va',
    account: 'main',
    status: 'down',
    reason: '',
    clockOffsetMs: 0,
    clockErrorMs: 5,
    entriesAllowed: false,
    openBudgetShare: 1,
  });
}

function booksAgree(world: World): void {
  const folded = foldBook(world.rows).ledger;
  for (const venue of [world.venues.a, world.venues.b]) {
    const key = { venue: venue.name, account: 'main', symbol: venue.instrument.symbol };
    expect(bookOf(folded, key)).toMatchObject({ signedLots: venue.positionLots, fills: venue.fills.length });
  }
}

const undoing = (world: World): readonly unknown[] =>
  [world.venues.a, world.venues.b].flatMap((venue) =>
    venue.placed
      .filter(({ order }) => order.reduceOnly)
      .map(({ order, purpose }) => [venue.name, order.side, order.lots, purpose.purpose]),
  );

describe('an opening order lost at a venue that is away', () => {
  it('has the leg on the other venue undone within the limit, and only by reducing', () => {
    const world = half(undefined);
    world.runUntil(() => world.venues.b.positionLots === 33, 1_000);
    const aloneAtMs = world.now();
    world.run(5_000);
    expect(world.venues.b.positionLots).toBe(33);
    world.runUntil(() => world.venues.b.positionLots === 0, LIMIT_MS - (world.now() - aloneAtMs));
    expect(undoing(world)).toEqual([['vb', 'sell', 33, 'unwind']]);
  });

  it('is alarmed about at once and again until the venue is back', () => {
    const world = half(undefined);
    world.run(40_000);
    const alarms = world.logged.filter(({ event }) => event === 'pair-exposed-one-venue');
    expect(alarms.length).toBeGreaterThanOrEqual(3);
    const [first] = alarms;
    const darkSinceMs = world.logged.find(({ event }) => event === 'pair-entering')?.atMs ?? 0;
    expect((first?.atMs ?? Infinity) - darkSinceMs).toBeLessThanOrEqual(2_000);
    expect(alarms.every(({ level }) => level === 'error')).toBe(true);
  });

  it('ends the pair when the venue returns and never had the order', () => {
    const world = half(undefined);
    world.run(30_000);
    world.venues.a.dark = false;
    world.runUntil(() => world.picture().phase === 'CLOSED', 20_000);
    expect(undoing(world)).toEqual([['vb', 'sell', 33, 'unwind']]);
    booksAgree(world);
  });

  it.each([33, 12])('has the %i lots undone that the venue turns out to have executed, once', (lots) => {
    const world = half(lots);
    world.run(30_000);
    expect(world.venues.b.positionLots).toBe(0);
    expect(world.venues.a.positionLots).toBe(-lots);
    const backAtMs = world.now();
    world.venues.a.dark = false;
    world.runUntil(() => world.venues.a.placed.length > 1, 5_000);
    expect(world.now() - backAtMs).toBeLessThanOrEqual(5_000);
    world.runUntil(() => world.picture().phase === 'CLOSED', 20_000);
    world.run(60_000);
    expect(undoing(world)).toEqual([
      ['va', 'buy', lots, 'unwind'],
      ['vb', 'sell', 33, 'unwind'],
    ]);
    booksAgree(world);
  });

  it('is handled alike when the venue streams on but answers no question', () => {
    const world = createWorld({
      fateOf: (venue, command) =>
        venue === 'va' && command.purpose.purpose === 'open' ? { type: 'silent' } : { type: 'fill' },
    });
    world.runUntil(() => world.pictures.at(-1)?.phase === 'IDLE', 5_000);
    world.deliver({ type: 'enter-pair', plan: world.plan() });
    world.venues.a.queriesFail = true;
    world.runUntil(() => world.venues.b.positionLots === 33, 1_000);
    world.runUntil(() => world.venues.b.positionLots === 0, LIMIT_MS);
    world.venues.a.queriesFail = false;
    world.runUntil(() => world.picture().phase === 'CLOSED', 30_000);
    expect(undoing(world)).toEqual([['vb', 'sell', 33, 'unwind']]);
    booksAgree(world);
  });

  it('is left to an operator while quarantined pairs are not to be flattened, and alarmed about', () => {
    const { execution } = defaultArgs;
    const order = { ...execution.order, resolveMs: 1_000 };
    const world = half(undefined, { execution: { ...execution, order, quarantine: { autoFlatten: false } } });
    world.run(60_000);
    expect(world.picture().phase).toBe('QUARANTINED');
    expect(undoing(world)).toEqual([]);
    expect(world.logged.filter(({ event }) => event === 'pair-exposed-one-venue').length).toBeGreaterThan(4);
  });

  it('is undone by a life that starts while the venue is away', () => {
    const world = half(33);
    world.runUntil(() => world.venues.b.positionLots === 33, 1_000);
    world.run(1_000);
    const crashedAtMs = world.now();
    world.crash(500);
    world.runUntil(() => world.venues.b.positionLots === 0, LIMIT_MS);
    expect(world.now() - crashedAtMs).toBeLessThanOrEqual(LIMIT_MS);
    world.venues.a.dark = false;
    world.runUntil(() => world.picture().phase === 'CLOSED', 30_000);
    expect(undoing(world)).toEqual([
      ['va', 'buy', 33, 'unwind'],
      ['vb', 'sell', 33, 'unwind'],
    ]);
    booksAgree(world);
  });
});

describe('a pair that is whole', () => {
  it('stays as it is while one venue is away, and is open again when it is back', () => {
    const world = createWorld();
    world.runUntil(() => world.pictures.at(-1)?.phase === 'IDLE', 5_000);
    world.deliver({ type: 'enter-pair', plan: world.plan() });
    world.runUntil(() => world.picture().phase === 'OPEN', 5_000);
    goDark(world);
    world.run(40_000);
    expect(undoing(world)).toEqual([]);
    expect(world.logged.some(({ event }) => event === 'pair-exposed-one-venue')).toBe(false);
    world.crash(500);
    world.run(70_000);
    expect(undoing(world)).toEqual([]);
    expect(world.picture().phase).toBe('QUARANTINED');
    world.venues.a.dark = false;
    world.runUntil(() => world.picture().phase === 'OPEN', 20_000);
    booksAgree(world);
  });
});

describe('a closing order lost at a venue that is away', () => {
  it.each([33, 0])('has the other leg undone too, whether %i lots of it were executed or not', (lots) => {
    let dark = false;
    const world = createWorld({
      fateOf: (venue, command) => {
        if (!dark || command.purpose.purpose !== 'close') return { type: 'fill' };
        return venue === 'va' ? { type: 'silent', executedLots: lots } : { type: 'fill', lots: 0 };
      },
    });
    world.runUntil(() => world.pictures.at(-1)?.phase === 'IDLE', 5_000);
    world.deliver({ type: 'enter-pair', plan: world.plan() });
    world.runUntil(() => world.picture().phase === 'OPEN', 5_000);
    dark = true;
    world.deliver({ type: 'exit-pair', reason: 'MANUAL' });
    world.runUntil(() => world.venues.a.placed.length > 1, 1_000);
    goDark(world);
    world.venues.b.fateOf = () => ({ type: 'fill' });
    world.runUntil(() => world.venues.b.positionLots === 0, LIMIT_MS);
    dark = false;
    world.venues.a.dark = false;
    world.runUntil(() => world.picture().phase === 'CLOSED', 60_000);
    expect([world.venues.a.positionLots, world.venues.b.positionLots]).toEqual([0, 0]);
    booksAgree(world);
  });
});

describe('the regular look at a pair that is in between', () => {
  it.each([
    [2_000, 3],
    [600_000, 0],
  ])('comes every %i ms and asks the other venue too', (busyIntervalMs, atLeast) => {
    const { execution } = defaultArgs;
    const reconcile = { ...execution.reconcile, intervalMs: 600_000, busyIntervalMs, urgentIntervalMs: busyIntervalMs };
    const world = half(undefined, { execution: { ...execution, reconcile } });
    world.runUntil(() => world.venues.b.positionLots === 33, 1_000);
    world.run(1_000);
    const before = world.venues.b.compared;
    world.run(8_000);
    expect(world.picture().phase).toBe('OPENING');
    const asked = world.venues.b.compared - before;
    if (atLeast === 0) expect(asked).toBe(0);
    else expect(asked).toBeGreaterThanOrEqual(atLeast);
  });
});
