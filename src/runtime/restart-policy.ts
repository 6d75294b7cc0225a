/**
 * What every supervisor decides alike: who is restarted, how long it waits, how often it may. Pure; any thread.
 *
 * What becomes of a child, by its restart type and how its life ended (a test holds this table and the code against each other):
 *
 * | from | event | to |
 * | ---- | ----- | -- |
 * | permanent | normal, shutdown, crashed, killed, thread-died | started again |
 * | transient | crashed, killed, thread-died | started again |
 * | transient | normal, shutdown | ended |
 * | temporary | normal, shutdown, crashed, killed, thread-died | ended |
 */
import type { ChildSpec, RestartType, SupervisorSpec } from './child-spec.ts';
import type { ExitReason, RestartLimits } from './supervisor-protocol.ts';

/** How one child is treated, defaults filled in. */
export interface ChildPolicy {
  readonly type: ChildSpec['type'];
  readonly restart: RestartType;
  /** Time for a graceful stop; Infinity waits for ever, 0 kills at once. */
  readonly shutdownMs: number;
  readonly significant: boolean;
}

/** Returns a supervisor's limits, defaults filled in. */
export function limitsOf(spec: SupervisorSpec): RestartLimits {
  return {
    intensity: spec.intensity ?? 5,
    periodMs: spec.periodMs ?? 30_000,
    backoffMinMs: spec.backoffMinMs ?? 50,
    backoffMaxMs: spec.backoffMaxMs ?? 5_000,
    autoShutdown: spec.autoShutdown ?? 'never',
  };
}

/** Returns how a child is treated, defaults filled in. */
export function policyOf(spec: ChildSpec): ChildPolicy {
  return {
    type: spec.type,
    restart: spec.restart ?? 'permanent',
    shutdownMs: spec.shutdownMs ?? (spec.type === 'supervisor' ? Infinity : 5_000),
    significant: spec.significant ?? false,
  };
}

/** OTP: permanent always; transient unless it ended normally or by shutdown; temporary never. */
export function isRestarted(restart: RestartType, reason: ExitReason): boolean {
  if (restart === 'temporary') return false;
  return restart === 'permanent' || (reason.kind !== 'normal' && reason.kind !== 'shutdown');
}

/** Returns the times of the restarts inside the sliding window that ends now, this one included. */
export function restartTimesAfter(timesMs: readonly number[], nowMs: number, periodMs: number): readonly number[] {
  return [...timesMs.filter((atMs) => atMs >= nowMs - periodMs), nowMs];
}

/** Returns a child's restarts in a row, this one included; a life of `backoffMaxMs` starts the count anew. */
export function attemptsAfter(
  child: { readonly startedAtMs: number; readonly attempts: number },
  nowMs: number,
  limits: RestartLimits,
): number {
  const wasHealthy = child.startedAtMs >= 0 && nowMs - child.startedAtMs >= limits.backoffMaxMs;
  return wasHealthy ? 1 : child.attempts + 1;
}

/** The first restart is immediate, then full jitter below an exponential cap. `jitter` is a fraction in [0, 1). */
export function backoffMs(attempts: number, limits: RestartLimits, jitter: number): number {
  if (attempts <= 1) return 0;
  return jitter * Math.min(limits.backoffMaxMs, limits.backoffMinMs * 2 ** (attempts - 2));
}

/** Returns why a supervisor that restarted too often ends: to be told to its parent. */
export function intensityReached(limits: RestartLimits, id: string, reason: ExitReason): ExitReason {
  return {
    kind: 'shutdown',
    detail: `reached its restart intensity of ${limits.intensity} in ${limits.periodMs} ms; last: "${id}" ${reason.detail}`,
  };
}

/** Returns why a supervisor ends with a significant child. */
export function significantEnded(id: string, reason: ExitReason): ExitReason {
  return { kind: 'shutdown', detail: `its significant child "${id}" ended: ${reason.detail}` };
}
