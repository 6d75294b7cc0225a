/** Notes what a connector's doors bring while it uses them as always. Pure beside its sink; connector threads. */
import type {
  ConnectorPorts,
  HttpMessage,
  HttpPort,
  RequestRef,
  SocketMessage,
  SocketPort,
  SocketRef,
} from '../ports/ports.ts';
import { addressOf, keptHeaders, questionOf } from './format.ts';
import type { RecordingEntry } from './format.ts';

interface Asked {
  readonly question: string;
  readonly atMs: number;
}

/** Requests under way that are remembered; an answer to a forgotten one is not kept. */
const ASKED_MAX = 1_000;
const SAVED_MS_DECIMALS = 1_000;
const SECRET_CHARACTERS_MIN = 8;
/** Tokens a venue hands out open the account as the key does. */
const GRANTED_TOKEN = /("(?:access_token|refresh_token|listenKey|token)":")[^"]+"/g;

/** Stands between the doors of one actor and their messages. */
export class Recorder {
  readonly #note: (entry: RecordingEntry) => void;
  readonly #clean: (text: string) => string;
  readonly #nowMs: () => number;
  readonly #startMs: number;
  readonly #asked = new Map<RequestRef, Asked>();
  readonly #connections = new Map<SocketRef, number>();
  #connectionCount = 0;

  /** `secrets`: what the venue may say back and must not be kept. */
  constructor(note: (entry: RecordingEntry) => void, nowMs: () => number, secrets: readonly string[] = []) {
    const hidden = secrets.filter((secret) => secret.length >= SECRET_CHARACTERS_MIN);
    this.#clean = (text) =>
      hidden.reduce(
        (cleaned, secret) => cleaned.replaceAll(secret, 'secret'),
        text.replace(GRANTED_TOKEN, '$1secret"'),
      );
    this.#note = note;
    this.#nowMs = nowMs;
    this.#startMs = nowMs();
  }

  /** The same doors, listened at. */
  tapped<Ports extends Pick<ConnectorPorts, 'http' | 'socket'>>({
    http,
    socket,
  }: Ports): {
    readonly http: HttpPort;
    readonly socket: SocketPort;
  } {
    return {
      http: {
        ...http,
        send: (request, endpoint) => {
          const ref = http.send(request, endpoint);
          this.#asked.set(ref, {
            question: questionOf(request.method, request.url, request.body ?? ''),
            atMs: this.#nowMs(),
          });
          const [oldest] = this.#asked.keys();
          if (this.#asked.size > ASKED_MAX && oldest !== undefined) this.#asked.delete(oldest);
          return ref;
        },
      },
      socket: {
        open: (url, headers) => {
          const ref = socket.open(url, headers);
          this.#connectionCount += 1;
          this.#connections.set(ref, this.#connectionCount);
          this.#note({ t: this.#t(), k: 'opening', s: this.#connectionCount, url: addressOf(url) });
          return ref;
        },
        send: (ref, text) => socket.send(ref, text),
        terminate: (ref) => socket.terminate(ref),
      },
    };
  }

  /** Hears every message on its way to the actor. */
  heard(message: HttpMessage | SocketMessage): void {
    if (message.type === 'http-answered') this.#answered(message);
    else if (message.type === 'http-failed') this.#asked.delete(message.ref);
    else this.#socket(message);
  }

  #answered({ ref, status, headers, body }: Extract<HttpMessage, { type: 'http-answered' }>): void {
    const asked = this.#asked.get(ref);
    this.#asked.delete(ref);
    if (asked === undefined) return;
    const ms = rounded(this.#nowMs() - asked.atMs);
    this.#note({
      t: this.#t(),
      k: 'answer',
      q: asked.question,
      ms,
      status,
      headers: keptHeaders(headers),
      body: this.#clean(body),
    });
  }

  #socket(message: SocketMessage): void {
    const s = this.#connections.get(message.ref);
    if (s === undefined) return;
    const t = this.#t();
    switch (message.type) {
      case 'socket-opened':
        return this.#note({ t, k: 'opened', s });
      case 'socket-frame':
        return this.#note({ t, k: 'frame', s, x: this.#clean(message.text) });
      case 'socket-heartbeat':
        return this.#note({ t, k: 'heartbeat', s });
      case 'socket-closed':
        this.#connections.delete(message.ref);
        return this.#note({ t, k: 'closed', s, code: message.code, why: message.detail });
    }
  }

  #t(): number {
    return rounded(this.#nowMs() - this.#startMs);
  }
}

function rounded(ms: number): number {
  return Math.round(ms * SAVED_MS_DECIMALS) / SAVED_MS_DECIMALS;
}
