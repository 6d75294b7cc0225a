/**
 * A simulated venue whose other customer takes from our quote piece by piece, and whose book of another market is a paced flood.
 * Venue thread of fill-to-hedge only.
 *
 *   client --GET, POST, other sockets--> FillingVenue --same inputs--> simulated venue (matching, signatures, limits)
 *   client --/orderbooks/ETH-USD-------> FillingVenue: SNAPSHOT, then DELTA, DELTA, DELTA ... in the venue's own format
 *   other customer ----order------------------------------------------> simulated venue: fills our quote
 */
import assert from 'node:assert/strict';
import type { Instrument } from '../../src/market/instrument.ts';
import { priceText, quantityText } from '../../src/money/amounts.ts';
import type { RandomStream } from '../../src/runtime/actor.ts';
import { randomStream } from '../../src/runtime/random.ts';
import type { Exchange, ExchangeOrderState } from '../../src/simulation/exchange.ts';
import type { SimulatedVenue, VenueInput, VenueOracle, VenueOutput } from '../../src/simulation/simulated-venue.ts';
import type { Instant } from '../../src/venues/venue.ts';
import { ACCOUNT, PIECE, TAKER } from './plan.ts';
import type { LoadPlan, VenueReport } from './plan.ts';

const LEVELS = 25;
/** Levels that change on each side with each frame. */
const CHANGES_PER_SIDE = 2;
const LOTS_MAX = 100_000;
/** Between runs the flooded book says as much as a quiet market's. */
const QUIET_FRAMES_PER_SECOND = 10;
/** A fill without a hedge, or a quote without a fill, for so long ends the run. */
const PATIENCE_MS = 10_000;
const TAKER_VALID_MS = 5_000;

export interface FillingVenueOptions {
  readonly inner: SimulatedVenue;
  readonly exchange: Exchange;
  /** The market that is quoted. */
  readonly quoted: Instrument;
  /** The market whose book is the flood. */
  readonly flooded: Instrument;
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

interface Run {
  readonly plan: LoadPlan;
  readonly startedAtMs: number;
  readonly framesBefore: number;
  readonly hedgedAfterNs: bigint[];
  nextFillMs: number;
  /** A fill that is not hedged yet. */
  open: { readonly atMs: number; sentNs: bigint } | undefined;
}

export class FillingVenue implements SimulatedVenue {
  readonly venue: string;
  readonly #options: FillingVenueOptions;
  readonly #random: RandomStream;
  readonly #bookPath: RegExp;
  readonly #pieceLots: number;
  #socketId: number | undefined;
  #sequence = 0;
  #bids: Level[] = [];
  #asks: Level[] = [];
  #pace = { perSecond: QUIET_FRAMES_PER_SECOND, sinceMs: 0, sent: 0 };
  #frames = 0;
  #takes = 0;
  #run: Run | undefined;

  constructor(options: FillingVenueOptions) {
    this.#options = options;
    this.venue = options.inner.venue;
    this.#random = randomStream(options.seed, 'flood');
    this.#bookPath = new RegExp(`/orderbooks/${options.flooded.symbol}$`);
    const { quantityDecimals, lotUnits } = options.quoted;
    this.#pieceLots = Math.round((PIECE * 10 ** quantityDecimals) / lotUnits);
  }

  /** Begins a run; `onFinished` or `onFailed` follows. */
  begin(plan: LoadPlan, at: Instant): void {
    assert.equal(this.#run, undefined, 'one run at a time');
    assert.notEqual(this.#socketId, undefined, 'somebody reads the flooded book');
    this.#pace = { perSecond: plan.framesPerSecond, sinceMs: at.monotonicMs, sent: 0 };
    this.#run = {
      plan,
      startedAtMs: at.monotonicMs,
      framesBefore: this.#frames,
      hedgedAfterNs: [],
      nextFillMs: at.monotonicMs + plan.spacingMaxMs,
      open: undefined,
    };
  }

  /** An order has arrived at the other venue, whole. */
  hedgeArrived(arrivedNs: bigint, at: Instant): void {
    const run = this.#run;
    // Orders before and after a run open and close the pair.
    if (run === undefined) return;
    if (run.open === undefined) {
      this.#fail('each hedge must answer a fill, one answers none');
      return;
    }
    run.hedgedAfterNs.push(arrivedNs - run.open.sentNs);
    run.open = undefined;
    const { spacingMinMs, spacingMaxMs, fills } = run.plan;
    run.nextFillMs = at.monotonicMs + spacingMinMs + this.#random.nextFraction() * (spacingMaxMs - spacingMinMs);
    if (run.hedgedAfterNs.length < fills) return;
    this.#run = undefined;
    this.#pace = { perSecond: QUIET_FRAMES_PER_SECOND, sinceMs: at.monotonicMs, sent: 0 };
    const [frames, elapsedMs] = [this.#frames - run.framesBefore, at.monotonicMs - run.startedAtMs];
    this.#options.onFinished({ hedgedAfterNs: run.hedgedAfterNs, frames, elapsedMs });
  }

  handle(input: VenueInput, at: Instant): readonly VenueOutput[] {
    if (input.type === 'socket-requested' && this.#bookPath.test(input.path)) return this.#openBook(input.socketId, at);
    if (input.type === 'tick') {
      const { inner } = this.#options;
      const own = inner.nextWakeMs() <= at.monotonicMs ? inner.handle(input, at) : [];
      return [...this.#watched(own, at), ...this.#flood(at), ...this.#fillIfDue(at)];
    }
    if (input.type !== 'http-request' && input.socketId === this.#socketId) {
      if (input.type === 'socket-closed') this.#socketId = undefined;
      return [];
    }
    return this.#watched(this.#options.inner.handle(input, at), at);
  }

  nextWakeMs(): number {
    const { perSecond, sinceMs, sent } = this.#pace;
    const frameDueMs = this.#socketId === undefined ? Infinity : sinceMs + ((sent + 1) * 1_000) / perSecond;
    const fillDueMs = this.#run === undefined || this.#run.open !== undefined ? Infinity : this.#run.nextFillMs;
    return Math.min(frameDueMs, fillDueMs, this.#options.inner.nextWakeMs());
  }

  oracle(): VenueOracle {
    return this.#options.inner.oracle();
  }

  inject(fault: string, options?: Readonly<Record<string, number | string | boolean>>): void {
    this.#options.inner.inject(fault, options);
  }

  /** The other customer takes what stands before our quote, and a piece of it. */
  #fillIfDue(at: Instant): readonly VenueOutput[] {
    const run = this.#run;
    if (run === undefined) return [];
    if (run.open !== undefined) {
      if (at.monotonicMs - run.open.atMs > PATIENCE_MS)
        this.#fail(`fill ${run.hedgedAfterNs.length + 1} must be hedged within ${PATIENCE_MS} ms`);
      return [];
    }
    if (at.monotonicMs < run.nextFillMs) return [];
    const quote = this.#restingQuote();
    if (quote === undefined) {
      if (at.monotonicMs - run.nextFillMs > PATIENCE_MS)
        this.#fail(`a quote must rest within ${PATIENCE_MS} ms, none does`);
      return [];
    }
    const { exchange, inner } = this.#options;
    this.#takes += 1;
    const outcome = exchange.submit(
      {
        ...{ account: TAKER, clientOrderId: `take-${this.#takes}`, symbol: quote.symbol },
        side: quote.side === 'buy' ? 'sell' : 'buy',
        lots: this.#lotsBefore(quote) + Math.min(this.#pieceLots, quote.lots - quote.filledLots),
        ...{ limitTicks: quote.limitTicks, timeInForce: 'ioc', postOnly: false, reduceOnly: false },
        validUntilMs: at.calendarMs + TAKER_VALID_MS,
      },
      at,
    );
    if (!outcome.accepted) {
      this.#fail(`the other customer's order must be accepted, was refused: ${outcome.reason}`);
      return [];
    }
    // Filled now or by the next order: others may have come between.
    return this.#watched(inner.handle({ type: 'tick' }, at), at);
  }

  /** Stamps a fill of ours, whoever took it, right before it is written. */
  #watched(outputs: readonly VenueOutput[], at: Instant): readonly VenueOutput[] {
    const run = this.#run;
    const fills = run === undefined ? 0 : outputs.filter(isOurFill).length;
    if (run === undefined || fills === 0) return outputs;
    if (fills > 1 || run.open !== undefined) {
      this.#fail('one fill at a time must be hedged, another one came');
      return outputs;
    }
    const open = { atMs: at.monotonicMs, sentNs: 0n };
    run.open = open;
    return outputs.map((output) => (isOurFill(output) ? stamped(output, open, this.#options.hrtimeNs) : output));
  }

  #restingQuote(): ExchangeOrderState | undefined {
    const { exchange, quoted } = this.#options;
    return exchange
      .orders(ACCOUNT)
      .findLast((order) => order.symbol === quoted.symbol && order.status === 'open' && order.postOnly);
  }

  /** Lots that stand before the quote: better ones, and those of others at its price. */
  #lotsBefore({ symbol, side, limitTicks, lots, filledLots }: ExchangeOrderState): number {
    const book = this.#options.exchange.book(symbol);
    const levels = side === 'buy' ? book.bids : book.asks;
    const before = levels.filter(([ticks]) => (side === 'buy' ? ticks >= limitTicks : ticks <= limitTicks));
    return before.reduce((sum, [, size]) => sum + size, 0) - (lots - filledLots);
  }

  #openBook(socketId: number, at: Instant): readonly VenueOutput[] {
    const { exchange, flooded } = this.#options;
    const book = exchange.book(flooded.symbol);
    const [bid, ask] = [book.bids[0]?.[0] ?? 0, book.asks[0]?.[0] ?? 0];
    const level = (ticks: number): Level => ({ price: priceText(ticks, flooded), lots: this.#drawLots() });
    this.#socketId = socketId;
    this.#sequence = 0;
    this.#bids = Array.from({ length: LEVELS }, (_, index) => level(bid - index));
    this.#asks = Array.from({ length: LEVELS }, (_, index) => level(ask + index));
    this.#pace = { ...this.#pace, sinceMs: at.monotonicMs, sent: 0 };
    const side = (levels: readonly Level[]): string =>
      levels.map(({ price, lots }) => `{"q":"${quantityText(lots, flooded)}","p":"${price}"}`).join(',');
    const text = this.#frameText('SNAPSHOT', side(this.#bids), side(this.#asks), at);
    return [
      { type: 'socket-accept', socketId },
      { type: 'socket-text', socketId, text },
    ];
  }

  #flood(at: Instant): readonly VenueOutput[] {
    const socketId = this.#socketId;
    if (socketId === undefined) {
      if (this.#run !== undefined) this.#fail('the flooded book was closed during a run');
      return [];
    }
    const outputs: VenueOutput[] = [];
    const { perSecond, sinceMs } = this.#pace;
    const due = Math.floor(((at.monotonicMs - sinceMs) * perSecond) / 1_000);
    for (; this.#pace.sent < due; this.#pace.sent += 1) {
      const text = this.#frameText('DELTA', this.#changes(this.#bids), this.#changes(this.#asks), at);
      outputs.push({ type: 'socket-text', socketId, text });
    }
    return outputs;
  }

  #changes(levels: readonly Level[]): string {
    const { flooded } = this.#options;
    return Array.from({ length: CHANGES_PER_SIDE }, () => {
      const level = levels[Math.floor(this.#random.nextFraction() * levels.length)];
      assert.ok(level !== undefined, 'a side has levels');
      const before = level.lots;
      level.lots = this.#drawLots();
      const change = quantityText(Math.abs(level.lots - before), flooded);
      const sign = level.lots < before ? '-' : '';
      return `{"q":"${sign}${change}","p":"${level.price}","c":"${quantityText(level.lots, flooded)}"}`;
    }).join(',');
  }

  #frameText(type: 'SNAPSHOT' | 'DELTA', bids: string, asks: string, at: Instant): string {
    this.#sequence += 1;
    this.#frames += 1;
    const data = `{"t":"${type}","m":"${this.#options.flooded.symbol}","b":[${bids}],"a":[${asks}],"d":"f"}`;
    return `{"type":"${type}","data":${data},"ts":${Math.floor(at.calendarMs)},"seq":${this.#sequence}}`;
  }

  #drawLots(): number {
    return 1 + Math.floor(this.#random.nextFraction() * LOTS_MAX);
  }

  #fail(reason: string): void {
    this.#run = undefined;
    this.#options.onFailed(reason);
  }
}

type Text = Extract<VenueOutput, { readonly type: 'socket-text' }>;

/** Only our account's stream tells trades of an account. */
function isOurFill(output: VenueOutput): output is Text {
  return output.type === 'socket-text' && output.text.includes('"type":"TRADE"');
}

/** The host reads the text right before it writes it. */
function stamped({ socketId, text }: Text, open: { sentNs: bigint }, hrtimeNs: () => bigint): VenueOutput {
  return {
    type: 'socket-text',
    socketId,
    get text() {
      open.sentNs = hrtimeNs();
      return text;
    },
  };
}
