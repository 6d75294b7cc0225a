/** What settlements should have paid, kept by a position actor: payments that are wrong or do not come are told. */
import { expectFunding, matchPayments, paymentSuspicion } from '../../src/execution/funding-expectation.ts';
import type { ExpectedPayment, FundingExpectation } from '../../src/execution/funding-expectation.ts';
import { legKeyText } from '../../src/execution/facts.ts';
import { isActive } from '../../src/execution/pair-state.ts';
import type { FundingRate } from '../../src/market/funding-rate.ts';
import { microText } from '../../src/money/amounts.ts';
import { append, rowOf } from './journal.ts';
import { legKeyOf, venueKey } from './state.ts';
import type { PositionSelf, PositionState, VenueTrack } from './state.ts';

/** A settlement passed: its payment is awaited from now on, in this life and the next. */
export function expectPaymentOf(state: PositionState, self: PositionSelf, expected: ExpectedPayment): void {
  const next = expectFunding(state.expectations, { ...expected, createdAtMs: self.monotonicMs() });
  if (next === state.expectations) return;
  const id = `funding-expected:${expected.leg}:${expected.settleAtMs}`;
  append(state, self, [rowOf(state, self, 'funding-expected', id, { expected })]);
  const received = state.payments.findLast(
    (payment) => payment.leg === expected.leg && payment.settledAtMs === expected.settleAtMs,
  );
  keepExpectations(state, self, matchPayments(next, state.payments), received?.amountMicro);
}

/** Takes over the expectations and raises an alarm for each that has just turned out wrong. */
export function keepExpectations(
  state: PositionState,
  self: PositionSelf,
  next: readonly FundingExpectation[],
  received?: bigint,
): void {
  const before = new Map(state.expectations.map((known) => [keyOf(known), known.status]));
  state.expectations = next;
  watchPayments(state, self);
  for (const known of next) {
    if (known.status === before.get(keyOf(known))) continue;
    if (known.status !== 'MISMATCH' && known.status !== 'MISSING') continue;
    self.count(`funding-${known.status.toLowerCase()}`);
    self.log('error', known.status === 'MISMATCH' ? 'funding-mismatch' : 'funding-missing', {
      base: state.args.base,
      leg: known.leg,
      settleAtMs: known.settleAtMs,
      expected: microText(known.expectedMicro),
      ...(known.status === 'MISMATCH' && received !== undefined ? { received: microText(received) } : {}),
    });
  }
}

/** A venue exchanges cash at another pace from now on: payments, forecasts and what staying is worth follow at once; it is told. */
export function noteInterval(state: PositionState, self: PositionSelf, track: VenueTrack, next: FundingRate): void {
  const before = track.predicted;
  if (before === undefined || before.intervalMs === next.intervalMs) return;
  const record = state.pair?.record;
  const isHeld =
    record !== undefined &&
    isActive(record.phase) &&
    [record.long, record.short].some((leg) => venueKey(leg) === venueKey(track));
  self.count('funding-intervals-changed');
  self.log(isHeld ? 'warn' : 'info', 'funding-interval-changed', {
    venue: track.venue,
    account: track.account,
    symbol: next.symbol,
    pairId: isHeld ? record.pairId : '',
    fromMs: before.intervalMs,
    toMs: next.intervalMs,
    nextSettleAtMs: next.settleAtMs,
    hourlyBefore: before.hourly,
    hourly: next.hourly,
  });
}

/** Judges what every venue last paid on this symbol against the rate it says it settled; told once when it turns. */
export function watchPayments(state: PositionState, self: PositionSelf): void {
  for (const track of state.venues.values()) {
    const key = legKeyOf(track);
    if (key === undefined) continue;
    const suspicion = paymentSuspicion(state.expectations, state.payments, legKeyText(key), state.clearedAtMs);
    const was = track.paymentSuspicion;
    track.paymentSuspicion = suspicion;
    if (suspicion === undefined || (was?.implied === suspicion.implied && was.stated === suspicion.stated)) continue;
    self.count('payments-contradicting-rate');
    self.log('error', 'payment-contradicts-rate', { ...key, implied: suspicion.implied, stated: suspicion.stated });
  }
}

function keyOf({ leg, settleAtMs }: FundingExpectation): string {
  return `${leg} ${settleAtMs}`;
}
