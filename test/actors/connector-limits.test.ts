import { describe, expect, it } from 'vitest';
import { backoffMs } from '../../actors/connector/backoff.ts';
import type { LimitsPicture } from '../../actors/connector/limits-picture.ts';
import { ConnectorWorld } from './connector-world.ts';

describe('a connector that the venue refuses for its limit', () => {
  it('sends nothing at all, cancels included, until the window is over', () => {
    const world = new ConnectorWorld().ready();
    const order = world.place({ timeInForce: 'gtc', priceOffset: -0.01, validUntilMs: world.system.nowMs() + 200_000 });
    world.untilStatus(order, 'open');
    world.inject('rate-limit', { durationMs: 1_000 });
    const refused = world.place();
    expect(world.refusal(refused)).toMatchObject({ refusal: 'rate-limit' });
    const refusedAtMs = world.nowMs;
    world.until('the status says so', () => world.status()?.openBudgetShare === 0, 1_000);
    world.cancel(order.clientOrderId);
    world.place({ side: 'sell', reduceOnly: true });
    const late = world.place();
    world.run(55_000);
    expect(world.requestsSince(refusedAtMs)).toEqual([]);
    expect(world.refusal(late)).toMatchObject({ code: 'ENTRIES_NOT_ALLOWED', reason: 'the circuit of orders is open' });
    world.until('it speaks again', () => world.requestsSince(refusedAtMs).length > 0, 10_000);
    expect(world.venue.venue.oracle().rateLimitRefusals).toBeLessThanOrEqual(2);
    world.untilStatus(world.place(), 'filled');
  });

  it('waits no longer than the venue asks, for the orders and for the questions that were refused', () => {
    const world = new ConnectorWorld({ venue: 'bybit' }).ready();
    const order = world.place({ timeInForce: 'gtc', priceOffset: -0.01 });
    world.untilStatus(order, 'open');
    world.inject('rate-limit', { durationMs: 1_500 });
    const refused = world.place();
    expect(world.refusal(refused)).toMatchObject({ refusal: 'rate-limit' });
    const refusedAtMs = world.nowMs;
    world.cancel(order.clientOrderId);
    world.run(1_400);
    expect(world.requestsSince(refusedAtMs, '/v5/order/cancel')).toEqual([]);
    world.untilStatus(order, 'cancelled', 1_000);
    expect(
      world.logs.filter((log) => log.event === 'rate-limit-refused').map((log) => log.fields?.['silenceMs']),
    ).toEqual([expect.closeTo(1_550, -2)]);
    world.untilStatus(world.place(), 'filled');
  });

  it('waits longer after each refusal in a row that names no end', () => {
    const world = new ConnectorWorld().ready();
    world.inject('rate-limit', { durationMs: 400_000 });
    world.run(400_000);
    const silences = world.logs
      .filter((log) => log.event === 'rate-limit-refused')
      .map((log) => log.fields?.['silenceMs']);
    expect(new Set(silences)).toEqual(new Set([60_000, 120_000, 240_000]));
  });

  it('never exceeds the venue’s limit however many orders are asked for, and keeps room to leave', () => {
    const world = new ConnectorWorld({ venue: 'lighter', limits: 'standard' }).ready();
    world.untilStatus(world.place(), 'filled');
    for (let count = 0; count < 60; count++) {
      world.place({ lots: 20 });
      world.run(500);
    }
    expect(world.venue.venue.oracle().rateLimitRefusals).toBe(0);
    const close = world.place({ side: 'sell', reduceOnly: true, lots: 500 });
    world.untilStatus(close, 'filled', 3_000);
    world.run(60_000);
    expect(world.venue.venue.oracle().rateLimitRefusals).toBe(0);
  });

  it('compares a standard account often enough for the limit of sixty requests a minute', () => {
    const world = new ConnectorWorld({ venue: 'lighter', limits: 'standard', checkIsolation: false }).ready();
    const before = world.nowMs;
    world.run(600_000);
    expect(world.venue.venue.oracle().rateLimitRefusals).toBe(0);
    expect(world.requestsSince(before, '/accountActiveOrders').length).toBeGreaterThan(4);
    expect(world.status()).toMatchObject({ status: 'ready', entriesAllowed: true });
  });

  it('counts a part of every limit as used when it starts again in the same window', () => {
    const world = new ConnectorWorld({ venue: 'lighter', limits: 'standard' }).ready();
    for (let life = 0; life < 3; life++) {
      world.system.crashThread('io-0');
      world.run(8_000);
    }
    world.ready();
    expect(world.inspect().incarnation).toBe(4);
    expect(world.venue.venue.oracle().rateLimitRefusals).toBe(0);
  });
});

it('lets entries go again soon after a long outage, whatever the circuits had drawn', () => {
  const world = new ConnectorWorld({ checkIsolation: false }).ready();
  world.network.setConditions(world.host, { refuses: true });
  world.network.cut(world.host);
  world.run(40 * 60_000);
  expect(world.status()?.entriesAllowed).toBe(false);
  world.network.setConditions(world.host, { refuses: false });
  // Sockets come back within their pause of 30 s, the comparison follows at once.
  world.until('entries are allowed', () => world.status()?.entriesAllowed === true, 60_000);
  // The account's socket suffices for that; an order needs a price, so the market's must be back too.
  world.run(30_000);
  world.untilStatus(world.place(), 'filled');
});

describe('a circuit', () => {
  it('of orders opens after five without an answer: nothing is opened, what reduces still leaves, one probe tries', () => {
    const world = new ConnectorWorld().ready();
    world.place();
    world.until('it is filled', () => world.fills().reduce((sum, { fill }) => sum + fill.lots, 0) === 1_000);
    for (let lost = 0; lost < 5; lost++) {
      world.inject('lose-next-answer');
      const order = world.place({ lots: 20, timeInForce: 'gtc', priceOffset: -0.01 });
      world.until('it is unknown', () => world.count('outcomes-unknown') > lost);
      world.cancel(order.clientOrderId);
      world.run(100);
    }
    world.until('it is told', () => world.status()?.status === 'degraded', 1_000);
    expect(world.status()).toMatchObject({ reason: 'the circuit of orders is open', entriesAllowed: false });
    const told = world.logs.filter(({ event }) => event === 'circuit-open');
    expect(told).toMatchObject([{ level: 'warn', fields: { circuit: 'orders', openings: 1 } }]);
    const shown = (world.inspect().digest as { readonly limits: LimitsPicture }).limits.circuits;
    expect(shown.map(({ name, status }) => `${name} ${status}`)).toEqual(['rest closed', 'ws closed', 'orders open']);
    expect(world.refusal(world.place())).toMatchObject({ code: 'ENTRIES_NOT_ALLOWED' });
    world.untilStatus(world.place({ side: 'sell', reduceOnly: true, lots: 500 }), 'filled');

    world.until('it is half-open', () => world.status()?.entriesAllowed === true, 61_000);
    const probe = world.place({ lots: 20 });
    const beside = world.place({ lots: 20 });
    expect(world.refusal(beside)).toMatchObject({ code: 'CIRCUIT_OPEN', refusal: 'transient' });
    world.untilStatus(probe, 'filled');
    world.untilStatus(world.place({ lots: 20 }), 'filled');
    expect(world.count('circuit-closed:orders')).toBe(1);
  });
});

it('counts a part of every limit as used when another process used the account before', () => {
  const share = (afterEarlierProcess: boolean): number => {
    const world = new ConnectorWorld({ venue: 'lighter', limits: 'standard', args: { afterEarlierProcess } });
    world.until('the status is told', () => world.status() !== undefined);
    return world.status()?.openBudgetShare ?? 1;
  };
  // 30 % of the whole is 60 % of the half that opening orders may use up to.
  expect(share(false)).toBe(1);
  expect(share(true)).toBe(0.4);
});

it('warns of a venue clock that is off, and only then', () => {
  const warnings = (clockWarnOffsetMs: number): number => {
    const world = new ConnectorWorld({ args: { clockWarnOffsetMs } }).ready();
    expect(Math.abs(world.status()?.clockOffsetMs ?? 0)).toBeGreaterThan(1);
    world.run(60_000);
    return world.logs.filter(({ event }) => event === 'venue-clock-off').length;
  };
  expect(warnings(1)).toBe(1);
  expect(warnings(5_000)).toBe(0);
});

describe('backoff', () => {
  it('is drawn between the minimum and a ceiling that doubles up to the maximum, and is never zero', () => {
    const bounds = { minMs: 250, maxMs: 30_000 };
    expect(backoffMs(1, 0, bounds)).toBe(250);
    expect(backoffMs(1, 1, bounds)).toBe(500);
    expect(backoffMs(3, 0.5, bounds)).toBe(1_125);
    expect(backoffMs(7, 1, bounds)).toBe(30_000);
    expect(backoffMs(5_000, 1, bounds)).toBe(30_000);
    expect(backoffMs(0, 0, bounds)).toBe(250);
  });
});

it('has the guard take the engine down to reducing when the venue’s clock is more than 2 s off, once', () => {
  const kills = (offsetSec: number): ConnectorWorld['kills'] => {
    const world = new ConnectorWorld({ venue: 'lighter', args: { guardPath: 'guard' } });
    world.damage = (_path, body) =>
      body.replace(/"timestamp":(\d{10})\b/, (_all, at: string) => `"timestamp":${Number(at) + offsetSec}`);
    world.run(130_000);
    return world.kills;
  };
  expect(kills(0)).toEqual([]);
  expect(kills(4)).toEqual([
    {
      type: 'kill',
      level: 1,
      reason: expect.stringMatching(/^CLOCK_SKEW: the clock of lighter:main must be within 2000 ms/),
    },
  ]);
});

it('answers positions all through a minute in which they ask all the time', () => {
  const world = new ConnectorWorld({ venue: 'lighter' }).ready();
  const startMs = world.nowMs;
  let lastAnswerMs = startMs;
  let longestMs = 0;
  let answers = 0;
  for (let asked = 1; asked <= 240; asked++) {
    world.reconcile(asked, world.system.nowMs() - 60_000);
    world.run(250);
    const now = world.events('reconciled').length;
    if (now > answers) lastAnswerMs = world.nowMs;
    answers = now;
    longestMs = Math.max(longestMs, world.nowMs - lastAnswerMs);
  }
  expect(longestMs).toBeLessThan(15_000);
  expect(world.venue.venue.oracle().rateLimitRefusals).toBe(0);
});

it('reads the fills once for all the orders that a comparison leaves open', () => {
  const world = new ConnectorWorld({ venue: 'lighter' }).ready();
  const never = [1, 2, 3, 4, 5].map(() => world.order());
  const before = world.requestsSince(0, '/trades').length;
  world.reconcile(1, world.system.nowMs() - 60_000, never);
  world.run(1_500);
  // The comparison's own, and one for the five.
  expect(world.requestsSince(0, '/trades').length - before).toBe(2);
});
