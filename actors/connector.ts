/** The connector: one venue account's protocol, sockets, limits and orders. Lives on an io thread; never decides to trade. */
import type { ActorKind } from '../src/runtime/actor.ts';
import { unreachable } from '../src/runtime/actor.ts';
import type { ConnectorPorts } from '../src/ports/ports.ts';
import { openVenue } from '../src/venues/registry.ts';
import { answered, failed, release, request, requestAll } from './connector/operations.ts';
import { repeatAppends, tellBooks, tellStatus } from './connector/publish.ts';
import { advanceResolving, resolveOrder } from './connector/resolve.ts';
import { openSocket, openSockets, releaseFrames, socketClosed, socketFrame, socketHeard, socketOpened, tickSockets } from './connector/sockets.ts';
import { instant, newConnectorState } from './connector/state.ts';
import type { ConnectorArgs, ConnectorSelf, ConnectorState } from './connector/state.ts';
import { advanceSubmissions, cancelOrder, placeOrder, readNonce, submissionOverdue, submissionsCut, taskEnded } from './connector/submissions.ts';
import { reconcileSymbol, startSweep } from './connector/sweep.ts';
import type { ConnectorMessage, MarketEvent } from './connector-messages.ts';
import { connectorDelivery } from './connector-messages.ts';

const TICK_MS = 500;
const SERVER_TIME_MS = 60_000;
const START_RETRY_MS = 2_000;
/** Settled funding read at start, for histories and forecasts. */
const FUNDING_HISTORY_MS = 72 * 3_600_000;

export const connector: ActorKind<ConnectorArgs, ConnectorState, ConnectorMessage, ConnectorPorts> = {
  kind: 'connector',
  delivery: connectorDelivery,

  start(args, self) {
    const adapter = openVenue(args.venue, { ...args.settings, secrets: self.ports.secrets });
    const state = newConnectorState(args, adapter, self);
    self.after(TICK_MS, { type: 'connector-tick' });
    tellStatus(state, self, true);
    readInstruments(state, self);
    return state;
  },

  receive(state, message, self) {
    switch (message.type) {
      case 'socket-frame':
        socketFrame(state, self, message);
        return state;
      case 'socket-heartbeat':
        socketHeard(state, self, message.ref);
        return state;
      case 'socket-opened':
        socketOpened(state, self, message.ref);
        return state;
      case 'socket-closed': {
        const key = state.socketKeyByRef.get(message.ref);
        socketClosed(state, self, message);
        if (key !== undefined && state.stream.isPrivate(key)) privateStreamLost(state, self);
        return state;
      }
      case 'reopen-socket':
        openSocket(state, self, message.socketKey);
        return state;
      case 'http-answered':
        answered(state, self, message);
        return state;
      case 'http-failed':
        failed(state, self, message);
        return state;
      case 'task-done':
      case 'task-failed':
        taskEnded(state, self, message);
        return state;
      case 'place-order':
        placeOrder(state, self, message);
        return state;
      case 'cancel-order':
        cancelOrder(state, self, message);
        return state;
      case 'resolve-order':
        resolveOrder(state, self, message.symbol, message.clientOrderId, message.validUntilMs);
        return state;
      case 'reconcile-symbol':
        reconcileSymbol(state, self, message);
        return state;
      case 'resend-state':
        resendState(state, self, message);
        return state;
      case 'submission-overdue':
        submissionOverdue(state, self, message.clientOrderId, message.kind);
        return state;
      case 'operation-due':
        state.dueTimer = undefined;
        release(state, self);
        releaseFrames(state, self);
        readNonce(state, self);
        advanceSubmissions(state, self);
        return state;
      case 'books-due':
        tellBooks(state, self);
        return state;
      case 'append-durable':
        state.appends.delete(message.appendId);
        return state;
      case 'append-failed':
        // Kept and repeated: the fact stays ours until the journal has it.
        self.log('error', 'append-failed', { appendId: message.appendId, detail: message.detail });
        return state;
      case 'rows-read':
        return state;
      case 'connector-tick':
        tick(state, self);
        return state;
      default:
        return unreachable(message);
    }
  },

  digest(state) {
    return {
      status: state.lastStatus?.status ?? 'connecting',
      reason: state.lastStatus?.reason ?? '',
      symbols: state.symbols,
      sockets: [...state.sockets].map(([key, track]) => ({ key, status: track.status, failures: track.failures })),
      queued: state.queue.length,
      inFlight: state.inFlight.size,
      submissions: state.submissions.map((submission) => ({ kind: submission.kind, clientOrderId: submission.clientOrderId, state: submission.state })),
      resolving: [...state.resolving.keys()],
      nonce: state.adapter.usesNonces ? state.nonce.status : 'none',
      positions: Object.fromEntries(state.positions),
      unacknowledgedAppends: state.appends.size,
    };
  },
};

/** Step one: what can be traded here, what it costs, and what time it is there. */
function readInstruments(state: ConnectorState, self: ConnectorSelf): void {
  const at = instant(self);
  requestAll(state, self, [state.adapter.serverTime(), state.adapter.instruments(), state.adapter.feeTier(at)], 2, (outcome) => {
    if (!outcome.ok) {
      self.log('warn', 'start-failed', { venue: state.args.venue, error: outcome.error?.message ?? '' });
      return;
    }
    state.lastServerTimeAtMs = self.monotonicMs();
    const missing = state.args.bases.filter((base) => ![...state.baseBySymbol.values()].includes(base));
    if (missing.length > 0) self.log('warn', 'instruments-missing', { venue: state.args.venue, bases: missing.join(' ') });
    if (state.symbols.length === 0) {
      state.fatal = `none of ${state.args.bases.join(' ')} is listed`;
      tellStatus(state, self, false);
      return;
    }
    state.startupStep = 'running';
    openSockets(state, self);
    readNonce(state, self);
    for (const symbol of state.symbols) {
      request(state, self, state.adapter.fundingHistory(symbol, self.nowMs() - FUNDING_HISTORY_MS, instant(self)), 5, () => undefined);
    }
    tellStatus(state, self, false);
  });
}

/** Without the private stream nothing about the account is certain: compare again once it is back. */
function privateStreamLost(state: ConnectorState, self: ConnectorSelf): void {
  state.privateReady = false;
  state.reconciled = false;
  submissionsCut(state, self);
  tellStatus(state, self, false);
}

function tick(state: ConnectorState, self: ConnectorSelf): void {
  self.after(TICK_MS, { type: 'connector-tick' });
  const at = instant(self);
  const now = at.monotonicMs;
  repeatAppends(state, self);
  if (state.fatal === undefined) {
    if (state.startupStep !== 'running') {
      if (state.queue.length === 0 && state.inFlight.size === 0 && now - state.startedAtMs > START_RETRY_MS) readInstruments(state, self);
    } else {
      tickSockets(state, self);
      advanceResolving(state, self);
      advanceSubmissions(state, self);
      if (now - state.lastServerTimeAtMs >= SERVER_TIME_MS) {
        state.lastServerTimeAtMs = now;
        request(state, self, state.adapter.serverTime(), 5, () => undefined);
      }
      if (state.privateReady && state.sweep === 'idle') {
        if (!state.reconciled && now - state.lastSweepAtMs >= START_RETRY_MS) startSweep(state, self, 2);
        else if (now - state.lastSweepAtMs >= state.args.comparisonMs) startSweep(state, self, 4);
      }
      pollFunding(state, self, now);
      pollMarket(state, self, now);
    }
  }
  tellStatus(state, self, now % 5_000 < TICK_MS);
}

/** Payments are read after settlements, not on a clock of their own; late records are caught by the next read's overlap. */
function pollFunding(state: ConnectorState, self: ConnectorSelf, now: number): void {
  if (!state.fundingDue || state.fundingPollActive || !state.reconciled || now - state.lastFundingPollAtMs < state.args.fundingPollMs) return;
  state.fundingDue = false;
  state.fundingPollActive = true;
  state.lastFundingPollAtMs = now;
  const longestInterval = Math.max(3_600_000, ...[...state.instruments.values()].map((instrument) => instrument.fundingIntervalMs));
  const sinceMs = state.fundingCursorMs - 2 * longestInterval;
  requestAll(state, self, [state.adapter.fundingPaymentsSince(sinceMs, instant(self))], 4, (outcome) => {
    state.fundingPollActive = false;
    if (!outcome.ok) state.fundingDue = true;
  });
}

function pollMarket(state: ConnectorState, self: ConnectorSelf, now: number): void {
  if (state.adapter.marketPoll === undefined || state.marketPollActive || now - state.lastMarketPollAtMs < state.args.marketPollMs) return;
  state.marketPollActive = true;
  state.lastMarketPollAtMs = now;
  requestAll(state, self, [state.adapter.marketPoll(instant(self))], 5, () => {
    state.marketPollActive = false;
  });
}

/** Everything a new incarnation of a subscriber needs to know, as ordinary events. */
function resendState(state: ConnectorState, self: ConnectorSelf, message: Extract<ConnectorMessage, { type: 'resend-state' }>): void {
  const wanted = (base: string | undefined): boolean => base !== undefined && (message.bases.length === 0 || message.bases.includes(base));
  const tell = (event: MarketEvent): void => {
    self.tell(message.to, event);
  };
  if (state.lastStatus !== undefined) tell(state.lastStatus);
  if (state.lastAccount !== undefined) tell(state.lastAccount);
  for (const [symbol, instrument] of state.instruments) {
    if (!wanted(instrument.base)) continue;
    tell({ type: 'instrument-listed', venue: state.args.venue, account: state.args.account, symbol, instrument });
    const book = state.stream.book(symbol);
    if (book !== undefined) tell({ type: 'book-changed', venue: state.args.venue, symbol, base: instrument.base, book });
    const mark = state.marks.get(symbol);
    if (mark !== undefined) tell(mark);
  }
  for (const rate of state.fundingRates.values()) if (wanted(rate.base)) tell(rate);
}
