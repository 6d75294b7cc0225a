/** Recorded Lighter payloads from the shared folder, and the two markets the tests know. */
import { existsSync, readFileSync } from 'node:fs';
import { LighterMarkets } from '../../../src/venues/lighter/markets.ts';
import type { LighterMarket } from '../../../src/venues/lighter/markets.ts';
import { parseMarket } from '../../../src/venues/lighter/parse.ts';

const folder = new URL('../../../../shared/venues/fixtures/lighter/', import.meta.url);
export const hasFixtures = existsSync(folder);

/** The text of one recorded payload, for example `ws.order_book.4`. */
export function fixture(name: string): string {
  return readFileSync(new URL(`${name}.json`, folder), 'utf8');
}

export function listing(symbol: string, marketId: number, change: Readonly<Record<string, unknown>> = {}): unknown {
  const isBitcoin = symbol === 'BTC';
  return {
    symbol,
    market_id: marketId,
    market_type: 'perp',
    status: 'active',
    taker_fee: '0.0000',
    maker_fee: '0.0000',
    min_base_amount: isBitcoin ? '0.00020' : '0.0050',
    min_quote_amount: '10.000000',
    order_quote_limit: '281474976.710655',
    size_decimals: isBitcoin ? 5 : 4,
    price_decimals: isBitcoin ? 1 : 2,
    min_initial_margin_fraction: 200,
    maintenance_margin_fraction: 120,
    market_config: { market_margin_mode: 0, force_reduce_only: false, hidden: false },
    ...change,
  };
}

export function market(symbol: string, marketId: number): LighterMarket {
  const parsed = parseMarket(listing(symbol, marketId));
  if (parsed === undefined) throw new Error(`${symbol} must be a market`);
  return parsed;
}

export const ETH = market('ETH', 0);
export const BTC = market('BTC', 1);

export function knownMarkets(): LighterMarkets {
  const markets = new LighterMarkets();
  markets.replace([ETH, BTC]);
  return markets;
}
