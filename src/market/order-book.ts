/** One market's order book as a connector keeps it: whole replacements, single levels, the best twenty on request. Any thread. */
import type { BookLevel, BookView } from './book.ts';

export type BookSide = 'bid' | 'ask';

/** Levels in a view, per side. */
const VIEW_LEVELS = 20;

/** One side: prices sorted best first, and what rests at each. */
interface Side {
  readonly better: (left: number, right: number) => boolean;
  readonly lotsByTicks: Map<number, number>;
  prices: number[];
}

/** Mutable, owned by one stream. Prices are ticks, sizes lots; the instrument is the owner's business. */
export class OrderBook {
  readonly #bids: Side = { better: (left, right) => left > right, lotsByTicks: new Map(), prices: [] };
  readonly #asks: Side = { better: (left, right) => left < right, lotsByTicks: new Map(), prices: [] };

  /** Forgets everything and takes these levels, in any order; sizes of 0 are left out, a price given twice keeps its last size. */
  replace(bids: readonly BookLevel[], asks: readonly BookLevel[]): void {
    fill(this.#bids, bids);
    fill(this.#asks, asks);
  }

  /** Sets the absolute size at one price; 0 or less deletes the level. */
  set(side: BookSide, priceTicks: number, lots: number): void {
    const levels = side === 'bid' ? this.#bids : this.#asks;
    const known = levels.lotsByTicks.has(priceTicks);
    if (lots <= 0) {
      if (!known) return;
      levels.lotsByTicks.delete(priceTicks);
      levels.prices.splice(placeOf(levels, priceTicks), 1);
      return;
    }
    levels.lotsByTicks.set(priceTicks, lots);
    if (!known) levels.prices.splice(placeOf(levels, priceTicks), 0, priceTicks);
  }

  /** Returns the size at one price, 0 when there is none. */
  lotsAt(side: BookSide, priceTicks: number): number {
    return (side === 'bid' ? this.#bids : this.#asks).lotsByTicks.get(priceTicks) ?? 0;
  }

  /** True when the best bid is at or above the best ask: such a book has lost a change. */
  crossed(): boolean {
    const bid = this.#bids.prices[0];
    const ask = this.#asks.prices[0];
    return bid !== undefined && ask !== undefined && bid >= ask;
  }

  /** Returns the best levels of both sides as plain data. Times as in BookView. */
  view(venue: string, symbol: string, venueAtMs: number, receivedAtMonotonicMs: number): BookView {
    return { venue, symbol, bids: best(this.#bids), asks: best(this.#asks), venueAtMs, receivedAtMonotonicMs };
  }
}

function fill(side: Side, levels: readonly BookLevel[]): void {
  side.lotsByTicks.clear();
  for (const [priceTicks, lots] of levels) {
    if (lots > 0) side.lotsByTicks.set(priceTicks, lots);
    else side.lotsByTicks.delete(priceTicks);
  }
  side.prices = [...side.lotsByTicks.keys()].sort((left, right) => (side.better(left, right) ? -1 : 1));
}

/** Where a price stands, or would stand, among the sorted ones. */
function placeOf(side: Side, priceTicks: number): number {
  let low = 0;
  let high = side.prices.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (side.better(side.prices[middle] ?? priceTicks, priceTicks)) low = middle + 1;
    else high = middle;
  }
  return low;
}

function best(side: Side): readonly BookLevel[] {
  return side.prices.slice(0, VIEW_LEVELS).map((priceTicks) => [priceTicks, side.lotsByTicks.get(priceTicks) ?? 0]);
}
