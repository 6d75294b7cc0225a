/** Asks one venue as a connector would, from outside an engine: requests to their last page, sockets until they say something. Main thread. */
import { openHttpPort } from '../../ports/live/http-port.ts';
import { openSocketPort } from '../../ports/live/socket-port.ts';
import type { HttpAnswered, HttpFailed, HttpRequest, SocketMessage } from '../../ports/ports.ts';
import type { Instant, Operation, VenueEvent, VenueStream } from '../../venues/venue.ts';

const PAGES_MAX = 50;
const TICK_MS = 250;

/** No answer came: `failure` says how. */
export class NoAnswer extends Error {
  readonly failure: HttpFailed;
  constructor(operation: string, failure: HttpFailed) {
    super(`${operation} got no answer (${failure.code}): ${failure.detail}`);
    this.name = 'NoAnswer';
    this.failure = failure;
  }
}

/** Both clocks at the sending and the answering of a request. */
export interface RoundTrip {
  readonly sentAt: Instant;
  readonly answeredAt: Instant;
  readonly events: readonly VenueEvent[];
}

/** What the sockets brought until they were ready or time was up. */
export interface StreamReport {
  readonly isPrivateReady: boolean;
  readonly booked: ReadonlySet<string>;
  /** Closings and refusals, in the venue's words. */
  readonly complaints: readonly string[];
  readonly isUntrusted: boolean;
}

export class VenueProbe {
  readonly #now: () => Instant;
  readonly #waiting = new Map<number, (answer: HttpAnswered | HttpFailed) => void>();
  readonly #http = openHttpPort((answer) => {
    this.#waiting.get(answer.ref)?.(answer);
    this.#waiting.delete(answer.ref);
  });

  constructor(now: () => Instant) {
    this.#now = now;
  }

  /** Carries out a question and its pages. Throws NoAnswer, VenueError or MalformedPayload. */
  async ask(question: Operation): Promise<RoundTrip> {
    const sentAt = this.#now();
    const events: VenueEvent[] = [];
    let operation: Operation | undefined = question;
    for (let page = 0; operation !== undefined && page < PAGES_MAX; page++) {
      const answer = await this.#send(operation.requestAt?.(this.#now()) ?? operation.request);
      if (answer.type === 'http-failed') throw new NoAnswer(operation.name, answer);
      const result = operation.parse(answer, this.#now());
      events.push(...result.events);
      operation = result.next;
    }
    return { sentAt, answeredAt: this.#now(), events };
  }

  #send(request: HttpRequest): Promise<HttpAnswered | HttpFailed> {
    return new Promise((resolve) => this.#waiting.set(this.#http.send(request), resolve));
  }

  /** Opens what the stream wants for these symbols, and waits for the account's readiness and a book of each. */
  async listen(stream: VenueStream, symbols: readonly string[], withinMs: number): Promise<StreamReport> {
    const keys = new Map<number, string>();
    const complaints: string[] = [];
    const booked = new Set<string>();
    let [isPrivateReady, isUntrusted] = [false, false];
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const heard = (events: readonly VenueEvent[]): void => {
      for (const event of events) {
        if (event.type === 'private-stream-ready') isPrivateReady = true;
        if (event.type === 'venue-error') complaints.push(`${event.code}: ${event.reason}`);
        if (event.type === 'malformed-frame') complaints.push(event.detail);
      }
      for (const symbol of symbols) if (stream.book(symbol) !== undefined) booked.add(symbol);
      if (isPrivateReady && booked.size === symbols.length) resolve(undefined);
    };
    const carryOut = ({ events, send }: ReturnType<VenueStream['tick']>): void => {
      for (const { socketKey, text } of send)
        for (const [ref, key] of keys) if (key === socketKey) sockets.send(ref, text);
      heard(events);
    };
    const deliver = (message: SocketMessage): void => {
      const key = keys.get(message.ref);
      if (key === undefined) return;
      if (message.type === 'socket-opened') carryOut(stream.opened(key, this.#now()));
      if (message.type === 'socket-frame') carryOut(stream.frame(key, message.text, this.#now()));
      if (message.type === 'socket-closed') {
        isUntrusted ||= message.isUntrusted === true;
        complaints.push(`${key} closed (${message.code}) ${message.detail}`.trim());
        stream.closed(key, this.#now());
        // A connection that is refused will be refused again: nothing is gained by waiting for it.
        if (stream.isPrivate(key)) resolve(undefined);
      }
    };
    const sockets = openSocketPort(deliver, () => this.#now().monotonicMs);
    for (const { key, url, headers } of stream.plan(symbols)) keys.set(sockets.open(url, headers), key);
    const ticks = setInterval(() => carryOut(stream.tick(this.#now())), TICK_MS);
    const deadline = setTimeout(() => resolve(undefined), withinMs);
    await promise;
    clearInterval(ticks);
    clearTimeout(deadline);
    sockets.dispose();
    return { isPrivateReady, booked, complaints, isUntrusted };
  }

  close(): void {
    this.#http.dispose();
  }
}
