/** Notices threads that stopped beating. A pure function of what it is shown and when; main thread. */

/** A thread as the watch sees it. */
export interface Pulse {
  readonly name: string;
  /** Any change counts as a sign of life. */
  readonly heartbeat: number;
  /** Blocked on its own sleep flag: silent and healthy. */
  readonly isAsleep: boolean;
  /** Returns the ms it was ready to run and had no core, since it began; 0 where that is not known. Asked of silent threads only. */
  readonly coreWaitMs: () => number;
}

interface Seen {
  readonly heartbeat: number;
  /** Where a silence was first seen: the look after the last beat. Both undefined before. */
  readonly silence: { readonly sinceMs: number; readonly coreWaitMs: number } | undefined;
}

/** Remembers since when each heartbeat stands still. A silence begins with the second look that sees the same beat. */
export class HeartbeatWatch {
  readonly #limitMs: number;
  readonly #seen = new Map<string, Seen>();
  #lastLookAtMs: number | undefined;

  /** A thread is hung when its heartbeat stood still for `limitMs` in which it could have run: a machine without a free core is no fault of its. */
  constructor(limitMs: number) {
    this.#limitMs = limitMs;
  }

  /**
   * Returns the names of threads that are hung. When the watch itself had not looked for half the limit (the machine
   * slept, or main was busy), nobody is blamed: every thread gets a whole period more.
   */
  look(pulses: readonly Pulse[], nowMs: number): string[] {
    const hasOverslept = this.#lastLookAtMs !== undefined && nowMs - this.#lastLookAtMs > this.#limitMs / 2;
    this.#lastLookAtMs = nowMs;
    const hung: string[] = [];
    for (const pulse of pulses) {
      const seen = this.#seen.get(pulse.name);
      const { heartbeat } = pulse;
      if (seen === undefined || hasOverslept || pulse.isAsleep || seen.heartbeat !== heartbeat) {
        this.#seen.set(pulse.name, { heartbeat, silence: undefined });
        continue;
      }
      // Asking the kernel takes longer than all the rest: only of those that are silent.
      const coreWaitMs = pulse.coreWaitMs();
      const silence = seen.silence ?? { sinceMs: nowMs, coreWaitMs };
      if (seen.silence === undefined) this.#seen.set(pulse.name, { heartbeat, silence });
      if (nowMs - silence.sinceMs - (coreWaitMs - silence.coreWaitMs) >= this.#limitMs) hung.push(pulse.name);
    }
    return hung;
  }

  /** Starts a thread's next life with a clean record. */
  forget(name: string): void {
    this.#seen.delete(name);
  }
}
