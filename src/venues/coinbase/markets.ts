/** What one adapter remembers of its venue: instruments, coarser price steps, the leverage asked for, prices of the spot feed. Connector thread. */
import { HOUR_MS } from '../../market/funding-rate.ts';
import type { Instrument } from '../../market/instrument.ts';
import type { QuantityLots } from '../../money/units.ts';
import type { OrderReport, PositionReport } from '../venue.ts';

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

const ORDERS_MAX = 5_000;

export class CoinbaseMarkets {
  #bySymbol: ReadonlyMap<string, CoinbaseMarket> = new Map();
  #watched: readonly string[] = [];
  readonly #leverageAsked = new Map<string, number>();
  readonly #tickerHeardAtMs = new Map<string, number>();
  readonly #settledReadMs = new Map<string, number>();
  /** Orders by the venue's id, newest last: where fills name no other, and cancels take no other. */
  readonly #orders = new Map<string, OrderReport>();
  /** Positions by symbol, as last read. */
  readonly #positions = new Map<string, PositionReport>();

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

  /** Takes note of an order. Returns it with all that was ever asked for: reports of its end may only say what was filled. */
  rememberOrder(order: OrderReport): OrderReport {
    const known = this.#orders.get(order.venueOrderId);
    const lots = Math.max(order.lots, known?.lots ?? 0) as QuantityLots;
    const whole = { ...order, lots };
    this.#orders.delete(order.venueOrderId);
    this.#orders.set(order.venueOrderId, whole);
    if (this.#orders.size > ORDERS_MAX) for (const oldest of this.#orders.keys()) return this.#forget(oldest, whole);
    return whole;
  }
  #forget(venueOrderId: string, order: OrderReport): OrderReport {
    this.#orders.delete(venueOrderId);
    return order;
  }
  knowsOrder(venueOrderId: string): boolean {
    return this.#orders.has(venueOrderId);
  }
  /** Our id of an order, empty text where it is not ours or not known. */
  clientOrderIdOf(venueOrderId: string): string {
    return this.#orders.get(venueOrderId)?.clientOrderId ?? '';
  }
  venueOrderIdOf(clientOrderId: string): string | undefined {
    for (const order of this.#orders.values()) if (order.clientOrderId === clientOrderId) return order.venueOrderId;
    return undefined;
  }

  /** Takes note of a position as REST has it. */
  rememberPosition(position: PositionReport): PositionReport {
    this.#positions.set(position.symbol, position);
    return position;
  }
  /** A position as the stream has it, with what only REST says of one just as large. */
  completedPosition(position: PositionReport): PositionReport {
    const known = this.#positions.get(position.symbol);
    return known?.signedLots === position.signedLots ? { ...known, ...position } : position;
  }

  /** A ticker came, by stream or by question. */
  tickerHeard(symbol: string, nowMonotonicMs: number): void {
    this.#tickerHeardAtMs.set(symbol, nowMonotonicMs);
  }

  /** A new connection has told nothing yet. */
  forgetTickers(): void {
    this.#tickerHeardAtMs.clear();
  }

  /** Watched symbols not heard of for so long, longest silence first. */
  quietTickers(quietMs: number, nowMonotonicMs: number): readonly string[] {
    const heardAt = (symbol: string): number => this.#tickerHeardAtMs.get(symbol) ?? Number.NEGATIVE_INFINITY;
    return this.#watched
      .filter((symbol) => nowMonotonicMs - heardAt(symbol) >= quietMs)
      .toSorted((one, other) => heardAt(one) - heardAt(other));
  }

  /** Watched symbols with an hour that ended and whose rate was not read yet, and from when on to ask. */
  settledDue(nowMs: number): readonly { readonly symbol: string; readonly sinceMs: number }[] {
    const endedMs = Math.floor(nowMs / HOUR_MS) * HOUR_MS;
    return this.#watched
      .map((symbol) => ({ symbol, readMs: this.#settledReadMs.get(symbol) ?? endedMs - HOUR_MS }))
      .filter(({ readMs }) => readMs < endedMs)
      .map(({ symbol, readMs }) => ({ symbol, sinceMs: readMs + 1 }));
  }
  settledRead(symbol: string, settledAtMs: number): void {
    this.#settledReadMs.set(symbol, Math.max(settledAtMs, this.#settledReadMs.get(symbol) ?? 0));
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
