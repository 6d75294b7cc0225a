/** How the legs of an entry follow one another, and which way is the cheapest (domain 5.1, 7.1). Pure functions, any thread. */

export type EntryMode =
  /** Both legs are taken in the same moment. */
  | { readonly mode: 'taker-taker' }
  /** `leg` is quoted at `quoteTicks`, each of its fills is hedged at once; what is not filled in time is taken if `escalate`. */
  | {
      readonly mode: 'maker-taker';
      readonly leg: 'long' | 'short';
      readonly quoteTicks: number;
      readonly escalate: boolean;
    }
  /** `leg` first, the other one once a query has proven it. */
  | { readonly mode: 'sequential'; readonly leg: 'long' | 'short' };

export interface EntryModePolicy {
  readonly mode: 'auto' | EntryMode['mode'];
  /** Venues whose fills only a query makes known: their leg goes first. */
  readonly queriedVenues: readonly string[];
}

export interface MakerEntryPolicy {
  /** A quoted entry must be expected to save this much of the notional, 1e-4. */
  readonly minSavingBps: number;
  /** How likely a quote is filled in time. */
  readonly fillProbability: number;
  /** What an unfilled quote is expected to cost, and the most it may: the market has moved by this, 1e-4. */
  readonly maxAdverseBps: number;
  /** Monotonic ms. */
  readonly timeoutMs: number;
  readonly escalate: boolean;
}

/** One leg as both ways of opening it see it; prices in quote per base unit, fees as fractions. */
export interface ModeLeg {
  readonly venue: string;
  readonly side: 'long' | 'short';
  /** Average price of taking. */
  readonly takePrice: number;
  /** Price of resting at the touch; undefined when the book has no such side. */
  readonly quotePrice: number | undefined;
  readonly quoteTicks: number;
  readonly takerFee: number;
  readonly makerFee: number;
  /** Base units within reach on the side that opening takes from. */
  readonly depth: number;
  /** Its connector has room for a hedge at any moment. */
  readonly canHedge: boolean;
  /** Monotonic ms to the coming settlement. */
  readonly settlesInMs: number;
}

export interface MakerChoice {
  readonly leg: ModeLeg;
  /** Saving when the quote is filled, and expected with the chance that it is not, 1e-4. */
  readonly savingBps: number;
  readonly expectedSavingBps: number;
}

/**
 * Returns the leg to quote and what that is worth, or undefined when no leg can be. The hedge goes to the deeper book, where it is
 * surely filled; between equals the higher saving in fees decides.
 */
export function chooseMaker(legs: readonly [ModeLeg, ModeLeg], policy: MakerEntryPolicy): MakerChoice | undefined {
  const [long, short] = legs;
  // A quote that may still rest when funding settles would be paid, or pay, for a leg that is not there.
  if (long.settlesInMs <= policy.timeoutMs || short.settlesInMs <= policy.timeoutMs) return undefined;
  const [one, other] = [quoted(long, short, policy), quoted(short, long, policy)];
  if (one === undefined || other === undefined) return one ?? other;
  const difference = feeSaving(other.leg) - feeSaving(one.leg) || other.expectedSavingBps - one.expectedSavingBps;
  return difference > 0 ? other : one;
}

function quoted(leg: ModeLeg, hedge: ModeLeg, policy: MakerEntryPolicy): MakerChoice | undefined {
  if (leg.quotePrice === undefined || hedge.depth < leg.depth || !hedge.canHedge) return undefined;
  const better = leg.side === 'long' ? leg.takePrice - leg.quotePrice : leg.quotePrice - leg.takePrice;
  const savingBps = (better / leg.takePrice + feeSaving(leg)) * 1e4;
  const { fillProbability, maxAdverseBps } = policy;
  return { leg, savingBps, expectedSavingBps: fillProbability * savingBps - (1 - fillProbability) * maxAdverseBps };
}

function feeSaving({ takerFee, makerFee }: ModeLeg): number {
  return takerFee - makerFee;
}

/** Returns the way to enter. A mode that was set is used as far as it can be; `auto` quotes when that is worth it. */
export function chooseEntryMode(
  legs: readonly [ModeLeg, ModeLeg],
  { mode, queriedVenues }: EntryModePolicy,
  maker: MakerEntryPolicy,
): EntryMode {
  const queried = queriedVenues.length === 0 ? [] : legs.filter((leg) => queriedVenues.includes(leg.venue));
  if (mode === 'sequential' || (mode === 'auto' && queried.length > 0)) {
    // Between two of a kind the thinner book first: it is the one that may not fill.
    const first = (queried.length > 0 ? queried : [...legs]).toSorted((one, other) => one.depth - other.depth)[0];
    return { mode: 'sequential', leg: first?.side ?? 'long' };
  }
  if (mode === 'taker-taker') return { mode };
  const choice = chooseMaker(legs, maker);
  if (choice === undefined || (mode === 'auto' && choice.expectedSavingBps <= maker.minSavingBps))
    return { mode: 'taker-taker' };
  const { side, quoteTicks } = choice.leg;
  return { mode: 'maker-taker', leg: side, quoteTicks, escalate: maker.escalate };
}
