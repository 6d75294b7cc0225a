/**
 * The full comparison with the venue: positions, balance, open orders, fills and funding since a time, applied as ordinary events.
 * Runs after every (re)connect of the private stream, on request of a position, and at regular intervals. One at a time; requests share it.
 */
import type { RequestPriority } from '../../src/venues/rate-limiter.ts';
import type { ConnectorCommand, ConnectorEvent } from '../connector-messages.ts';
import { requestAll } from './operations.ts';
import { tellStatus } from './publish.ts';
import { resolveOrder } from './resolve.ts';
import { readNonce } from './submissions.ts';
import { instant } from './state.ts';
import type { ConnectorSelf, ConnectorState } from './state.ts';

/** Fills are read again this far back: streams and queries may disagree about the last moments. Real ms. */
const OVERLAP_MS = 60_000;

type Reconcile = Extract<ConnectorCommand, { type: 'reconcile-symbol' }>;

/** Starts a comparison unless one runs; a running one is followed by another when somebody waits. */
export function startSweep(state: ConnectorState, self: ConnectorSelf, priority: RequestPriority): void {
  if (state.sweep === 'running' || !state.privateReady || state.startupStep !== 'running') return;
  state.sweep = 'running';
  const waiting = state.sweepWaiting;
  state.sweepWaiting = [];
  const at = instant(self);
  const overlapMs = OVERLAP_MS * self.ports.calendar.scale;
  const sinceMs = Math.min(at.calendarMs - overlapMs, ...waiting.map((request) => request.sinceMs - overlapMs));
  const questions = [
    state.adapter.fillsSince(sinceMs, at),
    ...(waiting.length > 0 ? [state.adapter.fundingPaymentsSince(sinceMs, at)] : []),
    ...state.adapter.accountSnapshot(at),
  ];
  requestAll(state, self, questions, priority, (outcome) => {
    state.sweep = 'idle';
    state.lastSweepAtMs = self.monotonicMs();
    if (outcome.ok && state.privateReady) state.reconciled = true;
    if (!outcome.ok) self.log('warn', 'comparison-failed', { venue: state.args.venue, error: outcome.error?.message ?? '' });
    for (const request of waiting) request.done(outcome.ok);
    readNonce(state, self);
    tellStatus(state, self, false);
    if (state.sweepWaiting.length > 0) startSweep(state, self, 2);
  });
}

/** A position wants the venue's truth about its symbol. */
export function reconcileSymbol(state: ConnectorState, self: ConnectorSelf, command: Reconcile): void {
  state.sweepWaiting.push({
    sinceMs: command.sinceMs,
    done: (ok) => {
      if (!ok) {
        answer(state, self, command, false);
        return;
      }
      let remaining = command.orders.length;
      if (remaining === 0) answer(state, self, command, true);
      for (const order of command.orders) {
        resolveOrder(state, self, command.symbol, order.clientOrderId, order.validUntilMs, () => {
          remaining -= 1;
          if (remaining === 0) answer(state, self, command, true);
        });
      }
    },
  });
  startSweep(state, self, 2);
}

function answer(state: ConnectorState, self: ConnectorSelf, command: Reconcile, ok: boolean): void {
  const event: ConnectorEvent = {
    type: 'reconciled',
    venue: state.args.venue,
    account: state.args.account,
    symbol: command.symbol,
    reconcileId: command.reconcileId,
    ok,
    signedLots: state.positions.get(command.symbol) ?? 0,
    openClientOrderIds: state.openOrders.filter((order) => order.symbol === command.symbol).map((order) => order.clientOrderId),
  };
  // Facts found by the comparison travel through the journal; this answer must not overtake them.
  afterAppends(state, self, event, command.replyTo);
}

/** Tells `event` behind every append made so far, by sending it the same way. */
function afterAppends(state: ConnectorState, self: ConnectorSelf, event: ConnectorEvent, to: Reconcile['replyTo']): void {
  state.lastAppendId += 1;
  const appendId = state.lastAppendId;
  const message = {
    type: 'append-rows',
    rows: [],
    whenDurable: [
      { to, message: event },
      { to: self.ref, message: { type: 'append-durable', appendId } },
    ],
    sender: self.ref,
    appendId,
  } as const;
  state.appends.set(appendId, { message, sentAtMs: self.monotonicMs() });
  self.tell({ path: state.args.journalPath, incarnation: 0 }, message);
}
