/** The perpetual markets one account's connector knows, by id and by symbol. Filled from the venue's list; connector thread only. */
import type { Instrument } from '../../market/instrument.ts';
import { RangeViolation } from '../../money/range-violation.ts';

export interface LighterMarket {
  readonly marketId: number;
  readonly instrument: Instrument;
}

export class LighterMarkets {
  #byId: ReadonlyMap<number, LighterMarket> = new Map();
  #bySymbol: ReadonlyMap<string, LighterMarket> = new Map();

  replace(markets: readonly LighterMarket[]): void {
    this.#byId = new Map(markets.map((market) => [market.marketId, market]));
    this.#bySymbol = new Map(markets.map((market) => [market.instrument.symbol, market]));
  }

  byId(marketId: number): LighterMarket | undefined {
    return this.#byId.get(marketId);
  }

  bySymbol(symbol: string): LighterMarket | undefined {
    return this.#bySymbol.get(symbol);
  }

  /** Throws RangeViolation for a symbol that is not among the venue's markets. */
  required(symbol: string): LighterMarket {
    const market = this.#bySymbol.get(symbol);
    if (market === undefined) throw new RangeViolation('lighter symbol', 'a market read from the venue', symbol);
    return market;
  }
}
