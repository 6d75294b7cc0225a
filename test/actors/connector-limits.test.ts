import { describe, expect, it } from 'vitest';
import { backoffMs } from '../../actors/connector/backoff.ts';
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
    expect(world.refusal(late)).toMatchObject({ code: 'EXPIRED_BEFORE_SENT' });
    world.until('it speaks again', () => world.requestsSince(refusedAtMs).length > 0, 10_000);
    expect(world.venue.venue.oracle().rateLimitRefusals).toBeLessThanOrEqual(2);
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
    const world = new ConnectorWorld({ venue: 'lighter', limits: 'standard' }).ready();
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
