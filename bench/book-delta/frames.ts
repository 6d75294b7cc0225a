/** Book frames of each venue, from its simulated feed or from recordings, with the streams that read them. Main thread. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { convertFile } from '../../src/composition/live/replay-run.ts';
import type { RawSource } from '../../src/composition/live/replay-run.ts';
import { buildVenue } from '../../src/simulation/build-venue.ts';
import { demoAccount } from '../../src/simulation/demo-accounts.ts';
import { generatedTape } from '../../src/simulation/generated-tape.ts';
import { fundingIntervalMs } from '../../src/simulation/markets.ts';
import type { SimulatedVenue, VenueInput, VenueOutput } from '../../src/simulation/simulated-venue.ts';
import { hostsOf } from '../../src/venues/hosts.ts';
import { openVenue } from '../../src/venues/registry.ts';
import type { Instant, Operation, VenueAdapter, VenueStream } from '../../src/venues/venue.ts';

/** Frames of one book, the first of them the whole book. */
export interface BookFeed {
  readonly name: string;
  readonly symbol: string;
  readonly socketKey: string;
  readonly texts: readonly string[];
  /** A stream as after its sockets opened. */
  readonly freshStream: () => VenueStream;
}

const ORIGIN = 'venue.test';
const START_MS = Date.UTC(2026, 0, 5, 0, 10);
const BOOK_INTERVAL_MS = 50;
const RAW_FOLDER = join(import.meta.dirname, '..', '..', '..', 'shared', 'data', 'raw-ws');
const VENUES = ['lighter', 'extended', 'bybit', 'hyperliquid', 'coinbase'] as const;
const RAW: readonly (readonly [file: string, source: RawSource, bases: readonly string[]])[] = [
  ['lighter-btc-20251210.jsonl.gz', { format: 'timed-json', venue: 'lighter', base: 'BTC' }, ['ETH', 'BTC']],
  ['bybit-v5-ob500-xrpusdt-20241201.jsonl.gz', { format: 'lines', venue: 'bybit', base: 'XRP' }, ['XRP']],
];
/** What tells a book's frame from others, by venue. */
const BOOK_FRAME: Readonly<Record<string, RegExp>> = {
  lighter: /"(?:subscribed|update)\/order_book"/,
  extended: /"type":"(?:SNAPSHOT|DELTA)"/,
  bybit: /"topic":"orderbook\./,
  hyperliquid: /"channel":"(?:l2Book|bbo)"/,
  coinbase: /"channel":"book\./,
};

/** At most so many frames of each feed. */
export function bookFeeds(frames: number): readonly BookFeed[] {
  const simulated = VENUES.map((venue) => simulatedFeed(venue, frames));
  const recorded = RAW.filter(([file]) => existsSync(join(RAW_FOLDER, file))).map(([file, source, bases]) =>
    recordedFeed(join(RAW_FOLDER, file), source, bases, frames),
  );
  return [...simulated, ...recorded];
}

class Visitor {
  readonly adapter: VenueAdapter;
  readonly venue: SimulatedVenue;
  readonly #symbols: readonly string[];
  nowMs = 0;
  #lastId = 0;

  constructor(name: string, bases: readonly string[]) {
    const { options, secrets } = demoAccount(name, 'main');
    const { restPath, streamPath, profileOptions } = hostsOf(name);
    this.adapter = openVenue(name, {
      account: 'main',
      restUrl: `http://${ORIGIN}${restPath}`,
      streamUrl: `ws://${ORIGIN}${streamPath}`,
      options: { ...options, ...profileOptions.premium },
      secrets,
      calendarScale: 1,
    });
    const series = name === 'lighter' ? name : 'hyperliquid';
    const venues = { [name]: { series, intervalMs: fundingIntervalMs(name) } };
    const delays = { takerDelayMs: 0, makerDelayMs: 0, cancelDelayMs: 0, bookIntervalMs: BOOK_INTERVAL_MS };
    const accounts = [{ name: 'main', balance: 1_000 }];
    this.venue = buildVenue(
      { venue: name, bases, accounts, limits: 'premium', seed: 1, calendarScale: 1, ...delays },
      generatedTape({ seed: 1, bases, venues, startAtMs: START_MS }),
    ).venue;
    this.handle({ type: 'tick' });
    this.#symbols = this.ask(this.adapter.instruments()).slice(-1);
  }

  get at(): Instant {
    return { monotonicMs: this.nowMs, calendarMs: START_MS + this.nowMs };
  }

  get symbol(): string {
    return this.#symbols[0] ?? '';
  }

  handle(input: VenueInput): readonly VenueOutput[] {
    return this.venue.handle(input, this.at);
  }

  nextId(): number {
    this.#lastId += 1;
    return this.#lastId;
  }

  /** Asks for the instruments and returns their symbols. */
  ask(operation: Operation): readonly string[] {
    const { method, url, headers, body = '' } = operation.request;
    const { pathname, search } = new URL(url);
    const lowered = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
    const request = {
      type: 'http-request',
      requestId: this.nextId(),
      remote: '1',
      method,
      body,
      headers: lowered,
    } as const;
    const answer = this.handle({ ...request, path: pathname + search }).find((output) => output.type === 'http-answer');
    if (answer?.type !== 'http-answer') throw new Error(`${operation.name} must be answered`);
    const { events } = operation.parse({ ...answer, type: 'http-answered', ref: 1 }, this.at);
    return events.flatMap((event) =>
      event.type === 'instruments' ? event.instruments.map(({ symbol }) => symbol) : [],
    );
  }

  freshStream(): VenueStream {
    const stream = this.adapter.openStream();
    for (const { key } of stream.plan([this.symbol])) stream.opened(key, this.at);
    return stream;
  }
}

function simulatedFeed(venue: string, frames: number): BookFeed {
  const visitor = new Visitor(venue, ['BTC']);
  const { symbol } = visitor;
  const stream = visitor.adapter.openStream();
  const keys = new Map<number, string>();
  const texts: string[] = [];
  let socketKey = '';
  const isBook = BOOK_FRAME[venue] ?? /./;
  const send = (outgoing: readonly { readonly socketKey: string; readonly text: string }[]): void => {
    for (const { socketKey: to, text } of outgoing)
      for (const [socketId, key] of keys)
        if (key === to) carry(visitor.handle({ type: 'socket-text', socketId, text }));
  };
  const carry = (outputs: readonly VenueOutput[]): void => {
    for (const output of outputs) {
      if (output.type === 'socket-accept') send(stream.opened(keys.get(output.socketId) ?? '', visitor.at).send);
      if (output.type === 'socket-ping') carry(visitor.handle({ type: 'socket-pong', socketId: output.socketId }));
      if (output.type !== 'socket-text') continue;
      const key = keys.get(output.socketId) ?? '';
      // One venue has a connection for each book, and says on others what looks alike.
      if (isBook.test(output.text) && (venue !== 'extended' || key.startsWith('book:'))) {
        texts.push(output.text);
        socketKey = key;
      }
      send(stream.frame(key, output.text, visitor.at).send);
    }
  };
  for (const { key, url, headers } of stream.plan([symbol])) {
    const socketId = visitor.nextId();
    keys.set(socketId, key);
    const { pathname, search } = new URL(url);
    const lowered = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
    carry(
      visitor.handle({ type: 'socket-requested', socketId, remote: '1', path: pathname + search, headers: lowered }),
    );
  }
  while (texts.length < frames) {
    visitor.nowMs += BOOK_INTERVAL_MS;
    carry(visitor.handle({ type: 'tick' }));
    send(stream.tick(visitor.at).send);
  }
  return { name: `${venue}, simulated`, symbol, socketKey, texts, freshStream: () => visitor.freshStream() };
}

function recordedFeed(path: string, source: RawSource, bases: readonly string[], frames: number): BookFeed {
  const visitor = new Visitor(source.venue, bases);
  const isBook = BOOK_FRAME[source.venue] ?? /./;
  const { entries } = convertFile(path, source);
  const texts = entries.flatMap((entry) => (entry.k === 'frame' && isBook.test(entry.x) ? [entry.x] : []));
  const socketKey = source.venue === 'lighter' ? 'market' : 'public';
  return {
    name: `${source.venue}, recorded`,
    symbol: visitor.symbol,
    socketKey,
    texts: texts.slice(0, frames),
    freshStream: () => visitor.freshStream(),
  };
}
