/** Standard normal draws and the normal distribution, for the market generator. Any thread. */
import type { RandomStream } from '../runtime/actor.ts';

/** Returns one draw from the standard normal distribution; takes two numbers from the stream, always. */
export function drawNormal(random: RandomStream): number {
  const radius = Math.sqrt(-2 * Math.log(1 - random.nextFraction()));
  return radius * Math.cos(2 * Math.PI * random.nextFraction());
}

/** Returns P(Z <= z) of a standard normal Z, error below 1.5e-7 (Abramowitz and Stegun 7.1.26). */
export function normalShare(z: number): number {
  const x = Math.abs(z) / Math.SQRT2;
  const t = 1 / (1 + 0.3275911 * x);
  const polynomial = ((((1.061405429 * t - 1.453152027) * t + 1.421413741) * t - 0.284496736) * t + 0.254829592) * t;
  const tail = (polynomial * Math.exp(-x * x)) / 2;
  return z < 0 ? tail : 1 - tail;
}

/** A sequence worked out in order and remembered, so that any index answers the same however it is reached. */
export class Sequence<Value> {
  readonly #values: Value[] = [];
  readonly #next: (previous: Value | undefined, index: number) => Value;

  constructor(next: (previous: Value | undefined, index: number) => Value) {
    this.#next = next;
  }

  at(index: number): Value {
    if (!Number.isInteger(index) || index < 0) throw new RangeError(`a sequence starts at 0, was asked for ${index}`);
    let value = this.#values[index];
    while (value === undefined) {
      const length = this.#values.length;
      const added = this.#next(this.#values[length - 1], length);
      this.#values.push(added);
      if (length === index) value = added;
    }
    return value;
  }
}

/** A stationary AR(1) with unit variance from given unit innovations. */
export function unitAr1(phi: number, innovationAt: (index: number) => number): Sequence<number> {
  const fresh = Math.sqrt(1 - phi * phi);
  return new Sequence<number>((previous, index) =>
    previous === undefined ? innovationAt(index) : phi * previous + fresh * innovationAt(index),
  );
}
