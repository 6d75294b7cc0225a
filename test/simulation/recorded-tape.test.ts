import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { loadRecordedTape } from '../../src/simulation/live/load-recorded-tape.ts';
import type { MarketTape, TapeSettlement } from '../../src/simulation/market-tape.ts';
import { recordedTape } from '../../src/simulation/recorded-tape.ts';
import type { RecordedVenue } from '../../src/simulation/recorded-tape.ts';
import type { CandleRow, FundingRow } from '../../src/simulation/tape-rows.ts';
import { TapeError, parseFundingRows } from '../../src/simulation/tape-rows.ts';

const HOUR_MS = 3_600_000;
const START = Date.UTC(2026, 0, 5);
const dataFolder = fileURLToPath(new URL('../../../shared/data/', import.meta.url));

function funding(hour: number, ratePico: number, intervalHours?: number, venue = 'source'): FundingRow {
  return { venue, base: 'BTC', venueSymbol: 'BTCUSDT', settleAtMs: START + hour * HOUR_MS, ratePico, intervalHours };
}
function candle(hour: number, open: number, close: number, reach = 10): CandleRow {
  const [high, low] = [Math.max(open, close) + reach, Math.min(open, close) - reach];
  return { base: 'BTC', openAtMs: START + hour * HOUR_MS, open, high, low, close, volume: 1 };
}
function tapeOf(venues: Record<string, RecordedVenue>, hours = 24): MarketTape {
  return recordedTape({ venues, bases: ['BTC'], startAtMs: START, endAtMs: START + hours * HOUR_MS, seed: 1 });
}
function settlements(tape: MarketTape, venue: string, base = 'BTC', from = START, to = tape.endAtMs): TapeSettlement[] {
  const found: TapeSettlement[] = [];
  for (let at = from; ;) {
    const next = tape.nextSettlement(venue, base, at);
    if (next === undefined || next.settleAtMs > to) return found;
    found.push(next);
    at = next.settleAtMs;
  }
}
const flatCandles = Array.from({ length: 25 }, (_, hour) => candle(hour, 100, 100));

describe('settlements', () => {
  it('holds the last known rate over missing hours, also where the recording states a two-hour gap', () => {
    const rows = [
      funding(0, 1, 1),
      funding(1, 2, 1),
      funding(3, 3, 2),
      funding(4, 4, 1),
      funding(5, 5, 1),
      funding(9, 6),
    ];
    const tape = tapeOf({ lighter: { funding: { rows, series: 'source' }, candles: [flatCandles] } }, 9);
    expect(settlements(tape, 'lighter').map(({ ratePico }) => ratePico)).toEqual([2, 2, 3, 4, 5, 5, 5, 5, 6]);
    expect(settlements(tape, 'lighter').every(({ intervalMs }) => intervalMs === HOUR_MS)).toBe(true);
  });

  it('follows a change of the interval and never fills between two regular settlements', () => {
    const rows = [funding(0, 8, 8), funding(8, 8, 8), funding(12, 4, 4), funding(16, 4, 4), funding(24, 80, 8)];
    const tape = tapeOf({
      bybit: { funding: { rows: [...rows, funding(32, 80, 8)], series: 'source' }, candles: [flatCandles] },
    });
    expect(
      settlements(tape, 'bybit').map(({ settleAtMs, intervalMs }) => [
        (settleAtMs - START) / HOUR_MS,
        intervalMs / HOUR_MS,
      ]),
    ).toEqual([
      [8, 8],
      [12, 4],
      [16, 4],
      [24, 8],
    ]);
  });

  it('plays an eight-hour series on an hourly venue at an eighth of the rate', () => {
    const rows = [funding(0, 800, 8), funding(8, 1_600, 8), funding(16, 80, 8)];
    const tape = tapeOf(
      { lighter: { funding: { rows, series: 'source', intervalMs: HOUR_MS }, candles: [flatCandles] } },
      17,
    );
    const rates = settlements(tape, 'lighter').map(({ ratePico }) => ratePico);
    expect(rates).toEqual([...Array<number>(7).fill(100), ...Array<number>(8).fill(200), 10, 10]);
  });

  it('plays one market where the recording has two of one base', () => {
    const usdc = [0, 1, 2].map((hour) => ({ ...funding(hour, 7, 1), venueSymbol: 'BTCUSDC' }));
    const rows = [...usdc, funding(1, 1, 1), funding(2, 1, 1)];
    const tape = tapeOf({ lighter: { funding: { rows, series: 'source' }, candles: [flatCandles] } }, 2);
    expect(settlements(tape, 'lighter').map(({ ratePico }) => ratePico)).toEqual([1, 1]);
  });

  it('ends with the tape', () => {
    const tape = tapeOf(
      { lighter: { funding: { rows: [funding(0, 1, 1)], series: 'source' }, candles: [flatCandles] } },
      3,
    );
    expect(tape.nextSettlement('lighter', 'BTC', START + 3 * HOUR_MS)).toBeUndefined();
    expect(tape.lastSettlement('lighter', 'BTC', START + 99 * HOUR_MS)?.settleAtMs).toBe(START + 3 * HOUR_MS);
  });
});

describe('prices', () => {
  const source = { rows: [funding(0, 1, 1)], series: 'source' };

  it('walks each candle from open over its extremes to close', () => {
    const tape = tapeOf({ lighter: { funding: source, candles: [[candle(0, 100, 103), candle(1, 103, 101)]] } }, 2);
    const mids = [0, 20, 40, 60, 80, 100].map((minutes) => tape.quote('lighter', 'BTC', START + minutes * 60_000).mid);
    expect(mids).toEqual([100, 90, 113, 103, 113, 91]);
  });

  it('fills a hole from the next series, at the first one’s price level', () => {
    const first = [candle(0, 100, 100), candle(3, 104, 104)];
    const second = [0, 1, 2, 3].map((hour) => candle(hour, 50, 50, 0));
    const tape = tapeOf({ lighter: { funding: source, candles: [first, second] } }, 3);
    const mids = [0, 1, 2, 3].map((hour) => tape.quote('lighter', 'BTC', START + hour * HOUR_MS).mid);
    expect(mids[0]).toBe(100);
    expect(mids[1]).toBeCloseTo(50 * (2 + 0.08 / 3), 9);
    expect(mids[2]).toBeCloseTo(50 * (2 + (2 * 0.08) / 3), 9);
    expect(mids[3]).toBe(104);
  });

  it('holds the price where no series has a candle, and takes the index between the venues', () => {
    const tape = tapeOf(
      {
        lighter: { funding: source, candles: [[candle(0, 100, 102)]] },
        extended: { funding: source, candles: [[candle(0, 98, 98)]] },
      },
      5,
    );
    expect(tape.quote('lighter', 'BTC', START + 4 * HOUR_MS)).toMatchObject({ mid: 102, mark: 102, index: 100 });
  });

  it('plays other rows, funding and prices, for the symbols that are excepted', () => {
    const own = { funding: source, candles: [flatCandles] };
    const other = {
      bases: ['BTC'],
      funding: { rows: [funding(0, 7, 1, 'other')], series: 'other' },
      candles: [[candle(0, 50, 50)]],
    };
    const tape = tapeOf({ lighter: { ...own, except: [other] }, extended: { ...own, except: [] } });
    expect(tape.lastSettlement('lighter', 'BTC', START)?.ratePico).toBe(7);
    expect(tape.quote('lighter', 'BTC', START).mid).toBe(50);
    expect(tape.lastSettlement('extended', 'BTC', START)?.ratePico).toBe(1);
    expect(tape.quote('extended', 'BTC', START).mid).toBe(100);
  });

  it('takes a file that names no venue for the series it is said to be', () => {
    const rows = [{ ...funding(0, 3, 1), venue: undefined }];
    const tape = tapeOf({ lighter: { funding: { rows, series: 'hyperliquid' }, candles: [flatCandles] } });
    expect(tape.lastSettlement('lighter', 'BTC', START)?.ratePico).toBe(3);
  });

  it('refuses a tape that starts before its candles, and a series without rows', () => {
    const late = { lighter: { funding: source, candles: [[candle(5, 1, 1, 0)]] } };
    expect(() => tapeOf(late)).toThrow(TapeError);
    expect(() => tapeOf(late)).toThrow('candles of lighter BTC must cover the start of the tape');
    const other = { lighter: { funding: { ...source, series: 'nobody' }, candles: [flatCandles] } };
    expect(() => tapeOf(other)).toThrow('funding of lighter BTC must have rows of series "nobody"');
  });

  it('names an unreadable file', () => {
    const venues = { lighter: { fundingFile: '/nowhere.csv', series: 'x', candlesFiles: [] } };
    const load = (): unknown => loadRecordedTape({ venues, bases: ['BTC'], startAtMs: START, endAtMs: START, seed: 1 });
    expect(load).toThrow('tape file /nowhere.csv must be readable CSV or CSV.GZ');
  });
});

const missing = !existsSync(dataFolder);
describe.skipIf(missing)(`recorded markets${missing ? ' (skipped: ../shared/data is absent)' : ''}`, () => {
  const file = (name: string): string => `${dataFolder}${name}`;
  const startAtMs = Date.UTC(2025, 2, 10);
  const endAtMs = Date.UTC(2025, 6, 25);

  // Short 1 unit on A at its open, long 1 unit on B, no fees; settlements in (start, end]; bp of A's entry price.
  it.each([
    ['BTC', 3288, 411, '0.0392810805', '0.0156197200', 314.2943, -7.7187],
    ['SUPER', 3288, 822, '0.0098866002', '-0.0026756300', 170.6461, 44.0893],
    ['TAO', 3288, 822, '0.0289920126', '-0.0094577200', 564.9872, 16.3706],
  ])('reproduce the reference result of %s', (base, countA, countB, sumA, sumB, fundingBp, priceBp) => {
    const tape = loadRecordedTape({
      venues: {
        a: {
          fundingFile: file('funding/hyperliquid.csv.gz'),
          series: 'hyperliquid',
          candlesFiles: [file('candles/hyperliquid-1h.csv.gz')],
        },
        b: {
          fundingFile: file('funding/binance.csv.gz'),
          series: 'binance',
          candlesFiles: [file('candles/binance-1h.csv.gz')],
        },
      },
      bases: [base],
      startAtMs,
      endAtMs,
      seed: 1,
    });
    const legs = ['a', 'b'].map((venue) => {
      const paid = settlements(tape, venue, base, startAtMs, endAtMs);
      const cash = paid.map(({ settleAtMs, ratePico }) => (ratePico / 1e12) * tape.quote(venue, base, settleAtMs).mark);
      const entry = tape.quote(venue, base, startAtMs).mid;
      return {
        count: paid.length,
        sum: (paid.reduce((total, { ratePico }) => total + ratePico, 0) / 1e12).toFixed(10),
        cash: cash.reduce((total, amount) => total + amount, 0),
        entry,
        gain: tape.quote(venue, base, endAtMs).mid - entry,
      };
    });
    const [a, b] = legs;
    if (a === undefined || b === undefined) throw new Error('two legs');
    expect([a.count, b.count, a.sum, b.sum]).toEqual([countA, countB, sumA, sumB]);
    expect(((a.cash - b.cash) / a.entry) * 1e4).toBeCloseTo(fundingBp, 4);
    expect(((b.gain - a.gain) / a.entry) * 1e4).toBeCloseTo(priceBp, 4);
  });

  it('play Lighter’s own January 2026 under its name, every recorded row exactly', () => {
    const from = Date.UTC(2026, 0, 2);
    const tape = loadRecordedTape({
      venues: {
        lighter: {
          fundingFile: file('funding/lighter.csv.gz'),
          series: 'lighter',
          intervalMs: HOUR_MS,
          candlesFiles: [file('candles/lighter-1h.csv.gz'), file('candles/binance-1h.csv.gz')],
        },
      },
      bases: ['BTC', 'DOGE', 'ETH', 'HYPE', 'SOL'],
      startAtMs: from,
      endAtMs: Date.UTC(2026, 0, 31),
      seed: 1,
    });
    const name = file('funding/lighter.csv.gz');
    for (const row of parseFundingRows({ name, text: gunzipSync(readFileSync(name)).toString('utf8') })) {
      if (row.settleAtMs <= from || row.settleAtMs > tape.endAtMs) continue;
      const { base, settleAtMs, ratePico } = row;
      expect(tape.lastSettlement('lighter', base, settleAtMs)).toEqual({ settleAtMs, ratePico, intervalMs: HOUR_MS });
    }
    for (const base of tape.bases('lighter')) {
      const played = settlements(tape, 'lighter', base, from);
      expect(played).toHaveLength(29 * 24);
      expect(played.every(({ settleAtMs }, index) => settleAtMs === from + (index + 1) * HOUR_MS)).toBe(true);
      expect(tape.quote('lighter', base, from).mid).toBeGreaterThan(0);
    }
  });
});
