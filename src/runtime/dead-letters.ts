/** Messages nobody could take, counted by reason, the newest kept. The hosting thread only. */
import type { ActorPath } from './actor.ts';
import { Deque } from './deque.ts';
import type { DeadLetter, DeadLettersSnapshot } from './snapshot.ts';

/** Letters kept per thread unless `deadLettersMax` says otherwise. */
export const DEAD_LETTERS_MAX_DEFAULT = 256;
/** Paths counted one by one; the rest share one count so that made-up paths cannot grow the table. */
const PATHS_MAX = 10_000;

/** The dead letters of one thread. The counts never forget; of the letters the newest `keptMax` are kept. */
export class DeadLetters {
  readonly #kept = new Deque<DeadLetter>();
  readonly #keptMax: number;
  readonly #byReason = new Map<string, number>();
  readonly #byPath = new Map<ActorPath, number>();
  #total = 0;

  constructor(keptMax: number = DEAD_LETTERS_MAX_DEFAULT) {
    this.#keptMax = keptMax;
  }

  get total(): number {
    return this.#total;
  }

  add(letter: DeadLetter): void {
    this.#total += 1;
    increment(this.#byReason, letter.reason);
    if (this.#byPath.size < PATHS_MAX || this.#byPath.has(letter.path)) increment(this.#byPath, letter.path);
    this.#kept.pushBack(letter);
    if (this.#kept.length > this.#keptMax) this.#kept.popFront();
  }

  countFor(path: ActorPath): number {
    return this.#byPath.get(path) ?? 0;
  }

  snapshot(): DeadLettersSnapshot {
    const latest: DeadLetter[] = [];
    for (let index = 0; index < this.#kept.length; index++) {
      const letter = this.#kept.at(index);
      if (letter !== undefined) latest.push(letter);
    }
    return { total: this.#total, byReason: Object.fromEntries(this.#byReason), latest };
  }
}

function increment(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}

/** Returns the sum of what several threads counted, with the newest letters of all. */
export function mergeDeadLetters(
  parts: readonly DeadLettersSnapshot[],
  keptMax: number = DEAD_LETTERS_MAX_DEFAULT,
): DeadLettersSnapshot {
  const byReason = new Map<string, number>();
  let total = 0;
  for (const part of parts) {
    total += part.total;
    for (const [reason, count] of Object.entries(part.byReason))
      byReason.set(reason, (byReason.get(reason) ?? 0) + count);
  }
  const latest = parts.flatMap((part) => part.latest).sort((left, right) => left.atMs - right.atMs);
  return { total, byReason: Object.fromEntries(byReason), latest: latest.slice(-keptMax) };
}
