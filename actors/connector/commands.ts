/** Orders and cancels as they are commanded: the last gate, then on to the submissions. Connector thread. */
import { approve } from '../../src/risk/approval.ts';
import type { DenialCode, OrderGateContext } from '../../src/risk/approval.ts';
import type { RequestPriority } from '../../src/venues/rate-limiter.ts';
import type { OrderRequest, RefusalClass } from '../../src/venues/venue.ts';
import type { ConnectorCommand, OrderPurpose } from '../connector-messages.ts';
import { mayPass, takePass } from './circuits.ts';
import { keepEntryBudget } from './entry-budget.ts';
import { tellAfterFacts } from './facts.ts';
import { refusalByLimits } from './order-rights.ts';
import { orderObserved, rememberOrder, workingOrders } from './orders.ts';
import { judgedPosition } from './positions.ts';
import { resolveOrder } from './resolve.ts';
import { instant, keepNewest } from './state.ts';
import type { ConnectorSelf, ConnectorState } from './state.ts';
import { entriesAllowed } from './status.ts';
import { enqueue, withdraw } from './submissions.ts';

type PlaceOrder = Extract<ConnectorCommand, { type: 'place-order' }>;
type CancelOrder = Extract<ConnectorCommand, { type: 'cancel-order' }>;

/** An opening order is not priced against marks and indexes older than this, monotonic ms. */
const REFERENCE_AGE_MAX_MS = 15_000;

/** Cancels that came before their orders, remembered. */
const CANCELLED_EARLY_MAX = 256;

/** What a denial asks of whoever planned the order: think again from fresh state, wait, or never again. */
const CLASS_OF_DENIAL: Readonly<Record<DenialCode, RefusalClass>> = {
  SYMBOL_NOT_ALLOWED: 'permanent',
  INSTRUMENT_MISMATCH: 'permanent',
  BAD_ORDER: 'permanent',
  QUANTITY: 'permanent',
  NOTIONAL: 'permanent',
  INSTRUMENT_STATUS: 'state',
  POSITION_CAP: 'state',
  REDUCE_ONLY_INCREASES: 'state',
  OPEN_ORDERS: 'state',
  PRICE_COLLAR: 'state',
  DAILY_LOSS: 'state',
  EXPIRED_INTENT: 'transient',
  POSITION_UNKNOWN: 'transient',
  NO_REFERENCE_PRICE: 'transient',
  ORDER_RATE: 'transient',
};

/** Sends an order once. Its outcome is told as `order-changed`; a repeat of the command is answered from memory. */
export function placeOrder(state: ConnectorState, self: ConnectorSelf, command: PlaceOrder): void {
  const { order, purpose } = command;
  const known = state.orders.get(order.clientOrderId);
  if (known !== undefined) {
    self.count('place-repeated');
    if (known.lastEvent !== undefined) tellAfterFacts(state, self, command.replyTo, known.lastEvent);
    return;
  }
  if (!rememberOrder(state, self, order, purpose.purpose, command.replyTo)) {
    // Not even room to remember the refusal: the position's own deadline asks what became of it.
    self.log('error', 'orders-too-many', { venue: state.args.venue, clientOrderId: order.clientOrderId });
    return;
  }
  if (isOfEarlierLife(state, self, order)) {
    // The life before may have sent it and died before it was marked as handled: only the venue knows.
    orderObserved(state, self, order.symbol, order.clientOrderId, {
      status: 'unknown',
      code: 'EARLIER_LIFE',
      reason: 'made before this connector started',
    });
    resolveOrder(state, self, order);
    return;
  }
  if (state.cancelledEarly.delete(order.clientOrderId)) {
    refuse(state, self, order, 'CANCELLED_BEFORE_SENT', 'its cancel came first', 'transient');
    return;
  }
  const limited = refusalByLimits(state, order, purpose.purpose);
  if (limited !== undefined) {
    self.count('denied:ENGINE_STATE');
    refuse(state, self, order, 'ENGINE_STATE', limited, 'state');
    return;
  }
  if (!order.reduceOnly && !entriesAllowed(state, self)) {
    const reason = state.lastStatus?.reason === '' ? 'start-up quarantine, clock or journal' : state.lastStatus?.reason;
    refuse(state, self, order, 'ENTRIES_NOT_ALLOWED', reason ?? 'starting', 'transient');
    return;
  }
  if (!state.isRunning) {
    refuse(state, self, order, 'VENUE_NOT_READY', 'the instruments are not read yet', 'transient');
    return;
  }
  judge(state, self, order, purpose);
}

function isOfEarlierLife(state: ConnectorState, self: ConnectorSelf, order: OrderRequest): boolean {
  const madeAtMs = order.validUntilMs - state.args.requestValidityMs * self.ports.calendar.scale;
  return self.incarnation > 1 && madeAtMs <= state.startedAt.calendarMs;
}

/** The last gate. */
function judge(state: ConnectorState, self: ConnectorSelf, order: OrderRequest, purpose: OrderPurpose): void {
  const context = contextOf(state, self, order);
  if (context === undefined) {
    refuse(state, self, order, 'UNKNOWN_INSTRUMENT', order.symbol, 'permanent');
    return;
  }
  const verdict = approve(state.gate, order, context);
  state.gate = verdict.gate;
  if (verdict.denied !== undefined) {
    const { code, detail } = verdict.denied;
    self.count(`denied:${code}`);
    self.tracing.mark('gate-denied', code);
    self.log('warn', 'order-denied', { venue: state.args.venue, clientOrderId: order.clientOrderId, code, detail });
    refuse(state, self, order, code, detail, CLASS_OF_DENIAL[code]);
    return;
  }
  // What reduces passes any circuit; the venue's hard limit holds for it too.
  if (!order.reduceOnly) {
    if (!mayPass(state, self, 'orders')) {
      refuse(state, self, order, 'CIRCUIT_OPEN', 'another order tries first whether the venue works', 'transient');
      return;
    }
    takePass(state, self, 'orders');
  }
  if (purpose.purpose === 'open') keepEntryBudget(state, self, purpose.pairId);
  const { approved } = verdict;
  self.tracing.mark('gate-passed', order.clientOrderId);
  const isQueued = enqueue(state, self, {
    kind: 'place',
    clientOrderId: order.clientOrderId,
    symbol: order.symbol,
    priority: priorityOf(order, purpose),
    validUntilMs: order.validUntilMs,
    plan: (nonce) => state.adapter.placeOrder(approved, nonce, instant(self)),
  });
  if (!isQueued) refuse(state, self, order, 'TOO_MANY_SUBMISSIONS', 'too many requests wait already', 'transient');
}

function contextOf(state: ConnectorState, self: ConnectorSelf, order: OrderRequest): OrderGateContext | undefined {
  const instrument = state.instruments.get(order.symbol);
  if (instrument === undefined) return undefined;
  const at = instant(self);
  const mark = state.marks.get(order.symbol);
  const book = state.stream.book(order.symbol);
  const working = workingOrders(state, order.clientOrderId);
  // An order that only reduces may lean on an old price: better than not leaving.
  const isUsable = (atMs: number): boolean => order.reduceOnly || at.monotonicMs - atMs <= REFERENCE_AGE_MAX_MS;
  const markNano = mark !== undefined && isUsable(mark.markAtMs) ? mark.message.markNano : undefined;
  const indexNano = mark !== undefined && isUsable(mark.indexAtMs) ? mark.message.indexNano : undefined;
  const { dayOpening, lastAccount } = state;
  return {
    instrument,
    positionLots: judgedPosition(state, order),
    ...(state.adapter.lacksReduceOnly === true ? { lacksReduceOnly: true as const } : {}),
    openOrders: working.length,
    workingOrders: working.filter((other) => other.symbol === order.symbol),
    nowMs: at.calendarMs,
    monotonicMs: at.monotonicMs,
    ...(dayOpening === undefined || lastAccount === undefined
      ? {}
      : { dayResultMicro: lastAccount.walletMicro - dayOpening.walletMicro }),
    ...(markNano === undefined ? {} : { markNano }),
    ...(indexNano === undefined ? {} : { indexNano }),
    ...(book === undefined ? {} : { book }),
  };
}

/** What only waits for the mark can wait here too: a close must not. */
const STOP_PRIORITY: RequestPriority = 3;

function priorityOf(order: OrderRequest, purpose: OrderPurpose): RequestPriority {
  if (order.trigger !== undefined) return STOP_PRIORITY;
  if (order.reduceOnly) return 0;
  return purpose.purpose === 'open' ? 3 : 1;
}

/** Executed in part, it waits no more. */
function isWaitingStop(state: ConnectorState, clientOrderId: string): boolean {
  const track = state.orders.get(clientOrderId);
  if (track === undefined) return state.openOrders.get(clientOrderId)?.isWaiting === true;
  return track.order.trigger !== undefined && Math.max(track.reportedLots, track.fillLots) === 0;
}

/** Asks the venue to cancel. An order that has not left yet is taken back instead. `overtakes`: see `SubmissionTrack`. */
export function cancelOrder(
  state: ConnectorState,
  self: ConnectorSelf,
  { symbol, clientOrderId }: Pick<CancelOrder, 'symbol' | 'clientOrderId'>,
  overtakes = false,
): void {
  if (withdraw(state, self, clientOrderId)) return;
  if (!state.orders.has(clientOrderId)) {
    // An order of an earlier life, or one still behind this cancel in the mailbox.
    state.cancelledEarly.add(clientOrderId);
    keepNewest(state.cancelledEarly, CANCELLED_EARLY_MAX);
  }
  const isUnderWay = state.submissions.some(
    (submission) => submission.kind === 'cancel' && submission.clientOrderId === clientOrderId,
  );
  if (isUnderWay) {
    self.count('cancel-repeated');
    return;
  }
  if (!state.instruments.has(symbol)) {
    self.log('error', 'cancel-impossible', { venue: state.args.venue, clientOrderId, symbol });
    return;
  }
  const venueOrderId =
    state.orders.get(clientOrderId)?.venueOrderId ?? state.openOrders.get(clientOrderId)?.venueOrderId;
  const isQueued = enqueue(state, self, {
    kind: 'cancel',
    clientOrderId,
    symbol,
    priority: isWaitingStop(state, clientOrderId) ? STOP_PRIORITY : 0,
    ...(overtakes ? { overtakes: true as const } : {}),
    validUntilMs: self.nowMs() + state.args.requestValidityMs * self.ports.calendar.scale,
    plan: (nonce) =>
      state.adapter.cancelOrder(
        { symbol, clientOrderId, ...(venueOrderId === undefined || venueOrderId === '' ? {} : { venueOrderId }) },
        nonce,
        instant(self),
      ),
  });
  if (!isQueued) self.log('error', 'cancel-refused', { venue: state.args.venue, clientOrderId, reason: 'queue full' });
}

/** Nothing left this process. */
function refuse(
  state: ConnectorState,
  self: ConnectorSelf,
  order: OrderRequest,
  code: string,
  reason: string,
  refusal: RefusalClass,
): void {
  orderObserved(state, self, order.symbol, order.clientOrderId, { status: 'refused', code, reason, refusal });
}
