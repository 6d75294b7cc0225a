/** Notices threads that stopped beating. A pure function of what it is shown and when; main thread. */

/** A thread as the watch sees it. */
export interface Pulse {
  readonly name: string;
  /** Any change counts as a sign of life. */
  readonly heartbeat: number;
  /** Blocked on its own sleep flag: silent and healthy. */
  readonly isAsleep: boolean;
  /** Ms it was ready to run and had no core, since it began; 0 where that is not known. */
  readonly coreWaitMs: number;
}

interface Seen {
  readonly heartbeat: number;
  readonly sinceMs: number;
  readonly coreWaitMs: number;
}

/** Remembers since when each heartbeat stands still. */
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
      if (seen === undefined || hasOverslept || pulse.isAsleep || seen.heartbeat !== pulse.heartbeat) {
        const { heartbeat, coreWaitMs } = pulse;
        this.#seen.set(pulse.name, { heartbeat, sinceMs: nowMs, coreWaitMs });
      } else if (nowMs - seen.sinceMs - (pulse.coreWaitMs - seen.coreWaitMs) >= this.#limitMs) {
        hung.push(pulse.name);
      }
    }
    return hung;
  }

  /** Starts a thread's next life with a clean record. */
  forget(name: string): void {
    this.#seen.delete(name);
  }
}
