/** An exact weighted sliding window with priority shares: what may be sent now without ever exceeding a venue's limit. Any thread. */
import type { LimitBucket, LimitFeedback } from './venue.ts';

/** 0 cancels and reducing orders, 1 hedges, 2 resolving unknowns, 3 opens and stops, 4 account snapshots, 5 market data (domain 12.5). */
export type RequestPriority = 0 | 1 | 2 | 3 | 4 | 5;

/** Share of the whole limit that may be used by choice: the other half is for what must not wait. */
export const USABLE_SHARE = 0.5;
/**
 * Share of the whole limit that all requests together may use when one of this priority asks. Queries stop short of what hedges may
 * use, and hedges of what reducing may: a comparison with the venue must never keep a close waiting.
 */
const TOTAL_SHARE: Readonly<Record<RequestPriority, number>> = { 0: 0.8, 1: 0.75, 2: 0.6, 3: 0.5, 4: 0.5, 5: 0.5 };
/** Share of the whole limit that requests of this priority alone may use (of the usable half: opens 30 %, snapshots 10 %, market data 20 %). */
const CLASS_SHARE: Readonly<Record<RequestPriority, number>> = { 0: 0.8, 1: 0.75, 2: 0.6, 3: 0.15, 4: 0.05, 5: 0.1 };
/**
 * What a ramp slows down: opening, and market data that streams bring as well. Knowing the account is no matter of choice, and its
 * twentieth is less than any ramp begins with.
 */
const IS_RAMPED: Readonly<Record<RequestPriority, boolean>> = {
  0: false,
  1: false,
  2: false,
  3: true,
  4: false,
  5: true,
};

/** What a limit looks like from outside. Plain data. */
export interface LimitView {
  readonly name: string;
  readonly per: 'account' | 'address';
  /** What we go by now, per window: our part of a limit that accounts share, lowered where the venue says less. */
  readonly max: number;
  readonly windowMs: number;
  readonly used: number;
  readonly usedRatio: number;
  /** Share of `max` that may be used by choice at this step of the ramp. */
  readonly usable: number;
  readonly inFlight: number;
  /** Absent where only the window counts. */
  readonly inFlightMax?: number;
  readonly refusals: number;
  /** How long ago the last refusal was; absent before the first. */
  readonly refusedAgoMs?: number;
  readonly silentForMs: number;
}

/** When to look again where only an answer makes room, and none came meanwhile. */
const IN_FLIGHT_WAIT_MS = 1_000;

/** Returns one account's part of a limit that the venue counts by address, where so many of ours share it. */
export function shareOf(bucket: LimitBucket, accounts: number): LimitBucket {
  if (bucket.per !== 'address' || accounts <= 1) return bucket;
  const { max, inFlightMax } = bucket;
  return {
    ...bucket,
    max: Math.max(1, Math.floor(max / accounts)),
    ...(inFlightMax === undefined ? {} : { inFlightMax: Math.max(1, Math.floor(inFlightMax / accounts)) }),
  };
}

interface Entry {
  readonly atMs: number;
  readonly weight: number;
  readonly priority: RequestPriority | undefined;
}

/** One bucket's memory. Times are monotonic ms and never go back. */
export class RateLimiter {
  readonly bucket: LimitBucket;
  #entries: Entry[] = [];
  #first = 0;
  #used = 0;
  #usedByPriority = [0, 0, 0, 0, 0, 0];
  #silentUntilMs = Number.NEGATIVE_INFINITY;
  #inFlight = 0;
  #usable = USABLE_SHARE;
  /** Part of the documented limit that the venue grants now, by its own word. */
  #granted = 1;
  #refusals = 0;
  #refusedAtMs: number | undefined;

  constructor(bucket: LimitBucket) {
    if (!(bucket.max > 0) || !(bucket.windowMs > 0)) {
      throw new RangeError(
        `limit ${bucket.name} must have a positive max and window, was ${bucket.max} per ${bucket.windowMs} ms`,
      );
    }
    if (bucket.inFlightMax !== undefined && !(bucket.inFlightMax >= 1))
      throw new RangeError(`limit ${bucket.name} must allow at least 1 in flight, was ${bucket.inFlightMax}`);
    this.bucket = bucket;
  }

  /**
   * Books `weight` and returns 0 when it may be sent now; else returns how many ms to wait before asking again. What has an answer
   * (`isAnswered`) counts as in flight until `settled`; where that cap stands against it, the next `settled` may make room earlier.
   */
  acquire(weight: number, priority: RequestPriority, nowMs: number, isAnswered = false): number {
    const waitMs =
      isAnswered && this.isInFlightFull(priority) ? IN_FLIGHT_WAIT_MS : this.waitFor(weight, priority, nowMs);
    if (waitMs > 0) return waitMs;
    this.#entries.push({ atMs: nowMs, weight, priority });
    this.#used += weight;
    this.#usedByPriority[priority] = (this.#usedByPriority[priority] ?? 0) + weight;
    if (isAnswered) this.#inFlight += 1;
    return 0;
  }

  /** Whether what has an answer must wait for one of those in flight; they stay below their share. */
  isInFlightFull(priority: RequestPriority): boolean {
    const { inFlightMax } = this.bucket;
    return inFlightMax !== undefined && this.#inFlight + 1 >= Math.max(2, inFlightMax * this.#totalShare(priority));
  }

  /** Returns what the window has `acquire` wait, and books nothing. */
  waitFor(weight: number, priority: RequestPriority, nowMs: number): number {
    if (nowMs < this.#silentUntilMs) return this.#silentUntilMs - nowMs;
    this.#forget(nowMs);
    // A single request heavier than its class share must still be possible alone, or it would wait for ever.
    const classMax = Math.max(weight, this.#max * this.#classShare(priority));
    const totalMax = Math.max(weight, this.#max * this.#totalShare(priority));
    const usedByClass = this.#usedByPriority[priority] ?? 0;
    if (this.#used + weight <= totalMax && usedByClass + weight <= classMax) return 0;
    const oldest = this.#entries[this.#first];
    return oldest === undefined ? 1 : Math.max(1, oldest.atMs + this.bucket.windowMs - nowMs);
  }

  /** Something that was acquired with an answer to come has it, or will never have one. */
  settled(): void {
    this.#inFlight = Math.max(0, this.#inFlight - 1);
  }

  /** How far the ramp has come: share of the limit that may be used by choice. */
  setUsable(share: number): void {
    if (!(share > 0 && share <= USABLE_SHARE))
      throw new RangeError(
        `usable share of ${this.bucket.name} must be above 0 and at most ${USABLE_SHARE}, was ${share}`,
      );
    this.#usable = share;
  }

  /**
   * The venue's own word about its limit: which share of it is used, and which part of the documented limit is granted now. Others may
   * use the same account, and limits are lowered: what we did not know of is booked as used. `sent`: when the request left that this
   * answers, and what was used then.
   */
  hear(
    { usedShare, granted }: LimitFeedback,
    sent: { readonly atMs: number; readonly used: number },
    nowMs: number,
  ): void {
    this.#granted = Math.min(1, Math.max(1 / this.bucket.max, granted));
    // Ours is what was used when the request left, itself included, and what left after it but may have arrived before.
    let own = sent.used;
    for (const { atMs, weight } of this.#entries.slice(this.#first)) if (atMs > sent.atMs) own += weight;
    const unknown = Math.floor(Math.min(1, Math.max(0, usedShare)) * this.#max - own);
    if (unknown >= 1) this.book(unknown, nowMs);
  }

  /** Counts `weight` as sent now in no priority class: what was sent without this limiter, perhaps by an earlier life. */
  book(weight: number, nowMs: number): void {
    this.#forget(nowMs);
    this.#entries.push({ atMs: nowMs, weight, priority: undefined });
    this.#used += weight;
  }

  /** Returns for how long nothing at all may be sent because the venue refused; 0 when that is over. */
  silentForMs(nowMs: number): number {
    return Math.max(0, this.#silentUntilMs - nowMs);
  }

  /** The venue refused for its limit: nothing is sent until then. */
  silence(untilMs: number, nowMs?: number): void {
    this.#silentUntilMs = Math.max(this.#silentUntilMs, untilMs);
    this.#refusals += 1;
    this.#refusedAtMs = nowMs ?? this.#refusedAtMs;
  }

  /** Share 0..1 of the class's budget that is free now. */
  freeShare(priority: RequestPriority, nowMs: number): number {
    if (nowMs < this.#silentUntilMs) return 0;
    this.#forget(nowMs);
    const total = 1 - this.#used / (this.#max * this.#totalShare(priority));
    const own = 1 - (this.#usedByPriority[priority] ?? 0) / (this.#max * this.#classShare(priority));
    return Math.max(0, Math.min(total, own));
  }

  /** Weight that requests of this priority may use in one window at most. */
  allowed(priority: RequestPriority): number {
    return this.#max * Math.min(this.#totalShare(priority), this.#classShare(priority));
  }

  /** Weight that requests of this priority may book now. */
  room(priority: RequestPriority, nowMs: number): number {
    if (nowMs < this.#silentUntilMs) return 0;
    this.#forget(nowMs);
    const total = this.#max * this.#totalShare(priority) - this.#used;
    const own = this.#max * this.#classShare(priority) - (this.#usedByPriority[priority] ?? 0);
    return Math.max(0, Math.min(total, own));
  }

  /** Weight that may be booked now while all that is used stays within this part of what may be used by choice. */
  roomByChoice(part: number, nowMs: number): number {
    if (nowMs < this.#silentUntilMs) return 0;
    this.#forget(nowMs);
    return Math.max(0, this.#max * this.#usable * part - this.#used);
  }

  /** Weight used in the window that ends now. */
  used(nowMs: number): number {
    this.#forget(nowMs);
    return this.#used;
  }

  view(nowMs: number): LimitView {
    this.#forget(nowMs);
    const { name, per = 'account', windowMs, inFlightMax } = this.bucket;
    return {
      name,
      per,
      max: this.#max,
      windowMs,
      used: this.#used,
      usedRatio: this.#used / this.#max,
      usable: this.#usable,
      inFlight: this.#inFlight,
      ...(inFlightMax === undefined ? {} : { inFlightMax }),
      refusals: this.#refusals,
      ...(this.#refusedAtMs === undefined ? {} : { refusedAgoMs: Math.max(0, nowMs - this.#refusedAtMs) }),
      silentForMs: this.silentForMs(nowMs),
    };
  }

  get #max(): number {
    return this.bucket.max * this.#granted;
  }

  #totalShare(priority: RequestPriority): number {
    return IS_RAMPED[priority] ? this.#usable : TOTAL_SHARE[priority];
  }

  #classShare(priority: RequestPriority): number {
    if (this.bucket.isUndivided === true) return this.#totalShare(priority);
    return IS_RAMPED[priority] ? (CLASS_SHARE[priority] / USABLE_SHARE) * this.#usable : CLASS_SHARE[priority];
  }

  #forget(nowMs: number): void {
    // An entry leaves only when strictly older than the window: the venue's window edges may include both ends.
    for (
      let entry = this.#entries[this.#first];
      entry !== undefined && entry.atMs < nowMs - this.bucket.windowMs;
      entry = this.#entries[this.#first]
    ) {
      this.#used -= entry.weight;
      if (entry.priority !== undefined)
        this.#usedByPriority[entry.priority] = (this.#usedByPriority[entry.priority] ?? 0) - entry.weight;
      this.#first += 1;
    }
    if (this.#first > 1024 && this.#first * 2 > this.#entries.length) {
      this.#entries = this.#entries.slice(this.#first);
      this.#first = 0;
    }
  }
}
