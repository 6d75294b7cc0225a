/** The simulated Extended venue's WebSocket side: one stream per connection by path, sequences from 1, books in bursts, pings. Any thread. */
import { priceText, quantityText } from '../../money/amounts.ts';
import { formatDecimal } from '../../money/decimal.ts';
import type { Instrument } from '../../market/instrument.ts';
import type { ExchangeEvent, ExchangeOrderState, ExchangeTrade } from '../../simulation/exchange.ts';
import type { VenueOutput } from '../../simulation/simulated-venue.ts';
import type { Instant } from '../venue.ts';
import { isOpen } from './simulated-answers.ts';
import type { SimulatedRecords } from './simulated-records.ts';
import { publicTradeJson, rateText } from './simulated-wire.ts';
import type { SimulatedAccount } from './simulated-wire.ts';
import { wireJson } from './wire.ts';
import type { WireValue } from './wire.ts';

const DELTA_MS = 100;
const SNAPSHOT_MS = 60_000;
/** A market without changes still says something this often. */
const HEARTBEAT_MS = 1_000;
const PING_MS = 15_000;
const PONG_MS = 10_000;

/** What a connection delivers. `symbol` undefined: all markets. */
type Stream =
  | { readonly kind: 'orderbooks'; readonly symbol: string | undefined; readonly best: boolean }
  | { readonly kind: 'publicTrades' | 'funding' | 'mark' | 'index'; readonly symbol: string | undefined }
  | { readonly kind: 'account'; readonly account: SimulatedAccount };

interface Connection {
  readonly socketId: number;
  readonly stream: Stream;
  sequence: number;
  nextPingMs: number;
  pongDueMs: number | undefined;
}

type Side = Map<number, number>;
interface Changes {
  readonly bids: Side;
  readonly asks: Side;
}
interface Frame {
  readonly type: string | undefined;
  /** JSON text of `data`. */
  readonly data: string;
  readonly tsMs: number;
}

/** One market's book as subscribers have it, and what a newcomer must be told to catch up. */
interface BookFeed {
  readonly instrument: Instrument;
  readonly published: Changes;
  pending: Changes;
  snapshot: Frame;
  deltas: Frame[];
  lastFrameMs: number;
}

/** Frame faults wait for the next frame of a fitting stream kind. */
export interface FrameFault {
  readonly fault: 'seq-gap' | 'duplicate-frame' | 'unknown-frame';
  readonly kind: Stream['kind'];
}

export class SimulatedSockets {
  readonly #records: SimulatedRecords;
  readonly #connections = new Map<number, Connection>();
  readonly #feeds = new Map<string, BookFeed>();
  readonly #faults: FrameFault[] = [];
  #outputs: VenueOutput[] = [];
  #nextFlushMs = 0;
  #nextSnapshotMs = 0;

  constructor(records: SimulatedRecords) {
    this.#records = records;
  }

  /** To be called once, after the exchange's first advance. */
  start(at: Instant): void {
    for (const instrument of this.#records.exchange.markets()) {
      const book = this.#records.exchange.book(instrument.symbol);
      const published = { bids: new Map(book.bids), asks: new Map(book.asks) };
      this.#feeds.set(instrument.symbol, {
        instrument,
        published,
        pending: noChanges(),
        snapshot: snapshotFrame(instrument, published, at),
        deltas: [],
        lastFrameMs: at.monotonicMs,
      });
    }
    this.#nextFlushMs = at.monotonicMs + DELTA_MS;
    this.#nextSnapshotMs = at.monotonicMs + SNAPSHOT_MS;
  }

  /** Everything to be sent since the last call. */
  take(): readonly VenueOutput[] {
    const outputs = this.#outputs;
    this.#outputs = [];
    return outputs;
  }

  nextWakeMs(): number {
    let wake = Number.POSITIVE_INFINITY;
    for (const connection of this.#connections.values()) {
      wake = Math.min(wake, connection.nextPingMs, connection.pongDueMs ?? Number.POSITIVE_INFINITY);
      if (connection.stream.kind === 'orderbooks') wake = Math.min(wake, this.#nextFlushMs);
    }
    return wake;
  }

  /** `segments` and `best` come from the path; undefined stream: no such path. */
  static streamOf(
    segments: readonly string[],
    best: boolean,
    account: SimulatedAccount | undefined,
  ): Stream | undefined {
    const [first = '', second, third] = segments;
    if (first === 'account' && segments.length === 1)
      return account === undefined ? undefined : { kind: 'account', account };
    if (first === 'orderbooks' && segments.length <= 2) return { kind: 'orderbooks', symbol: second, best };
    if ((first === 'publicTrades' || first === 'funding') && segments.length <= 2)
      return { kind: first, symbol: second };
    if (first === 'prices' && (second === 'mark' || second === 'index') && segments.length <= 3)
      return { kind: second, symbol: third };
    return undefined;
  }

  open(socketId: number, stream: Stream, at: Instant): void {
    const connection: Connection = {
      socketId,
      stream,
      sequence: 0,
      nextPingMs: at.monotonicMs + PING_MS,
      pongDueMs: undefined,
    };
    this.#connections.set(socketId, connection);
    this.#outputs.push({ type: 'socket-accept', socketId });
    if (stream.kind === 'account') this.#sendPictures(connection, stream.account, at);
    if (stream.kind === 'mark' || stream.kind === 'index') {
      for (const { instrument } of this.#feeds.values()) {
        if (concerns(stream, instrument.symbol))
          this.#send(connection, this.#priceFrame(instrument.symbol, stream.kind, at));
      }
    }
    if (stream.kind !== 'orderbooks') return;
    for (const feed of this.#feeds.values()) {
      if (!concerns(stream, feed.instrument.symbol)) continue;
      if (stream.best) {
        this.#send(connection, snapshotFrame(feed.instrument, feed.published, at, 1));
      } else {
        // The latest minutely snapshot, then everything since: current only after the burst.
        this.#send(connection, feed.snapshot);
        for (const delta of feed.deltas) this.#send(connection, delta);
      }
    }
  }

  closed(socketId: number): void {
    this.#connections.delete(socketId);
  }

  ponged(socketId: number): void {
    const connection = this.#connections.get(socketId);
    if (connection !== undefined) connection.pongDueMs = undefined;
  }

  /** Closes every connection of a kind, or all. */
  drop(kind: Stream['kind'] | undefined): void {
    for (const { socketId, stream } of this.#connections.values()) {
      if (kind === undefined || stream.kind === kind) this.#close(socketId, 1001, 'going away');
    }
  }

  damageNext(fault: FrameFault): void {
    this.#faults.push(fault);
  }

  /** Turns facts of the exchange into frames; book changes wait for the next burst. */
  observe(event: ExchangeEvent, at: Instant): void {
    switch (event.type) {
      case 'book': {
        const feed = this.#feeds.get(event.symbol);
        if (feed === undefined) return;
        for (const [ticks, lots] of event.bids) feed.pending.bids.set(ticks, lots);
        for (const [ticks, lots] of event.asks) feed.pending.asks.set(ticks, lots);
        return;
      }
      case 'trade':
        this.#trade(event.trade, at);
        return;
      case 'order':
        this.sendOrder(event.order, at);
        return;
      case 'position':
        this.#toAccount(event.account, 'POSITION', at, (account) => ({
          positions: [this.#records.positionJson(event.position, account, at.calendarMs)],
        }));
        return;
      case 'wallet':
        this.#toAccount(event.account, 'BALANCE', at, (account) => ({
          balance: this.#records.balanceJson(account, at.calendarMs),
        }));
        return;
      case 'stats':
        for (const kind of ['mark', 'index'] as const) {
          this.#toAll(kind, event.stats.symbol, () => this.#priceFrame(event.stats.symbol, kind, at));
        }
        return;
      case 'funding': {
        const { symbol, settledAtMs, ratePico } = event.funding;
        this.#toAll('funding', symbol, () =>
          frameOf(undefined, { m: symbol, T: Math.floor(settledAtMs), f: rateText(ratePico) }, at),
        );
        return;
      }
      default:
        throw new Error(`unknown exchange event ${JSON.stringify(event satisfies never)}`);
    }
  }

  sendOrder(order: ExchangeOrderState, at: Instant): void {
    this.#toAccount(order.account, 'ORDER', at, (account) => ({ orders: [this.#records.orderJson(order, account)] }));
  }

  /** Sends due book bursts and pings, and closes what did not answer them. */
  tick(at: Instant): void {
    if (at.monotonicMs >= this.#nextFlushMs) this.#flush(at);
    for (const connection of this.#connections.values()) {
      if (connection.pongDueMs !== undefined && at.monotonicMs >= connection.pongDueMs) {
        this.#close(connection.socketId, 1011, 'no pong');
        continue;
      }
      if (at.monotonicMs < connection.nextPingMs) continue;
      connection.nextPingMs = at.monotonicMs + PING_MS;
      connection.pongDueMs ??= at.monotonicMs + PONG_MS;
      this.#outputs.push({ type: 'socket-ping', socketId: connection.socketId });
    }
  }

  #flush(at: Instant): void {
    const snapshotDue = at.monotonicMs >= this.#nextSnapshotMs;
    for (const feed of this.#feeds.values()) {
      const delta = takeDelta(feed, at);
      if (delta !== undefined) this.#deliver(feed, delta, at);
      else if (at.monotonicMs - feed.lastFrameMs >= HEARTBEAT_MS)
        this.#deliver(feed, deltaFrame(feed.instrument, [], [], at), at);
      if (!snapshotDue) continue;
      feed.snapshot = snapshotFrame(feed.instrument, feed.published, at);
      feed.deltas = [];
      this.#toBooks(feed, false, feed.snapshot);
    }
    this.#nextFlushMs = at.monotonicMs + DELTA_MS;
    if (snapshotDue) this.#nextSnapshotMs = at.monotonicMs + SNAPSHOT_MS;
  }

  #deliver(feed: BookFeed, delta: Frame, at: Instant): void {
    feed.lastFrameMs = at.monotonicMs;
    feed.deltas.push(delta);
    this.#toBooks(feed, false, delta);
    this.#toBooks(feed, true, snapshotFrame(feed.instrument, feed.published, at, 1));
  }

  #toBooks(feed: BookFeed, best: boolean, frame: Frame): void {
    for (const connection of this.#connections.values()) {
      const { stream } = connection;
      if (stream.kind === 'orderbooks' && stream.best === best && concerns(stream, feed.instrument.symbol))
        this.#send(connection, frame);
    }
  }

  #trade(trade: ExchangeTrade, at: Instant): void {
    const { instrument } = this.#feeds.get(trade.symbol) ?? {};
    if (instrument !== undefined) {
      this.#toAll('publicTrades', trade.symbol, () =>
        frameOf(undefined, [publicTradeJson(trade, instrument, this.#records.ids)], at),
      );
    }
    for (const party of [trade.taker, trade.maker]) {
      if (party === undefined) continue;
      this.#toAccount(party.account, 'TRADE', at, (account) => ({
        trades: [this.#records.fillJson(trade, party, account, 'externalOrderId')],
      }));
    }
  }

  #sendPictures(connection: Connection, account: SimulatedAccount, at: Instant): void {
    const records = this.#records;
    const open = records.orders(account).filter(isOpen);
    this.#send(connection, frameOf('BALANCE', { balance: records.balanceJson(account, at.calendarMs) }, at));
    const positions = records.exchange
      .positions(account.name)
      .map((position) => records.positionJson(position, account, at.calendarMs));
    this.#send(connection, frameOf('POSITION', { positions }, at));
    this.#send(connection, frameOf('ORDER', { orders: open.map((order) => records.orderJson(order, account)) }, at));
  }

  #priceFrame(symbol: string, kind: 'mark' | 'index', at: Instant): Frame {
    const stats = this.#records.exchange.stats(symbol);
    const price = formatDecimal(kind === 'mark' ? stats.markNano : stats.indexNano, 9);
    return frameOf(kind === 'mark' ? 'MP' : 'IP', { m: symbol, p: price, ts: 0 }, at);
  }

  #toAll(kind: 'publicTrades' | 'funding' | 'mark' | 'index', symbol: string, make: () => Frame): void {
    let frame: Frame | undefined;
    for (const connection of this.#connections.values()) {
      if (connection.stream.kind !== kind || !concerns(connection.stream, symbol)) continue;
      frame ??= make();
      this.#send(connection, frame);
    }
  }

  #toAccount(name: string, type: string, at: Instant, make: (account: SimulatedAccount) => WireValue): void {
    const account = this.#records.account(name);
    if (account === undefined) return;
    for (const connection of this.#connections.values()) {
      if (connection.stream.kind === 'account' && connection.stream.account === account)
        this.#send(connection, frameOf(type, make(account), at));
    }
  }

  #send(connection: Connection, frame: Frame): void {
    const at = this.#faults.findIndex(({ kind }) => kind === connection.stream.kind);
    const [damage] = at < 0 ? [] : this.#faults.splice(at, 1);
    connection.sequence += damage?.fault === 'seq-gap' ? 2 : 1;
    if (damage?.fault === 'unknown-frame') {
      this.#text(connection, frameText({ type: 'UNEXPECTED', data: 'null', tsMs: frame.tsMs }, connection.sequence));
      connection.sequence += 1;
    }
    const text = frameText(frame, connection.sequence);
    this.#text(connection, text);
    if (damage?.fault === 'duplicate-frame') this.#text(connection, text);
  }

  #text(connection: Connection, text: string): void {
    this.#outputs.push({ type: 'socket-text', socketId: connection.socketId, text });
  }

  #close(socketId: number, code: number, reason: string): void {
    this.#connections.delete(socketId);
    this.#outputs.push({ type: 'socket-close', socketId, code, reason });
  }
}

function concerns(stream: Exclude<Stream, { kind: 'account' }>, symbol: string): boolean {
  return stream.symbol === undefined || stream.symbol === symbol;
}

function noChanges(): Changes {
  return { bids: new Map(), asks: new Map() };
}

/** Moves what is pending into what is published; undefined when nothing really changed. */
function takeDelta(feed: BookFeed, at: Instant): Frame | undefined {
  const bids = levelChanges(feed.instrument, feed.published.bids, feed.pending.bids);
  const asks = levelChanges(feed.instrument, feed.published.asks, feed.pending.asks);
  feed.pending = noChanges();
  return bids.length + asks.length === 0 ? undefined : deltaFrame(feed.instrument, bids, asks, at);
}

function levelChanges(instrument: Instrument, published: Side, pending: Side): readonly WireValue[] {
  const changes: WireValue[] = [];
  for (const [ticks, lots] of pending) {
    const before = published.get(ticks) ?? 0;
    if (lots === before) continue;
    if (lots === 0) published.delete(ticks);
    else published.set(ticks, lots);
    changes.push({
      q: quantityText(lots - before, instrument),
      p: priceText(ticks, instrument),
      c: quantityText(lots, instrument),
    });
  }
  return changes;
}

function deltaFrame(
  instrument: Instrument,
  bids: readonly WireValue[],
  asks: readonly WireValue[],
  at: Instant,
): Frame {
  return frameOf('DELTA', { t: 'DELTA', m: instrument.symbol, b: bids, a: asks, d: 'f' }, at);
}

/** `depth` cuts each side to its best levels. */
function snapshotFrame(instrument: Instrument, book: Changes, at: Instant, depth?: number): Frame {
  const levels = (side: Side, sign: number): WireValue =>
    [...side]
      .sort(([left], [right]) => sign * (left - right))
      .slice(0, depth)
      .map(([ticks, lots]) => ({ q: quantityText(lots, instrument), p: priceText(ticks, instrument) }));
  return frameOf(
    'SNAPSHOT',
    {
      t: 'SNAPSHOT',
      m: instrument.symbol,
      b: levels(book.bids, -1),
      a: levels(book.asks, 1),
      d: depth === undefined ? 'f' : String(depth),
    },
    at,
  );
}

function frameOf(type: string | undefined, data: WireValue, at: Instant): Frame {
  return { type, data: wireJson(data), tsMs: Math.floor(at.calendarMs) };
}

/** The data of a frame is the same for all subscribers, its number is not. */
function frameText(frame: Frame, sequence: number): string {
  const type = frame.type === undefined ? '' : `"type":${JSON.stringify(frame.type)},`;
  return `{${type}"data":${frame.data},"ts":${frame.tsMs},"seq":${sequence}}`;
}
