/**
 * What became of an order whose answer never came: asked from the venue until found, or proven dead by the venue's clock passing the
 * request's validity and then two not-found answers at least a second apart. A failed query proves nothing.
 */
import { orderObserved } from './orders.ts';
import { requestAll } from './requests.ts';
import { backoffMs } from './backoff.ts';
import { instant } from './state.ts';
import type { ConnectorSelf, ConnectorState, ResolveTrack } from './state.ts';
import { earliestVenueMs } from './venue-clock.ts';

const RETRY_MS = 1_000;
/** Pauses after failed queries, ms. */
const FAILED_RETRY = { minMs: RETRY_MS, maxMs: 10_000 } as const;
/** Doublings of the pause between questions. */
const DOUBLINGS_MAX = 5;
/** Margin after the validity's end before absence counts as proof. */
const PROOF_MARGIN_MS = 1_000;
/** Overlap when reading fills around an order, real ms. */
const FILL_OVERLAP_MS = 60_000;
/** Orders resolved at once. */
const RESOLVING_MAX = 1_000;

interface AskedOrder {
  readonly symbol: string;
  readonly clientOrderId: string;
  readonly validUntilMs: number;
}

/** Starts (or joins) the resolution of one order. */
export function resolveOrder(state: ConnectorState, self: ConnectorSelf, order: AskedOrder): void {
  noteUnresolved(state, self, order);
  advanceResolving(state, self);
}

/**
 * Takes an order in (or joins its resolution) without asking yet: several of them share one question once `advanceResolving` is
 * called. `whenResolved` is called once its outcome was told.
 */
export function noteUnresolved(
  state: ConnectorState,
  self: ConnectorSelf,
  order: AskedOrder,
  whenResolved?: () => void,
): void {
  const running = state.resolving.get(order.clientOrderId);
  if (running !== undefined) {
    if (whenResolved !== undefined) running.whenResolved.push(whenResolved);
    return;
  }
  if (state.resolving.size >= RESOLVING_MAX) {
    // Whoever asked asks again; nothing is concluded.
    self.count('resolutions-refused');
    return;
  }
  state.resolving.set(order.clientOrderId, {
    symbol: order.symbol,
    clientOrderId: order.clientOrderId,
    validUntilMs: provableFrom(state, order),
    notFound: 0,
    firstNotFoundAtMs: 0,
    askedPastValidity: false,
    active: false,
    asked: 0,
    failures: 0,
    retryAtMs: 0,
    whenResolved: whenResolved === undefined ? [] : [whenResolved],
  });
}

/** Whatever asks (a cancel has a validity of its own): absence proves nothing while the order itself may still be accepted. */
function provableFrom(
  state: ConnectorState,
  asked: { readonly clientOrderId: string; readonly validUntilMs: number },
): number {
  const known = state.orders.get(asked.clientOrderId)?.order;
  const restsUntilMs = known?.trigger === undefined ? (known?.restsUntilMs ?? 0) : 0;
  return Math.max(asked.validUntilMs, known?.validUntilMs ?? 0, restsUntilMs);
}

/** Asks again for every order that is due. */
export function advanceResolving(state: ConnectorState, self: ConnectorSelf): void {
  if (!state.isRunning || state.resolving.size === 0) return;
  const at = instant(self);
  // A symbol the venue does not list any more cannot be asked about.
  const due = [...state.resolving.values()].filter(
    (track) => !track.active && at.monotonicMs >= track.retryAtMs && state.instruments.has(track.symbol),
  );
  for (const track of due) {
    track.active = true;
    track.askedPastValidity = isPastValidity(state, self, track);
  }
  const needsFills = due.filter(isFillsWanted);
  for (const track of due) if (!needsFills.includes(track)) lookUp(state, self, track);
  const [first] = needsFills;
  if (first === undefined) return;
  // Fills come before the lookup they may explain, and one question serves all orders.
  const earliestMs = Math.min(...needsFills.map((track) => track.validUntilMs));
  const sinceMs = earliestMs - (state.args.requestValidityMs + FILL_OVERLAP_MS) * self.ports.calendar.scale;
  requestAll(state, self, [state.adapter.fillsSince(sinceMs, at)], { priority: 2 }, (outcome) => {
    for (const track of needsFills) {
      if (outcome.ok) lookUp(state, self, track);
      else asked(state, self, track, false);
    }
  });
}

/** Wanted once to learn at once, and once before absence can be proof: after that nothing can be filled any more. */
function isFillsWanted(track: ResolveTrack): boolean {
  return track.asked === 0 || (track.askedPastValidity && track.notFound === 0);
}

function lookUp(state: ConnectorState, self: ConnectorSelf, track: ResolveTrack): void {
  const questions = state.adapter.findOrder(track.symbol, track.clientOrderId, instant(self));
  requestAll(state, self, questions, { priority: 2 }, (outcome) => asked(state, self, track, outcome.ok));
}

function asked(state: ConnectorState, self: ConnectorSelf, track: ResolveTrack, ok: boolean): void {
  track.active = false;
  track.asked += 1;
  track.failures = ok ? 0 : track.failures + 1;
  track.retryAtMs = self.monotonicMs() + (ok ? pauseMs(state, self, track) : failurePauseMs(self, track));
  if (!ok) self.count('resolve-queries-failed');
}

/**
 * Questions cost what cancels and hedges live on too: until absence can be proof they become rarer, and the first that can
 * prove something comes right on time.
 */
function pauseMs(state: ConnectorState, self: ConnectorSelf, track: ResolveTrack): number {
  const venueMs = earliestVenueMs(state, self);
  if (venueMs === undefined || isPastValidity(state, self, track)) return RETRY_MS;
  const provableInMs = (provableFromMs(state, self, track) - venueMs) / self.ports.calendar.scale + 1;
  const rarerMs = RETRY_MS * 2 ** Math.min(track.asked - 1, DOUBLINGS_MAX);
  return Math.max(RETRY_MS, Math.min(rarerMs, provableInMs));
}

function failurePauseMs(self: ConnectorSelf, track: ResolveTrack): number {
  return backoffMs(track.failures, self.random('retry').nextFraction(), FAILED_RETRY);
}

/** The venue's answer to one question by client order id; the order's own report, if any, came just before. */
export function orderLookedUp(state: ConnectorState, self: ConnectorSelf, clientOrderId: string, found: boolean): void {
  const track = state.resolving.get(clientOrderId);
  if (track === undefined) return;
  if (found) {
    endResolving(state, clientOrderId);
    return;
  }
  if (!track.askedPastValidity) return;
  const now = self.monotonicMs();
  track.notFound += 1;
  if (track.notFound === 1) {
    track.firstNotFoundAtMs = now;
    return;
  }
  if (now - track.firstNotFoundAtMs < RETRY_MS) return;
  const isTold = orderObserved(state, self, track.symbol, clientOrderId, {
    status: 'not-found',
    code: 'PROVEN_DEAD',
    reason: 'validity ended and the venue does not know the order',
  });
  if (!isTold && state.orders.get(clientOrderId)?.phase === 'live') {
    // A fill says that it exists: the venue contradicts itself, and is asked again.
    self.count('lookups-contradicted');
    return;
  }
  self.count('orders-proven-dead');
  endResolving(state, clientOrderId);
}

/** The outcome of an order is known. */
export function endResolving(state: ConnectorState, clientOrderId: string): void {
  const track = state.resolving.get(clientOrderId);
  if (track === undefined) return;
  state.resolving.delete(clientOrderId);
  for (const tell of track.whenResolved) tell();
}

/** By the venue's clock; without a measured offset nothing is proven. */
function isPastValidity(state: ConnectorState, self: ConnectorSelf, track: ResolveTrack): boolean {
  const venueMs = earliestVenueMs(state, self);
  return venueMs !== undefined && venueMs > provableFromMs(state, self, track);
}

/** Calendar ms from which on absence is evidence: the request is dead, and the venue has had its time to list it. */
function provableFromMs(state: ConnectorState, self: ConnectorSelf, track: ResolveTrack): number {
  const { requestValidityMs, notFoundGraceMs } = state.args;
  const graceMs = Math.max(PROOF_MARGIN_MS, notFoundGraceMs - requestValidityMs);
  return track.validUntilMs + graceMs * self.ports.calendar.scale;
}
