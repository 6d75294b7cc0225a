/** Where a venue would close a leg, and how much leverage keeps that far away: domain 6.2 and 6.3. Pure functions, any thread. */

/** Returns the mark at which an isolated linear position is liquidated. `maintenance` is the fraction of notional of its tier. */
export function liquidationPrice(
  side: 'long' | 'short',
  entryPrice: number,
  leverage: number,
  maintenance: number,
): number {
  return side === 'long'
    ? (entryPrice * (1 - 1 / leverage)) / (1 - maintenance)
    : (entryPrice * (1 + 1 / leverage)) / (1 + maintenance);
}

/**
 * Returns the mark at which a position whose margin is `marginQuote` (equity at the entry price, accrued funding and fees folded in)
 * is liquidated. Quantities unsigned. Not above 0 for a long leg that its margin pays for in full.
 */
export function liquidationPriceAt(
  side: 'long' | 'short',
  quantity: number,
  entryPrice: number,
  marginQuote: number,
  maintenance: number,
): number {
  return side === 'long'
    ? (entryPrice * quantity - marginQuote) / (quantity * (1 - maintenance))
    : (entryPrice * quantity + marginQuote) / (quantity * (1 + maintenance));
}

/**
 * Returns the margin an account with cross margin has for one leg, at that leg's entry price: what is free, and the initial margin
 * the leg itself binds. What other positions bind stays theirs.
 */
export function accountMargin(
  side: 'long' | 'short',
  quantity: number,
  entryPrice: number,
  markPrice: number,
  leverage: number,
  availableQuote: number,
): number {
  const unrealised = (side === 'long' ? 1 : -1) * quantity * (markPrice - entryPrice);
  return availableQuote + (quantity * markPrice) / leverage - unrealised;
}

/** Returns the equity per notional at mark that keeps liquidation `distance` away. */
export function equityShareFor(side: 'long' | 'short', distance: number, maintenance: number): number {
  return 1 / maxLeverageFor(side, distance, maintenance);
}

/**
 * Returns the part of a leg to keep so that its liquidation moves from `distance` to `wanted` away: equity stays and notional goes.
 * 1 when it is as far away already, 0 when nothing is left to keep.
 */
export function shareToKeep(side: 'long' | 'short', distance: number, wanted: number, maintenance: number): number {
  const share = equityShareFor(side, distance, maintenance) / equityShareFor(side, wanted, maintenance);
  return Math.min(1, Math.max(0, share));
}

/** Returns what to move to a leg's venue, quote, so that it has the margin of `leverage` again: domain 11.4. Not negative. */
export function transferNeeded(
  side: 'long' | 'short',
  notionalQuote: number,
  distance: number,
  leverage: number,
  maintenance: number,
): number {
  const equityQuote = notionalQuote * equityShareFor(side, distance, maintenance);
  return Math.max(0, notionalQuote * (maintenance + 1 / leverage) - equityQuote);
}

/** Returns how far mark is from a liquidation price, as a fraction of mark. */
export function liquidationDistance(markPrice: number, liquidationAt: number): number {
  return Math.abs(markPrice - liquidationAt) / markPrice;
}

/**
 * Returns the closer of the distances to the venue's reported and the computed liquidation price; a price already passed has
 * distance 0. `reported` is absent where the venue states none.
 */
export function closestLiquidationDistance(
  side: 'long' | 'short',
  markPrice: number,
  computed: number,
  reported: number | undefined,
): number {
  const nearer =
    reported === undefined ? computed : side === 'long' ? Math.max(computed, reported) : Math.min(computed, reported);
  const passed = side === 'long' ? markPrice <= nearer : markPrice >= nearer;
  return passed ? 0 : liquidationDistance(markPrice, nearer);
}

/** Returns the largest leverage at which liquidation stays `distance` away from the entry mark; not rounded. */
export function maxLeverageFor(side: 'long' | 'short', distance: number, maintenance: number): number {
  return side === 'long' ? 1 / (1 - (1 - distance) * (1 - maintenance)) : 1 / ((1 + distance) * (1 + maintenance) - 1);
}

/**
 * Returns the whole leverage to ask of the venue: what the user wants, no more than the global cap, the venue's maximum and what
 * the liquidation distance allows. 0 when not even 1 is safe.
 */
export function legLeverage(limits: {
  readonly side: 'long' | 'short';
  readonly wanted: number;
  readonly cap: number;
  readonly venueMax: number;
  readonly distance: number;
  readonly maintenance: number;
}): number {
  return wholeLeverage(limits, maxLeverageFor(limits.side, limits.distance, limits.maintenance));
}

/** Returns what to ask of a venue that has one leverage per symbol, whichever side a leg will be on; 0 when none is safe. */
export function symbolLeverage(limits: Omit<Parameters<typeof legLeverage>[0], 'side'>): number {
  const { distance, maintenance } = limits;
  const safe = Math.min(maxLeverageFor('long', distance, maintenance), maxLeverageFor('short', distance, maintenance));
  return wholeLeverage(limits, safe);
}

function wholeLeverage(
  { wanted, cap, venueMax }: { readonly wanted: number; readonly cap: number; readonly venueMax: number },
  safe: number,
): number {
  return Math.floor(Math.min(wanted, cap, venueMax, safe));
}

/** Returns the initial margin of a notional, quote: at least the venue's own fraction (1 / its largest leverage). */
export function initialMargin(notionalQuote: number, leverage: number, venueMaxLeverage: number): number {
  return notionalQuote * Math.max(1 / venueMaxLeverage, 1 / leverage);
}
