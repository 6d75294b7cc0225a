/** What both ends of Bybit's wire share: paths, topics, header names, the rule about request times. Pure; any thread. */
import type { RequestTimes } from './sign.ts';

/** Interest 0.01 % of eight hours, a clamp of 0.05 %; the result is the rate of one interval. The limits differ by market. */
export const PREMIUM_FORMULA = {
  interest8hPico: 100_000_000,
  clampPico: 500_000_000,
  hourlyCapPico: 10_000_000_000,
} as const;

export const CATEGORY = 'linear';
export const PUBLIC_PATH = '/v5/public/linear';
export const PRIVATE_PATH = '/v5/private';
/** Levels per side of the books we follow; the venue also has 1, 200 and 1000. */
export const BOOK_DEPTH = 50;

/** Lower case, as Node shows them; the venue does not mind. */
export const KEY_HEADER = 'x-bapi-api-key';
export const TIMESTAMP_HEADER = 'x-bapi-timestamp';
export const WINDOW_HEADER = 'x-bapi-recv-window';
export const SIGN_HEADER = 'x-bapi-sign';
export const LIMIT_HEADER = 'x-bapi-limit';
export const REMAINING_HEADER = 'x-bapi-limit-status';
export const RESET_HEADER = 'x-bapi-limit-reset-timestamp';

/** How far ahead of the venue's clock a request may be stamped, exclusive, real ms. */
const AHEAD_MAX_MS = 1_000;

/** The venue's rule: not older than the window, less than a second ahead. `scale` is calendar ms per real ms. */
export function isTimely(times: RequestTimes, serverMs: number, scale: number): boolean {
  return serverMs - times.recvWindow <= times.timestamp && times.timestamp < serverMs + AHEAD_MAX_MS * scale;
}

export function bookTopic(symbol: string): string {
  return `orderbook.${BOOK_DEPTH}.${symbol}`;
}
export function tickerTopic(symbol: string): string {
  return `tickers.${symbol}`;
}

/** Query text from pairs; values are percent-encoded, absent ones left out. */
export function queryOf(pairs: readonly (readonly [string, string | number | undefined])[]): string {
  return pairs
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}=${encodeURIComponent(value ?? '')}`)
    .join('&');
}

/** Which way the price goes through a trigger. */
export const TRIGGER_RISE = 1;
export const TRIGGER_FALL = 2;

/** Order states of the venue that can still execute. */
export const OPEN_STATES: ReadonlySet<string> = new Set(['New', 'PartiallyFilled', 'Untriggered', 'Triggered']);
