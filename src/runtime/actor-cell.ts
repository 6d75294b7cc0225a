/** The place an actor lives in: it outlasts the actor's lives, keeping mailbox, counters and history. The hosting thread only. */
import type { ActorPath, ActorRef, MessageShape, RandomStream, Self } from './actor.ts';
import type { ActorSpec } from './child-spec.ts';
import { boundedView } from './bounded-view.ts';
import { DurationHistogram } from './duration-histogram.ts';
import type { RunnableKind } from './kind-registry.ts';
import { Mailbox } from './mailbox.ts';
import { RateMeter } from './rate-meter.ts';
import type { ActorInspection, ActorSnapshot, ActorStatus, FailureSnapshot, MailboxView } from './snapshot.ts';
import type { ExitReason } from './supervisor-protocol.ts';

/** A power of two. */
const LAST_MESSAGES = 16;
const NOTED_MAX = 2 ** 30;

/** One life of an actor, from its start to its end. */
export interface Life {
  readonly incarnation: number;
  readonly self: Self<MessageShape>;
  /** Set once, before `start`. */
  ports: unknown;
  state: unknown;
  /** These three are made when first needed: an idle actor is to be small. */
  timers: Set<number> | undefined;
  /** Targets whose end this life asked to be told of, by path. */
  watching: Map<ActorPath, ActorRef> | undefined;
  streams: Map<string, RandomStream> | undefined;
  /** Lives that end with this one, and it with them, by path. Undefined until the first. */
  links: Map<ActorPath, ActorRef> | undefined;
  /** Set when this life is to end after the current call into the actor. */
  end: { readonly reason: ExitReason; readonly callsStop: boolean } | undefined;
  /** Its `stop` was called and asked for time. */
  isStopping: boolean;
}

/** Somebody who wants to be told when the current life ends. */
export interface Watcher {
  readonly path: ActorPath;
  readonly incarnation: number;
}

/** The place of one actor. Only its host changes it. */
export class ActorCell {
  readonly path: ActorPath;
  /** What the next life starts from. */
  spec: ActorSpec;
  /** The number of the first life here. */
  readonly firstIncarnation: number;
  readonly mailbox: Mailbox;
  /** What the actor counted; made with its first count, as an idle actor is to be small. */
  counters: Map<string, number> | undefined;
  /** By watching path and life; made with the first. */
  watchers: Map<string, Watcher> | undefined;
  status: ActorStatus = 'waiting';
  incarnation = 0;
  life: Life | undefined;
  /** The kind, known once the first life starts. */
  kind: RunnableKind | undefined;
  failure: FailureSnapshot | undefined;
  /** Whether it stands in its host's run queue. */
  queued = false;
  /** One of its batches took long: what it tells is timed by a look of its own. */
  isSlow = false;
  /** Told to leave its mailbox alone; outlasts lives, so that a restart does not undo it. */
  paused = false;
  /** Made with the first message that is timed; until then `#startUs` says how long the first start took, -1 for not at all. */
  #handlerTime: DurationHistogram | undefined;
  #queueTime: DurationHistogram | undefined;
  #startUs = -1;
  #rate: RateMeter | undefined;
  /** The last message types in a circle; `#noted` of them were ever written. Made with the first message. */
  #lastMessageTypes: string[] | undefined;
  #noted = 0;

  constructor(path: ActorPath, spec: ActorSpec, firstIncarnation = 1) {
    this.path = path;
    this.spec = spec;
    this.firstIncarnation = firstIncarnation;
    this.mailbox = new Mailbox(spec.mailboxMessagesMax);
  }

  /** Whether it can take a message from its mailbox now. */
  get runnable(): boolean {
    return this.status === 'running' && !this.paused && this.mailbox.depth > 0;
  }

  /** Counts a start as time spent in the actor's code. */
  noteStart(durationMs: number): void {
    if (this.#handlerTime === undefined && this.#startUs < 0) this.#startUs = Math.round(durationMs * 1_000) | 0;
    else this.#handlerTimes().record(durationMs);
  }

  noteTimes(queueMs: number, handlerMs: number): void {
    (this.#queueTime ??= new DurationHistogram()).record(queueMs);
    this.#handlerTimes().record(handlerMs);
  }

  #handlerTimes(): DurationHistogram {
    if (this.#handlerTime === undefined) {
      this.#handlerTime = new DurationHistogram();
      if (this.#startUs >= 0) this.#handlerTime.record(this.#startUs / 1_000);
    }
    return this.#handlerTime;
  }

  noteHandled(typeName: string): void {
    this.#lastMessageTypes ??= [];
    this.#lastMessageTypes[this.#noted & (LAST_MESSAGES - 1)] = typeName;
    this.#noted = (this.#noted + 1) | 0;
    // Far from its limit and still a multiple: only the place in the circle counts.
    if (this.#noted === NOTED_MAX) this.#noted = LAST_MESSAGES;
  }

  snapshot(thread: string, nowMs: number, deadLetters: number): ActorSnapshot {
    const mailbox = this.mailbox.snapshot(nowMs);
    this.#rate ??= new RateMeter();
    return {
      path: this.path,
      kind: this.spec.kind,
      thread,
      status: this.paused && this.status === 'running' ? 'paused' : this.status,
      incarnation: this.incarnation,
      restarts: Math.max(0, this.incarnation - this.firstIncarnation),
      mailbox,
      handler: this.#handlerTimes().snapshot(),
      queueTime: (this.#queueTime ??= new DurationHistogram()).snapshot(),
      ratePerSecond: this.#rate.perSecond(nowMs, mailbox.processed),
      counters: Object.fromEntries(this.counters ?? []),
      deadLetters,
      ...(this.failure === undefined ? {} : { lastFailure: this.failure.reason }),
    };
  }

  /** Shows what waits, without taking anything. */
  peek(nowMs: number, limit: number): MailboxView {
    return {
      path: this.path,
      depthTotal: this.mailbox.depth,
      messages: this.mailbox.peek(limit).map((envelope) => ({
        type: envelope.type.name,
        class: envelope.type.class,
        from: envelope.from,
        ageMs: Math.max(0, nowMs - envelope.sentAtMs),
        attempts: envelope.attempts,
        ...(envelope.traceId === 0 ? {} : { traceId: envelope.traceId }),
        message: boundedView(envelope.message),
      })),
    };
  }

  inspect(thread: string, nowMs: number, deadLetters: number): ActorInspection {
    const noted = this.#lastMessageTypes ?? [];
    const oldest = this.#noted % LAST_MESSAGES;
    const lastMessageTypes = this.#noted <= LAST_MESSAGES ? noted : [...noted.slice(oldest), ...noted.slice(0, oldest)];
    return {
      ...this.snapshot(thread, nowMs, deadLetters),
      lastMessageTypes,
      ...(this.failure === undefined ? {} : { failure: this.failure }),
      ...this.#digest(),
      timers: this.life?.timers?.size ?? 0,
      watchers: [...(this.watchers?.values() ?? [])].map((watcher) => watcher.path),
    };
  }

  #digest(): { readonly digest?: unknown } {
    if (this.life === undefined || this.status !== 'running' || this.kind?.digest === undefined) return {};
    try {
      return { digest: this.kind.digest(this.life.state) };
    } catch (error) {
      // Looking must never hurt the one looked at: a failing digest is shown as such, and the actor runs on.
      return { digest: { digestFailed: error instanceof Error ? error.message : String(error) } };
    }
  }
}
