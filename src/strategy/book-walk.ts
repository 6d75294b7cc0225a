/** Walks an order book exactly, in ticks and lots: domain section 4. Pure functions, any thread. */
import type { BookLevel, BookView } from '../market/book.ts';

/** What taking a quantity costs. `costTickLots` is the exact sum of price x quantity; prices in ticks. */
export type Walk =
  | {
      readonly filled: true;
      readonly lots: number;
      readonly costTickLots: bigint;
      readonly vwapTicks: number;
      readonly worstTicks: number;
    }
  | { readonly filled: false; readonly availableLots: number };

/** Takes `lots` (positive) from levels sorted best first: asks for a buy, bids for a sell. */
export function walkBook(levels: readonly BookLevel[], lots: number): Walk {
  let missing = lots;
  // Exact either way: a plain number as long as it surely holds the sum, which it nearly always does.
  let cost = 0;
  let carriedCost = 0n;
  // Counted loops here and below: a scan walks hundreds of books, and an iterator and a pair for each level are its garbage.
  for (let index = 0; index < levels.length; index++) {
    const level = levels[index];
    if (level === undefined) break;
    const taken = Math.min(level[1], missing);
    const levelCost = level[0] * taken;
    if (cost + levelCost <= Number.MAX_SAFE_INTEGER) {
      cost += levelCost;
    } else {
      carriedCost += BigInt(cost) + BigInt(level[0]) * BigInt(taken);
      cost = 0;
    }
    missing -= taken;
    if (missing === 0) {
      const costTickLots = carriedCost + BigInt(cost);
      return { filled: true, lots, costTickLots, vwapTicks: Number(costTickLots) / lots, worstTicks: level[0] };
    }
  }
  return { filled: false, availableLots: lots - missing };
}

/** Returns the levels an order of this side takes from. */
export function opposite(book: BookView, side: 'buy' | 'sell'): readonly BookLevel[] {
  return side === 'buy' ? book.asks : book.bids;
}

/** Returns the middle of best bid and ask in ticks (may be half a tick); undefined for a one-sided book. */
export function midTicks(book: BookView): number | undefined {
  const bid = book.bids[0];
  const ask = book.asks[0];
  return bid === undefined || ask === undefined ? undefined : (bid[0] + ask[0]) / 2;
}

/** Returns half of the spread in bps of mid; undefined for a one-sided book, negative for a crossed one. */
export function halfSpreadBps(book: BookView): number | undefined {
  const mid = midTicks(book);
  const ask = book.asks[0];
  return mid === undefined || ask === undefined ? undefined : ((ask[0] - mid) / mid) * 1e4;
}

/** Returns how much worse than mid a walk of this side is, bps of mid, positive when worse. */
export function slippageBps(side: 'buy' | 'sell', vwapTicks: number, mid: number): number {
  return ((side === 'buy' ? vwapTicks - mid : mid - vwapTicks) / mid) * 1e4;
}

/** Returns the lots within `maxWalkBps` of mid that an order of this side could take; 0 for a one-sided book. */
export function usableLots(book: BookView, side: 'buy' | 'sell', maxWalkBps: number): number {
  const mid = midTicks(book);
  if (mid === undefined) return 0;
  const levels = opposite(book, side);
  let lots = 0;
  for (let index = 0; index < levels.length; index++) {
    const level = levels[index];
    if (level === undefined || slippageBps(side, level[0], mid) > maxWalkBps) break;
    lots += level[1];
  }
  return lots;
}
