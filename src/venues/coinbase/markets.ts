/** What one adapter remembers of its venue: instruments, coarser price steps, the leverage asked for, prices of the spot feed. Connector thread. */
import type { Instrument } from '../../market/instrument.ts';

/** From this price on a price must be a multiple of so many ticks. */
export interface PriceStep {
  readonly fromTicks: number;
  readonly ticks: number;
}

export interface CoinbaseMarket {
  readonly instrument: Instrument;
  /** Rising; none where one tick serves all prices. */
  readonly priceSteps: readonly PriceStep[];
}

export class CoinbaseMarkets {
  #bySymbol: ReadonlyMap<string, CoinbaseMarket> = new Map();
  #watched: readonly string[] = [];
  readonly #leverageAsked = new Map<string, number>();

  /** Replaces all markets by a newly read list. */
  replace(markets: readonly CoinbaseMarket[]): void {
    this.#bySymbol = new Map(markets.map((market) => [market.instrument.symbol, market]));
  }

  readonly find = (symbol: string): Instrument | undefined => this.#bySymbol.get(symbol)?.instrument;

  market(symbol: string): CoinbaseMarket | undefined {
    return this.#bySymbol.get(symbol);
  }

  get instruments(): readonly Instrument[] {
    return [...this.#bySymbol.values()].map(({ instrument }) => instrument);
  }

  /** Symbols the connector trades; empty until its streams are planned. */
  get watched(): readonly string[] {
    return this.#watched;
  }
  watch(symbols: readonly string[]): void {
    this.#watched = [...symbols];
  }

  /**
   * The venue keeps no leverage of a market: all of the account stands behind its positions. What is asked for is remembered here and
   * counts as far as the market's own maximum allows it, which is what applies before anything was asked for.
   */
  askLeverage(symbol: string, leverage: number): void {
    this.#leverageAsked.set(symbol, leverage);
  }
  leverageOf(instrument: Instrument): number {
    return Math.min(this.#leverageAsked.get(instrument.symbol) ?? instrument.maxLeverage, instrument.maxLeverage);
  }
}

/** The nearest price that the steps allow: never above for `down`, never below for `up`. */
export function allowedTicks(ticks: number, steps: readonly PriceStep[], direction: 'down' | 'up'): number {
  const step = steps.findLast(({ fromTicks }) => ticks >= fromTicks)?.ticks ?? 1;
  return (direction === 'down' ? Math.floor(ticks / step) : Math.ceil(ticks / step)) * step;
}
