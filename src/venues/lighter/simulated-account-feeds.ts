/** The simulated Lighter venue's account channels: what changed since the last flush, each fact once. Any thread. */
import { notionalMicro, quoteOfMicro } from '../../money/amounts.ts';
import type { ExchangeEvent, ExchangeOrderState, ExchangeTrade } from '../../simulation/exchange.ts';
import type { Instant } from '../venue.ts';
import type { AccountChannelName, FrameBody, Publish } from './simulated-channels.ts';
import type { WireValue } from './simulated-json.ts';
import type { SimulatedAccount, SimulatedRecords } from './simulated-records.ts';
import { positionFundingJson } from './simulated-wire.ts';
import { USDC_ASSET_ID } from './wire.ts';

const STATS_MS = 1_000;
const SNAPSHOT_TRADES = 50;
const DAY_MS = 86_400_000;

/** News of one account that no frame has carried yet. */
interface News {
  /** Latest state by order number: one frame tells of each order once. */
  readonly orders: Map<number, ExchangeOrderState>;
  readonly trades: ExchangeTrade[];
  readonly positions: Set<string>;
  /** Symbols that paid or received funding. */
  readonly funded: Set<string>;
  wallet: boolean;
}

export class AccountFeeds {
  readonly #records: SimulatedRecords;
  readonly #news = new Map<string, News>();
  #statsDueMs = Number.NEGATIVE_INFINITY;

  constructor(records: SimulatedRecords) {
    this.#records = records;
  }

  nextWakeMs(): number {
    return this.#statsDueMs;
  }

  observe(event: ExchangeEvent): void {
    switch (event.type) {
      case 'order':
        this.noteOrder(event.order);
        return;
      case 'trade':
        for (const name of new Set([event.trade.taker?.account, event.trade.maker?.account]))
          if (name !== undefined) this.#newsOf(name).trades.push(event.trade);
        return;
      case 'position':
        this.#newsOf(event.account).positions.add(event.position.symbol);
        return;
      case 'wallet':
        this.#newsOf(event.account).wallet = true;
        return;
      case 'funding':
        for (const { account, symbol } of event.payments) {
          this.#newsOf(account).funded.add(symbol);
          this.#newsOf(account).positions.add(symbol);
        }
        return;
      default:
    }
  }

  noteOrder(order: ExchangeOrderState): void {
    this.#newsOf(order.account).orders.set(order.venueOrderNumber, order);
  }

  /** Leverage is told as a change of the position. */
  notePosition(account: SimulatedAccount, symbol: string): void {
    this.#newsOf(account.name).positions.add(symbol);
  }

  #newsOf(name: string): News {
    const news = this.#news.get(name) ?? {
      orders: new Map<number, ExchangeOrderState>(),
      trades: [],
      positions: new Set<string>(),
      funded: new Set<string>(),
      wallet: false,
    };
    this.#news.set(name, news);
    return news;
  }

  flush(at: Instant, publish: Publish): void {
    for (const [name, news] of this.#news) {
      const account = this.#records.account(name);
      if (account !== undefined) this.#publishNews(account, news, at, publish);
    }
    this.#news.clear();
    if (at.monotonicMs < this.#statsDueMs) return;
    // Unrealised profit moves by itself.
    this.#statsDueMs = at.monotonicMs + STATS_MS;
    for (const account of this.#records.accounts)
      publish({ name: 'user_stats', account }, () => this.#userStats(account, at));
  }

  #publishNews(account: SimulatedAccount, news: News, at: Instant, publish: Publish): void {
    const records = this.#records;
    const orders = [...news.orders.values()];
    const newestTrades = news.trades.toReversed();
    const orderLists = (): WireValue => records.byMarket(orders, (order) => records.orderJson(order, account));
    const tradeLists = (): WireValue => records.byMarket(newestTrades, (trade) => records.tradeJson(trade));
    const positions = (): WireValue => records.positionsJson(account, news.positions);
    if (orders.length > 0) publish({ name: 'account_all_orders', account }, () => ({ orders: orderLists() }));
    if (newestTrades.length > 0) publish({ name: 'account_all_trades', account }, () => ({ trades: tradeLists() }));
    if (news.positions.size > 0) {
      publish({ name: 'account_all_positions', account }, () => ({
        positions: positions(),
        shares: [],
        last_funding_round: null,
        last_funding_discount: null,
      }));
    }
    if (news.wallet) {
      publish({ name: 'account_all_assets', account }, () => this.#assets(account, at));
      publish({ name: 'user_stats', account }, () => this.#userStats(account, at));
    }
    publish({ name: 'account_all', account }, () => ({
      ...this.#counters(account, at),
      funding_histories: this.#fundings(account, news.funded),
      positions: positions(),
      assets: { [USDC_ASSET_ID]: records.assetJson(account) },
      shares: [],
      trades: tradeLists(),
    }));
  }

  /** The first frame of a subscription. */
  snapshot(name: AccountChannelName, account: SimulatedAccount, at: Instant): FrameBody {
    const records = this.#records;
    switch (name) {
      case 'account_all_orders':
        return {
          orders: records.byMarket(records.openOrders(account), (order) => records.orderJson(order, account)),
        };
      case 'account_all_trades':
        // A list here, maps in all updates.
        return { trades: [], ...this.#volumes(account, at, (volume) => volume.toFixed(1)) };
      case 'account_all_positions':
        return { positions: records.positionsJson(account, records.touched(account)) };
      case 'account_all_assets':
        return this.#assets(account, at);
      case 'user_stats':
        return this.#userStats(account, at);
      case 'account_all': {
        const trades = records.exchange.trades(account.name).slice(-SNAPSHOT_TRADES).toReversed();
        return {
          ...this.#counters(account, at),
          funding_histories: {},
          positions: records.positionsJson(account, records.touched(account)),
          assets: { [USDC_ASSET_ID]: records.assetJson(account) },
          shares: [],
          trades: records.byMarket(trades, (trade) => records.tradeJson(trade)),
        };
      }
      default:
        throw new Error(`unknown channel ${String(name satisfies never)}`);
    }
  }

  #assets(account: SimulatedAccount, at: Instant): FrameBody {
    return {
      assets: { [USDC_ASSET_ID]: this.#records.assetJson(account) },
      timestamp: Math.floor(at.calendarMs),
    };
  }

  #userStats(account: SimulatedAccount, at: Instant): FrameBody {
    return { stats: this.#records.userStatsJson(account), timestamp: Math.floor(at.calendarMs) };
  }

  /** The latest payment of each symbol. */
  #fundings(account: SimulatedAccount, symbols: ReadonlySet<string>): WireValue {
    const payments = this.#records.exchange.fundingPayments(account.name);
    const latest = [...symbols].flatMap((symbol) => payments.findLast((payment) => payment.symbol === symbol) ?? []);
    return this.#records.byMarket(latest, (payment) =>
      positionFundingJson(payment, this.#records.marketOf(payment.symbol)),
    );
  }

  #counters(account: SimulatedAccount, at: Instant): FrameBody {
    const trades = this.#records.exchange.trades(account.name);
    const since = (ms: number): number => trades.filter(({ atMs }) => atMs > at.calendarMs - ms).length;
    return {
      account: account.accountIndex,
      daily_trades_count: since(DAY_MS),
      weekly_trades_count: since(7 * DAY_MS),
      monthly_trades_count: since(30 * DAY_MS),
      total_trades_count: trades.length,
      ...this.#volumes(account, at, (volume) => volume),
    };
  }

  #volumes(account: SimulatedAccount, at: Instant, json: (volume: number) => WireValue): FrameBody {
    const traded = this.#records.exchange.trades(account.name).map(({ symbol, priceTicks, lots, atMs }) => {
      const { instrument } = this.#records.marketOf(symbol);
      return { atMs, quote: quoteOfMicro(notionalMicro(instrument, priceTicks, lots)) };
    });
    const since = (ms: number): WireValue =>
      json(traded.reduce((sum, { atMs, quote }) => (atMs > at.calendarMs - ms ? sum + quote : sum), 0));
    return {
      total_volume: since(Number.POSITIVE_INFINITY),
      monthly_volume: since(30 * DAY_MS),
      weekly_volume: since(7 * DAY_MS),
      daily_volume: since(DAY_MS),
    };
  }
}
