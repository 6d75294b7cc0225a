/**
 * What is to be heard on one socket, and what the venue has confirmed of it: the same for every venue. Whoever wants a channel is its
 * owner; however many owners it has, it is asked for once, and what is wanted outlives the connection. Connector thread only.
 *
 * A channel's life (a test holds this table and the code against each other):
 *
 * | from | event | to |
 * | ---- | ----- | -- |
 * | none | wanted | due |
 * | due | asked for | asked |
 * | asked | answered | confirmed |
 * | confirmed | asked for anew | asked |
 * | asked, confirmed | connection ended | due |
 * | due | released | none |
 * | asked, confirmed | released | surplus |
 * | surplus | given up, connection ended | none |
 * | surplus | wanted | confirmed |
 *
 * What was released by its last owner is surplus until somebody has told the venue. It is asked for no faster than it is answered.
 */

import type { VenueEvent } from './venue.ts';

/** More than a connection may carry was wanted: what came first is heard. */
export const SUBSCRIPTIONS_EXCEEDED = 'SUBSCRIPTIONS_MAX';

export interface SubscriptionRules {
  /** Whose, for a person: `lighter market`. */
  readonly where: string;
  /** Subscriptions on one connection; absent where the venue names no limit. */
  readonly max?: number | undefined;
  /** Asked for and not answered at once; what is late is not counted. */
  readonly unansweredMax: number;
  /** Without an answer for so long it is asked for again, monotonic ms. */
  readonly answerMs: number;
}

interface Asked {
  atMs: number;
  /** `refused`: asked for again after a while, and not waited for until then. */
  status: 'waiting' | 'confirmed' | 'refused';
}

export type SubscriptionStatus = 'none' | 'due' | 'asked' | 'confirmed' | 'surplus';

export class Subscriptions {
  readonly #rules: SubscriptionRules;
  readonly #byOwner = new Map<string, readonly string[]>();
  /** Number of owners by channel, in the order they were first wanted. */
  readonly #wanted = new Map<string, number>();
  readonly #asked = new Map<string, Asked>();
  #isExcessTold = false;

  constructor(rules: SubscriptionRules) {
    this.#rules = rules;
  }

  // What is wanted.

  /** All that one owner wants from now on; naming a channel twice is wanting it once. */
  want(owner: string, channels: readonly string[]): void {
    const before = this.#byOwner.get(owner) ?? [];
    const now = [...new Set(channels)];
    for (const channel of now) this.#wanted.set(channel, (this.#wanted.get(channel) ?? 0) + 1);
    for (const channel of before) this.#released(channel);
    if (now.length === 0) this.#byOwner.delete(owner);
    else this.#byOwner.set(owner, now);
    this.#isExcessTold = false;
  }

  /** Releases all that owners other than these want. */
  keepOwners(owners: readonly string[]): void {
    const kept = new Set(owners);
    for (const owner of [...this.#byOwner.keys()]) if (!kept.has(owner)) this.want(owner, []);
  }

  #released(channel: string): void {
    const owners = (this.#wanted.get(channel) ?? 0) - 1;
    if (owners > 0) this.#wanted.set(channel, owners);
    else this.#wanted.delete(channel);
  }

  /** Every channel that is wanted, in the order they were first wanted, as many as a connection may carry. */
  get desired(): readonly string[] {
    return [...this.#wanted.keys()].slice(0, this.#rules.max);
  }

  /** Told once, until something else is wanted. */
  takeExcess(): readonly VenueEvent[] {
    const { where, max = Number.POSITIVE_INFINITY } = this.#rules;
    if (this.#isExcessTold || this.#wanted.size <= max) return [];
    this.#isExcessTold = true;
    const first = [...this.#wanted.keys()][max] ?? '';
    const reason = `${where} must have at most ${max} subscriptions on a connection, ${this.#wanted.size} are wanted: ${first} and what follows is not heard, trade fewer symbols`;
    return [{ type: 'venue-error', code: SUBSCRIPTIONS_EXCEEDED, reason }];
  }

  // What the connection has.

  /** The connection ended, or a new one began: nothing is asked for on it. */
  disconnected(): void {
    this.#asked.clear();
  }

  /** Returns what to ask for now, and takes it for asked: what is wanted and was not, as much as may be unanswered. */
  due(nowMs: number): readonly string[] {
    const { max = Number.POSITIVE_INFINITY, unansweredMax } = this.#rules;
    if (this.#asked.size >= Math.min(max, this.#wanted.size)) return [];
    const asked = [...this.#asked.values()];
    let room =
      unansweredMax - asked.filter(({ status, atMs }) => status === 'waiting' && !this.#isOld(atMs, nowMs)).length;
    const channels: string[] = [];
    for (const channel of this.desired) {
      if (room <= 0) break;
      if (this.#asked.has(channel)) continue;
      this.#ask(channel, nowMs);
      channels.push(channel);
      room -= 1;
    }
    return channels;
  }

  /** Returns what to give up, and takes it for given up: nobody wants it any more, or there is no place for it. */
  surplus(): readonly string[] {
    const desired = new Set(this.desired);
    const channels = [...this.#asked.keys()].filter((channel) => !desired.has(channel));
    for (const channel of channels) this.#asked.delete(channel);
    return channels;
  }

  /** The venue confirmed it. False when that was not waited for. */
  answered(channel: string): boolean {
    const asked = this.#asked.get(channel);
    if (asked === undefined || asked.status === 'confirmed') return false;
    asked.status = 'confirmed';
    return true;
  }

  /** The venue refused it: late after a while, as what was never answered. */
  refused(channel: string, nowMs: number): void {
    if (this.#asked.has(channel)) this.#asked.set(channel, { atMs: nowMs, status: 'refused' });
  }

  /** It is being asked for once more, beyond what may be unanswered: a snapshot is missing, or a token was renewed. */
  renewed(channel: string, nowMs: number): void {
    if (this.#asked.has(channel)) this.#ask(channel, nowMs);
  }

  /** Returns what was asked for, or refused, too long ago. */
  late(nowMs: number): readonly string[] {
    const late = [...this.#asked].filter(([, { status, atMs }]) => status !== 'confirmed' && this.#isOld(atMs, nowMs));
    return late.map(([channel]) => channel);
  }

  /** Whether it was asked for so long ago that what it should have brought will not come. */
  isOverdue(channel: string, nowMs: number): boolean {
    const asked = this.#asked.get(channel);
    return asked !== undefined && this.#isOld(asked.atMs, nowMs);
  }

  isAsked(channel: string): boolean {
    return this.#asked.has(channel);
  }

  status(channel: string): SubscriptionStatus {
    const asked = this.#asked.get(channel);
    if (!this.#wanted.has(channel)) return asked === undefined ? 'none' : 'surplus';
    if (asked === undefined) return 'due';
    return asked.status === 'confirmed' ? 'confirmed' : 'asked';
  }

  #isOld(atMs: number, nowMs: number): boolean {
    return nowMs - atMs >= this.#rules.answerMs;
  }

  #ask(channel: string, nowMs: number): void {
    this.#asked.set(channel, { atMs: nowMs, status: 'waiting' });
  }
}
