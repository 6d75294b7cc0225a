/** The latest market and account facts as the strategy actor knows them. Owned and mutated by that actor only. */
import type { BookView } from '../../src/market/book.ts';
import { emptyFundingCheck, fundingVerdict, notePredicted, noteSettled } from '../../src/market/funding-check.ts';
import type { FundingCheck } from '../../src/market/funding-check.ts';
import { addSettledRate, emptyFundingHistory } from '../../src/market/funding-history.ts';
import type { FundingHistory } from '../../src/market/funding-history.ts';
import { HOUR_MS } from '../../src/market/funding-rate.ts';
import type { FundingRate } from '../../src/market/funding-rate.ts';
import { observeMark } from '../../src/market/mark-watch.ts';
import type { MarkWatch } from '../../src/market/mark-watch.ts';
import { measureQuoteRates } from '../../src/market/quote-rates.ts';
import type { QuoteRate, QuotedPrice } from '../../src/market/quote-rates.ts';
import type { Instrument } from '../../src/market/instrument.ts';
import type { Self, TraceRef } from '../../src/runtime/actor.ts';
import type { MarketEvent } from '../connector-messages.ts';
import type { StrategyMessage } from '../strategy-messages.ts';

/** One instrument's feed; the venue's accounts share it. */
export interface Feed {
  book: BookView | undefined;
  bookLostReason: string;
  /** The causal trace the book came with. */
  bookTrace: TraceRef;
  mark: { readonly markNano: bigint; readonly indexNano?: bigint; readonly receivedAtMonotonicMs: number } | undefined;
  markWatch: MarkWatch | undefined;
  predicted: { readonly rate: FundingRate; readonly receivedAtMonotonicMs: number } | undefined;
  /**
   * The mark per contract in quote, the index or else the mark, when it came (monotonic ms), and the predicted rate, pico per hour; NaN
   * while unknown. Read out when they are heard, because a scan looks at those of every feed: by then what they lie in has left the
   * cache, and a number that may be absent is garbage at each scan.
   */
  markQuote: number;
  indexQuote: number;
  markAtMs: number;
  hourly: number;
  history: FundingHistory;
  check: FundingCheck;
}

export type VenueStatus = Extract<MarketEvent, { type: 'venue-status' }>;
export type AccountChanged = Extract<MarketEvent, { type: 'account-changed' }>;

export interface MarketPicture {
  /** Only these bases are kept: whatever a venue sends, the picture stays bounded. */
  readonly bases: ReadonlySet<string>;
  readonly lookbackMs: number;
  /** Calendar ms per monotonic ms. */
  readonly calendarScale: number;
  /** By `venue:account`. */
  readonly statuses: Map<string, VenueStatus>;
  readonly accounts: Map<string, AccountChanged>;
  /** By `venue:account|base`. */
  readonly instruments: Map<string, Instrument>;
  /** Leverage in force, by `venue:account|base`. */
  readonly leverages: Map<string, number>;
  /** By `venue|symbol`. */
  readonly feeds: Map<string, Feed>;
  /** What quote currencies are worth in each other, by `measureQuotes`. */
  quoteRates: readonly QuoteRate[];
  /** Every listed instrument once, by `venue|symbol`: what `measureQuotes` looks at. */
  readonly quoted: Map<string, QuotedFeed>;
  /** Counts listings: who has looked an instrument up need not do so again before it changes. */
  listings: number;
}

/** An instrument and the price that currencies are measured by, written anew each time. */
interface QuotedFeed {
  readonly feed: Feed;
  readonly multiplier: number;
  readonly priced: { readonly base: string; readonly quote: string; price: number };
}

export function createMarketPicture(
  bases: readonly string[],
  lookbackHours: number,
  calendarScale: number,
): MarketPicture {
  return {
    bases: new Set(bases),
    lookbackMs: lookbackHours * HOUR_MS,
    calendarScale,
    statuses: new Map(),
    accounts: new Map(),
    instruments: new Map(),
    leverages: new Map(),
    feeds: new Map(),
    quoteRates: [],
    quoted: new Map(),
    listings: 0,
  };
}

/** Takes one fact; those of other bases are not kept. */
export function takeMarketEvent(
  picture: MarketPicture,
  event: MarketEvent,
  minSettlements: number,
  self: Self<StrategyMessage>,
): void {
  switch (event.type) {
    case 'venue-status':
      picture.statuses.set(`${event.venue}:${event.account}`, event);
      return;
    case 'account-changed':
      picture.accounts.set(`${event.venue}:${event.account}`, event);
      return;
    case 'instrument-listed':
      if (!picture.bases.has(event.instrument.base)) return;
      takeInstrument(picture, `${event.venue}:${event.account}|${event.instrument.base}`, event.instrument);
      return;
    case 'leverage-reported':
      if (picture.bases.has(event.base))
        picture.leverages.set(`${event.venue}:${event.account}|${event.base}`, event.leverage);
      return;
    default:
      if (picture.bases.has(event.base)) takeFeedEvent(picture, event, minSettlements, self);
  }
}

function takeInstrument(picture: MarketPicture, key: string, instrument: Instrument): void {
  const { venue, symbol, base, quote, multiplier } = instrument;
  const before = picture.instruments.get(key);
  // A venue that lists a base under another name has no price under the old one any more.
  if (before !== undefined && before.symbol !== symbol) picture.quoted.delete(`${venue}|${before.symbol}`);
  picture.instruments.set(key, instrument);
  picture.listings += 1;
  const feed = feedOf(picture, venue, symbol);
  picture.quoted.set(`${venue}|${symbol}`, { feed, multiplier, priced: { base, quote, price: Number.NaN } });
}

function takeFeedEvent(
  picture: MarketPicture,
  event: Extract<MarketEvent, { type: 'book-changed' | 'mark-changed' | 'funding-rate-changed' }>,
  minSettlements: number,
  self: Self<StrategyMessage>,
): void {
  const feed = feedOf(picture, event.venue, event.symbol);
  switch (event.type) {
    case 'book-changed':
      feed.book = event.book;
      feed.bookTrace = self.tracing.current();
      feed.bookLostReason = event.book === undefined ? (event.lostReason ?? 'lost') : '';
      return;
    case 'mark-changed':
      feed.mark = event;
      feed.markQuote = Number(event.markNano) / 1e9;
      feed.indexQuote = Number(event.indexNano ?? event.markNano) / 1e9;
      feed.markAtMs = event.receivedAtMonotonicMs;
      feed.markWatch = observeMark(feed.markWatch, event, picture.calendarScale);
      return;
    default:
      takeFundingRate(picture, feed, event, minSettlements, self);
  }
}

function takeFundingRate(
  picture: MarketPicture,
  feed: Feed,
  event: Extract<MarketEvent, { type: 'funding-rate-changed' }>,
  minSettlements: number,
  self: Self<StrategyMessage>,
): void {
  const { rate } = event;
  if (event.kind === 'predicted') {
    feed.predicted = { rate, receivedAtMonotonicMs: event.receivedAtMonotonicMs };
    feed.hourly = rate.hourly;
    feed.check = notePredicted(feed.check, rate, venueNowMs(picture, event.venue, self.nowMs()));
    return;
  }
  const before = fundingVerdict(feed.check, minSettlements);
  feed.check = noteSettled(feed.check, rate);
  feed.history = addSettledRate(feed.history, { settleAtMs: rate.settleAtMs, hourly: rate.hourly }, picture.lookbackMs);
  const after = fundingVerdict(feed.check, minSettlements);
  if (after.state === before.state) return;
  const suspect = after.state === 'UNIT_SUSPECT' || after.state === 'SIGN_SUSPECT';
  self.log(suspect ? 'error' : 'info', 'funding-unit-judged', {
    venue: event.venue,
    symbol: event.symbol,
    ...after,
    ratios: feed.check.ratios,
    stated: feed.check.stated.map(({ ratio }) => ratio),
  });
}

/** Any account's clock estimate serves: the venue has one clock. */
export function venueNowMs(picture: MarketPicture, venue: string, nowMs: number): number {
  for (const status of picture.statuses.values())
    if (status.venue === venue) return nowMs + status.clockOffsetMs * picture.calendarScale;
  return nowMs;
}

/** Prices older than this, monotonic ms, say nothing about what currencies are worth now. */
const QUOTED_MAX_MS = 30_000;

/** Measures what quote currencies are worth in each other by all prices that are recent. */
export function measureQuotes(
  picture: MarketPicture,
  configuredUsd: Readonly<Record<string, number>>,
  monotonicMs: number,
): void {
  const prices: QuotedPrice[] = [];
  for (const { feed, multiplier, priced } of picture.quoted.values()) {
    // Before its first mark a feed's is older than anything.
    if (!(monotonicMs - feed.markAtMs <= QUOTED_MAX_MS)) continue;
    priced.price = feed.indexQuote / multiplier;
    prices.push(priced);
  }
  picture.quoteRates = measureQuoteRates(prices, configuredUsd);
}

/** Returns the feed of an instrument, empty when nothing was heard of it yet. */
export function feedOf(picture: MarketPicture, venue: string, symbol: string): Feed {
  const key = `${venue}|${symbol}`;
  const known = picture.feeds.get(key);
  if (known !== undefined) return known;
  const feed: Feed = {
    book: undefined,
    bookLostReason: '',
    bookTrace: 0,
    mark: undefined,
    markWatch: undefined,
    predicted: undefined,
    markQuote: Number.NaN,
    indexQuote: Number.NaN,
    markAtMs: Number.NaN,
    hourly: Number.NaN,
    history: emptyFundingHistory,
    check: emptyFundingCheck,
  };
  picture.feeds.set(key, feed);
  return feed;
}
