/** How a supervisor starts and restarts its children, in OTP's words. Plain data: built from config on the main thread. */

/** permanent: always restarted. transient: only after an abnormal end. temporary: never. */
export type RestartType = 'permanent' | 'transient' | 'temporary';

/**
 * Which siblings a restart takes along: the dead one alone, all, or it and those started after it. `simple-one-for-one`:
 * any number of dynamic children made from one template (its only child spec), restarted one by one, stopped in parallel.
 */
export type RestartStrategy = 'one-for-one' | 'one-for-all' | 'rest-for-one' | 'simple-one-for-one';

/** Whether a supervisor ends itself when significant children ended by themselves and are not restarted. */
export type AutoShutdown = 'never' | 'any-significant' | 'all-significant';

/** How to start one actor, at each of its lives anew. */
export interface ActorSpec {
  readonly type: 'actor';
  /** Last segment(s) of the path, unique under its supervisor, for example `position/BTC`. The path is the id itself. */
  readonly id: string;
  /** Name of a registered actor kind. */
  readonly kind: string;
  /** Plain data handed to `start` at each incarnation. */
  readonly args: unknown;
  readonly restart?: RestartType; // default permanent
  /** Time for a graceful stop before it is killed, ms: 0 kills at once, Infinity waits for ever. Default 5,000. */
  readonly shutdownMs?: number;
  /** Counts for its supervisor's `autoShutdown`. Transient and temporary children only. Default false. */
  readonly significant?: boolean;
  /** Name of the thread that hosts it, for example `io-0`. Default: the supervisor's own thread. */
  readonly thread?: string;
  /** Bounds of its mailbox; see mailbox.ts for defaults. */
  readonly mailboxMessagesMax?: number;
}

/** How to start one supervisor with its children. */
export interface SupervisorSpec {
  readonly type: 'supervisor';
  readonly id: string;
  readonly strategy?: RestartStrategy; // default one-for-one
  /** More than `intensity` restarts within `periodMs` end the supervisor, and its parent decides. Defaults 5 in 30,000. */
  readonly intensity?: number;
  readonly periodMs?: number;
  /** First restart is immediate; then exponential with full jitter between these. Defaults 50 and 5,000 ms. */
  readonly backoffMinMs?: number;
  readonly backoffMaxMs?: number;
  readonly restart?: RestartType;
  /** Default Infinity: a tree takes the time its leaves need. */
  readonly shutdownMs?: number;
  readonly significant?: boolean;
  readonly autoShutdown?: AutoShutdown; // default never
  /** Default for the actors below. */
  readonly thread?: string;
  readonly children: readonly ChildSpec[];
  /**
   * Called at each start of this supervisor, on the main thread: what it returns replaces the fields above. `ignore` starts
   * nothing and is no failure; a throw or a faulty answer fails the start. Cannot come from another thread.
   */
  readonly init?: () => SupervisorInit | 'ignore';
}

/** What a supervisor decides anew at each start. */
export type SupervisorInit = Partial<
  Pick<
    SupervisorSpec,
    'strategy' | 'intensity' | 'periodMs' | 'backoffMinMs' | 'backoffMaxMs' | 'autoShutdown' | 'children'
  >
>;

/** What a supervisor starts: actors and other supervisors. */
export type ChildSpec = ActorSpec | SupervisorSpec;
