/** What goes into a supervisor's state machine and what comes out of it, whatever its strategy. Types only. */
import type { AutoShutdown, ChildSpec, RestartStrategy, RestartType, SupervisorSpec } from './child-spec.ts';
import type { ChildRefusal, ChildRequest } from './child-requests.ts';

/** Why a child's life ended. `normal` and `shutdown` are orderly, the others abnormal. */
export interface ExitReason {
  readonly kind: 'normal' | 'shutdown' | 'crashed' | 'killed' | 'thread-died';
  readonly detail: string;
}

/**
 * `idle`: never started. `down`: to be started in its turn. `delayed`: to be started after its backoff. `ended`: not again
 * by itself.
 */
export type ChildPhase = 'idle' | 'starting' | 'running' | 'stopping' | 'killing' | 'down' | 'delayed' | 'ended';

/** Where a supervisor is between its start and its end. */
export type SupervisorPhase = 'idle' | 'starting' | 'running' | 'stopping' | 'ended';

/** The end of one child's life. */
export interface ChildExit {
  readonly id: string;
  readonly reason: ExitReason;
}

/** What a supervisor is told. */
export type SupervisorEvent =
  | { readonly type: 'start' }
  /** `info`: what the child's start handed over, if anything. */
  | { readonly type: 'child-started'; readonly id: string; readonly info?: unknown }
  | { readonly type: 'child-ignored'; readonly id: string }
  | { readonly type: 'child-start-failed'; readonly id: string; readonly reason: ExitReason }
  /** Children that ended together (a thread died) come in one event and count as one restart. */
  | { readonly type: 'children-exited'; readonly exits: readonly ChildExit[] }
  | { readonly type: 'timer'; readonly timer: string }
  /** Exactly one `reply` with this token follows, sooner or later. The request's specs are checked. */
  | { readonly type: 'request'; readonly token: number; readonly request: ChildRequest }
  | { readonly type: 'stop'; readonly reason: string }
  | { readonly type: 'kill'; readonly reason: string };

/** What a supervisor wants done; the tree does it in this order. */
export type SupervisorCommand =
  | { readonly type: 'start-child'; readonly id: string }
  | { readonly type: 'stop-child'; readonly id: string; readonly reason: string }
  | { readonly type: 'kill-child'; readonly id: string }
  /** Nobody lives there until it is started again, if ever: close its mailbox. */
  | { readonly type: 'retire-child'; readonly id: string }
  /** Makes room for a child that is not known yet. Its start, if it follows, fails when the id is another's. */
  | { readonly type: 'add-child'; readonly spec: ChildSpec }
  /** The child's next start uses this spec. */
  | { readonly type: 'change-child'; readonly spec: ChildSpec }
  /** The supervisor's next start uses this spec. */
  | { readonly type: 'change-spec'; readonly spec: SupervisorSpec }
  /** Forgets a child that is down, with its spec and mailbox. */
  | { readonly type: 'remove-child'; readonly id: string }
  | { readonly type: 'arm'; readonly timer: string; readonly delayMs: number }
  | { readonly type: 'disarm'; readonly timer: string }
  | {
      readonly type: 'restarting';
      readonly ids: readonly string[];
      readonly reason: ExitReason;
      readonly delayMs: number;
      readonly restartsInPeriod: number;
    }
  | { readonly type: 'reply'; readonly token: number; readonly reply: ChildReply }
  | { readonly type: 'started' }
  | { readonly type: 'ended'; readonly reason: ExitReason; readonly startFailed: boolean };

/** A ChildOutcome before the tree fills in which life an id stands for. */
export type ChildReply =
  | { readonly type: 'started'; readonly id: string; readonly info?: unknown }
  | { readonly type: 'ignored' }
  | { readonly type: 'done' }
  | { readonly type: 'refused'; readonly error: ChildRefusal; readonly detail: string; readonly id?: string };

/** One event, and what the decision about it depends on besides the state. */
export interface SupervisorInput {
  readonly event: SupervisorEvent;
  readonly nowMs: number;
  /** A fraction in [0, 1) for the backoff's jitter. */
  readonly jitter: number;
}

/** A child as whoever asks about it may see it. */
export interface SupervisedChild {
  readonly id: string;
  readonly type: ChildSpec['type'];
  readonly restart: RestartType;
  readonly significant: boolean;
  readonly phase: ChildPhase;
}

/** A supervisor's settings without its children, defaults filled in. */
export interface RestartLimits {
  readonly intensity: number;
  readonly periodMs: number;
  readonly backoffMinMs: number;
  readonly backoffMaxMs: number;
  readonly autoShutdown: AutoShutdown;
}

/** A running state machine; the tree owns one for each start of each supervisor. */
export interface SupervisorMachine {
  readonly strategy: RestartStrategy;
  readonly limits: RestartLimits;
  readonly phase: SupervisorPhase;
  /** Whether a restart of some of its children is under way. */
  readonly isRestarting: boolean;
  readonly restartTimesMs: readonly number[];
  readonly restartsTotal: number;
  take(input: SupervisorInput): readonly SupervisorCommand[];
  /** In start order; without those it has forgotten. */
  children(): readonly SupervisedChild[];
  phaseOf(id: string): ChildPhase | undefined;
  /** Child specs it has, for `countChildren`. */
  readonly specCount: number;
}
