/** Hosts a simulated venue on loopback: HTTP and WebSocket in, the venue's outputs out, ticks on time. Hosting threads only. */
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocket, WebSocketServer } from 'ws';
import type { Instant } from '../../venues/venue.ts';
import type { SimulatedVenue, VenueInput, VenueOutput } from '../simulated-venue.ts';

const HOST = '127.0.0.1';
const HEADER_BYTES_MAX = 16 * 1024;
const BODY_BYTES_MAX = 64 * 1024;
const FRAME_BYTES_MAX = 64 * 1024;
const CONNECTIONS_MAX = 256;
/** A client that reads this much too slowly is cut. */
const UNSENT_BYTES_MAX = 8 * 1024 * 1024;
const TICK_WAIT_MS_MAX = 60_000;

export interface VenueServerOptions {
  readonly venue: SimulatedVenue;
  /** 0 takes any free one. */
  readonly port: number;
  readonly now: () => Instant;
  /** Called after each act, before anybody hears of it: what must outlive the process is written here. */
  readonly keep?: (at: Instant) => void;
}

export interface VenueServer {
  readonly port: number;
  /** `http://127.0.0.1:port`, without a slash at the end. */
  readonly url: string;
  /** `ws://127.0.0.1:port`. */
  readonly streamUrl: string;
  /** Hands an act to the venue (a fault, a forced trade) and carries its outputs out at once. */
  poke(act: (venue: SimulatedVenue) => void): void;
  /** Cuts every connection; settles when the port is free. */
  close(): Promise<void>;
}

/** Settles once the port is open; rejects when it is taken. A venue that throws takes its thread down: its state is unknown. */
export function startVenueServer(options: VenueServerOptions): Promise<VenueServer> {
  const host = new VenueHost(options);
  return host.listen(options.port);
}

/** A WebSocket handshake the venue has not answered yet. */
interface Knock {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  readonly head: Buffer;
}

class VenueHost {
  readonly #venue: SimulatedVenue;
  readonly #now: () => Instant;
  readonly #keep: ((at: Instant) => void) | undefined;
  readonly #http = createServer({ maxHeaderSize: HEADER_BYTES_MAX }, (request, response) =>
    this.#request(request, response),
  );
  readonly #handshakes = new WebSocketServer({ noServer: true, perMessageDeflate: false, maxPayload: FRAME_BYTES_MAX });
  readonly #responses = new Map<number, ServerResponse>();
  readonly #knocks = new Map<number, Knock>();
  readonly #sockets = new Map<number, WebSocket>();
  #lastId = 0;
  #tick: NodeJS.Timeout | undefined;
  #closing = false;

  constructor({ venue, now, keep }: VenueServerOptions) {
    this.#venue = venue;
    this.#now = now;
    this.#keep = keep;
    this.#http.maxConnections = CONNECTIONS_MAX;
    this.#http.on('upgrade', (request, socket, head) => this.#knock({ request, socket, head }));
  }

  listen(port: number): Promise<VenueServer> {
    return new Promise((resolve, reject) => {
      const refuse = (cause: Error): void =>
        reject(
          new Error(
            `the simulated venue ${this.#venue.venue} cannot listen on ${HOST} port ${port}: ${cause.message}`,
            {
              cause,
            },
          ),
        );
      this.#http.once('error', refuse);
      this.#http.listen(port, HOST, () => {
        this.#http.off('error', refuse);
        const address = this.#http.address();
        if (address === null || typeof address === 'string') throw new Error(`${HOST} must give a port`);
        this.#handle({ type: 'tick' });
        resolve({
          port: address.port,
          url: `http://${HOST}:${address.port}`,
          streamUrl: `ws://${HOST}:${address.port}`,
          poke: (act) => {
            act(this.#venue);
            this.#handle({ type: 'tick' });
          },
          close: () => this.#close(),
        });
      });
    });
  }

  #handle(input: VenueInput): void {
    if (this.#closing) return;
    const at = this.#now();
    const outputs = this.#venue.handle(input, at);
    this.#keep?.(at);
    for (const output of outputs) this.#carryOut(output);
    const waitMs = Math.ceil(this.#venue.nextWakeMs() - this.#now().monotonicMs);
    clearTimeout(this.#tick);
    this.#tick = setTimeout(() => this.#handle({ type: 'tick' }), Math.min(TICK_WAIT_MS_MAX, Math.max(1, waitMs)));
  }

  #carryOut(output: VenueOutput): void {
    switch (output.type) {
      case 'http-answer': {
        const response = this.#responses.get(output.requestId);
        this.#responses.delete(output.requestId);
        response?.writeHead(output.status, output.headers).end(output.body);
        return;
      }
      case 'http-reset':
        this.#responses.get(output.requestId)?.destroy();
        this.#responses.delete(output.requestId);
        return;
      case 'socket-accept':
        return this.#accept(output.socketId);
      case 'socket-refuse':
        return this.#refuse(output.socketId, output.status, output.body);
      case 'socket-text':
        return this.#sendText(output.socketId, output.text);
      case 'socket-ping':
        this.#sockets.get(output.socketId)?.ping();
        return;
      case 'socket-close': {
        // The venue knows; it is not told of this end again.
        const socket = this.#sockets.get(output.socketId);
        this.#sockets.delete(output.socketId);
        // A connection that just breaks off: no frame can say so.
        if (output.code === 1006) socket?.terminate();
        else socket?.close(output.code, output.reason);
        return;
      }
    }
  }

  #request(request: IncomingMessage, response: ServerResponse): void {
    const requestId = this.#nextId();
    const chunks: Buffer[] = [];
    let length = 0;
    request.on('data', (chunk: Buffer) => {
      length += chunk.length;
      if (length <= BODY_BYTES_MAX) chunks.push(chunk);
    });
    request.on('end', () => {
      if (length > BODY_BYTES_MAX) {
        response.writeHead(413).end();
        return;
      }
      this.#responses.set(requestId, response);
      this.#handle({
        type: 'http-request',
        requestId,
        remote: remoteOf(request),
        method: request.method ?? 'GET',
        path: request.url ?? '/',
        headers: headersOf(request),
        body: Buffer.concat(chunks).toString('utf8'),
      });
    });
    response.on('close', () => this.#responses.delete(requestId));
  }

  #knock(knock: Knock): void {
    const socketId = this.#nextId();
    this.#knocks.set(socketId, knock);
    knock.socket.on('error', () => knock.socket.destroy());
    const { request } = knock;
    const headers = headersOf(request);
    this.#handle({ type: 'socket-requested', socketId, remote: remoteOf(request), path: request.url ?? '/', headers });
  }

  #accept(socketId: number): void {
    const knock = this.#knocks.get(socketId);
    this.#knocks.delete(socketId);
    if (knock === undefined) return;
    this.#handshakes.handleUpgrade(knock.request, knock.socket, knock.head, (socket) => {
      this.#sockets.set(socketId, socket);
      socket.on('message', (data, isBinary) => {
        if (isBinary) socket.close(1003, 'text only');
        else if (this.#sockets.has(socketId)) this.#handle({ type: 'socket-text', socketId, text: data.toString() });
      });
      socket.on('ping', () => this.#handle({ type: 'socket-ping', socketId }));
      socket.on('pong', () => this.#handle({ type: 'socket-pong', socketId }));
      socket.on('error', () => socket.terminate());
      socket.on('close', () => {
        if (this.#sockets.delete(socketId)) this.#handle({ type: 'socket-closed', socketId });
      });
    });
  }

  #refuse(socketId: number, status: number, body: string): void {
    const knock = this.#knocks.get(socketId);
    this.#knocks.delete(socketId);
    const bytes = Buffer.byteLength(body);
    knock?.socket.end(`HTTP/1.1 ${status} Refused\r\nConnection: close\r\nContent-Length: ${bytes}\r\n\r\n${body}`);
  }

  #sendText(socketId: number, text: string): void {
    const socket = this.#sockets.get(socketId);
    if (socket === undefined || socket.readyState !== WebSocket.OPEN) return;
    if (socket.bufferedAmount > UNSENT_BYTES_MAX) socket.terminate();
    else socket.send(text);
  }

  #nextId(): number {
    this.#lastId += 1;
    return this.#lastId;
  }

  #close(): Promise<void> {
    this.#closing = true;
    clearTimeout(this.#tick);
    for (const socket of this.#sockets.values()) socket.terminate();
    for (const { socket } of this.#knocks.values()) socket.destroy();
    this.#http.closeAllConnections();
    return new Promise((resolve) => this.#http.close(() => resolve()));
  }
}

function remoteOf(request: IncomingMessage): string {
  return request.socket.remoteAddress ?? HOST;
}

function headersOf(request: IncomingMessage): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(request.headers)) {
    if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(', ') : value;
  }
  return headers;
}
