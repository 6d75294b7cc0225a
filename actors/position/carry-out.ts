/** Carries out what the pair's state machine asks for: plans and hands over orders, asks venues, books proven differences. */
import { refOf, unreachable } from '../../src/runtime/actor.ts';
import { encodeClientOrderId } from '../../src/execution/client-order-id.ts';
import { applyToOrder } from '../../src/execution/execution-book.ts';
import { endsAtMs, provableAfterMs } from '../../src/execution/facts.ts';
import type { PlannedOrder } from '../../src/execution/facts.ts';
import { isStop } from '../../src/execution/protective-stop.ts';
import { isLive, isSettled, isTerminal, isUnresolved } from '../../src/execution/order-state.ts';
import { isCancelDue, watchOrder } from '../../src/execution/order-watch.ts';
import type { OrderWatch } from '../../src/execution/order-watch.ts';
import type { Pair, PairCommand, WantedOrder } from '../../src/execution/pair.ts';
import { advancePair, decideToLeave, enterPhase, failed, isActive } from '../../src/execution/pair-state.ts';
import { urgencyOf, watchPauseMs } from '../../src/execution/urgency.ts';
import type { PriceTicks, QuantityLots } from '../../src/money/units.ts';
import { midTicks } from '../../src/strategy/book-walk.ts';
import type { OrderRequest } from '../../src/venues/venue.ts';
import type { ConnectorMessage } from '../connector-messages.ts';
import type { GuardMessage } from '../guard-messages.ts';
import { adjust } from './adjust.ts';
import { stopRefusal } from './stop-facts.ts';
import { preflightRefusal } from './gates.ts';
import { abortOrder, append, keepPair, markHandedOver, orderRow, pairRow, rowOf } from './journal.ts';
import { liveOrders } from './live-orders.ts';
import { limitOf, viewPair } from './pair-view.ts';
import { askToReconcile } from './reconcile.ts';
import { isReachable, pairTracks, trackOf } from './state.ts';
import type { PositionSelf, PositionState, VenueTrack } from './state.ts';

/** A step that books a difference changes the facts; more rounds than this in a row would be a loop. */
const ROUNDS_MAX = 4;
/** An order with less of its validity left than this share is planned again instead of sent. */
const VALIDITY_LEFT_MIN = 0.25;

/** Lets the pair look at the facts and does what it asks for. Called after anything that may matter to it. */
export function advance(state: PositionState, self: PositionSelf): void {
  for (let round = 0; round < ROUNDS_MAX; round += 1) {
    if (state.stage !== 'running' || state.pair === undefined) return;
    // Draining lets what is under way finish and starts nothing: an open pair is left as it is.
    if (state.draining && state.pair.record.phase === 'OPEN') return;
    // A quarantined one tries again every few seconds: the last try of this life is the one that is under way.
    if (state.draining && state.pair.record.phase === 'QUARANTINED' && liveOrders(state) === 0) return;
    const view = viewPair(state, self, state.pair);
    if (view === undefined) return;
    const step = advancePair(state.pair, view);
    keepPair(state, self, step.pair);
    carryOut(state, self, step.pair, step.commands);
    if (!step.commands.some((command) => command.type === 'adjust')) return;
  }
}

/** Decides to leave the open pair, whatever state it is in: a pair that is leaving already stays as it is. */
export function leave(state: PositionState, self: PositionSelf, reason: string): void {
  if (state.stage !== 'running' || state.pair === undefined) return;
  const view = viewPair(state, self, state.pair);
  if (view === undefined) return;
  const step = decideToLeave(state.pair, reason, view);
  if (step.pair === state.pair) return;
  self.log('info', 'pair-leaving', { pairId: step.pair.record.pairId, reason });
  keepPair(state, self, step.pair);
  carryOut(state, self, step.pair, step.commands);
}

export function carryOut(state: PositionState, self: PositionSelf, pair: Pair, commands: readonly PairCommand[]): void {
  for (const command of commands) {
    switch (command.type) {
      case 'send':
        plan(state, self, pair, command.orders);
        break;
      case 'cancel':
        requestCancel(state, self, command.clientOrderId);
        break;
      case 'resolve':
        resolve(state, self, command.clientOrderId);
        break;
      case 'reconcile':
        askToReconcile(state, self, pairTracks(state, pair)[command.leg]);
        break;
      case 'adjust':
        adjust(state, self, pairTracks(state, pair)[command.leg], command.lots, pair.record.pairId);
        break;
      case 'alert':
        self.log(command.level, command.event, { pairId: pair.record.pairId, detail: command.detail });
        break;
      default:
        unreachable(command);
    }
  }
}

/** Writes intent and orders; they leave when the journal says that they are durable. `extraPair` goes into the same commit. */
export function plan(
  state: PositionState,
  self: PositionSelf,
  pair: Pair,
  wanted: readonly WantedOrder[],
  extraPair?: Pair,
): void {
  const orders = wanted.map((order) => planned(state, self, pair, order)).filter((order) => order !== undefined);
  if (orders.length < wanted.length) self.count('orders-without-price', wanted.length - orders.length);
  const first = orders[0];
  if (first === undefined) return;
  traceOrders(state, self, orders);
  const intent = rowOf(state, self, 'intent', `intent:${pair.record.pairId}:${first.clientOrderId}`, {
    kind: first.purpose,
    pairId: pair.record.pairId,
    reason: pair.record.reason,
    clientOrderIds: orders.map((order) => order.clientOrderId),
  });
  const pairRows = extraPair === undefined ? [] : [pairRow(state, self, extraPair.record)];
  const rows = [intent, ...pairRows, ...orders.map((order) => orderRow(state, self, order, intent))];
  append(
    state,
    self,
    rows,
    orders.map((order) => order.clientOrderId),
  );
}

/** Every order can be followed from the books it was priced with to its bytes, whether or not their frames were. */
function traceOrders(state: PositionState, self: PositionSelf, orders: readonly PlannedOrder[]): void {
  if (self.tracing.begin() === 0) return;
  for (const order of orders) {
    self.tracing.keep(order.clientOrderId);
    const book = trackOf(state, order)?.book;
    if (book !== undefined) self.tracing.mark('book-received', order.venue, book.receivedAtMonotonicMs);
  }
}

function planned(state: PositionState, self: PositionSelf, pair: Pair, wanted: WantedOrder): PlannedOrder | undefined {
  const track = pairTracks(state, pair)[wanted.leg];
  const limitTicks = limitOf(state, pair, track, wanted);
  if (limitTicks === undefined) return undefined;
  state.orderCounter += 1;
  const { boot, symbolIndex, calendarScale } = state.args;
  const { venue, account, symbol } = pair.record[wanted.leg];
  const validityMs = Math.round(track.requestValidityMs * calendarScale);
  const restsForMs = wanted.price.rule === 'touch' ? state.args.execution.maker.timeoutMs * calendarScale : undefined;
  return {
    venue,
    account,
    symbol,
    clientOrderId: encodeClientOrderId({ boot, symbolIndex, counter: state.orderCounter }),
    pairId: pair.record.pairId,
    leg: wanted.leg,
    purpose: wanted.purpose,
    attempt: wanted.attempt,
    side: wanted.side,
    lots: wanted.lots,
    limitTicks,
    reduceOnly: wanted.reduceOnly,
    validUntilMs: self.nowMs() + validityMs,
    ...(restsForMs === undefined ? {} : { restsUntilMs: self.nowMs() + validityMs + Math.round(restsForMs) }),
    plannedAtMs: self.nowMs(),
    ...expectationsOf(track, restsForMs !== undefined),
  };
}

/** What the order is measured by later. */
function expectationsOf({ book, instrument }: VenueTrack, rests: boolean): Pick<PlannedOrder, 'midTicks' | 'feeRate'> {
  const mid = book === undefined ? undefined : midTicks(book);
  return {
    ...(mid === undefined ? {} : { midTicks: mid }),
    ...(instrument === undefined ? {} : { feeRate: rests ? instrument.makerFee : instrument.takerFee }),
  };
}

/** The plan is durable: everything of it leaves in this same handler, or nothing does. */
export function planDurable(
  state: PositionState,
  self: PositionSelf,
  clientOrderIds: readonly string[],
  commitMs = 0,
): void {
  const orders = clientOrderIds.map((id) => state.book.orders.get(id)?.planned).filter((order) => order !== undefined);
  const isFresh = orders.every((order) => hasValidityLeft(state, self, order));
  const refusal =
    isFresh && !isTooSlow(state, self, orders, commitMs) ? openingRefusal(state, self, orders) : 'JOURNAL_SLOW';
  if (refusal !== undefined) {
    planAbandoned(state, self, clientOrderIds, refusal);
    return;
  }
  if (state.pair?.record.phase === 'PREFLIGHT') {
    const view = viewPair(state, self, state.pair);
    if (view !== undefined) keepPair(state, self, enterPhase(state.pair, 'OPENING', 'PLANNED', view));
  }
  for (const order of orders) handOver(state, self, order);
  advance(state, self);
}

/** Nothing of a plan left: its orders end here, and a pair that only waited for them fails. */
export function planAbandoned(
  state: PositionState,
  self: PositionSelf,
  clientOrderIds: readonly string[],
  reason: string,
): void {
  self.count('plans-abandoned');
  for (const clientOrderId of clientOrderIds) abortOrder(state, self, clientOrderId, reason);
  if (state.pair?.record.phase === 'PREFLIGHT') {
    const view = viewPair(state, self, state.pair);
    if (view !== undefined) keepPair(state, self, failed(state.pair, reason, view));
  }
  advance(state, self);
}

/** A disk this slow makes decisions old and may be about to fail: nothing is added on it. What reduces leaves all the same. */
function isTooSlow(
  state: PositionState,
  self: PositionSelf,
  orders: readonly PlannedOrder[],
  commitMs: number,
): boolean {
  if (commitMs <= state.args.slowCommitMs || orders.every((order) => order.reduceOnly)) return false;
  self.count('plans-on-slow-journal');
  self.tell(refOf<GuardMessage>(state.args.guardPath), { type: 'journal-slow', commitMs });
  return true;
}

function openingRefusal(state: PositionState, self: PositionSelf, orders: readonly PlannedOrder[]): string | undefined {
  const record = state.pair?.record;
  const [stop] = orders.filter((order) => order.trigger !== undefined);
  if (stop !== undefined) return stopRefusal(state, stop);
  if (record?.phase === 'PREFLIGHT') return preflightRefusal(state, self, record);
  // Quoting may have ended while the next quote was being written.
  const isQuote = orders.some((order) => order.restsUntilMs !== undefined);
  const ended = record?.entry?.mode === 'maker-taker' ? record.entry.ended : '';
  return isQuote && (record?.phase !== 'OPENING' || ended !== '') ? ended || 'NOT_OPENING' : undefined;
}

function hasValidityLeft(state: PositionState, self: PositionSelf, order: PlannedOrder): boolean {
  const validityMs = (trackOf(state, order)?.requestValidityMs ?? 0) * state.args.calendarScale;
  return order.validUntilMs - self.nowMs() >= validityMs * VALIDITY_LEFT_MIN;
}

function handOver(state: PositionState, self: PositionSelf, order: PlannedOrder): void {
  const track = trackOf(state, order);
  if (track === undefined || state.book.orders.get(order.clientOrderId)?.status !== 'PLANNED') return;
  const outcome = self.tell(refOf<ConnectorMessage>(track.connectorPath), {
    type: 'place-order',
    order: {
      clientOrderId: order.clientOrderId,
      symbol: order.symbol,
      side: order.side,
      // Counted in this instrument's own lots and ticks since the plan was made; see limitOf and the pair's view.
      lots: order.lots as QuantityLots,
      limitTicks: order.limitTicks as PriceTicks,
      ...termsOf(order),
      reduceOnly: order.reduceOnly,
      validUntilMs: order.validUntilMs,
    },
    purpose: { pairId: order.pairId, leg: order.leg, purpose: order.purpose, attempt: order.attempt },
    replyTo: self.ref,
  });
  if (outcome === 'refused' || outcome === 'dead') {
    // The message never left this actor: nobody can have acted on it.
    abortOrder(state, self, order.clientOrderId, `CONNECTOR_${outcome.toUpperCase()}`);
    return;
  }
  markHandedOver(state, order.clientOrderId);
  state.orderWatches.set(order.clientOrderId, {
    sinceMs: self.monotonicMs(),
    lastAskedAtMs: Number.NEGATIVE_INFINITY,
    asked: 0,
  });
  self.after(state.args.execution.order.ackMs, { type: 'order-deadline', clientOrderId: order.clientOrderId });
}

function termsOf({
  restsUntilMs,
  trigger,
}: PlannedOrder): Pick<OrderRequest, 'timeInForce' | 'postOnly' | 'restsUntilMs' | 'trigger'> {
  if (restsUntilMs === undefined) return { timeInForce: 'ioc', postOnly: false };
  if (trigger === undefined) return { timeInForce: 'gtc', postOnly: true, restsUntilMs };
  const { ticks, direction } = trigger;
  return { timeInForce: 'ioc', postOnly: false, restsUntilMs, trigger: { ticks: ticks as PriceTicks, direction } };
}

/** Looks after orders without news: unknown after a while, then asked about, at last given up as lost. */
export function watchOrders(state: PositionState, self: PositionSelf): void {
  for (const [clientOrderId, watch] of state.orderWatches) {
    const order = state.book.orders.get(clientOrderId);
    if (order === undefined || isSettled(order)) {
      state.orderWatches.delete(clientOrderId);
      continue;
    }
    if (isCancelDue(order, watch, self.monotonicMs())) sendCancel(state, self, order.planned, watch);
    // What stands on the book is over when its time is; of what nobody knows, absence is proof as soon as it can be.
    const untilMs = order.status === 'OPEN' ? endsAtMs(order.planned) : provableAfterMs(order.planned);
    const validityLeftMs = (untilMs - self.nowMs()) / state.args.calendarScale;
    const action = watchOrder(order, watch, self.monotonicMs(), validityLeftMs, state.args.execution.order);
    if (action === 'unanswered') {
      self.count('orders-unanswered');
      applyToOrder(state.book, clientOrderId, { type: 'unanswered' });
      resolve(state, self, clientOrderId);
    } else if (action === 'resolve') {
      // An ended order lacks only fills: those come with a comparison. Any other is asked about by its id.
      const track = trackOf(state, order.planned);
      if (isTerminal(order) && order.status !== 'LOST' && track !== undefined) askToReconcile(state, self, track);
      else resolve(state, self, clientOrderId);
    } else if (action === 'lost') {
      self.log('error', 'order-lost', { clientOrderId, venue: order.planned.venue });
      applyToOrder(state.book, clientOrderId, { type: 'resolution-exhausted' });
      const { venue } = order.planned;
      self.tell(refOf<GuardMessage>(state.args.guardPath), { type: 'order-lost', venue, clientOrderId });
    }
  }
}

/** Asks the venue to end an order that rests. Until its own word, or a proof, the order may still be filled. */
export function requestCancel(state: PositionState, self: PositionSelf, clientOrderId: string): void {
  const order = state.book.orders.get(clientOrderId);
  if (order === undefined || isTerminal(order)) return;
  applyToOrder(state.book, clientOrderId, { type: 'cancel-requested' });
  self.count('cancels-asked');
  const now = self.monotonicMs();
  sendCancel(state, self, order.planned, {
    sinceMs: now,
    lastAskedAtMs: Number.NEGATIVE_INFINITY,
    asked: 0,
    ...state.orderWatches.get(clientOrderId),
  });
}

function sendCancel(state: PositionState, self: PositionSelf, order: PlannedOrder, watch: OrderWatch): void {
  const track = trackOf(state, order);
  // A venue that is away is asked again when it is back: the order's watch goes on.
  const canAsk = track !== undefined && isReachable(track.status);
  const now = self.monotonicMs();
  state.orderWatches.set(order.clientOrderId, {
    ...watch,
    cancelledAtMs: watch.cancelledAtMs ?? now,
    ...(canAsk ? { cancelSentAtMs: now } : {}),
  });
  if (!canAsk) return;
  if (watch.cancelSentAtMs !== undefined) self.count('cancels-repeated');
  self.tell(refOf<ConnectorMessage>(track.connectorPath), {
    type: 'cancel-order',
    symbol: order.symbol,
    clientOrderId: order.clientOrderId,
    replyTo: self.ref,
  });
}

/** Ends whatever an earlier life left on a book: nobody hedged its fills while that life was dead. */
export function cancelResting(state: PositionState, self: PositionSelf): void {
  for (const [clientOrderId, order] of state.book.orders)
    if (order.planned.restsUntilMs !== undefined && !isStop(order) && !isTerminal(order))
      requestCancel(state, self, clientOrderId);
}

/**
 * The regular look at what is unsettled: its orders, and unless the pair is open and whole the positions too. One comparison of a
 * symbol serves all its orders at that venue, and one on its way is not asked for again.
 */
export function checkRegularly(state: PositionState, self: PositionSelf): void {
  const { pair } = state;
  if (pair === undefined || !isActive(pair.record.phase)) return;
  const urgency = urgencyOf(pair, state.danger.level);
  const pauseMs = watchPauseMs(urgency, state.args.execution);
  if (self.monotonicMs() - state.lastCheckAtMs < pauseMs) return;
  state.lastCheckAtMs = self.monotonicMs();
  const tracks = pairTracks(state, pair);
  for (const track of [tracks.long, tracks.short]) {
    resolveUnsettled(state, self, track, pauseMs);
    if (urgency !== 'calm' && !isAnswerDue(state, self, track)) askToReconcile(state, self, track);
  }
}

/**
 * True while the answer to an order that has just left is on its way. Asking would cost the questions that whoever gets no answer
 * needs, and many pairs that leave at once would spend them all.
 */
function isAnswerDue(state: PositionState, self: PositionSelf, track: VenueTrack): boolean {
  const { ackMs } = state.args.execution.order;
  return [...state.orderWatches].some(([clientOrderId, watch]) => {
    const order = state.book.orders.get(clientOrderId);
    if (order?.planned.venue !== track.venue || order.planned.account !== track.account) return false;
    return isLive(order) && !isUnresolved(order) && self.monotonicMs() - watch.sinceMs < ackMs;
  });
}

/** Asks now about every order at a venue whose outcome is open and that was not asked about for so long. */
export function resolveUnsettled(state: PositionState, self: PositionSelf, track: VenueTrack, unaskedForMs = 0): void {
  for (const [clientOrderId, order] of state.book.orders) {
    const { planned } = order;
    if (planned.venue !== track.venue || planned.account !== track.account) continue;
    if (!isUnresolved(order)) continue;
    const askedAtMs = state.orderWatches.get(clientOrderId)?.lastAskedAtMs ?? Number.NEGATIVE_INFINITY;
    if (self.monotonicMs() - askedAtMs >= unaskedForMs) resolve(state, self, clientOrderId);
  }
}

/** Asks the venue what became of one order. */
export function resolve(state: PositionState, self: PositionSelf, clientOrderId: string): void {
  const order = state.book.orders.get(clientOrderId);
  const track = order === undefined ? undefined : trackOf(state, order.planned);
  const watch = state.orderWatches.get(clientOrderId);
  if (order === undefined || track === undefined) return;
  state.orderWatches.set(clientOrderId, {
    ...watch,
    sinceMs: watch?.sinceMs ?? self.monotonicMs(),
    lastAskedAtMs: self.monotonicMs(),
    asked: (watch?.asked ?? 0) + 1,
  });
  self.tell(refOf<ConnectorMessage>(track.connectorPath), {
    type: 'resolve-order',
    symbol: order.planned.symbol,
    clientOrderId,
    validUntilMs: provableAfterMs(order.planned),
    replyTo: self.ref,
  });
}
