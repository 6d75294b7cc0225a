/** What a simulated venue does by itself some time after a request: answers held back, late rejections. Few at a time. Any thread. */
import type { Instant } from '../venues/venue.ts';
import type { VenueOutput } from './simulated-venue.ts';

type Act = (at: Instant) => readonly VenueOutput[];

export class LaterActs {
  #acts: { readonly dueMs: number; readonly act: Act }[] = [];
  #held = { requests: 0, delayMs: 0 };

  /** `dueMs`: monotonic ms. */
  add(dueMs: number, act: Act): void {
    this.#acts.push({ dueMs, act });
  }

  /** Holds the answers of the next requests back for so long. */
  holdAnswers(requests: number, delayMs: number): void {
    this.#held = { requests, delayMs };
  }

  /** The answer, or nothing when it is to be held back. */
  answered(answer: VenueOutput, at: Instant): readonly VenueOutput[] {
    const { requests, delayMs } = this.#held;
    if (requests <= 0) return [answer];
    this.#held = { requests: requests - 1, delayMs };
    this.add(at.monotonicMs + delayMs, () => [answer]);
    return [];
  }

  /** Does what is due. */
  run(at: Instant): readonly VenueOutput[] {
    const due = this.#acts.filter(({ dueMs }) => dueMs <= at.monotonicMs);
    if (due.length === 0) return [];
    this.#acts = this.#acts.filter(({ dueMs }) => dueMs > at.monotonicMs);
    return due.flatMap(({ act }) => act(at));
  }

  nextWakeMs(): number {
    return this.#acts.reduce((earliest, { dueMs }) => Math.min(earliest, dueMs), Number.POSITIVE_INFINITY);
  }
}
