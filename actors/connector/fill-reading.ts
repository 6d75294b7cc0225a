/**
 * Fills where no stream tells them: read as soon as an order is said to have filled more than its fills add up to, and again at growing
 * pauses while that is so. The regular comparison finds whatever these readings leave.
 */
import { requestAll } from './requests.ts';
import { instant } from './state.ts';
import type { ConnectorSelf, ConnectorState } from './state.ts';

/** How far back is read, real ms: orders in doubt are of the last moments. */
const LOOK_BACK_MS = 60_000;
/** A list may lag behind the word of an order: asked again after this, doubled each time. */
const PAUSE_MS = 250;
const PAUSE_MAX_MS = 8_000;
/** Reading together what fills together: one question for all orders of a moment. */
const TRIES_MAX = 8;

/** An order was reported: reads fills when it tells of some that are not known. */
export function missingFills(state: ConnectorState, self: ConnectorSelf): void {
  if (state.adapter.streamsNoFills !== true) return;
  state.fillReading.tries = 0;
  state.fillReading.nextAtMs = 0;
  advanceFillReading(state, self);
}

/** Reads what is missing. Called every tick too. */
export function advanceFillReading(state: ConnectorState, self: ConnectorSelf): void {
  const { fillReading, adapter } = state;
  if (adapter.streamsNoFills !== true || fillReading.active || self.monotonicMs() < fillReading.nextAtMs) return;
  if (fillReading.tries >= TRIES_MAX || !areMissing(state)) return;
  const at = instant(self);
  const sinceMs = at.calendarMs - LOOK_BACK_MS * self.ports.calendar.scale;
  fillReading.active = true;
  fillReading.nextAtMs = at.monotonicMs + Math.min(PAUSE_MAX_MS, PAUSE_MS * 2 ** fillReading.tries);
  fillReading.tries += 1;
  self.count('fills-asked');
  requestAll(state, self, [adapter.fillsSince(sinceMs, at)], { priority: 2 }, () => {
    fillReading.active = false;
    // What filled meanwhile has its own reading.
    if (fillReading.nextAtMs === 0) advanceFillReading(state, self);
  });
}

function areMissing({ orders }: ConnectorState): boolean {
  for (const { reportedLots, fillLots } of orders.values()) if (reportedLots > fillLots) return true;
  return false;
}
