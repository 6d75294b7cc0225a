/** Everyone else's resting orders in one simulated market: a book that follows the tape and recovers when eaten. Any thread. */
import { allowedStepTicks } from '../money/significant-digits.ts';
import type { RandomStream } from '../runtime/actor.ts';
import type { MarketScale } from './exchange-arithmetic.ts';
import type { TapeQuote } from './market-tape.ts';

/** Levels kept on each side. */
const LEVELS = 25;
/** Distance of neighbouring levels, fraction of the price; at least one tick. */
const LEVEL_GAP = 1e-4;
/** The tape states depth within this distance of mid. */
const DEPTH_WITHIN = 10e-4;
/** No level stands above this multiple of mid. */
const BOOK_TOP = 1.05;
/** The touch is thinner than the levels behind it. */
const TOUCH_SHARE = 0.5;
/** Share of untouched levels whose size is drawn anew at a refresh. */
const REDRAW_SHARE = 0.15;

export interface OutsideLevel {
  readonly priceTicks: number;
  lots: number;
  /** What the level grows back to after being eaten. */
  readonly targetLots: number;
}

export type Side = 'buy' | 'sell';

/** One instance per market; told when sizes change through `touched`, so that only changed levels are published. */
export class OutsideLiquidity {
  #bids: OutsideLevel[] = [];
  #asks: OutsideLevel[] = [];
  readonly #scale: MarketScale;
  readonly #random: RandomStream;
  readonly #touched: (side: Side, priceTicks: number) => void;

  constructor(scale: MarketScale, random: RandomStream, touched: (side: Side, priceTicks: number) => void) {
    this.#scale = scale;
    this.#random = random;
    this.#touched = touched;
  }

  /** Best first. */
  levels(side: Side): readonly OutsideLevel[] {
    return side === 'buy' ? this.#bids : this.#asks;
  }

  best(side: Side): OutsideLevel | undefined {
    return side === 'buy' ? this.#bids[0] : this.#asks[0];
  }

  /** Takes up to `lots` from the best level of a side; returns what was there. */
  takeBest(side: Side, lots: number): number {
    const levels = side === 'buy' ? this.#bids : this.#asks;
    const best = levels[0];
    if (best === undefined) return 0;
    const taken = Math.min(lots, best.lots);
    best.lots -= taken;
    this.#touched(side, best.priceTicks);
    if (best.lots === 0) levels.shift();
    return taken;
  }

  /** Moves both sides to the tape's quote. Eaten levels come back by half of what is missing at each refresh. */
  refresh(quote: TapeQuote): void {
    const contractMid = quote.mid * this.#scale.instrument.multiplier;
    const half = contractMid * (quote.spreadBps / 2e4);
    // Where prices have few digits, levels stand on steps that are allowed in the whole book.
    const step = allowedStepTicks((contractMid * BOOK_TOP) / this.#scale.tickSize, this.#scale.instrument);
    const bidTicks = Math.max(1, Math.floor((contractMid - half) / this.#scale.tickSize / step)) * step;
    const askTicks = Math.max(bidTicks + step, Math.ceil((contractMid + half) / this.#scale.tickSize / step) * step);
    const gapTicks = Math.max(1, Math.round((contractMid * LEVEL_GAP) / this.#scale.tickSize / step)) * step;
    const levelsWithin = Math.max(
      1,
      Math.floor((contractMid * DEPTH_WITHIN - half) / (gapTicks * this.#scale.tickSize)),
    );
    const levelLots = quote.depthQuote / levelsWithin / (contractMid * this.#scale.lotSize);

    this.#bids = this.#moved('buy', this.#bids, bidPrices(bidTicks, gapTicks), levelLots);
    this.#asks = this.#moved('sell', this.#asks, askPrices(askTicks, gapTicks), levelLots);
  }

  #moved(side: Side, old: readonly OutsideLevel[], prices: readonly number[], levelLots: number): OutsideLevel[] {
    const known = new Map<number, OutsideLevel>();
    for (const level of old) known.set(level.priceTicks, level);
    const worst = old[old.length - 1]?.priceTicks;

    const moved: OutsideLevel[] = [];
    prices.forEach((priceTicks, index) => {
      const before = known.get(priceTicks);
      known.delete(priceTicks);
      const redraw = before === undefined || this.#random.nextFraction() < REDRAW_SHARE;
      const targetLots = redraw ? this.#drawLots(levelLots, index) : before.targetLots;
      // A price inside the old book that has no level was eaten: it grows back like one that was only nibbled at.
      const eaten = before === undefined && worst !== undefined && isBetterOrEqual(side, priceTicks, worst);
      const from = before?.lots ?? (eaten ? 0 : targetLots);
      const lots = from < targetLots ? from + Math.ceil((targetLots - from) / 2) : targetLots;
      if (lots !== before?.lots) this.#touched(side, priceTicks);
      moved.push({ priceTicks, lots, targetLots });
    });
    for (const gone of known.keys()) this.#touched(side, gone);
    return moved;
  }

  #drawLots(levelLots: number, index: number): number {
    const variation = 0.6 + 0.8 * this.#random.nextFraction();
    return Math.max(1, Math.round(levelLots * variation * (index === 0 ? TOUCH_SHARE : 1)));
  }
}

function isBetterOrEqual(side: Side, priceTicks: number, other: number): boolean {
  return side === 'buy' ? priceTicks >= other : priceTicks <= other;
}

/** The touch, then whole multiples of the gap: a moving mid leaves most prices where they were. */
function bidPrices(bestTicks: number, gapTicks: number): number[] {
  const prices = [bestTicks];
  let next = Math.ceil(bestTicks / gapTicks) * gapTicks - gapTicks;
  while (prices.length < LEVELS && next > 0) {
    prices.push(next);
    next -= gapTicks;
  }
  return prices;
}

function askPrices(bestTicks: number, gapTicks: number): number[] {
  const prices = [bestTicks];
  let next = Math.floor(bestTicks / gapTicks) * gapTicks + gapTicks;
  while (prices.length < LEVELS) {
    prices.push(next);
    next += gapTicks;
  }
  return prices;
}
