import { describe, expect, it } from 'vitest';
import { GENERATED_BASES, generatedTape } from '../../src/simulation/generated-tape.ts';
import type { MarketTape } from '../../src/simulation/market-tape.ts';

const HOUR_MS = 3_600_000;
const START = Date.UTC(2026, 0, 5);

function tapeOf(seed: number, bases: readonly string[] = ['BTC', 'ETH', 'SOL', 'DOGE', 'HYPE']): MarketTape {
  return generatedTape({
    seed,
    bases,
    startAtMs: START,
    venues: { lighter: { series: 'lighter' }, extended: { series: 'hyperliquid' }, bybit: { series: 'bybit' } },
  });
}
function ratesOf(tape: MarketTape, venue: string, base: string, hours: number): number[] {
  return Array.from(
    { length: hours },
    (_, hour) => tape.lastSettlement(venue, base, START + hour * HOUR_MS)?.ratePico ?? NaN,
  );
}
function deviation(values: readonly number[]): number {
  return Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length);
}
function correlation(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, value, index) => sum + value * (b[index] ?? 0), 0) / a.length / deviation(a) / deviation(b);
}
function hourlyReturns(tape: MarketTape, base: string, hours: number): number[] {
  const prices = Array.from(
    { length: hours + 1 },
    (_, hour) => tape.quote('lighter', base, START + hour * HOUR_MS).index,
  );
  return prices.slice(1).map((price, index) => Math.log(price / (prices[index] ?? price)) * 1e4);
}

describe('reproducibility', () => {
  it('answers the same whatever the order of the questions', () => {
    const forward = tapeOf(1);
    const backward = tapeOf(1);
    const instants = Array.from({ length: 50 }, (_, index) => START + index * 1_234_567);
    const ask = (tape: MarketTape, at: number): unknown =>
      ['BTC', 'SOL'].map((base) => [tape.quote('lighter', base, at), tape.nextSettlement('bybit', base, at)]);
    const later = instants
      .toReversed()
      .map((at) => ask(backward, at))
      .reverse();
    expect(instants.map((at) => ask(forward, at))).toEqual(later);
  });

  it('does not depend on which bases and venues are asked for along', () => {
    const alone = generatedTape({
      seed: 4,
      bases: ['SOL'],
      startAtMs: START,
      venues: { lighter: { series: 'lighter' } },
    });
    const at = START + 12_345_678;
    expect(alone.quote('lighter', 'SOL', at)).toEqual(tapeOf(4).quote('lighter', 'SOL', at));
    expect(alone.nextSettlement('lighter', 'SOL', at)).toEqual(tapeOf(4).nextSettlement('lighter', 'SOL', at));
  });

  it('makes another market from another seed', () => {
    expect(ratesOf(tapeOf(1), 'lighter', 'SOL', 48)).not.toEqual(ratesOf(tapeOf(2), 'lighter', 'SOL', 48));
  });
});

describe('resemblance to the fit', () => {
  it('has the recorded hourly volatility, fat tails and correlation with BTC', () => {
    const btc = [1, 2, 3].flatMap((seed) => hourlyReturns(tapeOf(seed), 'BTC', 2_000));
    const eth = [1, 2, 3].flatMap((seed) => hourlyReturns(tapeOf(seed), 'ETH', 2_000));
    expect(deviation(btc)).toBeGreaterThan(35);
    expect(deviation(btc)).toBeLessThan(65);
    expect(Math.max(...btc.map(Math.abs))).toBeGreaterThan(4 * deviation(btc));
    expect(correlation(btc, eth)).toBeGreaterThan(0.6);
    expect(correlation(btc, eth)).toBeLessThan(0.9);
  });

  it('sits at the default rate about as often as recorded and lasts for hours', () => {
    const rates = [1, 2, 3, 4].flatMap((seed) => ratesOf(tapeOf(seed), 'extended', 'BTC', 2_000));
    const atDefault = rates.filter((rate) => rate === 12_500_000).length / rates.length;
    expect(atDefault).toBeGreaterThan(0.45);
    expect(atDefault).toBeLessThan(0.8);
    const mean = rates.reduce((sum, rate) => sum + rate, 0) / rates.length;
    const centred = rates.map((rate) => rate - mean);
    expect(correlation(centred.slice(1), centred.slice(0, -1))).toBeGreaterThan(0.6);
  });

  it('settles each series at its own interval, or at the one asked for', () => {
    expect(tapeOf(1).nextSettlement('bybit', 'BTC', START)).toMatchObject({
      settleAtMs: START + 8 * HOUR_MS,
      intervalMs: 8 * HOUR_MS,
    });
    const hourly = generatedTape({
      seed: 1,
      bases: ['BTC'],
      startAtMs: START,
      venues: { lighter: { series: 'bybit', intervalMs: HOUR_MS } },
    });
    expect(hourly.nextSettlement('lighter', 'BTC', START)).toMatchObject({
      settleAtMs: START + HOUR_MS,
      intervalMs: HOUR_MS,
    });
    const small = ratesOf(hourly, 'lighter', 'BTC', 500).every((rate) => Math.abs(rate) < 200_000_000);
    expect(small).toBe(true);
  });

  it('opens a gap between two venues within a few hours on almost every seed', () => {
    const seeds = Array.from({ length: 40 }, (_, index) => index + 1);
    const quick = seeds.filter((seed) => {
      const tape = tapeOf(seed);
      return tape.bases('lighter').some((base) => {
        const short = ratesOf(tape, 'lighter', base, 6);
        const long = ratesOf(tape, 'extended', base, 6);
        // 10 ppm per hour is 8.8 % a year.
        return short.some((rate, hour) => Math.abs(rate - (long[hour] ?? rate)) > 10_000_000);
      });
    });
    expect(quick.length).toBeGreaterThanOrEqual(36);
  });
});

describe('prices', () => {
  it('move continuously and keep the venues a few basis points apart', () => {
    const tape = tapeOf(9);
    let before = tape.quote('lighter', 'BTC', START).mid;
    for (let second = 1; second < 7_200; second += 7) {
      const quote = tape.quote('lighter', 'BTC', START + second * 1_000);
      expect(Math.abs(quote.mid / before - 1)).toBeLessThan(0.004);
      const apart = tape.quote('extended', 'BTC', START + second * 1_000).mid / quote.mid - 1;
      expect(Math.abs(apart)).toBeLessThan(0.004);
      before = quote.mid;
    }
  });

  it('exist for every base of the fit on a venue without a fit of its own', () => {
    const tape = tapeOf(2, GENERATED_BASES);
    for (const base of GENERATED_BASES) {
      expect(tape.quote('lighter', base, START).depthQuote).toBeGreaterThan(0);
      expect(tape.nextSettlement('lighter', base, START)?.settleAtMs).toBe(START + HOUR_MS);
    }
  });
});

it('names a base or series it has no fit for', () => {
  expect(() => tapeOf(1, ['NOPE'])).toThrow('a generated base must be one of BTC');
  const make = (): unknown =>
    generatedTape({ seed: 1, bases: ['BTC'], startAtMs: START, venues: { x: { series: 'nope' } } });
  expect(make).toThrow('a generated funding series must be one of');
});
