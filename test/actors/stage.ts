/** Plays one actor on an otherwise empty stage: a fake `self` with hand-moved clocks, recorded messages and real timers in virtual time. */
import { noTracing, refOf, StartIgnored } from '../../src/runtime/actor.ts';
import { noMetrics } from '../../src/runtime/metrics.ts';
import type { ActorKind, ActorRef, MessageShape, RandomStream, Self, TellOutcome } from '../../src/runtime/actor.ts';

export interface SentMessage {
  readonly to: string;
  readonly message: MessageShape;
}

export interface StageOptions<Ports> {
  readonly path?: string;
  readonly incarnation?: number;
  readonly ports?: Ports;
  /** Calendar ms at start. Default 1,767,225,600,000 (2026-01-01T00:00:00Z). */
  readonly nowMs?: number;
  /** Monotonic ms at start. Default 1,000. */
  readonly monotonicMs?: number;
  /** Calendar ms per monotonic ms. Default 1. */
  readonly calendarScale?: number;
  /** What `tell` answers; default `sent`. Messages are recorded whatever the answer. */
  readonly outcome?: (to: ActorRef, message: MessageShape) => TellOutcome;
}

export interface Stage<State, Message extends MessageShape, Ports> {
  /** Hands one message to the actor now. */
  deliver(message: Message): void;
  /** Moves both clocks, firing the actor's timers at their times in order. */
  advance(monotonicMs: number): void;
  /** Moves only the calendar. */
  advanceCalendar(calendarMs: number): void;
  stop(reason: string): void;
  /** Everything told since the start or the last `clearSent`, in order. */
  readonly sent: SentMessage[];
  sentTo(path: string): MessageShape[];
  clearSent(): void;
  state(): State;
  readonly counts: ReadonlyMap<string, number>;
  readonly logged: {
    readonly level: string;
    readonly event: string;
    readonly fields: Readonly<Record<string, unknown>>;
  }[];
  readonly self: Self<Message, Ports>;
}

/** Starts an actor of this kind. Timers due at the same time fire in the order they were set. */
export function stage<Args, State, Message extends MessageShape, Ports = unknown>(
  kind: ActorKind<Args, State, Message, Ports>,
  args: Args,
  options: StageOptions<Ports> = {},
): Stage<State, Message, Ports> {
  const path = options.path ?? kind.kind;
  const scale = options.calendarScale ?? 1;
  let calendarMs = options.nowMs ?? 1_767_225_600_000;
  let monotonicMs = options.monotonicMs ?? 1_000;
  let timerCount = 0;
  let timers: { readonly ref: number; readonly atMs: number; readonly message: Message }[] = [];
  const sent: SentMessage[] = [];
  const counts = new Map<string, number>();
  const logged: { level: string; event: string; fields: Readonly<Record<string, unknown>> }[] = [];

  const self: Self<Message, Ports> = {
    path,
    incarnation: options.incarnation ?? 1,
    ref: { path, incarnation: options.incarnation ?? 1 },
    // An actor without ports never reads this; one with ports is always given them by its test.
    ports: options.ports as Ports,
    nowMs: () => Math.floor(calendarMs),
    monotonicMs: () => monotonicMs,
    tell: (to, message) => {
      sent.push({ to: to.path, message });
      return options.outcome?.(refOf(to.path), message) ?? 'sent';
    },
    after: (delayMs, message) => {
      timerCount += 1;
      timers.push({ ref: timerCount, atMs: monotonicMs + delayMs, message });
      return timerCount;
    },
    cancel: (ref) => {
      timers = timers.filter((timer) => timer.ref !== ref);
    },
    watch: () => undefined,
    unwatch: () => undefined,
    link: () => undefined,
    unlink: () => undefined,
    stop: (stopKind = 'normal') => logged.push({ level: 'info', event: 'stopped-itself', fields: { kind: stopKind } }),
    ignore: () => {
      throw new StartIgnored(`${path} has nothing to do`);
    },
    startInfo: () => undefined,
    random: (purpose) => streamOf(purpose),
    tracing: noTracing,
    metrics: noMetrics,
    log: (level, event, fields) => logged.push({ level, event, fields: fields ?? {} }),
    count: (name, by) => counts.set(name, (counts.get(name) ?? 0) + (by ?? 1)),
  };

  let state = kind.start(args, self);

  function moveTo(atMs: number): void {
    calendarMs += (atMs - monotonicMs) * scale;
    monotonicMs = atMs;
  }

  return {
    deliver: (message) => {
      state = kind.receive(state, message, self);
    },
    advance: (byMs) => {
      const untilMs = monotonicMs + byMs;
      for (;;) {
        let next: (typeof timers)[number] | undefined;
        for (const timer of timers)
          if (timer.atMs <= untilMs && (next === undefined || timer.atMs < next.atMs)) next = timer;
        if (next === undefined) break;
        const due = next;
        timers = timers.filter((timer) => timer !== due);
        moveTo(Math.max(due.atMs, monotonicMs));
        state = kind.receive(state, due.message, self);
      }
      moveTo(untilMs);
    },
    advanceCalendar: (byMs) => {
      calendarMs += byMs;
    },
    stop: (reason) => kind.stop?.(state, reason, self),
    sent,
    sentTo: (to) => sent.filter((entry) => entry.to === to).map((entry) => entry.message),
    clearSent: () => {
      sent.length = 0;
    },
    state: () => state,
    counts,
    logged,
    self,
  };
}

/** A small deterministic generator per purpose (mulberry32 over a hash of the name). */
function streamOf(purpose: string): RandomStream {
  let seed = 2_166_136_261;
  for (const character of purpose) seed = Math.imul(seed ^ (character.codePointAt(0) ?? 0), 16_777_619);
  const nextUint32 = (): number => {
    seed = (seed + 0x6d2b79f5) | 0;
    let mixed = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
  return { nextUint32, nextFraction: () => nextUint32() / 4_294_967_296 };
}
