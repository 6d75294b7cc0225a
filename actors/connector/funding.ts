/**
 * Funding payments: read once after every settlement, whether the stream told of it or only the calendar did, and again while
 * a payment that a held position must have caused is missing. Every reading goes back two intervals, so late records are found.
 */
import type { FundingPaymentReport } from '../../src/venues/venue.ts';
import { tellDurably } from './facts.ts';
import { requestAll, retryPauseMs } from './requests.ts';
import { instant } from './state.ts';
import type { ConnectorSelf, ConnectorState } from './state.ts';

const HOUR_MS = 3_600_000;
/** Intervals read again before the cursor. */
const OVERLAP_INTERVALS = 2;
/** A payment not recorded after this is not waited for any more; later readings may still find it. Monotonic ms. */
const EXPECTED_MAX_MS = 900_000;
/** Missing payments are asked for at growing pauses up to this many times the shortest. */
const PACE_MAX = 8;
const EXPECTED_MAX = 1_000;

/** A settlement passed at the venue. */
export function settlementPassed(
  state: ConnectorState,
  self: ConnectorSelf,
  symbol: string,
  settledAtMs: number,
): void {
  const { funding } = state;
  const intervalMs = intervalOf(state, symbol);
  // Histories tell of old ones too: only the newest can have a payment that was not read yet.
  if (settledAtMs <= self.nowMs() - OVERLAP_INTERVALS * intervalMs) return;
  const key = `${symbol} ${settledAtMs}`;
  const isPaid = (funding.lastPaidAtMs.get(symbol) ?? 0) > settledAtMs - intervalMs / 2;
  if (isPaid || funding.expected.has(key)) return;
  funding.isDue = true;
  funding.polls = 0;
  if ((state.positions.get(symbol)?.reportedLots ?? 0) === 0 || funding.expected.size >= EXPECTED_MAX) return;
  funding.expected.set(key, { symbol, settledAtMs, sinceMs: self.monotonicMs() });
}

/** A payment was found; told once. */
export function paymentFound(state: ConnectorState, self: ConnectorSelf, payment: FundingPaymentReport): void {
  const { venue, account } = state.args;
  const { symbol, settledAtMs } = payment;
  const { funding } = state;
  funding.newestPaidAtMs = Math.max(funding.newestPaidAtMs, settledAtMs);
  funding.lastPaidAtMs.set(symbol, Math.max(funding.lastPaidAtMs.get(symbol) ?? 0, settledAtMs));
  const toleranceMs = intervalOf(state, symbol) / 2;
  for (const [key, expected] of funding.expected) {
    if (expected.symbol === symbol && Math.abs(expected.settledAtMs - settledAtMs) < toleranceMs)
      funding.expected.delete(key);
  }
  const id = `funding:${venue}:${account}:${payment.paymentId}`;
  tellDurably(state, self, 'funding', id, { type: 'funding-paid', venue, account, symbol, payment });
}

/** Notices settlements by the calendar and reads payments when that is due. Called every tick. */
export function advanceFunding(state: ConnectorState, self: ConnectorSelf): void {
  const { funding } = state;
  watchCalendar(state, self);
  const now = self.monotonicMs();
  for (const [key, { sinceMs }] of funding.expected) {
    if (now - sinceMs < EXPECTED_MAX_MS) continue;
    funding.expected.delete(key);
    self.count('payments-missing');
  }
  if (funding.active || !state.reconciled || now < funding.nextPollAtMs) return;
  if (funding.isDue || funding.expected.size > 0) poll(state, self);
}

function watchCalendar(state: ConnectorState, self: ConnectorSelf): void {
  const { instantBySymbol } = state.funding;
  for (const symbol of state.symbols) {
    const intervalMs = intervalOf(state, symbol);
    const passed = Math.floor(self.nowMs() / intervalMs);
    const before = instantBySymbol.get(symbol);
    instantBySymbol.set(symbol, passed);
    if (before !== undefined && passed > before) settlementPassed(state, self, symbol, passed * intervalMs);
  }
}

function poll(state: ConnectorState, self: ConnectorSelf): void {
  const { funding } = state;
  funding.isDue = false;
  funding.active = true;
  const longestMs = Math.max(HOUR_MS, ...state.symbols.map((symbol) => intervalOf(state, symbol)));
  const question = state.adapter.fundingPaymentsSince(funding.cursorMs - OVERLAP_INTERVALS * longestMs, instant(self));
  requestAll(state, self, [question], { priority: 4 }, (outcome) => {
    funding.active = false;
    funding.polls += 1;
    const { fundingPollMs } = state.args;
    const pauseMs = fundingPollMs * Math.min(PACE_MAX, 2 ** (funding.polls - 1));
    if (outcome.ok) {
      // Only a reading without holes moves the cursor: pages come newest first.
      funding.cursorMs = Math.max(funding.cursorMs, funding.newestPaidAtMs);
      funding.nextPollAtMs = self.monotonicMs() + pauseMs;
    } else {
      funding.isDue = true;
      funding.nextPollAtMs = self.monotonicMs() + Math.max(fundingPollMs, retryPauseMs(self, funding.polls));
    }
  });
}

function intervalOf(state: ConnectorState, symbol: string): number {
  return state.instruments.get(symbol)?.fundingIntervalMs ?? HOUR_MS;
}
