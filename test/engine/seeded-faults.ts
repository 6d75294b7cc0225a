/** Every fault that passes by itself, at every venue of a world, one after the other in an order and at instants drawn from a seed. Tests only. */
import { randomStream } from '../../src/runtime/random.ts';
import type { VenueOracle } from '../../src/simulation/simulated-venue.ts';

type Options = Readonly<Record<string, number | string | boolean>>;

/** What a person must mend (revoked keys, trades by hand, other terms of a market) is left out, and what only one venue can do. */
const FAULTS: readonly (readonly [fault: string, options: Options])[] = [
  ['drop-sockets', {}],
  ['close-sockets', {}],
  ['close-next-socket', {}],
  ['refuse-sockets', { durationMs: 5_000 }],
  ['accept-then-close', { durationMs: 5_000 }],
  ['half-open', {}],
  ['one-way', { direction: 'from-venue' }],
  ['one-way', { direction: 'to-venue' }],
  ['offline', { durationMs: 8_000 }],
  ['maintenance', { durationMs: 5_000 }],
  ['delay-frames', { delayMs: 1_500, durationMs: 5_000 }],
  ['duplicate-frames', { durationMs: 5_000 }],
  ['swap-frames', { durationMs: 5_000 }],
  ['replay-frames', {}],
  ['lose-next-request', {}],
  ['lose-next-answer', {}],
  ['reset-next-answer', {}],
  ['delay-answers', { requests: 5, delayMs: 4_000 }],
  ['delay-next-request', { kind: 'order', delayMs: 2_000 }],
  ['garble-answers', { as: 'html' }],
  ['garble-answers', { as: '502', isLost: true }],
  ['garble-answers', { as: 'truncated', kind: 'question', requests: 3 }],
  ['reject-next-order', {}],
  ['silent-drop-next-order', {}],
  ['hide-orders', { durationMs: 5_000 }],
  ['rate-limit', { durationMs: 2_000 }],
  ['refuse-requests', { status: 429, durationMs: 2_000, retryAfterSec: 2 }],
];
/** These refuse requests that were within the limits: from now on, or from the next request on, whenever that comes. */
const REFUSING: ReadonlyMap<string, 'now' | 'next request'> = new Map([
  ['rate-limit', 'next request'],
  ['refuse-requests', 'now'],
]);
/** A refusal that comes later than this after the beginning of such a fault is no longer its work. */
const REFUSING_MS = 10_000;

/** One fault, due so many real ms after the start. */
export interface PlannedFault {
  readonly atMs: number;
  readonly venue: string;
  readonly fault: string;
  readonly options: Options;
}

/** Same seed, venues and span: same faults. */
export class SeededFaults {
  /** How many requests were refused as too many because that was ordered here, by venue. */
  readonly refusals = new Map<string, number>();
  #plan: readonly PlannedFault[];
  /** Refusals seen at the last look, and until when new ones are those ordered. */
  readonly #seen = new Map<string, number>();
  readonly #refusingUntilMs = new Map<string, number>();
  /** Venues that will refuse from their next request on. */
  readonly #waiting = new Set<string>();

  /** `share` of all faults at all venues are spread over `spanMs` of the run. */
  constructor(seed: number, venues: readonly string[], spanMs: number, share = 1) {
    const random = randomStream(seed, 'faults');
    const all = venues.flatMap((venue) => FAULTS.map(([fault, options]) => ({ venue, fault, options })));
    for (let last = all.length - 1; last > 0; last--) {
      const other = Math.floor(random.nextFraction() * (last + 1));
      const [one, two] = [all[last], all[other]];
      if (one !== undefined && two !== undefined) [all[last], all[other]] = [two, one];
    }
    const chosen = all.slice(0, Math.round(all.length * share));
    const slotMs = spanMs / chosen.length;
    this.#plan = chosen.map((planned, index) => ({ ...planned, atMs: (index + random.nextFraction()) * slotMs }));
  }

  /** Faults not yet taken. */
  get left(): number {
    return this.#plan.length;
  }

  /** Returns what is to be injected now. Call it often, each time after `look`. */
  due(atMs: number): readonly PlannedFault[] {
    const due = this.#plan.filter((planned) => planned.atMs <= atMs);
    this.#plan = this.#plan.slice(due.length);
    for (const { venue, fault } of due) {
      if (REFUSING.get(fault) === 'now') this.#refusingUntilMs.set(venue, atMs + REFUSING_MS);
      else if (REFUSING.has(fault)) this.#waiting.add(venue);
    }
    return due;
  }

  /** Tells apart what the venues refused by order from what they refused by their limits. */
  look(oracles: ReadonlyMap<string, VenueOracle>, atMs: number): void {
    for (const [venue, { rateLimitRefusals }] of oracles) {
      const more = rateLimitRefusals - (this.#seen.get(venue) ?? 0);
      this.#seen.set(venue, rateLimitRefusals);
      if (more > 0 && !this.#refusingUntilMs.has(venue) && this.#waiting.delete(venue))
        this.#refusingUntilMs.set(venue, atMs + REFUSING_MS);
      const untilMs = this.#refusingUntilMs.get(venue);
      if (untilMs === undefined) continue;
      this.refusals.set(venue, (this.refusals.get(venue) ?? 0) + more);
      if (untilMs <= atMs) this.#refusingUntilMs.delete(venue);
    }
  }
}
