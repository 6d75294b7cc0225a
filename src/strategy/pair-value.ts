/** The three values of an open pair: domain 15.3. Floats for decisions and display, never for ledgers. Pure functions, any thread. */

/** One leg; quantity in base units, signed; prices in quote per base unit. */
export interface ValuedLeg {
  readonly signedQuantity: number;
  readonly averagePrice: number;
  readonly markPrice: number;
}

/** View A: what the venue shows for a leg, on its own mark; drives margin and liquidation. */
export function markValue(leg: ValuedLeg): number {
  return leg.signedQuantity * (leg.markPrice - leg.averagePrice);
}

/** View B: both legs at one reference price (index if both have it, else the mean of marks); the strategy's performance. */
export function unifiedValue(legs: readonly ValuedLeg[], referencePrice: number): number {
  let value = 0;
  for (const leg of legs) value += leg.signedQuantity * (referencePrice - leg.averagePrice);
  return value;
}

/** What leaving one leg now would bring. `closePrice` is the walk of the opposite side, per base unit; `feeRate` a fraction. */
export interface ExecutableLeg {
  readonly signedQuantity: number;
  readonly averagePrice: number;
  readonly closePrice: number;
  readonly feeRate: number;
}

/**
 * View C: closing both legs now by walking the books, less exit fees, plus what is booked already (realised price result,
 * funding received, fees paid as a negative number). The only value that may drive take-profit and stop-loss.
 */
export function executableValue(legs: readonly ExecutableLeg[], bookedQuote: number): number {
  let value = bookedQuote;
  for (const leg of legs) value += leg.signedQuantity * (leg.closePrice - leg.averagePrice) - exitFee(leg);
  return value;
}

/** Returns the cost of closing against mid, fees included, positive: the C_exit of domain section 10. */
export function exitCost(legs: readonly (ExecutableLeg & { readonly midPrice: number })[]): number {
  let cost = 0;
  for (const leg of legs) cost += leg.signedQuantity * (leg.midPrice - leg.closePrice) + exitFee(leg);
  return cost;
}

/** Returns the fee of leaving a leg now, quote, positive. */
export function exitFee(leg: ExecutableLeg): number {
  return Math.abs(leg.signedQuantity) * leg.closePrice * leg.feeRate;
}
