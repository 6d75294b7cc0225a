/**
 * The strategy of fill-to-hedge: asks for one entry when told to, and for its end. Lives where the strategy would, at its address, and
 * hears all that it would.
 */
import { connectorRef, guardRef, positionRef } from '../../actors/addresses.ts';
import { connectorEventDelivery, type ConnectorEvent } from '../../actors/connector-messages.ts';
import { guardDelivery, type EngineStateChanged } from '../../actors/guard-messages.ts';
import { positionDelivery, type EntryPlan, type LegPlan, type PairChanged } from '../../actors/position-messages.ts';
import type { BookView } from '../../src/market/book.ts';
import type { QuoteRate } from '../../src/market/quote-rates.ts';
import type { Instrument } from '../../src/market/instrument.ts';
import type { ActorKind, Self } from '../../src/runtime/actor.ts';
import { replyTo, type Asked } from '../../src/runtime/ask.ts';
import { ACCOUNT } from '../order-path/plan.ts';
import { BASE, HEDGE_VENUE, MAKER_VENUE, PIECE } from './plan.ts';

export type DriverMessage =
  /** Asked by main: answered with what stands, as DriverReport. */
  | ({ readonly type: 'report' } & Asked)
  /** Asked by main: asks for an entry of so many pieces; answered at once. */
  | ({ readonly type: 'enter'; readonly pieces: number } & Asked)
  /** Asked by main: asks the pair to end; answered at once. */
  | ({ readonly type: 'leave' } & Asked)
  | EngineStateChanged
  | PairChanged
  | ConnectorEvent;

export interface DriverReport {
  readonly engine: string;
  readonly phase: PairChanged['phase'] | undefined;
  readonly reason: string;
  /** Venues that allow entries and have told all that an entry needs. */
  readonly venues: number;
}

interface DriverState {
  engine: string;
  pair: PairChanged | undefined;
  readonly ready: Set<string>;
  readonly instruments: Map<string, Instrument>;
  readonly books: Map<string, BookView>;
  /** Venues whose leverage of the base was read back. */
  readonly leveraged: Set<string>;
}

type DriverSelf = Self<DriverMessage>;

/** How far through the touch an order may go, a fraction: inside every band. */
const THROUGH = 0.004;
const asked = { class: 'must-deliver', priority: 'normal' } as const;

export const driver: ActorKind<Readonly<Record<string, never>>, DriverState, DriverMessage> = {
  kind: 'bench-driver',
  delivery: {
    report: asked,
    enter: asked,
    leave: asked,
    ...connectorEventDelivery,
    'engine-state-changed': guardDelivery['engine-state-changed'],
    'pair-changed': positionDelivery['pair-changed'],
  },

  start(_args, self) {
    self.tell(guardRef, { type: 'resend-engine-state', to: self.path });
    for (const venue of [MAKER_VENUE, HEDGE_VENUE])
      self.tell(connectorRef(venue, ACCOUNT), { type: 'resend-state', to: self.ref, bases: [BASE] });
    return {
      engine: 'unknown',
      pair: undefined,
      ready: new Set(),
      instruments: new Map(),
      books: new Map(),
      leveraged: new Set(),
    };
  },

  receive(state, message, self) {
    switch (message.type) {
      case 'report':
        replyTo(self, message, report(state));
        return state;
      case 'enter':
        // One currency is worth the other here: what the strategy measures, and tells positions.
        self.tell(positionRef(BASE), { type: 'quote-rates-told', rates: quoteRates(state) });
        self.tell(positionRef(BASE), { type: 'enter-pair', plan: planOf(state, message.pieces, self) });
        replyTo(self, message, undefined);
        return state;
      case 'leave':
        self.tell(positionRef(BASE), { type: 'exit-pair', reason: 'MANUAL' });
        replyTo(self, message, undefined);
        return state;
      case 'engine-state-changed':
        state.engine = message.state;
        return state;
      case 'pair-changed':
        if (message.base === BASE) state.pair = message;
        return state;
      case 'venue-status':
        if (message.status === 'ready' && message.entriesAllowed) state.ready.add(message.venue);
        else state.ready.delete(message.venue);
        return state;
      case 'instrument-listed':
        if (message.instrument.base === BASE) state.instruments.set(message.venue, message.instrument);
        return state;
      case 'leverage-reported':
        if (message.base === BASE) state.leveraged.add(message.venue);
        return state;
      case 'book-changed':
        if (message.base === BASE && message.book !== undefined) state.books.set(message.venue, message.book);
        return state;
      default:
        return state;
    }
  },
};

function report({ engine, pair, ready, books, instruments, leveraged }: DriverState): DriverReport {
  const venues = [...ready].filter(
    (venue) => books.has(venue) && instruments.has(venue) && leveraged.has(venue),
  ).length;
  return { engine, phase: pair?.phase, reason: pair?.reason ?? '', venues };
}

function quoteRates({ instruments }: DriverState): readonly QuoteRate[] {
  const [first, second] = [...new Set([...instruments.values()].map(({ quote }) => quote))].toSorted();
  return first === undefined || second === undefined ? [] : [{ first, second, rate: 1, samples: 1 }];
}

/** Long by a quote at the maker venue, short by hedges at the other. */
function planOf(state: DriverState, pieces: number, self: DriverSelf): EntryPlan {
  const bid = state.books.get(MAKER_VENUE)?.bids[0]?.[0];
  if (bid === undefined) throw new Error(`${MAKER_VENUE} must show a bid`);
  return {
    base: BASE,
    long: legOf(state, MAKER_VENUE, pieces, bid, 1 + THROUGH),
    short: legOf(state, HEDGE_VENUE, pieces, state.books.get(HEDGE_VENUE)?.bids[0]?.[0] ?? 0, 1 - THROUGH),
    entry: { mode: 'maker-taker', leg: 'long', quoteTicks: bid, escalate: false },
    decidedAtMs: self.nowMs(),
    expected: {
      ...{ netHourlyQuote: 1, expectedValueQuote: 100, roundTripCostQuote: 0, entryBasisBps: 0, capitalQuote: 1_000 },
    },
  };
}

function legOf(state: DriverState, venue: string, pieces: number, vwapTicks: number, through: number): LegPlan {
  const instrument = state.instruments.get(venue);
  if (instrument === undefined) throw new Error(`${venue} must list ${BASE}`);
  const { symbol, quantityDecimals, lotUnits } = instrument;
  const lots = pieces * Math.round((PIECE * 10 ** quantityDecimals) / lotUnits);
  return { venue, account: ACCOUNT, symbol, lots, limitTicks: Math.round(vwapTicks * through), vwapTicks };
}
