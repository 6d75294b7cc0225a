/** What one adapter remembers of its venue: the perpetuals of the main exchange, by coin and by asset number. Connector thread. */
import type { Instrument } from '../../market/instrument.ts';

/** One perpetual: what everybody may know and what an action names it by. */
export interface HyperliquidMarket {
  readonly instrument: Instrument;
  /** Index in the venue's list, for ever. */
  readonly asset: number;
  /** True where only isolated margin is allowed. */
  readonly isolatedOnly: boolean;
  readonly isDelisted: boolean;
}
export type FindMarket = (coin: string) => HyperliquidMarket | undefined;

export class HyperliquidMarkets {
  #byCoin: ReadonlyMap<string, HyperliquidMarket> = new Map();

  /** Replaces all markets by a newly read list. */
  replace(markets: readonly HyperliquidMarket[]): void {
    this.#byCoin = new Map(markets.map((market) => [market.instrument.symbol, market]));
  }

  /** Also finds delisted markets: the account's history may name them. */
  readonly find: FindMarket = (coin) => this.#byCoin.get(coin);
}
