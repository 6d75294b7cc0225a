/** The simulated Extended venue's answers to REST queries. Pure reads of its records; any thread. */
import type { ExchangeOrderState } from '../../simulation/exchange.ts';
import type { Refusal } from './simulated-intake.ts';
import type { SimulatedRecords } from './simulated-records.ts';
import { marketJson, publicTradeJson, rateText, statsJson } from './simulated-wire.ts';
import type { SimulatedAccount } from './simulated-wire.ts';
import { priceText, quantityText } from '../../money/amounts.ts';
import { formatDecimal } from '../../money/decimal.ts';
import type { WireValue } from './wire.ts';

/** A successful answer's data, with the cursor of listings that have pages. */
export interface Answer {
  readonly data: WireValue;
  readonly pagination?: { readonly cursor: bigint | null; readonly count: number };
}

export interface Query {
  /** Decoded path segments behind the API prefix. */
  readonly path: readonly string[];
  readonly parameters: URLSearchParams;
  readonly nowMs: number;
}

const PAGE_MAX = 100;
const FUNDING_PAGE_MAX = 10_000;
const MARKET_NOT_FOUND: Refusal = { status: 404, code: 1001, message: 'Market not found' };
const NOT_FOUND: Refusal = { status: 404, code: 404, message: 'Not found' };

/** Answers a GET under `/info`; undefined when there is no such endpoint. */
export function answerInfo(records: SimulatedRecords, chainId: string, query: Query): Answer | Refusal | undefined {
  const [, what = '', third, fourth] = query.path;
  if (query.path.length === 2 && what === 'starknet')
    return { data: { name: 'Perpetuals', version: 'v0', chainId, revision: 1 } };
  if (query.path.length === 2 && what === 'markets')
    return { data: marketsJson(records, query.parameters.getAll('market')) };
  if (query.path.length === 4 && what === 'markets') return answerMarket(records, third ?? '', fourth ?? '');
  if (query.path.length === 3 && third === 'funding') return answerAppliedRates(records, what, query);
  return undefined;
}

function marketsJson(records: SimulatedRecords, wanted: readonly string[]): WireValue {
  const { exchange } = records;
  return exchange
    .markets()
    .filter(({ symbol }) => wanted.length === 0 || wanted.includes(symbol))
    .map((instrument) => marketJson(instrument, exchange.stats(instrument.symbol), exchange.book(instrument.symbol)));
}

function answerMarket(records: SimulatedRecords, symbol: string, what: string): Answer | Refusal | undefined {
  const { exchange } = records;
  const instrument = records.instrument(symbol);
  if (instrument === undefined) return MARKET_NOT_FOUND;
  const book = exchange.book(symbol);
  const levels = (side: typeof book.bids): WireValue =>
    side.map(([ticks, lots]) => ({ qty: quantityText(lots, instrument), price: priceText(ticks, instrument) }));
  switch (what) {
    case 'stats':
      return { data: statsJson(instrument, exchange.stats(symbol), book) };
    case 'orderbook':
      return { data: { market: symbol, bid: levels(book.bids), ask: levels(book.asks) } };
    case 'trades':
      return {
        data: exchange
          .recentTrades(symbol)
          .slice(-50)
          .map((trade) => publicTradeJson(trade, instrument, records.ids)),
      };
    default:
      return undefined;
  }
}

function answerAppliedRates(records: SimulatedRecords, symbol: string, query: Query): Answer | Refusal {
  if (records.instrument(symbol) === undefined) return MARKET_NOT_FOUND;
  const from = integerOf(query, 'startTime');
  const until = integerOf(query, 'endTime');
  if (from === undefined || until === undefined)
    return { status: 400, code: 1133, message: 'startTime and endTime are required' };
  const limit = Math.min(integerOf(query, 'limit') ?? FUNDING_PAGE_MAX, FUNDING_PAGE_MAX);
  const rates = records.exchange
    .fundingHistory(symbol)
    .filter(({ settledAtMs }) => settledAtMs >= from && settledAtMs <= until)
    .toReversed()
    .slice(0, limit);
  return {
    data: rates.map((rate) => ({ m: symbol, T: Math.floor(rate.settledAtMs), f: rateText(rate.ratePico) })),
    pagination: { cursor: null, count: rates.length },
  };
}

/** Answers a GET under `/user` for an account; undefined when there is no such endpoint. */
export function answerUser(
  records: SimulatedRecords,
  account: SimulatedAccount,
  query: Query,
): Answer | Refusal | undefined {
  const route = query.path.slice(1).join('/');
  const [, , third = ''] = query.path;
  switch (route) {
    case 'account/info':
      return { data: accountJson(account) };
    case 'accounts':
      return { data: [{ ...accountJson(account), accountIndex: 0 }] };
    case 'balance':
      return answerBalance(records, account, query);
    case 'positions':
      return { data: positionsOf(records, account, query) };
    case 'orders':
      return { data: chosenOrders(records, account, query, isOpen).map((order) => records.orderJson(order, account)) };
    case 'orders/history':
      return answerOrderHistory(records, account, query);
    case 'trades':
      return answerTrades(records, account, query);
    case 'funding/history':
      return answerPayments(records, account, query);
    case 'fees':
      return { data: feesOf(records, query) };
    case 'leverage':
      return {
        data: wantedSymbols(records, query).map((symbol) => ({
          market: symbol,
          leverage: String(records.leverageOf(account, symbol)),
        })),
      };
    default:
  }
  if (query.path[1] !== 'orders') return undefined;
  if (query.path.length === 4 && third === 'external') {
    const found = records.orders(account).filter((order) => order.clientOrderId === query.path[3]);
    return { data: found.map((order) => records.orderJson(order, account)) };
  }
  if (query.path.length !== 3) return undefined;
  const order = records
    .orders(account)
    .find(({ venueOrderNumber }) => records.ids.order(venueOrderNumber).toString() === third);
  return order === undefined ? NOT_FOUND : { data: records.orderJson(order, account) };
}

/** The venue has no balance object for an account without money. */
function answerBalance(records: SimulatedRecords, account: SimulatedAccount, query: Query): Answer | Refusal {
  const empty =
    records.exchange.wallet(account.name).walletMicro === 0n && records.exchange.positions(account.name).length === 0;
  return empty
    ? { status: 404, code: 404, message: 'Balance is zero' }
    : { data: records.balanceJson(account, query.nowMs) };
}

function accountJson(account: SimulatedAccount): { readonly [field: string]: WireValue } {
  return {
    status: 'ACTIVE',
    l2Key: account.starkPublicKey,
    l2Vault: account.vault,
    accountId: account.accountId,
    description: account.name,
  };
}

function positionsOf(records: SimulatedRecords, account: SimulatedAccount, query: Query): WireValue {
  const side = query.parameters.get('side');
  return records.exchange
    .positions(account.name)
    .filter(
      (position) =>
        isWanted(query, position.symbol) && (side === null || (side === 'SHORT') === position.signedLots < 0),
    )
    .map((position) => records.positionJson(position, account, query.nowMs));
}

function chosenOrders(
  records: SimulatedRecords,
  account: SimulatedAccount,
  query: Query,
  choose: (order: ExchangeOrderState) => boolean,
): readonly ExchangeOrderState[] {
  const side = query.parameters.get('side');
  return records
    .orders(account)
    .filter(
      (order) =>
        choose(order) &&
        isWanted(query, order.symbol) &&
        (side === null || (side === 'BUY') === (order.side === 'buy')),
    );
}

export function isOpen(order: ExchangeOrderState): boolean {
  return order.status === 'queued' || order.status === 'open';
}

function answerOrderHistory(records: SimulatedRecords, account: SimulatedAccount, query: Query): Answer {
  const externalIds = query.parameters.getAll('externalId');
  const closed = chosenOrders(
    records,
    account,
    query,
    (order) => !isOpen(order) && (externalIds.length === 0 || externalIds.includes(order.clientOrderId)),
  );
  return pageOf(
    query,
    closed,
    (order) => records.ids.order(order.venueOrderNumber),
    (order) => records.orderJson(order, account),
  );
}

function answerTrades(records: SimulatedRecords, account: SimulatedAccount, query: Query): Answer {
  const trades = records.exchange.trades(account.name).filter((trade) => isWanted(query, trade.symbol));
  return pageOf(
    query,
    trades,
    (trade) => records.ids.trade(trade.tradeNumber),
    (trade) => {
      const party = trade.taker?.account === account.name ? trade.taker : trade.maker;
      if (party === undefined) throw new Error('a remembered trade has a side that is ours');
      return records.fillJson(trade, party, account, 'externalId');
    },
  );
}

function answerPayments(records: SimulatedRecords, account: SimulatedAccount, query: Query): Answer {
  const from = integerOf(query, 'fromTime') ?? integerOf(query, 'startTime') ?? 0;
  const payments = records.exchange
    .fundingPayments(account.name)
    .filter((payment) => payment.settledAtMs >= from && isWanted(query, payment.symbol));
  return pageOf(
    query,
    payments,
    (payment) => records.ids.payment(payment.paymentNumber),
    (payment) => records.fundingPaymentJson(payment, account),
  );
}

/** One page of a listing kept oldest first, answered newest first by descending id; the cursor is the last id of the page. */
function pageOf<Entry>(
  query: Query,
  entries: readonly Entry[],
  idOf: (entry: Entry) => bigint,
  json: (entry: Entry) => WireValue,
): Answer {
  const limit = Math.max(1, Math.min(integerOf(query, 'limit') ?? PAGE_MAX, PAGE_MAX));
  const cursorText = query.parameters.get('cursor') ?? '';
  const below = /^\d+$/.test(cursorText) ? BigInt(cursorText) : undefined;
  const page: Entry[] = [];
  for (let at = entries.length - 1; at >= 0 && page.length < limit; at -= 1) {
    const entry = entries[at];
    if (entry !== undefined && (below === undefined || idOf(entry) < below)) page.push(entry);
  }
  const last = page.at(-1);
  return { data: page.map(json), pagination: { cursor: last === undefined ? null : idOf(last), count: page.length } };
}

function feesOf(records: SimulatedRecords, query: Query): WireValue {
  return wantedSymbols(records, query).map((symbol) => {
    const instrument = records.instrument(symbol);
    return {
      market: symbol,
      makerFeeRate: formatDecimal(BigInt(instrument?.makerFee ?? 0), 12),
      takerFeeRate: formatDecimal(BigInt(instrument?.takerFee ?? 0), 12),
      builderFeeRate: '0',
    };
  });
}

function wantedSymbols(records: SimulatedRecords, query: Query): readonly string[] {
  return records.exchange
    .markets()
    .map(({ symbol }) => symbol)
    .filter((symbol) => isWanted(query, symbol));
}

function isWanted(query: Query, symbol: string): boolean {
  const wanted = query.parameters.getAll('market');
  return wanted.length === 0 || wanted.includes(symbol);
}

function integerOf(query: Query, name: string): number | undefined {
  const text = query.parameters.get(name);
  return text !== null && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}
