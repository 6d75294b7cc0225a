/**
 * The venue's status as others see it: what it can do for them now, told when it changes and from time to time.
 *
 * It follows from what is true at the moment and remembers nothing, so that it may go from any status to any other. The first row
 * that applies decides (a test holds this table and the code against each other):
 *
 * | facts | status |
 * | ----- | ------ |
 * | disconnected for good (K4) | down |
 * | refused for good | down |
 * | access refused | down |
 * | instruments not read | connecting |
 * | private stream not ready | connecting |
 * | not compared | reconciling |
 * | next nonce awaited | reconciling |
 * | something cannot be | degraded |
 * | a circuit is open | degraded |
 * | none of these | ready |
 */
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

type StatusAndReason = readonly [Status['status'], string];

/** What the status rests on; each text is the reason that others are told. */
export interface StatusFacts {
  readonly left: string | undefined;
  readonly fatal: string | undefined;
  readonly accessRefused: string | undefined;
  readonly isRunning: boolean;
  readonly privateReady: boolean;
  readonly reconciled: boolean;
  readonly isNonceAwaited: boolean;
  readonly doubt: string | undefined;
  readonly openCircuit: string | undefined;
}

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

function describe(state: ConnectorState, self: ConnectorSelf): StatusAndReason {
  return decideStatus({
    left: state.leave?.isGone === true ? state.leave.reason : undefined,
    fatal: state.fatal,
    accessRefused: state.accessRefused,
    isRunning: state.isRunning,
    privateReady: state.privateReady,
    reconciled: state.reconciled,
    isNonceAwaited: isNonceAwaited(state, self),
    doubt: firstDoubt(state),
    openCircuit: openCircuit(state, self),
  });
}

function isNonceAwaited({ adapter, nonce }: ConnectorState, self: ConnectorSelf): boolean {
  if (!adapter.usesNonces || nonce.status === 'known') return false;
  return !nonce.wasKnown || self.monotonicMs() - nonce.unknownSinceMs > NONCE_PATIENCE_MS;
}

/** Decides the status by the table above: the first row that applies. */
export function decideStatus(of: StatusFacts): StatusAndReason {
  if (of.left !== undefined) return ['down', `disconnected: ${of.left}`];
  if (of.fatal !== undefined) return ['down', of.fatal];
  if (of.accessRefused !== undefined) return ['down', of.accessRefused];
  if (!of.isRunning) return ['connecting', 'reading instruments'];
  if (!of.privateReady) return ['connecting', 'private stream not ready'];
  if (!of.reconciled) return ['reconciling', 'comparing with the venue'];
  if (of.isNonceAwaited) return ['reconciling', 'reading the next nonce'];
  // What cannot be says more than the failures it may have brought.
  if (of.doubt !== undefined) return ['degraded', of.doubt];
  if (of.openCircuit !== undefined) return ['degraded', of.openCircuit];
  return ['ready', ''];
}
