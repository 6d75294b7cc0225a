/** The simulated gateway's sockets: sessions, heartbeats, subscriptions, and the account's channels. Any thread. */
import type { ExchangeEvent, ExchangeOrderState } from '../../simulation/exchange.ts';
import type { VenueOutput } from '../../simulation/simulated-venue.ts';
import type { Instant } from '../venue.ts';
import { SOCKET_PATHS } from './hosts.ts';
import { CONNECTIONS_MAX } from './limits.ts';
import { TOO_MANY, UNAUTHORIZED } from './simulated-access.ts';
import type { CallCost, SimulatedAccess, SimulatedAccount } from './simulated-access.ts';
import { answerPrivate, answerPublic, badParameter, signedInJson } from './simulated-answers.ts';
import type { Answer } from './simulated-answers.ts';
import { SimulatedMarketFeeds } from './simulated-market-feeds.ts';
import type { BookFault } from './simulated-market-feeds.ts';
import type { SimulatedRecords } from './simulated-records.ts';
import { costOf, rpcCallOf, rpcAnswerText } from './simulated-rpc.ts';
import type { RpcRequest } from './simulated-rpc.ts';

export type SocketKind = 'market' | 'account';

interface Connection {
  readonly socketId: number;
  readonly remote: string;
  readonly kind: SocketKind;
  readonly channels: Set<string>;
  account: SimulatedAccount | undefined;
  signedInUntilMs: number;
  /** Without a message from the client the connection ends then, monotonic ms. */
  idleUntilMs: number;
  heartbeat: { readonly everyMs: number; nextMs: number; unansweredSinceMs: number | undefined } | undefined;
  cancelsOnDisconnect: boolean;
  /** Numbers of orders that came this way. */
  readonly orders: number[];
}

const IDLE_MS = 30_000;
const SIGNED_IN_MS = 50 * 60_000;
const FRAME_CHARACTERS_MAX = 32 * 1_024;
/** How long a question of the venue may stand. */
const HEARTBEAT_ANSWER_MS = 10_000;
const POLICY_VIOLATION = 1008;
const IDLE_CODE = 1011;

/** Carries out what changes something; `reply` is called once, perhaps later. False for an unknown method. */
export type Change = (
  request: RpcRequest,
  account: SimulatedAccount,
  at: Instant,
  how: { readonly reply: (answer: Answer) => void; readonly placed: (orderNumber: number) => void },
) => boolean;

export class SimulatedSockets {
  readonly #records: SimulatedRecords;
  readonly #access: SimulatedAccess;
  readonly #feeds: SimulatedMarketFeeds;
  readonly #change: Change;
  readonly #connections = new Map<number, Connection>();
  #outputs: VenueOutput[] = [];
  #isLosingTrades = false;
  #leftOut: string | undefined;

  constructor(records: SimulatedRecords, access: SimulatedAccess, change: Change) {
    this.#records = records;
    this.#access = access;
    this.#change = change;
    this.#feeds = new SimulatedMarketFeeds(
      records,
      (channel, data) => this.#toAll(channel, data),
      (channel) => [...this.#connections.values()].some(({ channels }) => channels.has(channel)),
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
    for (const { idleUntilMs, heartbeat, account, signedInUntilMs } of this.#connections.values()) {
      wake = Math.min(wake, idleUntilMs, heartbeat?.nextMs ?? wake, account === undefined ? wake : signedInUntilMs);
    }
    return wake;
  }

  /** False when the path is none of the gateway's. */
  knock(socketId: number, remote: string, path: string, at: Instant): boolean {
    const kind =
      path === SOCKET_PATHS.global.market ? 'market' : path === SOCKET_PATHS.global.account ? 'account' : undefined;
    if (kind === undefined) return false;
    const open = [...this.#connections.values()].filter((connection) => connection.remote === remote);
    if (open.length >= CONNECTIONS_MAX) {
      this.#access.refusals += 1;
      this.#outputs.push({ type: 'socket-refuse', socketId, status: 429, body: 'too many connections' });
      return true;
    }
    this.#connections.set(socketId, {
      socketId,
      remote,
      kind,
      channels: new Set(),
      account: undefined,
      signedInUntilMs: Number.POSITIVE_INFINITY,
      idleUntilMs: at.monotonicMs + IDLE_MS,
      heartbeat: undefined,
      cancelsOnDisconnect: false,
      orders: [],
    });
    this.#outputs.push({ type: 'socket-accept', socketId });
    return true;
  }

  /** The client is gone. What it asked to be cancelled then is cancelled. */
  closed(socketId: number, at: Instant): void {
    const connection = this.#connections.get(socketId);
    this.#connections.delete(socketId);
    const account = connection?.account;
    if (connection === undefined || account === undefined || !connection.cancelsOnDisconnect) return;
    for (const venueOrderNumber of connection.orders)
      this.#records.exchange.cancel(account.name, { venueOrderNumber }, at);
  }

  /** Closes every connection of a kind, or all. */
  drop(kind: SocketKind | undefined, at: Instant): void {
    for (const connection of this.#connections.values())
      if (kind === undefined || connection.kind === kind) this.#close(connection, 1001, 'going away', at);
  }

  damageNextBook(fault: BookFault): void {
    this.#feeds.damageNextBook(fault);
  }
  /** From now on nobody hears of trades of theirs, or again does. */
  loseTrades(isLosing: boolean): void {
    this.#isLosingTrades = isLosing;
  }
  /** The next subscription is not given the channels that begin so, and nobody is told. */
  leaveOut(prefix: string): void {
    this.#leftOut = prefix;
  }

  /** False when the socket is none of the gateway's. */
  heard(socketId: number, text: string, at: Instant): boolean {
    const connection = this.#connections.get(socketId);
    if (connection === undefined) return false;
    connection.idleUntilMs = at.monotonicMs + IDLE_MS;
    if (text.length > FRAME_CHARACTERS_MAX) {
      this.#close(connection, 1009, 'frame too large', at);
      return true;
    }
    const request = rpcCallOf(text);
    if ('error' in request) {
      this.#text(connection, rpcAnswerText(request, request.id, at));
      return true;
    }
    this.#call(connection, request, at);
    return true;
  }

  #call(connection: Connection, request: RpcRequest, at: Instant): void {
    const { socketId, account } = connection;
    const reply = (answer: Answer): void => {
      // The connection may have ended meanwhile; time has passed where the answer waited for the matching.
      if (this.#connections.has(socketId)) this.#text(connection, rpcAnswerText(answer, request.id, at));
    };
    const cost: CallCost = costOf(request.method);
    if (!this.#access.admit(`${socketId}`, cost, account, at.monotonicMs)) {
      reply({ error: TOO_MANY });
      this.#close(connection, POLICY_VIOLATION, 'too many requests', at);
      return;
    }
    if (request.method === 'public/test' && connection.heartbeat !== undefined)
      connection.heartbeat.unansweredSinceMs = undefined;
    if (connection.kind === 'market') return reply(this.#marketCall(connection, request, at));
    if (request.method === 'private/logout') return this.#close(connection, 1000, 'logged out', at);
    const answer = this.#accountCall(connection, request, at);
    if (answer !== undefined) return reply(answer);
    const { keyRefusal } = this.#access;
    if (keyRefusal !== undefined) return reply({ error: keyRefusal });
    if (account === undefined) return reply({ error: UNAUTHORIZED });
    const how = { reply, placed: (orderNumber: number): void => void connection.orders.push(orderNumber) };
    if (this.#change(request, account, at, how)) return;
    const query = { ...request, nowMs: at.calendarMs };
    reply(answerPrivate(this.#records, account, query) ?? { error: { code: -32601, message: 'Method not found' } });
  }

  /** This host takes subscriptions only. */
  #marketCall(connection: Connection, request: RpcRequest, at: Instant): Answer {
    switch (request.method) {
      case 'public/subscribe':
        return this.#subscribe(connection, request, (channel) => this.#feeds.has(channel), at);
      case 'public/unsubscribe':
        return unsubscribe(connection, request);
      case 'public/test':
        return { result: { version: '1.2.26' } };
      default:
        return { error: { code: -32601, message: 'Method not found' } };
    }
  }

  /** Undefined for what has nothing to do with the connection itself. */
  #accountCall(connection: Connection, request: RpcRequest, at: Instant): Answer | undefined {
    const { method, params } = request;
    switch (method) {
      case 'public/auth':
        return this.#signIn(connection, params, at);
      case 'public/set_heartbeat': {
        const seconds = params['interval'];
        if (typeof seconds !== 'number' || seconds < 10) return badParameter('interval', 'must be at least 10');
        const everyMs = seconds * 1_000;
        connection.heartbeat = { everyMs, nextMs: at.monotonicMs + everyMs, unansweredSinceMs: undefined };
        return { result: 'ok' };
      }
      case 'public/disable_heartbeat':
        connection.heartbeat = undefined;
        return { result: 'ok' };
      case 'private/enable_cancel_on_disconnect':
      case 'private/disable_cancel_on_disconnect':
        if (connection.account === undefined) return { error: UNAUTHORIZED };
        connection.cancelsOnDisconnect = method === 'private/enable_cancel_on_disconnect';
        return { result: 'ok' };
      case 'private/subscribe':
        if (connection.account === undefined) return { error: UNAUTHORIZED };
        return this.#subscribe(connection, request, (channel) => channel.startsWith('user.'), at);
      case 'private/unsubscribe':
        return unsubscribe(connection, request);
      default:
        return method.startsWith('public/')
          ? answerPublic(this.#records, { ...request, nowMs: at.calendarMs })
          : undefined;
    }
  }

  #signIn(connection: Connection, params: RpcRequest['params'], at: Instant): Answer {
    if (params['grant_type'] !== 'coinbase_cdp') return badParameter('grant_type', 'must be coinbase_cdp');
    const signedIn = this.#access.signIn(params['token'], at);
    if ('code' in signedIn) return { error: signedIn };
    connection.account = signedIn.account;
    connection.signedInUntilMs = at.monotonicMs + SIGNED_IN_MS;
    return { result: signedInJson(signedIn.text) };
  }

  #subscribe(connection: Connection, request: RpcRequest, has: (channel: string) => boolean, at: Instant): Answer {
    const asked = channelsOf(request);
    const leftOut = this.#leftOut;
    // Only what these sockets ask for at all ends the fault.
    if (leftOut !== undefined && asked.some((channel) => channel.startsWith(leftOut))) this.#leftOut = undefined;
    const given = asked.filter((channel) => has(channel) && (leftOut === undefined || !channel.startsWith(leftOut)));
    for (const channel of given) {
      const first = connection.kind === 'market' ? this.#feeds.snapshot(channel, at) : undefined;
      connection.channels.add(channel);
      if (first !== undefined) this.#later.push(() => this.#notify(connection, channel, first));
    }
    return { result: given };
  }

  /** Notifications that must not come before the answer they follow. */
  readonly #later: (() => void)[] = [];

  /** Turns facts of the exchange into notifications. */
  observe(event: ExchangeEvent, at: Instant): void {
    this.#feeds.observe(event, at);
    const records = this.#records;
    switch (event.type) {
      case 'order':
        this.sendOrder(event.order);
        return;
      case 'trade':
        if (this.#isLosingTrades) return;
        for (const party of [event.trade.taker, event.trade.maker])
          if (party !== undefined)
            this.#toAccount(party.account, 'user.trades.', () => [records.tradeJson(event.trade, party)]);
        return;
      case 'position':
        this.#toAccount(event.account, 'user.changes.', () => ({
          instrument_name: event.position.symbol,
          positions: [records.positionJson(event.position)],
          orders: [],
          trades: [],
        }));
        return;
      case 'wallet':
        this.#toAccount(event.account, 'user.portfolio.', (account) => records.summaryJson(account, at.calendarMs));
        return;
      case 'funding':
      case 'book':
      case 'stats':
        return;
      default:
        throw new Error(`unknown exchange event ${JSON.stringify(event satisfies never)}`);
    }
  }

  sendOrder(order: ExchangeOrderState): void {
    if (order.status !== 'queued') this.#toAccount(order.account, 'user.orders.', () => this.#records.orderJson(order));
  }

  /** Sends what is due and ends what has been silent, or has been signed in, for too long. */
  tick(at: Instant): void {
    for (const send of this.#later.splice(0)) send();
    this.#feeds.tick(at);
    for (const connection of this.#connections.values()) {
      if (at.monotonicMs >= connection.idleUntilMs) this.#close(connection, IDLE_CODE, 'idle', at);
      else if (connection.account !== undefined && at.monotonicMs >= connection.signedInUntilMs)
        this.#close(connection, POLICY_VIOLATION, 'session expired', at);
      else this.#beat(connection, at);
    }
  }

  #beat(connection: Connection, at: Instant): void {
    const { heartbeat } = connection;
    if (heartbeat === undefined || at.monotonicMs < heartbeat.nextMs) return;
    const { unansweredSinceMs } = heartbeat;
    if (unansweredSinceMs !== undefined && at.monotonicMs - unansweredSinceMs >= HEARTBEAT_ANSWER_MS) {
      this.#close(connection, POLICY_VIOLATION, 'heartbeat unanswered', at);
      return;
    }
    heartbeat.nextMs = at.monotonicMs + heartbeat.everyMs;
    heartbeat.unansweredSinceMs ??= at.monotonicMs;
    for (const type of ['heartbeat', 'test_request'])
      this.#text(connection, JSON.stringify({ jsonrpc: '2.0', method: 'heartbeat', params: { type } }));
  }

  #toAccount(name: string, prefix: string, make: (account: SimulatedAccount) => unknown): void {
    for (const connection of this.#connections.values()) {
      const { account } = connection;
      if (account?.name !== name) continue;
      for (const channel of connection.channels)
        if (channel.startsWith(prefix)) this.#notify(connection, channel, make(account));
    }
  }

  #toAll(channel: string, data: unknown): void {
    for (const connection of this.#connections.values())
      if (connection.channels.has(channel)) this.#notify(connection, channel, data);
  }

  #notify(connection: Connection, channel: string, data: unknown): void {
    if (!this.#connections.has(connection.socketId)) return;
    this.#text(connection, JSON.stringify({ jsonrpc: '2.0', method: 'subscription', params: { channel, data } }));
  }

  #text({ socketId }: Connection, text: string): void {
    this.#outputs.push({ type: 'socket-text', socketId, text });
  }

  #close(connection: Connection, code: number, reason: string, at: Instant): void {
    const { socketId } = connection;
    this.closed(socketId, at);
    this.#outputs.push({ type: 'socket-close', socketId, code, reason });
  }
}

function channelsOf({ params }: RpcRequest): readonly string[] {
  return Array.isArray(params['channels']) ? params['channels'].map(String) : [];
}

function unsubscribe(connection: Connection, request: RpcRequest): Answer {
  const asked = channelsOf(request);
  for (const channel of asked) connection.channels.delete(channel);
  return { result: asked };
}
