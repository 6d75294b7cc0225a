/** Numbers, money and times as a person reads them. Pure; browser. */

const MICRO_PER_CENT = 10_000n;

/** Returns micro-units, as text, in quote with two decimals and a sign where asked: `-1,234.56`. Rounds half away from zero. */
export function money(micro: string | undefined, isSigned = false): string {
  if (micro === undefined) return '–';
  const value = BigInt(micro);
  const size = value < 0n ? -value : value;
  const cents = (size + MICRO_PER_CENT / 2n) / MICRO_PER_CENT;
  const whole = (cents / 100n).toString().replace(/\B(?=(\d{3})+$)/g, ',');
  const sign = cents === 0n ? '' : value < 0n ? '−' : isSigned ? '+' : '';
  return `${sign}${whole}.${(cents % 100n).toString().padStart(2, '0')}`;
}

/** Returns the sum of micro-units, as text. */
export function sumMicro(amounts: readonly (string | undefined)[]): string {
  return amounts.reduce((sum, amount) => sum + BigInt(amount ?? '0'), 0n).toString();
}

/** Returns `good`, `bad` or nothing: the style of a signed amount. */
export function signStyle(micro: string | undefined): 'good' | 'bad' | '' {
  if (micro === undefined || micro === '0') return '';
  return micro.startsWith('-') ? 'bad' : 'good';
}

/** Returns a number with at most `digits` digits after the point and groups of three. */
export function number(value: number | undefined, digits = 2): string {
  if (value === undefined || !Number.isFinite(value)) return '–';
  return value.toLocaleString('en-US', { maximumFractionDigits: digits }).replace('-', '−');
}

/** Returns a duration in its two largest units: `2 d 4 h`, `12 s`. */
export function duration(ms: number): string {
  if (!Number.isFinite(ms)) return '–';
  const size = Math.max(0, ms);
  if (size < 1_000) return `${Math.round(size)} ms`;
  const units: readonly (readonly [string, number])[] = [
    ['d', 86_400_000],
    ['h', 3_600_000],
    ['min', 60_000],
    ['s', 1_000],
  ];
  const at = units.findIndex(([, unitMs]) => size >= unitMs);
  const [name, unitMs] = units[at] ?? ['s', 1_000];
  const rest = units[at + 1];
  const first = `${Math.floor(size / unitMs)} ${name}`;
  const second = rest === undefined ? 0 : Math.floor((size % unitMs) / rest[1]);
  return second === 0 || rest === undefined ? first : `${first} ${second} ${rest[0]}`;
}

/** Returns a time in handlers and queues: microseconds below one millisecond. */
export function latency(ms: number | undefined): string {
  if (ms === undefined) return '–';
  return ms < 1 ? `${number(ms * 1_000, 0)} µs` : `${number(ms, ms < 10 ? 2 : 0)} ms`;
}

/** Returns calendar time to the second, in UTC as venues and journal have it: `2026-01-23 08:00:00`. */
export function moment(atMs: number | undefined): string {
  if (atMs === undefined || atMs <= 0) return '–';
  return new Date(atMs).toISOString().slice(0, 19).replace('T', ' ');
}

/** Returns only the time of day. */
export function clock(atMs: number | undefined): string {
  return moment(atMs).slice(11) || '–';
}

export function bytes(count: number | undefined): string {
  if (count === undefined) return '–';
  if (count < 1_024) return `${count} B`;
  return count < 1_048_576 ? `${number(count / 1_024, 1)} KiB` : `${number(count / 1_048_576, 1)} MiB`;
}

export function percent(share: number | undefined, digits = 0): string {
  return share === undefined ? '–' : `${number(share * 100, digits)} %`;
}
