/**
 * Answers of reads that may serve more than one asker: identical reads under way are asked once, recent answers are kept for a while.
 * One per thread, shared by its connectors and their incarnations; the same code on sockets and in virtual time.
 *
 * An answer's age counts from when its request left, so whoever asks for reads that left after some moment never learns less than a
 * read of its own at that moment would have said. Only answers with status 200 are kept.
 */
import { LRUCache } from 'lru-cache';
import type { TraceRef } from '../runtime/actor.ts';
import type { Counter, Metrics } from '../runtime/metrics.ts';
import type {
  HttpAnswered,
  HttpFailed,
  HttpPort,
  HttpRequest,
  ReadSource,
  ReadStatistics,
  RequestRef,
  SharedRead,
} from './ports.ts';

/** How long an answer is kept at most, monotonic ms; askers may want younger ones. */
export const KEPT_MS: Readonly<Record<ReadSource, number>> = {
  metadata: 600_000,
  balances: 15_000,
  positions: 10_000,
  tickers: 5_000,
};
/** Answers kept per source, and characters of all their bodies: a list of instruments has some hundred thousand. */
const ENTRIES_MAX = 500;
const CHARACTERS_MAX = 16 * 1024 * 1024;

type Deliver = (message: HttpAnswered | HttpFailed, cause?: TraceRef) => void;
type Answer = Omit<HttpAnswered, 'ref'>;
type Failure = Omit<HttpFailed, 'ref'>;

interface Kept {
  readonly sentAtMs: number;
  readonly answer: Answer;
}
/** A read under way and who waits for it. */
interface Flight {
  readonly source: ReadSource;
  readonly sentAtMs: number;
  readonly waiting: ((outcome: Answer | Failure, sentAtMs: number) => void)[];
  /** What it reads changed after it left: those who wait get it, nobody else does. */
  isStale: boolean;
}

interface Shelf {
  readonly kept: LRUCache<string, Kept>;
  isEnabled: boolean;
  hits: number;
  shared: number;
  misses: number;
  invalidations: number;
  fallbacks: number;
}

export class SharedReads {
  readonly #shelves: Readonly<Record<ReadSource, Shelf>>;
  readonly #flights = new Map<string, Flight>();

  constructor() {
    this.#shelves = { metadata: newShelf(), balances: newShelf(), positions: newShelf(), tickers: newShelf() };
  }

  /** Off: every read goes out by itself. What is kept is forgotten. */
  setEnabled(source: ReadSource, isEnabled: boolean): void {
    const shelf = this.#shelves[source];
    shelf.isEnabled = isEnabled;
    if (!isEnabled) shelf.kept.clear();
  }

  isEnabled(source: ReadSource): boolean {
    return this.#shelves[source].isEnabled;
  }

  /** What these keys read has changed. `prefix` is what they begin with. */
  invalidate(source: ReadSource, prefix: string): void {
    const shelf = this.#shelves[source];
    for (const key of [...shelf.kept.keys()]) {
      if (!key.startsWith(prefix)) continue;
      shelf.kept.delete(key);
      shelf.invalidations += 1;
    }
    for (const [key, flight] of this.#flights) {
      if (flight.source === source && key.startsWith(prefix)) flight.isStale = true;
    }
  }

  statistics(): Readonly<Record<ReadSource, ReadStatistics>> {
    const of = (source: ReadSource): ReadStatistics => {
      const { kept, hits, shared, misses, invalidations, fallbacks, isEnabled } = this.#shelves[source];
      return { isEnabled, hits, shared, misses, invalidations, fallbacks, entries: kept.size };
    };
    return { metadata: of('metadata'), balances: of('balances'), positions: of('positions'), tickers: of('tickers') };
  }

  /** Returns how a read would be served without a request of its own, and counts nothing. */
  find({ source, key, sinceMs }: SharedRead, nowMs: number): Kept | Flight | undefined {
    const shelf = this.#shelves[source];
    if (!shelf.isEnabled) return undefined;
    const kept = shelf.kept.peek(key);
    if (kept !== undefined && kept.sentAtMs >= sinceMs && nowMs - kept.sentAtMs <= KEPT_MS[source]) return kept;
    const flight = this.#flights.get(key);
    return flight !== undefined && !flight.isStale && flight.sentAtMs >= sinceMs ? flight : undefined;
  }

  /** Serves a read from here, or returns false: then the asker sends it and tells how it ends through `landed`. */
  serve(
    read: SharedRead,
    nowMs: number,
    answer: (outcome: Answer | Failure, sentAtMs: number) => void,
    later: (action: () => void) => void,
  ): boolean {
    const shelf = this.#shelves[read.source];
    const found = this.find(read, nowMs);
    if (found === undefined) {
      shelf.misses += 1;
      if (shelf.isEnabled && !this.#flights.has(read.key))
        this.#flights.set(read.key, { source: read.source, sentAtMs: nowMs, waiting: [], isStale: false });
      return false;
    }
    if ('waiting' in found) {
      shelf.shared += 1;
      found.waiting.push(answer);
      return true;
    }
    shelf.hits += 1;
    shelf.kept.get(read.key);
    later(() => answer(found.answer, found.sentAtMs));
    return true;
  }

  /** A read that was sent has ended; `sentAtMs` tells it from another of the same key. */
  landed(read: SharedRead, sentAtMs: number, outcome: Answer | Failure): void {
    const flight = this.#flights.get(read.key);
    if (flight === undefined || flight.sentAtMs !== sentAtMs) return;
    this.#flights.delete(read.key);
    const shelf = this.#shelves[read.source];
    if (shelf.isEnabled && !flight.isStale && outcome.type === 'http-answered' && outcome.status === 200)
      shelf.kept.set(read.key, { sentAtMs, answer: outcome });
    for (const answer of flight.waiting) answer(outcome, sentAtMs);
  }

  /** A defect in here must not stop anybody from reading: that source goes without from now on. */
  fallBack(source: ReadSource): void {
    this.#shelves[source].fallbacks += 1;
    this.setEnabled(source, false);
  }
}

function newShelf(): Shelf {
  const kept = new LRUCache<string, Kept>({
    max: ENTRIES_MAX,
    maxSize: CHARACTERS_MAX,
    sizeCalculation: ({ answer }) => answer.body.length + 1,
  });
  return { kept, isEnabled: true, hits: 0, shared: 0, misses: 0, invalidations: 0, fallbacks: 0 };
}

export interface SharingOptions {
  readonly reads: SharedReads;
  readonly deliver: Deliver;
  readonly calling: (door: string, detail?: string) => TraceRef;
  readonly metrics: Metrics;
  readonly monotonicMs: () => number;
  /** Runs something on a later turn. */
  readonly later: (action: () => void) => void;
  /** The connections behind it. */
  readonly pools: Pick<HttpPort, 'health' | 'setProfile' | 'setBurst'>;
  /** Opens the door that really sends. */
  readonly open: (deliver: Deliver) => SendingPort;
}

/** What only sends. */
export interface SendingPort {
  /** As HttpPort.send. */
  send(request: HttpRequest, endpoint?: string): RequestRef;
  dispose(): void;
}

/** Puts the shared reads in front of a door. `dispose` leaves the answers kept for others, and fails who waited for this asker. */
export function sharingHttpPort(options: SharingOptions): HttpPort & { dispose(): void } {
  const { reads, deliver } = options;
  /** By the inner door's number: ours, and what is read. */
  const sent = new Map<
    RequestRef,
    { readonly ref: RequestRef; readonly read?: SharedRead; readonly sentAtMs: number }
  >();
  let lastRef = 0;
  let isDisposed = false;
  const inner = options.open((message, cause) => {
    const request = sent.get(message.ref);
    sent.delete(message.ref);
    if (request === undefined) return;
    if (request.read !== undefined) land(request.read, request.sentAtMs, withoutRef(message));
    deliver({ ...message, ref: request.ref }, cause);
  });

  /** Asked for once and kept: see Metrics. */
  const counters = new Map<string, Counter>();
  function counterOf(name: 'cache_hits_total' | 'cache_misses_total', { source }: SharedRead): Counter {
    const key = `${name} ${source}`;
    const counter = counters.get(key) ?? options.metrics.counter(name, { cache: source });
    counters.set(key, counter);
    return counter;
  }

  function land(read: SharedRead, sentAtMs: number, outcome: Answer | Failure): void {
    guarded(read.source, () => reads.landed(read, sentAtMs, outcome), undefined);
  }

  function guarded<Result>(source: ReadSource, action: () => Result, otherwise: Result): Result {
    try {
      return action();
    } catch {
      reads.fallBack(source);
      return otherwise;
    }
  }

  return {
    send(request, endpoint) {
      lastRef += 1;
      const ref = lastRef;
      const { read } = request;
      const nowMs = options.monotonicMs();
      if (read !== undefined) {
        const cause = options.calling('http-share', read.source);
        const isServed = guarded(
          read.source,
          () =>
            reads.serve(
              read,
              nowMs,
              (outcome, sentAtMs) => {
                if (!isDisposed)
                  deliver({ ...outcome, ref, ...(outcome.type === 'http-answered' ? { sentAtMs } : {}) }, cause);
              },
              options.later,
            ),
          false,
        );
        if (reads.isEnabled(read.source)) counterOf(isServed ? 'cache_hits_total' : 'cache_misses_total', read).add();
        if (isServed) return ref;
      }
      sent.set(inner.send(request, endpoint), { ref, sentAtMs: nowMs, ...(read === undefined ? {} : { read }) });
      return ref;
    },
    isAtHand(read) {
      return guarded(read.source, () => reads.find(read, options.monotonicMs()) !== undefined, false);
    },
    invalidate(source, prefix) {
      guarded(source, () => reads.invalidate(source, prefix), undefined);
    },
    share(source, isEnabled) {
      reads.setEnabled(source, isEnabled);
    },
    statistics: () => reads.statistics(),
    health: () => options.pools.health(),
    setProfile: (profile) => options.pools.setProfile(profile),
    setBurst: (isOn) => options.pools.setBurst(isOn),
    dispose() {
      isDisposed = true;
      const lost: Failure = { type: 'http-failed', code: 'reset', detail: 'who had asked for it is gone' };
      for (const { read, sentAtMs } of sent.values()) if (read !== undefined) land(read, sentAtMs, lost);
      sent.clear();
      inner.dispose();
    },
  };
}

function withoutRef(message: HttpAnswered | HttpFailed): Answer | Failure {
  const { ref: _ref, ...outcome } = message;
  return outcome;
}
