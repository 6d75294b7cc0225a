/** What inspection answers: plain data about actors, supervisors and threads, safe to print as JSON. Types only. */
import type { ActorPath } from './actor.ts';
import type { RestartStrategy } from './child-spec.ts';

/**
 * `waiting`: not started yet. `restarting`: ended, its supervisor is about to start it again. `crashed`: ended by a throw
 * and not yet taken care of. `stopped`: ended for good. `paused`: running, but told to leave its mailbox alone.
 */
export type ActorStatus = 'waiting' | 'starting' | 'running' | 'paused' | 'restarting' | 'stopped' | 'crashed';

/** Queued messages by class. `system` overtakes all, `market` comes last. */
export interface MailboxDepth {
  readonly system: number;
  readonly risk: number;
  readonly order: number;
  readonly normal: number;
  readonly state: number;
  readonly market: number;
}

/** One mailbox. Counts are since the mailbox was made: they outlast lives, not the thread. */
export interface MailboxSnapshot {
  readonly depth: MailboxDepth;
  readonly depthTotal: number;
  /** Most messages ever queued at once in this mailbox. */
  readonly highWaterMark: number;
  /** Age of the oldest queued message in ms; 0 when empty. */
  readonly oldestAgeMs: number;
  readonly accepted: number;
  readonly processed: number;
  /** Values replaced by a newer one of the same key before they were read. */
  readonly merged: number;
  /** Market values pushed out at the bound by one of another key, never read. */
  readonly evicted: number;
  readonly refused: number;
}

/** Durations in ms; percentiles are upper edges of logarithmic buckets (at most 25 % too high). */
export interface DurationSnapshot {
  readonly count: number;
  readonly totalMs: number;
  readonly maxMs: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** One actor. */
export interface ActorSnapshot {
  readonly path: ActorPath;
  readonly kind: string;
  readonly thread: string;
  readonly status: ActorStatus;
  /** Current or last life, from 1; 0 before the first. */
  readonly incarnation: number;
  readonly restarts: number;
  readonly mailbox: MailboxSnapshot;
  /** Time in handlers, `start` included; of all messages while the thread has little to do, of a sample while it is busy. */
  readonly handler: DurationSnapshot;
  /** Time from the telling of the same messages to the start of their handling: on their way and in the mailbox. */
  readonly queueTime: DurationSnapshot;
  /** Messages handled per second, over about the last second before somebody asked. */
  readonly ratePerSecond: number;
  /** What the actor counted with `self.count`. */
  readonly counters: Readonly<Record<string, number>>;
  /** Messages to this actor that nobody took. */
  readonly deadLetters: number;
  readonly lastFailure?: string;
}

/** One actor in depth. */
export interface ActorInspection extends ActorSnapshot {
  /** Types of the last messages handled, oldest first, at most 16. */
  readonly lastMessageTypes: readonly string[];
  readonly failure?: FailureSnapshot;
  /** The kind's own view of its state; absent when it has none or the actor is not running. */
  readonly digest?: unknown;
  readonly timers: number;
  readonly watchers: readonly ActorPath[];
}

/** A message that waits in a mailbox, as it may be shown: large ones only in part. */
export interface PeekedMessage {
  readonly type: string;
  readonly class: 'must-deliver' | 'state' | 'market' | 'system';
  readonly from: ActorPath;
  /** Time since it was told, ms. */
  readonly ageMs: number;
  /** Lives of the actor that ended over it before. */
  readonly attempts: number;
  /** Absent unless it is part of a sampled trace. */
  readonly traceId?: number;
  /** See bounded-view.ts. May hold secrets: to be redacted before anybody sees it. */
  readonly message: unknown;
}

/** What waits in a mailbox, and how much more. */
export interface MailboxView {
  readonly path: ActorPath;
  readonly depthTotal: number;
  /** The first so many, in order of service level and then of arrival. */
  readonly messages: readonly PeekedMessage[];
}

/** How the last life that crashed did. */
export interface FailureSnapshot {
  readonly reason: string;
  readonly stack: string;
  /** Type of the message in flight, or `start`. */
  readonly during: string;
  readonly incarnation: number;
  readonly atMs: number;
}

/** One supervisor. */
export interface SupervisorSnapshot {
  readonly path: ActorPath;
  readonly strategy: RestartStrategy;
  readonly status: 'waiting' | 'starting' | 'running' | 'restarting' | 'stopping' | 'stopped';
  readonly children: readonly ActorPath[];
  /** Restarts inside the sliding window, against `intensity`. */
  readonly restartsInPeriod: number;
  readonly intensity: number;
  readonly periodMs: number;
  readonly restartsTotal: number;
}

/** One outgoing lane of a thread. */
export interface LaneSnapshot {
  readonly to: string;
  readonly lane: 'control' | 'data';
  /** Bytes published and not yet read, of `capacityBytes`. */
  readonly usedBytes: number;
  readonly capacityBytes: number;
  readonly sent: number;
  readonly merged: number;
  readonly refused: number;
  /** Messages waiting on the sender's side because the lane is full or its reader is away. */
  readonly queued: number;
  /** Must-deliver messages sent and not yet handled; told again when the reader's thread dies. */
  readonly unhandled: number;
  readonly redelivered: number;
}

/** One thread. */
export interface ThreadSnapshot {
  readonly name: string;
  readonly incarnation: number;
  readonly status: 'starting' | 'running' | 'dead' | 'stopped';
  /** Event-loop delay since start; absent in virtual time. */
  readonly loopDelay?: { readonly p50Ms: number; readonly p99Ms: number; readonly maxMs: number };
  readonly heapUsedBytes?: number;
  readonly lanes: readonly LaneSnapshot[];
  /** Wake-ups that should have come and did not. Any value but 0 is a bug of the runtime. */
  readonly lostWakeUps: number;
  readonly wakeUpsSent: number;
  readonly turns: number;
  readonly logRecordsDropped: number;
  readonly lastFailure?: string;
  /** True when the thread did not answer and this is what it said last. */
  readonly stale: boolean;
}

/** One message that nobody took, without its content. */
export interface DeadLetter {
  readonly path: ActorPath;
  readonly type: string;
  /** For example `no-such-actor`, `ended-incarnation`, `stopped`, `poison`, `mailbox-full`, `message-too-large`. */
  readonly reason: string;
  readonly from: ActorPath;
  readonly atMs: number;
}

/** Dead letters of a thread or of a whole system. */
export interface DeadLettersSnapshot {
  readonly total: number;
  readonly byReason: Readonly<Record<string, number>>;
  /** The newest, oldest first; bounded. */
  readonly latest: readonly DeadLetter[];
}

/** Everything at once; the parts of different threads are from slightly different moments. */
export interface SystemSnapshot {
  readonly actors: readonly ActorSnapshot[];
  readonly supervisors: readonly SupervisorSnapshot[];
  readonly threads: readonly ThreadSnapshot[];
  readonly deadLetters: DeadLettersSnapshot;
}
