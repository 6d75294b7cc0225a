import { describe, expect, it } from 'vitest';
import { TapeError, parseCandleRows, parseFundingRows } from '../../src/simulation/tape-rows.ts';

const FUNDING = 'venue,base,venue_symbol,settle_ms,rate,interval_h,mark_price,premium,source';
const CANDLES = 'base,venue_symbol,open_ms,open,high,low,close,volume,source';
const HOUR = 1_767_225_600_000;

describe('funding rows', () => {
  it('reads rates in 1e-12 and rounds settlement times to the hour', () => {
    const text = `${FUNDING}\nlighter,BTC,BTC,${HOUR + 180},1.2000000000004285e-05,,,,S2\nlighter,BTC,BTC,${HOUR + 3_599_900},-0.00003,1,91000.5,,S2\n`;
    expect(parseFundingRows({ name: 'rows.csv', text })).toEqual([
      {
        venue: 'lighter',
        base: 'BTC',
        venueSymbol: 'BTC',
        settleAtMs: HOUR,
        ratePico: 12_000_000,
        intervalHours: undefined,
      },
      {
        venue: 'lighter',
        base: 'BTC',
        venueSymbol: 'BTC',
        settleAtMs: HOUR + 3_600_000,
        ratePico: -30_000_000,
        intervalHours: 1,
      },
    ]);
  });

  it.each([
    ['venue,base', '', 'rows.csv line 1 must be the header'],
    [FUNDING, 'lighter,BTC', 'rows.csv line 2 must have 9 columns, had 2'],
    [FUNDING, `lighter,,BTC,${HOUR},0,1,,,S`, 'rows.csv line 2 column base must be a name, was ""'],
    [FUNDING, 'lighter,BTC,BTC,soon,0,1,,,S', 'column settle_ms must be a positive whole number of ms, was "soon"'],
    [FUNDING, `lighter,BTC,BTC,${HOUR},NaN,1,,,S`, 'column rate must be a number from -1 to 1, was "NaN"'],
    [FUNDING, `lighter,BTC,BTC,${HOUR},2,1,,,S`, 'column rate must be a number from -1 to 1, was "2"'],
    [FUNDING, `lighter,BTC,BTC,${HOUR},0,3,,,S`, 'column interval_h must be one of 1, 2, 4, 8 or empty, was "3"'],
    [FUNDING, `lighter,BTC,BTC,${HOUR},0,1,x,,S`, 'column mark_price must be'],
    [
      FUNDING,
      `a,B,B,${HOUR},0,1,,,S\na,B,B,${HOUR + 99},0,1,,,S`,
      'line 3 column settle_ms must be later than the row of a B before it',
    ],
  ])('stops at a malformed row (%#)', (header, rows, message) => {
    const parse = (): unknown => parseFundingRows({ name: 'rows.csv', text: `${header}\n${rows}\n` });
    expect(parse).toThrow(TapeError);
    expect(parse).toThrow(message);
  });
});

describe('files of one venue', () => {
  it('name no venue and settle hourly; a thousand of a coin is counted in coins', () => {
    const text = `base,settle_ms,rate\nkPEPE,${HOUR + 87},1.25e-05\n`;
    expect(parseFundingRows({ name: 'rows.csv', text })).toEqual([
      {
        venue: undefined,
        base: 'PEPE',
        venueSymbol: 'kPEPE',
        settleAtMs: HOUR,
        ratePico: 12_500_000,
        intervalHours: 1,
      },
    ]);
    const candles = `base,open_ms,open,high,low,close,volume\nkPEPE,${HOUR},0.012,0.014,0.010,0.012,5\n`;
    expect(parseCandleRows({ name: 'candles.csv', text: candles })).toEqual([
      { base: 'PEPE', openAtMs: HOUR, open: 0.000012, high: 0.000014, low: 0.00001, close: 0.000012, volume: 5_000 },
    ]);
  });
});

describe('candle rows', () => {
  it.each([
    ['venue,open', '', 'candles.csv line 1 must be the header'],
    [CANDLES, `BTC,BTC,${HOUR + 60_000},1,1,1,1,0,S`, 'column open_ms must be a whole hour'],
    [CANDLES, `BTC,BTC,${HOUR},0,1,1,1,0,S`, 'column open must be a number above 0, was "0"'],
    [CANDLES, `BTC,BTC,${HOUR},2,1.5,1,1,0,S`, 'column high must be at least open and close, was "1.5"'],
    [CANDLES, `BTC,BTC,${HOUR},2,3,2.5,2,0,S`, 'column low must be at most open and close, was "2.5"'],
    [CANDLES, `BTC,BTC,${HOUR},2,3,1,2,-1,S`, 'column volume must be a number of at least 0, was "-1"'],
    [CANDLES, `BTC,BTC,${HOUR},1,1,1,1,0,S\nBTC,BTC,${HOUR},1,1,1,1,0,S`, 'line 3 column open_ms must be later'],
  ])('stops at a malformed row (%#)', (header, rows, message) => {
    const parse = (): unknown => parseCandleRows({ name: 'candles.csv', text: `${header}\n${rows}\n` });
    expect(parse).toThrow(message);
  });
});
