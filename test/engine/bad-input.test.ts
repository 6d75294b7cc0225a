/** The whole engine in virtual time where what it is told is wrong: it says so by name, counts it, and trades nothing on it. */
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { loadConfig } from '../../config/load.ts';
import type { TandemConfig } from '../../config/schema.ts';
import { marketCalendar, tapeSpec } from '../../src/composition/market.ts';
import type { PlannedOrder } from '../../src/execution/facts.ts';
import type { PairRecord } from '../../src/execution/pair.ts';
import type { LogRecord } from '../../src/runtime/ports-context.ts';
import { buildTape } from '../../src/simulation/live/build-tape.ts';
import { simulateWorld } from '../../src/simulation/world.ts';
import type { SimulatedWorld } from '../../src/simulation/world.ts';
import { expectRowsExact } from './identities-check.ts';

const VENUES = ['lighter', 'extended'] as const;
/** Leverage is set by then, and nothing entered yet, virtual ms. */
const READY_MS = 800;
/** A venue's limits are taken as spent after a restart, and whole again by then. */
const CAUTIOUS_MS = 70_000;
/** More than enough for this market to be entered: left alone both symbols are open within 2 s. */
const ENTERED_MS = 20_000;
const EXIT = { type: 'exit-pair', reason: 'MANUAL' } as const;
const TRADING = { type: 'set-engine-state', state: 'TRADING', reason: 'a person looked' } as const;

interface Stage {
  readonly world: SimulatedWorld;
  readonly config: TandemConfig;
  readonly logged: readonly LogRecord[];
  readonly run: (ms: number) => void;
  /** Planned orders by symbol of the engine's configuration. */
  readonly ordersOf: (base: string) => readonly PlannedOrder[];
  readonly newest: (base: string) => PairRecord | undefined;
  /** What an actor counted in this life of the process. */
  readonly counted: (path: string) => Readonly<Record<string, number>>;
  /** What the venues hold of a symbol. */
  readonly held: (base: string) => readonly number[];
  readonly force: (venue: string, symbol: string, signedLots: number) => void;
}

function stage(): Stage {
  const config = loadConfig(join(import.meta.dirname, 'fixtures', 'entry-modes.yaml'), {
    dataDir: 'unused',
    tape: {
      kind: 'generated',
      seed: 7,
      venues: { lighter: { series: 'lighter' }, extended: { series: 'hyperliquid' } },
    },
  });
  const { startAtMs } = marketCalendar(config, 0);
  const logged: LogRecord[] = [];
  const tape = buildTape(tapeSpec(config, startAtMs));
  const world = simulateWorld(config, { seed: 3, tape, startAtMs, log: (record) => logged.push(record) });
  const payloads = <T>(type: string, field: string): readonly T[] =>
    world.disk
      .rowsAfter(0)
      .flatMap((row) => (row.type === type && field in row.payload ? [row.payload[field] as T] : []));
  const newest = (base: string): PairRecord | undefined =>
    payloads<PairRecord>('pair-state', 'pair').findLast((pair) => pair.base === base);
  return {
    world,
    config,
    logged,
    run: (ms) => world.system.runUntil(world.system.monotonicMs() + ms),
    ordersOf: (base) =>
      payloads<PlannedOrder>('order-planned', 'order').filter(({ pairId }) => pairId.startsWith(`${base}-`)),
    newest,
    counted: (path) => world.system.snapshot().actors.find((actor) => actor.path === path)?.counters ?? {},
    held: (base) =>
      VENUES.map((venue) => {
        const exchange = world.venues.get(venue)?.exchange;
        const symbol = exchange?.markets().find((market) => market.base === base)?.symbol ?? '';
        return exchange?.position('main', symbol)?.signedLots ?? 0;
      }),
    force: (venue, symbol, signedLots) =>
      world.network.poke(`${venue}.test`, (_, at) =>
        world.venues.get(venue)?.exchange.forceTrade('main', symbol, signedLots, at),
      ),
  };
}

it('never touches a position nobody opened, and keeps its symbol out of the market', () => {
  const { run, force, held, ordersOf, newest, counted, logged } = stage();
  run(READY_MS);
  force('lighter', 'BTC', 100);
  run(ENTERED_MS);

  expect(logged.filter(({ event }) => event === 'external-exposure')).toMatchObject([
    { level: 'error', fields: { venue: 'lighter', account: 'main', symbol: 'BTC', lots: 100 } },
  ]);
  expect(counted('position/BTC')).toMatchObject({ 'external-exposures': 1 });
  expect(counted('position/BTC')['entries-refused:EXTERNAL_EXPOSURE']).toBeGreaterThan(0);
  expect(ordersOf('BTC')).toEqual([]);
  expect(held('BTC')).toEqual([100, 0]);
  // The market was one to enter: the other symbol is.
  expect(newest('ETH')).toMatchObject({ phase: 'OPEN' });
});

it.each([3_000, -3_000])(
  'takes the engine down for a venue whose clock is %i ms off, before anything is entered',
  (ms) => {
    const { world, run, ordersOf, counted, logged, config } = stage();
    world.network.setConditions('extended.test', { clockAheadMs: ms });
    run(ENTERED_MS);

    const told = logged.filter(({ event }) => event === 'engine-state-changed').at(-1);
    expect(told).toMatchObject({ fields: { state: 'REDUCE_ONLY' } });
    expect(String(told?.fields?.['reason'])).toMatch(
      /^K1: CLOCK_SKEW: the clock of extended:main must be within 2000 ms/,
    );
    expect(counted('guard')).toMatchObject({ 'taken-down:CLOCK_SKEW': 1 });
    // Not even when a person does not believe it.
    world.system.tell('guard', TRADING);
    run(ENTERED_MS);
    for (const base of config.symbols) expect(ordersOf(base)).toEqual([]);
  },
);

it('enters nothing after the end of its journal was lost, and leaves alone what it no longer knows', () => {
  const { world, run, ordersOf, newest, counted, held, logged, config } = stage();
  run(ENTERED_MS);
  const before = config.symbols.map((base) => {
    expect(newest(base)).toMatchObject({ phase: 'OPEN' });
    return held(base);
  });
  const entered = world.disk.rowsAfter(0).findIndex(({ type }) => type === 'intent');
  world.disk.loseTail(world.disk.length - entered);
  world.restart();
  run(ENTERED_MS);

  const told = logged.filter(({ event }) => event === 'engine-state-changed').at(-1);
  expect(told).toMatchObject({ fields: { state: 'REDUCE_ONLY' } });
  expect(String(told?.fields?.['reason'])).toMatch(/^K1: JOURNAL_TAIL_LOST: rows \d+ to \d+ are lost/);
  expect(counted('guard')).toMatchObject({ 'taken-down:JOURNAL_TAIL_LOST': 1 });
  // A person who lets the engine trade has not said whose the lots are.
  world.system.tell('guard', TRADING);
  run(CAUTIOUS_MS);
  for (const base of config.symbols) {
    expect(counted(`position/${base}`)).toMatchObject({ 'external-exposures': VENUES.length });
    expect(counted(`position/${base}`)['entries-refused:EXTERNAL_EXPOSURE']).toBeGreaterThan(0);
    expect(ordersOf(base)).toEqual([]);
  }
  expect(config.symbols.map(held)).toEqual(before);
});

it('takes back what its lost journal knew once a person says whose it is, and closes it to the last lot', () => {
  const { world, run, newest, ordersOf, held } = stage();
  run(ENTERED_MS);
  const lost = newest('BTC');
  const before = held('BTC');
  const entered = world.disk.rowsAfter(0).findIndex(({ type }) => type === 'intent');
  world.disk.loseTail(world.disk.length - entered);
  world.restart();
  run(ENTERED_MS);
  expect(newest('BTC')).toBeUndefined();

  const legs = VENUES.map((venue, index) => ({ venue, account: 'main', signedLots: before[index] ?? 0 }));
  const [long, short] = [1, -1].map((sign) => {
    const leg = legs.find(({ signedLots }) => Math.sign(signedLots) === sign);
    return { venue: leg?.venue, account: leg?.account, lots: Math.abs(leg?.signedLots ?? 0) };
  });
  const adopt = { type: 'adopt-position', long, short, reason: 'the journal lost it' };
  world.system.tell('position/BTC', adopt);
  run(ENTERED_MS);
  expect(newest('BTC')).toMatchObject({ phase: 'OPEN', adopted: true, long: { venue: lost?.long.venue } });
  world.restart();
  run(ENTERED_MS);
  expect(newest('BTC')).toMatchObject({ phase: 'OPEN', adopted: true });
  expect(ordersOf('BTC')).toEqual([]);
  expect(held('BTC')).toEqual(before);

  world.system.tell('position/BTC', EXIT);
  run(ENTERED_MS);
  expect(newest('BTC')).toMatchObject({ phase: 'CLOSED', exitReason: 'MANUAL' });
  expect(held('BTC')).toEqual([0, 0]);
  expectRowsExact(world.disk.rowsAfter(0));
});
