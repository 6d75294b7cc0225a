/**
 * The full comparison with the venue: fills, positions, balance and open orders, applied as ordinary events. Runs after every
 * (re)connect of the private stream, on request of a position, and at regular intervals, because streams lose fills silently
 * while heartbeats flow. One at a time; requests share it.
 */
import type { RequestPriority } from '../../src/venues/rate-limiter.ts';
import type { Operation } from '../../src/venues/venue.ts';
import type { ConnectorCommand, ConnectorEvent } from '../connector-messages.ts';
import { encourageCircuits } from './circuits.ts';
import { APPENDS_MAX, tellAfterFacts } from './facts.ts';
import { ordersInDoubt } from './orders.ts';
import { accountHeardAtMs } from './publish.ts';
import { reportCycle } from './read-report.ts';
import { dueIn, requestAll, retryPauseMs } from './requests.ts';
import { advanceResolving, noteUnresolved } from './resolve.ts';
import { tellStatus } from './status.ts';
import { instant } from './state.ts';
import type { ConnectorSelf, ConnectorState } from './state.ts';

/** Fills are read again this far back: streams and queries may disagree about the last moments. Real ms. */
const OVERLAP_MS = 60_000;
/** A private stream that says nothing for this long is compared at once, so that the account's age stays below what entries allow. */
const QUIET_MS = 10_000;
const WAITING_MAX = 256;
/** A wish for a comparison waits this long for others, ms. */
const GATHER_MS = 5;
/** Comparisons follow one another without a pause until so much of what questions may use of the limit is used. */
const UNPACED_SHARE = 1 / 3;

type Reconcile = Extract<ConnectorCommand, { type: 'reconcile-symbol' }>;

/** A new private stream is ready: nothing about the account is certain until a comparison that began after this has ended. */
export function privateStreamReady(state: ConnectorState, self: ConnectorSelf): void {
  const isRenewed = state.privateReady;
  state.privateReady = true;
  state.sweep.wantedAtMs = self.monotonicMs();
  state.privateGeneration += 1;
  if (!isRenewed) state.reconciled = false;
  startSweep(state, self, 2);
  // A comparison may be over before the next regular telling.
  tellStatus(state, self);
}

/** Without the private stream nothing about the account is certain. */
export function privateStreamLost(state: ConnectorState): void {
  state.privateReady = false;
  state.reconciled = false;
}

/** A position wants the venue's truth about its symbol; answered only when the comparison is over, facts first. */
export function reconcileSymbol(state: ConnectorState, self: ConnectorSelf, command: Reconcile): void {
  if (state.sweep.waiting.length >= WAITING_MAX || state.appends.size >= APPENDS_MAX) {
    self.count('reconciles-refused');
    self.tell(command.replyTo, reconciledEvent(state, command, false));
    return;
  }
  state.sweep.wantedAtMs = self.monotonicMs();
  state.sweep.waiting.push({
    symbol: command.symbol,
    sinceMs: command.sinceMs,
    done: (ok) => {
      if (ok) resolveAll(state, self, command);
      else tellAfterFacts(state, self, command.replyTo, reconciledEvent(state, command, false));
    },
  });
  // Whoever asks in the same moment shares it: positions that start together, or all that a reconnect concerns.
  if (state.sweep.running) startSweep(state, self, 2);
  else dueIn(state, self, GATHER_MS);
}

/** Starts the comparison that positions have been gathered for. */
export function startGathered(state: ConnectorState, self: ConnectorSelf): void {
  if (state.sweep.waiting.length > 0 && !state.sweep.running) startSweep(state, self, 2);
}

function resolveAll(state: ConnectorState, self: ConnectorSelf, command: Reconcile): void {
  const { symbol } = command;
  // What the venue has just listed as open was told as such.
  const orders = command.orders.filter((order) => !state.openOrders.has(order.clientOrderId));
  let unresolved = orders.length;
  const answer = (): void => tellAfterFacts(state, self, command.replyTo, reconciledEvent(state, command, true));
  if (unresolved === 0) answer();
  for (const { clientOrderId, validUntilMs } of orders) {
    noteUnresolved(state, self, { symbol, clientOrderId, validUntilMs }, () => {
      unresolved -= 1;
      if (unresolved === 0) answer();
    });
  }
}

function reconciledEvent(
  state: ConnectorState,
  command: Reconcile,
  ok: boolean,
): Extract<ConnectorEvent, { type: 'reconciled' }> {
  const { symbol, reconcileId } = command;
  const track = state.positions.get(symbol);
  return {
    type: 'reconciled',
    venue: state.args.venue,
    account: state.args.account,
    symbol,
    reconcileId,
    // Without the venue's word on the position nothing was compared.
    ok: ok && track?.reportedLots !== undefined,
    signedLots: (track?.reportedLots ?? 0) + (track?.filledSinceLots ?? 0),
    openClientOrderIds: [...state.openOrders.values()]
      .filter((order) => order.symbol === symbol && order.clientOrderId !== '')
      .map((order) => order.clientOrderId),
  };
}

/** Starts a comparison when one is due. Called every tick. */
export function advanceSweep(state: ConnectorState, self: ConnectorSelf): void {
  const { sweep } = state;
  const now = self.monotonicMs();
  if (sweep.running || now < earliestSweepAtMs(state)) return;
  if (!state.reconciled || sweep.waiting.length > 0) startSweep(state, self, 2);
  else if (now - sweep.endedAtMs >= state.args.comparisonMs || now - accountHeardAtMs(state) >= QUIET_MS)
    startSweep(state, self, 4);
}

/** Starts a comparison; one that runs is hurried and followed by another. */
function startSweep(state: ConnectorState, self: ConnectorSelf, priority: RequestPriority): void {
  const { sweep } = state;
  if (!state.privateReady || !state.isRunning) return;
  if (sweep.running) {
    sweep.isWantedAgain = true;
    if (priority < sweep.urgency.priority) sweep.urgency.priority = priority;
    return;
  }
  if (self.monotonicMs() < earliestSweepAtMs(state)) return;
  const { adapter, privateGeneration } = state;
  const at = instant(self);
  const { waiting } = sweep;
  sweep.running = true;
  sweep.isWantedAgain = false;
  sweep.waiting = [];
  sweep.serving = waiting.length;
  // What left after the last of them asked is what they asked for. The regular comparison is there to ask anew.
  const calls = { sent: 0 };
  sweep.urgency = { priority, calls, ...(priority === 2 ? { sinceMs: sweep.wantedAtMs } : {}) };
  const sinceMs =
    Math.min(at.calendarMs, sweep.fillsReadUntilMs, ...waiting.map((asked) => asked.sinceMs)) -
    OVERLAP_MS * self.ports.calendar.scale;
  const questions = [
    adapter.fillsSince(sinceMs, at),
    ...(waiting.length > 0 ? [adapter.fundingPaymentsSince(sinceMs, at)] : []),
    ...adapter.accountSnapshot(at),
  ];
  requestAll(state, self, questions, sweep.urgency, (outcome) => {
    sweep.running = false;
    sweep.serving = 0;
    reportCycle(state, self, {
      watchers: waiting.length,
      groups: new Set(waiting.map(({ symbol }) => symbol)).size,
      calls: calls.sent,
      ms: self.monotonicMs() - at.monotonicMs,
      ok: outcome.ok,
    });
    sweep.failures = outcome.ok ? 0 : sweep.failures + 1;
    sweep.retryAtMs = outcome.ok ? 0 : self.monotonicMs() + retryPauseMs(self, sweep.failures);
    sweep.pacedUntilMs = at.monotonicMs + pauseBetweenMs(state, self, questions);
    if (outcome.ok) {
      sweep.endedAtMs = self.monotonicMs();
      sweep.fillsReadUntilMs = at.calendarMs;
      state.accessRefused = undefined;
      if (state.privateReady && state.privateGeneration === privateGeneration) {
        // Back after an outage. A comparison in between says nothing of orders, which fail by themselves.
        if (!state.reconciled) encourageCircuits(state, self);
        state.reconciled = true;
      }
    } else {
      self.log('warn', 'comparison-failed', { venue: state.args.venue, error: outcome.error?.message ?? '' });
    }
    tellStatus(state, self);
    // Their end was missed: a list of open orders does not tell it.
    if (outcome.ok) for (const order of ordersInDoubt(state, at.monotonicMs)) noteUnresolved(state, self, order);
    for (const asked of waiting) asked.done(outcome.ok);
    advanceResolving(state, self);
    if (outcome.ok && sweep.isWantedAgain) startSweep(state, self, 2);
  });
}

function earliestSweepAtMs({ sweep }: ConnectorState): number {
  return Math.max(sweep.retryAtMs, sweep.pacedUntilMs);
}

/**
 * Many pairs that ask at once must not spend a minute's questions in a second and then stand without an answer for the rest of it.
 * While enough is left comparisons follow one another; then what is left must last for a whole window. Whoever asks meanwhile shares
 * the next one.
 */
function pauseBetweenMs(state: ConnectorState, self: ConnectorSelf, questions: readonly Operation[]): number {
  const { restLimiter } = state;
  if (restLimiter.freeShare(2, self.monotonicMs()) >= 1 - UNPACED_SHARE) return 0;
  const weight = questions.reduce((sum, question) => sum + question.weight, 0);
  return (restLimiter.bucket.windowMs * weight) / (restLimiter.allowed(2) * (1 - UNPACED_SHARE));
}
