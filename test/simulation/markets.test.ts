import { describe, expect, it } from 'vitest';
import { demoAccount } from '../../src/simulation/demo-accounts.ts';
import { marketScale } from '../../src/simulation/exchange-arithmetic.ts';
import { GENERATED_BASES } from '../../src/simulation/generated-tape.ts';
import { fundingIntervalMs, simulatedBases, simulatedMarkets } from '../../src/simulation/markets.ts';
import { calendarAt } from '../../src/simulation/venue-calendar.ts';

describe('simulated markets', () => {
  it.each(['lighter', 'extended', 'bybit', 'hyperliquid', 'coinbase'])(
    'of %s keep exact books for every base the generator knows',
    (venue) => {
      const markets = simulatedMarkets(venue, GENERATED_BASES);
      expect(markets.map((market) => market.base)).toEqual(GENERATED_BASES);
      for (const market of markets) {
        expect(() => marketScale(market)).not.toThrow();
        expect(Number.isSafeInteger(market.minQuantityLots)).toBe(true);
      }
    },
  );

  it('have the venues’ own steps', () => {
    expect(simulatedMarkets('lighter', ['BTC'])[0]).toMatchObject({
      symbol: 'BTC',
      priceDecimals: 1,
      quantityDecimals: 5,
      minQuantityLots: 20,
      takerFee: 0,
    });
    expect(simulatedMarkets('extended', ['DOGE'])[0]).toMatchObject({
      symbol: 'DOGE-USD',
      priceDecimals: 5,
      quantityDecimals: 0,
      lotUnits: 10,
      minQuantityLots: 10,
      takerFee: 250_000_000,
      priceBand: 50_000_000_000,
    });
  });

  it('list a thousand of a cheap coin as one contract, each under its own name', () => {
    const names = (['lighter', 'extended', 'bybit', 'hyperliquid'] as const).map((venue) => {
      const [market] = simulatedMarkets(venue, ['PEPE']);
      expect(market).toMatchObject({ base: 'PEPE', multiplier: 1_000 });
      return market?.symbol;
    });
    expect(names).toEqual(['1000PEPE', '1000PEPE-USD', '1000PEPEUSDT', 'kPEPE']);
  });

  it('are twenty that every venue lists, with exact books', () => {
    for (const venue of ['lighter', 'extended', 'bybit', 'hyperliquid']) {
      const bases = simulatedBases(venue);
      expect(bases.length).toBeGreaterThanOrEqual(20);
      for (const market of simulatedMarkets(venue, bases)) expect(() => marketScale(market)).not.toThrow();
    }
  });

  it('settle as often as their venue does', () => {
    expect(['lighter', 'extended', 'bybit'].map(fundingIntervalMs)).toEqual([3_600_000, 3_600_000, 28_800_000]);
    expect(simulatedMarkets('bybit', ['ETH'])[0]).toMatchObject({ symbol: 'ETHUSDT', fundingIntervalMs: 28_800_000 });
    expect(() => fundingIntervalMs('nowhere')).toThrow('a simulated venue must be one of');
  });

  it('name what they do not know', () => {
    expect(() => simulatedMarkets('lighter', ['NOPE'])).toThrow('a simulated market of lighter must be one of BTC');
    expect(() => simulatedMarkets('nowhere', ['BTC'])).toThrow('a simulated venue must be one of lighter, extended');
  });
});

describe('demo accounts', () => {
  it('are the same in every process and differ by name and venue', () => {
    expect(demoAccount('lighter', 'main')).toEqual(demoAccount('lighter', 'main'));
    expect(demoAccount('lighter', 'main').secrets).not.toEqual(demoAccount('lighter', 'other').secrets);
    expect(demoAccount('lighter', 'main').secrets['privateKey']).toMatch(/^[0-9a-f]{78}1f$/);
    expect(demoAccount('extended', 'main').secrets['privateKey']).toMatch(/^0x[0-9a-f]{62}$/);
  });
});

it('runs a venue calendar faster than the wall clock from its anchor', () => {
  const calendar = { startAtMs: 1_000_000, scale: 360, anchorEpochMs: 50 };
  expect(calendarAt(calendar, 60)).toBe(1_003_600);
});
