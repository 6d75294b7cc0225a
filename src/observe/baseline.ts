/** What a distribution usually is: its mean over the last 24 hours, and over the last minute. Pure state, one owner. */

const DAY_MS = 86_400_000;
const SLOT_MS = 300_000;
const SLOTS = DAY_MS / SLOT_MS;
const MINUTE_MS = 60_000;
/** A mean of fewer values, or of a shorter time, is nothing to compare with. */
const VALUES_MIN = 100;
const SLOTS_MIN = 2;

interface Taken {
  readonly atMs: number;
  readonly count: number;
  readonly sum: number;
}

/** One series. Bounded: 24 hours in slots of 5 minutes, and the looks of the last minute. */
export class Baseline {
  readonly #counts = new Float64Array(SLOTS);
  readonly #sums = new Float64Array(SLOTS);
  /** Which slot of all time each place holds. */
  readonly #slots = new Float64Array(SLOTS).fill(-1);
  #minute: readonly Taken[] = [];

  /** Takes values recorded up to `atMs`, epoch ms; times must not go back by more than a slot to count. */
  add(atMs: number, count: number, sum: number): void {
    const slot = Math.floor(atMs / SLOT_MS);
    const place = slot % SLOTS;
    if (this.#slots[place] !== slot) {
      this.#slots[place] = slot;
      this.#counts[place] = 0;
      this.#sums[place] = 0;
    }
    this.#counts[place] = (this.#counts[place] ?? 0) + count;
    this.#sums[place] = (this.#sums[place] ?? 0) + sum;
    this.#minute = [...this.#minute.filter((taken) => atMs - taken.atMs < MINUTE_MS), { atMs, count, sum }];
  }

  /** Returns the mean of the last minute; undefined without values. */
  minuteMean(nowMs: number): number | undefined {
    const recent = this.#minute.filter(({ atMs }) => nowMs - atMs < MINUTE_MS);
    const count = recent.reduce((total, taken) => total + taken.count, 0);
    return count === 0 ? undefined : recent.reduce((total, taken) => total + taken.sum, 0) / count;
  }

  /** Returns the mean of the 24 hours before the current slot; undefined when too little is known. */
  dayMean(nowMs: number): number | undefined {
    const current = Math.floor(nowMs / SLOT_MS);
    let [count, sum, slots] = [0, 0, 0];
    for (let place = 0; place < SLOTS; place++) {
      const slot = this.#slots[place] ?? -1;
      if (slot < 0 || slot >= current || slot < current - SLOTS) continue;
      count += this.#counts[place] ?? 0;
      sum += this.#sums[place] ?? 0;
      slots += 1;
    }
    return count < VALUES_MIN || slots < SLOTS_MIN ? undefined : sum / count;
  }
}
