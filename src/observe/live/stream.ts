/**
 * The stream: points of metrics to WebSocket clients as they are looked at, one JSON message each. A client that does not read
 * loses points, which are counted; nobody waits for it. Main thread only.
 */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocket, WebSocketServer } from 'ws';
import { matcherOf, readClientWord, SubscriptionRefused } from '../subscription.ts';
import type { Matcher } from '../subscription.ts';
import type { ScalarSeries } from '../series.ts';
import type { MetricPoint } from './collector.ts';

export const CLIENTS_MAX = 16;
const SUBSCRIPTIONS_MAX = 16;
/** Bytes handed to a connection and not taken by it yet; beyond them points are lost. */
export const UNSENT_BYTES_MAX = 262_144;
const CLIENT_WORD_BYTES_MAX = 4_096;
const PING_EVERY_MS = 30_000;
/** The subprotocol the stream speaks; offered by clients that bring their token the same way. */
export const PROTOCOL = 'tandem.v1';

interface Client {
  readonly socket: WebSocket;
  matchers: Matcher[];
  dropped: number;
  /** Answered the last ping. */
  isAlive: boolean;
}

export class MetricStream {
  readonly #server = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: CLIENT_WORD_BYTES_MAX,
    // A client also offers its token as a protocol, which is never said back.
    handleProtocols: (offered) => (offered.has(PROTOCOL) ? PROTOCOL : false),
  });
  readonly #clients = new Set<Client>();
  #droppedTotal = 0;
  readonly #pings: NodeJS.Timeout;

  constructor() {
    this.#pings = setInterval(() => this.#ping(), PING_EVERY_MS).unref();
  }

  /** Takes a connection that has passed the gate. One too many is told so and cut. */
  accept(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    this.#server.handleUpgrade(request, socket, head, (accepted) => {
      if (this.#clients.size < CLIENTS_MAX) return this.#add(accepted);
      // Whatever it says while it is being closed is nobody's trouble.
      accepted.on('error', () => accepted.terminate());
      accepted.close(1013, `at most ${CLIENTS_MAX} clients`);
    });
  }

  /** Sends each client the points it asked for, as far as it takes them. */
  publish(points: readonly MetricPoint[]): void {
    if (this.#clients.size === 0) return;
    // The same text for everybody who wants it.
    const texts = new Map<MetricPoint, string>();
    for (const client of this.#clients) {
      if (client.matchers.length === 0 || client.socket.readyState !== WebSocket.OPEN) continue;
      for (const point of points) {
        if (!client.matchers.some((matches) => matches(point.metric, point.labels))) continue;
        if (client.socket.bufferedAmount > UNSENT_BYTES_MAX) {
          client.dropped += 1;
          this.#droppedTotal += 1;
          continue;
        }
        let text = texts.get(point);
        if (text === undefined) texts.set(point, (text = JSON.stringify(point)));
        client.socket.send(text);
      }
    }
  }

  series(): readonly ScalarSeries[] {
    return [
      { kind: 'gauge', name: 'stream_clients', labels: {}, value: this.#clients.size },
      { kind: 'counter', name: 'stream_points_dropped_total', labels: {}, value: this.#droppedTotal },
    ];
  }

  close(): void {
    clearInterval(this.#pings);
    for (const { socket } of this.#clients) socket.terminate();
    this.#clients.clear();
    this.#server.close();
  }

  #add(socket: WebSocket): void {
    const client: Client = { socket, matchers: [], dropped: 0, isAlive: true };
    this.#clients.add(client);
    socket.on('message', (data, isBinary) => {
      // A text frame arrives as one buffer.
      if (isBinary || !Buffer.isBuffer(data)) socket.close(1003, 'text only');
      else this.#listen(client, data.toString('utf8'));
    });
    socket.on('pong', () => (client.isAlive = true));
    socket.on('error', () => socket.terminate());
    socket.on('close', () => this.#clients.delete(client));
  }

  #listen(client: Client, text: string): void {
    try {
      const word = readClientWord(text);
      if (word.type === 'reset') client.matchers = [];
      else if (client.matchers.length >= SUBSCRIPTIONS_MAX)
        throw new SubscriptionRefused('subscriptions', `at most ${SUBSCRIPTIONS_MAX}`, client.matchers.length + 1);
      else client.matchers.push(matcherOf(word.subscription));
    } catch (error) {
      if (!(error instanceof SubscriptionRefused)) throw error;
      client.socket.send(JSON.stringify({ error: error.message }));
    }
  }

  #ping(): void {
    for (const client of this.#clients) {
      if (!client.isAlive) client.socket.terminate();
      client.isAlive = false;
      client.socket.ping();
    }
  }
}
