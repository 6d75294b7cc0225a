import { describe, expect, it } from 'vitest';
import { fundingIntervalMs } from '../../src/simulation/markets.ts';
import { VENUES } from '../conformance/venues.ts';
import { ConnectorWorld } from './connector-world.ts';
import type { WorldVenue } from './connector-world.ts';

const HOUR_MS = 3_600_000;
/** Half a minute before a settlement everywhere. */
const BEFORE_SETTLEMENT_MS = Date.UTC(2026, 0, 5, 15, 59, 30);

function holding(venue: WorldVenue, scale = 1): ConnectorWorld {
  const world = new ConnectorWorld({ venue, scale, startAtMs: BEFORE_SETTLEMENT_MS - (scale - 1) * 15_000 }).ready();
  world.untilStatus(world.place({ validUntilMs: world.system.nowMs() + 5_000 * scale }), 'filled');
  return world;
}

function expectAllPaid(world: ConnectorWorld): void {
  const told = world.events('funding-paid').map(({ payment }) => `${payment.symbol} ${payment.amountMicro}`);
  const paid = world.oracle.fundingPayments.map((payment) => `${payment.symbol} ${payment.amountMicro}`);
  expect(told).toEqual(paid);
}

describe.each(VENUES)('funding payments at %s', (venue) => {
  it('are found soon after the settlement and told once', () => {
    const world = holding(venue);
    world.until('it is paid', () => world.oracle.fundingPayments.length === 1, 60_000);
    world.until('it is told', () => world.events('funding-paid').length === 1, 15_000);
    world.run(120_000);
    expectAllPaid(world);
  });

  it('are found when no stream told of the settlement', () => {
    const world = holding(venue);
    // The venue still streams everything but settled rates.
    world.damage = (path, text) =>
      path === 'socket' && /"f":|funding_timestamp|"Funding"/.test(text)
        ? text
            .replace(/"f":"[^"]*"/, '"f":"x"')
            .replaceAll('funding_timestamp', 'gone')
            .replace('"topic":"execution"', '"topic":"later"')
        : text;
    world.until('it is paid', () => world.oracle.fundingPayments.length === 1, 60_000);
    world.until('it is told', () => world.events('funding-paid').length === 1, 30_000);
    world.run(60_000);
    expectAllPaid(world);
  });

  // Minutes of the venue's life, which a busy machine may take as long for.
  it('are found when they are recorded minutes late', { timeout: 600_000 }, () => {
    const world = holding(venue);
    const pages = /user\/funding\/history|positionFunding|execType=Funding|userFunding|get_transaction_log/;
    // Fills and payments of one venue come in one list and one topic.
    const payments = /user\/funding\/history|positionFunding|execution\/list|userFunding|get_transaction_log/;
    const empty = (text: string): string =>
      text
        .replace(/"data":\[.*\](,"pagination")/, '"data":[]$1')
        .replace(/"position_fundings":\[.*\]/, '"position_fundings":[]')
        .replace(/"list":\[.*\](,"nextPageCursor")/, '"list":[]$1')
        .replace(/"logs":\[.*\](,"continuation")/, '"logs":[]$1')
        .replace(/^\[.*\]$/, '[]');
    world.damage = (path, text) =>
      payments.test(path)
        ? empty(text)
        : text
            .replace('"topic":"execution"', '"topic":"later"')
            .replace('"channel":"userFundings"', '"channel":"later"');
    world.until('it is paid', () => world.oracle.fundingPayments.length === 1, 60_000);
    const before = world.nowMs;
    world.run(240_000);
    const asked = world.requests.filter((request) => request.atMs >= before && pages.test(request.path)).length;
    expect(asked).toBeGreaterThan(3);
    expect(asked).toBeLessThan(12);
    expect(world.events('funding-paid')).toEqual([]);
    world.damage = (_path, text) => text;
    world.until('it is told', () => world.events('funding-paid').length === 1, 120_000);
    expectAllPaid(world);
  });

  it('are found after an outage across a settlement', () => {
    const world = holding(venue);
    world.network.setConditions(world.host, { blackHole: true });
    world.until('it is paid', () => world.oracle.fundingPayments.length === 1, 60_000);
    world.run(300_000);
    world.network.setConditions(world.host, { blackHole: false });
    world.until('it is told', () => world.events('funding-paid').length === 1, 120_000);
    expectAllPaid(world);
  });

  it('are all found in compressed time, each once', () => {
    const world = holding(venue, 360);
    const intervalMs = fundingIntervalMs(venue);
    world.run((30 * HOUR_MS) / 360);
    expect(world.oracle.fundingPayments.length).toBeGreaterThan((28 * HOUR_MS) / intervalMs - 1);
    world.until(
      'all are told',
      () => world.events('funding-paid').length === world.oracle.fundingPayments.length,
      60_000,
    );
    expectAllPaid(world);
    expect(world.venue.venue.oracle().rateLimitRefusals).toBe(0);
  });
});

it('follows a venue that begins to settle more often, while it runs', () => {
  const world = new ConnectorWorld({ venue: 'bybit', startAtMs: BEFORE_SETTLEMENT_MS }).ready();
  const interval = (): number | undefined => world.events('instrument-listed').at(-1)?.instrument.fundingIntervalMs;
  const predicted = () => world.events('funding-rate-changed').findLast(({ kind }) => kind === 'predicted')?.rate;
  expect(interval()).toBe(8 * HOUR_MS);
  for (const hours of [4, 1]) {
    // Ticker messages name what changed.
    world.damage = (_path, text) =>
      text.includes('"topic":"tickers.')
        ? text
            .replace(/"fundingIntervalHour":"\d+",?/, '')
            .replace('"symbol":"BTCUSDT"', `"symbol":"BTCUSDT","fundingIntervalHour":"${hours}"`)
        : text;
    world.until(`it hears of ${hours} h`, () => predicted()?.intervalMs === hours * HOUR_MS, 60_000);
    expect(interval()).toBe(hours * HOUR_MS);
    // The same number is a rate of a shorter time: more per hour.
    expect(predicted()?.unit).toEqual({ scale: 'fraction', perMs: hours * HOUR_MS });
  }
});

describe('the rate a feed states as settled last', () => {
  const LIGHTER = 'lighter';
  /** What is told of settlements that both the feed and the history know: history / feed, each symbol once. */
  const witnessed = (world: ConnectorWorld): ReadonlyMap<string, number> =>
    new Map(
      world
        .events('funding-rate-changed')
        .filter(({ rate }) => rate.feedHourly !== undefined && rate.hourly !== 0)
        .map(({ symbol, rate }) => [symbol, rate.hourly / Number(rate.feedHourly)]),
    );

  it.each([
    ['the same', (percent: string): string => percent, 1],
    ['eight times it', (percent: string): string => String(Number(percent) * 8), 1 / 8],
  ])('is told beside the history: %s', (_, stated, ratio) => {
    const world = new ConnectorWorld({ venue: LIGHTER, startAtMs: BEFORE_SETTLEMENT_MS });
    world.damage = (path, text) =>
      path === 'socket'
        ? text.replace(/"funding_rate":"([^"]*)"/, (_all, percent: string) => `"funding_rate":"${stated(percent)}"`)
        : text;
    world.ready();
    world.until('both are known', () => witnessed(world).size > 0, 60_000);
    for (const found of witnessed(world).values()) expect(found).toBeCloseTo(ratio, 2);
  });
});
