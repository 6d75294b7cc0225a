import { describe, expect, it } from 'vitest';
import { quantityOf } from '../../src/money/amounts.ts';
import { VENUES } from '../conformance/venues.ts';
import { ConnectorWorld } from './connector-world.ts';

describe.each(VENUES)('a cut private stream at %s', (venue) => {
  it('stops entries at once, compares after it is back, and finds what was missed, once', () => {
    const world = new ConnectorWorld({ venue, args: { startupQuarantineMs: 100 } }).ready();
    const order = world.place({ timeInForce: 'gtc', priceOffset: -0.01, validUntilMs: world.system.nowMs() + 60_000 });
    world.untilStatus(order, 'open');
    world.network.cut(world.host);
    world.network.setConditions(world.host, { refuses: true });
    world.until('entries are stopped', () => world.status()?.entriesAllowed === false, 1_000);
    expect(world.status()?.status).toBe('connecting');
    world.network.poke(world.host, (_venue, at) => world.venue.exchange.forceTrade('main', world.symbol, 700, at));
    world.run(90_000);
    world.network.setConditions(world.host, { refuses: false });
    // The circuit that opened meanwhile may keep entries waiting for longer, but not the comparison.
    world.until('it is compared', () => ['ready', 'degraded'].includes(world.status()?.status ?? ''), 60_000);
    world.until('entries are allowed', () => world.status()?.entriesAllowed === true, 900_000);
    world.run(1_000);
    expect(world.fills().map(({ fill }) => fill.lots)).toEqual([700]);
    expect(world.events('position-reported').at(-1)?.signedLots).toBe(700);
    world.run(120_000);
    expect(world.fills()).toHaveLength(1);
  });

  it('that drops again and again is reopened ever more rarely', () => {
    const world = new ConnectorWorld({ venue }).ready();
    world.network.setConditions(world.host, { refuses: true });
    world.network.cut(world.host);
    world.run(300_000);
    const closes = world.logs.filter((log) => log.event === 'socket-closed' && log.fields?.['socket'] === 'account');
    expect(closes.length).toBeGreaterThan(8);
    expect(closes.length).toBeLessThan(45);
  });
});

describe.each(VENUES)('a position at %s', (venue) => {
  it('is told with the price at which the venue would liquidate it', () => {
    const world = new ConnectorWorld({ venue, args: { startupQuarantineMs: 100 } }).ready();
    const { instrument } =
      world.events('instrument-listed', 'strategy').find((event) => event.symbol === world.symbol) ?? {};
    const mark = Number(world.events('mark-changed', 'strategy').at(-1)?.markNano) / 1e9;
    // Large against the account: equity alone then no longer covers any fall in price.
    const equity = Number(world.events('account-changed', 'strategy').at(-1)?.walletMicro) / 1e6;
    const lots = Math.ceil((2 * equity) / mark / (instrument === undefined ? 1 : quantityOf(1, instrument)));
    world.network.poke(world.host, (_venue, at) => world.venue.exchange.forceTrade('main', world.symbol, lots, at));
    world.until('it is told', () => world.events('position-reported').at(-1)?.signedLots === lots, 90_000);
    // Some streams leave it to the next comparison.
    world.until(
      'so is its end',
      () => world.events('position-reported').at(-1)?.liquidationPrice !== undefined,
      60_000,
    );
    const price = world.events('position-reported').at(-1)?.liquidationPrice ?? 0;
    expect(price).toBeGreaterThan(0.4 * mark);
    // Later where more must be left for maintenance.
    expect(price).toBeLessThan(0.75 * mark);
  });
});

describe('public streams', () => {
  it.each(VENUES)('a lost book at %s is told without levels and with the reason, then comes back whole', (venue) => {
    const world = new ConnectorWorld({ venue }).ready();
    const before = world.events('book-changed', 'strategy').length;
    const kind = {
      extended: 'orderbooks',
      lighter: undefined,
      bybit: 'public',
      hyperliquid: 'market',
      coinbase: 'market',
      'coinbase-us': 'market',
    }[venue];
    if (kind === undefined) world.network.cut(world.host);
    else world.inject('drop-sockets', { kind });
    const lost = (): { readonly lostReason?: string } | undefined =>
      world
        .events('book-changed', 'strategy')
        .slice(before)
        .find((event) => event.book === undefined);
    world.until('the loss is told', () => lost() !== undefined, 5_000);
    expect(lost()?.lostReason).toBe('closed');
    world.until('the book is back', () => world.events('book-changed', 'strategy').at(-1)?.book !== undefined);
    if (venue !== 'lighter') expect(world.status()?.status).toBe('ready');
  });

  it('counts malformed frames, trades on none of them and lives on', () => {
    const world = new ConnectorWorld().ready();
    const nonsense = [
      '{"type":',
      '[]',
      'null',
      '{"type":"MP","data":{"m":"BTC-USD","p":"NaN"},"ts":1,"seq":99999999}',
      '\u0000',
      '{"__proto__":{"seq":1}}',
    ];
    let next = 0;
    const marksBefore = world.events('mark-changed', 'strategy').length;
    world.damage = (path, text) => {
      if (path !== 'socket' || next >= 60) return text;
      next += 1;
      return nonsense[next % nonsense.length] ?? text;
    };
    world.run(20_000);
    expect(world.count('malformed-frames')).toBeGreaterThan(5);
    const marks = world.events('mark-changed', 'strategy').slice(marksBefore);
    expect(marks.every((mark) => mark.markNano === 100_000_000_000_000n)).toBe(true);
    world.until('entries are allowed', () => world.status()?.entriesAllowed === true, 60_000);
    expect(world.inspect().incarnation).toBe(1);
    world.untilStatus(world.place(), 'filled');
  });

  it('counts malformed answers and lives on', () => {
    const world = new ConnectorWorld();
    let damaged = 0;
    world.damage = (path, text) => {
      if (path === 'socket' || damaged >= 12) return text;
      damaged += 1;
      return damaged % 2 === 0 ? '<html>502</html>' : text.slice(0, text.length / 2);
    };
    world.until('entries are allowed', () => world.status()?.entriesAllowed === true, 120_000);
    expect(world.count('malformed-answers')).toBeGreaterThan(5);
    expect(world.inspect().incarnation).toBe(1);
    world.untilStatus(world.place(), 'filled');
  });
});

describe('the comparison', () => {
  it('finds a fill that a healthy stream swallowed, within its interval, once', () => {
    const world = new ConnectorWorld().ready();
    world.swallowFills();
    const order = world.place();
    world.untilStatus(order, 'filled');
    expect(world.fills()).toEqual([]);
    world.until('the fill is found', () => world.fills().length > 0, 35_000);
    world.run(70_000);
    expect(world.fills()).toHaveLength(1);
  });

  it('backs off while the venue answers nothing but errors, and is not ready meanwhile', () => {
    const world = new ConnectorWorld({ args: { comparisonMs: 5_000 } }).ready();
    world.damage = (path, text) =>
      path.includes('/user/positions') ? '{"status":"ERROR","error":{"code":1006,"message":"no"}}' : text;
    world.network.cut(world.host);
    const before = world.nowMs;
    world.run(120_000);
    const asked = world.requestsSince(before, '/user/positions').length;
    expect(asked).toBeGreaterThan(4);
    expect(asked).toBeLessThan(25);
    expect(world.status()).toMatchObject({ status: 'reconciling', entriesAllowed: false });
    world.damage = (_path, text) => text;
    world.until('entries are allowed', () => world.status()?.entriesAllowed === true, 60_000);
  });
});

describe('a refusal of access', () => {
  it('stops the venue at once and ends with the first complete comparison', () => {
    const world = new ConnectorWorld({ args: { comparisonMs: 5_000 } }).ready();
    world.damage = (path, text) =>
      path.includes('/user/') ? '{"status":"ERROR","error":{"code":1100,"message":"no"}}' : text;
    world.until('it is seen', () => world.status()?.status === 'down', 20_000);
    expect(world.status()?.entriesAllowed).toBe(false);
    world.damage = (_path, text) => text;
    world.until('entries are allowed', () => world.status()?.entriesAllowed === true, 60_000);
  });
});
