/**
 * A simulated venue that misbehaves on command, the same way whichever venue it is: what goes wrong on the way to it and from it. Any
 * thread. The venue's own faults stand beside these in its simulated.ts; fault-catalogue.ts has all by row.
 *
 * Faults for `inject`; times are monotonic ms, `kind` is order, cancel, question or other:
 * - `half-open`: connections open now carry nothing any more, and stay open
 * - `one-way` {direction = from-venue | to-venue}: the same in one direction
 * - `delay-frames` {delayMs, durationMs = 10000}: frames come late, in order; answers do not
 * - `duplicate-frames`, `swap-frames` {durationMs = 10000}: each frame twice; each two neighbours the wrong way round
 * - `close-sockets` {code = 1008}, `close-next-socket` {code = 1006}: all connections, or the longest open one
 * - `refuse-sockets` {durationMs, status = 503}, `accept-then-close` {durationMs}: new connections
 * - `replay-frames` {frames = 20}: the next connection hears what the last one of its path heard last, before anything else
 * - `offline` {durationMs}: nothing arrives and nothing leaves; connections stay open and silent
 * - `lose-next-request` {kind = order}: it never arrives
 * - `reset-next-answer` {kind = order}: carried out, then the connection is reset instead of an answer
 * - `delay-next-request` {delayMs, kind = cancel}: it arrives later
 * - `garble-answers` {as = html | empty | truncated | 500 | 502 | 504, requests = 1, kind = order, isLost = false}: `isLost`: not carried out
 * - `refuse-requests` {status = 429, durationMs, retryAfterSec, kind}: refused by a guard in front of the venue
 * - `refuse-orders` {durationMs, ...}: every order is refused as `refuse-next` {...} says
 * - `maintenance` {durationMs}: all requests answered 503, connections closed (1012) and new ones refused
 * - `hide-orders` {durationMs}: questions do not know orders accepted from now on
 * - `force-trade` {account = main, symbol, lots}, `change-market` {symbol, status, maxLeverage}
 */
import type { Instrument } from '../market/instrument.ts';
import type { Instant } from '../venues/venue.ts';
import type { Exchange } from './exchange.ts';
import type { LastingVenue, RequestKind, VenueInput, VenueOracle, VenueOutput } from './simulated-venue.ts';

type Options = Readonly<Record<string, number | string | boolean>>;
type Text = Extract<VenueOutput, { type: 'socket-text' }>;

export interface MisbehavingParts {
  readonly venue: LastingVenue;
  readonly exchange: Exchange;
  /** The venue's own listing: what `change-market` changes. */
  readonly markets: Instrument[];
  readonly requestKindOf: (input: VenueInput) => RequestKind;
}

/** A fault that lasts: until then once it has begun. */
interface Spell {
  readonly fault: string;
  readonly options: Options;
  readonly durationMs: number;
  untilMs: number | undefined;
}

/** A fault for the next requests of a kind. */
interface RequestFault {
  readonly fault: 'lose-next-request' | 'reset-next-answer' | 'delay-next-request' | 'garble-answers';
  readonly options: Options;
  readonly kind: RequestKind;
  left: number;
}

interface Connection {
  readonly path: string;
  isDeaf: boolean;
  isMute: boolean;
  hasSpoken: boolean;
  /** Held back by `swap-frames`. */
  held: Text | undefined;
}

type Held =
  | { readonly dueMs: number; readonly input: VenueInput }
  | { readonly dueMs: number; readonly output: VenueOutput }
  /** A frame whose neighbour never came. */
  | { readonly dueMs: number; readonly socketId: number };

const KEPT_FRAMES = 50;
const SWAP_PATIENCE_MS = 200;
const SPELLS: ReadonlySet<string> = new Set([
  'delay-frames',
  'duplicate-frames',
  'swap-frames',
  'refuse-sockets',
  'accept-then-close',
  'offline',
  'refuse-requests',
  'refuse-orders',
  'maintenance',
  'hide-orders',
]);
const REQUEST_FAULTS: ReadonlyMap<string, RequestKind> = new Map([
  ['lose-next-request', 'order'],
  ['reset-next-answer', 'order'],
  ['delay-next-request', 'cancel'],
  ['garble-answers', 'order'],
]);
const ACTS: ReadonlySet<string> = new Set([
  'half-open',
  'one-way',
  'close-sockets',
  'close-next-socket',
  'replay-frames',
  'force-trade',
  'change-market',
]);
const HTML = '<html><head><title>502 Bad Gateway</title></head><body>cloudflare</body></html>';

/** Puts the faults above between a venue and whoever talks to it. */
export function misbehaving(parts: MisbehavingParts): LastingVenue {
  return new MisbehavingVenue(parts);
}

class MisbehavingVenue implements LastingVenue {
  readonly venue: string;
  readonly #inner: LastingVenue;
  readonly #parts: MisbehavingParts;
  readonly #connections = new Map<number, Connection>();
  /** The latest frames by path, newest last. */
  readonly #lastFrames = new Map<string, string[]>();
  #spells: Spell[] = [];
  #requestFaults: RequestFault[] = [];
  /** Done at the next moment the venue is looked at. */
  #acts: { readonly fault: string; readonly options: Options }[] = [];
  #held: Held[] = [];
  /** Connections whose frames must not overtake those still held back, with the time until then. */
  #framesHeldUntilMs = 0;
  /** Answers to damage or drop, by request id. */
  readonly #answers = new Map<number, RequestFault>();
  #replays = 0;
  #refusals = 0;

  constructor(parts: MisbehavingParts) {
    this.#parts = parts;
    this.#inner = parts.venue;
    this.venue = parts.venue.venue;
  }

  inject(fault: string, options: Options = {}): void {
    const kind = REQUEST_FAULTS.get(fault);
    if (kind !== undefined) {
      const asked = (options['kind'] ?? kind) as RequestKind;
      const left = Number(options['requests'] ?? 1);
      this.#requestFaults.push({ fault: fault as RequestFault['fault'], options, kind: asked, left });
    } else if (SPELLS.has(fault)) {
      this.#spells.push({ fault, options, durationMs: Number(options['durationMs'] ?? 10_000), untilMs: undefined });
    } else if (ACTS.has(fault)) {
      this.#acts.push({ fault, options });
    } else {
      this.#inner.inject(fault, options);
    }
  }

  handle(input: VenueInput, at: Instant): readonly VenueOutput[] {
    const outputs: VenueOutput[] = [...this.#begin(at), ...this.#takeDue(at)];
    const answered = this.#intercept(input, at);
    if (answered !== 'pass') return [...outputs, ...answered, ...this.#let({ type: 'tick' }, at)];
    return [...outputs, ...this.#let(input, at)];
  }

  nextWakeMs(): number {
    const held = this.#held.reduce((wake, { dueMs }) => Math.min(wake, dueMs), Number.POSITIVE_INFINITY);
    const spells = this.#spells.reduce((wake, { untilMs }) => Math.min(wake, untilMs ?? 0), Number.POSITIVE_INFINITY);
    return Math.min(this.#inner.nextWakeMs(), held, this.#acts.length > 0 ? 0 : spells);
  }

  keepsake(): Readonly<Record<string, number>> {
    return this.#inner.keepsake();
  }

  oracle(): VenueOracle {
    const truth = this.#inner.oracle();
    return { accounts: truth.accounts, rateLimitRefusals: truth.rateLimitRefusals + this.#refusals };
  }

  // What begins and ends.

  #begin(at: Instant): readonly VenueOutput[] {
    const nowMs = at.monotonicMs;
    const outputs: VenueOutput[] = [];
    for (const spell of this.#spells) {
      if (spell.untilMs !== undefined) continue;
      spell.untilMs = nowMs + spell.durationMs;
      // What a connection loses on its way is lost for good: nothing is heard on it any more.
      if (spell.fault === 'offline')
        for (const connection of this.#connections.values()) connection.isDeaf = connection.isMute = true;
      if (spell.fault === 'hide-orders') this.#inner.inject('hide-orders', { sinceMs: at.calendarMs });
      if (spell.fault === 'maintenance') outputs.push(...this.#close([...this.#connections.keys()], 1012, at));
    }
    for (const spell of this.#spells)
      if (spell.fault === 'hide-orders' && (spell.untilMs ?? 0) <= nowMs) this.#inner.inject('hide-orders', {});
    this.#spells = this.#spells.filter(({ untilMs }) => (untilMs ?? 0) > nowMs);
    for (const act of this.#acts.splice(0)) outputs.push(...this.#act(act.fault, act.options, at));
    return outputs;
  }

  #act(fault: string, options: Options, at: Instant): readonly VenueOutput[] {
    switch (fault) {
      case 'half-open':
      case 'one-way':
        for (const connection of this.#connections.values()) {
          if (options['direction'] !== 'from-venue') connection.isDeaf = true;
          if (options['direction'] !== 'to-venue') connection.isMute = true;
        }
        return [];
      case 'close-sockets':
        return this.#close([...this.#connections.keys()], Number(options['code'] ?? 1008), at);
      case 'close-next-socket':
        return this.#close([...this.#connections.keys()].slice(0, 1), Number(options['code'] ?? 1006), at);
      case 'replay-frames':
        this.#replays = Number(options['frames'] ?? 20);
        return [];
      case 'force-trade':
        this.#parts.exchange.forceTrade(
          String(options['account'] ?? 'main'),
          String(options['symbol']),
          Number(options['lots']),
          at,
        );
        return [];
      default:
        return this.#changeMarket(options);
    }
  }

  /** In place: the exchange and the venue's wire look at the same listing. */
  #changeMarket({ symbol, status, maxLeverage }: Options): readonly VenueOutput[] {
    const market = this.#parts.markets.find((candidate) => candidate.symbol === symbol);
    if (market === undefined) throw new RangeError(`change-market symbol must be a listed one, was ${String(symbol)}`);
    Object.assign(market, status === undefined ? {} : { status }, maxLeverage === undefined ? {} : { maxLeverage });
    return [];
  }

  #close(socketIds: readonly number[], code: number, at: Instant): readonly VenueOutput[] {
    return socketIds.flatMap((socketId) => {
      this.#connections.delete(socketId);
      const told = this.#inner.handle({ type: 'socket-closed', socketId }, at);
      const closed: VenueOutput = { type: 'socket-close', socketId, code, reason: 'closed on command' };
      return [closed, ...this.#pass(told, at)];
    });
  }

  #takeDue(at: Instant): readonly VenueOutput[] {
    const due = this.#held.filter(({ dueMs }) => dueMs <= at.monotonicMs);
    if (due.length === 0) return [];
    this.#held = this.#held.filter(({ dueMs }) => dueMs > at.monotonicMs);
    return due.flatMap((held): readonly VenueOutput[] => {
      if ('input' in held) return this.#let(held.input, at);
      if ('output' in held) return this.#isAlive(held.output) ? [held.output] : [];
      const connection = this.#connections.get(held.socketId);
      const frame = connection?.held;
      if (connection !== undefined) connection.held = undefined;
      return frame === undefined ? [] : [frame];
    });
  }

  #isAlive(output: VenueOutput): boolean {
    return output.type !== 'socket-text' || this.#connections.has(output.socketId);
  }

  #spell(fault: string): Spell | undefined {
    return this.#spells.find((spell) => spell.fault === fault);
  }

  // On the way in.

  /** Answers in the venue's place (an empty list: with silence), or lets the input pass. */
  #intercept(input: VenueInput, at: Instant): readonly VenueOutput[] | 'pass' {
    if (input.type === 'tick' || input.type === 'socket-closed') return 'pass';
    if (this.#spell('offline') !== undefined) return [];
    if (input.type === 'socket-requested') return this.#interceptSocket(input.socketId);
    if (input.type !== 'http-request') {
      if (this.#connections.get(input.socketId)?.isDeaf === true) return [];
      return input.type === 'socket-text' ? this.#interceptRequest(input, at) : 'pass';
    }
    const guard = this.#guard(input);
    return guard ?? this.#interceptRequest(input, at);
  }

  #interceptSocket(socketId: number): readonly VenueOutput[] | 'pass' {
    const refused = this.#spell('refuse-sockets') ?? this.#spell('maintenance');
    if (refused === undefined) return 'pass';
    const status = Number(refused.options['status'] ?? 503);
    return [{ type: 'socket-refuse', socketId, status, body: 'Service Unavailable' }];
  }

  #guard(input: Extract<VenueInput, { type: 'http-request' }>): readonly VenueOutput[] | undefined {
    const spell = this.#spell('maintenance') ?? this.#spell('refuse-requests');
    if (spell === undefined) return undefined;
    const { kind, retryAfterSec } = spell.options;
    if (kind !== undefined && kind !== this.#parts.requestKindOf(input)) return undefined;
    const status = spell.fault === 'maintenance' ? 503 : Number(spell.options['status'] ?? 429);
    if (status === 429) this.#refusals += 1;
    const headers = {
      'content-type': 'text/html',
      ...(retryAfterSec === undefined ? {} : { 'retry-after': String(retryAfterSec) }),
    };
    return [{ type: 'http-answer', requestId: input.requestId, status, headers, body: HTML }];
  }

  #interceptRequest(
    input: Extract<VenueInput, { type: 'http-request' | 'socket-text' }>,
    at: Instant,
  ): readonly VenueOutput[] | 'pass' {
    if (this.#requestFaults.length === 0 && this.#spell('refuse-orders') === undefined) return 'pass';
    const kind = this.#parts.requestKindOf(input);
    const refusal = kind === 'order' ? this.#spell('refuse-orders') : undefined;
    if (refusal !== undefined) this.#inner.inject('refuse-next', refusal.options);
    const fault = this.#requestFaults.find((candidate) => candidate.kind === kind);
    if (fault === undefined) return 'pass';
    fault.left -= 1;
    if (fault.left <= 0) this.#requestFaults = this.#requestFaults.filter((other) => other !== fault);
    if (fault.fault === 'lose-next-request') return [];
    if (fault.fault === 'delay-next-request') {
      this.#held.push({ dueMs: at.monotonicMs + Number(fault.options['delayMs'] ?? 500), input });
      return [];
    }
    if (input.type === 'socket-text') {
      // An answer over a socket cannot break off by itself: the connection does.
      const carriedOut = fault.options['isLost'] === true ? [] : this.#let(input, at);
      const others = carriedOut.filter((output) => output.type !== 'socket-text' || output.socketId !== input.socketId);
      return [...others, ...this.#close([input.socketId], 1006, at)];
    }
    if (fault.options['isLost'] === true) return [garbled(input.requestId, fault)];
    this.#answers.set(input.requestId, fault);
    return 'pass';
  }

  #let(input: VenueInput, at: Instant): readonly VenueOutput[] {
    if (input.type === 'socket-requested')
      this.#connections.set(input.socketId, {
        path: input.path.split('?')[0] ?? '',
        isDeaf: false,
        isMute: false,
        hasSpoken: false,
        held: undefined,
      });
    if (input.type === 'socket-closed') this.#connections.delete(input.socketId);
    return this.#pass(this.#inner.handle(input, at), at);
  }

  // On the way out.

  #pass(outputs: readonly VenueOutput[], at: Instant): readonly VenueOutput[] {
    return outputs.flatMap((output) => this.#passOne(output, at));
  }

  #passOne(output: VenueOutput, at: Instant): readonly VenueOutput[] {
    if (this.#spell('offline') !== undefined && output.type !== 'socket-close') return [];
    switch (output.type) {
      case 'http-answer': {
        const fault = this.#answers.get(output.requestId);
        this.#answers.delete(output.requestId);
        return [fault === undefined ? output : garbled(output.requestId, fault, output.body)];
      }
      case 'socket-accept': {
        const spell = this.#spell('accept-then-close');
        if (spell === undefined) return [output];
        return [output, ...this.#close([output.socketId], Number(spell.options['code'] ?? 1001), at)];
      }
      case 'socket-refuse':
      case 'socket-close':
        return this.#ended(output);
      case 'socket-ping':
        return this.#connections.get(output.socketId)?.isMute === true ? [] : [output];
      case 'socket-text':
        return this.#frame(output, at);
      case 'http-reset':
        return [output];
    }
  }

  #ended(output: Extract<VenueOutput, { type: 'socket-refuse' | 'socket-close' }>): readonly VenueOutput[] {
    const isMute = this.#connections.get(output.socketId)?.isMute === true;
    this.#connections.delete(output.socketId);
    return isMute ? [] : [output];
  }

  #frame(output: Text, at: Instant): readonly VenueOutput[] {
    const connection = this.#connections.get(output.socketId);
    if (connection === undefined || connection.isMute) return [];
    const old = connection.hasSpoken ? [] : this.#replayed(connection, output.socketId);
    connection.hasSpoken = true;
    this.#remember(connection.path, output.text);
    const frames = this.#spell('duplicate-frames') === undefined ? [output] : [output, output];
    const slow = this.#spell('delay-frames');
    if (slow !== undefined || at.monotonicMs < this.#framesHeldUntilMs) {
      const dueMs = Math.max(at.monotonicMs + Number(slow?.options['delayMs'] ?? 0), this.#framesHeldUntilMs);
      this.#framesHeldUntilMs = dueMs;
      for (const frame of frames) this.#held.push({ dueMs, output: frame });
      return old;
    }
    if (connection.held !== undefined) {
      const { held } = connection;
      connection.held = undefined;
      return [...old, ...frames, held];
    }
    if (this.#spell('swap-frames') === undefined) return [...old, ...frames];
    connection.held = output;
    this.#held.push({ dueMs: at.monotonicMs + SWAP_PATIENCE_MS, socketId: output.socketId });
    return old;
  }

  #remember(path: string, text: string): void {
    const frames = this.#lastFrames.get(path) ?? [];
    frames.push(text);
    if (frames.length > KEPT_FRAMES) frames.shift();
    this.#lastFrames.set(path, frames);
  }

  #replayed({ path }: Connection, socketId: number): readonly Text[] {
    const count = this.#replays;
    if (count === 0) return [];
    this.#replays = 0;
    return (this.#lastFrames.get(path) ?? []).slice(-count).map((text) => ({ type: 'socket-text', socketId, text }));
  }
}

function garbled(requestId: number, fault: RequestFault, body = ''): VenueOutput {
  if (fault.fault === 'reset-next-answer') return { type: 'http-reset', requestId };
  const { as = 'html' } = fault.options;
  const answer = (status: number, text: string): VenueOutput => ({
    type: 'http-answer',
    requestId,
    status,
    headers: { 'content-type': text.startsWith('<') ? 'text/html' : 'application/json' },
    body: text,
  });
  switch (as) {
    case 'html':
      return answer(200, HTML);
    case 'empty':
      return answer(200, '');
    case 'truncated':
      return answer(200, body.slice(0, Math.floor(body.length / 2)));
    default:
      return answer(Number(as), HTML);
  }
}
