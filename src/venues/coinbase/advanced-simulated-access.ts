/** Who may ask simulated Advanced Trade, and how often: tokens of one request each, limits by user and by address. Any thread. */
import { RollingSums } from '../../simulation/rolling-sums.ts';
import type { Instant } from '../venue.ts';
import type { AdvancedAccount } from './advanced-simulated-records.ts';
import {
  CONNECTIONS_PER_SECOND,
  MESSAGES_PER_SECOND,
  PRIVATE_PER_HOUR,
  PRIVATE_PER_SECOND,
  PUBLIC_PER_SECOND,
} from './limits.ts';
import { SimulatedTokens } from './simulated-tokens.ts';

const SECOND_MS = 1_000;
const HOUR_MS = 3_600_000;

/** What is counted by itself, with its most per second. */
const LIMITS = {
  private: PRIVATE_PER_SECOND,
  public: PUBLIC_PER_SECOND,
  connect: CONNECTIONS_PER_SECOND,
  message: MESSAGES_PER_SECOND,
} as const;
type Counted = keyof typeof LIMITS;

export interface Permission {
  readonly isAdmitted: boolean;
  /** What the answer says of the limit. */
  readonly headers: Readonly<Record<string, string>>;
}

export class AdvancedAccess {
  readonly #tokens: SimulatedTokens<AdvancedAccount>;
  readonly #seconds = new RollingSums(SECOND_MS);
  readonly #hours = new RollingSums(HOUR_MS);
  #areKeysRefused = false;
  #refuseAll: { readonly durationMs: number } | { readonly untilMs: number } = { untilMs: 0 };
  refusals = 0;

  constructor(accounts: readonly AdvancedAccount[], calendarScale: number) {
    this.#tokens = new SimulatedTokens(accounts, calendarScale);
  }

  /** From the next request on, for so long, everything is over its limit. */
  refuseAllFor(durationMs: number): void {
    this.#refuseAll = { durationMs };
  }
  /** Every key is unknown from now on, or known again. */
  refuseKeys(areRefused: boolean): void {
    this.#areKeysRefused = areRefused;
  }

  /** The account whose token this is; `uri` for a single request. */
  accountOf(token: unknown, at: Instant, uri?: string): AdvancedAccount | undefined {
    return this.#areKeysRefused || typeof token !== 'string' ? undefined : this.#tokens.accountOf(token, at, uri);
  }

  /** Counts one of a kind. */
  admit(counted: Counted, who: string, nowMs: number): Permission {
    if ('durationMs' in this.#refuseAll) this.#refuseAll = { untilMs: nowMs + this.#refuseAll.durationMs };
    const max = LIMITS[counted];
    const key = `${counted} ${who}`;
    const isOpen = nowMs >= this.#refuseAll.untilMs;
    const isHourly = counted === 'private';
    const isAdmitted =
      isOpen &&
      (!isHourly || this.#hours.used(key, nowMs) < PRIVATE_PER_HOUR) &&
      this.#seconds.take(key, 1, max, nowMs) &&
      (!isHourly || this.#hours.take(key, 1, PRIVATE_PER_HOUR, nowMs));
    if (!isAdmitted) this.refusals += 1;
    const waitMs = isOpen ? this.#seconds.firstLeavesInMs(key, nowMs) : this.#refuseAll.untilMs - nowMs;
    const headers = {
      'x-ratelimit-limit': String(max),
      'x-ratelimit-remaining': String(Math.max(0, max - this.#seconds.used(key, nowMs))),
      // Whole seconds from now.
      'x-ratelimit-reset': String(Math.max(1, Math.ceil(waitMs / SECOND_MS))),
    };
    return { isAdmitted, headers };
  }
}
