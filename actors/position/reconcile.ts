/** Comparing with venues: asking, believing the answers, and noticing positions that are not ours. */
import { refOf } from '../../src/runtime/actor.ts';
import { decodeClientOrderId } from '../../src/execution/client-order-id.ts';
import { applyToOrder } from '../../src/execution/execution-book.ts';
import { provableAfterMs } from '../../src/execution/facts.ts';
import { bookOf, pairLots } from '../../src/execution/ledger.ts';
import { isSettled, isTerminal } from '../../src/execution/order-state.ts';
import { isActive } from '../../src/execution/pair-state.ts';
import { isStop } from '../../src/execution/protective-stop.ts';
import { positionQueried, positionTruth } from '../../src/execution/position-truth.ts';
import type { ConnectorEvent, ConnectorMessage } from '../connector-messages.ts';
import type { GuardMessage } from '../guard-messages.ts';
import { adjust } from './adjust.ts';
import { isReachable, legKeyOf, trackOf, venueKey } from './state.ts';
import type { PositionSelf, PositionState, VenueTrack } from './state.ts';

/** Least time between two comparisons of one venue, monotonic ms. */
const RECONCILE_PAUSE_MS = 500;
/** An unanswered comparison is asked again after this and the time its orders need, monotonic ms. */
const RECONCILE_OVERDUE_MS = 15_000;
/** Fills are asked for from a little before the newest known fact, real ms. */
const OVERLAP_MS = 60_000;

/** Asks a venue to compare, unless it is being asked, was asked a moment ago, or cannot answer. */
export function askToReconcile(state: PositionState, self: PositionSelf, track: VenueTrack): void {
  const key = legKeyOf(track);
  if (key === undefined || track.reconcile !== undefined || !isReachable(track.status)) return;
  if (self.monotonicMs() - track.lastReconcileAtMs < RECONCILE_PAUSE_MS) return;
  const { calendarScale, execution } = state.args;
  // A stop is no reason to doubt a position: its fills are read like any, and nobody waits for what becomes of it.
  const orders = [...state.book.orders.values()].filter(
    (order) =>
      order.planned.venue === track.venue &&
      order.planned.account === track.account &&
      !isSettled(order) &&
      !isStop(order),
  );
  // Before the first comparison nobody knows whether a planned order left; later, this actor does.
  const asked = orders.filter((order) => (track.reconciled ? order.status !== 'PLANNED' : true));
  const now = self.nowMs();
  const earliest = Math.min(
    track.lastFactAtMs === 0 ? now : track.lastFactAtMs,
    ...asked.map((order) => order.planned.plannedAtMs),
  );
  state.lastReconcileId += 1;
  const id = state.lastReconcileId;
  const overdueMs = RECONCILE_OVERDUE_MS + (asked.length > 0 ? track.requestValidityMs + execution.order.resolveMs : 0);
  track.reconcile = {
    id,
    endedOrders: asked.filter(isTerminal).map((order) => order.planned.clientOrderId),
    waitingStops: waitingStops(state, track),
    overdue: self.after(overdueMs, { type: 'reconcile-overdue', reconcileId: id }),
  };
  self.tell(refOf<ConnectorMessage>(track.connectorPath), {
    type: 'reconcile-symbol',
    reconcileId: id,
    symbol: key.symbol,
    sinceMs: earliest - OVERLAP_MS * calendarScale,
    // An order given up is not waited for again: the position itself, read after its validity, decides (domain 8.1).
    orders: asked
      .filter((order) => order.status !== 'LOST')
      .map((order) => ({
        clientOrderId: order.planned.clientOrderId,
        validUntilMs: provableAfterMs(order.planned),
      })),
    replyTo: self.ref,
  });
}

/** Returns the stops that wait at a venue as far as we know. */
export function waitingStops(state: PositionState, { venue, account }: VenueTrack): readonly string[] {
  return [...state.book.orders.values()]
    .filter((order) => isStop(order) && order.status === 'OPEN')
    .filter(({ planned }) => planned.venue === venue && planned.account === account)
    .map(({ planned }) => planned.clientOrderId);
}

/** The comparison is over; all facts it found came before. Returns false when it proves nothing. */
export function reconciled(
  state: PositionState,
  self: PositionSelf,
  answer: Extract<ConnectorEvent, { type: 'reconciled' }>,
): boolean {
  const track = trackOf(state, answer);
  const key = track === undefined ? undefined : legKeyOf(track);
  if (track?.reconcile === undefined || track.reconcile.id !== answer.reconcileId || key === undefined) return false;
  const { endedOrders, waitingStops: expected, overdue } = track.reconcile;
  self.cancel(overdue);
  track.reconcile = undefined;
  track.lastReconcileAtMs = self.monotonicMs();
  if (!answer.ok) {
    self.count('reconciles-failed');
    return false;
  }
  track.reconciled = true;
  track.queryFirst = false;
  for (const clientOrderId of endedOrders) applyToOrder(state.book, clientOrderId, { type: 'fills-confirmed' });
  const ledgerLots = bookOf(state.book.ledger, key).signedLots;
  track.watch = positionQueried(track.watch, answer.signedLots, ledgerLots, self.monotonicMs());
  cancelStrangers(state, self, track, key.symbol, answer.openClientOrderIds);
  const open = new Set(answer.openClientOrderIds);
  track.missedStops = expected.filter((clientOrderId) => !open.has(clientOrderId));
  return true;
}

/** An open order that carries our mark but stands in no journal row must not stay. */
function cancelStrangers(
  state: PositionState,
  self: PositionSelf,
  track: VenueTrack,
  symbol: string,
  openClientOrderIds: readonly string[],
): void {
  for (const clientOrderId of openClientOrderIds) {
    const isOurs = decodeClientOrderId(clientOrderId)?.symbolIndex === state.args.symbolIndex;
    if (!isOurs || state.book.orders.has(clientOrderId)) continue;
    self.log('error', 'unjournaled-order', { venue: track.venue, account: track.account, symbol, clientOrderId });
    self.tell(refOf<ConnectorMessage>(track.connectorPath), {
      type: 'cancel-order',
      symbol,
      clientOrderId,
      replyTo: self.ref,
    });
  }
}

export function reconcileOverdue(state: PositionState, self: PositionSelf, reconcileId: number): void {
  for (const track of state.venues.values()) {
    if (track.reconcile?.id !== reconcileId) continue;
    self.count('reconciles-overdue');
    track.reconcile = undefined;
  }
}

/** Asks every listed venue that was not compared in this life. */
export function reconcileNewVenues(state: PositionState, self: PositionSelf): void {
  for (const track of state.venues.values()) if (!track.reconciled) askToReconcile(state, self, track);
}

/** Looks for lots that are not ours, beside our legs and where we have none: told, and entries blocked until they are gone. */
export function watchExternalExposure(state: PositionState, self: PositionSelf): void {
  const record = state.pair?.record;
  const active = record !== undefined && isActive(record.phase) ? record : undefined;
  const now = self.monotonicMs();
  for (const track of state.venues.values()) {
    const key = legKeyOf(track);
    if (key === undefined || !track.reconciled) continue;
    const ledgerLots = bookOf(state.book.ledger, key).signedLots;
    const truth = positionTruth(track.watch, ledgerLots);
    if (active !== undefined && [active.long, active.short].some((leg) => venueKey(leg) === venueKey(track))) {
      // What differs here is the pair's to find out; what is known and not the pair's is not.
      const own = state.args.execution.delta.claimExternal
        ? ledgerLots
        : pairLots(state.book.ledger, active.pairId, key);
      if (truth.kind === 'confirmed') tellExternal(self, track, key.symbol, ledgerLots - own);
      continue;
    }
    if (truth.kind === 'unknown') {
      track.differsSinceMs ??= now;
      if (now - track.differsSinceMs >= state.args.execution.reconcile.recentMs) askToReconcile(state, self, track);
      continue;
    }
    track.differsSinceMs = undefined;
    if (truth.kind === 'contradicted') adjust(state, self, track, truth.lots, '');
    tellExternal(self, track, key.symbol, truth.lots);
  }
}

/** A newer word of the venue that contradicts our fills for longer than this is nobody's passing moment, monotonic ms (domain 12.3). */
const MISMATCH_MS = 60_000;

/** Tells the guard of contradictions that stay: whatever is wrong with our books, nothing more is built on them. Once per contradiction. */
export function watchMismatches(state: PositionState, self: PositionSelf): void {
  const now = self.monotonicMs();
  for (const track of state.venues.values()) {
    const key = legKeyOf(track);
    const { reportedLots, reportedAtMs, lastFillAtMs } = track.watch;
    const ledgerLots = key === undefined ? 0 : bookOf(state.book.ledger, key).signedLots;
    // A word older than our newest fill contradicts nothing: it only comes too late.
    const isAtOdds = reportedLots !== undefined && reportedLots !== ledgerLots && reportedAtMs >= lastFillAtMs;
    if (key === undefined || reportedLots === undefined || !isAtOdds) {
      track.mismatch = undefined;
      continue;
    }
    track.mismatch ??= { sinceMs: now, isTold: false };
    const ageMs = now - track.mismatch.sinceMs;
    if (track.mismatch.isTold || ageMs < MISMATCH_MS) continue;
    track.mismatch.isTold = true;
    const { venue, account } = track;
    self.count('position-mismatches');
    self.log('error', 'position-mismatch', { venue, account, symbol: key.symbol, reportedLots, ledgerLots, ageMs });
    self.tell(refOf<GuardMessage>(state.args.guardPath), {
      type: 'position-mismatch',
      venue,
      account,
      symbol: key.symbol,
      reportedLots,
      ledgerLots,
      ageMs,
    });
  }
}

/** Alarms once for each time that lots of somebody else appear; they block entries until they are gone. */
function tellExternal(self: PositionSelf, track: VenueTrack, symbol: string, lots: number): void {
  const { venue, account } = track;
  if (lots !== 0 && !track.external) {
    self.count('external-exposures');
    self.log('error', 'external-exposure', { venue, account, symbol, lots });
  }
  track.external = lots !== 0;
}
