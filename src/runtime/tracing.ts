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
  /** Whose handler runs, undefined when none does; and who told the message. As little as can be: most are in no trace. */
  #cell: ActorCell | undefined;
  #from: ActorPath = '';
  /** The trace the message came with. */
  #traceId: TraceRef = 0;
  /** When the first trace was joined, for handlers that nobody timed. */
  #joinedAtMs = 0;
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
    if (this.#current !== 0 || this.#cell === undefined) return this.#current;
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
    if (this.#cell !== undefined) this.#join(trace);
    try {
      return action();
    } finally {
      this.#current = before;
    }
  }

  // --- the host's side ---

  /** A handler begins. Only where tracing is on. */
  handling(cell: ActorCell, envelope: Envelope): void {
    this.#current = this.#traceId = envelope.traceId;
    this.#cell = cell;
    this.#from = envelope.from;
  }

  /**
   * The handler ended; writes its span into every trace it belongs to. `startedAtMs` is 0 when its time was not taken. Reads no
   * clock when there is no trace.
   */
  handled(cell: ActorCell, envelope: Envelope, incarnation: number, startedAtMs: number): void {
    this.#current = 0;
    this.#cell = undefined;
    const { traceId } = envelope;
    if (traceId === 0 && this.#joined.length === 0) return;
    const endedAtMs = this.#environment.monotonicMs();
    const beganAtMs = startedAtMs === 0 ? this.#joinedAtMs : startedAtMs;
    if (traceId !== 0) this.#addSpan(cell, envelope, incarnation, traceId, beganAtMs, endedAtMs);
    for (const joined of this.#joined) this.#addSpan(cell, envelope, incarnation, joined, beganAtMs, endedAtMs);
    this.#joined.length = 0;
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
    return this.#cell === undefined || this.#from === this.#cell.path ? 0 : this.#current;
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
    if (this.#joined.length === 0) this.#joinedAtMs = this.#environment.monotonicMs();
    this.#joined.push(trace);
  }

  #pathNow(): ActorPath {
    return this.#cell?.path ?? '';
  }

  #mark(path: ActorPath, step: string, about: string, atMs: number): void {
    this.#store.add({ traceId: this.#current, thread: this.#environment.threadName, path, step, about, atMs });
  }

  #addSpan(
    cell: ActorCell,
    envelope: Envelope,
    incarnation: number,
    traceId: TraceRef,
    startedAtMs: number,
    endedAtMs: number,
  ): void {
    this.#store.add({
      traceId,
      thread: this.#environment.threadName,
      path: cell.path,
      incarnation,
      type: envelope.type.name,
      from: envelope.from,
      queuedAtMs: envelope.sentAtMs,
      startedAtMs,
      endedAtMs,
    });
  }
}
