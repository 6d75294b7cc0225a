import { describe, expect, it } from 'vitest';
import { limitFor } from '../../actors/connector/concurrency.ts';
import type { Flags } from '../../src/venues/flags.ts';
import type { ReadStatistics } from '../../src/ports/ports.ts';
import { simulatedBases } from '../../src/simulation/markets.ts';
import { ConnectorWorld } from './connector-world.ts';

const BASES = simulatedBases('bybit').slice(0, 4);

/** Watchers ask, the later ones when a first comparison is under way; returns how many requests that took. */
function watch(world: ConnectorWorld, watchers: number, later = 0): number {
  const before = world.nowMs;
  const answered = (): number => world.events('reconciled').length;
  const wanted = answered() + watchers + later;
  for (let watcher = 0; watcher < watchers; watcher++) world.reconcile(watcher, world.system.nowMs());
  if (later > 0) world.run(8);
  for (let watcher = 0; watcher < later; watcher++) world.reconcile(watchers + watcher, world.system.nowMs());
  world.until('all are answered', () => answered() >= wanted);
  return world.requestsSince(before).filter(({ path }) => !path.includes('/market/')).length;
}

describe('many watchers of one account', () => {
  it('that ask in the same moment are answered by one comparison', () => {
    const world = new ConnectorWorld({ venue: 'bybit', bases: BASES }).ready();
    expect(watch(world, 39)).toBe(5);
    const [cycle, batching] = ['monitors.cycle', 'api.batching'].map(
      (name) => world.logs.filter(({ event }) => event === name).at(-1)?.fields,
    );
    expect(cycle).toMatchObject({ watchers: 39, groups: 1, calls: 5, ok: true });
    expect(batching).toMatchObject({ wanted: 195, calls: 5, spared: 0.9744 });
  });

  it('that ask while one runs get another, which does not read again what left after they asked', () => {
    const world = new ConnectorWorld({ venue: 'bybit', bases: BASES }).ready();
    const shared = world.count('reads-shared');
    // Fills, payments and open orders twice; the position and the balance left after the last of them had asked.
    expect(watch(world, 1, 38)).toBe(8);
    expect(world.count('reads-shared')).toBe(shared + 2);
  });

  it.each(['coinbase', 'lighter', 'extended'] as const)(
    'share what is read of an account, and its instruments, at %s too',
    (venue) => {
      const world = new ConnectorWorld({ venue }).ready();
      const shared = world.count('reads-shared');
      watch(world, 1, 38);
      expect(world.count('reads-shared')).toBeGreaterThan(shared);
      const { doors } = world.inspect().digest as {
        readonly doors: { readonly reads: Record<string, ReadStatistics> };
      };
      expect(doors.reads['metadata']).toMatchObject({ misses: 1, entries: 1 });
    },
  );

  it('learn of a fill that came between two questions, because nothing read before it is used again', () => {
    const world = new ConnectorWorld({ venue: 'bybit' }).ready();
    const order = world.place({ lots: 20 });
    world.untilStatus(order, 'filled');
    watch(world, 5);
    expect(world.events('reconciled').at(-1)).toMatchObject({ ok: true, signedLots: 20 });
    const close = world.place({ side: 'sell', reduceOnly: true, lots: 20 });
    world.untilStatus(close, 'filled');
    watch(world, 5);
    expect(world.events('reconciled').at(-1)).toMatchObject({ ok: true, signedLots: 0 });
  });

  it('get the same answers with every optimisation off, for more requests', () => {
    const flags: Partial<Flags> = { 'cache-positions': false, 'cache-balances': false };
    const world = new ConnectorWorld({ venue: 'bybit', bases: BASES, args: { flags } }).ready();
    expect(watch(world, 1, 38)).toBe(10);
    expect(world.count('reads-shared')).toBe(0);
  });
});

describe('questions under way at once', () => {
  it('are 12, 15 or 20 by the number of critical watchers, or what is configured', () => {
    expect([0, 1, 4, 5, 100].map((watchers) => limitFor(watchers))).toEqual([12, 15, 15, 20, 20]);
    expect(limitFor(3, { calm: 1, busy: 2, critical: 3, criticalWatchers: 3 })).toBe(3);
  });

  it('follow the watchers while they wait, and fall back to what they were when that is switched off', () => {
    const world = new ConnectorWorld({ venue: 'bybit' }).ready();
    watch(world, 10);
    watch(world, 3);
    world.run(1_000);
    const limits = world.logs.filter(({ event }) => event === 'concurrency.limit').map(({ fields }) => fields?.['to']);
    expect(new Set(limits)).toEqual(new Set([12, 15, 20]));
    world.tell({ type: 'set-flag', name: 'adaptive-concurrency', isOn: false });
    watch(world, 1);
    expect(world.inspect().digest).toMatchObject({ questionsAtOnce: 32 });
  });
});

it('tells once a minute how many reads were spared', () => {
  const world = new ConnectorWorld({ venue: 'bybit' }).ready();
  world.run(130_000);
  const told = world.logs.filter(({ event }) => event === 'cache.hit_rate');
  expect(told.length).toBe(2);
  expect(told[0]?.fields).toMatchObject({ rate: expect.any(Number), metadata: { hits: 0, shared: 0, misses: 1 } });
});
