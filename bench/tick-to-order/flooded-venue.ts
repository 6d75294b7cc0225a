/**
 * A simulated Extended venue whose book stream is a paced flood with triggers in it. Venue thread of tick-to-order only.
 *
 *   client --GET, POST, other sockets--> FloodedVenue --same inputs--> simulated venue (matching, signatures, limits)
 *   client --/orderbooks/BTC-USD-------> FloodedVenue: SNAPSHOT, then DELTA, DELTA, DELTA ... in the venue's own format
 *
 * Everything but the book stream is the simulated venue's: orders are checked, matched and reported on the account stream. The
 * book of the flood stands around the venue's own price and moves like a busy one: each frame changes sizes on both sides.
 */
import assert from 'node:assert/strict';
import type { Instrument } from '../../src/market/instrument.ts';
import { priceText, quantityText } from '../../src/money/amounts.ts';
import type { RandomStream } from '../../src/runtime/actor.ts';
import { randomStream } from '../../src/runtime/random.ts';
import type { SimulatedVenue, VenueInput, VenueOracle, VenueOutput } from '../../src/simulation/simulated-venue.ts';
import type { Instant } from '../../src/venues/venue.ts';
import { quietBidNear, triggerRise } from './decision.ts';
import type { LoadPlan, VenueReport, VenueSample } from './plan.ts';

/** Levels on each side, neighbours one tick apart. The best ask stands above every trigger. */
const LEVELS = 25;
const ASK_DISTANCE_TICKS = 20;
/** Levels that change on each side with each frame. */
const CHANGES_PER_SIDE = 2;
const LOTS_MAX = 100_000;
/** Between runs the book says as much as the real one of a quiet market. */
const QUIET_FRAMES_PER_SECOND = 10;
/** A trigger unanswered for so long ends the run. */
const ANSWER_MS = 10_000;
const ORDER_PATH = /\/user\/order$/;
const BOOK_PATH = /\/orderbooks\/[^/]+$/;

export interface FloodedVenueOptions {
  readonly inner: SimulatedVenue;
  readonly instrument: Instrument;
  /** The inner venue's best bid now, ticks. */
  readonly bestBidTicks: () => number;
  readonly seed: number;
  readonly hrtimeNs: () => bigint;
  /** Called once per run. */
  readonly onFinished: (report: VenueReport) => void;
  readonly onFailed: (reason: string) => void;
}

interface Level {
  readonly price: string;
  lots: number;
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
  readonly writtenAtMs: number;
  readonly missedDueMs: readonly number[];
  /** Set while the frame is being written. */
  sentNs: bigint;
}

export class FloodedVenue implements SimulatedVenue {
  readonly venue: string;
  readonly #options: FloodedVenueOptions;
  readonly #random: RandomStream;
  #socketId: number | undefined;
  #sequence = 0;
  #quietBid = 0;
  #bids: Level[] = [];
  #asks: Level[] = [];
  #pace = { perSecond: QUIET_FRAMES_PER_SECOND, sinceMs: 0, sent: 0 };
  #frames = 0;
  #run: Run | undefined;
  #triggers = 0;
  #out: Trigger | undefined;
  /** Price text of a trigger level that the next frame deletes. */
  #toLower: string | undefined;
  readonly #answered = new Set<string>();

  constructor(options: FloodedVenueOptions) {
    this.#options = options;
    this.venue = options.inner.venue;
    this.#random = randomStream(options.seed, 'flood');
  }

  /** Triggers sent since the start. */
  get triggers(): number {
    return this.#triggers;
  }

  /** Begins a run; `onFinished` or `onFailed` follows. */
  begin(plan: LoadPlan, at: Instant): void {
    assert.equal(this.#run, undefined, 'one run at a time');
    assert.notEqual(this.#socketId, undefined, 'somebody reads the book');
    this.#pace = { perSecond: plan.framesPerSecond, sinceMs: at.monotonicMs, sent: 0 };
    this.#run = {
      plan,
      startedAtMs: at.monotonicMs,
      framesBefore: this.#frames,
      samples: [],
      triggers: 0,
      nextDueMs: at.monotonicMs + plan.spacingMaxMs,
      missedDueMs: [],
    };
  }

  handle(input: VenueInput, at: Instant): readonly VenueOutput[] {
    switch (input.type) {
      case 'socket-requested':
        return BOOK_PATH.test(input.path) ? this.#openBook(input.socketId, at) : this.#options.inner.handle(input, at);
      case 'http-request':
        // Before anything else is done about it: the bytes are here now.
        if (input.method === 'POST' && ORDER_PATH.test(input.path)) this.#orderArrived(input.body, at);
        return this.#options.inner.handle(input, at);
      case 'tick': {
        const inner = this.#options.inner.nextWakeMs() <= at.monotonicMs ? this.#options.inner.handle(input, at) : [];
        return [...inner, ...this.#flood(at)];
      }
      default:
        if (input.socketId !== this.#socketId) return this.#options.inner.handle(input, at);
        if (input.type === 'socket-closed') this.#socketId = undefined;
        return [];
    }
  }

  nextWakeMs(): number {
    if (this.#toLower !== undefined) return Number.NEGATIVE_INFINITY;
    const { perSecond, sinceMs, sent } = this.#pace;
    const frameDueMs = this.#socketId === undefined ? Infinity : sinceMs + ((sent + 1) * 1_000) / perSecond;
    return Math.min(
      frameDueMs,
      this.#run?.missedDueMs[0] ?? this.#run?.nextDueMs ?? Infinity,
      this.#options.inner.nextWakeMs(),
    );
  }

  oracle(): VenueOracle {
    return this.#options.inner.oracle();
  }

  inject(fault: string, options?: Readonly<Record<string, number | string | boolean>>): void {
    this.#options.inner.inject(fault, options);
  }

  #openBook(socketId: number, at: Instant): readonly VenueOutput[] {
    const { instrument } = this.#options;
    const level = (ticks: number): Level => ({ price: priceText(ticks, instrument), lots: this.#drawLots() });
    this.#socketId = socketId;
    this.#sequence = 0;
    this.#quietBid = quietBidNear(this.#options.bestBidTicks());
    const bestAsk = this.#quietBid + ASK_DISTANCE_TICKS;
    this.#bids = Array.from({ length: LEVELS }, (_, index) => level(this.#quietBid - index));
    this.#asks = Array.from({ length: LEVELS }, (_, index) => level(bestAsk + index));
    this.#pace = { ...this.#pace, sinceMs: at.monotonicMs, sent: 0 };
    const side = (levels: readonly Level[]): string =>
      levels.map(({ price, lots }) => `{"q":"${quantityText(lots, instrument)}","p":"${price}"}`).join(',');
    const text = this.#frameText('SNAPSHOT', side(this.#bids), side(this.#asks), at);
    return [
      { type: 'socket-accept', socketId },
      { type: 'socket-text', socketId, text },
    ];
  }

  /** Every frame that is due, the trigger last: whoever reads it has the rest of the burst to read first. */
  #flood(at: Instant): readonly VenueOutput[] {
    const socketId = this.#socketId;
    if (socketId === undefined) {
      if (this.#run !== undefined) this.#fail('the book stream was closed during a run');
      return [];
    }
    const outputs: VenueOutput[] = [];
    const { perSecond, sinceMs } = this.#pace;
    const due = Math.floor(((at.monotonicMs - sinceMs) * perSecond) / 1_000);
    const isTriggerDue = this.#isTriggerDue(at.monotonicMs);
    const plain = isTriggerDue ? due - 1 : due;
    for (; this.#pace.sent < plain || this.#toLower !== undefined; this.#pace.sent += 1) {
      outputs.push({ type: 'socket-text', socketId, text: this.#deltaText(at) });
    }
    if (isTriggerDue) {
      this.#pace.sent += 1;
      outputs.push(this.#trigger(socketId, at));
    }
    return outputs;
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

  #trigger(socketId: number, at: Instant): VenueOutput {
    const run = this.#run;
    assert.ok(run !== undefined, 'triggers belong to a run');
    const { instrument, hrtimeNs } = this.#options;
    this.#triggers += 1;
    const price = priceText(this.#quietBid + triggerRise(this.#triggers), instrument);
    const size = quantityText(this.#drawLots(), instrument);
    const text = this.#frameText('DELTA', `{"q":"${size}","p":"${price}","c":"${size}"}`, '', at);
    const trigger: Trigger = { writtenAtMs: at.monotonicMs, missedDueMs: run.missedDueMs, sentNs: 0n };
    this.#out = trigger;
    run.triggers += 1;
    run.missedDueMs = [];
    run.nextDueMs = at.monotonicMs + this.#drawSpacing(run.plan);
    return {
      type: 'socket-text',
      socketId,
      // The host reads the text right before it writes it.
      get text() {
        trigger.sentNs = hrtimeNs();
        return text;
      },
    };
  }

  #orderArrived(body: string, at: Instant): void {
    const arrivedNs = this.#options.hrtimeNs();
    const id = fieldOf(body, 'id');
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
    this.#toLower = priceText(this.#quietBid + triggerRise(this.#triggers), this.#options.instrument);
    this.#out = undefined;
    if (run.triggers < run.plan.triggers) return;
    this.#end(at);
    const elapsedMs = at.monotonicMs - run.startedAtMs;
    this.#options.onFinished({
      triggers: run.triggers,
      samples: run.samples,
      frames: this.#frames - run.framesBefore,
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
    this.#pace = { perSecond: QUIET_FRAMES_PER_SECOND, sinceMs: at.monotonicMs, sent: 0 };
  }

  #fail(reason: string): void {
    this.#run = undefined;
    this.#out = undefined;
    this.#options.onFailed(reason);
  }

  /** New sizes at some levels; a trigger that was answered leaves the book with the first of them. */
  #deltaText(at: Instant): string {
    const { instrument } = this.#options;
    const changes = (levels: readonly Level[]): string[] =>
      Array.from({ length: CHANGES_PER_SIDE }, () => {
        const level = levels[Math.floor(this.#random.nextFraction() * levels.length)];
        assert.ok(level !== undefined, 'a side has levels');
        const before = level.lots;
        level.lots = this.#drawLots();
        const change = quantityText(Math.abs(level.lots - before), instrument);
        const sign = level.lots < before ? '-' : '';
        return `{"q":"${sign}${change}","p":"${level.price}","c":"${quantityText(level.lots, instrument)}"}`;
      });
    const bids = changes(this.#bids);
    if (this.#toLower !== undefined) bids.push(`{"q":"0","p":"${this.#toLower}","c":"0"}`);
    this.#toLower = undefined;
    return this.#frameText('DELTA', bids.join(','), changes(this.#asks).join(','), at);
  }

  #frameText(type: 'SNAPSHOT' | 'DELTA', bids: string, asks: string, at: Instant): string {
    this.#sequence += 1;
    this.#frames += 1;
    const data = `{"t":"${type}","m":"${this.#options.instrument.symbol}","b":[${bids}],"a":[${asks}],"d":"f"}`;
    return `{"type":"${type}","data":${data},"ts":${Math.floor(at.calendarMs)},"seq":${this.#sequence}}`;
  }

  #drawLots(): number {
    return 1 + Math.floor(this.#random.nextFraction() * LOTS_MAX);
  }

  #drawSpacing({ spacingMinMs, spacingMaxMs }: LoadPlan): number {
    return spacingMinMs + this.#random.nextFraction() * (spacingMaxMs - spacingMinMs);
  }
}

/** Returns a text field of a JSON object, empty when it is none: the inner venue then refuses the order in its own words. */
function fieldOf(body: string, name: string): string {
  const order: unknown = JSON.parse(body);
  const value =
    typeof order === 'object' && order !== null ? Object.entries(order).find(([key]) => key === name)?.[1] : undefined;
  return typeof value === 'string' ? value : '';
}
