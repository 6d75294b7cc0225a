/** The venue's status as others see it: what it can do for them now, told when it changes and from time to time. */
import { bestOffset } from '../../src/venues/clock-offset.ts';
import type { MarketEvent } from '../connector-messages.ts';
import { openCircuit } from './circuits.ts';
import { firstDoubt } from './doubts.ts';
import { isEntryBudgetFree } from './entry-budget.ts';
import { APPENDS_MAX } from './facts.ts';
import { tellMarket } from './publish.ts';
import { submissionLimiter } from './state.ts';
import type { ConnectorSelf, ConnectorState } from './state.ts';
import { isClockTrusted } from './venue-clock.ts';

type Status = Extract<MarketEvent, { type: 'venue-status' }>;

/** Told again this often: budgets and clock offsets drift without a change of status. */
const TOLD_MS = 5_000;
/** A nonce that is read again for longer than this stops the venue; shorter, orders wait for it unnoticed. */
const NONCE_PATIENCE_MS = 2_000;

/** Returns whether an order that opens may be sent now. */
export function entriesAllowed(state: ConnectorState, self: ConnectorSelf): boolean {
  return (
    describe(state, self)[0] === 'ready' &&
    self.monotonicMs() - state.startedAt.monotonicMs >= state.args.startupQuarantineMs &&
    isClockTrusted(state, self) &&
    state.appends.size < APPENDS_MAX
  );
}

/** Tells the status when it changed or was not told for a while. */
export function tellStatus(state: ConnectorState, self: ConnectorSelf): void {
  const nowMs = self.monotonicMs();
  const offset = bestOffset(state.clock, self.monotonicMs());
  const [status, reason] = describe(state, self);
  const ordersFree = isEntryBudgetFree(state, self) ? submissionLimiter(state).freeShare(3, nowMs) : 0;
  const event: Status = {
    type: 'venue-status',
    venue: state.args.venue,
    account: state.args.account,
    status,
    reason,
    clockOffsetMs: Math.round(offset?.offsetMs ?? 0),
    clockErrorMs: Math.round(offset?.errorMs ?? 0),
    entriesAllowed: entriesAllowed(state, self),
    openBudgetShare: Math.floor(Math.min(ordersFree, state.restLimiter.freeShare(2, nowMs)) * 100) / 100,
  };
  const last = state.lastStatus;
  if (last !== undefined && !isChanged(last, event) && nowMs - state.statusToldAtMs < TOLD_MS) return;
  if (last?.status !== status)
    self.log(status === 'ready' ? 'info' : 'warn', 'venue-status', { venue: event.venue, status, reason });
  state.lastStatus = event;
  state.statusToldAtMs = nowMs;
  tellMarket(state, self, event, undefined);
}

function isChanged(last: Status, now: Status): boolean {
  return (
    last.status !== now.status ||
    last.reason !== now.reason ||
    last.entriesAllowed !== now.entriesAllowed ||
    // The last of the budget goes, or some of it comes back: entries depend on it.
    last.openBudgetShare > 0 !== now.openBudgetShare > 0
  );
}

function describe(state: ConnectorState, self: ConnectorSelf): readonly [Status['status'], string] {
  if (state.leave?.isGone === true) return ['down', `disconnected: ${state.leave.reason}`];
  if (state.fatal !== undefined) return ['down', state.fatal];
  if (state.accessRefused !== undefined) return ['down', state.accessRefused];
  if (!state.isRunning) return ['connecting', 'reading instruments'];
  if (!state.privateReady) return ['connecting', 'private stream not ready'];
  if (!state.reconciled) return ['reconciling', 'comparing with the venue'];
  const { nonce } = state;
  if (state.adapter.usesNonces && nonce.status !== 'known') {
    const isLong = self.monotonicMs() - nonce.unknownSinceMs > NONCE_PATIENCE_MS;
    if (!nonce.wasKnown || isLong) return ['reconciling', 'reading the next nonce'];
  }
  const open = openCircuit(state, self);
  // What cannot be says more than the failures it may have brought.
  const reason = firstDoubt(state) ?? open;
  return reason === undefined ? ['ready', ''] : ['degraded', reason];
}
