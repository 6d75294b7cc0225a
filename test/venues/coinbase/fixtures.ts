/** Recorded Coinbase payloads and credentials from the shared folder, and the instruments the tests know. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import type { Instrument } from '../../../src/market/instrument.ts';
import { parseProduct } from '../../../src/venues/coinbase/advanced-parse.ts';
import { CoinbaseMarkets } from '../../../src/venues/coinbase/markets.ts';
import type { CoinbaseMarket } from '../../../src/venues/coinbase/markets.ts';
import { parseInstrument } from '../../../src/venues/coinbase/parse.ts';
import { asFields, parseLosslessJson } from '../../../src/venues/json.ts';
import type { Fields } from '../../../src/venues/json.ts';

const shared = new URL('../../../../shared/venues/', import.meta.url);
const folder = new URL('fixtures/coinbase/', shared);
const vectorsUrl = new URL('vectors/coinbase.json', shared);
export const hasFixtures = existsSync(folder);
export const hasVectors = existsSync(vectorsUrl);

/** Names of all payloads whose folder begins so, for example `gw-`. */
export function fixturesOf(prefix: string): readonly string[] {
  if (!hasFixtures) return [];
  return readdirSync(folder)
    .filter((kind) => kind.startsWith(prefix))
    .flatMap((kind) =>
      readdirSync(new URL(`${kind}/`, folder)).map((file) => `${kind}/${file.replace(/\.json$/, '')}`),
    );
}
/** The text of one payload, for example `gw-time/nautilus-deribit-http_get_time`. */
export function fixture(name: string): string {
  return readFileSync(new URL(`${name}.json`, folder), 'utf8');
}
export function payload(name: string): Fields {
  return asFields(parseLosslessJson(fixture(name), name), name);
}
export function vectors(): Fields {
  return asFields(parseLosslessJson(readFileSync(vectorsUrl, 'utf8'), 'vectors'), 'vectors');
}

/** A listing of the gateway in its documented fields. */
export function listing(base: string, change: Readonly<Record<string, unknown>> = {}): Fields {
  return {
    instrument_name: `${base}_USDC-PERPETUAL`,
    kind: 'future',
    settlement_period: 'perpetual',
    base_currency: base,
    quote_currency: 'USDC',
    counter_currency: 'USDC',
    settlement_currency: 'USDC',
    tick_size: 0.5,
    tick_size_steps: [],
    min_trade_amount: 0.001,
    contract_size: 0.001,
    maker_commission: 0,
    taker_commission: 0.0005,
    max_leverage: 50,
    is_active: true,
    state: 'open',
    ...change,
  };
}

export function market(base: string, change: Readonly<Record<string, unknown>> = {}): CoinbaseMarket {
  const parsed = parseInstrument(listing(base, change));
  if (parsed === undefined) throw new Error(`${base} must be a perpetual`);
  return parsed;
}
export function instrument(base: string, change: Readonly<Record<string, unknown>> = {}): Instrument {
  return market(base, change).instrument;
}

/** Any symbol of the gateway, in the finest steps the samples use. */
export const findAny = (symbol: string): Instrument => ({
  ...instrument('BTC', { tick_size: 0.00000001, contract_size: 0.001, min_trade_amount: 0.001 }),
  symbol,
});

export function knownMarkets(): CoinbaseMarkets {
  const markets = new CoinbaseMarkets();
  markets.replace([market('BTC'), market('ETH', { tick_size: 0.05, contract_size: 0.001 })]);
  markets.watch(['BTC_USDC-PERPETUAL', 'ETH_USDC-PERPETUAL']);
  return markets;
}

/** A product of Advanced Trade in its documented fields: a hundredth of a bitcoin, in steps of 5 dollars. */
export function product(
  change: Readonly<Record<string, unknown>> = {},
  details: Readonly<Record<string, unknown>> = {},
): Fields {
  return {
    product_id: 'BIP-20DEC30-CDE',
    product_type: 'FUTURE',
    price: '68930',
    mid_market_price: '68925',
    price_increment: '5',
    quote_increment: '0.01',
    base_increment: '1',
    base_min_size: '1',
    base_max_size: '5000',
    quote_currency_id: 'USD',
    status: '',
    fcm_trading_session_details: { is_session_open: true, session_state: 'FCM_TRADING_SESSION_STATE_OPEN' },
    ...change,
    future_product_details: {
      contract_code: 'BIP',
      contract_size: '0.01',
      contract_root_unit: 'BTC',
      contract_expiry_type: 'EXPIRING',
      funding_interval: '3600s',
      funding_rate: '0.000013',
      funding_time: '2026-04-07T00:00:00Z',
      index_price: '68899.882564',
      overnight_margin_rate: { long_margin_rate: '0.245625', short_margin_rate: '0.306375' },
      intraday_margin_rate: { long_margin_rate: '0.1000185', short_margin_rate: '0.1000008' },
      ...details,
    },
  };
}
export function future(
  change?: Readonly<Record<string, unknown>>,
  details?: Readonly<Record<string, unknown>>,
): Instrument {
  const parsed = parseProduct(product(change, details));
  if (parsed === undefined) throw new Error('the product must be perpetual');
  return parsed;
}
