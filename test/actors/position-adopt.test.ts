/** A hedged position that somebody else opened, taken over because a person says so. */
import { describe, expect, it } from 'vitest';
import type { PositionMessage } from '../../actors/position-messages.ts';
import { foldBook, highestCounter } from '../../src/execution/execution-book.ts';
import type { QuantityLots } from '../../src/money/units.ts';
import { createWorld, defaultArgs } from './position-world.ts';
import type { World, WorldOptions } from './position-world.ts';

type Adopt = Extract<PositionMessage, { type: 'adopt-position' }>;

function wanted(longLots = 33, shortLots = 33): Adopt {
  return {
    type: 'adopt-position',
    long: { venue: 'vb', account: 'main', lots: longLots },
    short: { venue: 'va', account: 'main', lots: shortLots },
    reason: 'mine from before',
  };
}

/** Long on vb, short on va, and no pair that explains it. */
function held(longLots = 33, shortLots = 33, options: WorldOptions = {}): World {
  const world = createWorld(options);
  world.runUntil(() => world.pictures.at(-1)?.phase === 'IDLE', 5_000);
  world.external(world.venues.b, longLots);
  world.external(world.venues.a, -shortLots);
  world.runUntil(() => told(world, 'external-exposure') === 2, 10_000);
  return world;
}

function adopted(): World {
  const world = held();
  world.deliver(wanted());
  world.runUntil(() => world.picture().phase === 'OPEN', 1_000);
  return world;
}

function closed(): World {
  const world = adopted();
  world.deliver({ type: 'exit-pair', reason: 'MANUAL' });
  world.runUntil(() => world.picture().phase === 'CLOSED', 5_000);
  return world;
}

const told = (world: World, name: string): number => world.logged.filter(({ event }) => event === name).length;
const sent = (world: World): readonly unknown[] => [...world.venues.a.placed, ...world.venues.b.placed];
const heldNow = ({ venues }: World): readonly number[] => [venues.b.positionLots, venues.a.positionLots];

describe('an adopted position', () => {
  it('is a pair once the journal has it, and not before; nothing is traded for it', () => {
    const world = held();
    world.deliver(wanted());
    expect(world.stage().state().pair).toBeUndefined();
    world.runUntil(() => world.picture().phase === 'OPEN', 1_000);
    world.run(10_000);
    expect(world.picture()).toMatchObject({
      phase: 'OPEN',
      reason: 'ADOPTED',
      long: { venue: 'vb', signedLots: 33 },
      short: { venue: 'va', signedLots: -33 },
    });
    expect(world.stage().state().adoption).toEqual({ asked: 1, outcome: 'adopted', detail: world.picture().pairId });
    expect(told(world, 'position-adopted')).toBe(1);
    expect(sent(world)).toEqual([]);
    expect(heldNow(world)).toEqual([33, -33]);
  });

  it('is closed like any other, by one reduce-only order per leg', () => {
    const world = closed();
    expect(heldNow(world)).toEqual([0, 0]);
    const { a, b } = world.venues;
    expect([...a.placed, ...b.placed].map(({ order }) => [order.reduceOnly, order.lots])).toEqual([
      [true, 33],
      [true, 33],
    ]);
  });

  it('earns its funding from then on', () => {
    const world = adopted();
    world.payFunding({
      type: 'funding-paid',
      venue: 'va',
      account: 'main',
      symbol: 'BTC',
      payment: {
        paymentId: 'p1',
        symbol: 'BTC',
        amountMicro: 5_000n as never,
        rate: 0 as never,
        signedLots: -33 as never,
        settledAtMs: world.now() + 1,
      },
    });
    world.run(1_000);
    expect(world.picture().fundingMicro).toBe(5_000n);
  });

  it('is a pair after a crash right after it was written', () => {
    const world = held();
    world.crashAtRow(world.rows.length + 3, 1_000);
    world.deliver(wanted());
    world.run(10_000);
    expect(told(world, 'position-adopted')).toBe(0);
    expect(world.picture()).toMatchObject({ phase: 'OPEN', reason: 'ADOPTED' });
    expect(sent(world)).toEqual([]);
  });

  it('uses its number up though it has no order', () => {
    const world = adopted();
    expect(world.picture().pairId).toMatch(/-0000001$/);
    expect(highestCounter(foldBook(world.rows), defaultArgs.boot)).toBe(1);
  });

  it('does not claim what somebody else opens after it ended, also after a restart', () => {
    const world = closed();
    const before = sent(world).length;
    world.external(world.venues.a, 5);
    world.run(5_000);
    world.crash(1_000);
    world.run(10_000);
    expect(world.picture()).toMatchObject({ phase: 'CLOSED', reason: 'EXTERNAL_EXPOSURE' });
    expect(heldNow(world)).toEqual([0, 5]);
    expect(sent(world)).toHaveLength(before);
    expect(world.pictures.filter(({ phase }) => phase === 'QUARANTINED')).toEqual([]);
  });
});

describe('an adoption', () => {
  it('is off when the journal does not take it, and may be asked for again', () => {
    const world = held();
    world.journalMode = 'fail';
    world.deliver(wanted());
    world.run(1_000);
    expect(world.stage().state().adoption).toMatchObject({
      outcome: 'refused',
      detail: expect.stringMatching(/^JOURNAL: /),
    });
    expect(world.picture()).toMatchObject({ phase: 'IDLE', reason: 'EXTERNAL_EXPOSURE' });
    world.journalMode = 'keep';
    world.deliver(wanted());
    world.runUntil(() => world.picture().phase === 'OPEN', 1_000);
    expect(world.stage().state().adoption).toMatchObject({ asked: 2, outcome: 'adopted' });
  });

  it('that is being written lets nothing be entered, nor another one be asked for', () => {
    const world = held();
    world.journalMode = 'mute';
    world.deliver(wanted());
    world.deliver({ type: 'enter-pair', plan: world.plan() });
    world.deliver(wanted());
    expect(world.stage().counts.get('entries-refused:ADOPTING')).toBe(1);
    expect(world.stage().counts.get('adoptions-refused:ADOPTING')).toBe(1);
  });

  const unproven = (world: World): void =>
    world.deliver({
      type: 'position-reported',
      venue: 'va',
      account: 'main',
      symbol: 'BTC',
      signedLots: -32 as never,
      source: 'stream',
      sequence: 100_000,
      receivedAtMonotonicMs: world.stage().self.monotonicMs(),
    });
  const halted = (world: World): void => {
    world.engine('HALTED');
    world.run(10);
  };
  const nothing = (): void => undefined;
  const large: WorldOptions = { instruments: { va: { minQuantityLots: 34 as QuantityLots } } };
  const elsewhere = { venue: 'vc', account: 'main', lots: 33 };

  it.each([
    ['LOTS', 'other lots than there are', wanted(33, 32), nothing, {}],
    ['LOTS', 'the legs the wrong way round', { ...wanted(), long: wanted().short, short: wanted().long }, nothing, {}],
    ['LEGS', 'one account twice', { ...wanted(), long: wanted().short }, nothing, {}],
    ['ACCOUNT', 'an account nobody knows', { ...wanted(), long: elsewhere }, nothing, {}],
    ['UNCONFIRMED', 'what its venue contradicts', wanted(), unproven, {}],
    ['TOO_SMALL', 'less than its venue lets close', wanted(), nothing, large],
    ['ENGINE_STATE', 'a position for a halted engine', wanted(), halted, {}],
  ])('is refused by %s: %s', (code, _, message, before, options) => {
    const world = held(33, 33, options);
    before(world);
    world.deliver(message);
    expectRefused(world, code);
  });

  it('is refused by UNBALANCED: legs of which one would have to be trimmed', () => {
    const world = held(33, 30);
    world.deliver(wanted(33, 30));
    expectRefused(world, 'UNBALANCED');
  });

  it('is refused by PAIR_EXISTS: beside a pair', () => {
    const world = adopted();
    world.deliver(wanted());
    expectRefused(world, 'PAIR_EXISTS');
  });

  function expectRefused(world: World, code: string): void {
    const { rows } = world;
    const written = rows.length;
    expect(world.stage().state().adoption).toMatchObject({
      outcome: 'refused',
      detail: expect.stringMatching(new RegExp(`^${code}: .* (must|may) `)),
    });
    expect(world.stage().counts.get(`adoptions-refused:${code}`)).toBe(1);
    world.run(1_000);
    expect(rows.slice(written).filter(({ id }) => id.startsWith('adopt:'))).toEqual([]);
    expect(sent(world)).toEqual([]);
  }
});
