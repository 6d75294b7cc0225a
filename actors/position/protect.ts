/** Keeps a stop at the venue under each leg of the open pair, and ends what is left of them when it is open no more. */
import { encodeClientOrderId } from '../../src/execution/client-order-id.ts';
import type { LegSide, PlannedOrder } from '../../src/execution/facts.ts';
import type { OrderState } from '../../src/execution/order-state.ts';
import { isTerminal } from '../../src/execution/order-state.ts';
import { decideStop, isStop } from '../../src/execution/protective-stop.ts';
import type { WantedStop } from '../../src/execution/protective-stop.ts';
import { LEGS } from '../../src/execution/pair-orders.ts';
import type { Pair } from '../../src/execution/pair.ts';
import { append, orderRow, rowOf } from './journal.ts';
import { legDistance } from './leg-danger.ts';
import { lotsOfLeg, markOf } from './pair-view.ts';
import { requestCancel, resolve } from './carry-out.ts';
import { isReachable, pairTracks } from './state.ts';
import type { PositionSelf, PositionState, VenueTrack } from './state.ts';

/** Between two stops of one leg, monotonic ms; after a refusal for good, the longer one: a person has to look. */
const PLACE_PAUSE_MS = 10_000;
const REFUSED_PAUSE_MS = 600_000;
/** Between two questions about one that an earlier life planned, monotonic ms. */
const RESOLVE_PAUSE_MS = 2_000;
/** How long a stop waits at the venue at most, real ms: one that its engine forgot must end. */
const RESTS_MS = 86_400_000;

/** Called every tick. O(orders of the symbol). */
export function protect(state: PositionState, self: PositionSelf): void {
  if (state.stage !== 'running') return;
  const { pair } = state;
  const stops = [...state.book.orders.values()].filter(isStop);
  for (const order of stops) if (order.status === 'PLANNED') resolveForgotten(state, self, order);
  for (const track of state.venues.values()) resolveMissed(state, self, track);
  for (const order of stops)
    if (!isTerminal(order) && order.planned.pairId !== pair?.record.pairId && !order.cancelRequested)
      requestCancel(state, self, order.planned.clientOrderId);
  if (pair === undefined) return;
  for (const leg of LEGS) protectLeg(state, self, pair, leg, stops);
}

/** Planned in an earlier life, which may have handed it over or not: nobody else asks, because no comparison waits for a stop. */
function resolveForgotten(state: PositionState, self: PositionSelf, { planned }: OrderState): void {
  const { clientOrderId } = planned;
  for (const pending of state.appends.values()) if (pending.clientOrderIds.includes(clientOrderId)) return;
  const askedAtMs = state.orderWatches.get(clientOrderId)?.lastAskedAtMs ?? Number.NEGATIVE_INFINITY;
  if (self.monotonicMs() - askedAtMs >= RESOLVE_PAUSE_MS) resolve(state, self, clientOrderId);
}

/** A comparison does not wait for stops, and one that rests is no news: whoever missed its end would go without for a day. */
function resolveMissed(state: PositionState, self: PositionSelf, track: VenueTrack): void {
  const missed = track.missedStops;
  track.missedStops = [];
  for (const clientOrderId of missed) {
    if (state.book.orders.get(clientOrderId)?.status !== 'OPEN') continue;
    self.count('stops-missed');
    resolve(state, self, clientOrderId);
  }
}

function protectLeg(
  state: PositionState,
  self: PositionSelf,
  pair: Pair,
  leg: LegSide,
  all: readonly OrderState[],
): void {
  const { record } = pair;
  const track = pairTracks(state, pair)[leg];
  const stops = all.filter(({ planned }) => planned.pairId === record.pairId && planned.leg === leg);
  const { instrument } = track;
  if (instrument === undefined || (stops.length === 0 && instrument.hasStops !== true)) return;
  const isOpen = record.phase === 'OPEN' || record.phase === 'REBALANCING';
  const { stopDistance } = state.args.exits.liquidation;
  const decision = decideStop(
    {
      side: leg,
      lots: Math.abs(lotsOfLeg(state, pair, leg)),
      markPrice: markOf(track),
      liquidationDistance: legDistance(state, pair, leg, track, self.monotonicMs()),
      tickSize: instrument.tickUnits / 10 ** instrument.priceDecimals,
      stops,
      nowMs: self.nowMs(),
    },
    isOpen,
    { distance: stopDistance, reachBps: state.args.gate.priceCollarBps },
  );
  if (decision.action === 'cancel') {
    for (const clientOrderId of decision.clientOrderIds) requestCancel(state, self, clientOrderId);
    return;
  }
  // A pair in between has other orders to send; a draining engine places nothing any more.
  if (
    decision.action !== 'place' ||
    record.phase !== 'OPEN' ||
    state.draining ||
    !mayPlace(state, self, track, leg, stops)
  )
    return;
  state.stopPlacedAtMs[leg] = self.monotonicMs();
  place(state, self, pair, leg, track, decision.stop);
}

function mayPlace(
  state: PositionState,
  self: PositionSelf,
  { status, leverage, watch }: VenueTrack,
  leg: LegSide,
  stops: readonly OrderState[],
): boolean {
  // Its size is a confirmed one, and its distance rests on a leverage that is known.
  if (!isReachable(status) || leverage === undefined || watch.reportedLots === undefined) return false;
  const last = stops.at(-1);
  const isRefused = last?.status === 'REJECTED' && last.refusal === 'permanent';
  const pauseMs = isRefused ? REFUSED_PAUSE_MS : PLACE_PAUSE_MS;
  return self.monotonicMs() - state.stopPlacedAtMs[leg] >= pauseMs;
}

/** Durable before sent, like any order. */
function place(
  state: PositionState,
  self: PositionSelf,
  pair: Pair,
  leg: LegSide,
  track: VenueTrack,
  stop: WantedStop,
): void {
  const { boot, symbolIndex, calendarScale } = state.args;
  const { venue, account, symbol } = pair.record[leg];
  state.orderCounter += 1;
  const nowMs = self.nowMs();
  const validUntilMs = nowMs + Math.round(track.requestValidityMs * calendarScale);
  const order: PlannedOrder = {
    venue,
    account,
    symbol,
    clientOrderId: encodeClientOrderId({ boot, symbolIndex, counter: state.orderCounter }),
    pairId: pair.record.pairId,
    leg,
    purpose: 'protect',
    attempt: 1,
    side: stop.side,
    lots: stop.lots,
    limitTicks: stop.limitTicks,
    reduceOnly: true,
    validUntilMs,
    restsUntilMs: validUntilMs + RESTS_MS * Math.max(1, calendarScale),
    trigger: { ticks: stop.triggerTicks, direction: stop.direction },
    plannedAtMs: nowMs,
  };
  self.count('stops-placed');
  self.log('info', 'stop-placing', {
    pairId: order.pairId,
    leg,
    venue,
    lots: stop.lots,
    triggerTicks: stop.triggerTicks,
  });
  const { pairId, clientOrderId } = order;
  const intent = rowOf(state, self, 'intent', `intent:${pairId}:${clientOrderId}`, {
    kind: 'protect',
    pairId,
    reason: 'PROTECT',
    clientOrderIds: [clientOrderId],
  });
  append(state, self, [intent, orderRow(state, self, order, intent)], [clientOrderId]);
}
