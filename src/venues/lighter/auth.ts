/** Auth tokens of one API key: made in place, kept until they near their deadline. Connector thread only. */
import type { Instant } from '../venue.ts';
import { authToken, authTokenMessage } from './sign.ts';

/** How far ahead deadlines are set, real ms: below the venue's 8 h, so that a clock difference does not push one over. */
const TOKEN_LIFE_MS = 7.5 * 3_600_000;
/** Tokens with less left than this are replaced, real ms. */
const RENEW_BEFORE_MS = 30 * 60_000;

export interface AuthToken {
  readonly text: string;
  /** Calendar ms. */
  readonly deadlineMs: number;
}

export class AuthTokens {
  readonly #privateKey: string;
  readonly #accountIndex: number;
  readonly #apiKeyIndex: number;
  readonly #calendarScale: number;
  #current: AuthToken | undefined;

  constructor(key: {
    readonly privateKey: string;
    readonly accountIndex: number;
    readonly apiKeyIndex: number;
    /** Calendar ms per real ms. */
    readonly calendarScale: number;
  }) {
    this.#privateKey = key.privateKey;
    this.#accountIndex = key.accountIndex;
    this.#apiKeyIndex = key.apiKeyIndex;
    this.#calendarScale = key.calendarScale;
  }

  /** Returns a token that is good for another (real) half hour at least. Signs a new one, 0.3 ms, when there is none. */
  at({ calendarMs }: Instant): AuthToken {
    if (this.#current === undefined || this.needsRenewal(this.#current, calendarMs)) {
      const deadlineMs = calendarMs + TOKEN_LIFE_MS * this.#calendarScale;
      const message = authTokenMessage(deadlineMs, this.#accountIndex, this.#apiKeyIndex);
      this.#current = { text: authToken(this.#privateKey, message), deadlineMs };
    }
    return this.#current;
  }

  needsRenewal(token: AuthToken, calendarMs: number): boolean {
    return token.deadlineMs - calendarMs < RENEW_BEFORE_MS * this.#calendarScale;
  }
}
