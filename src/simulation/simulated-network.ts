/**
 * The network between actors and simulated venues in virtual time: drawn latencies, losses and cuts. One per world; it outlives
 * the engine's restarts, as venues do. Single thread.
 */
import type { RandomStream, TraceRef } from '../runtime/actor.ts';
import type { PortsContext } from '../runtime/ports-context.ts';
import { randomStream } from '../runtime/random.ts';
import type {
  HttpAnswered,
  HttpFailed,
  HttpRequest,
  RequestRef,
  SocketMessage,
  SocketPort,
  SocketRef,
} from '../ports/ports.ts';
import type { SendingPort } from '../ports/shared-reads.ts';
import type { Instant } from '../venues/venue.ts';
import type { NetworkConditions } from './network-conditions.ts';
import { CALM_NETWORK, drawLatencyMs } from './network-conditions.ts';
import type { SimulatedVenue, VenueInput, VenueOutput } from './simulated-venue.ts';

/** What drives it: the virtual system's own functions. */
export interface NetworkScheduler {
  /** Virtual ms since the scheduler's start. */
  monotonicMs(): number;
  /** Runs `action` after `delayMs`; returns its cancel function. */
  schedule(delayMs: number, action: () => void): () => void;
}

export interface NetworkOptions {
  readonly seed: number;
  /** Calendar ms at world time 0, and calendar ms per ms. */
  readonly startAtMs: number;
  readonly scale: number;
}

const UNTRUSTED = 'CERT_HAS_EXPIRED: certificate has expired';

interface VenueNode {
  readonly host: string;
  readonly venue: SimulatedVenue;
  readonly random: RandomStream;
  conditions: NetworkConditions;
  cancelTick: (() => void) | undefined;
  tickAtMs: number;
}

interface Call {
  readonly node: VenueNode;
  readonly ref: RequestRef;
  /** Undefined once answered, failed or forgotten. */
  settle: ((message: HttpAnswered | HttpFailed) => void) | undefined;
}

/** A message under way on a connection. */
interface Transit {
  readonly arrivesAtMs: number;
  readonly arrive: () => void;
}

interface Link {
  readonly node: VenueNode;
  readonly socketId: number;
  readonly ref: SocketRef;
  /** Undefined once the client's side ended. */
  deliver: ((message: SocketMessage) => void) | undefined;
  isOpen: boolean;
  /** The venue has been told of the end, or ended it. */
  endedAtVenue: boolean;
  /** Bytes were lost on it: a connection that misses a part delivers nothing after it, until someone gives it up. */
  isSevered: boolean;
  /** Messages under way, in order: each arrival takes the oldest, so no draw can reorder a connection. */
  readonly up: Transit[];
  readonly down: Transit[];
}

export class SimulatedNetwork {
  readonly #options: NetworkOptions;
  readonly #nodes = new Map<string, VenueNode>();
  readonly #calls = new Map<number, Call>();
  readonly #links = new Map<number, Link>();
  /** Requests that have not arrived yet, by request id. */
  readonly #requests = new Map<number, Transit>();
  #scheduler: NetworkScheduler;
  /** World time at the scheduler's zero. */
  #offsetMs = 0;
  /** Actions of an engine that is gone must not run in the next one's time. */
  #era = 0;
  #lastId = 0;

  constructor(scheduler: NetworkScheduler, options: NetworkOptions) {
    this.#scheduler = scheduler;
    this.#options = options;
  }

  /** Both clocks of the world; they go on across engine restarts. */
  now(): Instant {
    const monotonicMs = this.#offsetMs + this.#scheduler.monotonicMs();
    return { monotonicMs, calendarMs: Math.floor(this.#options.startAtMs + monotonicMs * this.#options.scale) };
  }

  /** Puts a venue behind a host name, for example `lighter.test`, for `http:`, `https:`, `ws:` and `wss:` alike. */
  addVenue(host: string, venue: SimulatedVenue): void {
    if (this.#nodes.has(host))
      throw new RangeError(`a host of the simulated network is one venue's, ${host} was given twice`);
    const random = randomStream(this.#options.seed, `network/${host}`);
    const node: VenueNode = {
      host,
      venue,
      random,
      conditions: CALM_NETWORK,
      cancelTick: undefined,
      tickAtMs: Infinity,
    };
    this.#nodes.set(host, node);
    this.#handle(node, { type: 'tick' });
  }

  /** Changes what is named and keeps the rest. */
  setConditions(host: string, change: Partial<NetworkConditions>): void {
    const node = this.#node(host);
    node.conditions = { ...node.conditions, ...change };
  }

  /** Cuts every connection to a venue: both sides learn of it. Requests under way are reset. */
  cut(host: string): void {
    const node = this.#node(host);
    for (const link of this.#links.values()) if (link.node === node) this.#endBothSides(link, 'connection reset');
    for (const [requestId, call] of this.#calls) {
      if (call.node !== node) continue;
      this.#calls.delete(requestId);
      this.#requests.delete(requestId);
      call.settle?.({ type: 'http-failed', ref: call.ref, code: 'reset', detail: 'connection reset' });
    }
  }

  /** Hands an act to a venue (a fault, a forced trade) and carries out what follows from it. */
  poke(host: string, act: (venue: SimulatedVenue, at: Instant) => void): void {
    const node = this.#node(host);
    act(node.venue, this.#nowAt(node));
    this.#handle(node, { type: 'tick' });
  }

  /**
   * The engine's process died and starts again on a new scheduler. What it had sent still arrives at the venues; then its
   * connections end there. Nothing of it is answered. World time goes on where it was.
   */
  restart(scheduler: NetworkScheduler): void {
    const monotonicMs = this.now().monotonicMs;
    this.#era += 1;
    this.#scheduler = scheduler;
    this.#offsetMs = monotonicMs - scheduler.monotonicMs();
    this.#calls.clear();
    const requests = [...this.#requests];
    this.#requests.clear();
    for (const [requestId, transit] of requests) this.#travel(requestId, transit);
    for (const link of this.#links.values()) {
      link.deliver = undefined;
      link.isOpen = false;
      link.down.length = 0;
      for (const { arrivesAtMs, arrive } of link.up.splice(0))
        this.#inOrder(link.up, arrivesAtMs - monotonicMs, arrive);
      this.#inOrder(link.up, 0, () => this.#endAtVenue(link));
    }
    for (const node of this.#nodes.values()) {
      node.tickAtMs = Infinity;
      this.#handle(node, { type: 'tick' });
    }
  }

  /** Opens the HTTP door of one actor incarnation. `client` is the caller's address at the venues. */
  openHttp(
    client: string,
    deliver: (message: HttpAnswered | HttpFailed, cause: TraceRef) => void,
    calling: PortsContext['calling'] = () => 0,
  ): SendingPort {
    let lastRef = 0;
    let isDisposed = false;
    return {
      send: (request) => {
        lastRef += 1;
        const cause = calling('http-send', request.method);
        this.#send(client, lastRef, request, (message) => {
          if (!isDisposed) deliver(message, cause);
        });
        return lastRef;
      },
      dispose: () => {
        isDisposed = true;
      },
    };
  }

  /** Opens the socket door of one actor incarnation. Its sockets end with it. */
  openSocket(
    client: string,
    deliver: (message: SocketMessage) => void,
    calling: PortsContext['calling'] = () => 0,
  ): SocketPort & { dispose(): void } {
    const own = new Map<SocketRef, Link>();
    let lastRef = 0;
    let isDisposed = false;
    const tell = (message: SocketMessage): void => {
      if (message.type === 'socket-closed') own.delete(message.ref);
      if (!isDisposed) deliver(message);
    };
    return {
      open: (url, headers) => {
        lastRef += 1;
        const link = this.#open(client, lastRef, url, headers, tell);
        if (link !== undefined) own.set(lastRef, link);
        return lastRef;
      },
      send: (ref, text) => {
        const link = own.get(ref);
        if (link === undefined || !link.isOpen || link.deliver === undefined) return false;
        calling('socket-send');
        this.#upstream(link, { type: 'socket-text', socketId: link.socketId, text });
        return true;
      },
      terminate: (ref) => {
        const link = own.get(ref);
        if (link !== undefined) this.#endAtClient(link, 1006, 'cut by us');
      },
      dispose: () => {
        isDisposed = true;
        for (const link of own.values()) this.#endAtClient(link, 1006, 'disposed');
      },
    };
  }

  // HTTP.

  #send(
    client: string,
    ref: RequestRef,
    request: HttpRequest,
    deliver: (message: HttpAnswered | HttpFailed) => void,
  ): void {
    const url = new URL(request.url);
    const node = this.#nodes.get(url.hostname);
    if (node === undefined || node.conditions.refuses) {
      const detail = node === undefined ? `no such host ${url.hostname}` : 'connection refused';
      this.#after(1, () => deliver({ type: 'http-failed', ref, code: 'refused', detail }));
      return;
    }
    if (node.conditions.untrusted) {
      this.#after(1, () => deliver({ type: 'http-failed', ref, code: 'untrusted', detail: UNTRUSTED }));
      return;
    }
    const { random, conditions } = node;
    const isLost = random.nextFraction() < conditions.requestLossChance || conditions.blackHole;
    const latencyMs = drawLatencyMs(conditions, random);
    const requestId = this.#nextId();
    const call: Call = { node, ref, settle: undefined };
    const cancelDeadline = this.#after(request.timeoutMs, () => {
      call.settle?.({
        type: 'http-failed',
        ref,
        code: 'timeout',
        detail: `no complete answer in ${request.timeoutMs} ms`,
      });
    });
    call.settle = (message) => {
      call.settle = undefined;
      cancelDeadline();
      deliver(message);
    };
    if (isLost) return;
    this.#calls.set(requestId, call);
    const input: VenueInput = {
      type: 'http-request',
      requestId,
      remote: client,
      method: request.method,
      path: url.pathname + url.search,
      headers: { host: url.host, ...lowerCaseNames(request.headers) },
      body: request.body ?? '',
    };
    // A deadline that passes meanwhile does not call the request back.
    const arrivesAtMs = this.now().monotonicMs + latencyMs;
    this.#travel(requestId, { arrivesAtMs, arrive: () => this.#handle(node, input) });
  }

  #travel(requestId: number, transit: Transit): void {
    this.#requests.set(requestId, transit);
    this.#after(Math.max(0, transit.arrivesAtMs - this.now().monotonicMs), () => {
      if (this.#requests.delete(requestId)) transit.arrive();
    });
  }

  #answer(node: VenueNode, answer: Extract<VenueOutput, { type: 'http-answer' }>): void {
    const call = this.#calls.get(answer.requestId);
    this.#calls.delete(answer.requestId);
    if (call === undefined) return;
    const { random, conditions } = node;
    const isLost = random.nextFraction() < conditions.answerLossChance;
    const isReset = random.nextFraction() < 0.5;
    const latencyMs = drawLatencyMs(conditions, random);
    if (conditions.blackHole || (isLost && !isReset)) return;
    const { status, headers, body } = answer;
    this.#after(latencyMs, () => {
      const { ref } = call;
      if (isLost)
        call.settle?.({ type: 'http-failed', ref, code: 'reset', detail: 'connection reset before the answer' });
      else call.settle?.({ type: 'http-answered', ref, status, headers: lowerCaseNames(headers), body });
    });
  }

  #reset(node: VenueNode, requestId: number): void {
    const call = this.#calls.get(requestId);
    this.#calls.delete(requestId);
    if (call === undefined || node.conditions.blackHole) return;
    const { ref } = call;
    this.#after(drawLatencyMs(node.conditions, node.random), () =>
      call.settle?.({ type: 'http-failed', ref, code: 'reset', detail: 'connection reset before the answer' }),
    );
  }

  // Sockets.

  #open(
    client: string,
    ref: SocketRef,
    address: string,
    headers: Readonly<Record<string, string>>,
    deliver: (message: SocketMessage) => void,
  ): Link | undefined {
    const url = new URL(address);
    const node = this.#nodes.get(url.hostname);
    if (node === undefined || node.conditions.refuses) {
      const detail = node === undefined ? `no such host ${url.hostname}` : 'connection refused';
      this.#after(1, () => deliver({ type: 'socket-closed', ref, code: 1006, detail }));
      return undefined;
    }
    if (node.conditions.untrusted) {
      this.#after(1, () => deliver({ type: 'socket-closed', ref, code: 1006, detail: UNTRUSTED, isUntrusted: true }));
      return undefined;
    }
    const socketId = this.#nextId();
    const link: Link = {
      node,
      socketId,
      ref,
      deliver,
      isOpen: false,
      endedAtVenue: false,
      isSevered: false,
      up: [],
      down: [],
    };
    this.#links.set(socketId, link);
    const path = url.pathname + url.search;
    this.#upstream(link, {
      type: 'socket-requested',
      socketId,
      remote: client,
      path,
      headers: { host: url.host, ...lowerCaseNames(headers) },
    });
    return link;
  }

  #upstream(link: Link, input: VenueInput): void {
    const { node } = link;
    const latencyMs = drawLatencyMs(node.conditions, node.random);
    if (this.#isSevered(link)) return;
    this.#inOrder(link.up, latencyMs, () => {
      if (!link.endedAtVenue) this.#handle(node, input);
    });
  }

  #downstream(link: Link, message: () => SocketMessage): void {
    const { node } = link;
    const latencyMs = drawLatencyMs(node.conditions, node.random);
    if (this.#isSevered(link)) return;
    this.#inOrder(link.down, latencyMs, () => {
      const told = message();
      if (told.type === 'socket-opened') link.isOpen = true;
      const { deliver } = link;
      if (told.type === 'socket-closed') {
        link.isOpen = false;
        link.deliver = undefined;
        this.#forgetEnded(link);
      }
      deliver?.(told);
    });
  }

  #isSevered(link: Link): boolean {
    link.isSevered ||= link.node.conditions.blackHole;
    return link.isSevered;
  }

  /** Schedules an arrival, never before an older one's of the same queue. */
  #inOrder(queue: Transit[], latencyMs: number, arrive: () => void): void {
    const nowMs = this.now().monotonicMs;
    const arrivesAtMs = Math.max(queue[queue.length - 1]?.arrivesAtMs ?? 0, nowMs + latencyMs);
    queue.push({ arrivesAtMs, arrive });
    this.#after(arrivesAtMs - nowMs, () => queue.shift()?.arrive());
  }

  /** The client lets go: it is told at once, the venue after a latency. */
  #endAtClient(link: Link, code: number, detail: string): void {
    const { deliver, ref } = link;
    if (deliver === undefined) return;
    link.isOpen = false;
    link.deliver = undefined;
    this.#after(0, () => deliver({ type: 'socket-closed', ref, code, detail }));
    const latencyMs = drawLatencyMs(link.node.conditions, link.node.random);
    this.#after(latencyMs, () => this.#endAtVenue(link));
  }

  #endAtVenue(link: Link): void {
    if (!link.endedAtVenue) {
      link.endedAtVenue = true;
      this.#handle(link.node, { type: 'socket-closed', socketId: link.socketId });
    }
    this.#forgetEnded(link);
  }

  #endBothSides(link: Link, detail: string): void {
    link.down.length = 0;
    const { deliver, ref } = link;
    link.isOpen = false;
    link.deliver = undefined;
    if (deliver !== undefined) this.#after(0, () => deliver({ type: 'socket-closed', ref, code: 1006, detail }));
    this.#endAtVenue(link);
  }

  #forgetEnded(link: Link): void {
    if (link.endedAtVenue && link.deliver === undefined) this.#links.delete(link.socketId);
  }

  // Venues.

  #nowAt(node: VenueNode): Instant {
    const { monotonicMs, calendarMs } = this.now();
    return { monotonicMs, calendarMs: calendarMs + Math.round(node.conditions.clockAheadMs * this.#options.scale) };
  }

  #handle(node: VenueNode, input: VenueInput): void {
    for (const output of node.venue.handle(input, this.#nowAt(node))) this.#carryOut(node, output);
    const wakeMs = node.venue.nextWakeMs();
    if (wakeMs === node.tickAtMs) return;
    node.cancelTick?.();
    node.tickAtMs = wakeMs;
    node.cancelTick = Number.isFinite(wakeMs)
      ? this.#after(Math.max(0, wakeMs - this.now().monotonicMs), () => {
          node.tickAtMs = Infinity;
          this.#handle(node, { type: 'tick' });
        })
      : undefined;
  }

  #carryOut(node: VenueNode, output: VenueOutput): void {
    if (output.type === 'http-answer') return this.#answer(node, output);
    if (output.type === 'http-reset') return this.#reset(node, output.requestId);
    const link = this.#links.get(output.socketId);
    if (link === undefined) return;
    const { ref, socketId } = link;
    switch (output.type) {
      case 'socket-accept':
        return this.#downstream(link, () => ({ type: 'socket-opened', ref }));
      case 'socket-text': {
        const { text } = output;
        return this.#downstream(link, () => {
          return { type: 'socket-frame', ref, text, receivedAtMonotonicMs: this.#scheduler.monotonicMs() };
        });
      }
      case 'socket-ping':
        return this.#downstream(link, () => {
          if (link.deliver !== undefined) this.#upstream(link, { type: 'socket-pong', socketId });
          return { type: 'socket-heartbeat', ref };
        });
      case 'socket-close': {
        const { code, reason } = output;
        link.endedAtVenue = true;
        return this.#downstream(link, () => ({ type: 'socket-closed', ref, code, detail: reason }));
      }
      case 'socket-refuse': {
        const { status, body } = output;
        link.endedAtVenue = true;
        return this.#downstream(link, () => {
          return { type: 'socket-closed', ref, code: status, detail: `handshake answered ${status} ${body}`.trim() };
        });
      }
    }
  }

  /** Schedules on the engine's present scheduler; nothing of an earlier engine runs later. */
  #after(delayMs: number, action: () => void): () => void {
    const era = this.#era;
    return this.#scheduler.schedule(delayMs, () => {
      if (era === this.#era) action();
    });
  }

  #nextId(): number {
    this.#lastId += 1;
    return this.#lastId;
  }

  #node(host: string): VenueNode {
    const node = this.#nodes.get(host);
    if (node === undefined)
      throw new RangeError(`a host must be one of ${[...this.#nodes.keys()].join(', ')}, was ${host}`);
    return node;
  }
}

function lowerCaseNames(headers: Readonly<Record<string, string>>): Record<string, string> {
  const lowered: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) lowered[name.toLowerCase()] = value;
  return lowered;
}
