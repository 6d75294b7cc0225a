/**
 * Book frames read in place. Most of such a frame is its two lists of levels, and most of what a parse of it costs is objects and texts
 * that are turned into two numbers each and thrown away. So the lists are cut out of the text, what is left is parsed like any frame,
 * and the numbers are read from the text itself. Only the plainest form is read like this; whatever else is in a list is parsed, with
 * the same result as if nothing had been cut. Pure, any thread.
 */
import type { BookLevel } from '../market/book.ts';
import { asFields } from './json.ts';
import type { Fields } from './json.ts';

/** How a venue writes its levels when it writes them plainly, without a space. */
export interface LevelForm {
  /** Keys of the lists; they stand once in a frame. */
  readonly bids: string;
  readonly asks: string;
  /** What stands before, between and behind the values of a level. */
  readonly texts: readonly string[];
  /** The values, one fewer. */
  readonly values: readonly ('price' | 'size' | 'other')[];
  /** Where the lists are. */
  readonly holderOf: (frame: Fields) => unknown;
  /** How the venue's JSON is parsed. Throws MalformedPayload. */
  readonly parse: (text: string, where: string) => unknown;
}

/** A list in the text of its frame, between its brackets. */
export interface LevelList {
  readonly text: string;
  readonly from: number;
  readonly to: number;
  readonly form: LevelForm;
}

export interface BookFrame {
  /** All of it but the lists when they were cut out: those are empty then. */
  readonly fields: Fields;
  readonly lists: { readonly bids: LevelList; readonly asks: LevelList } | undefined;
}

/** Decimals of an instrument and how many units of the last one a step is. */
export interface LevelSteps {
  readonly priceDecimals: number;
  readonly tickUnits: number;
  readonly quantityDecimals: number;
  readonly lotUnits: number;
}

/** Reads a frame that may be a book's. Throws MalformedPayload when it is no JSON object. */
export function readBookFrame(text: string, where: string, form: LevelForm): BookFrame {
  const bids = listOf(text, `"${form.bids}":[`, form);
  const asks = bids === undefined ? undefined : listOf(text, `"${form.asks}":[`, form);
  if (bids !== undefined && asks !== undefined) {
    const fields = restOf(text, bids, asks);
    if (fields !== undefined && areEmpty(form.holderOf(fields), form)) return { fields, lists: { bids, asks } };
  }
  return { fields: asFields(form.parse(text, where), where), lists: undefined };
}

/**
 * Returns the levels; undefined when a level is not written plainly, or is not whole steps: `parsedList`
 * then has what to accept or refuse.
 */
export function plainLevels({ text, from, to, form }: LevelList, steps: LevelSteps): readonly BookLevel[] | undefined {
  const { texts, values } = form;
  const levels: BookLevel[] = [];
  const place: Place = { at: from };
  while (place.at < to) {
    if (place.at > from && text.charCodeAt(place.at++) !== COMMA) return undefined;
    let [ticks, lots] = [0, 0];
    for (let index = 0; index < values.length; index++) {
      const before = texts[index] ?? '';
      if (!text.startsWith(before, place.at)) return undefined;
      place.at += before.length;
      const value = values[index];
      if (value === 'price') ticks = readUnits(text, place, steps.priceDecimals) / steps.tickUnits;
      else if (value === 'size') lots = readUnits(text, place, steps.quantityDecimals) / steps.lotUnits;
      else skipText(text, place);
    }
    const behind = texts[values.length] ?? '';
    // Of what is not plain NaN was made, which is no integer.
    if (!text.startsWith(behind, place.at) || ticks === 0 || !Number.isInteger(ticks) || !Number.isInteger(lots))
      return undefined;
    place.at += behind.length;
    levels.push([ticks, lots]);
  }
  return place.at === to ? levels : undefined;
}

/** Returns a list as JSON has it. Throws MalformedPayload when it is none. */
export function parsedList({ text, from, to, form }: LevelList, where: string): unknown {
  return form.parse(`[${text.slice(from, to)}]`, where);
}

interface Place {
  at: number;
}

const COMMA = 44;
const POINT = 46;
const ZERO = 48;
const NINE = 57;
const QUOTE = 34;
const BACKSLASH = 92;
const SPACE = 32;
/** So many digits always fit a double exactly. */
const DIGITS_MAX = 15;
const POWERS = Array.from({ length: DIGITS_MAX + 1 }, (_, power) => 10 ** power);

function listOf(text: string, key: string, form: LevelForm): LevelList | undefined {
  const keyAt = text.indexOf(key);
  // A quote behind a backslash is a part of some text.
  if (keyAt < 0 || text.charCodeAt(keyAt - 1) === BACKSLASH) return undefined;
  const from = keyAt + key.length;
  const end = `${form.texts.at(-1)?.at(-1) ?? ''}]`;
  const to = text.startsWith(']', from) ? from : text.indexOf(end, from) + 1;
  // Of a key that stands twice JSON takes the last one.
  if (to === 0 || text.includes(key, to)) return undefined;
  return { text, from, to, form };
}

/** The frame without its lists; undefined when that is no JSON object. */
function restOf(text: string, bids: LevelList, asks: LevelList): Fields | undefined {
  const [first, second] = bids.from < asks.from ? [bids, asks] : [asks, bids];
  if (second.from < first.to) return undefined;
  const rest = text.slice(0, first.from) + text.slice(first.to, second.from) + text.slice(second.to);
  try {
    return asFields(bids.form.parse(rest, ''), '');
  } catch {
    // What is wrong is said of the whole.
    return undefined;
  }
}

function areEmpty(holder: unknown, { bids, asks }: LevelForm): boolean {
  if (typeof holder !== 'object' || holder === null) return false;
  const isEmpty = (list: unknown): boolean => Array.isArray(list) && list.length === 0;
  return isEmpty(Reflect.get(holder, bids)) && isEmpty(Reflect.get(holder, asks));
}

/** Reads a decimal as a count of units of its last place, and goes behind it; NaN when it is not plain. */
function readUnits(text: string, place: Place, decimals: number): number {
  const from = place.at;
  let at = from;
  let units = 0;
  let pointAt = -1;
  for (; ; at++) {
    const code = text.charCodeAt(at);
    if (code >= ZERO && code <= NINE) units = units * 10 + (code - ZERO);
    else if (code === POINT && pointAt < 0) pointAt = at;
    else break;
  }
  place.at = at;
  const whole = (pointAt < 0 ? at : pointAt) - from;
  const missing = decimals - (pointAt < 0 ? 0 : at - pointAt - 1);
  // Nothing before the point, nothing behind it, or a zero too many before it.
  if (whole < 1 || pointAt === at - 1 || (whole > 1 && text.charCodeAt(from) === ZERO)) return NaN;
  if (missing < 0 || whole + decimals > DIGITS_MAX) return NaN;
  return units * (POWERS[missing] ?? NaN);
}

/** Goes to where a text without anything special ends; where it is special, nothing that follows fits there. */
function skipText(text: string, place: Place): void {
  for (; ; place.at++) {
    const code = text.charCodeAt(place.at);
    if (code === QUOTE || code === BACKSLASH || !(code >= SPACE)) return;
  }
}
