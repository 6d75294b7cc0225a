/** The position actor: one symbol's hedged pair from plan to closed books. Lives on a trading thread; one mailbox is its lock. */
import { refOf, unreachable } from '../src/runtime/actor.ts';
import type { ActorKind } from '../src/runtime/actor.ts';
import { legKeyText } from '../src/execution/facts.ts';
import { ageExpectations, awaitedMicro } from '../src/execution/funding-expectation.ts';
import { bookOf } from '../src/execution/ledger.ts';
import { isActive } from '../src/execution/pair-state.ts';
import { positionReported } from '../src/execution/position-truth.ts';
import { notePredicted, noteSettled } from '../src/market/funding-check.ts';
import { addSettledRate } from '../src/market/funding-history.ts';
import { HOUR_MS, perSettlement } from '../src/market/funding-rate.ts';
import { observeMark } from '../src/market/mark-watch.ts';
import { markAt, noteMark } from '../src/market/settlement-mark.ts';
import { fundingMicro, notionalMicroAtNano, quantityOf } from '../src/money/amounts.ts';
import type { ConnectorEvent, ConnectorMessage } from './connector-messages.ts';
import type { GuardMessage } from './guard-messages.ts';
import { connectorEventDelivery } from './connector-messages.ts';
import { guardDelivery } from './guard-messages.ts';
import { appendSlowDelivery, journalReplyDelivery } from './journal-messages.ts';
import type { AppendFailed } from './journal-messages.ts';
import { positionDelivery } from './position-messages.ts';
import type { PositionMessage } from './position-messages.ts';
import { adopt, adoptionAbandoned, adoptionDurable } from './position/adopt.ts';
import {
  advance,
  checkRegularly,
  planAbandoned,
  planDurable,
  resolveUnsettled,
  watchOrders,
} from './position/carry-out.ts';
import { expectPaymentOf, keepExpectations, noteInterval } from './position/funding.ts';
import { enter } from './position/enter.ts';
import { askToLeave, evaluate } from './position/exits.ts';
import { applyBuffered, factTold } from './position/facts.ts';
import { appendBarrier, repeatAppends, tellJournal } from './position/journal.ts';
import { clearEntryBlocks } from './position/reductions.ts';
import { protect } from './position/protect.ts';
import { pictureOf, publish, recordExposure } from './position/publish.ts';
import { finishRecovery, instrumentKnown, journalRead, readJournal, repeatRead } from './position/recover.ts';
import {
  askToReconcile,
  reconcileNewVenues,
  reconcileOverdue,
  reconciled,
  waitingStops,
  watchExternalExposure,
  watchMismatches,
} from './position/reconcile.ts';
import { isReachable, newPositionState, trackOf, tracksOfMarket } from './position/state.ts';
import type { PositionArgs, PositionSelf, PositionState, VenueTrack } from './position/state.ts';

const ENGINE_ASK_MS = 2_000;

export type { PositionArgs } from './position/state.ts';

export const position: ActorKind<PositionArgs, PositionState, PositionMessage> = {
  kind: 'position',
  delivery: {
    ...positionDelivery,
    ...connectorEventDelivery,
    ...journalReplyDelivery,
    ...appendSlowDelivery,
    'engine-state-changed': guardDelivery['engine-state-changed'],
  },

  start(args, self) {
    const state = newPositionState(args);
    appendBarrier(state, self);
    tellJournal(state, self);
    for (const venue of args.venues) {
      self.tell(refOf<ConnectorMessage>(venue.connectorPath), {
        type: 'resend-state',
        to: self.ref,
        bases: [args.base],
      });
    }
    askForEngineState(state, self);
    self.after(args.positionTickMs, { type: 'position-tick' });
    publish(state, self);
    return state;
  },

  receive(state, message, self) {
    handle(state, message, self);
    tellJournal(state, self);
    publish(state, self);
    return state;
  },

  digest(state) {
    return {
      picture: pictureOf(state),
      stage: state.stage,
      engine: state.engine?.state ?? 'unknown',
      venues: [...state.venues.values()].map((track) => ({
        venue: track.venue,
        account: track.account,
        listed: track.instrument !== undefined,
        status: track.status?.status ?? 'unknown',
        reconciled: track.reconciled,
        reportedLots: track.watch.reportedLots ?? 'unknown',
        // A person compares it with what the venue shows.
        reportedQuantity: reportedQuantity(track),
        external: track.external,
      })),
      orders: [...state.book.orders.values()].slice(-20).map((order) => ({
        clientOrderId: order.planned.clientOrderId,
        leg: order.planned.leg,
        purpose: order.planned.purpose,
        status: order.status,
        filledLots: order.filledLots,
        lots: order.planned.lots,
      })),
      ...(state.adoption === undefined ? {} : { adoption: state.adoption }),
      awaitedFundingMicro: awaitedMicro(state.expectations),
      unacknowledgedAppends: state.appends.size,
    };
  },
};

/** In contracts. */
function reportedQuantity({ instrument, watch }: VenueTrack): number | 'unknown' {
  return instrument === undefined || watch.reportedLots === undefined
    ? 'unknown'
    : quantityOf(watch.reportedLots, instrument);
}

function handle(state: PositionState, message: PositionMessage, self: PositionSelf): void {
  switch (message.type) {
    case 'enter-pair':
      enter(state, self, message.plan);
      return;
    case 'exit-pair':
      askToLeave(state, self, message.reason);
      return;
    case 'rotate-pair':
      state.rotation = { pairId: message.pairId, detail: message.detail, atMs: self.monotonicMs() };
      evaluate(state, self);
      return;
    case 'clear-entry-blocks':
      clearEntryBlocks(state, self, message.reason);
      return;
    case 'adopt-position':
      adopt(state, self, message);
      return;
    case 'drain-position':
      state.draining = true;
      return;
    case 'position-tick':
      tick(state, self);
      recordExposure(state, self);
      return;
    case 'order-deadline':
      watchOrders(state, self);
      advance(state, self);
      return;
    case 'reconcile-overdue':
      reconcileOverdue(state, self, message.reconcileId);
      return;
    case 'plan-durable':
      appendDurable(state, self, message.appendId);
      return;
    case 'append-slow': {
      const pending = state.appends.get(message.appendId);
      if (pending !== undefined) pending.commitMs = message.commitMs;
      return;
    }
    case 'append-failed':
      appendFailed(state, self, message);
      return;
    case 'rows-read':
      journalRead(state, self, message);
      return;
    case 'quote-rates-told':
      state.quoteRates = message.rates;
      return;
    case 'engine-state-changed':
      state.engine = message;
      evaluate(state, self);
      return;
    case 'order-changed':
    case 'fill-received':
    case 'funding-paid':
      factTold(state, self, message);
      return;
    case 'position-reported': {
      const track = trackOf(state, message);
      if (track === undefined || (track.instrument !== undefined && track.instrument.symbol !== message.symbol)) return;
      if (message.receivedAtMonotonicMs >= track.watch.reportedAtMs) {
        track.liquidationPrice = message.liquidationPrice;
        track.adlRank = message.adlRank;
      }
      track.watch = positionReported(track.watch, message.signedLots, message.receivedAtMonotonicMs);
      advance(state, self);
      return;
    }
    case 'reconciled':
      if (reconciled(state, self, message)) {
        finishRecovery(state, self);
        advance(state, self);
      }
      return;
    case 'venue-status':
    case 'instrument-listed':
    case 'book-changed':
    case 'mark-changed':
    case 'funding-rate-changed':
    case 'account-changed':
    case 'leverage-reported':
      marketTold(state, self, message);
      return;
    default:
      unreachable(message);
  }
}

/** Without the engine's state nothing may be entered and nothing left: ask until the guard answers. */
function askForEngineState(state: PositionState, self: PositionSelf): void {
  const now = self.monotonicMs();
  if (now - state.engineAskedAtMs < ENGINE_ASK_MS) return;
  state.engineAskedAtMs = now;
  self.tell(refOf<GuardMessage>(state.args.guardPath), { type: 'resend-engine-state', to: self.path });
}

function tick(state: PositionState, self: PositionSelf): void {
  self.after(state.args.positionTickMs, { type: 'position-tick' });
  repeatAppends(state, self);
  repeatRead(state, self);
  if (state.engine === undefined) askForEngineState(state, self);
  if (state.stage === 'starting' || state.stage === 'reading') return;
  watchOrders(state, self);
  reconcileNewVenues(state, self);
  finishRecovery(state, self);
  if (state.stage !== 'running') return;
  advance(state, self);
  checkRegularly(state, self);
  watchExternalExposure(state, self);
  watchMismatches(state, self);
  evaluate(state, self);
  protect(state, self);
  keepExpectations(state, self, ageExpectations(state.expectations, self.monotonicMs()));
}

function appendDurable(state: PositionState, self: PositionSelf, appendId: number): void {
  const pending = state.appends.get(appendId);
  if (pending === undefined) return;
  state.appends.delete(appendId);
  if (pending.kind === 'barrier') {
    if (state.stage === 'starting') readJournal(state, self);
    return;
  }
  if (pending.kind === 'adoption') adoptionDurable(state, self, pending.message.rows);
  if (pending.clientOrderIds.length > 0) planDurable(state, self, pending.clientOrderIds, pending.commitMs);
}

/** No durable intent, no order. Everything else is kept and repeated: the fact stays ours until the journal has it. */
function appendFailed(state: PositionState, self: PositionSelf, { appendId, code, detail }: AppendFailed): void {
  const pending = state.appends.get(appendId);
  self.log('error', 'append-failed', { appendId, code, detail });
  if (pending === undefined) return;
  if (pending.kind === 'adoption') {
    state.appends.delete(appendId);
    adoptionAbandoned(state, self, `JOURNAL: ${code}: ${detail}`);
  } else if (pending.clientOrderIds.length > 0) {
    state.appends.delete(appendId);
    planAbandoned(state, self, pending.clientOrderIds, 'JOURNAL');
  } else if (code === 'row-conflict') {
    // Another row of this id is stored, ours never will be; the journal has told the guard. Any answer proves that what came
    // before is stored, so whoever waits for that need not wait for ever.
    self.count('rows-contradicted');
    appendDurable(state, self, appendId);
  }
}

type MarketEvent = Extract<
  ConnectorEvent,
  {
    type:
      | 'venue-status'
      | 'instrument-listed'
      | 'book-changed'
      | 'mark-changed'
      | 'funding-rate-changed'
      | 'account-changed'
      | 'leverage-reported';
  }
>;

function marketTold(state: PositionState, self: PositionSelf, event: MarketEvent): void {
  switch (event.type) {
    case 'venue-status': {
      const track = trackOf(state, event);
      if (track === undefined) return;
      const isBack = !isReachable(track.status) && isReachable(event);
      track.status = event;
      if (isReachable(event)) track.heardAtMs = self.monotonicMs();
      if (isBack) venueIsBack(state, self, track);
      return;
    }
    case 'instrument-listed': {
      const track = trackOf(state, event);
      if (track === undefined || event.instrument.base !== state.args.base) return;
      track.instrument = event.instrument;
      instrumentKnown(state, self, track);
      if (state.buffered.length > 0) applyBuffered(state, self);
      return;
    }
    case 'account-changed': {
      const track = trackOf(state, event);
      if (track !== undefined) track.balance = event;
      return;
    }
    case 'leverage-reported': {
      const track = trackOf(state, event);
      if (track !== undefined && event.base === state.args.base) track.leverage = event.leverage;
      return;
    }
    case 'book-changed':
    case 'mark-changed':
    case 'funding-rate-changed':
      if (event.base !== state.args.base) return;
      for (const track of tracksOfMarket(state, event.venue, event.symbol)) symbolTold(state, self, track, event);
      evaluate(state, self);
  }
}

/**
 * A pair that is neither closed nor whole has waited for this venue's word: ask for all of it now. Under one that is open a stop may
 * have ended while nobody listened.
 */
function venueIsBack(state: PositionState, self: PositionSelf, track: VenueTrack): void {
  const record = state.pair?.record;
  if (state.stage !== 'running' || record === undefined || !isActive(record.phase)) return;
  if (record.phase === 'OPEN') {
    if (waitingStops(state, track).length > 0) askToReconcile(state, self, track);
    return;
  }
  resolveUnsettled(state, self, track);
  askToReconcile(state, self, track);
}

function symbolTold(
  state: PositionState,
  self: PositionSelf,
  track: VenueTrack,
  event: Extract<MarketEvent, { type: 'book-changed' | 'mark-changed' | 'funding-rate-changed' }>,
): void {
  track.heardAtMs = self.monotonicMs();
  if (event.type === 'book-changed') {
    track.book = event.book;
  } else if (event.type === 'mark-changed') {
    track.mark = event;
    track.markWatch = observeMark(track.markWatch, event, state.args.calendarScale);
    track.settlementMarks = noteMark(track.settlementMarks, event.markNano, event.venueAtMs);
  } else if (event.kind === 'predicted') {
    const offsetMs = (track.status?.clockOffsetMs ?? 0) * state.args.calendarScale;
    noteInterval(state, self, track, event.rate);
    track.predicted = event.rate;
    track.predictedAtMs = event.receivedAtMonotonicMs;
    track.fundingCheck = notePredicted(track.fundingCheck, event.rate, self.nowMs() + offsetMs);
  } else {
    track.fundingCheck = noteSettled(track.fundingCheck, event.rate);
    const lookbackMs = state.args.exits.forecast.lookbackHours * HOUR_MS;
    track.settled = addSettledRate(
      track.settled,
      { settleAtMs: event.settleAtMs, hourly: event.rate.hourly },
      lookbackMs,
    );
    expectPayment(state, self, track, event);
  }
}

/** A settlement passed: what it should pay on what is held, at the mark of then; at the mark of now where nobody told that. */
function expectPayment(
  state: PositionState,
  self: PositionSelf,
  track: VenueTrack,
  event: Extract<MarketEvent, { type: 'funding-rate-changed' }>,
): void {
  const { instrument, mark } = track;
  const openedAtMs = state.pair?.record.phase === 'OPEN' ? state.pair.record.openedAtMs : Number.POSITIVE_INFINITY;
  if (instrument === undefined || mark === undefined || event.settleAtMs <= openedAtMs) return;
  const key = { venue: track.venue, account: track.account, symbol: event.symbol };
  const { signedLots } = bookOf(state.book.ledger, key);
  if (signedLots === 0) return;
  const markNano = markAt(track.settlementMarks, event.settleAtMs) ?? mark.markNano;
  expectPaymentOf(state, self, {
    leg: legKeyText(key),
    settleAtMs: event.settleAtMs,
    expectedMicro: fundingMicro(instrument, signedLots, markNano, perSettlement(event.rate)),
    basis: {
      notionalMicro: notionalMicroAtNano(instrument, markNano, signedLots),
      hourly: event.rate.hourly,
      intervalMs: event.rate.intervalMs,
    },
  });
}
