/** One market's order book as a connector keeps it: whole replacements, single levels, the best twenty on request. Any thread. */
import type { BookLevel, BookView } from './book.ts';

export type BookSide = 'bid' | 'ask';

/** Levels in a view, per side. */
const VIEW_LEVELS = 20;
/** Levels held per side, so that no venue can fill our memory; ten times what anybody looks at. */
const HELD_LEVELS_MAX = 200;

/** One side: prices sorted best first, and what rests at each. */
interface Side {
  readonly better: (left: number, right: number) => boolean;
  readonly lotsByTicks: Map<number, number>;
  prices: number[];
  /** The best price ever dropped since the last replacement: from there on, a price that is not held may rest at the venue. */
  unknownFromTicks: number | undefined;
}

/** Mutable, owned by one stream. Prices are ticks, sizes lots; the instrument is the owner's business. */
export class OrderBook {
  readonly #bids: Side = emptySide((left, right) => left > right);
  readonly #asks: Side = emptySide((left, right) => left < right);

  /** Forgets everything and takes these levels, in any order; sizes of 0 are left out, a price given twice keeps its last size. */
  replace(bids: readonly BookLevel[], asks: readonly BookLevel[]): void {
    fill(this.#bids, bids);
    fill(this.#asks, asks);
  }

  /** Sets the absolute size at one price; 0 or less deletes the level. The worst level leaves a side that is full. */
  set(side: BookSide, priceTicks: number, lots: number): void {
    const levels = this.#side(side);
    const known = levels.lotsByTicks.has(priceTicks);
    if (lots <= 0) {
      if (!known) return;
      levels.lotsByTicks.delete(priceTicks);
      levels.prices.splice(placeOf(levels, priceTicks), 1);
      return;
    }
    levels.lotsByTicks.set(priceTicks, lots);
    if (known) return;
    levels.prices.splice(placeOf(levels, priceTicks), 0, priceTicks);
    dropWorst(levels);
  }

  /** Adds to the size at one price, which may become nothing. A price whose size was dropped stays unknown: a sum would be wrong. */
  add(side: BookSide, priceTicks: number, lots: number): void {
    const { lotsByTicks, unknownFromTicks, better } = this.#side(side);
    const before = lotsByTicks.get(priceTicks);
    const isUnknown = before === undefined && unknownFromTicks !== undefined && !better(priceTicks, unknownFromTicks);
    if (!isUnknown) this.set(side, priceTicks, (before ?? 0) + lots);
  }

  /** Returns the size at one price, 0 when there is none. */
  lotsAt(side: BookSide, priceTicks: number): number {
    return this.#side(side).lotsByTicks.get(priceTicks) ?? 0;
  }

  /** Returns how many levels a side holds. */
  levels(side: BookSide): number {
    return this.#side(side).prices.length;
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

  #side(side: BookSide): Side {
    return side === 'bid' ? this.#bids : this.#asks;
  }
}

function emptySide(better: Side['better']): Side {
  return { better, lotsByTicks: new Map(), prices: [], unknownFromTicks: undefined };
}

function fill(side: Side, levels: readonly BookLevel[]): void {
  side.lotsByTicks.clear();
  for (const [priceTicks, lots] of levels) {
    if (lots > 0) side.lotsByTicks.set(priceTicks, lots);
    else side.lotsByTicks.delete(priceTicks);
  }
  side.prices = [...side.lotsByTicks.keys()].sort((left, right) => (side.better(left, right) ? -1 : 1));
  side.unknownFromTicks = undefined;
  dropWorst(side);
}

/** A book that is thinner than the venue's is safe to trade on; one that grows without end is not safe to hold. */
function dropWorst(side: Side): void {
  for (const priceTicks of side.prices.splice(HELD_LEVELS_MAX)) {
    side.lotsByTicks.delete(priceTicks);
    if (side.unknownFromTicks === undefined || side.better(priceTicks, side.unknownFromTicks))
      side.unknownFromTicks = priceTicks;
  }
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
