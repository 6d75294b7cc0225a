/**
 * The venue's dead man's switch: armed while the account is compared, armed again at a third of its time. When this process can no
 * longer reach the venue, the venue cancels what rests there by itself; it hedges nothing. Connector thread.
 *
 * It takes stops along, which wait for that very time: where they are kept it stays unarmed.
 */
import { retryPauseMs } from './requests.ts';
import type { ConnectorSelf, ConnectorState } from './state.ts';
import { enqueueForAccount } from './submissions.ts';

/** One that was missed leaves two more within the time. */
const RENEWALS = 3;
/** Refused again and again, the venue does not offer it to this account: asked from time to time, ms. */
const REFUSED_PAUSE_MS = 600_000;
const REFUSED_MAX = 3;

/** Arms it when that is due. Called every tick. */
export function advanceDeadMan(state: ConnectorState, self: ConnectorSelf): void {
  const { adapter, deadMan, args } = state;
  // On the way out it has its shortest time.
  if (state.leave !== undefined) return;
  if (adapter.deadMan === undefined || args.withoutDeadMan === true || !state.reconciled) return;
  if (args.withStops === true && adapter.hasStops === true) return;
  if (deadMan.active || self.monotonicMs() < deadMan.nextAtMs) return;
  armDeadMan(state, self, adapter.deadMan.usualMs);
}

/** Starts its time anew, whatever it was armed for; false when there is none or too many requests wait. */
export function armDeadMan(state: ConnectorState, self: ConnectorSelf, forMs: number, done?: () => void): boolean {
  const { adapter, deadMan } = state;
  if (adapter.deadMan === undefined) return false;
  const askedAtMs = self.monotonicMs();
  deadMan.active = true;
  const isQueued = enqueueForAccount(state, self, 'dead-man', adapter.deadMan.arm(forMs), {
    priority: 2,
    ended: (outcome) => {
      deadMan.active = false;
      if (outcome === 'accepted') armed(state, self, askedAtMs, forMs);
      else notArmed(state, self);
      done?.();
    },
  });
  deadMan.active = isQueued;
  return isQueued;
}

function armed(state: ConnectorState, self: ConnectorSelf, askedAtMs: number, forMs: number): void {
  const { deadMan, args } = state;
  if (deadMan.failures >= REFUSED_MAX)
    self.log('info', 'dead-man-armed', { venue: args.venue, account: args.account, ms: forMs });
  deadMan.failures = 0;
  deadMan.nextAtMs = askedAtMs + forMs / RENEWALS;
  self.count('dead-man-armed');
}

function notArmed(state: ConnectorState, self: ConnectorSelf): void {
  const { deadMan, args } = state;
  deadMan.failures += 1;
  const isOff = deadMan.failures >= REFUSED_MAX;
  deadMan.nextAtMs = self.monotonicMs() + (isOff ? REFUSED_PAUSE_MS : retryPauseMs(self, deadMan.failures));
  self.count('dead-man-refused');
  // Said once: without it what rests at the venue stays there when this process dies.
  if (deadMan.failures === REFUSED_MAX)
    self.log('warn', 'dead-man-off', { venue: args.venue, account: args.account, failures: deadMan.failures });
}
