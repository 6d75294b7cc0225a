import { describe, expect, it } from 'vitest';
import { refOf } from '../../src/runtime/actor.ts';
import type { ConnectorEvent } from '../../actors/connector-messages.ts';
import { VENUES } from '../conformance/venues.ts';
import { ConnectorWorld, WORLD_START_MS } from './connector-world.ts';

const FIRST_QUESTIONS = {
  extended: ['/api/v1/info/starknet', '/api/v1/info/markets', '/api/v1/user/fees'],
  hyperliquid: ['/info/clearinghouseState', '/info/meta', '/info/userFees'],
  lighter: ['/', '/api/v1/orderBookDetails', '/api/v1/accountLimits'],
  bybit: ['/v5/market/time', '/v5/market/instruments-info', '/v5/account/fee-rate'],
  coinbase: ['/api/v2/public/get_time', '/api/v2/public/get_instruments', '/api/v2/public/auth'],
  'coinbase-us': [
    '/api/v3/brokerage/time',
    '/api/v3/brokerage/market/products',
    '/api/v3/brokerage/transaction_summary',
  ],
} as const;
const HOUR_MS = 3_600_000;

describe.each(VENUES)('a connector starting at %s', (venue) => {
  it('reads time, instruments and fees first, then streams, then compares, and only then is ready', () => {
    const world = new ConnectorWorld({ venue });
    // Far away: every step lasts long enough to be told.
    world.network.setConditions(world.host, { latencyMsMin: 200, latencyMsMax: 300 });
    world.ready();
    const statuses = world.events('venue-status', 'strategy').map((event) => `${event.status}: ${event.reason}`);
    expect(statuses.slice(0, 2)).toEqual(['connecting: reading instruments', 'connecting: private stream not ready']);
    expect(statuses.indexOf('reconciling: comparing with the venue')).toBeGreaterThan(1);
    expect(statuses.at(-1)).toBe('ready: ');
    const paths = world.requests.map((request) => request.path.split('?')[0]);
    expect(paths.slice(0, 3)).toEqual(FIRST_QUESTIONS[venue]);
    const listed = world.events('instrument-listed', 'strategy');
    expect(listed.map((event) => event.instrument.base)).toContain('BTC');
    expect(world.events('book-changed', 'strategy').some((event) => event.book !== undefined)).toBe(true);
    expect(world.events('position-reported').at(-1)).toMatchObject({ signedLots: 0 });
  });

  it('refuses entries before it is ready and inside the quarantine, and lets reductions through', () => {
    const world = new ConnectorWorld({ venue, args: { startupQuarantineMs: 10_000 } });
    expect(world.refusal(world.place())).toMatchObject({ code: 'ENTRIES_NOT_ALLOWED', refusal: 'transient' });
    world.until('the venue is ready', () => world.status()?.status === 'ready');
    expect(world.status()).toMatchObject({ status: 'ready', entriesAllowed: false });
    expect(world.refusal(world.place())).toMatchObject({ code: 'ENTRIES_NOT_ALLOWED' });
    world.network.poke(world.host, (_venue, at) => world.venue.exchange.forceTrade('main', world.symbol, 1_000, at));
    world.until('the position is told', () => world.events('position-reported').at(-1)?.signedLots === 1_000);
    const close = world.place({ side: 'sell', reduceOnly: true });
    world.untilStatus(close, 'filled');
    expect(world.nowMs).toBeLessThan(10_000);
    world.ready();
    world.untilStatus(world.place(), 'filled');
  });

  it('tries again with growing pauses while the venue cannot be reached', () => {
    const world = new ConnectorWorld({ venue });
    world.network.setConditions(world.host, { refuses: true });
    world.run(60_000);
    const failedAtMs = world.logs.filter((log) => log.event === 'start-failed').map((log) => log.atMs);
    expect(failedAtMs.length).toBeGreaterThan(3);
    // Twenty a minute at most, on average: nobody hammers a closed door.
    expect(failedAtMs.length).toBeLessThan(20);
    const pauses = failedAtMs.slice(1).map((atMs, index) => atMs - (failedAtMs[index] ?? 0));
    expect(new Set(pauses).size).toBeGreaterThan(2);
    expect(Math.max(...pauses)).toBeGreaterThan(5_000);
    world.network.setConditions(world.host, { refuses: false });
    world.until('the venue is ready', () => world.status()?.status === 'ready', 60_000);
  });
});

describe('what an instrument is told with', () => {
  it('has margin tiers that are read apart from the list, and keeps them when the list is read again', () => {
    const world = new ConnectorWorld({ venue: 'bybit', checkIsolation: false }).ready();
    const told = (): unknown => world.events('instrument-listed', 'strategy').at(-1)?.instrument.marginTiers;
    world.until('the tiers are read', () => told() !== undefined);
    const { maintenanceMarginRate, maxLeverage } = world.venue.exchange.markets()[0] ?? {};
    expect(told()).toEqual([{ fromMicro: 0n, maxLeverage, maintenanceMarginRate }]);
    expect(world.requestsSince(0, '/market/risk-limit')).toHaveLength(1);
    // Its own list knows of none, and asks what it knows by itself.
    const listed = world.events('instrument-listed', 'strategy')[0]?.instrument;
    expect(listed?.marginTiers).toBeUndefined();
    expect(listed?.maintenanceMarginRate).toBeGreaterThan(maintenanceMarginRate ?? Infinity);
  });

  it('has how long its venue holds orders back: by its adapter, unless the configuration says otherwise', () => {
    const delayOf = (venue: (typeof VENUES)[number], takerDelayMs?: number): number | undefined => {
      const args = takerDelayMs === undefined ? {} : { args: { takerDelayMs } };
      const world = new ConnectorWorld({ venue, ...args }).ready();
      return world.events('instrument-listed', 'strategy').at(-1)?.instrument.takerDelayMs;
    };
    // The account of this world has the premium tier.
    expect(delayOf('lighter')).toBe(200);
    expect(delayOf('lighter', 20)).toBe(20);
    expect(delayOf('extended')).toBeUndefined();
  });
});

describe('what a connector tells from time to time', () => {
  it('tells the status again every five seconds, not more often', () => {
    const world = new ConnectorWorld().ready();
    const before = world.events('venue-status', 'observer').length;
    world.run(60_000);
    const told = world.events('venue-status', 'observer').length - before;
    expect(told).toBeGreaterThanOrEqual(10);
    expect(told).toBeLessThanOrEqual(13);
  });

  it.each(VENUES)('keeps a quiet account at %s young enough for entries', (venue) => {
    const world = new ConnectorWorld({ venue }).ready();
    const endMs = world.nowMs + 120_000;
    while (world.nowMs < endMs) {
      world.run(1_000);
      const account = world.events('account-changed', 'strategy').at(-1);
      expect(world.nowMs - (account?.receivedAtMonotonicMs ?? 0)).toBeLessThan(15_000);
    }
    expect(world.venue.venue.oracle().rateLimitRefusals).toBe(0);
  });

  it('lets the account grow old while the private stream is gone', () => {
    const world = new ConnectorWorld().ready();
    world.network.setConditions(world.host, { blackHole: true });
    const cutAtMs = world.nowMs;
    world.run(60_000);
    const account = world.events('account-changed', 'strategy').at(-1);
    expect(account?.receivedAtMonotonicMs).toBeLessThan(cutAtMs + 1_000);
    expect(world.status()).toMatchObject({ status: 'connecting', entriesAllowed: false });
    world.network.setConditions(world.host, { blackHole: false });
    // The circuits that opened meanwhile keep entries waiting for a while longer.
    world.until('entries are allowed', () => world.status()?.entriesAllowed === true, 900_000);
  });

  it('reads instruments hourly and fees daily, and keeps the account’s own fees over the list’s', () => {
    // An hour of books: the isolation of messages is checked by all the shorter runs.
    const world = new ConnectorWorld({ startAtMs: Date.UTC(2026, 0, 5, 23, 30), checkIsolation: false }).ready();
    const fees = world.events('instrument-listed', 'strategy').at(-1)?.instrument.takerFee;
    expect(world.requestsSince(0, '/user/fees')).toHaveLength(1);
    world.run(1.02 * HOUR_MS);
    const lists = world.requestsSince(0, '/info/markets').filter((request) => !request.path.includes('market='));
    expect(lists).toHaveLength(2);
    expect(world.requestsSince(0, '/user/fees')).toHaveLength(2);
    expect(world.events('instrument-listed', 'strategy').at(-1)?.instrument.takerFee).toBe(fees);
  }, 240_000);

  it('answers resend-state with everything of the bases asked for, the status last', () => {
    const world = new ConnectorWorld().ready();
    world.run(6_000);
    const before = world.heard.get('observer')?.length ?? 0;
    world.tell({ type: 'resend-state', to: refOf<ConnectorEvent>('observer'), bases: ['BTC'] });
    world.run(50);
    const resent =
      world.heard
        .get('observer')
        ?.slice(before)
        .map(({ event }) => event) ?? [];
    const types = new Set(resent.map((event) => event.type));
    const kinds = ['instrument-listed', 'book-changed', 'mark-changed', 'funding-rate-changed', 'account-changed'];
    for (const type of [...kinds, 'venue-status']) expect(types).toContain(type);
    const settled = resent.filter((event) => event.type === 'funding-rate-changed' && event.kind === 'settled');
    expect(settled.length).toBeGreaterThan(20);
    expect(resent.some((event) => event.type === 'funding-rate-changed' && event.kind === 'predicted')).toBe(true);
  });

  it('starts within compressed calendar time as in real time', () => {
    const world = new ConnectorWorld({ scale: 360 }).ready();
    expect(world.nowMs).toBeLessThan(4_000);
    expect(Math.abs(world.status()?.clockOffsetMs ?? Infinity)).toBeLessThan(100);
    expect(WORLD_START_MS).toBeLessThan(world.system.nowMs());
  });
});
