/** What one adapter remembers of its venue: markets with their settlement ids, account fees, and whose order is whose. Connector thread. */
import type { PicoRate } from '../../money/units.ts';
import { formatDecimal } from '../../money/decimal.ts';
import type { ExtendedMarket } from './parse.ts';

/** Highest fee signed before the account's own rate is read, and the lowest highest fee ever signed: 0.05 %. */
const FEE_CEILING: number = 500_000_000;
/** Orders whose client id is remembered: fills on the stream may name only the venue's id. */
const ORDERS_REMEMBERED_MAX = 20_000;

export class ExtendedMarkets {
  #bySymbol: ReadonlyMap<string, ExtendedMarket> = new Map();
  #watched: readonly string[] = [];
  readonly #takerFees = new Map<string, PicoRate>();
  readonly #clientOrderIds = new Map<string, string>();

  /** Replaces all markets by a newly read list. */
  replace(markets: readonly ExtendedMarket[]): void {
    this.#bySymbol = new Map(markets.map((market) => [market.instrument.symbol, market]));
  }

  /** Also finds markets that are not offered for trading: the account may hold positions there. */
  readonly find = (symbol: string): ExtendedMarket | undefined => this.#bySymbol.get(symbol);

  /** Symbols the connector trades; empty until its streams are planned. */
  get watched(): readonly string[] {
    return this.#watched;
  }
  watch(symbols: readonly string[]): void {
    this.#watched = [...symbols];
  }

  learnTakerFee(symbol: string, fee: PicoRate): void {
    this.#takerFees.set(symbol, fee);
  }

  /**
   * The highest fee rate to sign for, decimal text. It only bounds the charge, which is the account's actual rate, so a generous
   * bound costs nothing while a tight one lets a hedge fail (code 1128) when the fee tier has just changed.
   */
  feeRateText(symbol: string): string {
    const fee = Math.max(FEE_CEILING, this.#takerFees.get(symbol) ?? 0);
    return formatDecimal(BigInt(fee), 12).replace(/0+$/, '');
  }

  learnOrder(venueOrderId: string, clientOrderId: string): void {
    if (clientOrderId === '' || this.#clientOrderIds.has(venueOrderId)) return;
    this.#clientOrderIds.set(venueOrderId, clientOrderId);
    if (this.#clientOrderIds.size <= ORDERS_REMEMBERED_MAX) return;
    for (const oldest of this.#clientOrderIds.keys()) {
      this.#clientOrderIds.delete(oldest);
      return;
    }
  }

  readonly clientOrderIdOf = (venueOrderId: string): string | undefined => this.#clientOrderIds.get(venueOrderId);
}
