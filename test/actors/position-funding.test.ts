/** What a position does about rates that are not what is paid, and about venues that settle at another pace than before. */
import { describe, expect, it } from 'vitest';
import { perSettlement } from '../../src/market/funding-rate.ts';
import type { FundingRate } from '../../src/market/funding-rate.ts';
import type { MicroUnits, PicoRate, SignedLots } from '../../src/money/units.ts';
import { BASE, createWorld } from './position-world.ts';
import type { World } from './position-world.ts';

const HOUR_MS = 3_600_000;
const SYMBOLS = { va: 'BTC', vb: 'BTC-USD' } as const;

function opened(): World {
  const world = createWorld();
  world.runUntil(() => world.pictures.at(-1)?.phase === 'IDLE', 5_000);
  world.deliver({ type: 'enter-pair', plan: world.plan() });
  world.runUntil(() => world.picture().phase === 'OPEN', 5_000);
  return world;
}

/** Tells a rate that is `perInterval` (a fraction) of an interval. */
function tell(
  world: World,
  venue: 'va' | 'vb',
  kind: 'predicted' | 'settled',
  perInterval: number,
  hours: number,
  settleAtMs: number,
): FundingRate {
  const rate: FundingRate = {
    venue,
    symbol: SYMBOLS[venue],
    kind,
    raw: String(perInterval),
    unit: { scale: 'fraction', perMs: hours * HOUR_MS },
    hourly: Math.round((perInterval / hours) * 1e12) as PicoRate,
    intervalMs: hours * HOUR_MS,
    settleAtMs,
    venueAtMs: world.now(),
  };
  const receivedAtMonotonicMs = world.stage().self.monotonicMs();
  const { symbol } = rate;
  world.deliver({
    type: 'funding-rate-changed',
    venue,
    symbol,
    base: BASE,
    kind,
    settleAtMs,
    rate,
    receivedAtMonotonicMs,
  });
  return rate;
}
function pay(world: World, settledAtMs: number, amountMicro: bigint): void {
  world.payFunding({
    type: 'funding-paid',
    venue: 'va',
    account: 'main',
    symbol: 'BTC',
    payment: {
      paymentId: String(settledAtMs),
      symbol: 'BTC',
      amountMicro: amountMicro as MicroUnits,
      rate: 0 as PicoRate,
      signedLots: -33 as SignedLots,
      settledAtMs,
    },
  });
}
const told = (world: World, name: string): readonly unknown[] =>
  world.logged.filter(({ event }) => event === name).map(({ fields }) => fields);

describe('a payment', () => {
  /** 33 lots of 0.001 at 60,000.5: 1,980.0165 quote short; 0.01 % of it is 198,002 micro. */
  function paidAt(amountMicro: bigint): World {
    const world = opened();
    const settleAtMs = world.now() + 1_000;
    tell(world, 'va', 'settled', 0.0001, 1, settleAtMs);
    pay(world, settleAtMs, amountMicro);
    world.run(1_000);
    return world;
  }

  it.each([198_002n, 207_901n, 188_102n])('of %s micro-units confirms a rate of one in ten thousand', (amountMicro) => {
    const world = paidAt(amountMicro);
    expect(world.picture().suspectPayments).toBeUndefined();
    expect(told(world, 'payment-contradicts-rate')).toEqual([]);
  });

  it.each([207_904n, 188_100n, -198_002n, 1_584_016n])('of %s micro-units contradicts it', (amountMicro) => {
    const world = paidAt(amountMicro);
    expect(told(world, 'payment-contradicts-rate')).toMatchObject([{ venue: 'va', stated: 0.0001 }]);
    expect(world.picture().suspectPayments).toMatchObject([{ venue: 'va', account: 'main', stated: 0.0001 }]);
  });

  it('that contradicts its rate keeps the symbol out, through a restart too, until the next one agrees or a person clears it', () => {
    const world = paidAt(1_584_016n);
    world.deliver({ type: 'exit-pair', reason: 'MANUAL' });
    world.runUntil(() => world.picture().phase === 'CLOSED', 5_000);
    world.crash(500);
    world.run(5_000);
    world.deliver({ type: 'enter-pair', plan: world.plan() });
    world.run(500);
    expect(world.picture()).toMatchObject({ phase: 'CLOSED', reason: 'FUNDING_UNIT' });
    world.deliver({ type: 'clear-entry-blocks', reason: 'the venue corrected it' });
    world.run(500);
    world.deliver({ type: 'enter-pair', plan: world.plan() });
    world.runUntil(() => world.picture().phase === 'OPEN', 5_000);
    world.crash(500);
    world.run(5_000);
    expect(world.picture().suspectPayments).toBeUndefined();
  });

  it('is expected by the mark of its settlement, however far the price went before the venue said what it settled', () => {
    const world = opened();
    const settleAtMs = Math.ceil(world.now() / HOUR_MS) * HOUR_MS;
    world.jumpCalendar(settleAtMs - 2_000 - world.now());
    world.run(4_000);
    // Three per cent up, and the word of the settlement minutes later.
    world.venues.a.markNano = 61_800_515_000_000n;
    world.jumpCalendar(330_000);
    world.run(2_000);
    tell(world, 'va', 'settled', 0.0001, 1, settleAtMs);
    pay(world, settleAtMs, 198_002n);
    world.run(1_000);
    expect(told(world, 'funding-mismatch')).toEqual([]);
  });

  it('that agrees ends the suspicion', () => {
    const world = paidAt(1_584_016n);
    const nextMs = world.now() + HOUR_MS;
    tell(world, 'va', 'settled', 0.0001, 1, nextMs);
    pay(world, nextMs, 198_002n);
    world.run(1_000);
    expect(world.picture().suspectPayments).toBeUndefined();
  });
});

describe('a venue that settles more often than before', () => {
  it('is told with both intervals while a pair is open, each change once', () => {
    const world = opened();
    for (const hours of [8, 8, 4, 4, 1]) tell(world, 'va', 'predicted', 0.0001, hours, world.now() + hours * HOUR_MS);
    const changes = told(world, 'funding-interval-changed');
    // The world itself spoke of an interval of 1 h before.
    expect(changes.map((fields) => fields as { fromMs: number; toMs: number })).toMatchObject([
      { fromMs: HOUR_MS, toMs: 8 * HOUR_MS, pairId: world.picture().pairId },
      { fromMs: 8 * HOUR_MS, toMs: 4 * HOUR_MS, hourlyBefore: 12_500_000, hourly: 25_000_000 },
      { fromMs: 4 * HOUR_MS, toMs: HOUR_MS, hourlyBefore: 25_000_000, hourly: 100_000_000 },
    ]);
  });

  it('is expected to pay by the interval each settlement was for', () => {
    const world = opened();
    const firstMs = world.now() + 1_000;
    const hours = [8, 4, 1];
    const rates = hours.map((each, index) => tell(world, 'va', 'settled', 0.0001, each, firstMs + index * HOUR_MS));
    expect(rates.map(perSettlement)).toEqual([100_000_000, 100_000_000, 100_000_000]);
    const { expectations } = world.stage().state();
    expect(expectations.map(({ expectedMicro, basis }) => [expectedMicro, (basis?.intervalMs ?? 0) / HOUR_MS])).toEqual(
      [
        [198_002n, 8],
        [198_002n, 4],
        [198_002n, 1],
      ],
    );
  });

  it('has staying valued by the payments there are now: none within the horizon before, eight after', () => {
    const world = opened();
    const losing = (hours: number, rate: number, settleInMs: number): void => {
      tell(world, 'vb', 'predicted', 0, hours, world.now() + settleInMs);
      tell(world, 'va', 'predicted', rate, hours, world.now() + settleInMs);
    };
    losing(8, -0.0002, 8.5 * HOUR_MS);
    losing(8, -0.0003, 8.5 * HOUR_MS);
    losing(8, -0.0004, 8.5 * HOUR_MS);
    world.run(2_000);
    expect(world.picture().phase).toBe('OPEN');
    losing(1, -0.0002, HOUR_MS / 2);
    world.run(1_000);
    losing(1, -0.0003, HOUR_MS / 2);
    world.runUntil(() => world.picture().phase === 'CLOSED', 5_000);
    expect(world.picture().reason).toBe('CARRY_REVERSED');
  });
});
