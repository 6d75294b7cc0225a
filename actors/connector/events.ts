/** Applies normalised venue facts to the connector's state and passes them on to those concerned. */
import { createOrderGate } from '../../src/risk/approval.ts';
import { observeServerTime } from '../../src/venues/clock-offset.ts';
import type { OrderReport, VenueEvent } from '../../src/venues/venue.ts';
import type { OrderEvent } from '../connector-messages.ts';
import { submissionAccepted, submissionRefused } from './submissions.ts';
import { orderFound } from './resolve.ts';
import { markBook, tellDurably, tellMarket, tellStatus } from './publish.ts';
import { startSweep } from './sweep.ts';
import type { ConnectorSelf, ConnectorState } from './state.ts';
import { positionRef } from '../addresses.ts';

const DAY_MS = 86_400_000;

/** `exchange` is present for answers of requests: when the request left, calendar ms. */
export function applyEvents(
  state: ConnectorState,
  self: ConnectorSelf,
  events: readonly VenueEvent[],
  exchange: { readonly sentAtMs: number } | undefined,
): void {
  for (const event of events) applyEvent(state, self, event, exchange);
}

function applyEvent(state: ConnectorState, self: ConnectorSelf, event: VenueEvent, exchange: { readonly sentAtMs: number } | undefined): void {
  const { venue, account } = state.args;
  switch (event.type) {
    case 'server-time':
      if (exchange !== undefined) {
        state.clock = observeServerTime(state.clock, {
          sentAtMs: exchange.sentAtMs,
          receivedAtMs: self.nowMs(),
          serverMs: event.serverMs,
          scale: self.ports.calendar.scale,
          nowMonotonicMs: self.monotonicMs(),
        });
      }
      return;
    case 'instruments':
      for (const instrument of event.instruments) {
        if (!state.args.bases.includes(instrument.base)) continue;
        state.instruments.set(instrument.symbol, instrument);
        state.baseBySymbol.set(instrument.symbol, instrument.base);
        tellMarket(state, self, { type: 'instrument-listed', venue, account, symbol: instrument.symbol, instrument }, instrument.base);
      }
      state.symbols = [...state.instruments.keys()];
      state.gate = createOrderGate({ ...state.args.gate, symbols: state.symbols });
      return;
    case 'fee-tier':
      for (const [symbol, instrument] of state.instruments) {
        if (event.symbol !== undefined && event.symbol !== symbol) continue;
        const updated = { ...instrument, makerFee: event.makerFee, takerFee: event.takerFee };
        state.instruments.set(symbol, updated);
        tellMarket(state, self, { type: 'instrument-listed', venue, account, symbol, instrument: updated }, instrument.base);
      }
      return;
    case 'book-changed':
      markBook(state, self, event.symbol, undefined);
      return;
    case 'book-invalid':
      self.count(`book-invalid:${event.reason}`);
      markBook(state, self, event.symbol, event.reason);
      return;
    case 'mark': {
      const base = state.baseBySymbol.get(event.symbol);
      if (base === undefined) return;
      const { markNano, indexNano } = event.markTicksScaled;
      if (markNano <= 0n || (indexNano !== undefined && indexNano <= 0n)) {
        self.count('bad-values');
        return;
      }
      const known = state.marks.get(event.symbol)?.indexNano;
      const index = indexNano ?? known;
      const mark = {
        type: 'mark-changed',
        venue,
        symbol: event.symbol,
        base,
        markNano,
        ...(index === undefined ? {} : { indexNano: index }),
        venueAtMs: event.venueAtMs,
        receivedAtMonotonicMs: self.monotonicMs(),
      } as const;
      state.marks.set(event.symbol, mark);
      tellMarket(state, self, mark, base);
      return;
    }
    case 'funding-rate': {
      const { rate } = event;
      const base = state.baseBySymbol.get(rate.symbol);
      if (base === undefined) return;
      const message = {
        type: 'funding-rate-changed',
        venue,
        symbol: rate.symbol,
        base,
        kind: rate.kind,
        settleAtMs: rate.settleAtMs,
        rate,
        receivedAtMonotonicMs: self.monotonicMs(),
      } as const;
      const key = rate.kind === 'predicted' ? `${rate.symbol} predicted` : `${rate.symbol} ${rate.settleAtMs}`;
      const known = state.fundingRates.get(key);
      if (rate.kind === 'settled') {
        if (known !== undefined && known.rate.raw === rate.raw) return;
        // A settlement passed: payments of our positions exist now.
        state.fundingDue = true;
      }
      state.fundingRates.set(key, message);
      pruneRates(state);
      tellMarket(state, self, message, base);
      return;
    }
    case 'positions-snapshot': {
      const reported = new Set(event.positions.map((position) => position.symbol));
      for (const position of event.positions) tellPosition(state, self, position.symbol, position.signedLots, 'query');
      for (const symbol of state.symbols) if (!reported.has(symbol)) tellPosition(state, self, symbol, 0, 'query');
      return;
    }
    case 'position':
      tellPosition(state, self, event.position.symbol, event.position.signedLots, 'stream');
      return;
    case 'balance': {
      const message = {
        type: 'account-changed',
        venue,
        account,
        walletMicro: event.walletMicro,
        availableMicro: event.availableMicro ?? state.lastAccount?.availableMicro ?? event.walletMicro,
        receivedAtMonotonicMs: self.monotonicMs(),
      } as const;
      state.lastAccount = message;
      const day = Math.floor(self.nowMs() / DAY_MS);
      if (state.dayOpening?.day !== day) state.dayOpening = { day, walletMicro: event.walletMicro };
      tellMarket(state, self, message, undefined);
      return;
    }
    case 'open-orders':
      state.openOrders = event.orders.map((order) => ({ symbol: order.symbol, clientOrderId: order.clientOrderId }));
      for (const order of event.orders) orderReported(state, self, order);
      return;
    case 'order-update':
      orderReported(state, self, event.order);
      return;
    case 'order-lookup':
      orderFound(state, self, event.clientOrderId, event.found);
      return;
    case 'fill': {
      const message: OrderEvent = { type: 'fill-received', venue, account, symbol: event.fill.symbol, fill: event.fill };
      const track = state.orders.get(event.fill.clientOrderId);
      if (track !== undefined) track.lastChangeMs = self.monotonicMs();
      tellDurably(state, self, 'fill', `fill:${venue}:${account}:${event.fill.fillId}`, message);
      return;
    }
    case 'funding-payment': {
      const { payment } = event;
      const message: OrderEvent = { type: 'funding-paid', venue, account, symbol: payment.symbol, payment };
      state.fundingCursorMs = Math.max(state.fundingCursorMs, payment.settledAtMs);
      tellDurably(state, self, 'funding', `funding:${venue}:${account}:${payment.paymentId}`, message);
      return;
    }
    case 'nonce':
      state.nonce = { ...state.nonce, next: event.next };
      return;
    case 'leverage':
      return;
    case 'submission-accepted':
      submissionAccepted(state, self, event.submissionId, event.venueOrderId);
      return;
    case 'submission-refused':
      submissionRefused(state, self, event.submissionId, event.code, event.reason, event.class);
      return;
    case 'private-stream-ready':
      state.privateReady = true;
      startSweep(state, self, 2);
      tellStatus(state, self, false);
      return;
    case 'malformed-frame':
      self.count('malformed-frames');
      self.log('warn', 'malformed-frame', { venue, channel: event.channel, detail: event.detail, sample: event.sample.slice(0, 200) });
      return;
    case 'venue-error':
      self.count('venue-errors');
      self.log('warn', 'venue-error', { venue, code: event.code, reason: event.reason });
      return;
    default:
      throw new Error(`unknown venue event ${JSON.stringify(event satisfies never)}`);
  }
}

/** Settled rates kept for a newly started subscriber. */
const SETTLED_RATES_MAX = 2_000;
function pruneRates(state: ConnectorState): void {
  if (state.fundingRates.size <= SETTLED_RATES_MAX) return;
  for (const [key, message] of state.fundingRates) {
    if (message.kind === 'settled') {
      state.fundingRates.delete(key);
      return;
    }
  }
}

function tellPosition(state: ConnectorState, self: ConnectorSelf, symbol: string, signedLots: number, source: 'stream' | 'query'): void {
  const base = state.baseBySymbol.get(symbol);
  state.positions.set(symbol, signedLots);
  if (base === undefined) return;
  state.positionSequence += 1;
  self.tell(positionRef(base), {
    type: 'position-reported',
    venue: state.args.venue,
    account: state.args.account,
    symbol,
    signedLots,
    source,
    sequence: state.positionSequence,
    receivedAtMonotonicMs: self.monotonicMs(),
  });
}

/** An order as the venue reports it, from a stream, a list or a query. */
function orderReported(state: ConnectorState, self: ConnectorSelf, order: OrderReport): void {
  if (order.clientOrderId === '') {
    self.count('foreign-orders');
    return;
  }
  tellOrder(state, self, {
    symbol: order.symbol,
    clientOrderId: order.clientOrderId,
    status: order.status,
    venueOrderId: order.venueOrderId,
    ...(order.filledLots === undefined ? {} : { filledLots: order.filledLots }),
    code: '',
    reason: order.reason ?? '',
    atMs: order.venueAtMs,
    sequence: order.sequence,
  });
}

type OrderChange = Omit<Extract<OrderEvent, { type: 'order-changed' }>, 'type' | 'venue' | 'account'>;

/** Journals and tells a change of one of our orders. */
export function tellOrder(state: ConnectorState, self: ConnectorSelf, change: OrderChange): void {
  const { venue, account } = state.args;
  const event: Extract<OrderEvent, { type: 'order-changed' }> = { type: 'order-changed', venue, account, ...change };
  const track = state.orders.get(change.clientOrderId);
  if (track !== undefined) {
    track.lastEvent = event;
    track.lastChangeMs = self.monotonicMs();
  }
  tellDurably(state, self, 'order-event', `order:${venue}:${account}:${change.clientOrderId}:${change.status}:${change.sequence}`, event);
}
