/** The simulated Bybit venue's answers to REST queries. Pure reads of its records; any thread. */
import { priceText, quantityText } from '../../money/amounts.ts';
import type { ExchangeFundingPayment, ExchangeOrderState, ExchangeTrade } from '../../simulation/exchange.ts';
import type { Refusal, SimulatedAccount } from './simulated-access.ts';
import type { SimulatedRecords } from './simulated-records.ts';
import { instrumentJson, rateText, riskLimitJson, tickerJson } from './simulated-wire.ts';
import type { Json } from './simulated-wire.ts';
import { CATEGORY } from './wire.ts';

export type Answer = { readonly result: Json; readonly retExtInfo?: Json } | Refusal;

export interface Query {
  readonly path: string;
  readonly parameters: URLSearchParams;
  readonly nowMs: number;
}

const DAY_MS = 86_400_000;
const EXECUTIONS_SPAN_MS = 7 * DAY_MS;
const BAD_SYMBOL = badParameter('symbol invalid');

export function badParameter(what: string): Refusal {
  return { retCode: 10001, retMsg: `params error: ${what}` };
}

/** Answers a GET under `/v5/market`; undefined when there is no such endpoint. */
export function answerMarket(records: SimulatedRecords, query: Query): Answer | undefined {
  const { exchange } = records;
  const symbol = query.parameters.get('symbol');
  if (query.path === '/v5/market/time') {
    const nano = `${Math.floor(query.nowMs)}000000`;
    return { result: { timeSecond: String(Math.floor(query.nowMs / 1_000)), timeNano: nano } };
  }
  if (query.parameters.get('category') !== CATEGORY) return badParameter('category invalid');
  if (symbol !== null && records.instrument(symbol) === undefined) return BAD_SYMBOL;
  const instruments = exchange.markets().filter((instrument) => symbol === null || instrument.symbol === symbol);
  const [only] = instruments;
  switch (query.path) {
    case '/v5/market/instruments-info':
      return pageOf(query, instruments.map(instrumentJson), { usual: 500, max: 1_000 });
    case '/v5/market/risk-limit':
      return pageOf(
        query,
        instruments.flatMap((instrument) => riskLimitJson(instrument)),
        { usual: 500, max: 1_000 },
      );
    case '/v5/market/tickers':
      return {
        result: {
          category: CATEGORY,
          list: instruments.map((instrument) =>
            tickerJson(instrument, exchange.stats(instrument.symbol), exchange.book(instrument.symbol)),
          ),
        },
      };
    case '/v5/market/funding/history':
      return symbol === null ? BAD_SYMBOL : fundingHistory(records, symbol, query);
    case '/v5/market/orderbook': {
      if (symbol === null || only === undefined) return BAD_SYMBOL;
      const book = exchange.book(symbol);
      const limit = integerOf(query, 'limit') ?? 25;
      const levels = (side: typeof book.bids): Json['list'] =>
        side.slice(0, limit).map(([ticks, lots]) => [priceText(ticks, only), quantityText(lots, only)]);
      const nowMs = Math.floor(query.nowMs);
      return {
        result: { s: symbol, b: levels(book.bids), a: levels(book.asks), ts: nowMs, u: nowMs, seq: nowMs, cts: nowMs },
      };
    }
    case '/v5/market/recent-trade': {
      if (symbol === null || only === undefined) return BAD_SYMBOL;
      const list = exchange
        .recentTrades(symbol)
        .toReversed()
        .map((trade) => ({
          execId: records.ids.trade(trade.tradeNumber),
          symbol,
          price: priceText(trade.priceTicks, only),
          size: quantityText(trade.lots, only),
          side: trade.takerSide === 'buy' ? 'Buy' : 'Sell',
          time: String(Math.floor(trade.atMs)),
          isBlockTrade: false,
        }));
      return { result: { category: CATEGORY, list } };
    }
    default:
      return undefined;
  }
}

function fundingHistory(records: SimulatedRecords, symbol: string, query: Query): Answer {
  const startMs = integerOf(query, 'startTime');
  const endMs = integerOf(query, 'endTime');
  if (startMs !== undefined && endMs === undefined) return badParameter('endTime is required with startTime');
  const limit = Math.min(integerOf(query, 'limit') ?? 200, 200);
  const list = records.exchange
    .fundingHistory(symbol)
    .filter(({ settledAtMs }) => settledAtMs >= (startMs ?? 0) && settledAtMs <= (endMs ?? query.nowMs))
    .toReversed()
    .slice(0, limit)
    .map(({ ratePico, settledAtMs }) => ({
      symbol,
      fundingRate: rateText(ratePico),
      fundingRateTimestamp: String(Math.floor(settledAtMs)),
    }));
  return { result: { category: CATEGORY, list } };
}

/** Answers a signed GET; undefined when there is no such endpoint. */
export function answerAccount(records: SimulatedRecords, account: SimulatedAccount, query: Query): Answer | undefined {
  switch (query.path) {
    case '/v5/account/wallet-balance':
      return query.parameters.get('accountType') === 'UNIFIED'
        ? { result: { list: [records.walletJson(account)] } }
        : badParameter('accountType invalid');
    case '/v5/asset/coin/query-info': {
      // Nothing is paid in or out here: no chain.
      const coins = [...new Set(records.exchange.markets().map(({ quote }) => quote))];
      return { result: { rows: coins.map((coin) => ({ name: coin, coin, remainAmount: '0', chains: [] })) } };
    }
    case '/v5/account/info':
      return {
        result: { unifiedMarginStatus: 5, marginMode: 'REGULAR_MARGIN', updatedTime: String(Math.floor(query.nowMs)) },
      };
    case '/v5/user/query-api':
      return { result: records.keyJson(account) };
    case '/v5/account/fee-rate':
      return { result: { list: feeRates(records, query) } };
    case '/v5/account/transaction-log':
      return transactionLog(records, account, query);
    case '/v5/position/list':
      return positions(records, account, query);
    case '/v5/order/realtime':
      return openOrders(records, account, query);
    case '/v5/order/history':
      return closedOrders(records, account, query);
    case '/v5/execution/list':
      return executions(records, account, query);
    default:
      return undefined;
  }
}

function feeRates(records: SimulatedRecords, query: Query): readonly Json[] {
  const symbol = query.parameters.get('symbol');
  return records.exchange
    .markets()
    .filter((instrument) => symbol === null || instrument.symbol === symbol)
    .map((instrument) => ({
      symbol: instrument.symbol,
      makerFeeRate: rateText(instrument.makerFee),
      takerFeeRate: rateText(instrument.takerFee),
    }));
}

/** With a symbol its flat row comes too, with a coin only what is held. */
function positions(records: SimulatedRecords, account: SimulatedAccount, query: Query): Answer {
  const { exchange } = records;
  const symbol = query.parameters.get('symbol');
  if (symbol === null && query.parameters.get('settleCoin') === null)
    return badParameter('symbol or settleCoin is required');
  if (symbol !== null && records.instrument(symbol) === undefined) return BAD_SYMBOL;
  const flat = { signedLots: 0, costMicro: 0n, unrealisedMicro: 0n };
  const held =
    symbol === null
      ? exchange.positions(account.name).filter((position) => isOfCoin(records, position.symbol, query))
      : [exchange.position(account.name, symbol) ?? { ...flat, symbol, leverage: records.leverageOf(account, symbol) }];
  const rows = held.map((position) => records.positionJson(position, query.nowMs, 'avgPrice'));
  return pageOf(query, rows, { usual: 20, max: 200 });
}

function isOfCoin(records: SimulatedRecords, symbol: string, query: Query): boolean {
  const coin = query.parameters.get('settleCoin');
  return coin === null || records.instrument(symbol)?.quote === coin;
}

export function isLive(order: ExchangeOrderState): boolean {
  return order.status === 'queued' || order.status === 'open';
}

function chosenOrders(
  records: SimulatedRecords,
  account: SimulatedAccount,
  query: Query,
  choose: (order: ExchangeOrderState) => boolean,
): readonly Json[] {
  const { parameters } = query;
  const [symbol, orderId, linkId] = ['symbol', 'orderId', 'orderLinkId'].map((name) => parameters.get(name));
  return records
    .orders(account)
    .filter(
      (order) =>
        (symbol === null || order.symbol === symbol) &&
        (linkId === null || order.clientOrderId === linkId) &&
        (orderId === null || records.ids.order(order.venueOrderNumber) === orderId) &&
        isOfCoin(records, order.symbol, query) &&
        choose(order),
    )
    .toReversed()
    .map((order) => records.orderJson(order));
}

function openOrders(records: SimulatedRecords, account: SimulatedAccount, query: Query): Answer {
  const named = ['symbol', 'baseCoin', 'settleCoin', 'orderId', 'orderLinkId'].some((name) =>
    query.parameters.has(name),
  );
  if (!named) return badParameter('one of symbol, baseCoin and settleCoin is required');
  const closedToo = query.parameters.get('openOnly') === '1';
  const rows = chosenOrders(records, account, query, (order) => isLive(order) || closedToo);
  return pageOf(query, closedToo ? rows.slice(0, 500) : rows, { usual: 20, max: 50 });
}

/** What was cancelled or rejected without a fill is only kept for a day. */
function closedOrders(records: SimulatedRecords, account: SimulatedAccount, query: Query): Answer {
  const rows = chosenOrders(records, account, query, (order) => {
    if (isLive(order)) return false;
    const ageMs = query.nowMs - order.updatedAtMs;
    return ageMs <= (order.filledLots === 0 ? DAY_MS : EXECUTIONS_SPAN_MS);
  });
  return pageOf(query, rows, { usual: 20, max: 50 });
}

interface Booking {
  readonly atMs: number;
  readonly trade?: ExchangeTrade;
  readonly payment?: ExchangeFundingPayment;
}

/** The span a question names, or undefined when it is longer than the venue answers. A start alone reaches a week from there. */
function spanOf(query: Query, usualMs: number): { readonly fromMs: number; readonly untilMs: number } | undefined {
  const startMs = integerOf(query, 'startTime');
  const endMs = integerOf(query, 'endTime');
  const untilMs = endMs ?? (startMs === undefined ? Math.ceil(query.nowMs) : startMs + EXECUTIONS_SPAN_MS);
  const fromMs = startMs ?? untilMs - usualMs;
  return untilMs - fromMs > EXECUTIONS_SPAN_MS || untilMs < fromMs ? undefined : { fromMs, untilMs };
}

/** Trades and payments within a span, newest first. */
function bookings(
  records: SimulatedRecords,
  account: SimulatedAccount,
  span: { readonly fromMs: number; readonly untilMs: number },
): readonly Booking[] {
  const { exchange } = records;
  const found: Booking[] = [];
  for (const trade of newest(exchange.trades(account.name), (entry) => entry.atMs, span.fromMs))
    found.push({ atMs: trade.atMs, trade });
  for (const payment of newest(exchange.fundingPayments(account.name), (entry) => entry.settledAtMs, span.fromMs))
    found.push({ atMs: payment.settledAtMs, payment });
  return found.filter(({ atMs }) => Math.floor(atMs) <= span.untilMs).toSorted((one, other) => other.atMs - one.atMs);
}

/** The entries of a list kept oldest first that are not older than this, newest first. */
function newest<Entry>(entries: readonly Entry[], atMs: (entry: Entry) => number, fromMs: number): readonly Entry[] {
  const start = entries.findLastIndex((entry) => Math.floor(atMs(entry)) < fromMs) + 1;
  return entries.slice(start).toReversed();
}

function executions(records: SimulatedRecords, account: SimulatedAccount, query: Query): Answer {
  const span = spanOf(query, EXECUTIONS_SPAN_MS);
  if (span === undefined) return badParameter('the interval between startTime and endTime is at most 7 days');
  const filters = ['symbol', 'execType', 'orderId', 'orderLinkId'].flatMap((name) => {
    const wanted = query.parameters.get(name);
    return wanted === null ? [] : [[name, wanted] as const];
  });
  const rows = bookings(records, account, span)
    .map((booking) => executionOf(records, account, booking))
    .filter((row) => filters.every(([name, wanted]) => row[name] === wanted));
  return pageOf(query, rows, { usual: 50, max: 100 });
}

function executionOf(records: SimulatedRecords, account: SimulatedAccount, { trade, payment }: Booking): Json {
  if (payment !== undefined) return records.fundingJson(payment);
  const party = trade?.taker?.account === account.name ? trade.taker : trade?.maker;
  if (trade === undefined || party === undefined) throw new Error('a remembered trade has a side that is ours');
  return records.executionJson(trade, party);
}

/** The account's ledger: here what was received is positive. */
function transactionLog(records: SimulatedRecords, account: SimulatedAccount, query: Query): Answer {
  const span = spanOf(query, DAY_MS);
  if (span === undefined) return badParameter('the interval between startTime and endTime is at most 7 days');
  const type = query.parameters.get('type');
  const rows = bookings(records, account, span)
    .map((booking) => ledgerRow(executionOf(records, account, booking)))
    .filter((row) => type === null || row['type'] === type);
  return pageOf(query, rows, { usual: 20, max: 50 });
}

function ledgerRow(execution: Json): Json {
  const isFunding = execution['execType'] === 'Funding';
  const fee = opposite(String(execution['execFee']));
  return {
    id: execution['execId'],
    symbol: execution['symbol'],
    category: CATEGORY,
    side: execution['side'],
    transactionTime: execution['execTime'],
    type: isFunding ? 'SETTLEMENT' : 'TRADE',
    qty: execution['execQty'],
    currency: execution['feeCurrency'],
    tradePrice: execution['execPrice'],
    funding: isFunding ? fee : '',
    fee: isFunding ? '0' : execution['execFee'],
    cashFlow: isFunding ? '0' : execution['execPnl'],
    feeRate: execution['feeRate'],
    orderId: execution['orderId'],
    orderLinkId: execution['orderLinkId'],
    tradeId: execution['execId'],
  };
}

function opposite(text: string): string {
  if (text.startsWith('-')) return text.slice(1);
  return /[1-9]/.test(text) ? `-${text}` : text;
}

/** One page of a listing; the cursor is handed out percent-encoded and must come back so. */
function pageOf(query: Query, rows: readonly Json[], limits: { readonly usual: number; readonly max: number }): Answer {
  const limit = Math.max(1, Math.min(integerOf(query, 'limit') ?? limits.usual, limits.max));
  const cursor = query.parameters.get('cursor');
  const named = cursor === null ? '0' : /^page_args=(\d{1,9})&$/.exec(cursor)?.[1];
  if (named === undefined) return badParameter('cursor invalid');
  const from = Number(named);
  const list = rows.slice(from, from + limit);
  const nextPageCursor = from + limit < rows.length ? encodeURIComponent(`page_args=${from + limit}&`) : '';
  return { result: { category: CATEGORY, list, nextPageCursor } };
}

function integerOf(query: Query, name: string): number | undefined {
  const text = query.parameters.get(name);
  return text !== null && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}
