/** The simulated gateway's answers to what only reads. Pure reads of its records; any thread. */
import { HOUR_MS } from '../../market/funding-rate.ts';
import type { Instrument } from '../../market/instrument.ts';
import type { ExchangeOrderState } from '../../simulation/exchange.ts';
import { ACCESS_LIFE_S } from './simulated-access.ts';
import type { RpcRefusal, SimulatedAccount } from './simulated-access.ts';
import type { SimulatedRecords } from './simulated-records.ts';
import { amountNumber, feesJson, instrumentJson, priceNumber, rateJson, tickerJson } from './simulated-wire.ts';
import type { Json } from './simulated-wire.ts';
import { SETTLED_IN } from './wire.ts';

export type Answer = { readonly result: unknown } | { readonly error: RpcRefusal };

export interface Query {
  readonly method: string;
  readonly params: Readonly<Record<string, unknown>>;
  readonly nowMs: number;
}

const DAY_MS = 24 * HOUR_MS;
/** What ended longer ago is in the history only. */
const RECENT_MS: Readonly<Record<'trades' | 'orders', number>> = { trades: DAY_MS, orders: HOUR_MS / 2 };
const PAGE_MAX = 1_000;
const RATES_MAX = 744;

export function badParameter(name: string, reason: string): Answer {
  return { error: { code: -32602, message: 'Invalid params', data: { param: name, reason } } };
}
const fine = (result: unknown): Answer => ({ result });

/** Answers a public method; undefined when there is none of that name. */
export function answerPublic(records: SimulatedRecords, query: Query): Answer | undefined {
  const { exchange } = records;
  const { method, params, nowMs } = query;
  switch (method) {
    case 'public/get_time':
      return fine(Math.floor(nowMs));
    case 'public/test':
      return fine({ version: '1.2.26' });
    case 'public/get_instruments': {
      if (params['currency'] !== SETTLED_IN && params['currency'] !== 'any') return fine([]);
      if (params['kind'] !== undefined && params['kind'] !== 'future') return fine([]);
      return fine(exchange.markets().map(instrumentJson));
    }
    default:
      return answerMarket(records, query);
  }
}

function answerMarket(records: SimulatedRecords, { method, params, nowMs }: Query): Answer | undefined {
  const { exchange } = records;
  const known = new Set([
    'get_instrument',
    'ticker',
    'get_order_book',
    'get_funding_rate_history',
    'get_funding_rate_value',
    'get_last_trades_by_instrument',
  ]);
  if (!method.startsWith('public/') || !known.has(method.slice('public/'.length))) return undefined;
  const symbol = String(params['instrument_name']);
  const instrument = records.instrument(symbol);
  if (instrument === undefined) return badParameter('instrument_name', 'wrong format');
  switch (method) {
    case 'public/get_instrument':
      return fine(instrumentJson(instrument, exchange.markets().indexOf(instrument)));
    case 'public/ticker':
      return fine(tickerJson(instrument, exchange.stats(symbol), exchange.book(symbol), nowMs));
    case 'public/get_order_book':
      return fine(orderBook(records, instrument, Number(params['depth'] ?? 5), nowMs));
    case 'public/get_last_trades_by_instrument':
      return fine(lastTrades(records, instrument));
    default:
      return fundingRates(records, instrument, { method, params, nowMs });
  }
}

function orderBook(records: SimulatedRecords, instrument: Instrument, depth: number, nowMs: number): Json {
  const { exchange } = records;
  const book = exchange.book(instrument.symbol);
  const levels = (side: typeof book.bids): unknown =>
    side.slice(0, depth).map(([ticks, lots]) => [priceNumber(ticks, instrument), amountNumber(lots, instrument)]);
  const ticker = tickerJson(instrument, exchange.stats(instrument.symbol), book, nowMs);
  return { ...ticker, change_id: Math.floor(nowMs), bids: levels(book.bids), asks: levels(book.asks) };
}

function lastTrades(records: SimulatedRecords, instrument: Instrument): Json {
  const trades = records.exchange
    .recentTrades(instrument.symbol)
    .toReversed()
    .map((trade) => ({
      trade_id: records.ids.trade(trade.tradeNumber),
      trade_seq: trade.tradeNumber,
      instrument_name: instrument.symbol,
      price: priceNumber(trade.priceTicks, instrument),
      amount: amountNumber(trade.lots, instrument),
      contracts: trade.lots,
      direction: trade.takerSide,
      timestamp: Math.floor(trade.atMs),
      tick_direction: 0,
    }));
  return { trades, has_more: false };
}

function fundingRates(records: SimulatedRecords, instrument: Instrument, { method, params }: Query): Answer {
  const [startMs, endMs] = [params['start_timestamp'], params['end_timestamp']];
  if (typeof startMs !== 'number' || typeof endMs !== 'number')
    return badParameter('start_timestamp', 'must be a number');
  const hours = instrument.fundingIntervalMs / HOUR_MS;
  const rows = records.exchange
    .fundingHistory(instrument.symbol)
    .filter(({ settledAtMs }) => settledAtMs >= startMs && settledAtMs <= endMs)
    .slice(-RATES_MAX);
  if (method === 'public/get_funding_rate_history') return fine(rows.map((row) => rateJson(row, hours)));
  return fine(rows.reduce((sum, { ratePico }) => sum + ratePico, 0) / 1e12);
}

/** Answers a private method that reads; undefined when there is none of that name. */
export function answerPrivate(records: SimulatedRecords, account: SimulatedAccount, query: Query): Answer | undefined {
  const { exchange } = records;
  const { method, params, nowMs } = query;
  switch (method) {
    case 'private/get_account_summary': {
      if (params['currency'] !== SETTLED_IN) return badParameter('currency', 'must be USDC here');
      const summary = records.summaryJson(account, nowMs);
      return fine(params['extended'] === true ? { ...summary, fees: feesJson(exchange.markets()) } : summary);
    }
    case 'private/get_account_summaries':
      return fine({
        id: 1,
        type: 'main',
        summaries: [{ ...records.summaryJson(account, nowMs), fees: feesJson(exchange.markets()) }],
      });
    case 'private/get_positions':
      return fine(exchange.positions(account.name).map((position) => records.positionJson(position)));
    case 'private/get_position': {
      const symbol = String(params['instrument_name']);
      if (records.instrument(symbol) === undefined) return badParameter('instrument_name', 'wrong format');
      const flat = { symbol, signedLots: 0, costMicro: 0n, unrealisedMicro: 0n, leverage: account.leverage };
      return fine(records.positionJson(exchange.position(account.name, symbol) ?? flat));
    }
    case 'private/get_open_orders_by_currency':
    case 'private/get_open_orders_by_instrument':
    case 'private/get_open_orders':
      return fine(ordersOf(records, account, params, isLive));
    case 'private/get_order_state': {
      const order = records.order(account, params['order_id']);
      return order === undefined
        ? { error: { code: 10004, message: 'order_not_found' } }
        : fine(records.orderJson(order));
    }
    case 'private/get_order_state_by_label': {
      const recent = records
        .labelled(account, params['label'])
        .filter((order) => isLive(order) || nowMs - order.updatedAtMs <= RECENT_MS.orders);
      return fine(recent.map((order) => records.orderJson(order)));
    }
    case 'private/get_order_history_by_instrument':
    case 'private/get_order_history_by_currency': {
      const ended = ordersOf(records, account, params, (order) => {
        const isFilled = order.filledLots > 0 || params['include_unfilled'] === true;
        return !isLive(order) && isFilled && (params['include_old'] === true || nowMs - order.updatedAtMs <= DAY_MS);
      });
      return fine(ended.toReversed().slice(0, countOf(params, 20)));
    }
    case 'private/get_user_trades_by_currency_and_time':
    case 'private/get_user_trades_by_instrument_and_time':
      return userTrades(records, account, query);
    case 'private/get_transaction_log':
      return ledger(records, account, query);
    case 'private/get_cancel_on_disconnect':
      return fine({ scope: 'connection', enabled: false });
    default:
      return undefined;
  }
}

export function isLive(order: ExchangeOrderState): boolean {
  return order.status === 'queued' || order.status === 'open';
}

function countOf(params: Query['params'], usual: number): number {
  const count = params['count'];
  return typeof count === 'number' && count >= 1 ? Math.min(PAGE_MAX, Math.floor(count)) : usual;
}

function ordersOf(
  records: SimulatedRecords,
  account: SimulatedAccount,
  params: Query['params'],
  choose: (order: ExchangeOrderState) => boolean,
): readonly Json[] {
  const symbol = params['instrument_name'];
  return records
    .orders(account)
    .filter((order) => (symbol === undefined || order.symbol === symbol) && choose(order))
    .map((order) => records.orderJson(order));
}

/** Recent trades without `historical`, older ones only with it. */
function userTrades(records: SimulatedRecords, account: SimulatedAccount, { params, nowMs }: Query): Answer {
  const [startMs, endMs] = [params['start_timestamp'], params['end_timestamp']];
  if (typeof startMs !== 'number' || typeof endMs !== 'number')
    return badParameter('start_timestamp', 'must be a number');
  const isHistory = params['historical'] === true;
  const symbol = params['instrument_name'];
  const chosen = records.exchange.trades(account.name).filter((trade) => {
    const atMs = Math.floor(trade.atMs);
    if (symbol !== undefined && trade.symbol !== symbol) return false;
    return atMs >= startMs && atMs <= endMs && (isHistory || nowMs - atMs <= RECENT_MS.trades);
  });
  const sorted = params['sorting'] === 'asc' ? chosen : chosen.toReversed();
  const count = countOf(params, 10);
  const trades = sorted.slice(0, count).map((trade) => records.tradeJson(trade, records.partyOf(trade, account)));
  return fine({ trades, has_more: sorted.length > count });
}

/** Newest first, in pages; `continuation` names where the next begins. */
function ledger(records: SimulatedRecords, account: SimulatedAccount, { params }: Query): Answer {
  const { start_timestamp: startMs, end_timestamp: endMs, continuation } = params;
  if (typeof startMs !== 'number' || typeof endMs !== 'number')
    return badParameter('start_timestamp', 'must be a number');
  const { exchange } = records;
  const rows = [
    ...exchange
      .fundingPayments(account.name)
      .map((payment) => ({ atMs: payment.settledAtMs, make: () => records.paymentRowJson(payment) })),
    ...exchange.trades(account.name).map((trade) => ({
      atMs: trade.atMs,
      make: () => records.tradeRowJson(trade, records.partyOf(trade, account)),
    })),
  ]
    .filter(({ atMs }) => Math.floor(atMs) >= startMs && Math.floor(atMs) <= endMs)
    .toSorted((one, other) => other.atMs - one.atMs);
  const from = typeof continuation === 'number' ? continuation : 0;
  const to = from + countOf(params, 100);
  return fine({ logs: rows.slice(from, to).map(({ make }) => make()), continuation: to < rows.length ? to : null });
}

/** The answer to signing in over HTTP. A socket that signs in gets one too and has no use for its token. */
export function signedInJson(token: string): Json {
  return {
    access_token: token,
    refresh_token: '',
    expires_in: ACCESS_LIFE_S,
    token_type: 'bearer',
    scope: 'trade:read_write',
  };
}
