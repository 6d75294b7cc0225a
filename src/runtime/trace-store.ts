/**
 * Causal traces: which messages one event from outside set off, on whichever threads. A trace begins with a port's answer
 * (one in so many is chosen); every message told while one of its messages is handled belongs to it. Each thread keeps the
 * newest spans of its own actors; the main thread puts them together when somebody asks. Any thread, one owner.
 */
import type { ActorPath } from './actor.ts';
import { Deque } from './deque.ts';

/** Spans kept per thread. */
const SPANS_MAX = 512;
/** Traces begin at least this far apart: a flood must not cost more, nor push out what was kept, the faster it gets. */
const BETWEEN_MS_MIN = 10;

/** One message of a trace, handled. Times are monotonic ms of the system, comparable between its threads. */
export interface TraceSpan {
  readonly traceId: number;
  readonly thread: string;
  readonly path: ActorPath;
  readonly incarnation: number;
  readonly type: string;
  /** Who told it; `$port` for the port's answer a trace begins with. */
  readonly from: ActorPath;
  /** When it was told; until `startedAtMs` it was on its way and in the mailbox. */
  readonly queuedAtMs: number;
  readonly startedAtMs: number;
  readonly endedAtMs: number;
}

/** One causal trace over all threads. */
export interface Trace {
  readonly traceId: number;
  /** When its first message was told; monotonic ms. */
  readonly beganAtMs: number;
  /** From then to the end of its last handler, ms. */
  readonly durationMs: number;
  /** Threads it touched, in order of time. */
  readonly threads: readonly string[];
  /** In order of their handling. The beginning of an old trace may be forgotten on one thread and kept on another. */
  readonly spans: readonly TraceSpan[];
}

/** The newest spans of one thread, and the decision which answer begins a trace. */
export class TraceStore {
  readonly #spans = new Deque<TraceSpan>();
  readonly #every: number;
  #untilNext: number;
  #lastAtMs = -Infinity;

  /** `every`: of so many port answers one begins a trace; 0 for none. */
  constructor(every: number) {
    this.#every = every;
    this.#untilNext = every;
  }

  /** Returns true for the port answer that is to begin a trace. */
  isNextSampled(clock: { monotonicMs(): number }): boolean {
    if (this.#every === 0) return false;
    this.#untilNext -= 1;
    if (this.#untilNext > 0) return false;
    this.#untilNext = this.#every;
    const nowMs = clock.monotonicMs();
    if (nowMs - this.#lastAtMs < BETWEEN_MS_MIN) return false;
    this.#lastAtMs = nowMs;
    return true;
  }

  add(span: TraceSpan): void {
    this.#spans.pushBack(span);
    if (this.#spans.length > SPANS_MAX) this.#spans.popFront();
  }

  /** Returns the spans kept, oldest first. */
  spans(): TraceSpan[] {
    const spans: TraceSpan[] = [];
    for (let index = 0; index < this.#spans.length; index++) {
      const span = this.#spans.at(index);
      if (span !== undefined) spans.push(span);
    }
    return spans;
  }
}

/** Puts the spans of all threads together, newest trace first. */
export function tracesOf(spans: readonly TraceSpan[]): readonly Trace[] {
  const byId = new Map<number, TraceSpan[]>();
  for (const span of spans) {
    const known = byId.get(span.traceId);
    if (known === undefined) byId.set(span.traceId, [span]);
    else known.push(span);
  }
  return [...byId]
    .map(([traceId, ofTrace]) => traceOf(traceId, ofTrace))
    .sort((left, right) => right.traceId - left.traceId);
}

function traceOf(traceId: number, unordered: readonly TraceSpan[]): Trace {
  const spans = [...unordered].sort((left, right) => left.startedAtMs - right.startedAtMs);
  const beganAtMs = Math.min(...spans.map((span) => span.queuedAtMs));
  const endedAtMs = Math.max(...spans.map((span) => span.endedAtMs));
  return {
    traceId,
    beganAtMs,
    durationMs: endedAtMs - beganAtMs,
    threads: [...new Set(spans.map((span) => span.thread))],
    spans,
  };
}
