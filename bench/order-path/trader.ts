/**
 * The trader: as little trading as the path allows. It answers a trigger price with an intent to the journal, and
 * the durable intent with an order to the connector. Lives on a trading thread, where a position actor would: at `position/BTC`,
 * so that the connector's facts about its orders come to it.
 */
import { unreachable, type ActorKind, type ActorRef, type Self } from '../../src/runtime/actor.ts';
import { replyTo, type Asked } from '../../src/runtime/ask.ts';
import { connectorEventDelivery, type ConnectorEvent, type ConnectorMessage } from '../../actors/connector-messages.ts';
import {
  journalReplyDelivery,
  type AppendFailed,
  type JournalMessage,
  type RowsRead,
} from '../../actors/journal-messages.ts';
import type { BookView } from '../../src/market/book.ts';
import type { Instrument } from '../../src/market/instrument.ts';
import type { OrderRequest } from '../../src/venues/venue.ts';
import { intentRow, NO_DECISIONS, orderOf, watchBook, type DecisionMemory } from './decision.ts';
import { BASE, type Decision, type OrderVenue } from './plan.ts';

export interface TraderArgs {
  readonly venue: OrderVenue;
  readonly boot: number;
  readonly connector: ActorRef<ConnectorMessage>;
  readonly journal: ActorRef<JournalMessage>;
}

/** Stamps on the clock that the venue's thread stamps with. */
export interface TraderPorts {
  readonly hrtimeNs: () => bigint;
}

export type TraderMessage =
  | { readonly type: 'intent-durable'; readonly appendId: number }
  /** Asked by main: answered with whether a trigger would be answered now. */
  | ({ readonly type: 'report-readiness' } & Asked)
  /** Asked by main: answered with the decisions whose orders were answered since the last time, as Decision[]. */
  | ({ readonly type: 'take-decisions' } & Asked)
  | ConnectorEvent
  | AppendFailed
  | RowsRead;

interface TraderState {
  readonly args: TraderArgs;
  instrument: Instrument | undefined;
  isVenueReady: boolean;
  hasBook: boolean;
  memory: DecisionMemory;
  readonly undurable: Map<number, { readonly order: OrderRequest; readonly decidedNs: bigint }>;
  readonly unanswered: Map<string, Omit<Decision, 'answeredNs'>>;
  decisions: Decision[];
}

type TraderSelf = Self<TraderMessage, TraderPorts>;

export const trader: ActorKind<TraderArgs, TraderState, TraderMessage, TraderPorts> = {
  kind: 'bench-trader',
  delivery: {
    'intent-durable': { class: 'must-deliver', priority: 'order' },
    'report-readiness': { class: 'must-deliver', priority: 'normal' },
    'take-decisions': { class: 'must-deliver', priority: 'normal' },
    ...connectorEventDelivery,
    ...journalReplyDelivery,
  },

  start(args, self) {
    self.tell(args.connector, { type: 'resend-state', to: self.ref, bases: [BASE] });
    return {
      args,
      instrument: undefined,
      isVenueReady: false,
      hasBook: false,
      memory: NO_DECISIONS,
      undurable: new Map(),
      unanswered: new Map(),
      decisions: [],
    };
  },

  receive(state, message, self) {
    switch (message.type) {
      case 'book-changed':
        state.hasBook = message.book !== undefined;
        if (message.book !== undefined) bookChanged(state, message.book, self);
        return state;
      case 'intent-durable':
        place(state, message.appendId, self);
        return state;
      case 'instrument-listed':
        state.instrument = message.instrument;
        return state;
      case 'venue-status':
        state.isVenueReady = message.status === 'ready' && message.entriesAllowed;
        return state;
      case 'report-readiness':
        replyTo(self, message, state.isVenueReady && state.hasBook && state.instrument !== undefined);
        return state;
      case 'take-decisions':
        replyTo(self, message, state.decisions);
        state.decisions = [];
        return state;
      case 'append-failed':
        throw new Error(`the journal must take every intent: ${message.detail}`);
      case 'order-changed':
        // The benchmark counts orders that arrive; a refused one never will, so this run is over.
        if (message.status === 'refused')
          throw new Error(`order ${message.clientOrderId} was refused: ${message.code} ${message.reason}`);
        if (message.status !== 'sending' && message.status !== 'unknown') answered(state, message.clientOrderId, self);
        return state;
      case 'mark-changed':
      case 'funding-rate-changed':
      case 'account-changed':
      case 'leverage-reported':
      case 'fill-received':
      case 'funding-paid':
      case 'position-reported':
      case 'reconciled':
      case 'rows-read':
        return state;
      default:
        return unreachable(message);
    }
  },
};

function bookChanged(state: TraderState, book: BookView, self: TraderSelf): void {
  const memory = watchBook(state.memory, book);
  if (memory === state.memory || state.instrument === undefined) return;
  state.memory = memory;
  const decidedNs = self.ports.hrtimeNs();
  const nowMs = self.nowMs();
  const order = orderOf(memory.count, book, state.instrument, state.args.boot, nowMs);
  const appendId = memory.count;
  const receipt: TraderMessage = { type: 'intent-durable', appendId };
  state.undurable.set(appendId, { order, decidedNs });
  self.tell(state.args.journal, {
    type: 'append-rows',
    rows: [intentRow(state.args.venue, order, self.path, nowMs)],
    whenDurable: [{ to: self.ref, message: receipt }],
    sender: self.ref,
    appendId,
  });
}

function place(state: TraderState, appendId: number, self: TraderSelf): void {
  const waiting = state.undurable.get(appendId);
  if (waiting === undefined) return;
  state.undurable.delete(appendId);
  const { order, decidedNs } = waiting;
  const { clientOrderId } = order;
  state.unanswered.set(clientOrderId, { clientOrderId, decidedNs, durableNs: self.ports.hrtimeNs() });
  const outcome = self.tell(state.args.connector, {
    type: 'place-order',
    order,
    purpose: { pairId: `${BASE}-bench`, leg: 'long', purpose: 'open', attempt: 1 },
    replyTo: self.ref,
  });
  if (outcome !== 'sent') throw new Error(`the connector must take order ${order.clientOrderId}, was ${outcome}`);
}

/** The venue's first word of an order; what follows changes no number here. */
function answered(state: TraderState, clientOrderId: string, self: TraderSelf): void {
  const decision = state.unanswered.get(clientOrderId);
  if (decision === undefined) return;
  state.unanswered.delete(clientOrderId);
  state.decisions.push({ ...decision, answeredNs: self.ports.hrtimeNs() });
}
