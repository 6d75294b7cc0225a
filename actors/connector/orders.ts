/**
 * What became of our orders: the venue's reports, fills and our own observations, joined so that evidence never goes back.
 *
 * All that changes an order's phase (a test holds this table and the code against each other). `ended by us` is an end that we
 * concluded from a refusal or a lookup: the venue's own report outranks it.
 *
 * | from | event | to |
 * | ---- | ----- | -- |
 * | unsent, unknown | observed sending, observed accepted | sent |
 * | unsent, sent | observed unknown | unknown |
 * | unsent, sent, unknown | observed refused, observed not-found | ended by us |
 * | unsent, sent, unknown, ended by us | reported open | live |
 * | unsent, sent, unknown | part filled | live |
 * | unsent, sent, unknown, live | rest filled | ended |
 * | unsent, sent, unknown, live, ended by us | reported filled, reported cancelled, reported rejected, reported expired | ended |
 */
import type { FillReport, OrderReport, OrderRequest, RefusalClass } from '../../src/venues/venue.ts';
import type { WorkingOrder } from '../../src/risk/approval.ts';
import type { ActorRef } from '../../src/runtime/actor.ts';
import type { ConnectorEvent, OrderEvent, OrderPurpose } from '../connector-messages.ts';
import { tellDurably } from './facts.ts';
import { keepNewest } from './state.ts';
import type { ConnectorSelf, ConnectorState, OrderTrack } from './state.ts';

/** Orders of this life that are remembered: a repeat is answered from here. Repeats come within seconds. */
const ORDERS_MAX = 5_000;
/** Open orders at the venue that are remembered, foreign ones included. */
const OPEN_ORDERS_MAX = 5_000;

type OrderChanged = Extract<OrderEvent, { type: 'order-changed' }>;

/** Remembers a new order; false when too many are still live. */
export function rememberOrder(
  state: ConnectorState,
  self: ConnectorSelf,
  order: OrderRequest,
  purpose: OrderPurpose['purpose'],
  replyTo: ActorRef<ConnectorEvent>,
): boolean {
  if (state.orders.size >= ORDERS_MAX && !forgetOneEnded(state)) return false;
  state.orders.set(order.clientOrderId, {
    order,
    purpose,
    replyTo,
    phase: 'unsent',
    reportedLots: 0,
    fillLots: 0,
    venueOrderId: '',
    lastEvent: undefined,
    changedAtMs: self.monotonicMs(),
    trace: self.tracing.current(),
  });
  return true;
}

function forgetOneEnded(state: ConnectorState): boolean {
  for (const [clientOrderId, track] of state.orders) {
    if (track.phase !== 'ended') continue;
    state.orders.delete(clientOrderId);
    return true;
  }
  return false;
}

/** Orders on the account that may still execute, unknown ones included, except one. */
export function workingOrders(
  state: ConnectorState,
  exceptClientOrderId: string,
): readonly (WorkingOrder & { readonly symbol: string })[] {
  const working = [];
  for (const [clientOrderId, { order, phase, reportedLots, fillLots }] of state.orders) {
    if (clientOrderId === exceptClientOrderId || phase === 'ended') continue;
    const { symbol, side, reduceOnly } = order;
    const remainingLots = order.lots - Math.max(reportedLots, fillLots);
    // Executed in part, it waits no more.
    const isWaiting = order.trigger !== undefined && remainingLots === order.lots;
    working.push({ symbol, side, reduceOnly, remainingLots, isWaiting });
  }
  for (const report of state.openOrders.values()) {
    if (state.orders.has(report.clientOrderId)) continue;
    const { symbol, side, isWaiting = false } = report;
    // Whether it only reduces is not known here: counted as if it could open, except what waits. Only our own stops do.
    working.push({
      symbol,
      side,
      reduceOnly: isWaiting,
      remainingLots: report.lots - (report.filledLots ?? 0),
      isWaiting,
    });
  }
  return working;
}

/** An order as the venue reports it, from a stream, a list or a query. */
export function orderReported(state: ConnectorState, self: ConnectorSelf, report: OrderReport): void {
  rememberOpen(state, report);
  if (report.clientOrderId === '') {
    self.count('foreign-orders');
    return;
  }
  const track = state.orders.get(report.clientOrderId);
  if (track?.phase === 'ended' && report.status === 'open') {
    if (!isEndedByUs(track)) {
      // A list written before the end, read after it.
      self.count('reports-older');
      return;
    }
    // A refusal matched to the wrong request, or a lookup that lied: the venue's own report outranks what we concluded.
    self.count('endings-contradicted');
    self.log('error', 'ending-contradicted', { venue: state.args.venue, clientOrderId: report.clientOrderId });
  }
  if (track !== undefined) {
    track.reportedLots = Math.max(track.reportedLots, report.filledLots ?? 0);
    track.venueOrderId = report.venueOrderId;
    track.phase = report.status === 'open' ? 'live' : 'ended';
  }
  // The sequence may be a time: two fills within one ms are two facts.
  self.tracing.within(track?.trace ?? 0, () =>
    tellOrder(state, self, track, `${report.filledLots ?? ''}`, {
      symbol: report.symbol,
      clientOrderId: report.clientOrderId,
      status: report.status,
      venueOrderId: report.venueOrderId,
      ...(report.filledLots === undefined ? {} : { filledLots: report.filledLots }),
      code: '',
      reason: report.reason ?? '',
      atMs: report.venueAtMs,
      sequence: report.sequence,
    }),
  );
}

function isEndedByUs(track: OrderTrack): boolean {
  return track.lastEvent?.status === 'refused' || track.lastEvent?.status === 'not-found';
}

/** Returns orders that had left before then, have no end that we know, and are not open at the venue. */
export function ordersInDoubt(state: ConnectorState, sinceMs: number): readonly OrderRequest[] {
  const doubtful = [];
  for (const [clientOrderId, { order, phase, changedAtMs }] of state.orders) {
    if ((phase === 'sent' || phase === 'live') && changedAtMs < sinceMs && !state.openOrders.has(clientOrderId))
      doubtful.push(order);
  }
  return doubtful;
}

/** Replaces the list of open orders by the venue's own. */
export function openOrdersListed(state: ConnectorState, self: ConnectorSelf, orders: readonly OrderReport[]): void {
  state.openOrders = new Map();
  for (const order of orders) orderReported(state, self, order);
}

function rememberOpen(state: ConnectorState, report: OrderReport): void {
  const key = report.clientOrderId === '' ? `venue ${report.venueOrderId}` : report.clientOrderId;
  if (report.status === 'open') state.openOrders.set(key, report);
  else state.openOrders.delete(key);
  keepNewest(state.openOrders, OPEN_ORDERS_MAX);
}

/** A fill proves that its order was accepted. Returns false when this life knew it already. */
export function orderFilled(state: ConnectorState, self: ConnectorSelf, fill: FillReport): boolean {
  const { venue, account } = state.args;
  const event: OrderEvent = { type: 'fill-received', venue, account, symbol: fill.symbol, fill };
  const track = state.orders.get(fill.clientOrderId);
  const id = `fill:${venue}:${account}:${fill.fillId}`;
  const isNew = self.tracing.within(track?.trace ?? 0, () => tellDurably(state, self, 'fill', id, event));
  if (!isNew) return false;
  if (track === undefined) return true;
  track.fillLots += fill.lots;
  track.changedAtMs = self.monotonicMs();
  if (track.phase !== 'ended') track.phase = track.fillLots >= track.order.lots ? 'ended' : 'live';
  return true;
}

/** What this connector itself observed about an order. */
export interface LocalChange {
  readonly status: 'sending' | 'accepted' | 'refused' | 'unknown' | 'not-found';
  readonly code?: string;
  readonly reason?: string;
  readonly refusal?: RefusalClass;
  readonly venueOrderId?: string;
}

/** Tells what was observed, unless the venue's own evidence says more. Returns whether it was told. */
export function orderObserved(
  state: ConnectorState,
  self: ConnectorSelf,
  symbol: string,
  clientOrderId: string,
  change: LocalChange,
): boolean {
  const track = state.orders.get(clientOrderId);
  if (track !== undefined) {
    if (change.venueOrderId !== undefined) track.venueOrderId = change.venueOrderId;
    if (track.phase === 'live' || track.phase === 'ended') {
      self.count('observations-overtaken');
      return false;
    }
    track.phase = phaseAfter(change.status);
  }
  state.eventSequence += 1;
  // Our own count begins again with every process.
  tellOrder(state, self, track, `${self.nowMs()}`, {
    symbol,
    clientOrderId,
    status: change.status,
    venueOrderId: change.venueOrderId ?? track?.venueOrderId ?? '',
    code: change.code ?? '',
    reason: change.reason ?? '',
    ...(change.refusal === undefined ? {} : { refusal: change.refusal }),
    atMs: self.nowMs(),
    sequence: state.eventSequence,
  });
  return true;
}

function phaseAfter(status: LocalChange['status']): OrderTrack['phase'] {
  switch (status) {
    case 'sending':
    case 'accepted':
      return 'sent';
    case 'unknown':
      return 'unknown';
    case 'refused':
    case 'not-found':
      return 'ended';
  }
}

/** Journals and tells a change of an order; `distinction` is what order, status and sequence may leave open. */
function tellOrder(
  state: ConnectorState,
  self: ConnectorSelf,
  track: OrderTrack | undefined,
  distinction: string,
  change: Omit<OrderChanged, 'type' | 'venue' | 'account'>,
): void {
  const { venue, account } = state.args;
  const event: OrderChanged = { type: 'order-changed', venue, account, ...change };
  if (track !== undefined) {
    track.lastEvent = event;
    track.changedAtMs = self.monotonicMs();
  }
  const id = `order:${venue}:${account}:${change.clientOrderId}:${change.status}:${change.sequence}:${distinction}`;
  tellDurably(state, self, 'order-event', id, event, track?.replyTo);
}
