/**
 * The three views of an open pair (domain 15.3) in exact micro-units. A: what the venues show, each leg on its own mark. B: both legs
 * at one reference price, the strategy's performance. C: what closing both now would bring, all in. Pure, any thread.
 */
import type { BookView } from '../market/book.ts';
import { notionalMicroAtNano } from '../money/amounts.ts';
import type { Steps } from '../money/amounts.ts';
import { divideHalfEven, divideUp } from '../money/rounding.ts';
import type { PicoRate } from '../money/units.ts';
import { opposite, walkBook } from './book-walk.ts';

/** One leg as it stands. Prices in 1e-9 quote per contract. */
export interface ViewedLeg {
  readonly steps: Steps & { readonly multiplier: number };
  /** Long positive, short negative. */
  readonly signedLots: number;
  /** Signed quote paid for the open lots, as the ledger keeps it. */
  readonly costMicro: bigint;
  readonly markNano: bigint;
  readonly indexNano: bigint | undefined;
  readonly book: BookView | undefined;
  readonly takerFee: PicoRate;
}

/** What one leg's open lots are worth, signed as the lots are: the amounts the views are made of. */
export interface LegWorth {
  readonly signedLots: number;
  readonly costMicro: bigint;
  readonly atMarkMicro: bigint;
  readonly atReferenceMicro: bigint;
  /** By walking the book it would be closed into; undefined while that is missing or too thin. */
  readonly atCloseMicro: bigint | undefined;
  /** Negative: we pay. Undefined with `atCloseMicro`. */
  readonly exitFeeMicro: bigint | undefined;
}

export interface PnlViews {
  readonly long: LegWorth;
  readonly short: LegWorth;
  /** Realised, funding received, fees paid and corrections so far. */
  readonly bookedMicro: bigint;
  readonly markMicro: bigint;
  readonly unifiedMicro: bigint;
  readonly executableMicro: bigint | undefined;
}

/** Returns the three views. */
export function pnlViews(long: ViewedLeg, short: ViewedLeg, bookedMicro: bigint): PnlViews {
  const reference = referenceOf(long, short);
  const legs = { long: worthOf(long, reference), short: worthOf(short, reference) };
  const sum = (amount: (leg: LegWorth) => bigint): bigint => amount(legs.long) + amount(legs.short);
  const isClosable = [legs.long, legs.short].every(({ atCloseMicro }) => atCloseMicro !== undefined);
  return {
    ...legs,
    bookedMicro,
    markMicro: sum((leg) => leg.atMarkMicro - leg.costMicro),
    unifiedMicro: sum((leg) => leg.atReferenceMicro - leg.costMicro),
    executableMicro: isClosable
      ? bookedMicro + sum((leg) => (leg.atCloseMicro ?? 0n) - leg.costMicro + (leg.exitFeeMicro ?? 0n))
      : undefined,
  };
}

/** Returns what is wrong with the views' sums, with the two numbers; undefined when they agree with each other. */
export function viewsContradiction(views: PnlViews): string | undefined {
  const { long, short, bookedMicro, markMicro, unifiedMicro, executableMicro } = views;
  const apart = (amount: (leg: LegWorth) => bigint): bigint => amount(long) + amount(short);
  const markBeyondReference = apart((leg) => leg.atMarkMicro - leg.atReferenceMicro);
  if (markMicro - unifiedMicro !== markBeyondReference)
    return `A - B must be ${markBeyondReference}, is ${markMicro - unifiedMicro}`;
  if (executableMicro === undefined) return undefined;
  const closeBeyondMark =
    bookedMicro + apart((leg) => (leg.atCloseMicro ?? 0n) - leg.atMarkMicro + (leg.exitFeeMicro ?? 0n));
  if (executableMicro - markMicro !== closeBeyondMark)
    return `C - A must be ${closeBeyondMark}, is ${executableMicro - markMicro}`;
  return undefined;
}

/** A price per unit of the underlying as an exact fraction of 1e-9 quote: contracts of the legs may hold different amounts of it. */
interface Reference {
  readonly nano: bigint;
  readonly per: bigint;
}

/** The mean of both indices where both venues tell one, else the mean of the marks. */
function referenceOf(long: ViewedLeg, short: ViewedLeg): Reference {
  const hasIndex = long.indexNano !== undefined && short.indexNano !== undefined;
  const priceOf = (leg: ViewedLeg): bigint => (hasIndex ? (leg.indexNano ?? leg.markNano) : leg.markNano);
  const [longUnits, shortUnits] = [BigInt(long.steps.multiplier), BigInt(short.steps.multiplier)];
  return {
    nano: priceOf(long) * shortUnits + priceOf(short) * longUnits,
    per: 2n * longUnits * shortUnits,
  };
}

function worthOf(leg: ViewedLeg, reference: Reference): LegWorth {
  const { steps, signedLots, costMicro } = leg;
  return {
    signedLots,
    costMicro,
    atMarkMicro: notionalMicroAtNano(steps, leg.markNano, signedLots),
    atReferenceMicro: notionalAtReference(leg, reference),
    ...closeOf(leg),
  };
}

function notionalAtReference({ steps, signedLots }: ViewedLeg, { nano, per }: Reference): bigint {
  const product = nano * BigInt(steps.multiplier) * BigInt(signedLots) * BigInt(steps.lotUnits);
  return divideHalfEven(product, per * 10n ** BigInt(3 + steps.quantityDecimals));
}

function closeOf({ steps, signedLots, book, takerFee }: ViewedLeg): Pick<LegWorth, 'atCloseMicro' | 'exitFeeMicro'> {
  if (signedLots === 0) return { atCloseMicro: 0n, exitFeeMicro: 0n };
  if (book === undefined) return { atCloseMicro: undefined, exitFeeMicro: undefined };
  const walk = walkBook(opposite(book, signedLots > 0 ? 'sell' : 'buy'), Math.abs(signedLots));
  if (!walk.filled) return { atCloseMicro: undefined, exitFeeMicro: undefined };
  const units = walk.costTickLots * BigInt(steps.tickUnits) * BigInt(steps.lotUnits);
  const decimals = steps.priceDecimals + steps.quantityDecimals;
  const notional = divideHalfEven(units * 10n ** 6n, 10n ** BigInt(decimals));
  const fee = divideUp(units * BigInt(takerFee), 10n ** BigInt(decimals + 6));
  return { atCloseMicro: signedLots > 0 ? notional : -notional, exitFeeMicro: -fee };
}
