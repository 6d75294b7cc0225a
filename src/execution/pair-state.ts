/**
 * The state machine of one hedged pair (domain section 9): looks at all facts and says what to do next. Pure, any thread.
 *
 * ```
 *   IDLE ──enter──▶ PREFLIGHT ──gates ok──▶ OPENING ──both confirmed──▶ OPEN ◀──balanced── REBALANCING
 *                      │ gate fails           │  │ one leg failed       │ exit   └──drift──▶   │ fails twice
 *                      ▼                      │  └────────▶ UNWINDING   ▼                      ▼
 *                    FAILED ◀──nothing filled─┘              │ flat   CLOSING ◀───────────────┘
 *                                                            ▼          │ flat
 *                    QUARANTINED ◀── lost, overfilled,    CLOSED ◀──────┘
 *                         │          unconfirmed, exhausted   ▲
 *                         └── flat ───────────────────────────┘   balanced: OPEN; imbalance: UNWINDING
 * ```
 *
 * It is driven by facts, not by events: called again with the same facts it asks for nothing new, because an order that was asked
 * for is itself a fact. Sends that add exposure happen only while nothing of the pair is unresolved; phases that reduce send
 * reduce-only orders sized by the position the venue confirmed.
 *
 * All that changes the phase, apart from a restart (a test holds this table and the code against each other; `recovery.ts` has the
 * restart's own). A pair that must leave is quarantined in two ways: `leaving`, its escalation spent, it keeps trying slowly;
 * `interrupted` by an order or a silence, it goes on at full pace once it is known what is held. Flat legs are those that both venues confirm.
 *
 * | from | event | to |
 * | ---- | ----- | -- |
 * | IDLE, CLOSED, FAILED | entered | PREFLIGHT |
 * | PREFLIGHT | plan durable | OPENING |
 * | PREFLIGHT | a gate refuses | FAILED |
 * | OPENING, REBALANCING, QUARANTINED | legs whole | OPEN |
 * | OPENING, QUARANTINED, QUARANTINED leaving, QUARANTINED interrupted | flat without a fill | FAILED |
 * | OPENING, QUARANTINED, QUARANTINED leaving, QUARANTINED interrupted | flat after fills | CLOSED |
 * | OPEN, CLOSING, UNWINDING | flat without a fill, flat after fills | CLOSED |
 * | REBALANCING | flat without a fill, flat after fills | OPEN |
 * | OPENING | undoing is better, one venue silent for long | UNWINDING |
 * | OPENING | unconfirmed for 15 s | QUARANTINED |
 * | OPEN | legs differ, decided to reduce | REBALANCING |
 * | OPEN | a leg is gone | CLOSING |
 * | OPEN, REBALANCING | liquidated, decided to leave | CLOSING |
 * | REBALANCING | two trims failed | CLOSING |
 * | OPENING, OPEN, REBALANCING | an order is lost, overfilled | QUARANTINED |
 * | CLOSING, UNWINDING | an order is lost, overfilled | QUARANTINED interrupted |
 * | CLOSING, UNWINDING | not flat for 60 s, refused for good thrice | QUARANTINED leaving |
 * | IDLE, CLOSED, FAILED | late fill | QUARANTINED interrupted |
 * | QUARANTINED | one venue silent for long | QUARANTINED leaving |
 * | QUARANTINED, QUARANTINED interrupted | legs differ, a leg is gone, liquidated | UNWINDING |
 * | QUARANTINED interrupted | legs whole | UNWINDING |
 */
import { exposureRecord, observeExposure, stoppedExposureClock, unhedgedForMs } from './exposure-clock.ts';
import type { ExposureClock } from './exposure-clock.ts';
import type { LegSide } from './facts.ts';
import { absolute, isBalanced, leadingLeg, legUnits, netUnits, worstNetUnits } from './imbalance.ts';
import { isExposedByOneVenue, overdueLoneLeg, silentLeg, unhedgedLots } from './one-venue.ts';
import { answerReduction, excessLots, isAboveDust, isTrimmable, thinLegFirst } from './pair-reduction.ts';
import { isSettled, isUnresolved } from './order-state.ts';
import { bothConfirmed, continueOpening, largeEnough } from './pair-opening.ts';
import { anyFill, cancelsOfQuotes, inProgress, LEGS, nextAttempt, reducing, send } from './pair-orders.ts';
import type { OrderState } from './order-state.ts';
import type { LegView, Pair, PairCommand, PairPhase, PairStep, PairTiming, PairView, ReductionTarget } from './pair.ts';
import { EXPOSED_ALARM_MS, QUARANTINE_RETRY_MS } from './policy.ts';

/** Streams report a position this long after its fill at most; a query sooner would only cost its weight. */
const REPORT_FOLLOWS_MS = 300;
/** Why both legs are brought down to the smaller one. */
const TAKEN = 'VENUE_REDUCED';
/** Attempts to make both legs smaller before they are closed instead. */
const REDUCE_SENDS_MAX = 4;

/** Starts the clocks of a pair in this life of its actor; what stood unhedged in earlier ones counts on. */
export function newTiming(monotonicMs: number, exposure: ExposureClock = stoppedExposureClock): PairTiming {
  return {
    phaseSinceMs: monotonicMs,
    settledSinceMs: undefined,
    lastSendAtMs: { long: Number.NEGATIVE_INFINITY, short: Number.NEGATIVE_INFINITY },
    sends: 0,
    lastRebalanceAtMs: Number.NEGATIVE_INFINITY,
    lastRetryAtMs: Number.NEGATIVE_INFINITY,
    lastAlarmAtMs: Number.NEGATIVE_INFINITY,
    queriesBefore: { long: 0, short: 0 },
    firstAttempt: { long: 1, short: 1 },
    exposure,
    reductionsAnswered: 0,
  };
}

/** True while the pair occupies its symbol. */
export function isActive(phase: PairPhase): boolean {
  return phase !== 'IDLE' && phase !== 'CLOSED' && phase !== 'FAILED';
}

/** Moves a pair into a phase; the actor journals the record because it changed. */
export function enterPhase(
  pair: Pair,
  phase: PairPhase,
  reason: string,
  view: Pick<PairView, 'nowMs' | 'monotonicMs' | 'long' | 'short'>,
): Pair {
  const ended = phase === 'CLOSED' || phase === 'FAILED';
  return {
    record: {
      ...pair.record,
      revision: pair.record.revision + 1,
      phase,
      reason,
      openedAtMs: phase === 'OPEN' && pair.record.openedAtMs === 0 ? view.nowMs : pair.record.openedAtMs,
      closedAtMs: ended ? view.nowMs : 0,
      brokenOrders: phase === 'QUARANTINED' ? brokenOrders(view).length : pair.record.brokenOrders,
      exposure: exposureRecord(pair.timing.exposure, view.nowMs),
    },
    timing: {
      ...pair.timing,
      phaseSinceMs: view.monotonicMs,
      settledSinceMs: undefined,
      sends: 0,
      lastRetryAtMs: phase === 'QUARANTINED' ? Number.NEGATIVE_INFINITY : pair.timing.lastRetryAtMs,
      queriesBefore: { long: view.long.queries, short: view.short.queries },
      firstAttempt: { long: nextAttempt(view.long), short: nextAttempt(view.short) },
    },
  };
}

/** Decides to leave. A pair that is already leaving, or not open, stays as it is: deciding twice never closes twice. */
export function decideToLeave(pair: Pair, reason: string, view: PairView): PairStep {
  const { phase } = pair.record;
  if (phase !== 'OPEN' && phase !== 'REBALANCING') return { pair, commands: [] };
  const leaving = enterPhase({ ...pair, record: { ...pair.record, exitReason: reason } }, 'CLOSING', reason, view);
  return advancePair(leaving, view);
}

/** Decides to make both legs of an open pair smaller; anything but an open pair stays as it is. */
export function decideToReduce(pair: Pair, target: ReductionTarget, reason: string, view: PairView): PairStep {
  if (pair.record.phase !== 'OPEN' || LEGS.every((leg) => excessLots(leg, target, view) === 0))
    return { pair, commands: [] };
  return advancePair(enterPhase(withTarget(pair, target), 'REBALANCING', reason, view), view);
}

/** A fill of ours came in after the pair had ended: the position it made must not stay alone. */
export function reviveForLateFill(pair: Pair, view: PairView): Pair {
  if (isActive(pair.record.phase)) return pair;
  return enterPhase({ ...pair, record: { ...pair.record, exitReason: 'LATE_FILL' } }, 'QUARANTINED', 'LATE_FILL', view);
}

/** Says what the facts ask for now. */
export function advancePair(before: Pair, view: PairView): PairStep {
  const observed = observe(before, view);
  if (!isAlarmDue(observed, view)) return advancePhase(observed, view);
  const step = advancePhase({ ...observed, timing: { ...observed.timing, lastAlarmAtMs: view.monotonicMs } }, view);
  const forMs = Math.round(unhedgedForMs(observed.timing.exposure, view.monotonicMs));
  const quote = observed.timing.exposure.unhedgedQuote.toFixed(2);
  const dark = LEGS.filter((leg) => !view[leg].reachable).map((leg) => before.record[leg].venue);
  const detail = `${quote} quote may stand alone for ${forMs} ms, no account from ${dark.join(' and ') || 'one of them'}`;
  return {
    pair: step.pair,
    commands: [{ type: 'alert', level: 'error', event: 'pair-exposed-one-venue', detail }, ...step.commands],
  };
}

function advancePhase(pair: Pair, view: PairView): PairStep {
  const broken = brokenOrder(pair, view);
  if (broken !== undefined) return quarantine(pair, broken, view);
  const step = advanceByPhase(pair, view);
  // An opening decides for itself how long it quotes; nothing else leaves an order on a book.
  if (step.pair.record.phase === 'OPENING' || step.pair.record.phase === 'PREFLIGHT') return step;
  const cancels = cancelsOfQuotes(view).filter((cancel) => !step.commands.some((other) => isSameCancel(cancel, other)));
  return cancels.length === 0 ? step : { pair: step.pair, commands: [...cancels, ...step.commands] };
}

function isSameCancel(one: PairCommand, other: PairCommand): boolean {
  return one.type === 'cancel' && other.type === 'cancel' && one.clientOrderId === other.clientOrderId;
}

function advanceByPhase(pair: Pair, view: PairView): PairStep {
  switch (pair.record.phase) {
    case 'OPENING':
      return advanceOpening(pair, view);
    case 'OPEN':
      return advanceOpen(pair, view);
    case 'REBALANCING':
      return advanceRebalancing(pair, view);
    case 'CLOSING':
    case 'UNWINDING':
      return advanceReducing(pair, view);
    case 'QUARANTINED':
      return advanceQuarantined(pair, view);
    case 'IDLE':
    case 'PREFLIGHT':
    case 'CLOSED':
    case 'FAILED':
      return { pair, commands: [] };
  }
}

function observe(pair: Pair, view: PairView): Pair {
  const unhedgedQuote =
    Number(isBalanced(view) && !anyUnresolved(view) ? 0n : worstNetUnits(view)) * (view.quotePerUnit ?? 1);
  return {
    ...pair,
    timing: { ...pair.timing, exposure: observeExposure(pair.timing.exposure, unhedgedQuote, view.monotonicMs) },
  };
}

/** An exposure that a silent venue keeps open is told at once and again until it ends. */
function isAlarmDue(pair: Pair, view: PairView): boolean {
  if (!isActive(pair.record.phase) || pair.record.phase === 'PREFLIGHT') return false;
  return view.monotonicMs - pair.timing.lastAlarmAtMs >= EXPOSED_ALARM_MS && isExposedByOneVenue(pair, view);
}

function anyUnresolved(view: PairView): boolean {
  return LEGS.some((leg) => view[leg].orders.some(isUnresolved));
}

// ---------------------------------------------------------------------------------------------------------------- opening

function advanceOpening(pair: Pair, view: PairView): PairStep {
  if (overdueLoneLeg(pair, view) !== undefined)
    return advancePhase(enterUnwinding(pair, 'ONE_VENUE_SILENT', view), view);
  const verdict = continueOpening(pair, view);
  switch (verdict.type) {
    case 'go-on':
      return verdict.step;
    case 'confirm':
      return awaitConfirmation(verdict.pair, view, verdict.asks);
    case 'open':
      return { pair: enterPhase(verdict.pair, 'OPEN', verdict.reason, view), commands: [] };
    case 'fail':
      return { pair: failed(verdict.pair, verdict.reason, view), commands: [] };
    case 'unwind':
      return advancePair(enterUnwinding(verdict.pair, verdict.reason, view), view);
  }
}

function awaitConfirmation(pair: Pair, view: PairView, asks: readonly PairCommand[]): PairStep {
  const since = pair.timing.settledSinceMs ?? view.monotonicMs;
  const waiting = { ...pair, timing: { ...pair.timing, settledSinceMs: since } };
  const age = view.monotonicMs - since;
  if (age >= view.policy.open.confirmMaxMs) return quarantine(pair, 'UNCONFIRMED', view);
  const adjustments = adjustmentsOf(view);
  if (adjustments.length > 0) return { pair: waiting, commands: adjustments };
  if (age < view.policy.open.confirmMs) return { pair: waiting, commands: asks };
  return { pair: waiting, commands: unconfirmedLegs(view).map((leg) => ({ type: 'reconcile', leg })) };
}

// ------------------------------------------------------------------------------------------------------------------- open

function advanceOpen(pair: Pair, view: PairView): PairStep {
  if (inProgress(view.long) || inProgress(view.short)) return { pair, commands: [] };
  const adjustments = adjustmentsOf(view);
  if (adjustments.length > 0) return { pair, commands: adjustments };
  // What was taken is booked: the other leg must not wait for a report of what is known, nor for a cooldown.
  const answer = answerReduction(pair, view);
  if (answer?.action === 'leave') return decideToLeave(pair, answer.reason, view);
  if (answer !== undefined) {
    const reductionsAnswered = view.reductions.count;
    const answered = { ...pair, timing: { ...pair.timing, reductionsAnswered } };
    if (answer.action === 'accept') return { pair: answered, commands: [] };
    return advancePair(enterPhase(answered, 'REBALANCING', TAKEN, view), view);
  }
  if (!bothConfirmed(view)) {
    const recentMs = view.monotonicMs - Math.max(pair.timing.phaseSinceMs, pair.timing.lastRetryAtMs);
    if (recentMs < view.policy.reconcile.recentMs) return { pair, commands: [] };
    const asked = { ...pair, timing: { ...pair.timing, lastRetryAtMs: view.monotonicMs } };
    return { pair: asked, commands: unconfirmedLegs(view).map((leg) => ({ type: 'reconcile', leg })) };
  }
  if (view.long.ledgerLots <= 0 || view.short.ledgerLots >= 0) return decideToLeave(pair, 'LEG_MISSING', view);
  if (!hasDrifted(view) || view.monotonicMs - pair.timing.lastRebalanceAtMs < view.policy.delta.cooldownMs)
    return { pair, commands: [] };
  if (!largeEnough(view)) return decideToLeave(pair, 'LEG_MISSING', view);
  return advancePair(enterPhase(pair, 'REBALANCING', 'DELTA_DRIFT', view), view);
}

/** Trims the larger leg, or brings both to their target; two failed attempts end in leaving. */
function advanceRebalancing(pair: Pair, view: PairView): PairStep {
  if (view.reductions.liquidated) return decideToLeave(pair, 'LIQUIDATION', view);
  if (pair.record.reduceTo !== undefined) return advanceToTarget(pair, pair.record.reduceTo, view);
  if (inProgress(view.long) || inProgress(view.short)) return { pair, commands: [] };
  const adjustments = adjustmentsOf(view);
  if (adjustments.length > 0) return { pair, commands: adjustments };
  const leading = leadingLeg(view);
  const isTaken = pair.record.reason === TAKEN;
  const isKnown = isTaken ? view[leading.leg].truth.kind === 'confirmed' : bothConfirmed(view);
  if (!isKnown) return { pair, commands: questionsForTruth(view) };
  if (isTaken ? !isAboveDust(view) : !hasDrifted(view)) {
    const done = enterPhase(pair, 'OPEN', 'REBALANCED', view);
    return { pair: { ...done, timing: { ...done.timing, lastRebalanceAtMs: view.monotonicMs } }, commands: [] };
  }
  if (pair.timing.sends >= 2) return decideToLeave(pair, 'REBALANCE_FAILED', view);
  if (!view[leading.leg].reachable || !isPaced(pair, leading.leg, view)) return { pair, commands: [] };
  const rung = isAloneTooLong(pair, view) ? 0 : pair.timing.sends + 1;
  return send(pair, view, [reducing(leading.leg, view[leading.leg], leading.lots, 'rebalance', rung)]);
}

/** Both legs down to a target, in the same moment as long as they are balanced; attempts that change nothing end in leaving. */
function advanceToTarget(pair: Pair, target: ReductionTarget, view: PairView): PairStep {
  if (inProgress(view.long) || inProgress(view.short)) return { pair, commands: [] };
  const adjustments = adjustmentsOf(view);
  if (adjustments.length > 0) return { pair, commands: adjustments };
  const larger = LEGS.filter((leg) => excessLots(leg, target, view) > 0);
  if (larger.length === 0) {
    const done = enterPhase(withTarget(pair, undefined), 'OPEN', 'REDUCED', view);
    return { pair: { ...done, timing: { ...done.timing, lastRebalanceAtMs: view.monotonicMs } }, commands: [] };
  }
  if (pair.timing.sends >= REDUCE_SENDS_MAX) return decideToLeave(pair, 'REDUCE_FAILED', view);
  const ready = larger.filter((leg) => canReduce(pair, leg, view));
  if (ready.length === 0 || (isBalanced(view) && ready.length < larger.length))
    return { pair, commands: questionsForTruth(view) };
  const rung = isAloneTooLong(pair, view) ? 0 : pair.timing.sends + 1;
  const orders = ready.map((leg) => reducing(leg, view[leg], excessLots(leg, target, view), 'rebalance', rung));
  return send(pair, view, orders);
}

function withTarget({ record, timing }: Pair, reduceTo: ReductionTarget | undefined): Pair {
  const { reduceTo: _, ...rest } = record;
  return { record: reduceTo === undefined ? rest : { ...rest, reduceTo }, timing };
}

/** One leg has stood without the other for longer than a close may leave it. */
function isAloneTooLong(pair: Pair, view: PairView): boolean {
  return unhedgedForMs(pair.timing.exposure, view.monotonicMs) >= view.policy.close.maxUnhedgedMs;
}

function hasDrifted(view: PairView): boolean {
  if (isBalanced(view) || !isTrimmable(view)) return false;
  const { delta } = view.policy;
  const net = Number(absolute(netUnits(view)));
  const larger = Math.max(Number(absolute(legUnits(view.long))), Number(absolute(legUnits(view.short))));
  const notional = net * (view.quotePerUnit ?? Number.POSITIVE_INFINITY);
  return notional >= delta.dustNotional && (net / larger >= delta.maxRatio || notional >= delta.maxNotional);
}

// --------------------------------------------------------------------------------------------------------------- reducing

/** Reasons to leave that wait for nothing: both legs go in the same moment, however thin a book is. */
const URGENT: ReadonlySet<string> = new Set(['LEG_MISSING', 'LIQUIDATION', 'KILL_SWITCH', 'DAILY_LOSS']);

/** CLOSING and UNWINDING: both legs to zero, together as long as they are balanced. */
function advanceReducing(pair: Pair, view: PairView): PairStep {
  const adjustments = adjustmentsOf(view);
  if (adjustments.length > 0) return { pair, commands: adjustments };
  if (isFlat(view.long) && isFlat(view.short)) return { pair: closed(pair, view), commands: [] };
  if (view.monotonicMs - pair.timing.phaseSinceMs >= view.policy.close.maxMs)
    return quarantine(pair, 'CLOSE_EXHAUSTED', view);
  const refused = refusedForGood(pair, view);
  if (refused !== undefined) return quarantine(pair, 'CLOSE_REFUSED', view, refused);

  const asks = questionsForTruth(view);
  const ready = LEGS.filter((leg) => canReduce(pair, leg, view));
  // While balanced nothing is at risk: closing one leg alone would create what hedging is there to avoid.
  const together = isBalanced(view);
  const purpose = pair.record.phase === 'CLOSING' ? 'close' : 'unwind';
  if (ready.length === 0 || (together && LEGS.some((leg) => !isFlat(view[leg]) && !ready.includes(leg)))) {
    const lone = overdueLoneLeg(pair, view);
    if (lone === undefined || !ready.includes(lone.leg)) return { pair, commands: asks };
    const step = send(pair, view, [reducing(lone.leg, view[lone.leg], lone.lots, purpose, 0)]);
    return { pair: step.pair, commands: [...asks, ...step.commands] };
  }
  const first =
    together && ready.length === LEGS.length && !URGENT.has(pair.record.reason) ? thinLegFirst(view) : undefined;
  const orders = ready
    .filter((leg) => first === undefined || leg === first)
    .map((leg) => reducing(leg, view[leg], lotsToReduce(pair, leg, view), purpose, rungOf(pair, leg, view)))
    .filter((order) => order.lots > 0);
  if (orders.length === 0) return { pair, commands: asks };
  const step = send(pair, view, orders);
  return { pair: step.pair, commands: [...asks, ...step.commands] };
}

/** Reductions of one leg that its venue refused for good in a row, since leaving began, before this way of closing is given up. */
const CLOSES_REFUSED_MAX = 3;

/**
 * Says what a venue will not take, or undefined: asking for the same again twice a second changes nothing, and a person must know.
 * What is below the venue's least order ends here too, as dust.
 */
function refusedForGood(pair: Pair, view: PairView): string | undefined {
  for (const leg of LEGS) {
    const { orders, ledgerLots, minLots } = view[leg];
    const refusals = orders
      // A trim that was too small for the venue says nothing about closing all there is.
      .filter(({ planned }) => planned.reduceOnly && planned.attempt >= pair.timing.firstAttempt[leg])
      .slice(-CLOSES_REFUSED_MAX)
      .filter((order) => order.status === 'REJECTED' && order.refusal === 'permanent');
    const last = refusals.at(-1);
    if (refusals.length < CLOSES_REFUSED_MAX || last === undefined || ledgerLots === 0) continue;
    const units = Number(absolute(legUnits(view[leg])));
    const worth = view.quotePerUnit === undefined ? 'unknown' : (units * view.quotePerUnit).toFixed(2);
    const dust = Math.abs(ledgerLots) < minLots ? `, dust below the least order of ${minLots} lots` : '';
    const { venue, account, symbol } = pair.record[leg];
    return `CLOSE_REFUSED: ${venue}:${account} refuses to close ${ledgerLots} lots of ${symbol} worth ${worth} quote${dust}: ${last.code} ${last.reason}`;
  }
  return undefined;
}

/** All of the leg; only what nothing surely hedges while the other leg cannot follow. */
function lotsToReduce(pair: Pair, leg: LegSide, view: PairView): number {
  return silentLeg(pair, view) === undefined ? Math.abs(view[leg].ledgerLots) : unhedgedLots(leg, view);
}

function canReduce(pair: Pair, leg: LegSide, view: PairView): boolean {
  const side = view[leg];
  if (inProgress(side) || side.queryFirst || side.truth.kind !== 'confirmed' || side.truth.lots === 0) return false;
  return side.reachable && isPaced(pair, leg, view);
}

/** Attempts widen step by step; once one leg has stood alone too long, any price within the protective cap. 0 says so. */
function rungOf(pair: Pair, leg: LegSide, view: PairView): number {
  const attempts = view[leg].orders.filter((order) => order.planned.reduceOnly && hasMetItsPrice(order)).length;
  return isAloneTooLong(pair, view) || attempts >= view.policy.hedge.maxAttempts ? 0 : attempts + 1;
}

/** One that was told "not now" says nothing against its price: paying more would not let it pass. */
function hasMetItsPrice({ status, refusal }: OrderState): boolean {
  return status !== 'REJECTED' || (refusal !== 'transient' && refusal !== 'rate-limit');
}

// ------------------------------------------------------------------------------------------------------------- quarantine

/** Quarantines in which no way of closing was given up: they end as soon as it is known what is held. */
const INTERRUPTED: ReadonlySet<string> = new Set([
  'ORDER_LOST',
  'OVERFILL',
  'LATE_FILL',
  'ONE_VENUE_SILENT',
  'RECOVERY_TOO_LONG',
]);

/** Nothing is sent until orders are settled and both positions were queried again; then the way out follows from the facts. */
function advanceQuarantined(pair: Pair, view: PairView): PairStep {
  const due = view.monotonicMs - pair.timing.lastRetryAtMs >= questionPauseMs(pair, view);
  const retried = due ? { ...pair, timing: { ...pair.timing, lastRetryAtMs: view.monotonicMs } } : pair;
  const asks: PairCommand[] = due ? LEGS.flatMap((leg) => questionsAbout(leg, view[leg])) : [];

  const known = LEGS.every(
    (leg) => view[leg].queries > pair.timing.queriesBefore[leg] && view[leg].truth.kind !== 'unknown',
  );
  if (!known || inProgress(view.long) || inProgress(view.short)) return reduceLoneLeg(retried, view, asks);
  const adjustments = adjustmentsOf(view);
  if (adjustments.length > 0) return { pair: retried, commands: adjustments };

  if (isFlat(view.long) && isFlat(view.short)) {
    const wasHeld = anyFill(view) || pair.record.adopted === true;
    return { pair: wasHeld ? closed(pair, view) : failed(pair, pair.record.reason, view), commands: [] };
  }
  if (pair.record.exitReason !== '') {
    // Leaving was interrupted by an order, or called for by its fill, not given up: what is held is known, so go on at full pace.
    return INTERRUPTED.has(pair.record.reason)
      ? advancePair(enterUnwinding(pair, pair.record.reason, view), view)
      : retryReducing(retried, view, asks);
  }
  if (isBalanced(view) && view.long.ledgerLots > 0)
    return { pair: enterPhase(pair, 'OPEN', 'RECONCILED', view), commands: [] };
  if (!view.policy.quarantine.autoFlatten) return { pair: retried, commands: asks };
  return advancePair(enterUnwinding(pair, 'QUARANTINE_IMBALANCE', view), view);
}

/** One venue does not answer: the other's leg must not wait for it, once it was queried itself and has stood alone too long. */
function reduceLoneLeg(pair: Pair, view: PairView, asks: readonly PairCommand[]): PairStep {
  const lone = overdueLoneLeg(pair, view);
  const mayAct = view.policy.quarantine.autoFlatten || pair.record.exitReason !== '';
  if (lone === undefined || !mayAct || !canReduce(pair, lone.leg, view)) return { pair, commands: asks };
  if (view[lone.leg].queries <= pair.timing.queriesBefore[lone.leg]) return { pair, commands: asks };
  if (!isRetryDue(pair, lone.leg, view)) return { pair, commands: asks };
  // From here on the pair can only end: the silent leg, whatever it turns out to hold, has lost its hedge.
  const exitReason = pair.record.exitReason || 'ONE_VENUE_SILENT';
  const leaving =
    exitReason === pair.record.exitReason
      ? pair
      : { ...pair, record: { ...pair.record, exitReason, revision: pair.record.revision + 1 } };
  const step = send(leaving, view, [reducing(lone.leg, view[lone.leg], lone.lots, 'unwind', 0)]);
  return { pair: step.pair, commands: [...asks, ...step.commands] };
}

/** Escalation is spent: keep trying at the protective cap, slowly, until flat or a person acts. */
function retryReducing(pair: Pair, view: PairView, asks: readonly PairCommand[]): PairStep {
  if (!LEGS.every((leg) => isRetryDue(pair, leg, view))) return { pair, commands: asks };
  const orders = LEGS.filter((leg) => !isFlat(view[leg]) && view[leg].reachable && view[leg].truth.kind === 'confirmed')
    .map((leg) => reducing(leg, view[leg], lotsToReduce(pair, leg, view), 'unwind', 0))
    .filter((order) => order.lots > 0);
  if (orders.length === 0) return { pair, commands: asks };
  return send(pair, view, orders);
}

/** An attempt in quarantine follows the one before it slowly. */
function isRetryDue({ timing }: Pair, leg: LegSide, view: PairView): boolean {
  return timing.sends === 0 || view.monotonicMs - timing.lastSendAtMs[leg] >= QUARANTINE_RETRY_MS;
}

/**
 * What stands alone waits for nothing but an answer, so it is asked for as often as an unsettled order is; a quarantine that no answer
 * ended for as long as a close may take is a person's, and asking goes on slowly.
 */
function questionPauseMs({ timing }: Pair, view: PairView): number {
  const isFresh = view.monotonicMs - timing.phaseSinceMs < view.policy.close.maxMs;
  return timing.exposure.sinceMs !== undefined && isFresh
    ? view.policy.reconcile.urgentIntervalMs
    : QUARANTINE_RETRY_MS;
}

function questionsAbout(leg: LegSide, side: LegView): PairCommand[] {
  const resolves: PairCommand[] = side.orders
    .filter((order) => !isSettled(order))
    .map((order) => ({ type: 'resolve', leg, clientOrderId: order.planned.clientOrderId }));
  return [...resolves, { type: 'reconcile', leg }];
}

// ----------------------------------------------------------------------------------------------------------------- shared

function enterUnwinding(pair: Pair, reason: string, view: PairView): Pair {
  return enterPhase(
    { ...pair, record: { ...pair.record, exitReason: pair.record.exitReason || reason } },
    'UNWINDING',
    reason,
    view,
  );
}

function quarantine(pair: Pair, reason: string, view: PairView, detail = reason): PairStep {
  const quarantined = enterPhase(pair, 'QUARANTINED', reason, view);
  const alert: PairCommand = { type: 'alert', level: 'error', event: 'pair-quarantined', detail };
  const step = advanceQuarantined(quarantined, view);
  return { pair: step.pair, commands: [alert, ...step.commands] };
}

function closed(pair: Pair, view: PairView): Pair {
  const { exitReason, openedAtMs } = pair.record;
  const ended = enterPhase(pair, 'CLOSED', exitReason || pair.record.reason, view);
  // A pair that never opened was a failed attempt, whatever it cost to undo.
  return openedAtMs === 0
    ? withCooldown(ended, view)
    : { ...ended, record: { ...ended.record, failures: 0, cooldownUntilMs: 0 } };
}

/** Ends an entry in which nothing was filled: not a trade, but a reason to pause. */
export function failed(
  pair: Pair,
  reason: string,
  view: Pick<PairView, 'nowMs' | 'monotonicMs' | 'long' | 'short' | 'policy' | 'calendarScale'>,
): Pair {
  return withCooldown(enterPhase(pair, 'FAILED', reason, view), view);
}

function withCooldown(pair: Pair, view: Pick<PairView, 'nowMs' | 'policy' | 'calendarScale'>): Pair {
  const { base, factor, max } = view.policy.cooldown;
  const failures = pair.record.failures + 1;
  const pauseMs = Math.min(max, base * factor ** (failures - 1));
  return {
    ...pair,
    record: { ...pair.record, failures, cooldownUntilMs: view.nowMs + Math.round(pauseMs * view.calendarScale) },
  };
}

/** Asks about legs whose position is unclear, once the report that follows a fill by itself has had its time. */
function questionsForTruth(view: PairView): PairCommand[] {
  return LEGS.filter((leg) => {
    const side = view[leg];
    if (inProgress(side)) return false;
    return side.queryFirst || (side.truth.kind === 'unknown' && side.quietForMs >= REPORT_FOLLOWS_MS);
  }).map((leg) => ({ type: 'reconcile', leg }));
}

function adjustmentsOf(view: PairView): PairCommand[] {
  return LEGS.flatMap((leg): PairCommand[] => {
    const { truth } = view[leg];
    return truth.kind === 'contradicted' && !inProgress(view[leg]) ? [{ type: 'adjust', leg, lots: truth.lots }] : [];
  });
}

function unconfirmedLegs(view: PairView): readonly LegSide[] {
  return LEGS.filter((leg) => view[leg].truth.kind !== 'confirmed');
}
function isFlat(leg: LegView): boolean {
  return leg.truth.kind === 'confirmed' && leg.truth.lots === 0 && !inProgress(leg);
}
function isPaced(pair: Pair, leg: LegSide, view: PairView): boolean {
  return (
    view[leg].orders.every((order) => !order.planned.reduceOnly) ||
    view.monotonicMs - pair.timing.lastSendAtMs[leg] >= view[leg].attemptMs
  );
}
/** Phases in which an order that broke the rules sends the pair into quarantine; there it is found out what is really held. */
const TRADING: ReadonlySet<PairPhase> = new Set(['OPENING', 'OPEN', 'REBALANCING', 'CLOSING', 'UNWINDING']);

function brokenOrder(pair: Pair, view: PairView): string | undefined {
  if (!TRADING.has(pair.record.phase)) return undefined;
  const broken = brokenOrders(view);
  if (broken.length === 0 || broken.length <= pair.record.brokenOrders) return undefined;
  return broken.some((order) => order.overfilled) ? 'OVERFILL' : 'ORDER_LOST';
}

function brokenOrders(view: Pick<PairView, LegSide>): readonly OrderState[] {
  return LEGS.flatMap((leg) => view[leg].orders.filter((order) => order.overfilled || order.status === 'LOST'));
}
