/** The connector: one venue account's protocol, sockets, limits and orders. Lives on an io thread; never decides to trade. */
import type { ActorKind } from '../src/runtime/actor.ts';
import { unreachable } from '../src/runtime/actor.ts';
import type { ConnectorPorts, SocketClosed } from '../src/ports/ports.ts';
import { openVenue } from '../src/venues/registry.ts';
import type { VenueEvent } from '../src/venues/venue.ts';
import { cancelOrder, placeOrder } from './connector/commands.ts';
import { limitsPicture } from './connector/limits-picture.ts';
import { askForLimits, limitOrders } from './connector/order-limits.ts';
import { applyEvents } from './connector/events.ts';
import { appendDurable, appendRefused } from './connector/facts.ts';
import { advanceFlags, applyFlags, flagsPicture, flagsRead, setFlag } from './connector/flags.ts';
import { releaseFrames } from './connector/frames.ts';
import { startUp, tick } from './connector/lifecycle.ts';
import { recordLimits, recordRefresh } from './connector/meters.ts';
import { resendState, tellBooks } from './connector/publish.ts';
import { answered, failed, release } from './connector/requests.ts';
import { resolveOrder } from './connector/resolve.ts';
import { openSocket, socketClosed, socketFrame, socketHeard, socketOpened } from './connector/sockets.ts';
import { newConnectorState } from './connector/state.ts';
import type { ConnectorArgs, ConnectorSelf, ConnectorState } from './connector/state.ts';
import { tellStatus } from './connector/status.ts';
import { advanceSubmissions, submissionOverdue, submissionsCut, taskEnded } from './connector/submissions.ts';
import { privateStreamLost, reconcileSymbol, startGathered } from './connector/sweep.ts';
import { beginUsage, usageRead } from './connector/usage-ramp.ts';
import type { ConnectorMessage } from './connector-messages.ts';
import { connectorDelivery } from './connector-messages.ts';

const TICK_MS = 500;

export const connector: ActorKind<ConnectorArgs, ConnectorState, ConnectorMessage, ConnectorPorts> = {
  kind: 'connector',
  delivery: connectorDelivery,

  start(args, self) {
    const adapter = openVenue(args.venue, { ...args.settings, secrets: self.ports.secrets });
    const state = newConnectorState(args, adapter, self);
    self.after(TICK_MS, { type: 'connector-tick' });
    askForLimits(state, self);
    tellStatus(state, self);
    applyFlags(state, self);
    advanceFlags(state, self);
    beginUsage(state, self);
    startUp(state, self);
    return state;
  },

  receive(state, message, self) {
    const learn = (events: readonly VenueEvent[]): void => applyEvents(state, self, events, undefined);
    switch (message.type) {
      case 'socket-frame':
        learn(socketFrame(state, self, message));
        recordRefresh(state, self, message.receivedAtMonotonicMs);
        return state;
      case 'socket-heartbeat':
        socketHeard(state, self, message.ref);
        return state;
      case 'socket-opened':
        learn(socketOpened(state, self, message.ref));
        return state;
      case 'socket-closed':
        closed(state, self, message);
        return state;
      case 'reopen-socket':
        openSocket(state, self, message.socketKey);
        return state;
      case 'http-answered':
        answered(state, self, message, (events, sentAt) => applyEvents(state, self, events, sentAt));
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
      case 'limit-orders':
        limitOrders(state, self, message);
        return state;
      case 'resolve-order':
        resolveOrder(state, self, message);
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
        state.due = undefined;
        startGathered(state, self);
        advanceSubmissions(state, self);
        release(state, self);
        releaseFrames(state, self);
        return state;
      case 'set-flag':
        setFlag(state, self, message.name, message.isOn);
        return state;
      case 'books-due':
        tellBooks(state, self);
        return state;
      case 'append-durable':
        appendDurable(state, self, message.appendId);
        return state;
      case 'append-failed':
        appendRefused(state, self, message);
        return state;
      case 'rows-read':
        if (message.readId < 0) flagsRead(state, self, message);
        else usageRead(state, self, message);
        return state;
      case 'connector-tick':
        self.after(TICK_MS, { type: 'connector-tick' });
        askForLimits(state, self);
        tick(state, self, learn);
        recordLimits(state, self);
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
      ordersAllowed: state.ordersAllowed,
      queued: state.queue.length,
      inFlight: state.inFlight.size,
      submissions: state.submissions.map((submission) => ({
        kind: submission.kind,
        clientOrderId: submission.clientOrderId,
        state: submission.state,
      })),
      resolving: [...state.resolving.keys()],
      nonce: state.adapter.usesNonces ? state.nonce.status : 'none',
      positions: Object.fromEntries([...state.positions].map(([symbol, track]) => [symbol, track.reportedLots])),
      paymentsExpected: state.funding.expected.size,
      unacknowledgedAppends: state.appends.size,
      limits: limitsPicture(state),
      flags: flagsPicture(state),
      ...(state.doors === undefined ? {} : { doors: state.doors }),
      questionsAtOnce: state.questionsAtOnce,
    };
  },
};

function closed(state: ConnectorState, self: ConnectorSelf, message: SocketClosed): void {
  const ended = socketClosed(state, self, message);
  if (ended === undefined) return;
  if (state.stream.isPrivate(ended.key)) privateStreamLost(state);
  applyEvents(state, self, ended.events, undefined);
  submissionsCut(state, self, ended.key);
  tellStatus(state, self);
}
