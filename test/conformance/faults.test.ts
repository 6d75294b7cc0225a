/** Every row of the fault catalogue that a venue can cause, at every venue: told equals true afterwards, nothing twice, trading goes on. */
import { describe, expect, it } from 'vitest';
import { FAULT_ROWS } from '../../src/simulation/fault-catalogue.ts';
import type { OrderRequest } from '../../src/venues/venue.ts';
import { ConnectorWorld } from '../actors/connector-world.ts';
import { factsOf, venueOf, VENUES } from './venues.ts';
import type { TestedVenue } from './venues.ts';
import { expectTrades, expectWhole } from './whole.ts';

interface Row {
  readonly row: string;
  readonly what: string;
  /** Makes the fault, trades into it, and returns the orders that were meant to be placed. */
  readonly act: (world: ConnectorWorld, venue: TestedVenue) => readonly OrderRequest[];
  readonly options?: { readonly depthQuote?: number; readonly priceAt?: (calendarMs: number) => number };
}

/** An order that crosses, one that rests, and time for both to be answered or not. */
function both(world: ConnectorWorld): readonly OrderRequest[] {
  const orders = [world.place({ lots: 300 }), world.place({ lots: 200, timeInForce: 'gtc', priceOffset: -0.01 })];
  world.run(3_000);
  return orders;
}

const ROWS: readonly Row[] = [
  {
    row: 'N1',
    what: 'connections stay open and carry nothing any more',
    act: (world) => {
      world.inject('half-open');
      const orders = both(world);
      world.until('it is noticed', () => world.count('sockets-silent') > 0, 60_000);
      return orders;
    },
  },
  ...(['from-venue', 'to-venue'] as const).map((direction): Row => ({
    row: 'N2',
    what: `nothing arrives ${direction}`,
    act: (world) => {
      world.inject('one-way', { direction });
      const orders = both(world);
      world.run(45_000);
      return orders;
    },
  })),
  {
    row: 'N3',
    what: 'frames are five seconds behind answers',
    act: (world) => {
      world.inject('delay-frames', { delayMs: 5_000, durationMs: 8_000 });
      const orders = both(world);
      world.run(12_000);
      return orders;
    },
  },
  {
    row: 'N5',
    what: 'the connection breaks off right after the order was carried out',
    act: (world) => {
      world.inject('reset-next-answer');
      return both(world);
    },
  },
  {
    row: 'N6',
    what: 'sockets are refused with 503, then accepted and closed',
    act: (world) => {
      world.inject('refuse-sockets', { durationMs: 8_000 });
      world.inject('close-sockets', { code: 1006 });
      world.run(8_000);
      world.inject('accept-then-close', { durationMs: 8_000 });
      world.inject('close-sockets', { code: 1006 });
      world.run(8_000);
      return [];
    },
  },
  {
    row: 'N7',
    what: 'connections are cut one by one',
    act: (world) => {
      const orders: OrderRequest[] = [];
      for (let cut = 0; cut < 6; cut++) {
        world.inject('close-next-socket');
        world.run(1_500);
        orders.push(world.place({ lots: 50 }));
      }
      return orders;
    },
  },
  {
    row: 'N8',
    what: 'the venue closes connections that read too slowly',
    act: (world) => {
      world.inject('close-sockets', { code: 1008 });
      const orders = both(world);
      expect(world.count('sockets-closed')).toBeGreaterThan(0);
      return orders;
    },
  },
  {
    row: 'N9',
    what: 'old frames come first on the new connection',
    act: (world) => {
      const before = world.place({ lots: 250 });
      world.untilStatus(before, 'filled');
      world.inject('replay-frames', { frames: 40 });
      world.inject('close-sockets', { code: 1006 });
      world.run(5_000);
      return [before, ...both(world)];
    },
  },
  {
    row: 'N10',
    what: 'nothing arrives or leaves for a minute, with an order under way',
    act: (world) => {
      const order = world.place();
      world.until('the venue has it', () => world.ordersAtVenue(order.clientOrderId).length === 1);
      world.inject('offline', { durationMs: 60_000 });
      world.run(60_000);
      return [order];
    },
  },
  {
    row: 'O1',
    what: 'the order never arrives',
    act: (world) => {
      world.inject('lose-next-request');
      return both(world);
    },
  },
  {
    row: 'O2',
    what: 'the order is taken and its answer is lost',
    act: (world) => {
      world.inject('lose-next-answer');
      return both(world);
    },
  },
  {
    row: 'O3',
    what: 'the answer comes after the deadline',
    act: (world) => {
      world.inject('delay-answers', { delayMs: 4_000, requests: 1 });
      const orders = both(world);
      world.run(5_000);
      return orders;
    },
  },
  // Carried out or not: nonsense says neither.
  ...(
    [
      ['html', true],
      ['empty', false],
      ['truncated', false],
      ['500', false],
      ['502', true],
      ['504', false],
    ] as const
  ).map(([as, isLost]): Row => ({
    row: 'O4',
    what: `the order is ${isLost ? 'not carried out' : 'carried out'} and answered ${as}`,
    act: (world) => {
      world.inject('garble-answers', { as, isLost });
      return both(world);
    },
  })),
  {
    row: 'O5',
    what: 'the fill comes before the answer, and one of an order nobody knows',
    act: (world) => {
      world.inject('delay-answers', { delayMs: 600, requests: 1 });
      const orders = both(world);
      world.inject('force-trade', { symbol: world.symbol, lots: 40 });
      world.run(2_000);
      return orders;
    },
  },
  ...(['duplicate-frames', 'swap-frames'] as const).map((fault): Row => ({
    row: 'O6',
    what: `frames of fills and orders: ${fault}`,
    act: (world) => {
      world.inject(fault, { durationMs: 6_000 });
      const orders = [...both(world), ...both(world)];
      world.run(8_000);
      return orders;
    },
  })),
  {
    row: 'O7',
    what: 'a cancel arrives after the fill it should have prevented',
    options: { priceAt: (calendarMs) => (Math.floor(calendarMs / 15_000) % 2 === 0 ? 1 : 0.985) },
    act: (world) => {
      world.inject('delay-next-request', { delayMs: 20_000 });
      const order = world.place({
        timeInForce: 'gtc',
        priceOffset: -0.01,
        lots: 200,
        validUntilMs: world.system.nowMs() + 60_000,
      });
      world.until('it is known', () => world.ordersAtVenue(order.clientOrderId).length === 1);
      world.cancel(order.clientOrderId);
      world.run(30_000);
      return [order];
    },
  },
  ...(['reject-next-order', 'silent-drop-next-order'] as const).map((fault): Row => ({
    row: 'O8',
    what: `after it was acknowledged: ${fault}`,
    act: (world) => {
      world.inject(fault);
      return both(world);
    },
  })),
  {
    row: 'O9',
    what: 'the venue’s lists do not know an accepted order for two seconds',
    act: (world) => {
      world.inject('lose-next-answer');
      world.inject('hide-orders', { durationMs: 2_000 });
      return both(world);
    },
  },
  {
    row: 'O10',
    what: 'a repeated order is called a duplicate',
    act: (world, venue) => {
      world.inject('refuse-next', factsOf(venue).refusals.duplicate);
      return both(world);
    },
  },
  ...(['margin', 'postOnly', 'unknownToUs'] as const).map((refusal): Row => ({
    row: 'O11',
    what: `the order is refused: ${refusal}`,
    act: (world, venue) => {
      world.inject('refuse-next', factsOf(venue).refusals[refusal]);
      const orders = both(world);
      const [refused] = orders;
      // Words nobody has documented prove nothing: the venue is asked before it counts as dead.
      if (refusal === 'unknownToUs') expect(world.statuses(refused?.clientOrderId ?? '')).not.toContain('refused');
      return orders;
    },
  })),
  {
    row: 'O12',
    what: 'the book holds less than is asked for, and then nothing at that price',
    options: { depthQuote: 2_000 },
    act: (world) => {
      const orders = [world.place({ lots: 4_000, priceOffset: 0.001 }), world.place({ priceOffset: -0.001 })];
      world.run(4_000);
      expect(world.ordersAtVenue(orders[0]?.clientOrderId ?? '')[0]?.filledLots).toBeLessThan(4_000);
      expect(world.ordersAtVenue(orders[1]?.clientOrderId ?? '')[0]?.filledLots ?? 0).toBe(0);
      return orders;
    },
  },
  ...([undefined, 3] as const).map((retryAfterSec): Row => ({
    row: 'O15',
    what: `everything is refused with 429, ${retryAfterSec === undefined ? 'no end named' : 'its end named'}`,
    act: (world) => {
      world.inject('refuse-requests', {
        durationMs: 2_000,
        ...(retryAfterSec === undefined ? {} : { retryAfterSec }),
      });
      const orders = [world.place()];
      const atMs = world.nowMs;
      world.run(3_000);
      world.run(retryAfterSec === undefined ? 70_000 : 10_000);
      const refusals = world.logs.filter((log) => log.event === 'rate-limit-refused' && log.atMs >= atMs);
      // Silence after a refusal, not a row of them: one for what was already under way at most.
      expect(refusals.length).toBeLessThan(6);
      return orders;
    },
  })),
  {
    row: 'O16',
    what: 'the key is revoked and given back',
    act: (world, venue) => {
      world.inject('revoke-key');
      world.place();
      world.until('the venue is down', () => world.status()?.status === 'down', 60_000);
      expect(world.status()?.reason).toMatch(factsOf(venue).wrongKey);
      expect(world.status()?.entriesAllowed).toBe(false);
      world.inject('revoke-key', { isRevoked: false });
      // Refused orders are fatal until a person restarts the connector.
      world.system.crashThread('io-0');
      world.run(5_000);
      return [];
    },
  },
  {
    row: 'O17',
    what: 'maintenance without a word, and afterwards orders are refused for a while',
    act: (world, venue) => {
      world.inject('maintenance', { durationMs: 30_000 });
      const orders = [world.place()];
      world.run(30_000);
      world.inject('refuse-orders', { durationMs: 20_000, ...factsOf(venue).refusals.margin });
      world.until('entries are allowed', () => world.status()?.entriesAllowed === true, 900_000);
      return [...orders, ...both(world)];
    },
  },
  {
    row: 'O18',
    what: 'somebody else trades on the account',
    act: (world) => {
      world.inject('force-trade', { symbol: world.symbol, lots: -130 });
      world.until('it is told', () => world.events('position-reported').at(-1)?.signedLots === -130, 35_000);
      return [];
    },
  },
];

describe.each(VENUES)('%s', (venue) => {
  it.each(ROWS)('$row: $what', ({ row, act, options }) => {
    const world = new ConnectorWorld({ venue, limits: 'premium', checkIsolation: false, ...options }).ready();
    const orders = act(world, venue);
    if (row === 'O16') {
      world.until('the venue is ready', () => world.status()?.status === 'ready', 60_000);
      expect(world.inspect().incarnation).toBe(2);
    } else {
      world.run(10_000);
      expectWhole(world, orders);
    }
    expectTrades(world);
  });

  it('O19: a market that is delisted or allows less leverage is listed so, and takes no opening order', () => {
    const world = new ConnectorWorld({ venue }).ready();
    const listed = world.events('instrument-listed', 'strategy').length;
    world.inject('change-market', { symbol: world.symbol, status: 'inactive', maxLeverage: 3 });
    // Sooner than the hourly reading.
    world.system.crashThread('io-0');
    world.run(15_000);
    const news = world
      .events('instrument-listed', 'strategy')
      .slice(listed)
      .findLast(({ symbol }) => symbol === world.symbol);
    expect(news === undefined || news.instrument.status === 'inactive').toBe(true);
    const order = world.place();
    world.run(3_000);
    expect(world.ordersAtVenue(order.clientOrderId).filter(({ status }) => status !== 'rejected')).toEqual([]);
  });

  it('N11: a certificate that does not hold stops everything with one sentence, and nothing is tried in the plain', () => {
    const world = new ConnectorWorld({ venue }).ready();
    world.network.setConditions(world.host, { untrusted: true });
    world.network.cut(world.host);
    world.until('the venue is down', () => world.status()?.status === 'down', 60_000);
    expect(world.status()?.reason).toMatch(
      new RegExp(
        `^the certificate of ${venueOf(venue).venue} is not trusted \\(CERT_HAS_EXPIRED.*check this machine's clock`,
      ),
    );
    const before = world.inspect().counters;
    world.run(120_000);
    // Nobody knocks any more.
    expect(world.inspect().counters['requests-failed']).toBe(before['requests-failed']);
    expect(world.inspect().counters['sockets-closed']).toBe(before['sockets-closed']);
    world.network.setConditions(world.host, { untrusted: false });
    world.run(60_000);
    expect(world.status()?.status).toBe('down');
    world.system.crashThread('io-0');
    world.until('a restarted connector is ready', () => world.status()?.status === 'ready', 60_000);
  });

  it('knows every fault of the catalogue by name, and no other', () => {
    const world = new ConnectorWorld({ venue, checkIsolation: false }).ready();
    const options = { delayMs: 10, durationMs: 10, code: 1, symbol: world.symbol, lots: 1, sinceMs: 1 };
    for (const fault of FAULT_ROWS.flatMap(({ faults }) => faults)) world.inject(fault, options);
    expect(() => world.inject('earthquake')).toThrow(`${venueOf(venue).venue} has no fault named "earthquake"`);
  });
});

it('every row of the catalogue is played here or says where else', () => {
  const played = new Set([...ROWS.map(({ row }) => row), 'O19', 'N11']);
  const missing = FAULT_ROWS.filter(({ row, elsewhere }) => !played.has(row) && elsewhere === undefined);
  // Batches are sent for cancelling only, nonces are one venue's: both have tests of their own.
  expect(missing.map(({ row }) => row)).toEqual(['O13', 'O14']);
});
