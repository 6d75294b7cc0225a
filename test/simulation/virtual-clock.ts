/** A small scheduler in virtual time for tests: earliest first, then in order of scheduling. */
import type { NetworkScheduler } from '../../src/simulation/simulated-network.ts';

interface Due {
  readonly atMs: number;
  readonly number: number;
  readonly action: () => void;
}

export class VirtualClock implements NetworkScheduler {
  #nowMs = 0;
  #number = 0;
  #due: Due[] = [];

  monotonicMs(): number {
    return this.#nowMs;
  }

  schedule(delayMs: number, action: () => void): () => void {
    this.#number += 1;
    const entry = { atMs: this.#nowMs + Math.max(0, delayMs), number: this.#number, action };
    this.#due.push(entry);
    return () => {
      this.#due = this.#due.filter((other) => other !== entry);
    };
  }

  pass(ms: number): void {
    const untilMs = this.#nowMs + ms;
    for (;;) {
      const next = this.#due.toSorted((a, b) => a.atMs - b.atMs || a.number - b.number)[0];
      if (next === undefined || next.atMs > untilMs) break;
      this.#due = this.#due.filter((entry) => entry !== next);
      this.#nowMs = next.atMs;
      next.action();
    }
    this.#nowMs = untilMs;
  }
}
