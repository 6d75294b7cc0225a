/** Simulated Advanced Trade's answers to what only reads. Pure reads of its records; any thread. */
import type { ExchangeOrderState, ExchangeTrade } from '../../simulation/exchange.ts';
import { epochMsOfIso } from '../iso-time.ts';
import type { AdvancedAccount, AdvancedRecords } from './advanced-simulated-records.ts';
import {
  dollars,
  feesJson,
  futureJson,
  iso,
  midNano,
  nanoText,
  pricebookJson,
  spotJson,
  spotProductOf,
  tradeJson,
} from './advanced-simulated-wire.ts';
import type { Json } from './advanced-simulated-wire.ts';

export interface Query {
  /** Below the common part, for example `/orders/historical/fills`. */
  readonly path: string;
  readonly parameters: URLSearchParams;
  readonly nowMs: number;
}

/** An HTTP answer; refusals have another status. */
export interface Answer {
  readonly status: number;
  readonly json: Json;
}

const PAGE_MAX = 250;
const FILLS_PAGE_MAX = 1_000;
const DEPTH = 50;
const TRADES_MAX = 100;
const PORTFOLIO = 'a0a0a0a0-0000-4000-8000-000000000001';

export const fine = (json: Json): Answer => ({ status: 200, json });
export function wrong(status: number, error: string, message: string): Answer {
  return { status, json: { error, error_details: message, message } };
}
const NO_PRODUCT = wrong(404, 'NOT_FOUND', 'valid product_id is required');

/** Answers what needs no key, under `/market` or for those who have one; undefined when there is no such path. */
export function answerMarket(records: AdvancedRecords, query: Query): Answer | undefined {
  const { path, parameters, nowMs } = query;
  switch (path) {
    case '/time': {
      const ms = Math.floor(nowMs);
      return fine({ iso: iso(ms), epochSeconds: String(Math.floor(ms / 1_000)), epochMillis: String(ms) });
    }
    case '/products':
      return products(records, query);
    case '/product_book': {
      const instrument = records.instrument(parameters.get('product_id') ?? '');
      if (instrument === undefined) return NO_PRODUCT;
      const book = records.exchange.book(instrument.symbol);
      const depth = Number(parameters.get('limit') ?? DEPTH);
      const stats = records.exchange.stats(instrument.symbol);
      return fine({
        pricebook: pricebookJson(instrument, book, depth, nowMs),
        last: nanoText(stats.markNano),
        mid_market: nanoText(midNano(instrument, book, stats)),
        spread_bps: '',
        spread_absolute: '',
      });
    }
    default:
      return product(records, query);
  }
}

function products(records: AdvancedRecords, { parameters, nowMs }: Query): Answer {
  const { exchange } = records;
  const markets = exchange.markets();
  const futures = markets.map((instrument) =>
    futureJson(instrument, exchange.stats(instrument.symbol), exchange.book(instrument.symbol), nowMs),
  );
  const spot = markets.map(({ base, symbol }) => spotJson(base, exchange.stats(symbol)));
  const type = parameters.get('product_type');
  const expiry = parameters.get('contract_expiry_type');
  const ids = new Set(parameters.getAll('product_ids').flatMap((text) => text.split(',')));
  // The venue calls its perpetual-style futures expiring.
  const listed = [...(type === 'FUTURE' ? [] : spot), ...(type === 'SPOT' || expiry === 'PERPETUAL' ? [] : futures)];
  const asked = ids.size === 0 ? listed : listed.filter((item) => ids.has(String(item['product_id'])));
  const from = Number(parameters.get('offset') ?? 0);
  const limit = Number(parameters.get('limit') ?? asked.length);
  const page = asked.slice(from, from + limit);
  return fine({ products: page, num_products: page.length });
}

/** `/products/{id}` and `/products/{id}/ticker`. */
function product(records: AdvancedRecords, { path, parameters, nowMs }: Query): Answer | undefined {
  const [, id = '', more] = /^\/products\/([^/]+)(\/ticker)?$/.exec(path) ?? [];
  if (id === '') return undefined;
  const { exchange } = records;
  const instrument = records.instrument(id);
  if (instrument === undefined) {
    const of = exchange.markets().find(({ base }) => spotProductOf(base) === id);
    return of === undefined || more !== undefined ? NO_PRODUCT : fine(spotJson(of.base, exchange.stats(of.symbol)));
  }
  const book = exchange.book(id);
  if (more === undefined) return fine(futureJson(instrument, exchange.stats(id), book, nowMs));
  const [bid, ask] = [book.bids[0], book.asks[0]];
  const trades = exchange
    .recentTrades(id)
    .toReversed()
    .slice(0, Math.min(TRADES_MAX, Number(parameters.get('limit') ?? TRADES_MAX)))
    .map((trade) => ({ ...tradeJson(trade, instrument, records.ids), bid: '', ask: '', exchange: 'cde' }));
  const levels = pricebookJson(instrument, { bids: bid ? [bid] : [], asks: ask ? [ask] : [] }, 1, nowMs);
  const best = (side: unknown): unknown =>
    Array.isArray(side) ? ((side[0] as Json | undefined)?.['price'] ?? '') : '';
  return fine({ trades, best_bid: best(levels['bids']), best_ask: best(levels['asks']) });
}

/** Answers who signed in; undefined when there is no such path. */
export function answerAccount(records: AdvancedRecords, account: AdvancedAccount, query: Query): Answer | undefined {
  const { path, parameters, nowMs } = query;
  const { exchange } = records;
  switch (path) {
    case '/best_bid_ask': {
      const asked = parameters.getAll('product_ids').flatMap((text) => text.split(','));
      const instruments = exchange.markets().filter(({ symbol }) => asked.length === 0 || asked.includes(symbol));
      const books = instruments.map((instrument) =>
        pricebookJson(instrument, exchange.book(instrument.symbol), 1, nowMs),
      );
      return fine({ pricebooks: books });
    }
    case '/accounts':
      return fine({ accounts: [walletJson(records, account)], has_next: false, cursor: '', size: 1 });
    case '/portfolios':
      return fine({ portfolios: [{ name: 'Default', uuid: PORTFOLIO, type: 'DEFAULT', deleted: false }] });
    case '/transaction_summary':
      return fine(feesJson(exchange.markets()));
    case '/key_permissions': {
      const { canTrade, canTransfer } = records.keyRights;
      const rights = { can_view: true, can_trade: canTrade, can_transfer: canTransfer };
      return fine({ ...rights, portfolio_uuid: PORTFOLIO, portfolio_type: 'DEFAULT' });
    }
    case '/cfm/balance_summary':
      return fine({ balance_summary: records.balanceJson(account, nowMs) });
    case '/cfm/positions':
      return fine({ positions: exchange.positions(account.name).map((position) => records.positionJson(position)) });
    case '/cfm/sweeps':
      return fine({ sweeps: [] });
    case '/cfm/intraday/margin_setting':
      return fine({ setting: 'INTRADAY_MARGIN_SETTING_STANDARD' });
    case '/cfm/intraday/current_margin_window':
      return fine({
        margin_window: { margin_window_type: 'FCM_MARGIN_WINDOW_TYPE_OVERNIGHT', end_time: iso(nowMs + 3_600_000) },
        is_intraday_margin_killswitch_enabled: false,
        is_intraday_margin_enrollment_killswitch_enabled: false,
      });
    case '/orders/historical/batch':
      return orders(records, account, query);
    case '/orders/historical/fills':
      return fills(records, account, query);
    default:
      return one(records, account, query) ?? answerMarket(records, query);
  }
}

/** The dollars of the spot side: all money stands on the futures side here. */
function walletJson(records: AdvancedRecords, account: AdvancedAccount): Json {
  return {
    uuid: `b0b0b0b0-0000-4000-8000-${String(records.accounts.indexOf(account)).padStart(12, '0')}`,
    name: 'Cash (USD)',
    currency: 'USD',
    available_balance: dollars(0n),
    default: true,
    active: true,
    created_at: '2021-05-31T09:59:59Z',
    updated_at: '2021-05-31T09:59:59Z',
    deleted_at: null,
    type: 'ACCOUNT_TYPE_FIAT',
    ready: true,
    hold: dollars(0n),
    retail_portfolio_id: PORTFOLIO,
    platform: 'ACCOUNT_PLATFORM_CONSUMER',
  };
}

function one(records: AdvancedRecords, account: AdvancedAccount, { path }: Query): Answer | undefined {
  const [, orderId] = /^\/orders\/historical\/([^/]+)$/.exec(path) ?? [];
  if (orderId !== undefined) {
    const order = records.order(account, orderId);
    return order === undefined
      ? wrong(404, 'NOT_FOUND', `order with this orderID was not found`)
      : fine({ order: records.orderJson(order) });
  }
  const [, symbol] = /^\/cfm\/positions\/([^/]+)$/.exec(path) ?? [];
  if (symbol === undefined) return undefined;
  const position = records.exchange.position(account.name, symbol);
  return position === undefined || position.signedLots === 0
    ? wrong(404, 'NOT_FOUND', 'no position of this product')
    : fine({ position: records.positionJson(position) });
}

const WIRE_STATUS: Readonly<Record<string, readonly ExchangeOrderState['status'][]>> = {
  // Not those still under way.
  OPEN: ['open'],
  PENDING: ['queued'],
  FILLED: ['filled'],
  CANCELLED: ['cancelled'],
  EXPIRED: ['expired'],
  FAILED: ['rejected'],
};

/** Newest first, in pages; the cursor names where the next begins. */
function orders(records: AdvancedRecords, account: AdvancedAccount, { parameters }: Query): Answer {
  const statuses = parameters.getAll('order_status').flatMap((text) => text.split(','));
  const chosen = new Set(statuses.flatMap((status) => WIRE_STATUS[status] ?? []));
  if (statuses.some((status) => WIRE_STATUS[status] === undefined))
    return wrong(400, 'INVALID_ARGUMENT', 'order_status is unknown');
  const ids = parameters.getAll('product_ids');
  const [startMs, endMs] = [timeOf(parameters, 'start_date', 0), timeOf(parameters, 'end_date', Infinity)];
  if (startMs === undefined || endMs === undefined) return wrong(400, 'INVALID_ARGUMENT', 'start_date is no time');
  const found = records
    .orders(account)
    .filter(
      ({ status, symbol, createdAtMs }) =>
        (chosen.size === 0 || chosen.has(status)) &&
        (ids.length === 0 || ids.includes(symbol)) &&
        createdAtMs >= startMs &&
        createdAtMs < endMs,
    )
    .toReversed();
  const { page, cursor } = pageOf(found, parameters, PAGE_MAX);
  const list = page.map((order) => records.orderJson(order));
  return fine({ orders: list, sequence: '0', has_next: cursor !== '', cursor });
}

function fills(records: AdvancedRecords, account: AdvancedAccount, { parameters }: Query): Answer {
  const [startMs, endMs] = [
    timeOf(parameters, 'start_sequence_timestamp', 0),
    timeOf(parameters, 'end_sequence_timestamp', Infinity),
  ];
  if (startMs === undefined || endMs === undefined)
    return wrong(400, 'INVALID_ARGUMENT', 'start_sequence_timestamp is no time');
  const ids = parameters.getAll('order_ids');
  const symbols = parameters.getAll('product_ids');
  const isAsked = (trade: ExchangeTrade): boolean =>
    Math.floor(trade.atMs) >= startMs &&
    trade.atMs < endMs &&
    (symbols.length === 0 || symbols.includes(trade.symbol)) &&
    (ids.length === 0 || ids.includes(records.ids.order(records.partyOf(trade, account).venueOrderNumber)));
  const found = records.exchange.trades(account.name).filter(isAsked).toReversed();
  const { page, cursor } = pageOf(found, parameters, FILLS_PAGE_MAX);
  return fine({ fills: page.map((trade) => records.fillJson(trade, account)), cursor });
}

function timeOf(parameters: URLSearchParams, name: string, absent: number): number | undefined {
  const text = parameters.get(name);
  return text === null ? absent : epochMsOfIso(text);
}

function pageOf<Item>(
  items: readonly Item[],
  parameters: URLSearchParams,
  max: number,
): { readonly page: readonly Item[]; readonly cursor: string } {
  const from = Number(parameters.get('cursor') ?? 0) || 0;
  const size = Math.min(max, Number(parameters.get('limit') ?? max) || max);
  const to = from + size;
  return { page: items.slice(from, to), cursor: to < items.length ? String(to) : '' };
}
