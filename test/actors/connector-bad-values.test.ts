import { describe, expect, it } from 'vitest';
import { factsOf, VENUES } from '../conformance/venues.ts';
import { ConnectorWorld } from './connector-world.ts';
import type { WorldVenue } from './connector-world.ts';

/** What each venue calls a value, in every frame and answer that carries it. */
const NAMES: Readonly<
  Record<WorldVenue, Readonly<Record<'balance' | 'position' | 'mark' | 'funding' | 'fee', readonly string[]>>>
> = {
  lighter: {
    balance: ['collateral', 'margin_balance'],
    position: ['position'],
    mark: ['mark_price'],
    funding: ['current_funding_rate'],
    fee: ['taker_fee'],
  },
  extended: {
    balance: ['balance'],
    position: ['size'],
    mark: ['markPrice'],
    funding: ['fundingRate', 'f'],
    fee: ['fee'],
  },
  bybit: {
    balance: ['walletBalance'],
    position: ['size'],
    mark: ['markPrice'],
    funding: ['fundingRate'],
    fee: ['execFee'],
  },
  hyperliquid: {
    balance: ['accountValue'],
    position: ['szi'],
    mark: ['markPx'],
    funding: ['funding'],
    fee: ['fee'],
  },
  coinbase: {
    balance: ['balance'],
    position: ['size'],
    mark: ['mark_price'],
    funding: ['funding_8h'],
    fee: ['fee'],
  },
  'coinbase-us': {
    balance: ['total_usd_balance'],
    position: ['number_of_contracts'],
    mark: ['mid_market_price'],
    funding: ['funding_rate'],
    fee: ['commission'],
  },
};
type Subject = keyof (typeof NAMES)['lighter'];

/** Puts a value in place of another, text or number as it was written. */
function replaced(body: string, names: readonly string[], value: string): string {
  const pattern = new RegExp(`"(${names.join('|')})":((?:\\{"value":)?"?)-?[0-9][0-9.eE+-]*("?)`, 'g');
  return body.replace(pattern, `"$1":$2${value}$3`);
}

function spoiled(venue: WorldVenue, subject: Subject, body: string, value: string): string {
  // A fee of nothing is left out of the frame.
  if (venue === 'lighter' && subject === 'fee')
    return body.replaceAll('"is_maker_ask"', `"taker_fee":${value},"is_maker_ask"`);
  // Its marks are the middle of its books: what no price can be, no level can have.
  if (venue === 'coinbase-us' && subject === 'mark' && value === 'NaN') return replaced(body, ['price_level'], value);
  // Marks and books both call it p.
  const names = subject === 'mark' && body.includes('"type":"MP"') ? ['p'] : NAMES[venue][subject];
  return replaced(body, names, value);
}

function damaged(venue: WorldVenue, subject: Subject, value: string): ConnectorWorld {
  const world = new ConnectorWorld({ venue, checkIsolation: false }).ready();
  if (subject === 'position') {
    world.untilStatus(world.place(), 'filled');
    world.run(1_000);
  }
  world.damage = (_path, body) => spoiled(venue, subject, body, value);
  // Its stream goes on from what it said before: only a new snapshot says it again.
  if (venue === 'bybit' && (subject === 'mark' || subject === 'funding')) world.inject('drop-sockets');
  return world;
}

/** Runs until the account is refused by name, then shows that nothing is entered, and that it heals. */
function expectRefusal(world: ConnectorWorld, reason: RegExp): void {
  world.until('the value is refused', () => reason.test(world.status()?.reason ?? ''), 60_000);
  expect(world.status()).toMatchObject({ status: 'degraded', entriesAllowed: false });
  expect(world.logs.map(({ event }) => event)).toContain('bad-value');
  const kind = /^BAD_VALUE: ([A-Z_]+)/.exec(world.status()?.reason ?? '')?.[1] ?? '';
  expect(world.count(`bad-values:${kind}`)).toBeGreaterThan(0);
  const refused = world.place();
  expect(world.refusal(refused).reason).toMatch(/^BAD_VALUE: /);
  expect(world.ordersAtVenue(refused.clientOrderId)).toEqual([]);
  world.damage = (_path, body) => body;
  if (world.venue.venue.venue === 'bybit') world.inject('drop-sockets');
  world.until('entries are allowed again', () => world.status()?.entriesAllowed === true, 150_000);
}

describe.each(VENUES)('what %s cannot mean is refused by name, and nothing is entered on it', (venue) => {
  it.each([
    ['balance', 'NaN', /^BAD_VALUE: (?:ANSWER|FRAMES) /],
    ['balance', '-250.5', /^BAD_VALUE: BALANCE wallet must be from 0 to 1e9 quote/],
    ['balance', '77000000000', /^BAD_VALUE: BALANCE wallet must be from 0 to 1e9 quote/],
    ['position', 'NaN', /^BAD_VALUE: (?:ANSWER|FRAMES) /],
    ['position', '50000000', /^BAD_VALUE: (?:POSITION \S+ must be worth at most 1e9 quote|ANSWER )/],
    ['mark', 'NaN', /^BAD_VALUE: FRAMES /],
    ['mark', '-1', /^BAD_VALUE: (?:MARK \S+ must be above 0|FRAMES )/],
    ['funding', '0.5', /^BAD_VALUE: FUNDING_RATE /],
    ['funding', '-900', /^BAD_VALUE: FUNDING_RATE /],
  ] as const)('%s %s', (subject, value, reason) => {
    const rate = venue === 'lighter' && value === '0.5' ? '1.5' : value;
    const world = damaged(venue, subject, rate);
    // There every frame of a connection counts: it is cut for each that cannot be read, until its circuit opens.
    if (venue !== 'coinbase-us' || subject !== 'mark' || value !== 'NaN') return expectRefusal(world, reason);
    world.until('it is given up', () => world.status()?.reason === 'the circuit of ws is open', 60_000);
    expect(world.status()?.entriesAllowed).toBe(false);
    expect(world.count('malformed-frames')).toBeGreaterThan(0);
  });

  it('a fee that does not add up is booked as told, doubted by name, and over once fees add up by the tier', () => {
    const world = damaged(venue, 'fee', venue === 'lighter' ? '900' : '3.25');
    world.untilStatus(world.place(), 'filled');
    world.until('the fee is doubted', () => world.status()?.reason.startsWith('BAD_VALUE: FEE ') === true, 60_000);
    expect(world.count('bad-values:FEE')).toBeGreaterThan(0);
    expect(world.refusal(world.place()).reason).toMatch(/^BAD_VALUE: FEE \S+ of fill \S+ must be /);
    world.damage = (_path, body) => body;
    // What reduces still leaves, and its fee is right.
    world.untilStatus(world.place({ side: 'sell', reduceOnly: true }), 'filled');
    world.until('entries are allowed again', () => world.status()?.entriesAllowed === true, 60_000);
  });

  it('an absurd fee does not look like a loss: the tier’s is booked instead', () => {
    const world = damaged(venue, 'fee', venue === 'lighter' ? '900000' : '90000');
    world.untilStatus(world.place(), 'filled');
    world.until('fills are told', () => world.fills().length > 0);
    for (const { fill } of world.fills())
      expect(Number(fill.feeMicro)).toBeGreaterThan(-10_000_000 * (factsOf(venue).lotWorth ?? 1));
    expect(world.count('bad-values:FEE')).toBeGreaterThan(0);
  });

  it('one wild mark is held back and told to nobody', () => {
    const world = new ConnectorWorld({ venue, checkIsolation: false }).ready();
    let wild = 0;
    world.damage = (_path, body) => {
      const after = wild < 1 ? spoiled(venue, 'mark', body, '3000000') : body;
      if (after !== body) wild += 1;
      return after;
    };
    if (venue === 'bybit') {
      world.inject('drop-sockets');
      world.until('it came', () => world.count('bad-values:MARK') > 0);
      world.inject('drop-sockets');
    }
    world.run(20_000);
    expect(wild).toBe(1);
    expect(world.count('bad-values:MARK')).toBeGreaterThan(0);
    for (const { markNano } of world.events('mark-changed')) expect(markNano).toBeLessThan(2_000_000_000_000_000n);
    expect(world.status()?.entriesAllowed).toBe(true);
  });
});
