/**
 * How long a thread that has nothing to do looks for work before it sleeps. One per thread, used by that thread only.
 *
 * Messages that come one by one, each after the last was handled, would otherwise put the receiver to sleep after every one
 * and cost the sender a wake-up each. Whether staying awake is worth it only trying tells: where threads want the same core, it
 * makes things worse. So the window doubles whenever something came in it and halves whenever nothing did, and of so many times
 * that the thread was woken soon after it fell asleep, it tries the longest window once.
 */

/** A shorter window is none. */
const WINDOW_MS_MIN = 0.01;
/** Of so many times that it was woken soon after it slept, it tries the longest window once. */
export const TRY_EVERY = 64;

export class Linger {
  readonly #maxMs: number;
  #windowMs = 0;
  #workedAtMs = 0;
  /** 0 while awake. */
  #asleepAtMs = 0;
  /** Found nothing to do since its last work. */
  #isIdle = false;
  /** Times it was woken within the longest window since it last tried that. */
  #soonWoken = 0;

  /** `maxMs` 0: never. */
  constructor(maxMs: number) {
    this.#maxMs = maxMs;
  }

  /** To be asked after every look for work, with whether there was some; false: sleep now. `nowMs` is monotonic. */
  staysAwake(nowMs: number, hasWorked: boolean): boolean {
    return hasWorked ? this.#noteWork(nowMs) : this.#noteIdle(nowMs);
  }

  #noteWork(nowMs: number): boolean {
    const max = this.#maxMs;
    if (this.#asleepAtMs === 0) {
      if (this.#isIdle) this.#windowMs = Math.min(max, this.#windowMs * 2);
    } else {
      if (nowMs - this.#asleepAtMs < max) this.#soonWoken += 1;
      if (this.#soonWoken === TRY_EVERY) {
        this.#soonWoken = 0;
        this.#windowMs = max;
      }
    }
    this.#asleepAtMs = 0;
    this.#workedAtMs = nowMs;
    this.#isIdle = false;
    return max > 0;
  }

  #noteIdle(nowMs: number): boolean {
    this.#isIdle = true;
    if (nowMs - this.#workedAtMs < this.#windowMs) return true;
    if (this.#asleepAtMs === 0) {
      this.#asleepAtMs = nowMs;
      this.#windowMs = this.#windowMs < WINDOW_MS_MIN ? 0 : this.#windowMs / 2;
    }
    return false;
  }
}
