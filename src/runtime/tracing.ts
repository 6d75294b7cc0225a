/** What is being traced on a thread right now: the trace of the running handler, and what actors and ports do with it. One per thread. */
import type { ActorPath, TraceRef, Tracing } from './actor.ts';
import type { ActorCell } from './actor-cell.ts';
import type { Envelope } from './mailbox.ts';
import { TraceStore, type TraceEvent } from './trace-store.ts';

/** What it needs of the thread it is on. */
export interface TracingEnvironment {
  readonly threadName: string;
  monotonicMs(): number;
  newTraceId?(): number;
  keepTrace?(traceId: number): void;
}

export class ThreadTracing implements Tracing {
  readonly #environment: TracingEnvironment;
  readonly #store: TraceStore;
  #current: TraceRef = 0;
  /**
   * The message being handled, if any: what a span says of it, field by field. Most messages are in no trace, and a long-lived
   * object that points to each new one costs more than the copies: the collector has to be told of every such pointer.
   */
  #cell: ActorCell | undefined;
  #isHandling = false;
  #from: ActorPath = '';
  #type = '';
  #sentAtMs = 0;
  #traceId: TraceRef = 0;
  #incarnation = 0;
  /** 0 when nobody took the time. */
  #startedAtMs = 0;
  /** Traces it turned out to belong to besides the one it came with. */
  readonly #joined: TraceRef[] = [];

  constructor(environment: TracingEnvironment, every: number) {
    this.#environment = environment;
    this.#store = new TraceStore(every);
  }

  get isOn(): boolean {
    return this.#store.isOn;
  }

  current(): TraceRef {
    return this.#current;
  }

  begin(): TraceRef {
    if (!this.isOn) return 0;
    if (this.#current !== 0 || !this.#isHandling) return this.#current;
    const traceId = this.#environment.newTraceId?.() ?? 0;
    this.#current = traceId;
    if (traceId !== 0) this.#join(traceId);
    return traceId;
  }

  mark(step: string, about = '', atMs = this.#environment.monotonicMs()): void {
    if (this.#current !== 0) this.#mark(this.#pathNow(), step, about, atMs);
  }

  keep(name: string): void {
    if (this.#current === 0) return;
    this.#keep(this.#current);
    this.#store.add({
      traceId: this.#current,
      thread: this.#environment.threadName,
      path: this.#pathNow(),
      step: 'named',
      about: name,
      atMs: this.#environment.monotonicMs(),
      isName: true,
    });
  }

  within<Result>(trace: TraceRef, action: () => Result): Result {
    if (trace === 0 || trace === this.#current) return action();
    const before = this.#current;
    this.#current = trace;
    if (this.#isHandling) this.#join(trace);
    try {
      return action();
    } finally {
      this.#current = before;
    }
  }

  // --- the host's side ---

  /** A handler begins. `startedAtMs` 0 when its time is not taken. Only where tracing is on. */
  handling(cell: ActorCell, envelope: Envelope, incarnation: number, startedAtMs: number): void {
    this.#current = this.#traceId = envelope.traceId;
    this.#cell = cell;
    this.#isHandling = true;
    this.#from = envelope.from;
    this.#type = envelope.type.name;
    this.#sentAtMs = envelope.sentAtMs;
    this.#incarnation = incarnation;
    this.#startedAtMs = startedAtMs;
  }

  /** The handler ended; writes its span into every trace it belongs to. Reads no clock when there is none. */
  handled(): void {
    this.#current = 0;
    this.#isHandling = false;
    if (this.#traceId === 0 && this.#joined.length === 0) return;
    const endedAtMs = this.#environment.monotonicMs();
    if (this.#traceId !== 0) this.#addSpan(this.#traceId, endedAtMs);
    for (const joined of this.#joined) this.#addSpan(joined, endedAtMs);
    this.#joined.length = 0;
    this.#traceId = 0;
  }

  /** Notes that an actor uses a port; returns the trace its answer belongs to. */
  calling(path: ActorPath, door: string, detail: string): TraceRef {
    if (this.#current !== 0) this.#mark(path, door, detail, this.#environment.monotonicMs());
    return this.#current;
  }

  /** Returns the trace a port's answer belongs to: its cause's, that of the handler it came in, or a new one when it is its turn. */
  ofAnswer(cause: TraceRef): TraceRef {
    if (cause !== 0) return cause;
    if (this.#current !== 0) return this.#current;
    return this.#store.isNextSampled(this.#environment) ? (this.#environment.newTraceId?.() ?? 0) : 0;
  }

  /** Returns the trace of a timer set now: one that a timer sets again would never end. */
  ofTimer(): TraceRef {
    return !this.#isHandling || this.#from === this.#cell?.path ? 0 : this.#current;
  }

  /** Another thread keeps this trace. */
  keepHere(traceId: TraceRef): void {
    this.#store.keep(traceId);
  }

  events(): TraceEvent[] {
    return this.#store.events();
  }

  #keep(traceId: TraceRef): void {
    this.#store.keep(traceId);
    this.#environment.keepTrace?.(traceId);
  }

  #join(trace: TraceRef): void {
    if (this.#traceId === trace || this.#joined.includes(trace)) return;
    if (this.#startedAtMs === 0) this.#startedAtMs = this.#environment.monotonicMs();
    this.#joined.push(trace);
  }

  #pathNow(): ActorPath {
    return this.#isHandling ? (this.#cell?.path ?? '') : '';
  }

  #mark(path: ActorPath, step: string, about: string, atMs: number): void {
    this.#store.add({ traceId: this.#current, thread: this.#environment.threadName, path, step, about, atMs });
  }

  #addSpan(traceId: TraceRef, endedAtMs: number): void {
    this.#store.add({
      traceId,
      thread: this.#environment.threadName,
      path: this.#cell?.path ?? '',
      incarnation: this.#incarnation,
      type: this.#type,
      from: this.#from,
      queuedAtMs: this.#sentAtMs,
      startedAtMs: this.#startedAtMs,
      endedAtMs,
    });
  }
}
