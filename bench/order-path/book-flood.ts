/**
 * The book stream of one market as a paced flood, in place of the venue's own frames about it. Venue thread of a benchmark only.
 *
 * The first frame is a snapshot, when the venue would send its own; each further one changes sizes on both sides, as a busy book does.
 * Which prices it holds its owner says; between runs it says as much as a quiet market's.
 */
import assert from 'node:assert/strict';
import type { Instrument } from '../../src/market/instrument.ts';
import type { RandomStream } from '../../src/runtime/actor.ts';
import { randomStream } from '../../src/runtime/random.ts';
import type { VenueInput, VenueOutput } from '../../src/simulation/simulated-venue.ts';
import type { Instant } from '../../src/venues/venue.ts';
import type { BookWire, LevelChange } from './book-wire.ts';

/** On each side, neighbours one tick apart. */
const LEVELS = 25;
/** Levels that change on each side with each frame. */
const CHANGES_PER_SIDE = 2;
const LOTS_MAX = 100_000;
const QUIET_FRAMES_PER_SECOND = 10;

export interface BookFloodOptions {
  readonly wire: BookWire;
  readonly instrument: Instrument;
  /** Best prices when somebody begins to read, ticks. */
  readonly top: () => { readonly bid: number; readonly ask: number };
  readonly seed: number;
}

interface Level {
  readonly ticks: number;
  lots: number;
}

export type SocketText = Extract<VenueOutput, { readonly type: 'socket-text' }>;

export class BookFlood {
  readonly #options: BookFloodOptions;
  readonly #random: RandomStream;
  #socketId: number | undefined;
  #bids: readonly Level[] = [];
  #asks: readonly Level[] = [];
  #pace = { perSecond: QUIET_FRAMES_PER_SECOND, sinceMs: 0, sent: 0 };
  #frames = 0;

  constructor(options: BookFloodOptions) {
    this.#options = options;
    this.#random = randomStream(options.seed, 'flood');
  }

  /** Frames so far. */
  get frames(): number {
    return this.#frames;
  }

  get isRead(): boolean {
    return this.#socketId !== undefined;
  }

  begin(framesPerSecond: number, at: Instant): void {
    this.#pace = { perSecond: framesPerSecond, sinceMs: at.monotonicMs, sent: 0 };
  }

  end(at: Instant): void {
    this.begin(QUIET_FRAMES_PER_SECOND, at);
  }

  hear(input: VenueInput): void {
    if (input.type === 'socket-closed' && input.socketId === this.#socketId) this.#socketId = undefined;
  }

  /** Returns a venue's outputs with this book where its own was. */
  inPlaceOfOwn(outputs: readonly VenueOutput[], at: Instant): readonly VenueOutput[] {
    const { wire, instrument } = this.#options;
    return outputs.flatMap((output): readonly VenueOutput[] => {
      const kind = output.type === 'socket-text' ? wire.kindOf(output.text, instrument) : undefined;
      if (output.type !== 'socket-text' || kind === undefined) return [output];
      if (kind === 'delta' || output.socketId === this.#socketId) return [];
      return [this.#open(output.socketId, at)];
    });
  }

  /** Monotonic ms of the next frame. */
  nextWakeMs(): number {
    const { perSecond, sinceMs, sent } = this.#pace;
    return this.#socketId === undefined ? Infinity : sinceMs + ((sent + 1) * 1_000) / perSecond;
  }

  /** How many frames should have been sent by now and were not. */
  due(at: Instant): number {
    const { perSecond, sinceMs, sent } = this.#pace;
    return Math.floor(((at.monotonicMs - sinceMs) * perSecond) / 1_000) - sent;
  }

  /** The next frame: new sizes at some levels, and what else is to be said. */
  frame(at: Instant, more: readonly LevelChange[] = []): SocketText {
    return this.#delta([...this.#changes(this.#bids), ...more], this.#changes(this.#asks), at);
  }

  /** The next frame: only this change, on the side of the bids. */
  bid(change: LevelChange, at: Instant): SocketText {
    return this.#delta([change], [], at);
  }

  drawLots(): number {
    return 1 + Math.floor(this.#random.nextFraction() * LOTS_MAX);
  }

  /** Drawn evenly. */
  drawBetween(min: number, max: number): number {
    return min + this.#random.nextFraction() * (max - min);
  }

  #open(socketId: number, at: Instant): SocketText {
    const { bid, ask } = this.#options.top();
    const level = (ticks: number): Level => ({ ticks, lots: this.drawLots() });
    this.#socketId = socketId;
    this.#bids = Array.from({ length: LEVELS }, (_, index) => level(bid - index));
    this.#asks = Array.from({ length: LEVELS }, (_, index) => level(ask + index));
    this.#pace = { ...this.#pace, sinceMs: at.monotonicMs, sent: 0 };
    const whole = (levels: readonly Level[]): readonly LevelChange[] =>
      levels.map(({ ticks, lots }) => ({ ticks, lots, lotsBefore: 0 }));
    return { type: 'socket-text', socketId, text: this.#text('snapshot', whole(this.#bids), whole(this.#asks), at) };
  }

  #delta(bids: readonly LevelChange[], asks: readonly LevelChange[], at: Instant): SocketText {
    const socketId = this.#socketId;
    assert.ok(socketId !== undefined, 'somebody reads the book');
    this.#pace.sent += 1;
    return { type: 'socket-text', socketId, text: this.#text('delta', bids, asks, at) };
  }

  #changes(levels: readonly Level[]): readonly LevelChange[] {
    return Array.from({ length: CHANGES_PER_SIDE }, () => {
      const level = levels[Math.floor(this.#random.nextFraction() * levels.length)];
      assert.ok(level !== undefined, 'a side has levels');
      const lotsBefore = level.lots;
      level.lots = this.drawLots();
      return { ticks: level.ticks, lots: level.lots, lotsBefore };
    });
  }

  #text(kind: 'snapshot' | 'delta', bids: readonly LevelChange[], asks: readonly LevelChange[], at: Instant): string {
    this.#frames += 1;
    const { wire, instrument } = this.#options;
    return wire.text({ kind, bids, asks, number: this.#frames, calendarMs: at.calendarMs }, instrument);
  }
}

/** The host reads a text right before it writes it: `written` is called then. */
export function whenWritten({ socketId, text }: SocketText, written: () => void): VenueOutput {
  return {
    type: 'socket-text',
    socketId,
    get text() {
      written();
      return text;
    },
  };
}
