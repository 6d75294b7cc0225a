/** The simulated Bybit venue's WebSocket side: sessions, subscriptions, heartbeats, and the account's topics. Any thread. */
import type { ExchangeEvent, ExchangeOrderState } from '../../simulation/exchange.ts';
import type { VenueOutput } from '../../simulation/simulated-venue.ts';
import { asFields, parseLosslessJson } from '../json.ts';
import type { Fields } from '../json.ts';
import { MalformedPayload } from '../venue.ts';
import type { Instant } from '../venue.ts';
import type { SimulatedAccess, SimulatedAccount } from './simulated-access.ts';
import { SimulatedMarketFeeds } from './simulated-market-feeds.ts';
import type { BookFault } from './simulated-market-feeds.ts';
import type { SimulatedRecords } from './simulated-records.ts';
import type { Json } from './simulated-wire.ts';
import { PRIVATE_PATH, PUBLIC_PATH } from './wire.ts';

export type SocketKind = 'public' | 'account';

interface Connection {
  readonly socketId: number;
  readonly kind: SocketKind;
  readonly topics: Set<string>;
  account: SimulatedAccount | undefined;
  /** Without a word from the client the connection ends then, monotonic ms. */
  idleUntilMs: number;
}

const CONNECTIONS_WINDOW_MS = 300_000;
const CONNECTIONS_MAX = 500;
const IDLE_MS = 600_000;
const ARGUMENTS_CHARACTERS_MAX = 21_000;
const ACCOUNT_TOPICS: ReadonlySet<string> = new Set(['order', 'execution', 'position', 'wallet']);

export class SimulatedSockets {
  readonly #records: SimulatedRecords;
  readonly #access: SimulatedAccess;
  readonly #feeds: SimulatedMarketFeeds;
  readonly #connections = new Map<number, Connection>();
  readonly #knocks = new Map<string, number[]>();
  #outputs: VenueOutput[] = [];
  #messages = 0;
  #isLosingExecutions = false;

  constructor(records: SimulatedRecords, access: SimulatedAccess) {
    this.#records = records;
    this.#access = access;
    this.#feeds = new SimulatedMarketFeeds(
      records,
      (topic, text) => this.#toAll(topic, text),
      (topic) => [...this.#connections.values()].some(({ topics }) => topics.has(topic)),
    );
  }

  /** Everything to be sent since the last call. */
  take(): readonly VenueOutput[] {
    const outputs = this.#outputs;
    this.#outputs = [];
    return outputs;
  }

  nextWakeMs(): number {
    let wake = this.#feeds.nextWakeMs();
    for (const { idleUntilMs } of this.#connections.values()) wake = Math.min(wake, idleUntilMs);
    return wake;
  }

  knock(socketId: number, remote: string, path: string, at: Instant): void {
    const refuse = (status: number, body: string): void => {
      this.#outputs.push({ type: 'socket-refuse', socketId, status, body });
    };
    const bare = path.split('?')[0];
    const kind = bare === PUBLIC_PATH ? 'public' : bare === PRIVATE_PATH ? 'account' : undefined;
    if (kind === undefined) return refuse(404, 'Not Found');
    const nowMs = at.monotonicMs;
    const times = (this.#knocks.get(remote) ?? []).filter((time) => nowMs - time < CONNECTIONS_WINDOW_MS);
    this.#knocks.set(remote, times);
    if (times.length >= CONNECTIONS_MAX) {
      this.#access.refusals += 1;
      return refuse(403, 'too many connections');
    }
    times.push(nowMs);
    const idleUntilMs = nowMs + IDLE_MS;
    this.#connections.set(socketId, { socketId, kind, topics: new Set(), account: undefined, idleUntilMs });
    this.#outputs.push({ type: 'socket-accept', socketId });
  }

  closed(socketId: number): void {
    this.#connections.delete(socketId);
  }

  /** Closes every connection of a kind, or all. */
  drop(kind: SocketKind | undefined): void {
    for (const connection of this.#connections.values())
      if (kind === undefined || connection.kind === kind) this.#close(connection.socketId, 1001, 'going away');
  }

  damageNextBook(fault: BookFault): void {
    this.#feeds.damageNextBook(fault);
  }

  /** From now on nobody hears of executions, or again does. */
  loseExecutions(isLosing: boolean): void {
    this.#isLosingExecutions = isLosing;
  }

  heard(socketId: number, text: string, at: Instant): void {
    const connection = this.#connections.get(socketId);
    if (connection === undefined) return;
    connection.idleUntilMs = at.monotonicMs + IDLE_MS;
    const frame = fieldsOf(text);
    const id = typeof frame?.['req_id'] === 'string' ? frame['req_id'] : '';
    const args = Array.isArray(frame?.['args']) ? (frame['args'] as readonly unknown[]) : [];
    switch (frame?.['op']) {
      case 'ping':
        return this.#pong(connection, id, at);
      case 'auth':
        return this.#authenticate(connection, id, args, at);
      case 'subscribe':
        return this.#subscribe(connection, id, args.map(String), at);
      case 'unsubscribe':
        for (const topic of args) connection.topics.delete(String(topic));
        return this.#answer(connection, 'unsubscribe', id, '');
      default:
        return this.#answer(connection, String(frame?.['op'] ?? ''), id, 'error:unknown operation', false);
    }
  }

  /** Turns facts of the exchange into frames. */
  observe(event: ExchangeEvent, at: Instant): void {
    this.#feeds.observe(event, at);
    const records = this.#records;
    switch (event.type) {
      case 'order':
        this.sendOrder(event.order, at);
        return;
      case 'trade':
        for (const party of [event.trade.taker, event.trade.maker]) {
          if (party !== undefined)
            this.#toAccount(party.account, 'execution', () => records.executionJson(event.trade, party), at);
        }
        return;
      case 'position':
        this.#toAccount(
          event.account,
          'position',
          () => records.positionJson(event.position, at.calendarMs, 'entryPrice'),
          at,
        );
        return;
      case 'wallet':
        this.#toAccount(event.account, 'wallet', (account) => records.walletJson(account), at);
        return;
      case 'funding':
        for (const payment of event.payments)
          this.#toAccount(payment.account, 'execution', () => records.fundingJson(payment), at);
        return;
      case 'book':
      case 'stats':
        return;
      default:
        throw new Error(`unknown exchange event ${JSON.stringify(event satisfies never)}`);
    }
  }

  sendOrder(order: ExchangeOrderState, at: Instant): void {
    this.#toAccount(order.account, 'order', () => this.#records.orderJson(order), at);
  }

  /** Sends due books and ends what nobody speaks on. */
  tick(at: Instant): void {
    this.#feeds.tick(at);
    for (const { socketId, idleUntilMs } of this.#connections.values())
      if (at.monotonicMs >= idleUntilMs) this.#close(socketId, 1000, 'idle');
  }

  #pong(connection: Connection, id: string, at: Instant): void {
    if (connection.kind === 'public') return this.#answer(connection, 'ping', id, 'pong');
    const args = [String(Math.floor(at.calendarMs))];
    this.#send(connection, { req_id: id, op: 'pong', args, conn_id: connectionId(connection) });
  }

  #authenticate(connection: Connection, id: string, args: readonly unknown[], at: Instant): void {
    const account = connection.kind === 'account' ? this.#access.authenticateSession(args, at) : undefined;
    if (account === undefined) return this.#answer(connection, 'auth', id, 'Params Error', false);
    connection.account = account;
    this.#answer(connection, 'auth', id, '');
  }

  #subscribe(connection: Connection, id: string, topics: readonly string[], at: Instant): void {
    const refuse = (reason: string): void => this.#answer(connection, 'subscribe', id, reason, false);
    if (connection.kind === 'account' && connection.account === undefined) return refuse('Request not authorized');
    const length = [...connection.topics, ...topics].reduce((sum, topic) => sum + topic.length, 0);
    if (length > ARGUMENTS_CHARACTERS_MAX) return refuse('error:args size exceeds the limit');
    const unknown = topics.find((topic) =>
      connection.kind === 'account' ? !ACCOUNT_TOPICS.has(topic) : !this.#feeds.has(topic),
    );
    if (unknown !== undefined) return refuse(`error:handler not found,topic:${unknown}`);
    this.#answer(connection, 'subscribe', id, '');
    for (const topic of topics) {
      const snapshot = connection.kind === 'public' ? this.#feeds.snapshot(topic, at) : undefined;
      connection.topics.add(topic);
      if (snapshot !== undefined) this.#text(connection.socketId, snapshot);
    }
  }

  #answer(connection: Connection, op: string, id: string, message: string, success = true): void {
    this.#send(connection, { success, ret_msg: message, conn_id: connectionId(connection), req_id: id, op });
  }

  #toAccount(name: string, topic: string, make: (account: SimulatedAccount) => Json, at: Instant): void {
    if (topic === 'execution' && this.#isLosingExecutions) return;
    for (const connection of this.#connections.values()) {
      const { account } = connection;
      if (account?.name !== name || !connection.topics.has(topic)) continue;
      this.#messages += 1;
      const creationTime = Math.floor(at.calendarMs);
      this.#send(connection, { id: `${name}-${this.#messages}`, topic, creationTime, data: [make(account)] });
    }
  }

  #toAll(topic: string, text: string): void {
    for (const { socketId, topics } of this.#connections.values()) if (topics.has(topic)) this.#text(socketId, text);
  }

  #send(connection: Connection, frame: Json): void {
    this.#text(connection.socketId, JSON.stringify(frame));
  }

  #text(socketId: number, text: string): void {
    this.#outputs.push({ type: 'socket-text', socketId, text });
  }

  #close(socketId: number, code: number, reason: string): void {
    this.#connections.delete(socketId);
    this.#outputs.push({ type: 'socket-close', socketId, code, reason });
  }
}

function connectionId({ socketId }: Connection): string {
  return `c-${socketId}`;
}

function fieldsOf(text: string): Fields | undefined {
  try {
    return asFields(parseLosslessJson(text, 'frame'), 'frame');
  } catch (error) {
    // Whatever it is, it is no request: it is answered as an unknown one.
    if (error instanceof MalformedPayload) return undefined;
    throw error;
  }
}
