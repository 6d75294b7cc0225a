/** Crosses between ticks, lots, decimal text and quote money; each crossing states its rounding. Any thread. */
import { formatDecimal, parseDecimal, parseShortDecimal, shortDecimalOf } from './decimal.ts';
import { RangeViolation } from './range-violation.ts';
import { divideDown, divideHalfEven, divideUp } from './rounding.ts';
import type { MicroUnits, PicoRate, PriceTicks, QuantityLots } from './units.ts';

/** The exact steps of one instrument: a tick is tickUnits x 10^-priceDecimals quote, a lot lotUnits x 10^-quantityDecimals contracts. */
export interface Steps {
  readonly priceDecimals: number;
  readonly tickUnits: number;
  readonly quantityDecimals: number;
  readonly lotUnits: number;
}

const MICRO_DECIMALS = 6;
const NANO_DECIMALS = 9;
const PICO_DECIMALS = 12;
const PICO = 10n ** BigInt(PICO_DECIMALS);

/** Reads a venue's price text exactly. Throws RangeViolation for anything but a positive multiple of the tick. */
export function priceTicksFromText(text: string, steps: Steps): PriceTicks {
  const ticks = wholeStepsOf(text, steps.priceDecimals, steps.tickUnits);
  if (ticks === undefined || ticks <= 0) {
    throw new RangeViolation('price', `a positive multiple of ${stepText(steps.tickUnits, steps.priceDecimals)}`, text);
  }
  return ticks as PriceTicks;
}

/**
 * Returns what `priceTicksFromText` returns for the number's shortest text, without writing that: for venues whose books are JSON
 * numbers, read by the thousand. Undefined says nothing: ask for the text's.
 */
export function priceTicksOfShortNumber(value: number, steps: Steps): PriceTicks | undefined {
  const ticks = wholeStepsOfNumber(value, steps.priceDecimals, steps.tickUnits);
  return ticks !== undefined && ticks > 0 ? (ticks as PriceTicks) : undefined;
}

/** The same for `quantityLotsFromText`. */
export function quantityLotsOfShortNumber(value: number, steps: Steps): QuantityLots | undefined {
  return wholeStepsOfNumber(value, steps.quantityDecimals, steps.lotUnits) as QuantityLots | undefined;
}

/** Returns the price as decimal text with the instrument's own digits. */
export function priceText(ticks: number, steps: Steps): string {
  return formatDecimal(BigInt(ticks) * BigInt(steps.tickUnits), steps.priceDecimals);
}

/** Reads a venue's unsigned quantity text exactly. Throws RangeViolation for anything but a multiple of the lot, zero included. */
export function quantityLotsFromText(text: string, steps: Steps): QuantityLots {
  const lots = wholeStepsOf(text, steps.quantityDecimals, steps.lotUnits);
  if (lots === undefined || lots < 0) {
    throw new RangeViolation(
      'quantity',
      `a multiple of ${stepText(steps.lotUnits, steps.quantityDecimals)}, zero or more`,
      text,
    );
  }
  return lots as QuantityLots;
}

/** Returns a signed or unsigned quantity as decimal text with the instrument's own digits. */
export function quantityText(lots: number, steps: Steps): string {
  return formatDecimal(BigInt(lots) * BigInt(steps.lotUnits), steps.quantityDecimals);
}

/** Reads quote money text exactly. Throws RangeViolation for more than 6 significant fraction digits. */
export function microFromText(text: string): MicroUnits {
  const micro = parseDecimal(text, MICRO_DECIMALS);
  if (micro === undefined) throw new RangeViolation('amount', 'a decimal with at most 6 fraction digits', text);
  return micro as MicroUnits;
}

/** Returns quote money as decimal text with 6 fraction digits. */
export function microText(micro: bigint): string {
  return formatDecimal(micro, MICRO_DECIMALS);
}

/** Returns quote money as a float, for display and scores only. */
export function quoteOfMicro(micro: bigint): number {
  return Number(micro) / 1e6;
}

/** Returns the price as a float in quote per contract, for scores and statistics only. */
export function priceOf(ticks: number, steps: Steps): number {
  return (ticks * steps.tickUnits) / 10 ** steps.priceDecimals;
}

/** Returns the quantity as a float in contracts, for scores and statistics only. */
export function quantityOf(lots: number, steps: Steps): number {
  return (lots * steps.lotUnits) / 10 ** steps.quantityDecimals;
}

/** Returns the notional of signed or unsigned lots at a price, half-even to micro-units; the sign follows the lots. */
export function notionalMicro(steps: Steps, priceTicks: number, lots: number): MicroUnits {
  return scaled(tickLotProduct(steps, priceTicks, lots), productDecimals(steps), divideHalfEven) as MicroUnits;
}

/** Returns the notional at a price given in 1e-9 quote per contract (marks have more digits than ticks), half-even. */
export function notionalMicroAtNano(steps: Steps, priceNano: bigint, lots: number): MicroUnits {
  const product = priceNano * BigInt(lots) * BigInt(steps.lotUnits);
  return scaled(product, NANO_DECIMALS + steps.quantityDecimals, divideHalfEven) as MicroUnits;
}

/**
 * Returns the cash flow of a fill's fee: negative when we pay, rounded against us to the next micro-unit. A rebate is a
 * negative rate. `lots` is unsigned.
 */
export function feeMicro(steps: Steps, priceTicks: number, lots: number, rate: PicoRate): MicroUnits {
  const product = tickLotProduct(steps, priceTicks, lots) * BigInt(rate);
  return -scaled(product, productDecimals(steps) + PICO_DECIMALS, divideUp) as MicroUnits;
}

/**
 * Returns the funding cash flow to the holder of `signedLots` over one settlement: -quantity x price x rate, half-even.
 * `rate` is the fraction of that settlement (not per hour), `priceNano` the venue's funding price in 1e-9 quote per contract.
 */
export function fundingMicro(steps: Steps, signedLots: number, priceNano: bigint, rate: PicoRate): MicroUnits {
  const product = priceNano * BigInt(signedLots) * BigInt(steps.lotUnits) * BigInt(rate);
  return -scaled(product, NANO_DECIMALS + steps.quantityDecimals + PICO_DECIMALS, divideHalfEven) as MicroUnits;
}

/** Returns a fraction in pico units of an amount, rounded up: required margins and limits, against us. */
export function shareUp(micro: bigint, rate: number): MicroUnits {
  return divideUp(micro * BigInt(rate), PICO) as MicroUnits;
}

/**
 * Returns the order price nearest to `priceNano` (1e-9 quote) on the safe side: a buy never above it, a sell never below.
 * Zero when a buy cap lies below one tick.
 */
export function orderPriceTicks(side: 'buy' | 'sell', priceNano: bigint, steps: Steps): PriceTicks {
  // One tick in nano units may be a fraction: scale the price up instead of the tick down.
  const numerator = priceNano * powerOfTen(steps.priceDecimals);
  const denominator = BigInt(steps.tickUnits) * powerOfTen(NANO_DECIMALS);
  const ticks = side === 'buy' ? divideDown(numerator, denominator) : divideUp(numerator, denominator);
  return safeInteger('order price in ticks', ticks) as PriceTicks;
}

/** Returns the price of a tick count in 1e-9 quote, half-even when a tick is finer than that. */
export function priceNano(ticks: number, steps: Steps): bigint {
  const exponent = NANO_DECIMALS - steps.priceDecimals;
  const units = BigInt(ticks) * BigInt(steps.tickUnits);
  return exponent >= 0 ? units * powerOfTen(exponent) : divideHalfEven(units, powerOfTen(-exponent));
}

/** Returns a bigint that fits a safe JavaScript integer as a number; throws RangeViolation otherwise. */
export function safeInteger(what: string, value: bigint): number {
  const number = Number(value);
  if (!Number.isSafeInteger(number)) throw new RangeViolation(what, 'within the safe integers', value);
  return number;
}

function wholeStepsOf(text: string, decimals: number, stepUnits: number): number | undefined {
  const short = parseShortDecimal(text, decimals);
  if (short === undefined) return wholeSteps(parseDecimal(text, decimals), stepUnits);
  return short % stepUnits === 0 ? short / stepUnits : undefined;
}

function wholeStepsOfNumber(value: number, decimals: number, stepUnits: number): number | undefined {
  const units = shortDecimalOf(value, decimals);
  return units !== undefined && units % stepUnits === 0 ? units / stepUnits : undefined;
}

function wholeSteps(units: bigint | undefined, stepUnits: number): number | undefined {
  if (units === undefined || units % BigInt(stepUnits) !== 0n) return undefined;
  const steps = Number(units / BigInt(stepUnits));
  return Number.isSafeInteger(steps) ? steps : undefined;
}

function stepText(stepUnits: number, decimals: number): string {
  return formatDecimal(BigInt(stepUnits), decimals);
}

function tickLotProduct(steps: Steps, priceTicks: number, lots: number): bigint {
  return BigInt(priceTicks) * BigInt(steps.tickUnits) * BigInt(lots) * BigInt(steps.lotUnits);
}

function productDecimals(steps: Steps): number {
  return steps.priceDecimals + steps.quantityDecimals;
}

/** Brings a count of 10^-decimals to micro-units. */
function scaled(value: bigint, decimals: number, divide: (above: bigint, below: bigint) => bigint): bigint {
  const exponent = decimals - MICRO_DECIMALS;
  return exponent <= 0 ? value * powerOfTen(-exponent) : divide(value, powerOfTen(exponent));
}

/** Raising is a loop and garbage for each call; a scan asks for thousands of the same few. */
const POWERS_OF_TEN: readonly bigint[] = Array.from({ length: 40 }, (_, exponent) => 10n ** BigInt(exponent));

function powerOfTen(exponent: number): bigint {
  return POWERS_OF_TEN[exponent] ?? 10n ** BigInt(exponent);
}
