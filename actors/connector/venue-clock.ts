/** What time it is at the venue, and whether that is known well enough to trade. Connector thread. */
import { bestOffset, unknownClockOffset } from '../../src/venues/clock-offset.ts';
import { instant } from './state.ts';
import type { ConnectorSelf, ConnectorState } from './state.ts';

/** Beyond these, real ms, signed expiries and venue times mean nothing: no entries (domain 13.4). */
const OFFSET_MAX_MS = 2_000;
const ERROR_MAX_MS = 1_000;
/** An offset that stays is told again after this, ms. */
const WARN_AGAIN_MS = 600_000;
/** A larger difference between the steps of our two clocks, real ms, means that our calendar was set. */
const JUMP_MS = 250;

/** Returns whether entries may rest on the venue's clock. */
export function isClockTrusted(state: ConnectorState, self: ConnectorSelf): boolean {
  const best = bestOffset(state.clock, self.monotonicMs());
  return best !== undefined && Math.abs(best.offsetMs) <= OFFSET_MAX_MS && best.errorMs <= ERROR_MAX_MS;
}

/** Returns the earliest time it can be at the venue now, calendar ms; undefined while its clock is unknown. */
export function earliestVenueMs(state: ConnectorState, self: ConnectorSelf): number | undefined {
  const best = bestOffset(state.clock, self.monotonicMs());
  return best === undefined ? undefined : self.nowMs() + (best.offsetMs - best.errorMs) * self.ports.calendar.scale;
}

/** Warns of an offset that is no danger yet, when it appears and again while it stays. Called every tick. */
export function watchVenueClock(state: ConnectorState, self: ConnectorSelf): void {
  const now = self.monotonicMs();
  const best = bestOffset(state.clock, now);
  if (best === undefined || Math.abs(best.offsetMs) <= state.args.clockWarnOffsetMs) {
    state.clockWarnedAtMs = undefined;
    return;
  }
  if (state.clockWarnedAtMs !== undefined && now - state.clockWarnedAtMs < WARN_AGAIN_MS) return;
  state.clockWarnedAtMs = now;
  self.count('clock-warnings');
  const { venue, account, clockWarnOffsetMs } = state.args;
  self.log('warn', 'venue-clock-off', {
    venue,
    account,
    offsetMs: Math.round(best.offsetMs),
    limitMs: clockWarnOffsetMs,
  });
}

/** Notices that our calendar was set: everything measured against it is measured again. Called every tick. */
export function watchOwnClock(state: ConnectorState, self: ConnectorSelf): void {
  const at = instant(self);
  const { scale } = self.ports.calendar;
  const stepMs = (at.calendarMs - state.lastTickAt.calendarMs) / scale;
  const jumpMs = stepMs - (at.monotonicMs - state.lastTickAt.monotonicMs);
  state.lastTickAt = at;
  if (Math.abs(jumpMs) <= JUMP_MS) return;
  self.count('own-clock-jumps');
  self.log('warn', 'own-clock-jumped', { jumpMs: Math.round(jumpMs) });
  state.clock = unknownClockOffset;
  state.serverTime.nextAtMs = at.monotonicMs;
}
