/** What both ends of Extended's wire share: paths, headers, JSON with bare big integers, HTTP dates. Pure; any thread. */

/** Interest 0.01 % of eight hours, a clamp of 0.05 %; an eighth of it is paid every hour. Caps differ by market: this is the widest. */
export const PREMIUM_FORMULA = {
  perMs: 8 * 3_600_000,
  interest8hPico: 100_000_000,
  clampPico: 500_000_000,
  hourlyCapPico: 5_000_000_000,
} as const;

/** Path prefixes of the two base addresses in hosts.ts. */
export const REST_PREFIX = '/api/v1';
export const STREAM_PREFIX = '/stream.extended.exchange/v1';

/** The venue refuses requests and handshakes without one, in ways that look like other errors. */
export const USER_AGENT = 'tandem/0.1';

/** Order status texts of the venue. */
export type WireOrderStatus =
  'NEW' | 'PARTIALLY_FILLED' | 'UNTRIGGERED' | 'TRIGGERED' | 'FILLED' | 'CANCELLED' | 'REJECTED' | 'EXPIRED';

/** Which way the price goes through a trigger. */
export const TRIGGER_UP = 'UP';
export const TRIGGER_DOWN = 'DOWN';

/** A JSON value whose bigints become bare digits, as the venue writes its ids. Undefined fields are left out. */
export type WireValue =
  | string
  | number
  | boolean
  | null
  | bigint
  | readonly WireValue[]
  | { readonly [field: string]: WireValue | undefined };

/** Returns JSON text; a bigint is written as a bare number of any length, which JSON.stringify cannot do. */
export function wireJson(value: WireValue): string {
  if (typeof value === 'bigint') return value.toString();
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  if (isList(value)) return `[${value.map((item) => wireJson(item)).join(',')}]`;
  const fields: string[] = [];
  for (const [field, held] of Object.entries(value)) {
    if (held !== undefined) fields.push(`${JSON.stringify(field)}:${wireJson(held)}`);
  }
  return `{${fields.join(',')}}`;
}

function isList(value: object): value is readonly WireValue[] {
  return Array.isArray(value);
}

const DAYS = ['Thu', 'Fri', 'Sat', 'Sun', 'Mon', 'Tue', 'Wed'];
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const DAY_MS = 86_400_000;
const HTTP_DATE = /^[A-Z][a-z]{2}, (\d{2}) ([A-Z][a-z]{2}) (\d{4}) (\d{2}):(\d{2}):(\d{2}) GMT$/;

/** Returns the text of a `date` header, whole seconds rounded down, for example `Thu, 01 Jan 1970 00:00:00 GMT`. */
export function httpDateText(epochMs: number): string {
  const day = Math.floor(epochMs / DAY_MS);
  const seconds = Math.floor((epochMs - day * DAY_MS) / 1000);
  const { year, month, dayOfMonth } = civilOfDay(day);
  const clock = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60].map(twoDigits).join(':');
  return `${DAYS[((day % 7) + 7) % 7]}, ${twoDigits(dayOfMonth)} ${MONTHS[month - 1]} ${year} ${clock} GMT`;
}

/** Returns the epoch ms of a `date` header, or undefined when it is none. */
export function httpDateMs(text: string): number | undefined {
  const parts = HTTP_DATE.exec(text);
  const month = MONTHS.indexOf(parts?.[2] ?? '') + 1;
  if (parts === null || month === 0) return undefined;
  const [dayOfMonth = 0, year = 0, hour = 0, minute = 0, second = 0] = [1, 3, 4, 5, 6].map((at) => Number(parts[at]));
  if (dayOfMonth < 1 || dayOfMonth > 31 || hour > 23 || minute > 59 || second > 60) return undefined;
  return dayOfCivil(year, month, dayOfMonth) * DAY_MS + ((hour * 60 + minute) * 60 + second) * 1000;
}

function twoDigits(value: number): string {
  return value.toString().padStart(2, '0');
}

// The proleptic Gregorian calendar in eras of 400 years (146,097 days) that start in March, so that the leap day comes last.

function civilOfDay(day: number): { readonly year: number; readonly month: number; readonly dayOfMonth: number } {
  const shifted = day + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const marchMonth = Math.floor((5 * dayOfYear + 2) / 153);
  const month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9;
  return {
    year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0),
    month,
    dayOfMonth: dayOfYear - Math.floor((153 * marchMonth + 2) / 5) + 1,
  };
}

function dayOfCivil(civilYear: number, month: number, dayOfMonth: number): number {
  const year = month <= 2 ? civilYear - 1 : civilYear;
  const era = Math.floor(year / 400);
  const yearOfEra = year - era * 400;
  const marchMonth = month > 2 ? month - 3 : month + 9;
  const dayOfYear = Math.floor((153 * marchMonth + 2) / 5) + dayOfMonth - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * 146_097 + dayOfEra - 719_468;
}
