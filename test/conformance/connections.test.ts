/** What must hold of every venue's connections, limits, clock, ids and access. */
import { describe, expect, it } from 'vitest';
import { parseLosslessJson } from '../../src/venues/json.ts';
import { randomStream } from '../../src/runtime/random.ts';
import { openVenue } from '../../src/venues/registry.ts';
import { ConnectorWorld } from '../actors/connector-world.ts';
import type { SeenRequest } from '../actors/connector-world.ts';
import { accountOf, factsOf, venueOf, VENUES } from './venues.ts';
import { expectTrades, expectWhole } from './whole.ts';

/** Subscriptions and stream addresses without what differs each time: ids, signatures, tokens, pings, orders. */
function asked(world: ConnectorWorld, sinceMs: number): readonly string[] {
  const plain = ({ path }: SeenRequest): string =>
    path
      .replace(/"(req_id|auth|token)":"[^"]*",?|"id":\d+,/g, '')
      .replace(/"args":\["[^"]*",\d+,"[0-9a-f]{64}"\]/, '"args":[auth]')
      .replace(/,"jwt":"[^"]*"/, ',signed')
      .replace(/[0-9a-f]{64,}/g, 'secret');
  const isSubscription = ({ path }: SeenRequest): boolean =>
    !/"(op|type|method)":"(ping|pong|unsubscribe)|jsonapi/.test(path);
  const since = ({ atMs }: SeenRequest): boolean => atMs >= sinceMs;
  return [...world.handshakes, ...world.socketTexts.filter(isSubscription)].filter(since).map(plain).toSorted();
}

describe.each(VENUES)('connections of %s', (venue) => {
  it('ask again for exactly what they had asked for, once, however they ended', () => {
    const world = new ConnectorWorld({ venue });
    world.ready();
    world.run(2_000);
    const wanted = asked(world, 0);
    expect(wanted.length).toBeGreaterThan(1);
    // A topic is asked for once, not once for everybody who reads it.
    const topics = wanted.filter((path) => path.startsWith('{'));
    expect(new Set(topics).size).toBe(topics.length);
    for (const code of [1006, 1012]) {
      const atMs = world.nowMs;
      world.inject('close-sockets', { code });
      world.until('the loss is seen', () => world.status()?.status === 'connecting', 5_000);
      world.ready();
      world.run(5_000);
      expect(asked(world, atMs)).toEqual(wanted);
    }
  });

  it('are opened again without waiting for a dead one to close', () => {
    const world = new ConnectorWorld({ venue }).ready();
    const before = world.handshakes.length;
    world.inject('half-open');
    world.until('new ones are asked for', () => world.handshakes.length > before, 60_000);
    // The old connection never said goodbye: it is cut, not closed.
    expect(world.count('sockets-silent')).toBeGreaterThan(0);
    expectWhole(world);
    expectTrades(world);
  });

  it('do not listen to their predecessors', () => {
    const world = new ConnectorWorld({ venue }).ready();
    world.run(2_000);
    const refs = world.handshakes.length;
    world.inject('close-sockets', { code: 1006 });
    world.until('the loss is seen', () => world.status()?.status === 'connecting', 5_000);
    world.ready();
    const counted = (): unknown =>
      ['malformed-frames', 'sockets-resynced', 'sockets-closed'].map((name) => world.count(name));
    const before = counted();
    for (let ref = 1; ref <= refs; ref++) {
      // Of a living connection it would be counted, and some would be cut for it.
      const frame = { type: 'socket-frame', ref, text: '{"cut off', receivedAtMonotonicMs: world.nowMs } as const;
      const closed = { type: 'socket-closed', ref, code: 1006, detail: 'late' } as const;
      world.system.tell(world.path, frame);
      world.system.tell(world.path, closed);
    }
    world.run(1_000);
    expect(counted()).toEqual(before);
    expect(world.status()?.status).toBe('ready');
    const living = {
      type: 'socket-frame',
      ref: refs + 1,
      text: '{"cut off',
      receivedAtMonotonicMs: world.nowMs,
    } as const;
    world.system.tell(world.path, living);
    world.run(10);
    expect(counted()).not.toEqual(before);
  });

  it('carry ids of any length with every digit', () => {
    const world = new ConnectorWorld({ venue }).ready();
    const order = world.place({ timeInForce: 'gtc', priceOffset: -0.01, validUntilMs: world.system.nowMs() + 60_000 });
    world.untilStatus(order, 'open');
    const { venueOrderId = '' } =
      world
        .events('order-changed')
        .findLast(({ clientOrderId, status }) => clientOrderId === order.clientOrderId && status === 'open') ?? {};
    expect(venueOrderId).not.toBe('');
    // As the venue wrote it, not as a double would have it.
    expect(world.frames.some((frame) => frame.includes(venueOrderId))).toBe(true);
    if (factsOf(venue).hasLargeIds) expect(BigInt(venueOrderId)).toBeGreaterThan(BigInt(Number.MAX_SAFE_INTEGER));
    world.cancel(order.clientOrderId);
    world.untilStatus(order, 'cancelled');
  });
});

describe.each(VENUES)('limits of %s', (venue) => {
  it('are never reached by our own doing, however much is asked at once', () => {
    const world = new ConnectorWorld({ venue, checkIsolation: false }).ready();
    for (let step = 0; step < 40; step++) {
      world.place({ lots: 20, side: step % 2 === 0 ? 'buy' : 'sell' });
      if (step % 4 === 0) world.reconcile(step, world.system.nowMs() - 60_000);
      world.run(100);
    }
    world.run(20_000);
    expect(world.venue.venue.oracle().rateLimitRefusals).toBe(0);
    expect(world.count('rate-limit-refusals')).toBe(0);
  });

  it('a refusal for a limit silences what it concerns until its end, and nothing is sent twice for it', () => {
    const world = new ConnectorWorld({ venue, limits: 'premium' }).ready();
    world.inject('refuse-requests', { durationMs: 1_000, retryAfterSec: 4 });
    world.reconcile(1, world.system.nowMs() - 1_000);
    world.until('it is refused', () => world.count('rate-limit-refusals') > 0, 40_000);
    const atMs = world.nowMs;
    world.run(3_900);
    expect(world.requestsSince(atMs + 200)).toEqual([]);
    world.until('it asks again', () => world.requestsSince(atMs + 200).length > 0, 60_000);
    expectTrades(world);
  });
});

describe.each(VENUES)('the clock of %s', (venue) => {
  it.each([-700, 0, 1_200])('is measured %i ms off, within its error', (clockAheadMs) => {
    const world = new ConnectorWorld({ venue, startAtMs: Date.UTC(2026, 0, 5, 0, 10, 0) });
    world.network.setConditions(world.host, { clockAheadMs });
    world.until('it is running', () => world.status()?.status === 'ready', 60_000);
    world.run(70_000);
    const { clockOffsetMs = NaN, clockErrorMs = NaN } = world.status() ?? {};
    // Some venues tell whole seconds: the error must say so.
    expect(Math.abs(clockOffsetMs - clockAheadMs)).toBeLessThanOrEqual(clockErrorMs + 1_000);
    expect(world.status()?.entriesAllowed).toBe(true);
  });

  it('is no longer believed more than two seconds off: nothing is entered', () => {
    const world = new ConnectorWorld({ venue });
    world.network.setConditions(world.host, { clockAheadMs: 4_500 });
    world.run(40_000);
    expect(world.status()?.entriesAllowed).toBe(false);
    const order = world.place();
    expect(world.refusal(order).code).toBe('ENTRIES_NOT_ALLOWED');
    expect(world.ordersAtVenue(order.clientOrderId)).toEqual([]);
  });
});

describe.each(VENUES)('access to %s', (venue) => {
  it('with a key that the venue does not know is refused in one sentence that says what to do', () => {
    const world = new ConnectorWorld({ venue });
    world.inject('revoke-key');
    world.run(5_000);
    // Where reading is public, the first signed request says it.
    if (world.status()?.status !== 'down') world.ready().place();
    world.until('it is down', () => world.status()?.status === 'down', 30_000);
    expect(world.status()?.reason).toMatch(factsOf(venue).wrongKey);
    expect(world.status()?.reason).not.toContain('undefined');
  });

  it('with a key that may move money out is refused, and so is one that may not trade', () => {
    const rights = factsOf(venue).keyRights;
    // Where the venue cannot be asked what a key may do, a person is told what it can do.
    if (rights === undefined) {
      const { options, secrets } = accountOf(venue);
      const urls = { restUrl: 'http://127.0.0.1:1', streamUrl: 'ws://127.0.0.1:1' };
      const adapter = openVenue(venueOf(venue).venue, { account: 'main', ...urls, options, secrets, calendarScale: 1 });
      expect(adapter.keyCaution).toContain('sub-account');
      return;
    }
    for (const [change, told] of rights) {
      const world = new ConnectorWorld({ venue, ...('address' in change ? { account: change } : {}) });
      if (!('address' in change)) world.inject('key-rights', change);
      world.run(5_000);
      expect(world.status()).toMatchObject({ status: 'down', entriesAllowed: false });
      expect(world.status()?.reason).toMatch(told);
    }
  });

  it('to a market it does not list is said by name, and the others are traded', () => {
    const world = new ConnectorWorld({ venue, args: { bases: ['BTC', 'NOSUCH'] } }).ready();
    const told = world.logs.find(({ event }) => event === 'symbols-not-listed');
    expect(told?.fields?.['reason']).toBe(
      `${venueOf(venue).venue} lists no perpetual of NOSUCH: remove it from symbols or check the spelling`,
    );
    expectTrades(world);
    const nothing = new ConnectorWorld({ venue, args: { bases: ['NOSUCH'] } });
    nothing.run(5_000);
    const problem = nothing.logs.find(({ event }) => event === 'start-failed')?.fields?.['problem'];
    expect(problem).toBe(
      `${venueOf(venue).venue} lists no perpetual of NOSUCH: remove it from symbols or check the spelling`,
    );
  });
});

it('integers beyond 2^53 survive reading, wherever they stand', () => {
  const random = randomStream(53, 'lossless');
  for (let round = 0; round < 2_000; round++) {
    const id = (BigInt(Math.floor(random.nextFraction() * 2 ** 52)) << 8n) + BigInt(round % 256);
    const text = `{"a":[${id},{"b":${id}}],"c":"${id}","d":{"e":-${id}},"f":[[${id},${id}]]}`;
    const read = parseLosslessJson(text, 'test') as {
      a: [unknown, { b: unknown }];
      c: unknown;
      d: { e: unknown };
      f: unknown[][];
    };
    const digits = [read.a[0], read.a[1].b, read.c, ...(read.f[0] ?? [])].map(String);
    expect(new Set(digits)).toEqual(new Set([String(id)]));
    expect(String(read.d.e)).toBe(`-${id}`);
  }
});
