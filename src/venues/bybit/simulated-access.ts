/** Who may ask the simulated Bybit venue, and how often: keys, signatures, times, the address's and the endpoints' limits. Any thread. */
import type { Instant } from '../venue.ts';
import { ADDRESS_BAN_MS, ADDRESS_LIMIT, endpointLimit } from './limits.ts';
import type { BybitTier } from './limits.ts';
import { isSameSignature, requestSignature, sessionSignature } from './sign.ts';
import { isTimely, KEY_HEADER, LIMIT_HEADER, REMAINING_HEADER, RESET_HEADER } from './wire.ts';
import { SIGN_HEADER, TIMESTAMP_HEADER, WINDOW_HEADER } from './wire.ts';

/** One account of the simulated venue. */
export interface SimulatedAccount {
  readonly name: string;
  readonly apiKey: string;
  readonly secret: string;
  readonly tier: BybitTier;
  /** Leverage shown for symbols whose leverage was never set; the exchange's own default for this account. */
  readonly leverage: number;
}

/** What the venue says no with: its code, or an HTTP status of the guards in front of it. */
export type Refusal =
  { readonly retCode: number; readonly retMsg: string } | { readonly status: number; readonly body: string };

const ENDPOINT_WINDOW_MS = 1_000;
const DEFAULT_WINDOW_MS = 5_000;
const BANNED: Refusal = { status: 403, body: '<html><body>access too frequent</body></html>' };
const TOO_MANY: Refusal = { retCode: 10006, retMsg: 'Too many visits! Exceeded the API Rate Limit.' };

interface Permission {
  readonly refused?: Refusal;
  /** Limit headers of this answer. */
  readonly headers: Readonly<Record<string, string>>;
}

export class SimulatedAccess {
  readonly #accounts: readonly SimulatedAccount[];
  readonly #calendarScale: number;
  readonly #addresses = new Map<string, { times: number[]; bannedUntilMs: number }>();
  readonly #endpoints = new Map<string, number[]>();
  #refuseAll: { readonly durationMs: number } | { readonly untilMs: number } = { untilMs: 0 };
  #keysRefused: number | undefined;
  refusals = 0;

  constructor(accounts: readonly SimulatedAccount[], calendarScale: number) {
    this.#accounts = accounts;
    this.#calendarScale = calendarScale;
  }

  /** From the next request on, for so long, everything is over its limit. */
  refuseAllFor(durationMs: number): void {
    this.#refuseAll = { durationMs };
  }

  /** Refuses every key with this code; undefined takes them again. */
  refuseKeys(code: number | undefined): void {
    this.#keysRefused = code;
  }

  /** Counts a request of an address; undefined when it may go on. */
  admitAddress(remote: string, nowMs: number): Refusal | undefined {
    const address = this.#addresses.get(remote) ?? { times: [], bannedUntilMs: 0 };
    this.#addresses.set(remote, address);
    address.times = address.times.filter((time) => nowMs - time < ADDRESS_LIMIT.windowMs);
    if (nowMs >= address.bannedUntilMs && address.times.length < ADDRESS_LIMIT.max) {
      address.times.push(nowMs);
      return undefined;
    }
    if (nowMs >= address.bannedUntilMs) address.bannedUntilMs = nowMs + ADDRESS_BAN_MS;
    this.refusals += 1;
    return BANNED;
  }

  /** The account whose key signed the request just now, or why it may not. */
  authenticate(
    headers: Readonly<Record<string, string>>,
    payload: string,
    at: Instant,
  ): { readonly account: SimulatedAccount } | { readonly refused: Refusal } {
    const refuse = (retCode: number, retMsg: string): { readonly refused: Refusal } => ({
      refused: { retCode, retMsg },
    });
    if (this.#keysRefused !== undefined) return refuse(this.#keysRefused, 'API key is refused.');
    const account = this.#accounts.find((candidate) => candidate.apiKey === headers[KEY_HEADER]);
    if (account === undefined) return refuse(10003, 'API key is invalid.');
    const times = {
      timestamp: Number(headers[TIMESTAMP_HEADER]),
      recvWindow: Number(headers[WINDOW_HEADER] ?? DEFAULT_WINDOW_MS),
    };
    const serverMs = Math.floor(at.calendarMs);
    if (!isTimely(times, serverMs, this.#calendarScale)) {
      const { timestamp, recvWindow } = times;
      return refuse(
        10002,
        'invalid request, please check your server timestamp or recv_window param. ' +
          `req_timestamp[${timestamp}],server_timestamp[${serverMs}],recv_window[${recvWindow}]`,
      );
    }
    const expected = requestSignature(account, times, payload);
    if (!isSameSignature(headers[SIGN_HEADER] ?? '', expected))
      return refuse(10004, 'error sign! please check your signature generation algorithm.');
    return { account };
  }

  /** The account that may open a private session, or undefined. */
  authenticateSession(args: readonly unknown[], at: Instant): SimulatedAccount | undefined {
    if (this.#keysRefused !== undefined) return undefined;
    const [apiKey, expiresMs, signature] = args;
    const account = this.#accounts.find((candidate) => candidate.apiKey === apiKey);
    if (account === undefined || typeof expiresMs !== 'number' || typeof signature !== 'string') return undefined;
    if (expiresMs <= at.calendarMs) return undefined;
    return isSameSignature(signature, sessionSignature(account, expiresMs)) ? account : undefined;
  }

  /** Counts `units` requests of an account at an endpoint within its rolling second. */
  admitEndpoint(account: SimulatedAccount, path: string, at: Instant, units = 1): Permission {
    const nowMs = at.monotonicMs;
    const max = endpointLimit(path, account.tier);
    const key = `${account.name} ${path}`;
    const times = (this.#endpoints.get(key) ?? []).filter((time) => nowMs - time < ENDPOINT_WINDOW_MS);
    this.#endpoints.set(key, times);
    const refusedForMs = this.#refusedForMs(nowMs);
    const isOver = refusedForMs > 0 || times.length + units > max;
    if (isOver) this.refusals += 1;
    else for (let unit = 0; unit < units; unit++) times.push(nowMs);
    const resetInMs = refusedForMs > 0 ? refusedForMs : isOver ? (times[0] ?? nowMs) + ENDPOINT_WINDOW_MS - nowMs : 0;
    const headers = {
      [LIMIT_HEADER]: String(max),
      [REMAINING_HEADER]: String(Math.max(0, max - times.length)),
      [RESET_HEADER]: String(Math.ceil(at.calendarMs + resetInMs * this.#calendarScale)),
    };
    return isOver ? { refused: TOO_MANY, headers } : { headers };
  }

  #refusedForMs(nowMs: number): number {
    if ('durationMs' in this.#refuseAll) this.#refuseAll = { untilMs: nowMs + this.#refuseAll.durationMs };
    return Math.max(0, this.#refuseAll.untilMs - nowMs);
  }
}
