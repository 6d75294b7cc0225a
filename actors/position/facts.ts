/** Facts from venues on their way into the book: each once, and only when what they are counted in is known. */
import { applyFact } from '../../src/execution/execution-book.ts';
import type { OrderEffect, OrderState } from '../../src/execution/order-state.ts';
import { matchPayments, paymentOf, rememberPayment } from '../../src/execution/funding-expectation.ts';
import { legKeyText } from '../../src/execution/facts.ts';
import { stepsOf } from '../../src/execution/ledger.ts';
import { positionFilled } from '../../src/execution/position-truth.ts';
import { advance } from './carry-out.ts';
import { keepExpectations } from './funding.ts';
import { legBefore, noteReduction } from './reductions.ts';
import { reviveIfExposed } from './revive.ts';
import { trackOf } from './state.ts';
import type { PositionSelf, PositionState } from './state.ts';

type Fact = PositionState['buffered'][number];

/** More than this waiting means that the journal does not answer: better to start again than to grow. */
const BUFFERED_MAX = 20_000;

/** A fact was told; durable already, so it may be acted on at once. */
export function factTold(state: PositionState, self: PositionSelf, fact: Fact): void {
  if (!canApply(state, fact)) {
    if (state.buffered.length >= BUFFERED_MAX) throw new Error(`at most ${BUFFERED_MAX} facts may wait for recovery`);
    state.buffered.push(fact);
    return;
  }
  applyOne(state, self, fact);
  advance(state, self);
}

/** Applies what waited, in order of arrival. */
export function applyBuffered(state: PositionState, self: PositionSelf): void {
  const waiting = state.buffered;
  state.buffered = [];
  for (const fact of waiting) {
    if (canApply(state, fact)) applyOne(state, self, fact);
    else state.buffered.push(fact);
  }
  advance(state, self);
}

function canApply(state: PositionState, fact: Fact): boolean {
  if (state.stage === 'starting' || state.stage === 'reading') return false;
  return fact.type !== 'fill-received' || stepsOf(state.book.ledger, fact) !== undefined;
}

function applyOne(state: PositionState, self: PositionSelf, fact: Fact): void {
  const before = fact.type === 'fill-received' ? legBefore(state, self, fact) : undefined;
  const metBefore = metLotsOf(state, fact);
  const outcome = applyFact(state.book, fact);
  const track = trackOf(state, fact);
  if (track !== undefined) track.lastFactAtMs = Math.max(track.lastFactAtMs, self.nowMs());
  if (!outcome.isNew) {
    self.count('facts-repeated');
    return;
  }
  if (fact.type === 'fill-received') {
    if (track !== undefined) track.watch = positionFilled(track.watch, self.monotonicMs());
    if (outcome.order === undefined) {
      self.log('warn', 'external-fill', {
        venue: fact.venue,
        symbol: fact.symbol,
        fillId: fact.fill.fillId,
        lots: fact.fill.lots,
        side: fact.fill.side,
      });
      noteReduction(state, self, before, {
        id: `fill:${fact.venue}:${fact.account}:${fact.fill.fillId}`,
        ...(fact.fill.forced === undefined ? {} : { stated: fact.fill.forced }),
        // What was booked and told before its fill came in is not taken a second time.
        ownLots: metLotsOf(state, fact) - metBefore,
        evidence: `fill ${fact.fill.fillId} of ${fact.fill.lots} lots by no order of ours`,
      });
    }
  }
  if (fact.type === 'funding-paid') {
    const payment = paymentOf(fact);
    state.payments = rememberPayment(state.payments, payment);
    keepExpectations(state, self, matchPayments(state.expectations, [payment]), payment.amountMicro);
  }
  if (fact.type === 'order-changed' && outcome.order?.planned.reduceOnly === true && isRefusedForItsState(fact)) {
    // The venue may be flat already: its word comes before another attempt.
    if (track !== undefined) track.queryFirst = true;
  }
  for (const effect of outcome.effects) {
    if (effect.type === 'older-report' || effect.type === 'duplicate-fill' || isAnnounced(effect, outcome.order))
      self.count(effect.type);
    else
      self.log('error', effect.type, { clientOrderId: outcome.order?.planned.clientOrderId ?? '', lots: effect.lots });
  }
  if (outcome.effects.some((effect) => effect.type === 'late-fill' || effect.type === 'overfill'))
    reviveIfExposed(state, self);
}

/** Lots of a leg that were booked without a fill, and then told by one. */
function metLotsOf({ book }: PositionState, fact: Fact): number {
  return Math.abs(book.ledger.claims.get(legKeyText(fact))?.metLots ?? 0);
}

/** Venues tell orders and fills on separate channels: a fill that the ending's own count includes is no surprise. */
function isAnnounced(effect: OrderEffect, order: OrderState | undefined): boolean {
  return (
    effect.type === 'late-fill' && order?.venueFilledLots !== undefined && order.filledLots <= order.venueFilledLots
  );
}

/** A refusal that says "not now" says nothing of the position: asking first would only keep the leg standing alone. */
function isRefusedForItsState(fact: Extract<Fact, { type: 'order-changed' }>): boolean {
  if (fact.code === 'LOCAL' || (fact.status !== 'refused' && fact.status !== 'rejected')) return false;
  return fact.refusal !== 'transient' && fact.refusal !== 'rate-limit';
}
