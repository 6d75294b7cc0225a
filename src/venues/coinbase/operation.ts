/** How one REST call to the gateway is put together and its answer opened, and the access token that private calls carry. Connector thread. */
import type { HttpAnswered, HttpRequest, ReadSource } from '../../ports/ports.ts';
import { optionalText, textField } from '../fields.ts';
import { asFields, isFields, malformed, parseLosslessJson, reading } from '../json.ts';
import type { Fields } from '../json.ts';
import { MalformedPayload, VenueError } from '../venue.ts';
import type { Instant, Operation, OperationResult, VenueEvent } from '../venue.ts';
import type { CoinbaseHosts } from './hosts.ts';
import { refusalClassOf, refusalClassOfStatus } from './limits.ts';
import type { CoinbaseMarkets } from './markets.ts';
import { TOKEN_LIFE_S, platformToken, withoutTokens } from './sign.ts';
import type { PlatformKey } from './sign.ts';
import { RPC_PATH, rpcText } from './wire.ts';

/** Where requests go and as whom. */
export interface CoinbaseAccess {
  readonly hosts: CoinbaseHosts;
  readonly tokens: Tokens;
  readonly markets: CoinbaseMarkets;
  /** Calendar ms per monotonic ms. */
  readonly calendarScale: number;
}

const TIMEOUT_MS = 10_000;
/** Renewed when so much of its life is over: what is under way then still has time. */
const RENEW_AFTER = 0.8;
/** A renewal that has not ended by then is made again. */
const RENEWAL_MAX_MS = 10_000;
/** How far our clock may be ahead of the venue's, real s: a token dated so much back is never one from the future. */
const CLOCK_AHEAD_MAX_S = 2;

/** Makes the key's tokens, and keeps the access token that one of them was exchanged for. */
export class Tokens {
  readonly #key: PlatformKey;
  readonly #calendarScale: number;
  #made = 0;
  #access: { readonly text: string; readonly fromMs: number; readonly untilMs: number } | undefined;
  #renewingSinceMs = Number.NEGATIVE_INFINITY;

  constructor(key: PlatformKey, calendarScale: number) {
    this.#key = key;
    this.#calendarScale = calendarScale;
  }

  /**
   * A new token of the key. `uri` for a single REST request. It ends with `untilMs` (calendar ms), or as late as the venue allows:
   * what it signs cannot be accepted after that.
   */
  platform(at: Instant, options: { readonly uri?: string; readonly untilMs?: number } = {}): string {
    this.#made += 1;
    const nowS = at.calendarMs / 1_000;
    const notBeforeS = Math.floor(nowS - CLOCK_AHEAD_MAX_S * this.#calendarScale);
    const latestS = notBeforeS + Math.floor(TOKEN_LIFE_S * this.#calendarScale);
    const wantedS = options.untilMs === undefined ? latestS : Math.floor(options.untilMs / 1_000);
    return platformToken(this.#key, {
      nonce: Math.floor(at.calendarMs).toString(16).padStart(16, '0') + this.#made.toString(16).padStart(16, '0'),
      notBeforeS,
      expiresS: Math.max(notBeforeS + 1, Math.min(latestS, wantedS)),
      ...(options.uri === undefined ? {} : { uri: options.uri }),
    });
  }

  /** The access token, also for some time after its end: the venue's refusal says so better than an absent header. */
  get access(): string | undefined {
    return this.#access?.text;
  }

  /** Whether somebody must sign in before a private call. True for one asker at a time while the old token still works. */
  wantsRenewal(at: Instant): boolean {
    const { monotonicMs } = at;
    const known = this.#access;
    if (known === undefined || monotonicMs >= known.untilMs) return true;
    const isOld = monotonicMs >= known.fromMs + RENEW_AFTER * (known.untilMs - known.fromMs);
    if (!isOld || monotonicMs < this.#renewingSinceMs + RENEWAL_MAX_MS) return false;
    this.#renewingSinceMs = monotonicMs;
    return true;
  }

  accept(text: string, livesMs: number, at: Instant): void {
    this.#access = { text, fromMs: at.monotonicMs, untilMs: at.monotonicMs + livesMs };
    this.#renewingSinceMs = Number.NEGATIVE_INFINITY;
  }

  forget(): void {
    this.#access = undefined;
  }
}

export interface Ask {
  readonly method: string;
  readonly params: Readonly<Record<string, unknown>>;
  readonly priority: Operation['priority'];
  readonly weight?: number;
  /** What it reads, where others may ask the same; the signing in before it is nobody else's. */
  readonly source?: ReadSource;
  readonly read: (result: unknown, at: Instant) => OperationResult;
}

const REST_CALL_ID = 1;

export function publicCall(access: CoinbaseAccess, ask: Ask): Operation {
  return call(access, ask, () => ({}));
}

/** A private call, after signing in where that is due. */
export function privateCall(access: CoinbaseAccess, ask: Ask, at: Instant): Operation {
  const { tokens } = access;
  const bearer = (): Record<string, string> =>
    tokens.access === undefined ? {} : { authorization: `Bearer ${tokens.access}` };
  const operation = call(access, ask, bearer, at);
  return tokens.wantsRenewal(at) ? signIn(access, operation, at) : operation;
}

/** The token stands in the body, never in an address that somebody may log. */
function signIn(access: CoinbaseAccess, next: Operation, at: Instant): Operation {
  const { tokens } = access;
  const ask: Ask = {
    method: 'public/auth',
    params: {},
    priority: next.priority,
    read: (result, then) => {
      const fields = asFields(result, 'auth');
      const livesMs = Number(textField(fields, 'expires_in', 'auth')) * 1_000;
      if (!(livesMs > 0)) throw malformed('auth.expires_in', 'a positive number of seconds', fields['expires_in']);
      tokens.accept(textField(fields, 'access_token', 'auth'), livesMs, then);
      return { events: [], next };
    },
  };
  const made = call(access, ask, () => ({}));
  const requestAt = (then: Instant): HttpRequest => ({
    ...made.request,
    body: rpcText({ id: REST_CALL_ID, method: 'public/auth', params: signInParams(tokens, then) }),
  });
  return { ...made, request: requestAt(at), requestAt };
}

export function signInParams(tokens: Tokens, at: Instant): Readonly<Record<string, unknown>> {
  return { grant_type: 'coinbase_cdp', token: tokens.platform(at) };
}

function call(
  access: CoinbaseAccess,
  ask: Ask,
  authorization: () => Readonly<Record<string, string>>,
  at?: Instant,
): Operation {
  const { method, params, priority } = ask;
  const request = (): HttpRequest => ({
    method: 'POST',
    url: access.hosts.restUrl + RPC_PATH,
    headers: { 'content-type': 'application/json', ...authorization() },
    body: rpcText({ id: REST_CALL_ID, method, params }),
    timeoutMs: TIMEOUT_MS,
  });
  return {
    name: method,
    weight: ask.weight ?? 1,
    priority,
    mutates: false,
    ...(ask.source === undefined ? {} : { source: ask.source }),
    request: request(),
    ...(at === undefined ? {} : { requestAt: request }),
    parse: (answer: HttpAnswered, then: Instant) =>
      reading(method, () => ask.read(openAnswer(access, method, answer), then)),
  };
}

/** Returns the result. Throws VenueError for a refusal and MalformedPayload for nonsense. */
function openAnswer(access: CoinbaseAccess, method: string, answer: HttpAnswered): unknown {
  const envelope = envelopeOf(method, answer);
  if (envelope === undefined) {
    const { status, body, headers } = answer;
    const retryAfterS = Number(headers['retry-after'] ?? Number.NaN);
    const reason = withoutTokens(body).slice(0, 200).trim();
    const refusal = refusalClassOfStatus(status);
    throw new VenueError(method, `HTTP_${status}`, reason, refusal, retryAfterS > 0 ? retryAfterS * 1_000 : undefined);
  }
  const error = refusalOf(method, envelope);
  if (error === undefined) return envelope['result'];
  // Whatever the venue dislikes about it, the next private call signs in anew.
  if (error.code === '13009' || error.code === '13004') access.tokens.forget();
  throw error;
}

/** Errors come with HTTP 400 or 401 and the envelope all the same; without an envelope the status is all there is. */
function envelopeOf(method: string, { status, body }: HttpAnswered): Fields | undefined {
  try {
    const envelope = parseLosslessJson(body, method);
    if (isFields(envelope) && ('result' in envelope || 'error' in envelope)) return envelope;
    if (status === 200) throw malformed(method, 'an answer with a result or an error', envelope);
  } catch (error) {
    if (!(error instanceof MalformedPayload) || status === 200) throw error;
  }
  return undefined;
}

/** The refusal an envelope carries, if it does. */
export function refusalOf(method: string, envelope: Fields): VenueError | undefined {
  if (envelope['error'] === undefined) return undefined;
  const error = asFields(envelope['error'], `${method}.error`);
  const { code } = error;
  if (typeof code !== 'number' || !Number.isSafeInteger(code))
    throw malformed(`${method}.error.code`, 'an integer', code);
  const data = error['data'];
  const more = isFields(data) ? optionalText(data, 'reason') : undefined;
  const words = [optionalText(error, 'message') ?? 'no reason given', more].filter((text) => text !== undefined);
  const refusal = refusalClassOf(code);
  return new VenueError(
    method,
    String(code),
    withoutTokens(words.join(': ')),
    refusal,
    refusal === 'rate-limit' ? EXHAUSTED_WAIT_MS : undefined,
  );
}

/** Credits used up fill again in this time. */
const EXHAUSTED_WAIT_MS = 5_000;

/** Splits what belongs to known instruments from what does not; the latter is named, never silently dropped. */
export function eachKnown<Report>(
  items: readonly unknown[],
  what: string,
  read: (item: unknown) => Report | undefined,
): { readonly known: readonly Report[]; readonly unknown: readonly VenueEvent[] } {
  const known: Report[] = [];
  const unknown: VenueEvent[] = [];
  for (const item of items) {
    const report = read(item);
    if (report !== undefined) known.push(report);
    else {
      const fields = asFields(item, what);
      const symbol = String(fields['instrument_name'] ?? fields['product_id']);
      unknown.push({ type: 'venue-error', code: 'UNKNOWN_SYMBOL', reason: `${what} name the symbol ${symbol}` });
    }
  }
  return { known, unknown };
}
