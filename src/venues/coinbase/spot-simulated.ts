/** The simulated spot exchange's public feed: tickers of the underlyings, as references for their price. Nothing is traded here. Any thread. */
import type { Exchange } from '../../simulation/exchange.ts';
import type { VenueOutput } from '../../simulation/simulated-venue.ts';
import { isFields, parseLosslessJson } from '../json.ts';
import { MalformedPayload } from '../venue.ts';
import type { Instant } from '../venue.ts';
import { iso, nanoText, spotProductOf } from './advanced-simulated-wire.ts';
import type { Json } from './advanced-simulated-wire.ts';

interface Connection {
  readonly socketId: number;
  /** Products by channel. */
  readonly channels: Map<string, Set<string>>;
  subscribeByMs: number;
}

interface Feed {
  readonly symbol: string;
  sequence: number;
  toldNano: bigint;
}

const SUBSCRIBE_WITHIN_MS = 5_000;
const BEAT_MS = 1_000;
const FIRST_SEQUENCE = 50_978_628_000;
/** Half of the spread that these books are given, as a divisor of the price. */
const HALF_SPREAD = 100_000n;
const CHANNELS: ReadonlySet<string> = new Set(['ticker', 'heartbeat']);

export class SimulatedSpotFeed {
  readonly #exchange: Exchange;
  readonly #feeds: ReadonlyMap<string, Feed>;
  readonly #connections = new Map<number, Connection>();
  #outputs: VenueOutput[] = [];
  #nextBeatMs = 0;
  #isNextMalformed = false;

  constructor(exchange: Exchange) {
    this.#exchange = exchange;
    this.#feeds = new Map(
      exchange
        .markets()
        .map(({ base, symbol }) => [spotProductOf(base), { symbol, sequence: FIRST_SEQUENCE, toldNano: 0n }]),
    );
  }

  /** Everything to be sent since the last call. */
  take(): readonly VenueOutput[] {
    const outputs = this.#outputs;
    this.#outputs = [];
    return outputs;
  }

  nextWakeMs(): number {
    const deadlines = [...this.#connections.values()].map(({ subscribeByMs }) => subscribeByMs);
    return this.#connections.size === 0 ? Number.POSITIVE_INFINITY : Math.min(this.#nextBeatMs, ...deadlines);
  }

  knock(socketId: number, at: Instant): void {
    const subscribeByMs = at.monotonicMs + SUBSCRIBE_WITHIN_MS;
    this.#connections.set(socketId, { socketId, channels: new Map(), subscribeByMs });
    this.#outputs.push({ type: 'socket-accept', socketId });
  }

  closed(socketId: number): void {
    this.#connections.delete(socketId);
  }

  drop(): void {
    for (const connection of this.#connections.values()) this.#close(connection, 1001);
  }

  /** The next ticker has a price that is none, as the real feed was seen to have. */
  malformNext(): void {
    this.#isNextMalformed = true;
  }

  /** False when the socket is none of the feed's. */
  heard(socketId: number, text: string, at: Instant): boolean {
    const connection = this.#connections.get(socketId);
    if (connection === undefined) return false;
    const asked = channelsOf(text);
    if (asked === undefined) {
      this.#text(connection, { type: 'error', message: 'Malformed JSON' });
      return true;
    }
    const wrong = asked.channels.find(
      ({ name, products }) => !CHANNELS.has(name) || products.some((id) => !this.#feeds.has(id)),
    );
    if (wrong !== undefined || asked.channels.length === 0) {
      const reason =
        wrong === undefined ? 'No channels provided' : `${wrong.name} of ${wrong.products.join(', ')} is not valid`;
      this.#text(connection, { type: 'error', message: 'Failed to subscribe', reason });
      return true;
    }
    for (const { name, products } of asked.channels) {
      const followed = connection.channels.get(name) ?? new Set();
      for (const product of products)
        if (asked.isSubscription) followed.add(product);
        else followed.delete(product);
      connection.channels.set(name, followed);
    }
    connection.subscribeByMs = Number.POSITIVE_INFINITY;
    const channels = [...connection.channels].map(([name, ids]) => ({ name, product_ids: [...ids] }));
    this.#text(connection, { type: 'subscriptions', channels });
    for (const product of connection.channels.get('ticker') ?? []) this.#ticker(connection, product, at);
    return true;
  }

  /** Tells prices that changed, and once a second that there is somebody. */
  tick(at: Instant): void {
    const nowMs = at.monotonicMs;
    for (const connection of this.#connections.values())
      if (nowMs >= connection.subscribeByMs) this.#close(connection, 1008);
    for (const [product, feed] of this.#feeds) {
      const { indexNano } = this.#exchange.stats(feed.symbol);
      if (feed.toldNano === indexNano) continue;
      feed.toldNano = indexNano;
      feed.sequence += 1;
      this.#toFollowers('ticker', product, (connection) => this.#ticker(connection, product, at));
    }
    if (nowMs < this.#nextBeatMs) return;
    this.#nextBeatMs = nowMs + BEAT_MS;
    for (const [product, feed] of this.#feeds) {
      // The real one trades all the time; here its trades are those that a reference needs.
      feed.sequence += 1;
      this.#toFollowers('ticker', product, (connection) => this.#ticker(connection, product, at));
      const { sequence } = feed;
      this.#toFollowers('heartbeat', product, (connection) =>
        this.#text(connection, {
          type: 'heartbeat',
          sequence,
          last_trade_id: sequence - FIRST_SEQUENCE,
          product_id: product,
          time: iso(at.calendarMs),
        }),
      );
    }
  }

  #toFollowers(channel: string, product: string, act: (connection: Connection) => void): void {
    for (const connection of this.#connections.values())
      if (connection.channels.get(channel)?.has(product) === true) act(connection);
  }

  #ticker(connection: Connection, product: string, at: Instant): void {
    const feed = this.#feeds.get(product);
    if (feed === undefined) return;
    const { indexNano, volume24hBase } = this.#exchange.stats(feed.symbol);
    const half = indexNano / HALF_SPREAD;
    const isMalformed = this.#isNextMalformed;
    this.#isNextMalformed = false;
    this.#text(connection, {
      type: 'ticker',
      sequence: feed.sequence,
      product_id: product,
      price: nanoText(indexNano),
      open_24h: nanoText(indexNano),
      volume_24h: String(volume24hBase),
      low_24h: nanoText(indexNano),
      high_24h: nanoText(indexNano),
      volume_30d: String(30 * volume24hBase),
      best_bid: isMalformed ? '0.-10000' : nanoText(indexNano - half),
      best_bid_size: '0.5',
      best_ask: nanoText(indexNano + half),
      best_ask_size: '0.5',
      side: 'sell',
      time: iso(at.calendarMs),
      trade_id: feed.sequence - FIRST_SEQUENCE,
      last_size: '0.05',
    });
  }

  #text({ socketId }: Connection, json: Json): void {
    this.#outputs.push({ type: 'socket-text', socketId, text: JSON.stringify(json) });
  }

  #close({ socketId }: Connection, code: number): void {
    this.#connections.delete(socketId);
    this.#outputs.push({ type: 'socket-close', socketId, code, reason: '' });
  }
}

interface Asked {
  readonly isSubscription: boolean;
  readonly channels: readonly { readonly name: string; readonly products: readonly string[] }[];
}

/** Channels are named alone, for the products beside them, or with products of their own. */
function channelsOf(text: string): Asked | undefined {
  try {
    const request = parseLosslessJson(text, 'request');
    if (!isFields(request)) return undefined;
    const { type, channels } = request;
    if ((type !== 'subscribe' && type !== 'unsubscribe') || !Array.isArray(channels)) return undefined;
    const common = Array.isArray(request['product_ids']) ? request['product_ids'].map(String) : [];
    return {
      isSubscription: type === 'subscribe',
      channels: channels.map((channel: unknown) =>
        isFields(channel)
          ? {
              name: String(channel['name']),
              products: Array.isArray(channel['product_ids']) ? channel['product_ids'].map(String) : common,
            }
          : { name: String(channel), products: common },
      ),
    };
  } catch (error) {
    if (error instanceof MalformedPayload) return undefined;
    throw error;
  }
}
