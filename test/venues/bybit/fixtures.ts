/** Recorded Bybit payloads and signatures from the shared folder, and the instruments the tests know. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import type { Instrument } from '../../../src/market/instrument.ts';
import { asFields, parseLosslessJson } from '../../../src/venues/json.ts';
import type { Fields } from '../../../src/venues/json.ts';
import { BybitMarkets } from '../../../src/venues/bybit/markets.ts';
import { parseInstrument } from '../../../src/venues/bybit/parse.ts';

const shared = new URL('../../../../shared/venues/', import.meta.url);
const folder = new URL('fixtures/bybit/', shared);
const vectorsUrl = new URL('vectors/bybit.json', shared);
export const hasFixtures = existsSync(folder);
export const hasVectors = existsSync(vectorsUrl);

/** The text of one recorded payload, for example `rest-time/docs-market-time-1`. */
export function fixture(name: string): string {
  return readFileSync(new URL(`${name}.json`, folder), 'utf8');
}
/** Names of all payloads of one kind. */
export function fixturesOf(kind: string): readonly string[] {
  return readdirSync(new URL(`${kind}/`, folder)).map((file) => `${kind}/${file.replace(/\.json$/, '')}`);
}
export function vectors(): Fields {
  return asFields(parseLosslessJson(readFileSync(vectorsUrl, 'utf8'), 'vectors'), 'vectors');
}

export function listing(
  symbol: string,
  change: Readonly<Record<string, unknown>> = {},
): Readonly<Record<string, unknown>> {
  return {
    symbol,
    contractType: 'LinearPerpetual',
    status: 'Trading',
    baseCoin: symbol.replace(/USDT$/, ''),
    quoteCoin: 'USDT',
    settleCoin: 'USDT',
    deliveryTime: '0',
    fundingInterval: 480,
    leverageFilter: { minLeverage: '1', maxLeverage: '100.00', leverageStep: '0.01' },
    priceFilter: { minPrice: '0.10', maxPrice: '1999999.80', tickSize: '0.10' },
    lotSizeFilter: { maxOrderQty: '1190.000', minOrderQty: '0.001', qtyStep: '0.001', minNotionalValue: '5' },
    isPreListing: false,
    riskParameters: { priceLimitRatioX: '0.01', priceLimitRatioY: '0.02' },
    ...change,
  };
}

export function instrument(symbol: string, change: Readonly<Record<string, unknown>> = {}): Instrument {
  const parsed = parseInstrument(listing(symbol, change), 'USDT');
  if (parsed === undefined) throw new Error(`${symbol} must be a perpetual`);
  return parsed;
}

/** Any symbol, in the finest steps the samples use. */
export const findAny = (symbol: string): Instrument =>
  instrument(symbol, {
    priceFilter: { tickSize: '0.00001' },
    lotSizeFilter: { minOrderQty: '0.00001', qtyStep: '0.00001' },
  });

export function knownMarkets(): BybitMarkets {
  const markets = new BybitMarkets('USDT');
  markets.replace([instrument('BTCUSDT'), instrument('ETHUSDT', { priceFilter: { tickSize: '0.01' } })]);
  markets.watch(['BTCUSDT', 'ETHUSDT']);
  return markets;
}
