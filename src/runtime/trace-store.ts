/**
 * Causal traces: which messages one event from outside set off, on whichever threads. A trace begins with a port's answer
 * (one in so many is chosen) or when an actor asks for it; every message told while one of its messages is handled belongs to
 * it, and so do the answers of ports that were used meanwhile. Each thread keeps the newest spans of its own actors; the main
 * thread puts them together when somebody asks. Any thread, one owner.
 */
import type { ActorPath } from './actor.ts';
import { Deque } from './deque.ts';

/** Events kept per thread, of traces nobody named. */
const EVENTS_MAX = 512;
/** Traces begin at least this far apart: a flood must not cost more, nor push out what was kept, the faster it gets. */
const BETWEEN_MS_MIN = 10;
/** Named traces kept per thread, and events of each. */
const KEPT_MAX = 128;
const KEPT_EVENTS_MAX = 256;

/** One message of a trace, handled. Times are monotonic ms of the system, comparable between its threads. */
export interface TraceSpan {
  readonly traceId: number;
  readonly thread: string;
  readonly path: ActorPath;
  readonly incarnation: number;
  readonly type: string;
  /** Who told it; `$port` for a port's answer. */
  readonly from: ActorPath;
  /** When it was told; until `startedAtMs` it was on its way and in the mailbox. */
  readonly queuedAtMs: number;
  readonly startedAtMs: number;
  readonly endedAtMs: number;
}

/** A moment inside a handler: a step the actor names, or the use of a port. */
export interface TraceMark {
  readonly traceId: number;
  readonly thread: string;
  readonly path: ActorPath;
  /** For example `http-send`. */
  readonly step: string;
  /** What it was about; empty when there is nothing to add. */
  readonly about: string;
  /** Monotonic ms. */
  readonly atMs: number;
  /** Whether `about` names the trace, so that it can be asked for by it. */
  readonly isName?: true;
}

/** What a trace is made of. */
export type TraceEvent = TraceSpan | TraceMark;

/** One causal trace over all threads. */
export interface Trace {
  readonly traceId: number;
  /** When its first message was told; monotonic ms. */
  readonly beganAtMs: number;
  /** From then to the end of its last handler, ms. */
  readonly durationMs: number;
  /** What actors named it, in order of time; for example the orders it led to. */
  readonly names: readonly string[];
  /** Threads it touched, in order of time. */
  readonly threads: readonly string[];
  /** In order of their handling. The beginning of an old trace may be forgotten on one thread and kept on another. */
  readonly spans: readonly TraceSpan[];
  /** In order of time. */
  readonly marks: readonly TraceMark[];
}

/** The newest spans of one thread, and the decision which answer begins a trace. */
export class TraceStore {
  readonly #recent = new Deque<TraceEvent>();
  /** Named traces, oldest first. */
  readonly #kept = new Map<number, TraceEvent[]>();
  readonly #every: number;
  #untilNext: number;
  #lastAtMs = -Infinity;

  /** `every`: of so many port answers one begins a trace; 0 for no traces at all. */
  constructor(every: number) {
    this.#every = every;
    this.#untilNext = every;
  }

  get isOn(): boolean {
    return this.#every > 0;
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

  add(event: TraceEvent): void {
    const kept = this.#kept.get(event.traceId);
    if (kept !== undefined) {
      if (kept.length < KEPT_EVENTS_MAX) kept.push(event);
      return;
    }
    this.#recent.pushBack(event);
    if (this.#recent.length > EVENTS_MAX) this.#recent.popFront();
  }

  /** Keeps what is known and what will be of a trace, whatever others come meanwhile. */
  keep(traceId: number): void {
    if (this.#kept.has(traceId)) return;
    const kept: TraceEvent[] = [];
    for (let left = this.#recent.length; left > 0; left--) {
      const event = this.#recent.popFront();
      if (event?.traceId === traceId) kept.push(event);
      else if (event !== undefined) this.#recent.pushBack(event);
    }
    this.#kept.set(traceId, kept);
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= KEPT_MAX) break;
      this.#kept.delete(oldest);
    }
  }

  /** Returns what is kept, of each trace oldest first. */
  events(): TraceEvent[] {
    const events = [...this.#kept.values()].flat();
    for (let index = 0; index < this.#recent.length; index++) {
      const event = this.#recent.at(index);
      if (event !== undefined) events.push(event);
    }
    return events;
  }
}

/** Puts the events of all threads together, newest trace first. */
export function tracesOf(events: readonly TraceEvent[]): readonly Trace[] {
  const byId = new Map<number, TraceEvent[]>();
  for (const event of events) {
    const known = byId.get(event.traceId);
    if (known === undefined) byId.set(event.traceId, [event]);
    else known.push(event);
  }
  return [...byId]
    .map(([traceId, ofTrace]) => traceOf(traceId, ofTrace))
    .sort((left, right) => right.traceId - left.traceId);
}

/** Returns the newest trace of that name or, when there is none, the one of that number; `latest` is the newest named one. */
export function findTrace(traces: readonly Trace[], id: string): Trace | undefined {
  if (id === 'latest') return traces.find(({ names }) => names.length > 0);
  return traces.find(({ names }) => names.includes(id)) ?? traces.find(({ traceId }) => String(traceId) === id);
}

function traceOf(traceId: number, events: readonly TraceEvent[]): Trace {
  const spans = causesFirst(events.filter((event) => 'endedAtMs' in event));
  const marks = events.filter((event) => 'step' in event);
  marks.sort((left, right) => left.atMs - right.atMs);
  const beganAtMs = Math.min(...spans.map((span) => span.queuedAtMs), ...marks.map((mark) => mark.atMs));
  const endedAtMs = Math.max(...spans.map((span) => span.endedAtMs), ...marks.map((mark) => mark.atMs));
  const inTime = [
    ...spans.map(({ startedAtMs, thread }) => ({ atMs: startedAtMs, thread })),
    ...marks.map(({ atMs, thread }) => ({ atMs, thread })),
  ].sort((left, right) => left.atMs - right.atMs);
  return {
    traceId,
    beganAtMs,
    durationMs: endedAtMs - beganAtMs,
    names: [...new Set(marks.filter((mark) => mark.isName === true).map((mark) => mark.about))],
    threads: [...new Set(inTime.map(({ thread }) => thread))],
    spans,
    marks,
  };
}

/** In order of time; where the clock does not tell, as in virtual time, who told comes before who was told. */
function causesFirst(spans: readonly TraceSpan[]): readonly TraceSpan[] {
  const waiting = spans.toSorted((left, right) => left.startedAtMs - right.startedAtMs);
  const ordered: TraceSpan[] = [];
  for (let first = waiting[0]; first !== undefined; first = waiting[0]) {
    const { startedAtMs } = first;
    const tied = waiting.findIndex((span) => span.startedAtMs !== startedAtMs);
    const among = tied === -1 ? waiting : waiting.slice(0, tied);
    const at = among.findIndex((span) => among.every(({ path }) => path === span.path || path !== span.from));
    ordered.push(...waiting.splice(Math.max(0, at), 1));
  }
  return ordered;
}
