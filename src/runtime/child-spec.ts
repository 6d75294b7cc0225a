/** How a supervisor starts and restarts its children, in OTP's words. Plain data: built from config on the main thread. */

/** permanent: always restarted. transient: only after an abnormal end. temporary: never. */
export type RestartType = 'permanent' | 'transient' | 'temporary';

/** Which siblings a restart takes along: the dead one alone, all, or it and those started after it. */
export type RestartStrategy = 'one-for-one' | 'one-for-all' | 'rest-for-one';

export interface ActorSpec {
  readonly type: 'actor';
  /** Last segment(s) of the path, unique under its supervisor, for example `position/BTC`. The path is the id itself. */
  readonly id: string;
  /** Name of a registered actor kind. */
  readonly kind: string;
  /** Plain data handed to `start` at each incarnation. */
  readonly args: unknown;
  readonly restart?: RestartType; // default permanent
  /** Time for a graceful stop before it is removed, ms. Default 5,000. */
  readonly shutdownMs?: number;
  /** Name of the thread that hosts it, for example `io-0`. Default: the supervisor's own thread. */
  readonly thread?: string;
  /** Bounds of its mailbox; see mailbox.ts for defaults. */
  readonly mailboxMessagesMax?: number;
}

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
  readonly shutdownMs?: number;
  readonly thread?: string;
  readonly children: readonly ChildSpec[];
}

export type ChildSpec = ActorSpec | SupervisorSpec;
