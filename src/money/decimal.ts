/** Reads and writes decimal text as scaled integers, exactly and without a binary float in between. Any thread. */

/** Longer text is no amount any venue states; refusing it bounds the work. */
const DECIMAL_TEXT_LENGTH_MAX = 64;
const PLAIN_DECIMAL = /^(-?)(\d*)(?:\.(\d*))?$/;

/**
 * Returns `text` as a count of 10^-decimals, or undefined unless it is plain decimal text: an optional leading '-', digits and
 * at most one point, no exponent, sign '+', spaces or separators, at most 64 characters. Digits finer than `decimals` are
 * accepted only when they are zeros: nothing is ever rounded away.
 */
export function parseDecimal(text: string, decimals: number): bigint | undefined {
  if (text.length > DECIMAL_TEXT_LENGTH_MAX) return undefined;
  const parts = PLAIN_DECIMAL.exec(text);
  if (parts === null) return undefined;
  const whole = parts[2] ?? '';
  const fraction = parts[3] ?? '';
  if (whole.length + fraction.length === 0) return undefined;

  const kept = fraction.slice(0, decimals).padEnd(decimals, '0');
  if (/[^0]/.test(fraction.slice(decimals))) return undefined;
  const units = BigInt(whole + kept || '0');
  return parts[1] === '-' ? -units : units;
}

const DIGIT_ZERO = 48;
const DIGIT_NINE = 57;
const POINT = 46;
/** So many digits always fit a double exactly. */
const SHORT_DIGITS_MAX = 15;

/**
 * Returns what `parseDecimal` returns, as a number, for unsigned text of few digits: the prices and sizes of order books, read by the
 * thousand. Undefined says nothing about any other text: ask `parseDecimal`.
 */
export function parseShortDecimal(text: string, decimals: number): number | undefined {
  if (text.length > DECIMAL_TEXT_LENGTH_MAX) return undefined;
  let units = 0;
  let digits = 0;
  let fractionDigits = -1;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code === POINT && fractionDigits < 0) {
      fractionDigits = 0;
    } else if (code < DIGIT_ZERO || code > DIGIT_NINE) {
      return undefined;
    } else if (fractionDigits < decimals) {
      units = units * 10 + (code - DIGIT_ZERO);
      digits += 1;
      if (fractionDigits >= 0) fractionDigits += 1;
    } else if (code !== DIGIT_ZERO) {
      return undefined;
    }
  }
  const missing = decimals - Math.max(0, fractionDigits);
  if (digits === 0 || digits + missing > SHORT_DIGITS_MAX) return undefined;
  return units * 10 ** missing;
}

/**
 * Returns what `parseDecimal` returns for the shortest text of a number, as a number, where that text has few digits: decimals of 15
 * digits and doubles map one to one, so the count whose quotient is this very double is the text's. Undefined says nothing about any
 * other number: ask `parseDecimal`.
 */
export function shortDecimalOf(value: number, decimals: number): number | undefined {
  const power = 10 ** decimals;
  const units = Math.round(value * power);
  return units >= 0 && units < 10 ** SHORT_DIGITS_MAX && decimals <= SHORT_DIGITS_MAX && units / power === value
    ? units
    : undefined;
}

/** Returns a count of 10^-decimals as decimal text with exactly `decimals` fraction digits: (1500n, 3) is "1.500". */
export function formatDecimal(units: bigint, decimals: number): string {
  const sign = units < 0n ? '-' : '';
  const digits = (units < 0n ? -units : units).toString().padStart(decimals + 1, '0');
  if (decimals === 0) return sign + digits;
  const pointAt = digits.length - decimals;
  return `${sign}${digits.slice(0, pointAt)}.${digits.slice(pointAt)}`;
}
