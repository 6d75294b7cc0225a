/**
 * A simulated venue whose other customer takes from our quote piece by piece, and whose book of another market is a paced flood.
 * Venue thread of fill-to-hedge only.
 *
 *   client --requests, sockets---------> FillingVenue --same inputs--> simulated venue (matching, signatures, limits)
 *   client <--book of the other market-- FillingVenue: a snapshot, then delta, delta, delta ... in the venue's own format
 *   other customer ----order------------------------------------------> simulated venue: fills our quote
 */
import assert from 'node:assert/strict';
import type { Instrument } from '../../src/market/instrument.ts';
import type { Exchange, ExchangeOrderState } from '../../src/simulation/exchange.ts';
import type { SimulatedVenue, VenueInput, VenueOracle, VenueOutput } from '../../src/simulation/simulated-venue.ts';
import type { Instant } from '../../src/venues/venue.ts';
import { BookFlood, whenWritten, type SocketText } from '../order-path/book-flood.ts';
import { BOOK_WIRES } from '../order-path/book-wire.ts';
import { ACCOUNT } from '../order-path/plan.ts';
import { MAKER_VENUE, PIECE, TAKER } from './plan.ts';
import type { LoadPlan, VenueReport } from './plan.ts';

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
  readonly #book: BookFlood;
  readonly #pieceLots: number;
  #keptPerSecond: number | undefined;
  #takes = 0;
  #run: Run | undefined;

  constructor(options: FillingVenueOptions) {
    this.#options = options;
    this.venue = options.inner.venue;
    const { flooded, exchange, seed } = options;
    this.#book = new BookFlood({
      ...{ wire: BOOK_WIRES[MAKER_VENUE], instrument: flooded, seed },
      top: () => {
        const { bids, asks } = exchange.book(flooded.symbol);
        return { bid: bids[0]?.[0] ?? 0, ask: asks[0]?.[0] ?? 0 };
      },
    });
    const { quantityDecimals, lotUnits } = options.quoted;
    this.#pieceLots = Math.round((PIECE * 10 ** quantityDecimals) / lotUnits);
  }

  /** Begins a run; `onFinished` or `onFailed` follows. */
  begin(plan: LoadPlan, at: Instant): void {
    assert.equal(this.#run, undefined, 'one run at a time');
    assert.ok(this.#book.isRead, 'somebody reads the flooded book');
    this.#book.begin(plan.framesPerSecond, at);
    this.#run = {
      plan,
      startedAtMs: at.monotonicMs,
      framesBefore: this.#book.frames,
      hedgedAfterNs: [],
      nextFillMs: at.monotonicMs + plan.spacingMaxMs,
      open: undefined,
    };
  }

  /** Sends so many frames a second between runs too, from now on. */
  keepPace(perSecond: number, at: Instant): void {
    this.#keptPerSecond = perSecond;
    this.#book.begin(perSecond, at);
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
    run.nextFillMs = at.monotonicMs + this.#book.drawBetween(spacingMinMs, spacingMaxMs);
    if (run.hedgedAfterNs.length < fills) return;
    this.#run = undefined;
    if (this.#keptPerSecond === undefined) this.#book.end(at);
    else this.#book.begin(this.#keptPerSecond, at);
    const [frames, elapsedMs] = [this.#book.frames - run.framesBefore, at.monotonicMs - run.startedAtMs];
    this.#options.onFinished({ hedgedAfterNs: run.hedgedAfterNs, frames, elapsedMs });
  }

  handle(input: VenueInput, at: Instant): readonly VenueOutput[] {
    if (input.type === 'tick') {
      const { inner } = this.#options;
      const own = inner.nextWakeMs() <= at.monotonicMs ? inner.handle(input, at) : [];
      return [...this.#watched(this.#book.inPlaceOfOwn(own, at), at), ...this.#flood(at), ...this.#fillIfDue(at)];
    }
    this.#book.hear(input);
    return this.#watched(this.#book.inPlaceOfOwn(this.#options.inner.handle(input, at), at), at);
  }

  nextWakeMs(): number {
    const fillDueMs = this.#run === undefined || this.#run.open !== undefined ? Infinity : this.#run.nextFillMs;
    return Math.min(this.#book.nextWakeMs(), fillDueMs, this.#options.inner.nextWakeMs());
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
    const stamped = (output: SocketText): VenueOutput =>
      whenWritten(output, () => {
        open.sentNs = this.#options.hrtimeNs();
      });
    return outputs.map((output) => (isOurFill(output) ? stamped(output) : output));
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

  #flood(at: Instant): readonly VenueOutput[] {
    if (!this.#book.isRead) {
      if (this.#run !== undefined) this.#fail('the flooded book was closed during a run');
      return [];
    }
    const due = Math.max(0, this.#book.due(at));
    return Array.from({ length: due }, () => this.#book.frame(at));
  }

  #fail(reason: string): void {
    this.#run = undefined;
    this.#options.onFailed(reason);
  }
}

/** Only our account's stream tells trades of an account. */
function isOurFill(output: VenueOutput): output is SocketText {
  return output.type === 'socket-text' && output.text.includes('"type":"TRADE"');
}
