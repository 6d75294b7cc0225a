/** Average-cost arithmetic of one position, exact to the micro-unit (domain 15.2). Pure, any thread. */
import { notionalMicro } from '../money/amounts.ts';
import type { Steps } from '../money/amounts.ts';
import { divideHalfEven } from '../money/rounding.ts';

/** An open quantity and what was paid for it. */
export interface CostedPosition {
  /** Long positive, short negative. */
  readonly signedLots: number;
  /** Signed quote paid for the open quantity, micro-units: positive for a long, negative (received) for a short. */
  readonly costMicro: bigint;
}

export interface TradeResult {
  readonly position: CostedPosition;
  /** Price profit realised by this trade, micro-units. */
  readonly realisedMicro: bigint;
}

export const FLAT: CostedPosition = { signedLots: 0, costMicro: 0n };

/**
 * Applies a trade of `tradeLots` (bought positive, sold negative) at a price. A reduction releases its share of the cost, rounded
 * half-even; the last lot releases all that is left, so a closed position keeps nothing. A trade past zero is two trades.
 */
export function applyTrade(position: CostedPosition, tradeLots: number, priceTicks: number, steps: Steps): TradeResult {
  return applyTradeAt(position, tradeLots, (lots) => notionalMicro(steps, priceTicks, lots));
}

/** The same at a price of any kind: `notionalOf` returns the signed notional of signed lots at it, micro-units. */
export function applyTradeAt(
  position: CostedPosition,
  tradeLots: number,
  notionalOf: (lots: number) => bigint,
): TradeResult {
  const held = position.signedLots;
  if (held === 0 || Math.sign(held) === Math.sign(tradeLots)) {
    return {
      position: { signedLots: held + tradeLots, costMicro: position.costMicro + notionalOf(tradeLots) },
      realisedMicro: 0n,
    };
  }
  if (Math.abs(tradeLots) > Math.abs(held)) {
    const closed = applyTradeAt(position, -held, notionalOf);
    const opened = applyTradeAt(FLAT, held + tradeLots, notionalOf);
    return { position: opened.position, realisedMicro: closed.realisedMicro };
  }
  const releasedMicro = costShare(position, Math.abs(tradeLots));
  const left = held + tradeLots;
  return {
    // `0 - 0` would be fine, `-5 + 5` is 0, but a negative zero would not equal zero in comparisons of states.
    position: { signedLots: left === 0 ? 0 : left, costMicro: position.costMicro - releasedMicro },
    realisedMicro: -(notionalOf(tradeLots) + releasedMicro),
  };
}

/** Returns the part of the cost that belongs to `lots` of the position, half-even. */
export function costShare(position: CostedPosition, lots: number): bigint {
  return divideHalfEven(position.costMicro * BigInt(lots), BigInt(Math.abs(position.signedLots)));
}
