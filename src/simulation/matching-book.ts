/** The order book of one simulated market: outside liquidity plus our accounts' resting orders. Any thread. */
import type { RandomStream } from '../runtime/actor.ts';
import type { ExchangeOrderState } from './exchange.ts';
import type { MarketScale } from './exchange-arithmetic.ts';
import type { TapeQuote } from './market-tape.ts';
import { OutsideLiquidity } from './outside-liquidity.ts';
import type { Side } from './outside-liquidity.ts';

/** One accepted order; `state` is replaced, never changed, so it can be handed out. */
export interface LiveOrder {
  state: ExchangeOrderState;
}

/** What a taker meets next. At one price outside liquidity stands first. */
export type Counterparty =
  | { readonly type: 'outside'; readonly priceTicks: number; readonly lots: number }
  | { readonly type: 'resting'; readonly priceTicks: number; readonly lots: number; readonly live: LiveOrder };

export type Levels = readonly (readonly [priceTicks: number, lots: number])[];

export class MatchingBook {
  readonly outside: OutsideLiquidity;
  /** Best first, then oldest first. */
  readonly #restingBids: LiveOrder[] = [];
  readonly #restingAsks: LiveOrder[] = [];
  readonly #touchedBids = new Set<number>();
  readonly #touchedAsks = new Set<number>();
  readonly #publishedBids = new Map<number, number>();
  readonly #publishedAsks = new Map<number, number>();

  constructor(scale: MarketScale, random: RandomStream) {
    this.outside = new OutsideLiquidity(scale, random, (side, priceTicks) => this.#touch(side, priceTicks));
  }

  resting(side: Side): readonly LiveOrder[] {
    return side === 'buy' ? this.#restingBids : this.#restingAsks;
  }

  add(live: LiveOrder): void {
    const { side, limitTicks } = live.state;
    const queue = side === 'buy' ? this.#restingBids : this.#restingAsks;
    const behind = queue.findIndex((other) =>
      side === 'buy' ? other.state.limitTicks < limitTicks : other.state.limitTicks > limitTicks,
    );
    queue.splice(behind < 0 ? queue.length : behind, 0, live);
    this.#touch(side, limitTicks);
  }

  remove(live: LiveOrder): void {
    const queue = live.state.side === 'buy' ? this.#restingBids : this.#restingAsks;
    const index = queue.indexOf(live);
    if (index < 0) return;
    queue.splice(index, 1);
    this.#touch(live.state.side, live.state.limitTicks);
  }

  /** To be called when a resting order's open lots changed. */
  resized(live: LiveOrder): void {
    this.#touch(live.state.side, live.state.limitTicks);
  }

  /** The best standing on `side` of the book, or undefined when that side is empty. */
  best(side: Side): Counterparty | undefined {
    const level = this.outside.best(side);
    const live = this.resting(side)[0];
    if (live !== undefined) {
      const { limitTicks, lots, filledLots } = live.state;
      const ahead =
        level === undefined || (side === 'buy' ? limitTicks > level.priceTicks : limitTicks < level.priceTicks);
      if (ahead) return { type: 'resting', priceTicks: limitTicks, lots: lots - filledLots, live };
    }
    return level === undefined ? undefined : { type: 'outside', priceTicks: level.priceTicks, lots: level.lots };
  }

  refresh(quote: TapeQuote): void {
    this.outside.refresh(quote);
  }

  /** Total sizes by price, best first. */
  levels(side: Side): Levels {
    const outside = this.outside.levels(side);
    const resting = this.resting(side);
    if (resting.length === 0) return outside.map((level) => [level.priceTicks, level.lots] as const);
    const totals = new Map<number, number>();
    for (const level of outside) totals.set(level.priceTicks, level.lots);
    for (const { state } of resting) {
      totals.set(state.limitTicks, (totals.get(state.limitTicks) ?? 0) + state.lots - state.filledLots);
    }
    return [...totals].sort((a, b) => (side === 'buy' ? b[0] - a[0] : a[0] - b[0]));
  }

  /** Returns the levels whose size differs from what was last published, and counts them as published. */
  takeChanges(): { readonly bids: Levels; readonly asks: Levels } | undefined {
    const bids = this.#changes('buy', this.#touchedBids, this.#publishedBids);
    const asks = this.#changes('sell', this.#touchedAsks, this.#publishedAsks);
    return bids.length + asks.length === 0 ? undefined : { bids, asks };
  }

  #changes(side: Side, touched: Set<number>, published: Map<number, number>): (readonly [number, number])[] {
    if (touched.size === 0) return [];
    const now = new Map<number, number>(this.levels(side));
    const changes: (readonly [number, number])[] = [];
    for (const priceTicks of touched) {
      const lots = now.get(priceTicks) ?? 0;
      if (lots === (published.get(priceTicks) ?? 0)) continue;
      if (lots === 0) published.delete(priceTicks);
      else published.set(priceTicks, lots);
      changes.push([priceTicks, lots]);
    }
    touched.clear();
    return changes.sort((a, b) => (side === 'buy' ? b[0] - a[0] : a[0] - b[0]));
  }

  #touch(side: Side, priceTicks: number): void {
    (side === 'buy' ? this.#touchedBids : this.#touchedAsks).add(priceTicks);
  }
}
