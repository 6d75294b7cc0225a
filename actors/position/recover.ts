/**
 * The start of a life: wait for earlier writes, fold the journal, compare with the venues, then act by the table (domain 14.2).
 *
 * A life goes through these stages once each, never back (a test holds this table and the code against each other). Nothing is sent
 * before the last, and no fact is applied before the third; what comes earlier waits.
 *
 * | from | event | to |
 * | ---- | ----- | -- |
 * | starting | everything written before is durable | reading |
 * | reading | last page folded | comparing |
 * | comparing | the table of a restart decides | running |
 */
import { refOf, unreachable } from '../../src/runtime/actor.ts';
import { highestCounter, ordersOfPair } from '../../src/execution/execution-book.ts';
import { beginHistory, endHistory, foldHistoryRow } from '../../src/execution/history-fold.ts';
import { isBalanced } from '../../src/execution/imbalance.ts';
import { actAfterMs, silentLeg, unhedgedLots } from '../../src/execution/one-venue.ts';
import { isSettled } from '../../src/execution/order-state.ts';
import { isStop } from '../../src/execution/protective-stop.ts';
import { resumedExposureClock } from '../../src/execution/exposure-clock.ts';
import { endQuoting } from '../../src/execution/maker-entry.ts';
import { anyFill } from '../../src/execution/pair-orders.ts';
import type { Pair, PairView } from '../../src/execution/pair.ts';
import { enterPhase, failed, isActive, newTiming } from '../../src/execution/pair-state.ts';
import { decideRecovery } from '../../src/execution/recovery.ts';
import type { RecoveryAction } from '../../src/execution/recovery.ts';
import type { JournalMessage, RowsRead } from '../journal-messages.ts';
import { defineInstrumentOnce, keepPair, tellJournal } from './journal.ts';
import { advance, cancelResting } from './carry-out.ts';
import { applyBuffered } from './facts.ts';
import { viewPair } from './pair-view.ts';
import { reviveIfExposed } from './revive.ts';
import { isReachable, pairTracks, trackOf } from './state.ts';
import type { PositionSelf, PositionState, VenueTrack } from './state.ts';
import { rowsOfPage } from '../../src/storage/row-page.ts';
import type { JournalRow } from '../../src/storage/rows.ts';

const ROWS_PER_READ = 5_000;
const READ_REPEAT_MS = 2_000;

/** Everything earlier is durable: read it. */
export function readJournal(state: PositionState, self: PositionSelf): void {
  state.stage = 'reading';
  state.rowsRead = { ...state.rowsRead, askedAtMs: self.monotonicMs() };
  // What is read holds everything written before the question.
  tellJournal(state, self);
  self.tell(refOf<JournalMessage>(state.args.journalPath), {
    type: 'read-rows',
    query: {
      type: 'by-correlation',
      correlation: state.args.base,
      afterSequence: state.rowsRead.sequence,
      limit: ROWS_PER_READ,
    },
    replyTo: self.ref,
    readId: self.incarnation,
  });
}

/** One page of the journal. Throws when the journal promises rows and has none, because folding a part would be a wrong state. */
export function journalRead(state: PositionState, self: PositionSelf, answer: RowsRead): void {
  if (state.stage !== 'reading' || answer.readId !== self.incarnation) return;
  // A page asked for twice is answered twice.
  const rows = rowsOfPage(answer.page);
  const fresh = rows.filter((row) => (row.sequence ?? 0) > state.rowsRead.sequence);
  const last = fresh.at(-1)?.sequence;
  if (last !== undefined) state.rowsRead = { sequence: last, askedAtMs: state.rowsRead.askedAtMs };
  // Asked first: the journal's thread reads the next page while this one folds these rows.
  if (!answer.complete && last !== undefined) readJournal(state, self);
  foldPage(state, self, fresh);
  if (answer.complete) takeOver(state, self);
  else if (rows.length === 0)
    throw new Error(
      `journal reads must advance, nothing follows sequence ${state.rowsRead.sequence} yet more is promised`,
    );
}

/** Asks for the page again when the journal has not answered. */
export function repeatRead(state: PositionState, self: PositionSelf): void {
  if (state.stage === 'reading' && self.monotonicMs() - state.rowsRead.askedAtMs >= READ_REPEAT_MS)
    readJournal(state, self);
}

/** A page at a time: years of rows at once would be neither short enough for a turn of this thread nor small enough for its memory. */
function foldPage(state: PositionState, self: PositionSelf, rows: readonly JournalRow[]): void {
  const [now, nowMs] = [self.monotonicMs(), self.nowMs()];
  // A payment that was awaited is awaited still, also when its time ran out meanwhile.
  const monotonicOf = (atMs: number): number => now - (nowMs - atMs) / state.args.calendarScale;
  for (const row of rows) {
    foldHistoryRow(state.history, row, monotonicOf);
    noteFactTime(state, row);
  }
}

/** The fold is the state before the crash; what an earlier life waited for is waited for again. */
function takeOver(state: PositionState, self: PositionSelf): void {
  const now = self.monotonicMs();
  const { book, expectations, payments, legReductions, clearedAtMs, rotatedAtMs } = endHistory(state.history);
  state.history = beginHistory();
  state.book = book;
  state.expectations = expectations;
  state.payments = payments;
  state.legReductions = legReductions;
  state.clearedAtMs = clearedAtMs;
  state.rotatedAtMs = rotatedAtMs;
  state.orderCounter = Math.max(state.orderCounter, highestCounter(state.book, state.args.boot));
  const { record } = state.book;
  if (record !== undefined) {
    const deadMs = (self.nowMs() - (record.exposure?.atMs ?? self.nowMs())) / state.args.calendarScale;
    const exposure = isActive(record.phase) ? record.exposure : undefined;
    state.pair = { record, timing: newTiming(now, resumedExposureClock(exposure, deadMs, now)) };
  }
  for (const [clientOrderId, order] of state.book.orders) {
    if (!isSettled(order)) state.orderWatches.set(clientOrderId, { sinceMs: now, lastAskedAtMs: now, asked: 0 });
  }
  cancelResting(state, self);
  state.stage = 'comparing';
  for (const track of state.venues.values()) instrumentKnown(state, self, track);
  applyBuffered(state, self);
}

/** Comparisons start at the newest fact this actor has from each venue. */
function noteFactTime(
  state: PositionState,
  row: { readonly atMs: number; readonly payload: Readonly<Record<string, unknown>> },
): void {
  const event = row.payload['event'];
  if (typeof event !== 'object' || event === null || !('venue' in event) || !('account' in event)) return;
  const track = trackOf(state, { venue: String(event.venue), account: String(event.account) });
  if (track !== undefined) track.lastFactAtMs = Math.max(track.lastFactAtMs, row.atMs);
}

/** Journals a listed instrument's steps; a venue whose steps changed under our books is not traded. */
export function instrumentKnown(state: PositionState, self: PositionSelf, track: VenueTrack): void {
  if (track.instrument === undefined || (state.stage !== 'comparing' && state.stage !== 'running')) return;
  if (defineInstrumentOnce(state, self, track.instrument)) return;
  self.log('error', 'instrument-steps-changed', { venue: track.venue, symbol: track.instrument.symbol });
  track.instrument = undefined;
}

/** Acts by the table as soon as the facts allow. */
export function finishRecovery(state: PositionState, self: PositionSelf): void {
  if (state.stage !== 'comparing') return;
  const { pair } = state;
  if (pair === undefined || !isActive(pair.record.phase)) {
    if (venuesCompared(state)) run(state, self, reviveIfExposed(state, self) ? 'late-fill' : 'idle');
    return;
  }
  const view = viewPair(state, self, pair);
  if (view === undefined) return;
  act(state, self, pair, view, decideRecovery(recoveryFacts(state, self, pair, view)));
}

function recoveryFacts(
  state: PositionState,
  self: PositionSelf,
  pair: Pair,
  view: PairView,
): Parameters<typeof decideRecovery>[0] {
  const tracks = pairTracks(state, pair);
  const orders = ordersOfPair(state.book, pair.record.pairId).filter((order) => !isStop(order));
  const filled = (leg: 'long' | 'short'): boolean => view[leg].ledgerLots !== 0;
  return {
    phase: pair.record.phase,
    compared: tracks.long.reconciled && tracks.short.reconciled,
    exposed: isLoneLegCompared(pair, tracks, view),
    waitedMs: self.monotonicMs() - pair.timing.phaseSinceMs,
    exposedMsMax: actAfterMs(state.args.execution) / 2,
    waitMsMax: state.args.execution.recovery.maxMs,
    unresolved: orders.filter((order) => !isSettled(order) && order.status !== 'LOST').length,
    lost: orders.filter((order) => order.status === 'LOST').length,
    filled: { long: filled('long'), short: filled('short') },
    balanced: isBalanced(view),
    matches: view.long.truth.kind === 'confirmed' && view.short.truth.kind === 'confirmed',
    ageMs: (self.nowMs() - pair.record.enteredAtMs) / state.args.calendarScale,
    completeMs: state.args.execution.recovery.completeMs,
    increaseRefused: view.increaseRefused,
  };
}

/** True when the leg that may stand alone is on the venue that answered: only then can anything be done before the other does. */
function isLoneLegCompared(
  pair: Pair,
  tracks: Readonly<Record<'long' | 'short', VenueTrack>>,
  view: PairView,
): boolean {
  const silent = silentLeg(pair, view);
  const isLone = (leg: 'long' | 'short', other: 'long' | 'short'): boolean =>
    tracks[leg].reconciled && unhedgedLots(leg, view) > 0 && (!tracks[other].reconciled || silent === other);
  return isLone('long', 'short') || isLone('short', 'long');
}

function act(state: PositionState, self: PositionSelf, pair: Pair, view: PairView, decision: RecoveryAction): void {
  switch (decision.action) {
    case 'wait':
      // Nothing is concluded; orders still open are asked about by the ordinary watch, venues by the tick.
      return;
    case 'fail':
      // What was filled and is gone again is booked on the pair: it ends as a trade.
      keepPair(state, self, anyFill(view) ? unwinding(pair, 'LEG_MISSING', view) : failed(pair, decision.reason, view));
      break;
    case 'unwind':
      keepPair(state, self, unwinding(pair, decision.reason, view));
      break;
    case 'quarantine':
      self.log('error', 'recovery-incomplete', { pairId: pair.record.pairId, reason: decision.reason });
      keepPair(state, self, standingSinceStart(enterPhase(pair, 'QUARANTINED', decision.reason, view), pair, view));
      break;
    case 'open':
    case 'complete':
      keepPair(state, self, enterPhase(endQuoting(pair, 'RECOVERED'), 'OPENING', 'RECOVERED', view));
      break;
    case 'continue':
      if (pair.record.phase === 'PREFLIGHT' || pair.record.phase === 'OPENING')
        keepPair(state, self, enterPhase(endQuoting(pair, 'RECOVERED'), 'OPENING', 'RECOVERED', view));
      break;
    case 'idle':
      break;
    default:
      unreachable(decision);
  }
  run(state, self, decision.action);
}

function unwinding(pair: Pair, reason: string, view: PairView): Pair {
  return enterPhase({ ...pair, record: { ...pair.record, exitReason: reason } }, 'UNWINDING', reason, view);
}

/** Whatever stands alone has done so for the whole of this life at least. */
function standingSinceStart(entered: Pair, before: Pair, view: PairView): Pair {
  const exposure = { ...entered.timing.exposure, sinceMs: before.timing.phaseSinceMs, observedAtMs: view.monotonicMs };
  return { ...entered, timing: { ...entered.timing, exposure } };
}

function run(state: PositionState, self: PositionSelf, action: string): void {
  state.stage = 'running';
  self.log('info', 'position-recovered', {
    base: state.args.base,
    action,
    pairId: state.pair?.record.pairId ?? '',
    phase: state.pair?.record.phase ?? 'IDLE',
  });
  advance(state, self);
}

/** Without a pair it takes two compared venues to be of any use, and no ready one may be left unasked. */
function venuesCompared(state: PositionState): boolean {
  const tracks = [...state.venues.values()];
  const compared = tracks.filter((track) => track.reconciled).length;
  const pending = tracks.some(
    (track) => !track.reconciled && track.instrument !== undefined && isReachable(track.status),
  );
  return !pending && compared >= Math.min(2, tracks.length);
}
