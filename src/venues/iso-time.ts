/** UTC times as RFC 3339 writes them, to and from epoch ms, by the calendar's arithmetic alone. Pure; any thread. */

const UTC_TIME = /^(\d{4})-(\d{2})-(\d{2})[T ](\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,3})\d*)?(?:Z|\+00:00)$/;
const SECOND_MS = 1_000;
const DAY_MS = 86_400_000;
/** A year that begins in March has its leap day at the end; 400 of them are a whole cycle. */
const CYCLE_DAYS = 146_097;
const CYCLE_YEARS = 400;
/** Days from 0000-03-01 to 1970-01-01. */
const EPOCH_DAYS = 719_468;

/** Returns epoch ms, cut below the ms; undefined unless it is a UTC time from 1970 on. */
export function epochMsOfIso(text: string): number | undefined {
  const parts = UTC_TIME.exec(text);
  if (parts === null) return undefined;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = parts.slice(1, 7).map(Number);
  const isTime = hour < 24 && minute < 60 && second < 60;
  if (year < 1970 || month < 1 || month > 12 || day < 1 || day > daysIn(year, month) || !isTime) return undefined;
  const ms = Number((parts[7] ?? '').padEnd(3, '0'));
  return daysBefore(year, month, day) * DAY_MS + ((hour * 60 + minute) * 60 + second) * SECOND_MS + ms;
}

function daysIn(year: number, month: number): number {
  return month === 2 ? (isLeap(year) ? 29 : 28) : 30 + ((month + Math.floor(month / 8)) % 2);
}

function isLeap(year: number): boolean {
  return year % 4 === 0 && (year % 100 !== 0 || year % CYCLE_YEARS === 0);
}

/** Days from the epoch to a date. */
function daysBefore(year: number, month: number, day: number): number {
  const marchYear = month > 2 ? year : year - 1;
  const cycle = Math.floor(marchYear / CYCLE_YEARS);
  const yearOfCycle = marchYear - cycle * CYCLE_YEARS;
  const dayOfYear = Math.floor((153 * ((month + 9) % 12) + 2) / 5) + day - 1;
  const dayOfCycle = yearOfCycle * 365 + Math.floor(yearOfCycle / 4) - Math.floor(yearOfCycle / 100) + dayOfYear;
  return cycle * CYCLE_DAYS + dayOfCycle - EPOCH_DAYS;
}

/** Returns for example `2026-04-07T00:28:58.544Z`. */
export function isoOfEpochMs(epochMs: number): string {
  const wholeMs = Math.floor(epochMs);
  const days = Math.floor(wholeMs / DAY_MS);
  const ms = wholeMs - days * DAY_MS;
  const [year, month, day] = dateOf(days);
  const two = (value: number): string => String(value).padStart(2, '0');
  const seconds = Math.floor(ms / SECOND_MS);
  const time = [Math.floor(seconds / 3_600), Math.floor(seconds / 60) % 60, seconds % 60].map(two).join(':');
  return `${String(year).padStart(4, '0')}-${two(month)}-${two(day)}T${time}.${String(ms % SECOND_MS).padStart(3, '0')}Z`;
}

function dateOf(epochDays: number): readonly [year: number, month: number, day: number] {
  const days = epochDays + EPOCH_DAYS;
  const cycle = Math.floor(days / CYCLE_DAYS);
  const dayOfCycle = days - cycle * CYCLE_DAYS;
  const yearOfCycle = Math.floor(
    (dayOfCycle - Math.floor(dayOfCycle / 1_460) + Math.floor(dayOfCycle / 36_524) - Math.floor(dayOfCycle / 146_096)) /
      365,
  );
  const dayOfYear = dayOfCycle - (365 * yearOfCycle + Math.floor(yearOfCycle / 4) - Math.floor(yearOfCycle / 100));
  const marchMonth = Math.floor((5 * dayOfYear + 2) / 153);
  const day = dayOfYear - Math.floor((153 * marchMonth + 2) / 5) + 1;
  const month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9;
  const year = yearOfCycle + cycle * CYCLE_YEARS + (month <= 2 ? 1 : 0);
  return [year, month, day];
}
