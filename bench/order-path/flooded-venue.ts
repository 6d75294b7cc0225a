/**
 * A simulated venue whose book is a paced flood with triggers in it. Venue thread of the benchmarks of the way to an order only.
 *
 *   client --requests, sockets--> FloodedVenue --same inputs--> simulated venue (matching, signatures, limits)
 *   client <--everything else---- FloodedVenue <--------------- simulated venue
 *   client <--its book----------- FloodedVenue: a snapshot, then delta, delta, delta ... in the venue's own format
 *
 * Everything but the book is the simulated venue's: orders are checked, matched and reported on the account stream. The book of the
 * flood stands around the venue's own price and moves like a busy one.
 */
import assert from 'node:assert/strict';
import type { Instrument } from '../../src/market/instrument.ts';
import type { SimulatedVenue, VenueInput, VenueOracle, VenueOutput } from '../../src/simulation/simulated-venue.ts';
import type { Instant } from '../../src/venues/venue.ts';
import { BookFlood, whenWritten } from './book-flood.ts';
import type { BookWire } from './book-wire.ts';
import { quietBidNear, triggerRise } from './decision.ts';
import type { LoadPlan, VenueReport, VenueSample } from './plan.ts';

/** The best ask stands above every trigger. */
const ASK_DISTANCE_TICKS = 20;
/** A trigger unanswered for so long ends the run. */
const ANSWER_MS = 60_000;

export interface FloodedVenueOptions {
  readonly inner: SimulatedVenue;
  readonly wire: BookWire;
  readonly instrument: Instrument;
  /** The inner venue's best bid now, ticks. */
  readonly bestBidTicks: () => number;
  readonly seed: number;
  readonly hrtimeNs: () => bigint;
  /** Called once per run. */
  readonly onFinished: (report: VenueReport) => void;
  readonly onFailed: (reason: string) => void;
}

/** A run under way. */
interface Run {
  readonly plan: LoadPlan;
  readonly startedAtMs: number;
  readonly framesBefore: number;
  readonly samples: VenueSample[];
  /** Triggers sent so far. */
  triggers: number;
  nextDueMs: number;
  /** Due times that passed while a trigger was unanswered: the next one answers for all of them, as the newest book would. */
  missedDueMs: readonly number[];
}

/** A trigger that is out. */
interface Trigger {
  readonly ticks: number;
  readonly lots: number;
  readonly writtenAtMs: number;
  readonly missedDueMs: readonly number[];
  /** Set while the frame is being written. */
  sentNs: bigint;
}

export class FloodedVenue implements SimulatedVenue {
  readonly venue: string;
  readonly #options: FloodedVenueOptions;
  readonly #book: BookFlood;
  #quietBid = 0;
  #run: Run | undefined;
  #triggers = 0;
  #out: Trigger | undefined;
  /** A trigger level that the next frame deletes. */
  #toLower: { readonly ticks: number; readonly lotsBefore: number } | undefined;
  readonly #answered = new Set<string>();

  constructor(options: FloodedVenueOptions) {
    this.#options = options;
    this.venue = options.inner.venue;
    const { wire, instrument, seed } = options;
    this.#book = new BookFlood({ wire, instrument, seed, top: () => this.#top() });
  }

  /** Triggers sent since the start. */
  get triggers(): number {
    return this.#triggers;
  }

  /** Begins a run; `onFinished` or `onFailed` follows. */
  begin(plan: LoadPlan, at: Instant): void {
    assert.equal(this.#run, undefined, 'one run at a time');
    assert.ok(this.#book.isRead, 'somebody reads the book');
    this.#book.begin(plan.framesPerSecond, at);
    this.#run = {
      plan,
      startedAtMs: at.monotonicMs,
      framesBefore: this.#book.frames,
      samples: [],
      triggers: 0,
      nextDueMs: at.monotonicMs + plan.spacingMaxMs,
      missedDueMs: [],
    };
  }

  handle(input: VenueInput, at: Instant): readonly VenueOutput[] {
    const { inner, wire } = this.#options;
    if (input.type === 'tick') {
      const own = inner.nextWakeMs() <= at.monotonicMs ? inner.handle(input, at) : [];
      return [...this.#book.inPlaceOfOwn(own, at), ...this.#flood(at)];
    }
    // Before anything else is done about it: the bytes are here now.
    if (input.type === 'http-request' && input.method === 'POST' && wire.orderPath.test(input.path))
      this.#orderArrived(input.body, at);
    this.#book.hear(input);
    return this.#book.inPlaceOfOwn(inner.handle(input, at), at);
  }

  nextWakeMs(): number {
    if (this.#toLower !== undefined) return Number.NEGATIVE_INFINITY;
    const triggerMs = this.#run?.missedDueMs[0] ?? this.#run?.nextDueMs ?? Infinity;
    return Math.min(this.#book.nextWakeMs(), triggerMs, this.#options.inner.nextWakeMs());
  }

  oracle(): VenueOracle {
    return this.#options.inner.oracle();
  }

  inject(fault: string, options?: Readonly<Record<string, number | string | boolean>>): void {
    this.#options.inner.inject(fault, options);
  }

  #top(): { readonly bid: number; readonly ask: number } {
    this.#quietBid = quietBidNear(this.#options.bestBidTicks());
    return { bid: this.#quietBid, ask: this.#quietBid + ASK_DISTANCE_TICKS };
  }

  /** Every frame that is due, the trigger last: whoever reads it has the rest of the burst to read first. */
  #flood(at: Instant): readonly VenueOutput[] {
    if (!this.#book.isRead) {
      if (this.#run !== undefined) this.#fail('the book stream was closed during a run');
      return [];
    }
    const outputs: VenueOutput[] = [];
    const isTriggerDue = this.#isTriggerDue(at.monotonicMs);
    for (let left = this.#book.due(at) - (isTriggerDue ? 1 : 0); left > 0 || this.#toLower !== undefined; left--)
      outputs.push(this.#plainFrame(at));
    if (isTriggerDue) outputs.push(this.#trigger(at));
    return outputs;
  }

  /** A trigger that was answered leaves the book with the first of them. */
  #plainFrame(at: Instant): VenueOutput {
    const toLower = this.#toLower;
    this.#toLower = undefined;
    return this.#book.frame(at, toLower === undefined ? [] : [{ ...toLower, lots: 0 }]);
  }

  #isTriggerDue(nowMs: number): boolean {
    const run = this.#run;
    if (run === undefined) return false;
    if (this.#out !== undefined) {
      if (nowMs - this.#out.writtenAtMs > ANSWER_MS)
        this.#fail(`trigger ${this.#triggers} must be answered within ${ANSWER_MS} ms`);
      return false;
    }
    return nowMs >= (run.missedDueMs[0] ?? run.nextDueMs);
  }

  #trigger(at: Instant): VenueOutput {
    const run = this.#run;
    assert.ok(run !== undefined, 'triggers belong to a run');
    this.#triggers += 1;
    const lots = this.#book.drawLots();
    const ticks = this.#quietBid + triggerRise(this.#triggers);
    const frame = this.#book.bid({ ticks, lots, lotsBefore: 0 }, at);
    const trigger: Trigger = { ticks, lots, writtenAtMs: at.monotonicMs, missedDueMs: run.missedDueMs, sentNs: 0n };
    this.#out = trigger;
    run.triggers += 1;
    run.missedDueMs = [];
    run.nextDueMs = at.monotonicMs + this.#drawSpacing(run.plan);
    return whenWritten(frame, () => {
      trigger.sentNs = this.#options.hrtimeNs();
    });
  }

  #orderArrived(body: string, at: Instant): void {
    const arrivedNs = this.#options.hrtimeNs();
    const id = fieldOf(body, this.#options.wire.orderIdField);
    const run = this.#run;
    const trigger = this.#out;
    if (run === undefined || trigger === undefined) {
      this.#fail(`order ${id} must answer a trigger, and none is out`);
      return;
    }
    if (this.#answered.has(id)) {
      this.#fail(`order ${id} must be sent once`);
      return;
    }
    this.#answered.add(id);
    const { sentNs, writtenAtMs, missedDueMs } = trigger;
    run.samples.push({ clientOrderId: id, sentNs, arrivedNs });
    for (const dueMs of missedDueMs) {
      const lateNs = BigInt(Math.round((writtenAtMs - dueMs) * 1e6));
      run.samples.push({ clientOrderId: id, sentNs: sentNs - lateNs, arrivedNs });
    }
    run.missedDueMs = this.#passedDueTimes(run, at.monotonicMs);
    this.#toLower = { ticks: trigger.ticks, lotsBefore: trigger.lots };
    this.#out = undefined;
    if (run.triggers < run.plan.triggers) return;
    this.#end(at);
    const elapsedMs = at.monotonicMs - run.startedAtMs;
    this.#options.onFinished({
      triggers: run.triggers,
      samples: run.samples,
      frames: this.#book.frames - run.framesBefore,
      elapsedMs,
    });
  }

  /** The due times up to now, moved on past. */
  #passedDueTimes(run: Run, nowMs: number): readonly number[] {
    const passed: number[] = [];
    for (; run.nextDueMs < nowMs; run.nextDueMs += this.#drawSpacing(run.plan)) passed.push(run.nextDueMs);
    return passed;
  }

  #end(at: Instant): void {
    this.#run = undefined;
    this.#book.end(at);
  }

  #fail(reason: string): void {
    this.#run = undefined;
    this.#out = undefined;
    this.#options.onFailed(reason);
  }

  #drawSpacing({ spacingMinMs, spacingMaxMs }: LoadPlan): number {
    return this.#book.drawBetween(spacingMinMs, spacingMaxMs);
  }
}

/** Returns a text field of a JSON object, empty when it is none: the inner venue then refuses the order in its own words. */
function fieldOf(body: string, name: string): string {
  const order: unknown = JSON.parse(body);
  const value =
    typeof order === 'object' && order !== null ? Object.entries(order).find(([key]) => key === name)?.[1] : undefined;
  return typeof value === 'string' ? value : '';
}
