/** What is asked of the gateway over REST, and what the answers say. Pure; connector thread. */
import { HOUR_MS } from '../../market/funding-rate.ts';
import { asList, optionalText, timeField } from '../fields.ts';
import { asFields, malformed, reading } from '../json.ts';
import { MalformedPayload } from '../venue.ts';
import type { Instant, Operation, OperationResult, OrderReport, VenueEvent } from '../venue.ts';
import type { CoinbaseMarket } from './markets.ts';
import { eachKnown, privateCall, publicCall } from './operation.ts';
import type { CoinbaseAccess } from './operation.ts';
import {
  parseFees,
  parseInstrument,
  parseOrder,
  parsePayment,
  parsePosition,
  parseSettledRate,
  parseSummary,
  parseTrade,
  tickerEvents,
} from './parse.ts';
import { labelOf, SETTLED_IN } from './wire.ts';

/** How far our clock may be behind the venue's, real ms: what happened since is asked for beyond our own now. */
const CLOCK_BEHIND_MAX_MS = 2_000;
const DAY_MS = 86_400_000;
/** Trades and orders older than this are in the history only; the rest is listed at once. */
const RECENT_MS = DAY_MS;
const TRADES_PAGE = 1_000;
const LEDGER_PAGE = 250;
const HISTORY_ORDERS = 100;
/** Hours that one question about settled rates may name. */
const RATES_SPAN_MS = 744 * HOUR_MS;
/** These cost more than others: as many units of the bucket. */
const INSTRUMENTS_WEIGHT = 20;
const LEDGER_WEIGHT = 20;
/** The stream is a second old at most where anything moves. */
const QUIET_TICKER_MS = 3_000;
const POLL_QUESTIONS_MAX = 20;

const ALL = { currency: SETTLED_IN, kind: 'future' } as const;
const NOTHING: OperationResult = { events: [] };

function endMs(access: CoinbaseAccess, at: Instant): number {
  return Math.ceil(at.calendarMs + CLOCK_BEHIND_MAX_MS * access.calendarScale);
}

export function serverTimeOperation(access: CoinbaseAccess): Operation {
  return publicCall(access, {
    method: 'public/get_time',
    params: {},
    priority: 5,
    read: (result) => {
      if (typeof result !== 'number' || !(result > 0)) throw malformed('server time', 'epoch ms', result);
      return { events: [{ type: 'server-time', serverMs: result }] };
    },
  });
}

export function instrumentsOperation(access: CoinbaseAccess): Operation {
  const method = 'public/get_instruments';
  return publicCall(access, {
    method,
    params: ALL,
    priority: 5,
    source: 'metadata',
    weight: INSTRUMENTS_WEIGHT,
    read: (result) => {
      const found: CoinbaseMarket[] = [];
      const events: VenueEvent[] = [];
      for (const item of asList(result, 'instruments')) {
        try {
          const market = reading('instrument', () => parseInstrument(item));
          if (market !== undefined) found.push(market);
        } catch (error) {
          // One broken listing among hundreds must not hide the others.
          if (!(error instanceof MalformedPayload)) throw error;
          const sample = JSON.stringify(item).slice(0, 200);
          events.push({ type: 'malformed-frame', channel: method, detail: error.message, sample });
        }
      }
      access.markets.replace(found);
      return { events: [{ type: 'instruments', instruments: found.map(({ instrument }) => instrument) }, ...events] };
    },
  });
}

/** Settled rates, newest last. */
export function fundingHistoryOperation(
  access: CoinbaseAccess,
  symbol: string,
  sinceMs: number,
  at: Instant,
  next?: Operation,
): Operation {
  const end = endMs(access, at);
  return publicCall(access, {
    method: 'public/get_funding_rate_history',
    params: {
      instrument_name: symbol,
      start_timestamp: Math.max(0, Math.floor(sinceMs), end - RATES_SPAN_MS),
      end_timestamp: end,
    },
    priority: 5,
    read: (result) => {
      const instrument = access.markets.find(symbol);
      if (instrument === undefined) return next === undefined ? NOTHING : { events: [], next };
      const rows = asList(result, 'funding history').map((item) => asFields(item, 'settled rate'));
      const sorted = rows.toSorted(
        (one, other) => timeField(one, 'timestamp', symbol) - timeField(other, 'timestamp', symbol),
      );
      const newest = sorted.at(-1);
      if (newest !== undefined) access.markets.settledRead(symbol, timeField(newest, 'timestamp', symbol));
      const events = sorted.map((row) => parseSettledRate(row, instrument));
      return next === undefined ? { events } : { events, next };
    },
  });
}

/** Tickers the stream has not spoken of for a while (at least the quietest), and rates of hours that ended: no stream tells those. */
export function marketPollOperation(access: CoinbaseAccess, at: Instant): Operation {
  const { markets } = access;
  const quiet = markets.quietTickers(QUIET_TICKER_MS, at.monotonicMs);
  const asked = (quiet.length > 0 ? quiet : markets.quietTickers(0, at.monotonicMs)).slice(
    0,
    Math.max(1, Math.min(quiet.length, POLL_QUESTIONS_MAX / 2)),
  );
  const due = markets.settledDue(at.calendarMs).slice(0, POLL_QUESTIONS_MAX / 2);
  let next: Operation | undefined;
  for (const { symbol, sinceMs } of due) next = fundingHistoryOperation(access, symbol, sinceMs, at, next);
  for (const symbol of asked.toReversed()) next = tickerOperation(access, symbol, next);
  return next ?? serverTimeOperation(access);
}

function tickerOperation(access: CoinbaseAccess, symbol: string, next: Operation | undefined): Operation {
  const { markets } = access;
  return publicCall(access, {
    method: 'public/ticker',
    params: { instrument_name: symbol },
    priority: 5,
    source: 'tickers',
    read: (result, at) => {
      const instrument = markets.find(symbol);
      const isQuiet = markets.quietTickers(QUIET_TICKER_MS, at.monotonicMs).includes(symbol);
      // What the stream said while this was under way is newer.
      if (instrument === undefined || !isQuiet) return next === undefined ? NOTHING : { events: [], next };
      const events = tickerEvents(result, instrument);
      markets.tickerHeard(symbol, at.monotonicMs);
      return next === undefined ? { events } : { events, next };
    },
  });
}

export function positionsOperation(access: CoinbaseAccess, at: Instant): Operation {
  const ask = {
    method: 'private/get_positions',
    params: ALL,
    priority: 4 as const,
    source: 'positions' as const,
    read: (result: unknown): OperationResult => {
      const perpetuals = asList(result, 'positions').filter(
        (item) => asFields(item, 'position')['direction'] !== 'zero',
      );
      const { known, unknown } = eachKnown(perpetuals, 'positions', (item) => parsePosition(item, access.markets.find));
      return { events: [{ type: 'positions-snapshot', positions: known }, ...unknown] };
    },
  };
  return privateCall(access, ask, at);
}

export function summaryOperation(access: CoinbaseAccess, at: Instant): Operation {
  const ask = {
    method: 'private/get_account_summary',
    params: { currency: SETTLED_IN },
    priority: 4 as const,
    source: 'balances' as const,
    read: (result: unknown): OperationResult => ({ events: [parseSummary(result)] }),
  };
  return privateCall(access, ask, at);
}

/** The account's own rates where the summary names them, else the listed ones. */
export function feesOperation(access: CoinbaseAccess, at: Instant): Operation {
  const ask = {
    method: 'private/get_account_summary',
    params: { currency: SETTLED_IN, extended: true },
    priority: 4 as const,
    read: (result: unknown): OperationResult => {
      const { instruments } = access.markets;
      const listed = instruments.map(({ symbol, makerFee, takerFee }): VenueEvent => ({
        type: 'fee-tier',
        symbol,
        makerFee,
        takerFee,
      }));
      return { events: [...listed, ...parseFees(result, instruments)] };
    },
  };
  return privateCall(access, ask, at);
}

export function openOrdersOperation(access: CoinbaseAccess, at: Instant): Operation {
  const ask = {
    method: 'private/get_open_orders_by_currency',
    params: ALL,
    priority: 4 as const,
    read: (result: unknown): OperationResult => {
      const { known, unknown } = eachKnown(asList(result, 'orders'), 'orders', (item) =>
        parseOrder(item, access.markets.find),
      );
      return { events: [{ type: 'open-orders', orders: known }, ...unknown] };
    },
  };
  return privateCall(access, ask, at);
}

/** By label among recent orders; one that is not there may have ended longer ago, and is then in the history of its market. */
export function findOrderOperation(
  access: CoinbaseAccess,
  symbol: string,
  clientOrderId: string,
  at: Instant,
): Operation {
  const label = labelOf(clientOrderId);
  const lookUp = (
    method: string,
    params: Readonly<Record<string, unknown>>,
    whenMissing: () => OperationResult,
  ): Operation => {
    const read = (result: unknown): OperationResult => {
      const orders = asList(result, method)
        .filter((item) => optionalText(asFields(item, 'order'), 'label') === label)
        .map((item) => parseOrder(item, access.markets.find))
        .filter((order): order is OrderReport => order !== undefined);
      if (orders.length === 0) return whenMissing();
      const updates = orders.map((order): VenueEvent => ({ type: 'order-update', order }));
      return { events: [...updates, { type: 'order-lookup', clientOrderId, found: true }] };
    };
    return privateCall(access, { method, params, priority: 2, read }, at);
  };
  const inHistory = { instrument_name: symbol, count: HISTORY_ORDERS, include_old: true, include_unfilled: true };
  return lookUp('private/get_order_state_by_label', { currency: SETTLED_IN, label }, () => ({
    events: [],
    next: lookUp('private/get_order_history_by_instrument', inHistory, () => ({
      events: [{ type: 'order-lookup', clientOrderId, found: false }],
    })),
  }));
}

/** Trades of ours since then, oldest first. Those that are history by now are asked for as such, and then the recent ones. */
export function tradesOperation(access: CoinbaseAccess, sinceMs: number, at: Instant): Operation {
  const startMs = Math.max(0, Math.floor(sinceMs));
  const isOld = startMs < at.calendarMs - RECENT_MS;
  return tradesPage(access, startMs, isOld, at);
}

function tradesPage(access: CoinbaseAccess, startMs: number, isHistory: boolean, at: Instant): Operation {
  const ask = {
    method: 'private/get_user_trades_by_currency_and_time',
    params: {
      ...ALL,
      start_timestamp: startMs,
      end_timestamp: endMs(access, at),
      count: TRADES_PAGE,
      sorting: 'asc',
      ...(isHistory ? { historical: true } : {}),
    },
    priority: 2 as const,
    read: (result: unknown): OperationResult => {
      const page = asFields(result, 'trades');
      const items = asList(page['trades'], 'trades');
      const { known, unknown } = eachKnown(items, 'trades', (item) => parseTrade(item, access.markets.find));
      const events = [...known.flat(), ...unknown];
      const last = items.at(-1);
      if (page['has_more'] === true && last !== undefined) {
        const lastMs = timeField(asFields(last, 'trade'), 'timestamp', 'trade');
        // Trades of one ms may lie on both sides of a page: that ms is asked for again, unless it fills pages by itself.
        return { events, next: tradesPage(access, Math.max(lastMs, startMs + 1), isHistory, at) };
      }
      if (!isHistory) return { events };
      const recentMs = Math.floor(at.calendarMs - RECENT_MS);
      return { events, next: tradesPage(access, recentMs, false, at) };
    },
  };
  return privateCall(access, ask, at);
}

/** Funding booked since then. Pages go back in time; each is told oldest first. */
export function paymentsOperation(
  access: CoinbaseAccess,
  sinceMs: number,
  at: Instant,
  continuation?: number,
): Operation {
  const ask = {
    method: 'private/get_transaction_log',
    params: {
      currency: SETTLED_IN,
      start_timestamp: Math.max(0, Math.floor(sinceMs)),
      end_timestamp: endMs(access, at),
      count: LEDGER_PAGE,
      ...(continuation === undefined ? {} : { continuation }),
    },
    priority: 4 as const,
    weight: LEDGER_WEIGHT,
    read: (result: unknown): OperationResult => {
      const page = asFields(result, 'ledger');
      const rows = asList(page['logs'], 'ledger.logs');
      const events = rows.toReversed().flatMap((row): readonly VenueEvent[] => {
        const payment = parsePayment(row, access.markets.find);
        return payment === undefined ? [] : [{ type: 'funding-payment', payment }];
      });
      const next = page['continuation'];
      if (typeof next !== 'number' || next === continuation || rows.length === 0) return { events };
      return { events, next: paymentsOperation(access, sinceMs, at, next) };
    },
  };
  return privateCall(access, ask, at);
}
