/** A simulated venue at a fixed distance: what is sent to it arrives that much later, and so does what it says. Venue thread of a benchmark only. */
import type { SimulatedVenue, VenueInput, VenueOracle, VenueOutput } from '../../src/simulation/simulated-venue.ts';
import type { Instant } from '../../src/venues/venue.ts';

interface UnderWay<Item> {
  readonly dueMs: number;
  readonly item: Item;
}

export class DelayedVenue implements SimulatedVenue {
  readonly venue: string;
  readonly #inner: SimulatedVenue;
  readonly #oneWayMs: number;
  /** In order of their due times: all take equally long. */
  readonly #inputs: UnderWay<VenueInput>[] = [];
  readonly #outputs: UnderWay<VenueOutput>[] = [];

  constructor(inner: SimulatedVenue, oneWayMs: number) {
    this.venue = inner.venue;
    this.#inner = inner;
    this.#oneWayMs = oneWayMs;
  }

  handle(input: VenueInput, at: Instant): readonly VenueOutput[] {
    if (input.type !== 'tick') this.#inputs.push({ dueMs: at.monotonicMs + this.#oneWayMs, item: input });
    const arrived = taken(this.#inputs, at);
    const said = arrived.flatMap((item) => this.#inner.handle(item, at));
    if (this.#inner.nextWakeMs() <= at.monotonicMs) said.push(...this.#inner.handle({ type: 'tick' }, at));
    for (const item of said) this.#outputs.push({ dueMs: at.monotonicMs + this.#oneWayMs, item });
    return taken(this.#outputs, at);
  }

  nextWakeMs(): number {
    const [input, output] = [this.#inputs[0]?.dueMs ?? Infinity, this.#outputs[0]?.dueMs ?? Infinity];
    return Math.min(input, output, this.#inner.nextWakeMs());
  }

  oracle(): VenueOracle {
    return this.#inner.oracle();
  }

  inject(fault: string, options?: Readonly<Record<string, number | string | boolean>>): void {
    this.#inner.inject(fault, options);
  }
}

function taken<Item>(queue: UnderWay<Item>[], at: Instant): readonly Item[] {
  const first = queue.findIndex(({ dueMs }) => dueMs > at.monotonicMs);
  return queue.splice(0, first === -1 ? queue.length : first).map(({ item }) => item);
}
