/** The simulated Lighter venue's answers to REST queries. Pure reads of its records; any thread. */
import type { ExchangeTrade } from '../../simulation/exchange.ts';
import type { SimulatedAccess } from './simulated-access.ts';
import type { WireValue } from './simulated-json.ts';
import type { SimulatedAccount, SimulatedRecords } from './simulated-records.ts';
import { refusal } from './simulated-refusals.ts';
import type { Refusal } from './simulated-refusals.ts';
import {
  bookOrdersJson,
  fundingJson,
  marketStatsJson,
  orderBookDetailsJson,
  orderBookJson,
} from './simulated-market-wire.ts';
import { feeTicks, isForced, isOver, micro, positionFundingJson, tradeIdOf } from './simulated-wire.ts';
import type { SimulatedMarket } from './simulated-wire.ts';
import { ALL_MARKETS, FUNDING_INTERVAL_MS, MARGIN_FRACTION_SCALE } from './wire.ts';

export interface Query {
  /** First path segment behind the API prefix. */
  readonly endpoint: string;
  readonly parameters: URLSearchParams;
  /** The account whose token came along. */
  readonly signedIn: SimulatedAccount | undefined;
}
/** The fields beside `code`. */
export type Answer = { readonly [field: string]: WireValue | undefined };

const PAGE_MAX = 100;
const BOOK_ORDERS_MAX = 250;
const FUNDINGS_MAX = 750;
const NOT_FOUND = refusal(29404);
/** Times below this are seconds, times above it ms: the endpoint takes both. */
const MS_FROM = 100_000_000_000;
/** What another exchange is said to pay: clients must pick their rows by `exchange`. */
const OTHER_EXCHANGE = { exchange: 'binance', rate: 0.0001 };

const PRIVATE: ReadonlySet<string> = new Set([
  'accountActiveOrders',
  'accountInactiveOrders',
  'trades',
  'positionFunding',
  'accountLimits',
]);

/** Answers a GET; undefined when there is no such endpoint. */
export function answerQuery(
  records: SimulatedRecords,
  access: SimulatedAccess,
  query: Query,
): Answer | Refusal | undefined {
  if (PRIVATE.has(query.endpoint)) return answerPrivate(records, query);
  const { exchange } = records;
  switch (query.endpoint) {
    case 'orderBookDetails':
      return ofMarkets(records, query, (markets) => ({
        order_book_details: markets.map((market) =>
          orderBookDetailsJson(market, exchange.stats(market.instrument.symbol)),
        ),
        spot_order_book_details: [],
      }));
    case 'orderBooks':
      return ofMarkets(records, query, (markets) => ({ order_books: markets.map(orderBookJson) }));
    case 'orderBookOrders':
      return ofOneMarket(records, query, (market) => answerBookOrders(records, query, market));
    case 'recentTrades':
      return ofOneMarket(records, query, ({ instrument }) => {
        const trades = exchange.recentTrades(instrument.symbol).slice(-limitOf(query, PAGE_MAX)).toReversed();
        return { trades: trades.length === 0 ? null : trades.map((trade) => records.tradeJson(trade)) };
      });
    case 'exchangeStats':
      return {
        order_book_stats: records.markets.map((market) => {
          const { symbol } = market.instrument;
          return marketStatsJson(market, exchange.stats(symbol), exchange.book(symbol));
        }),
      };
    case 'funding-rates':
      return { funding_rates: records.markets.flatMap((market) => fundingRates(records, market)) };
    case 'fundings':
      return ofOneMarket(records, query, (market) => answerFundings(records, query, market));
    case 'account':
      return answerAccount(records, query);
    case 'apikeys':
    case 'nextNonce':
      return answerKeys(access, query);
    default:
      return undefined;
  }
}

function ofMarkets(
  records: SimulatedRecords,
  query: Query,
  answer: (markets: readonly SimulatedMarket[]) => Answer,
): Answer | Refusal {
  if (query.parameters.get('filter') === 'spot') return answer([]);
  const marketId = marketIdOf(query);
  if (marketId === undefined) return answer(records.markets);
  const market = records.market(marketId);
  return market === undefined ? refusal(21602) : answer([market]);
}

function ofOneMarket(
  records: SimulatedRecords,
  query: Query,
  answer: (market: SimulatedMarket) => Answer | Refusal,
): Answer | Refusal {
  const market = records.market(integerParameter(query, 'market_id') ?? ALL_MARKETS);
  return market === undefined ? refusal(21602) : answer(market);
}

function answerBookOrders(records: SimulatedRecords, query: Query, market: SimulatedMarket): Answer | Refusal {
  const limit = integerParameter(query, 'limit');
  if (limit === undefined || limit < 1 || limit > BOOK_ORDERS_MAX) return refusal(20001, 'limit');
  const { asks, bids } = records.exchange.book(market.instrument.symbol);
  return {
    total_asks: asks.length,
    asks: bookOrdersJson(asks, limit, market),
    total_bids: bids.length,
    bids: bookOrdersJson(bids, limit, market),
  };
}

/** Fractions per eight hours, whatever the exchange's own interval. */
function fundingRates(records: SimulatedRecords, { marketId, instrument }: SimulatedMarket): readonly WireValue[] {
  const { predictedHourlyPico } = records.exchange.stats(instrument.symbol);
  const row = { market_id: marketId, symbol: instrument.symbol };
  return [
    { ...row, ...OTHER_EXCHANGE },
    { ...row, exchange: 'lighter', rate: (predictedHourlyPico * 8) / 1e12 },
  ];
}

function answerFundings(records: SimulatedRecords, query: Query, market: SimulatedMarket): Answer | Refusal {
  const resolution = query.parameters.get('resolution');
  if (resolution !== '1h' || market.instrument.fundingIntervalMs !== FUNDING_INTERVAL_MS) return refusal(22402);
  const [from, until] = [timeParameter(query, 'start_timestamp'), timeParameter(query, 'end_timestamp')];
  if (from === undefined || until === undefined) return refusal(20001, 'start_timestamp and end_timestamp');
  const count = Math.min(integerParameter(query, 'count_back') || FUNDINGS_MAX, FUNDINGS_MAX);
  const settled = records.exchange
    .fundingHistory(market.instrument.symbol)
    .filter(({ settledAtMs }) => settledAtMs >= from && settledAtMs <= until)
    .slice(-count);
  return { resolution, fundings: settled.map(fundingJson) };
}

function answerAccount(records: SimulatedRecords, query: Query): Answer | Refusal {
  const by = query.parameters.get('by');
  const value = query.parameters.get('value');
  if ((by !== 'index' && by !== 'l1_address') || value === null) return refusal(20001, 'by');
  const found = records.accounts.filter((account) =>
    by === 'index' ? String(account.accountIndex) === value : account.l1Address === value,
  );
  if (found.length === 0) return refusal(21100);
  return { total: found.length, accounts: found.map((account) => accountJson(records, account)) };
}

function accountJson(records: SimulatedRecords, account: SimulatedAccount): WireValue {
  const wallet = records.exchange.wallet(account.name);
  const open = records.openOrders(account);
  const positions = records.positionsJson(account, records.touched(account));
  return {
    code: 0,
    account_type: account.tier === 'standard' ? 0 : 1,
    index: account.accountIndex,
    l1_address: account.l1Address,
    cancel_all_time: 0,
    total_order_count: open.length,
    total_isolated_order_count: 0,
    pending_order_count: 0,
    available_balance: micro(wallet.availableMicro),
    status: 1,
    collateral: micro(wallet.walletMicro),
    transaction_time: 0,
    account_trading_mode: 0,
    account_index: account.accountIndex,
    name: account.name,
    description: '',
    can_invite: false,
    referral_points_percentage: '',
    positions: Object.values(positions),
    assets: [records.assetJson(account)],
    total_asset_value: micro(wallet.equityMicro),
    cross_asset_value: micro(wallet.equityMicro),
    cross_initial_margin_requirement: micro(wallet.initialMarginMicro),
    cross_maintenance_margin_requirement: micro(wallet.maintenanceMarginMicro),
    shares: [],
    pending_unlocks: [],
    approved_integrators: [],
  };
}

function answerKeys(access: SimulatedAccess, query: Query): Answer | Refusal {
  const account = access.account(integerParameter(query, 'account_index') ?? -1);
  if (account === undefined) return refusal(21100);
  const keyIndex = integerParameter(query, 'api_key_index') ?? -1;
  const keys = access.keys(account).filter(({ index }) => index === keyIndex || keyIndex === ALL_MARKETS);
  const [first] = keys;
  if (first === undefined) return refusal(21109);
  if (query.endpoint === 'nextNonce') return { nonce: first.nextNonce };
  return {
    api_keys: keys.map(({ index, nextNonce, publicKeyHex }) => ({
      account_index: account.accountIndex,
      api_key_index: index,
      nonce: nextNonce,
      public_key: publicKeyHex,
    })),
  };
}

function answerPrivate(records: SimulatedRecords, query: Query): Answer | Refusal {
  const account = query.signedIn;
  if (account === undefined) return refusal(20013, 'no token');
  if (integerParameter(query, 'account_index') !== account.accountIndex)
    return refusal(20013, 'token belongs to another account');
  switch (query.endpoint) {
    case 'accountActiveOrders': {
      const open = records.openOrders(account).filter(({ symbol }) => isWanted(records, query, symbol));
      return { orders: open.map((order) => records.orderJson(order, account)) };
    }
    case 'accountInactiveOrders': {
      const over = records.orders(account).filter((order) => isOver(order) && isWanted(records, query, order.symbol));
      const page = pageOf(query, over, ({ venueOrderNumber }) => venueOrderNumber);
      return { orders: page.rows.map((order) => records.orderJson(order, account)), next_cursor: page.nextCursor };
    }
    case 'trades':
      return answerTrades(records, query, account);
    case 'positionFunding':
      return answerPositionFunding(records, query, account);
    default:
      return answerLimits(records, account);
  }
}

/** A fresh account is told "not found" instead of an empty list. */
function answerTrades(records: SimulatedRecords, query: Query, account: SimulatedAccount): Answer | Refusal {
  const all = records.exchange.trades(account.name);
  if (all.length === 0) return NOT_FOUND;
  const from = integerParameter(query, 'from') ?? 0;
  const chosen = all.filter(
    (trade) => trade.atMs >= from && isWanted(records, query, trade.symbol) && hasRole(query, trade, account),
  );
  const page = pageOf(query, chosen, ({ tradeNumber }) => tradeIdOf(tradeNumber));
  return { trades: page.rows.map((trade) => records.tradeJson(trade)), next_cursor: page.nextCursor };
}

function hasRole(query: Query, trade: ExchangeTrade, account: SimulatedAccount): boolean {
  const role = query.parameters.get('role') ?? 'all';
  const type = query.parameters.get('type') ?? 'all';
  if (type !== 'all' && (type === 'liquidation') !== isForced(trade)) return false;
  if (role === 'all') return true;
  return (role === 'maker' ? trade.maker : trade.taker)?.account === account.name;
}

function answerPositionFunding(records: SimulatedRecords, query: Query, account: SimulatedAccount): Answer | Refusal {
  const all = records.exchange.fundingPayments(account.name);
  if (all.length === 0) return NOT_FOUND;
  const from = timeParameter(query, 'start_timestamp') ?? 0;
  const until = timeParameter(query, 'end_timestamp') ?? Number.POSITIVE_INFINITY;
  const side = query.parameters.get('side') ?? 'all';
  const chosen = all.filter(
    (payment) =>
      payment.settledAtMs >= from &&
      payment.settledAtMs <= until &&
      isWanted(records, query, payment.symbol) &&
      (side === 'all' || (side === 'short') === payment.signedLots < 0),
  );
  const page = pageOf(query, chosen, ({ paymentNumber }) => paymentNumber);
  return {
    position_fundings: page.rows.map((payment) => positionFundingJson(payment, records.marketOf(payment.symbol))),
    next_cursor: page.nextCursor,
  };
}

function answerLimits(records: SimulatedRecords, { tier }: SimulatedAccount): Answer {
  const fees = records.markets[0]?.instrument;
  return {
    user_tier: tier,
    user_tier_name: tier,
    current_maker_fee_tick: feeTicks(fees?.makerFee ?? 0),
    current_taker_fee_tick: feeTicks(fees?.takerFee ?? 0),
    max_llp_percentage: MARGIN_FRACTION_SCALE / 100,
    max_llp_amount: micro(0n),
    leased_lit: '0.00000000',
    effective_lit_stakes: '0.00000000',
    can_create_public_pool: false,
  };
}

/** One page of a listing kept oldest first, newest first unless asked otherwise. The cursor is the last id of the page. */
function pageOf<Row>(
  query: Query,
  oldestFirst: readonly Row[],
  idOf: (row: Row) => number,
): { readonly rows: readonly Row[]; readonly nextCursor: string } {
  const ascending = query.parameters.get('sort_dir') === 'asc';
  const after = integerParameter(query, 'cursor');
  const ordered = ascending ? oldestFirst : oldestFirst.toReversed();
  const rest =
    after === undefined ? ordered : ordered.filter((row) => (ascending ? idOf(row) > after : idOf(row) < after));
  const rows = rest.slice(0, limitOf(query, PAGE_MAX));
  const last = rows.at(-1);
  return { rows, nextCursor: last === undefined || rows.length === rest.length ? '' : String(idOf(last)) };
}

function limitOf(query: Query, max: number): number {
  return Math.max(1, Math.min(integerParameter(query, 'limit') ?? max, max));
}

function isWanted(records: SimulatedRecords, query: Query, symbol: string): boolean {
  const marketId = marketIdOf(query);
  return marketId === undefined || records.marketOf(symbol).marketId === marketId;
}

/** Undefined for all markets. */
function marketIdOf(query: Query): number | undefined {
  const marketId = integerParameter(query, 'market_id');
  return marketId === ALL_MARKETS ? undefined : marketId;
}

function integerParameter(query: Query, name: string): number | undefined {
  const text = query.parameters.get(name);
  return text !== null && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

function timeParameter(query: Query, name: string): number | undefined {
  const time = integerParameter(query, name);
  return time === undefined || time >= MS_FROM ? time : time * 1000;
}
