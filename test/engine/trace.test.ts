/** An order followed from the venue's frame to the bytes that left and the venue's answer: in virtual time, and on real threads and sockets. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import { loadConfig } from '../../config/load.ts';
import type { TandemConfig } from '../../config/schema.ts';
import { startEngine } from '../../src/composition/live/engine.ts';
import { marketCalendar, tapeSpec } from '../../src/composition/market.ts';
import type { Trace } from '../../src/runtime/trace-store.ts';
import { buildTape } from '../../src/simulation/live/build-tape.ts';
import { simulateWorld } from '../../src/simulation/world.ts';
import type { SimulatedWorld } from '../../src/simulation/world.ts';
import { expectBooksExact, expectRowsExact } from './identities-check.ts';
import { readJournal } from './journal-rows.ts';

const CONFIG = join(import.meta.dirname, 'fixtures', 'kill.yaml');
const TRADE = { type: 'set-engine-state', state: 'TRADING', reason: 'orders are wanted' } as const;
const VENUES = ['lighter', 'extended'];

function traceConfig(dataDir: string, traceEvery: number): TandemConfig {
  return loadConfig(CONFIG, { dataDir, runtime: { traceEvery } });
}

function startWorld(traceEvery: number): SimulatedWorld {
  const config = traceConfig('unused', traceEvery);
  const calendar = marketCalendar(config, 0);
  const tape = buildTape(tapeSpec(config, calendar.startAtMs));
  const world = simulateWorld(config, { seed: 1, tape, startAtMs: calendar.startAtMs });
  world.system.runUntil(3_000);
  world.system.tell('guard', TRADE);
  return world;
}

/** The first trace that reaches from two orders planned to the venues' answers to both. */
function entryIn(traces: readonly Trace[]): Trace | undefined {
  return traces.findLast(({ names, spans, marks }) => {
    const sent = marks.filter(({ step }) => step === 'place-sent').map(({ about }) => about);
    const fills = spans.filter(({ path, type }) => path.startsWith('position/') && type === 'fill-received');
    // Pairs leave soon here: their closing is two orders as well.
    const isEntry = spans.some(({ type }) => type === 'enter-pair');
    return isEntry && names.length === 2 && names.every((name) => sent.includes(name)) && fills.length >= 2;
  });
}

/** The hops of each order, in the order they must come; `*` marks a moment inside a handler. */
function hopsOf(trace: Trace, venue: string): readonly (readonly [hop: string, atMs: number])[] {
  const connector = `connector/${venue}:main`;
  const position = trace.spans.find(({ type }) => type === 'enter-pair')?.path ?? '';
  const gate = trace.marks.find(({ step, path }) => step === 'gate-passed' && path === connector);
  const order = gate?.about ?? '';
  const span = (name: string, path: string, type: string, from?: string): readonly [string, number] => [
    name,
    trace.spans.find((one) => one.path === path && one.type === type && (from ?? one.from) === one.from)?.startedAtMs ??
      Number.NaN,
  ];
  const mark = (name: string, path: string, step: string, about?: string): readonly [string, number] => [
    name,
    trace.marks.find((one) => one.path === path && one.step === step && (about ?? one.about) === one.about)?.atMs ??
      Number.NaN,
  ];
  const sentAt = mark('order bytes handed over', connector, 'place-sent', order);
  const answer = trace.spans.find(
    ({ path, from, type, startedAtMs }) =>
      path === connector && from === '$port' && startedAtMs >= sentAt[1] && type !== 'task-done',
  );
  const fill = trace.spans.findLast((one) => one.path === position && one.type === 'fill-received');
  return [
    mark('book received', position, 'book-received', venue),
    span('entry told to position', position, 'enter-pair', 'strategy'),
    mark('order planned', position, 'named', order),
    span('intent told to journal', 'journal', 'append-rows', position),
    mark('intent handed to store', 'journal', 'store-append'),
    span('intent durable', 'journal', 'rows-durable', '$port'),
    span('receipt told to position', position, 'plan-durable', 'journal'),
    span('order told to connector', connector, 'place-order', position),
    mark('last gate', connector, 'gate-passed', order),
    mark('signing begun', connector, 'cpu-run', `${venue}-sign`),
    span('signed', connector, 'task-done', '$port'),
    sentAt,
    // The venue's own answer and its fill, which may overtake it. A span does not say of which order a fill is: the last one counts.
    ['venue answered', Math.min(answer?.startedAtMs ?? Number.NaN, fill?.startedAtMs ?? Number.NaN)],
    ['fill told to position', fill?.startedAtMs ?? Number.NaN],
  ];
}

/** Names of hops that are missing or come before the one before them; times cross threads in whole microseconds. */
function brokenHops(hops: ReturnType<typeof hopsOf>): readonly string[] {
  return hops.filter(([, atMs], at) => !(atMs >= (hops[at - 1]?.[1] ?? atMs) - 0.01)).map(([name]) => name);
}

function expectWhole(trace: Trace): void {
  for (const venue of VENUES) expect(brokenHops(hopsOf(trace, venue)), venue).toEqual([]);
}

it('in virtual time: every hop is there, in its order, and following changes nothing', { timeout: 120_000 }, () => {
  const { system } = startWorld(1);
  let entry: Trace | undefined;
  while (entry === undefined && system.monotonicMs() < 8_000) {
    system.runUntil(system.monotonicMs() + 50);
    entry = entryIn(system.traces());
  }
  if (entry === undefined) throw new Error('an entry must come within 8 s of virtual time');
  expectWhole(entry);
  expect(entry.threads.toSorted()).toEqual(['io-0', 'main', 'store', 'trading-0']);
  // It begins with a venue's own frame, which the connector told on as a book, or with the scan that looked at such books.
  const [first, second] = entry.spans;
  if (first?.type === 'socket-frame') expect(second).toMatchObject({ type: 'book-changed', from: first.path });
  else expect(first).toMatchObject({ type: 'scan-opportunities', path: 'strategy', thread: 'trading-0' });
  const frames = system.traces().filter(({ spans }) => spans[0]?.type === 'socket-frame');
  const books = frames.filter(({ spans: [frame, book] }) => book?.type === 'book-changed' && book.from === frame?.path);
  expect(books.length).toBeGreaterThan(0);
  expect(entry.spans.find(({ type }) => type === 'http-answered')).toMatchObject({ path: 'connector/extended:main' });

  const unfollowed = startWorld(0).system;
  unfollowed.runUntil(system.monotonicMs());
  expectBooksExact(system.inspect('monitor')?.digest);
  expect(unfollowed.traces()).toEqual([]);
  expect(unfollowed.eventHash()).toBe(system.eventHash());
});

it('on threads and loopback sockets: every order is followed, also when its frames were not', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'tandem-trace-'));
  onTestFinished(() => rmSync(dataDir, { recursive: true, force: true }));
  const engine = await startEngine(traceConfig(dataDir, 1_000_000), {
    log: () => undefined,
    onUnkillable: () => undefined,
  });
  onTestFinished(async () => {
    await engine.stop();
  });
  while (!(await engine.readiness()).ready) await sleep(20);
  engine.system.tell('guard', TRADE);
  let entry: Trace | undefined;
  while (entry === undefined) {
    await sleep(100);
    entry = entryIn(await engine.system.traces());
  }
  expectWhole(entry);
  expect(entry.threads.toSorted()).toEqual(['io-0', 'main', 'store', 'trading-0']);
  expectRowsExact(readJournal(dataDir));
  engine.hurry();
});
