/**
 * What became of an order whose answer never came: asked from the venue until found, or proven dead by the venue's clock passing the
 * request's validity and two not-found answers at least a second apart after that. A failed query proves nothing.
 */
import { bestOffset } from '../../src/venues/clock-offset.ts';
import { changeOrder } from './submissions.ts';
import { requestAll } from './operations.ts';
import { instant } from './state.ts';
import type { ConnectorSelf, ConnectorState, ResolveTrack } from './state.ts';

const RETRY_MS = 1_000;
/** Margin after the validity's end before absence counts as proof. */
const PROOF_MARGIN_MS = 1_000;
/** Overlap when reading fills around an order, real ms. */
const FILL_OVERLAP_MS = 60_000;

/** Starts (or joins) the resolution of one order. */
export function resolveOrder(state: ConnectorState, self: ConnectorSelf, symbol: string, clientOrderId: string, validUntilMs: number, whenResolved?: () => void): void {
  const running = state.resolving.get(clientOrderId);
  if (running !== undefined) {
    if (whenResolved !== undefined) running.whenResolved.push(whenResolved);
    return;
  }
  state.resolving.set(clientOrderId, {
    symbol,
    clientOrderId,
    validUntilMs,
    notFound: 0,
    firstNotFoundAtMs: 0,
    active: false,
    retryAtMs: 0,
    whenResolved: whenResolved === undefined ? [] : [whenResolved],
  });
  advanceResolving(state, self);
}

/** Asks again for every order that is due. */
export function advanceResolving(state: ConnectorState, self: ConnectorSelf): void {
  const at = instant(self);
  for (const track of state.resolving.values()) {
    if (track.active || at.monotonicMs < track.retryAtMs) continue;
    track.active = true;
    const sinceMs = track.validUntilMs - (state.args.requestValidityMs + FILL_OVERLAP_MS) * self.ports.calendar.scale;
    const questions = [state.adapter.fillsSince(sinceMs, at), ...state.adapter.findOrder(track.symbol, track.clientOrderId, at)];
    requestAll(state, self, questions, 2, (outcome) => {
      track.active = false;
      track.retryAtMs = self.monotonicMs() + RETRY_MS;
      if (!outcome.ok) self.count('resolve-queries-failed');
    });
  }
}

/** The venue's answer to one question by client order id; the order's own report, if any, came just before. */
export function orderFound(state: ConnectorState, self: ConnectorSelf, clientOrderId: string, found: boolean): void {
  const track = state.resolving.get(clientOrderId);
  if (track === undefined) return;
  if (found) {
    finish(state, track);
    return;
  }
  const now = self.monotonicMs();
  if (!pastValidity(state, self, track)) return;
  track.notFound += 1;
  if (track.notFound === 1) track.firstNotFoundAtMs = now;
  else if (now - track.firstNotFoundAtMs >= RETRY_MS) {
    self.count('orders-proven-dead');
    changeOrder(state, self, clientOrderId, 'not-found', 'PROVEN_DEAD', 'validity ended and the venue does not know the order', undefined);
    finish(state, track);
  }
}

function finish(state: ConnectorState, track: ResolveTrack): void {
  state.resolving.delete(track.clientOrderId);
  for (const tell of track.whenResolved) tell();
}

function pastValidity(state: ConnectorState, self: ConnectorSelf, track: ResolveTrack): boolean {
  const { scale } = self.ports.calendar;
  const offset = bestOffset(state.clock);
  // The venue's clock decides; without a measured offset nothing is proven.
  if (offset === undefined) return false;
  const venueNowMs = self.nowMs() + (offset.offsetMs - offset.errorMs) * scale;
  return venueNowMs > track.validUntilMs + PROOF_MARGIN_MS * scale;
}
