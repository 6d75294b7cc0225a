/** The venue-neutral simulated exchange: moves books, orders, margin and funding in time order. Deterministic; any thread. */
import { randomStream } from '../runtime/random.ts';
import type { RandomStream } from '../runtime/actor.ts';
import type { Instant } from '../venues/venue.ts';
import { AccountLedger, remember } from './account-ledger.ts';
import type {
  Exchange,
  ExchangeEvent,
  ExchangeFunding,
  ExchangeFundingPayment,
  ExchangeOptions,
  ExchangeOrder,
  ExchangeOrderState,
  ExchangePosition,
  ExchangeStats,
  ExchangeTrade,
  SubmitOutcome,
  TradeParty,
} from './exchange.ts';
import type { MarketScale } from './exchange-arithmetic.ts';
import { fundingMicro, marketScale, notionalMicro, priceNanoOf } from './exchange-arithmetic.ts';
import { equityMicro, initialMarginMicro, maintenanceMarginMicro, positionView } from './exchange-margin.ts';
import type { ExchangePast } from './exchange-facts.ts';
import { restoreAccount } from './exchange-restore.ts';
import { fundingFact, hourlyPico, pastSettlements, predictedHourlyPico } from './funding-schedule.ts';
import type { MarketTape, TapeQuote, TapeSettlement } from './market-tape.ts';
import { MatchingBook } from './matching-book.ts';
import type { LiveOrder } from './matching-book.ts';
import type { Side } from './outside-liquidity.ts';
import type { AccountOracle } from './simulated-venue.ts';

const STATS_INTERVAL_MS = 1_000;
const RECENT_TRADES_MAX = 500;
const FUNDING_HISTORY_MAX = 5_000;
/** Chance per refresh that an outside taker hits one side's touch, and the most it takes of it. */
const OUTSIDE_TAKER_CHANCE = 0.2;
const OUTSIDE_TAKER_SHARE = 0.3;
/** Open interest as a share of a day's volume, for statistics only. */
const OPEN_INTEREST_SHARE = 0.3;
const PICO = 10n ** 12n;

interface Market {
  readonly symbol: string;
  readonly base: string;
  readonly scale: MarketScale;
  readonly book: MatchingBook;
  readonly random: RandomStream;
  readonly recentTrades: ExchangeTrade[];
  readonly history: ExchangeFunding[];
  quote: TapeQuote;
  markNano: bigint;
  indexNano: bigint;
  lastTradeTicks: number;
  lastSettlement: TapeSettlement | undefined;
  nextSettlement: TapeSettlement | undefined;
}

interface QueuedAct {
  readonly dueMonotonicMs: number;
  readonly number: number;
  readonly act: 'execute' | 'cancel';
  readonly live: LiveOrder;
}

/**
 * Makes an exchange that starts at its first `advance`, or goes on where an earlier one was left. Throws RangeError for a market
 * it cannot keep exact books of, and for a past that is not of these markets and accounts.
 */
export function createExchange(options: ExchangeOptions, past?: ExchangePast): Exchange {
  return new ExchangeEngine(options, past);
}

class ExchangeEngine implements Exchange {
  readonly #options: ExchangeOptions;
  readonly #tape: MarketTape;
  readonly #markets = new Map<string, Market>();
  readonly #accounts = new Map<string, AccountLedger>();
  readonly #leverage = new Map<string, number>();
  /** By due time, then number. */
  readonly #queue: QueuedAct[] = [];
  #outbox: ExchangeEvent[] = [];
  #now: Instant | undefined;
  #past: ExchangePast | undefined;
  #calendarScale = 1;
  #nextRefreshMs = 0;
  #nextStatsMs = 0;
  #orderNumber = 0;
  #tradeNumber = 0;
  #paymentNumber = 0;
  #queueNumber = 0;

  constructor(options: ExchangeOptions, past: ExchangePast | undefined) {
    this.#options = options;
    this.#past = past;
    this.#tape = options.tape;
    for (const instrument of options.markets) {
      const scale = marketScale(instrument);
      const stream = (purpose: string): RandomStream =>
        randomStream(options.seed, `${options.venue}/${instrument.symbol}/${purpose}`);
      this.#markets.set(instrument.symbol, {
        symbol: instrument.symbol,
        base: instrument.base,
        scale,
        book: new MatchingBook(scale, stream('outside-book')),
        random: stream('outside-takers'),
        recentTrades: [],
        history: [],
        quote: { mid: 0, mark: 0, index: 0, spreadBps: 0, depthQuote: 0, volume24hQuote: 0 },
        markNano: 0n,
        indexNano: 0n,
        lastTradeTicks: 0,
        lastSettlement: undefined,
        nextSettlement: undefined,
      });
    }
    for (const { name, openingWalletMicro, leverage } of options.accounts) {
      this.#accounts.set(name, new AccountLedger(name, openingWalletMicro));
      this.#leverage.set(name, leverage);
    }
    if (past === undefined) return;
    for (const account of this.#accounts.values()) {
      const last = restoreAccount(account, past.facts, (symbol) => this.#market(symbol).scale);
      this.#orderNumber = Math.max(this.#orderNumber, last.orderNumber);
      this.#tradeNumber = Math.max(this.#tradeNumber, last.tradeNumber);
      this.#paymentNumber = Math.max(this.#paymentNumber, last.paymentNumber);
    }
  }

  advance(at: Instant): readonly ExchangeEvent[] {
    this.#moveTo(at);
    const events = this.#outbox;
    this.#outbox = [];
    return events;
  }

  nextWakeMs(): number {
    const now = this.#now;
    if (now === undefined) return 0;
    if (this.#outbox.length > 0) return now.monotonicMs;
    let wake = Math.min(this.#nextRefreshMs, this.#queue[0]?.dueMonotonicMs ?? Infinity);
    const settlement = this.#earliestSettlement()?.nextSettlement;
    if (settlement !== undefined) {
      // An estimate: the calendar's pace may change. One ms late rather than early, so that a wake-up finds it due.
      const wait = (settlement.settleAtMs - now.calendarMs) / this.#calendarScale;
      wake = Math.min(wake, now.monotonicMs + Math.max(0, wait) + 1);
    }
    return wake;
  }

  submit(order: ExchangeOrder, at: Instant): SubmitOutcome {
    const account = this.#account(order.account);
    const refusal = this.#refusalOf(account, order, at);
    if (refusal !== undefined) return { accepted: false, reason: refusal };

    const live = this.#accept(account, order, at.calendarMs);
    const delayMs = order.postOnly ? this.#options.makerDelayMs : this.#options.takerDelayMs;
    this.#enqueue('execute', live, at.monotonicMs + delayMs);
    return { accepted: true, venueOrderNumber: live.state.venueOrderNumber };
  }

  cancel(
    name: string,
    find: { readonly clientOrderId?: string; readonly venueOrderNumber?: number },
    at: Instant,
  ): boolean {
    const account = this.#account(name);
    const live =
      find.venueOrderNumber !== undefined
        ? account.liveOrders.get(find.venueOrderNumber)
        : account.orderByClientId.get(find.clientOrderId ?? '');
    if (live === undefined || !isLive(live.state)) return false;
    this.#enqueue('cancel', live, at.monotonicMs + this.#options.cancelDelayMs);
    return true;
  }

  cancelAll(name: string, at: Instant): number {
    const live = [...this.#account(name).liveOrders.values()];
    for (const order of live) this.#enqueue('cancel', order, at.monotonicMs + this.#options.cancelDelayMs);
    return live.length;
  }

  setLeverage(name: string, symbol: string, leverage: number): boolean {
    const account = this.#account(name);
    const market = this.#markets.get(symbol);
    if (market === undefined || !Number.isInteger(leverage) || leverage < 1) return false;
    if (leverage > market.scale.instrument.maxLeverage) return false;
    const before = account.leverageBySymbol.get(symbol);
    account.leverageBySymbol.set(symbol, leverage);
    const defaultLeverage = this.#defaultLeverage(name);
    const lower = leverage < (before ?? defaultLeverage);
    if (lower && equityMicro(account, this.#markets) < initialMarginMicro(account, defaultLeverage, this.#markets)) {
      if (before === undefined) account.leverageBySymbol.delete(symbol);
      else account.leverageBySymbol.set(symbol, before);
      return false;
    }
    return true;
  }

  book(symbol: string): ReturnType<Exchange['book']> {
    const { book } = this.#market(symbol);
    return { bids: book.levels('buy'), asks: book.levels('sell') };
  }

  stats(symbol: string): ExchangeStats {
    const market = this.#market(symbol);
    const { quote, lastSettlement, nextSettlement } = market;
    const calendarMs = this.#started().calendarMs;
    const volume24hBase = quote.volume24hQuote / (quote.mid * market.scale.instrument.multiplier);
    return {
      symbol,
      markNano: market.markNano,
      indexNano: market.indexNano,
      lastTradeTicks: market.lastTradeTicks,
      predictedHourlyPico: predictedHourlyPico(lastSettlement, nextSettlement, calendarMs),
      settledHourlyPico: lastSettlement === undefined ? 0 : hourlyPico(lastSettlement),
      settledAtMs: lastSettlement?.settleAtMs ?? 0,
      nextSettleAtMs: nextSettlement?.settleAtMs ?? this.#tape.endAtMs,
      volume24hQuote: quote.volume24hQuote,
      volume24hBase,
      openInterestBase: volume24hBase * OPEN_INTEREST_SHARE,
    };
  }

  markets(): ExchangeOptions['markets'] {
    return this.#options.markets;
  }

  wallet(name: string): ReturnType<Exchange['wallet']> {
    const account = this.#account(name);
    const equity = equityMicro(account, this.#markets);
    const initial = initialMarginMicro(account, this.#defaultLeverage(name), this.#markets);
    return {
      walletMicro: account.walletMicro,
      equityMicro: equity,
      initialMarginMicro: initial,
      maintenanceMarginMicro: maintenanceMarginMicro(account, this.#markets),
      availableMicro: equity > initial ? equity - initial : 0n,
    };
  }

  position(name: string, symbol: string): ExchangePosition | undefined {
    const account = this.#account(name);
    return account.positions.has(symbol) ? this.#positionView(account, symbol) : undefined;
  }

  positions(name: string): readonly ExchangePosition[] {
    const account = this.#account(name);
    return [...account.positions.keys()].map((symbol) => this.#positionView(account, symbol));
  }

  orders(name: string): readonly ExchangeOrderState[] {
    return this.#account(name).orders.map((live) => live.state);
  }

  trades(name: string): readonly ExchangeTrade[] {
    return this.#account(name).trades;
  }

  recentTrades(symbol: string): readonly ExchangeTrade[] {
    return this.#market(symbol).recentTrades;
  }

  fundingPayments(name: string): readonly ExchangeFundingPayment[] {
    return this.#account(name).payments;
  }

  fundingHistory(symbol: string): readonly ExchangeFunding[] {
    return this.#market(symbol).history;
  }

  oracle(name: string): AccountOracle {
    return this.#account(name).oracle();
  }

  forceTrade(name: string, symbol: string, signedLots: number, at: Instant): void {
    this.#moveTo(at);
    this.#tradeAtMark(this.#account(name), this.#market(symbol), signedLots, this.#started().calendarMs);
    this.#publishBooks(this.#started().calendarMs);
  }

  // Time. Everything due between two instants happens in time order; calendar instants are placed on the monotonic line.

  #moveTo(at: Instant): void {
    if (this.#now === undefined) {
      const past = this.#past;
      this.#past = undefined;
      // The books open when the earlier life ended: what has settled since is then paid to those who held.
      this.#start(past === undefined ? at : { ...at, calendarMs: Math.min(at.calendarMs, past.calendarMs) });
      if (past === undefined) return;
      this.#resumeOrders(at);
    }
    const from = this.#started();
    const to = {
      monotonicMs: Math.max(from.monotonicMs, at.monotonicMs),
      calendarMs: Math.max(from.calendarMs, at.calendarMs),
    };
    const monotonicSpan = to.monotonicMs - from.monotonicMs;
    const calendarSpan = to.calendarMs - from.calendarMs;
    if (monotonicSpan > 0 && calendarSpan > 0) this.#calendarScale = calendarSpan / monotonicSpan;
    const monotonicOf = (calendarMs: number): number =>
      calendarSpan === 0
        ? to.monotonicMs
        : from.monotonicMs + ((calendarMs - from.calendarMs) / calendarSpan) * monotonicSpan;
    const calendarOf = (monotonicMs: number): number =>
      monotonicSpan === 0
        ? to.calendarMs
        : Math.floor(from.calendarMs + ((monotonicMs - from.monotonicMs) / monotonicSpan) * calendarSpan);

    for (;;) {
      const settling = this.#earliestSettlement();
      const settleAtMs = settling?.nextSettlement?.settleAtMs ?? Infinity;
      const settleMs = settleAtMs > to.calendarMs ? Infinity : monotonicOf(settleAtMs);
      const queueMs = this.#queue[0]?.dueMonotonicMs ?? Infinity;
      const dueMs = Math.min(settleMs, queueMs, this.#nextRefreshMs);
      if (dueMs > to.monotonicMs) break;
      if (settling !== undefined && settleMs === dueMs) {
        this.#now = { monotonicMs: Math.max(from.monotonicMs, dueMs), calendarMs: settleAtMs };
        this.#settle(settling, settleAtMs);
      } else if (queueMs === dueMs) {
        this.#now = { monotonicMs: dueMs, calendarMs: Math.max(this.#started().calendarMs, calendarOf(dueMs)) };
        this.#runQueued(this.#now.calendarMs);
      } else {
        // Refreshes with nothing in between are worth one: the last of them.
        const { bookIntervalMs } = this.#options;
        const skipped = Math.max(0, Math.floor((Math.min(to.monotonicMs, queueMs, settleMs) - dueMs) / bookIntervalMs));
        const refreshMs = dueMs + skipped * bookIntervalMs;
        this.#nextRefreshMs = refreshMs + bookIntervalMs;
        this.#now = { monotonicMs: refreshMs, calendarMs: Math.max(this.#started().calendarMs, calendarOf(refreshMs)) };
        this.#refresh(this.#now);
      }
    }
    this.#now = to;
  }

  #start(at: Instant): void {
    this.#now = at;
    for (const market of this.#markets.values()) {
      const past = pastSettlements(this.#tape, this.#options.venue, market.base, at.calendarMs);
      for (const settlement of past)
        market.history.push(fundingFact(market.symbol, settlement, this.#fundingPrice(market, settlement)));
      market.lastSettlement = past[past.length - 1];
      market.nextSettlement = this.#tape.nextSettlement(this.#options.venue, market.base, at.calendarMs);
      this.#requote(market, at.calendarMs);
      market.lastTradeTicks = Math.round(
        (market.quote.mid * market.scale.instrument.multiplier) / market.scale.tickSize,
      );
      market.book.refresh(market.quote);
    }
    this.#nextRefreshMs = at.monotonicMs + this.#options.bookIntervalMs;
    this.#publishBooks(at.calendarMs);
    this.#publishStats(at);
  }

  /** Orders of the earlier life: what rested rests again, what was queued is executed now unless it has expired. */
  #resumeOrders(at: Instant): void {
    for (const account of this.#accounts.values()) {
      for (const live of account.liveOrders.values()) {
        if (isWaiting(live.state)) continue;
        if (live.state.status === 'open') this.#market(live.state.symbol).book.add(live);
        else this.#enqueue('execute', live, at.monotonicMs);
      }
    }
  }

  #refresh(now: Instant): void {
    for (const market of this.#markets.values()) {
      this.#requote(market, now.calendarMs);
      market.book.refresh(market.quote);
      this.#triggerReached(market, now);
      this.#fillCrossed(market, 'buy', now.calendarMs);
      this.#fillCrossed(market, 'sell', now.calendarMs);
      this.#outsideTaker(market, now.calendarMs);
    }
    for (const account of this.#accounts.values()) {
      this.#expireResting(account, now.calendarMs);
      this.#liquidateIfNeeded(account, now.calendarMs);
    }
    this.#publishBooks(now.calendarMs);
    if (now.monotonicMs >= this.#nextStatsMs) this.#publishStats(now);
  }

  /** Waiting orders that the mark has reached go the way of any order of their kind. */
  #triggerReached(market: Market, now: Instant): void {
    for (const account of this.#accounts.values()) {
      for (const live of account.liveOrders.values()) {
        const { state } = live;
        if (state.symbol !== market.symbol || !isWaiting(state) || !isReached(market, state)) continue;
        this.#update(live, { status: 'queued', isTriggered: true }, now.calendarMs);
        this.#enqueue('execute', live, now.monotonicMs);
      }
    }
  }

  #requote(market: Market, calendarMs: number): void {
    market.quote = this.#tape.quote(this.#options.venue, market.base, calendarMs);
    market.markNano = priceNanoOf(market.scale, market.quote.mark);
    market.indexNano = priceNanoOf(market.scale, market.quote.index);
  }

  // Funding.

  #earliestSettlement(): Market | undefined {
    let earliest: Market | undefined;
    for (const market of this.#markets.values()) {
      const dueMs = market.nextSettlement?.settleAtMs ?? Infinity;
      if (dueMs < (earliest?.nextSettlement?.settleAtMs ?? Infinity)) earliest = market;
    }
    return earliest;
  }

  #fundingPrice(market: Market, settlement: TapeSettlement): bigint {
    const quote = this.#tape.quote(this.#options.venue, market.base, settlement.settleAtMs);
    return priceNanoOf(market.scale, market.scale.instrument.fundingPrice === 'mark' ? quote.mark : quote.index);
  }

  /** Pays one market's settlement to whoever holds a position at its instant. */
  #settle(market: Market, calendarMs: number): void {
    const settlement = market.nextSettlement;
    if (settlement === undefined) return;
    // Moved on first: whatever happens below, this settlement is never paid twice.
    market.lastSettlement = settlement;
    market.nextSettlement = this.#tape.nextSettlement(this.#options.venue, market.base, settlement.settleAtMs);

    const funding = fundingFact(market.symbol, settlement, this.#fundingPrice(market, settlement));
    remember(market.history, funding, FUNDING_HISTORY_MAX);
    const payments: ExchangeFundingPayment[] = [];
    for (const account of this.#accounts.values()) {
      const signedLots = account.signedLots(market.symbol);
      if (signedLots === 0) continue;
      this.#paymentNumber += 1;
      const payment = {
        ...funding,
        paymentNumber: this.#paymentNumber,
        account: account.name,
        amountMicro: fundingMicro(market.scale, signedLots, funding.priceNano, funding.ratePico),
        signedLots,
      };
      account.applyFunding(payment);
      payments.push(payment);
    }
    this.#emit({ type: 'funding', funding, payments });
    for (const payment of payments) this.#emitWallet(this.#account(payment.account));
    this.#requote(market, calendarMs);
    this.#emit({ type: 'stats', stats: this.stats(market.symbol) });
  }

  // Orders.

  #refusalOf(
    account: AccountLedger,
    order: ExchangeOrder,
    at: Instant,
  ): (SubmitOutcome & { accepted: false })['reason'] | undefined {
    const market = this.#markets.get(order.symbol);
    if (market === undefined) return 'unknown-symbol';
    const { instrument } = market.scale;
    if (order.clientOrderId !== '' && account.orderByClientId.has(order.clientOrderId)) return 'duplicate-client-id';
    if (at.calendarMs > order.validUntilMs) return 'expired';
    if (instrument.status === 'inactive') return 'inactive';
    if (instrument.status === 'reduce-only' && !order.reduceOnly) return 'inactive';
    if (!Number.isSafeInteger(order.lots) || order.lots < instrument.minQuantityLots) return 'below-minimum';
    if (!Number.isSafeInteger(order.limitTicks) || order.limitTicks < 1) return 'price-band';
    const notional = notionalMicro(market.scale, order.limitTicks, order.lots);
    // A remainder too small to open must still be closable.
    if (!order.reduceOnly && notional < instrument.minNotionalMicro) return 'below-minimum';
    if (notional > instrument.maxNotionalMicro) return 'above-maximum';
    // The price of a waiting order is judged where it will be executed.
    if (order.trigger === undefined && isOutsideBand(market, order)) return 'price-band';
    return this.#lacksMargin(account, order, order) ? 'margin' : undefined;
  }

  /** `extra` is the order itself before it is accepted; afterwards it is among the account's live orders. */
  #lacksMargin(account: AccountLedger, order: ExchangeOrder, extra?: ExchangeOrder): boolean {
    if (order.reduceOnly) return false;
    const signed = order.side === 'buy' ? order.lots : -order.lots;
    const held = account.signedLots(order.symbol);
    if (Math.abs(held + signed) <= Math.abs(held)) return false;
    const required = initialMarginMicro(account, this.#defaultLeverage(account.name), this.#markets, extra);
    return equityMicro(account, this.#markets) < required;
  }

  #accept(account: AccountLedger, order: ExchangeOrder, calendarMs: number): LiveOrder {
    this.#orderNumber += 1;
    const live: LiveOrder = {
      state: {
        ...order,
        venueOrderNumber: this.#orderNumber,
        status: 'queued',
        filledLots: 0,
        filledQuoteMicro: 0n,
        createdAtMs: calendarMs,
        updatedAtMs: calendarMs,
      },
    };
    account.orders.push(live);
    if (order.clientOrderId !== '') account.orderByClientId.set(order.clientOrderId, live);
    account.liveOrders.set(this.#orderNumber, live);
    return live;
  }

  #enqueue(act: QueuedAct['act'], live: LiveOrder, dueMonotonicMs: number): void {
    this.#queueNumber += 1;
    const entry = { dueMonotonicMs, number: this.#queueNumber, act, live };
    let index = this.#queue.length;
    while (index > 0 && (this.#queue[index - 1]?.dueMonotonicMs ?? 0) > dueMonotonicMs) index -= 1;
    this.#queue.splice(index, 0, entry);
  }

  #runQueued(calendarMs: number): void {
    const entry = this.#queue.shift();
    if (entry === undefined || !isLive(entry.live.state)) return;
    if (entry.act === 'cancel') this.#end(entry.live, 'cancelled', 'asked', calendarMs);
    else if (entry.live.state.status === 'queued') this.#execute(entry.live, calendarMs);
    this.#publishBooks(calendarMs);
  }

  #execute(live: LiveOrder, calendarMs: number): void {
    const { state } = live;
    const account = this.#account(state.account);
    const market = this.#market(state.symbol);
    if (calendarMs > state.validUntilMs) return this.#end(live, 'expired', 'expired', calendarMs);
    if (state.trigger !== undefined && state.isTriggered !== true) {
      this.#update(live, { status: 'open' }, calendarMs);
      this.#emit({ type: 'order', order: live.state });
      return;
    }
    if (state.reduceOnly && reducibleLots(account, state) === 0)
      return this.#end(live, 'cancelled', 'reduce-only', calendarMs);
    if (this.#lacksMargin(account, state)) return this.#end(live, 'rejected', 'margin', calendarMs);
    if (isOutsideBand(market, state)) return this.#end(live, 'rejected', 'price-band', calendarMs);
    if (state.postOnly && crosses(market, state)) return this.#end(live, 'rejected', 'post-only', calendarMs);

    this.#take(live, account, market, calendarMs);
    if (!isLive(live.state)) return;
    if (state.reduceOnly && reducibleLots(account, live.state) === 0)
      return this.#end(live, 'cancelled', 'reduce-only', calendarMs);
    if (state.timeInForce === 'ioc') return this.#end(live, 'cancelled', 'no-liquidity', calendarMs);
    this.#update(live, { status: 'open' }, calendarMs);
    market.book.add(live);
    this.#emit({ type: 'order', order: live.state });
  }

  /** Matches a taker against the book until it is done, nothing acceptable is left, or it may not reduce further. */
  #take(live: LiveOrder, account: AccountLedger, market: Market, calendarMs: number): void {
    const opposite = live.state.side === 'buy' ? 'sell' : 'buy';
    for (;;) {
      const { state } = live;
      const wanted = Math.min(
        state.lots - state.filledLots,
        state.reduceOnly ? reducibleLots(account, state) : Infinity,
      );
      const met = market.book.best(opposite);
      if (wanted === 0 || met === undefined || !isAcceptable(state, met.priceTicks)) return;
      if (met.type === 'resting' && met.live.state.account === state.account) {
        this.#end(met.live, 'expired', 'self-trade', calendarMs);
        continue;
      }
      const maker = met.type === 'resting' ? met.live : undefined;
      const available = maker === undefined ? met.lots : this.#makerLots(maker, calendarMs);
      if (available === 0) continue;
      const lots = Math.min(wanted, available);
      if (maker === undefined) market.book.outside.takeBest(opposite, lots);
      this.#trade({ market, priceTicks: met.priceTicks, lots, takerSide: state.side, calendarMs, taker: live, maker });
    }
  }

  /** What a resting order can give now; a reduce-only one with nothing left to reduce is cancelled and gives 0. */
  #makerLots(maker: LiveOrder, calendarMs: number): number {
    const open = maker.state.lots - maker.state.filledLots;
    if (!maker.state.reduceOnly) return open;
    const lots = Math.min(open, reducibleLots(this.#account(maker.state.account), maker.state));
    if (lots === 0) this.#end(maker, 'cancelled', 'reduce-only', calendarMs);
    return lots;
  }

  /** Fills resting orders that the moved outside book has crossed, at their own prices. */
  #fillCrossed(market: Market, side: Side, calendarMs: number): void {
    const opposite = side === 'buy' ? 'sell' : 'buy';
    for (;;) {
      const maker = market.book.resting(side)[0];
      const outside = market.book.outside.best(opposite);
      if (maker === undefined || outside === undefined || !isAcceptable(maker.state, outside.priceTicks)) return;
      const available = this.#makerLots(maker, calendarMs);
      if (available === 0) continue;
      const lots = market.book.outside.takeBest(opposite, available);
      const priceTicks = maker.state.limitTicks;
      this.#trade({ market, priceTicks, lots, takerSide: opposite, calendarMs, taker: undefined, maker });
    }
  }

  /** Sometimes someone else takes from a touch, whoever stands there. */
  #outsideTaker(market: Market, calendarMs: number): void {
    if (market.random.nextFraction() >= OUTSIDE_TAKER_CHANCE) return;
    const side = market.random.nextFraction() < 0.5 ? 'buy' : 'sell';
    const share = OUTSIDE_TAKER_SHARE * market.random.nextFraction();
    const met = market.book.best(side);
    const typicalLots = market.book.outside.best(side)?.lots;
    if (met === undefined || typicalLots === undefined) return;
    const maker = met.type === 'resting' ? met.live : undefined;
    const available = maker === undefined ? met.lots : this.#makerLots(maker, calendarMs);
    const lots = Math.min(available, Math.max(1, Math.floor(typicalLots * share)));
    if (lots === 0) return;
    if (maker === undefined) market.book.outside.takeBest(side, lots);
    const takerSide = side === 'buy' ? 'sell' : 'buy';
    this.#trade({ market, priceTicks: met.priceTicks, lots, takerSide, calendarMs, taker: undefined, maker });
  }

  #trade(deal: {
    readonly market: Market;
    readonly priceTicks: number;
    readonly lots: number;
    readonly takerSide: Side;
    readonly calendarMs: number;
    readonly taker: LiveOrder | undefined;
    readonly maker: LiveOrder | undefined;
  }): void {
    const { market, priceTicks, lots, takerSide, calendarMs } = deal;
    const { makerFee, takerFee } = market.scale.instrument;
    this.#tradeNumber += 1;
    const taker =
      deal.taker === undefined ? undefined : this.#fill(deal.taker, market, priceTicks, lots, takerFee, calendarMs);
    const maker =
      deal.maker === undefined ? undefined : this.#fill(deal.maker, market, priceTicks, lots, makerFee, calendarMs);
    const trade: ExchangeTrade = {
      tradeNumber: this.#tradeNumber,
      symbol: market.symbol,
      priceTicks,
      lots,
      takerSide,
      atMs: calendarMs,
      ...(taker === undefined ? {} : { taker }),
      ...(maker === undefined ? {} : { maker }),
    };
    market.lastTradeTicks = priceTicks;
    remember(market.recentTrades, trade, RECENT_TRADES_MAX);
    this.#emit({ type: 'trade', trade });
    for (const live of [deal.taker, deal.maker]) {
      if (live === undefined) continue;
      const account = this.#account(live.state.account);
      account.rememberTrade(trade);
      this.#emit({ type: 'order', order: live.state });
      this.#emitPosition(account, market.symbol);
      this.#emitWallet(account);
      this.#dropIdleReduceOnly(account, market.symbol, calendarMs);
    }
  }

  #fill(
    live: LiveOrder,
    market: Market,
    priceTicks: number,
    lots: number,
    feeRatePico: number,
    calendarMs: number,
  ): TradeParty {
    const account = this.#account(live.state.account);
    const tradeNumber = this.#tradeNumber;
    const { side, clientOrderId, venueOrderNumber } = live.state;
    const effect = account.applyFill({
      tradeNumber,
      scale: market.scale,
      live,
      side,
      priceTicks,
      lots,
      feeRatePico,
      atMs: calendarMs,
    });
    const filledLots = live.state.filledLots + lots;
    const filledQuoteMicro = live.state.filledQuoteMicro + notionalMicro(market.scale, priceTicks, lots);
    const done = filledLots === live.state.lots;
    const wasOpen = live.state.status === 'open';
    this.#update(live, { filledLots, filledQuoteMicro, status: done ? 'filled' : 'open' }, calendarMs);
    if (done) account.liveOrders.delete(venueOrderNumber);
    if (wasOpen && done) market.book.remove(live);
    else if (wasOpen) market.book.resized(live);
    return { account: account.name, clientOrderId, venueOrderNumber, ...effect };
  }

  /** A resting reduce-only order whose position is gone could only open a new one: it is cancelled. */
  #dropIdleReduceOnly(account: AccountLedger, symbol: string, calendarMs: number): void {
    for (const live of account.liveOrders.values()) {
      const { state } = live;
      if (state.symbol !== symbol || state.status !== 'open' || !state.reduceOnly || isWaiting(state)) continue;
      if (reducibleLots(account, state) === 0) this.#end(live, 'cancelled', 'reduce-only', calendarMs);
    }
  }

  #expireResting(account: AccountLedger, calendarMs: number): void {
    for (const live of account.liveOrders.values()) {
      if (live.state.status === 'open' && calendarMs > live.state.validUntilMs)
        this.#end(live, 'expired', 'expired', calendarMs);
    }
  }

  #end(live: LiveOrder, status: 'cancelled' | 'rejected' | 'expired', reason: string, calendarMs: number): void {
    const account = this.#account(live.state.account);
    this.#market(live.state.symbol).book.remove(live);
    account.liveOrders.delete(live.state.venueOrderNumber);
    this.#update(live, { status, reason }, calendarMs);
    this.#emit({ type: 'order', order: live.state });
  }

  #update(live: LiveOrder, change: Partial<ExchangeOrderState>, calendarMs: number): void {
    live.state = { ...live.state, ...change, updatedAtMs: calendarMs };
  }

  // Forced trades.

  #liquidateIfNeeded(account: AccountLedger, calendarMs: number): void {
    if (account.positions.size === 0) return;
    if (equityMicro(account, this.#markets) >= maintenanceMarginMicro(account, this.#markets)) return;
    for (const live of [...account.liveOrders.values()]) this.#end(live, 'cancelled', 'liquidation', calendarMs);
    for (const [symbol, held] of [...account.positions]) {
      this.#tradeAtMark(account, this.#market(symbol), -held.signedLots, calendarMs);
    }
  }

  /** Trades outside the book at mark, with a taker fee and an order of the venue's own (no client order id). */
  #tradeAtMark(account: AccountLedger, market: Market, signedLots: number, calendarMs: number): void {
    if (!Number.isSafeInteger(signedLots) || signedLots === 0) {
      throw new RangeError(`a forced trade needs a whole number of lots other than 0, was ${signedLots}`);
    }
    const side = signedLots > 0 ? 'buy' : 'sell';
    const lots = Math.abs(signedLots);
    const markTicks = Math.max(1, Math.round(Number(market.markNano) / 1e9 / market.scale.tickSize));
    const live = this.#accept(
      account,
      {
        account: account.name,
        clientOrderId: '',
        symbol: market.symbol,
        side,
        lots,
        limitTicks: markTicks,
        timeInForce: 'ioc',
        postOnly: false,
        reduceOnly: false,
        validUntilMs: calendarMs,
      },
      calendarMs,
    );
    this.#trade({ market, priceTicks: markTicks, lots, takerSide: side, calendarMs, taker: live, maker: undefined });
  }

  // Events.

  #emit(event: ExchangeEvent): void {
    this.#outbox.push(event);
  }

  #emitPosition(account: AccountLedger, symbol: string): void {
    this.#emit({ type: 'position', account: account.name, position: this.#positionView(account, symbol) });
  }

  #emitWallet(account: AccountLedger): void {
    this.#emit({ type: 'wallet', account: account.name, walletMicro: account.walletMicro });
  }

  #publishBooks(calendarMs: number): void {
    for (const market of this.#markets.values()) {
      const changes = market.book.takeChanges();
      if (changes !== undefined) this.#emit({ type: 'book', symbol: market.symbol, ...changes, atMs: calendarMs });
    }
  }

  #publishStats(now: Instant): void {
    this.#nextStatsMs = now.monotonicMs + STATS_INTERVAL_MS;
    for (const symbol of this.#markets.keys()) this.#emit({ type: 'stats', stats: this.stats(symbol) });
  }

  // Look-ups.

  #positionView(account: AccountLedger, symbol: string): ExchangePosition {
    return positionView(account, symbol, this.#defaultLeverage(account.name), this.#markets);
  }

  #defaultLeverage(name: string): number {
    return this.#leverage.get(name) ?? 1;
  }

  #account(name: string): AccountLedger {
    const account = this.#accounts.get(name);
    if (account === undefined) throw new RangeError(`${this.#options.venue} has no simulated account "${name}"`);
    return account;
  }

  #market(symbol: string): Market {
    const market = this.#markets.get(symbol);
    if (market === undefined) throw new RangeError(`${this.#options.venue} has no simulated market "${symbol}"`);
    return market;
  }

  #started(): Instant {
    if (this.#now === undefined) throw new Error('an exchange must be advanced once before it is used');
    return this.#now;
  }
}

function isLive(state: ExchangeOrderState): boolean {
  return state.status === 'queued' || state.status === 'open';
}

/** Not in the book yet. */
function isWaiting({ status, trigger, isTriggered }: ExchangeOrderState): boolean {
  return status === 'open' && trigger !== undefined && isTriggered !== true;
}

function isReached(market: Market, { trigger }: ExchangeOrderState): boolean {
  if (trigger === undefined) return false;
  const markTicks = Number(market.markNano) / 1e9 / market.scale.tickSize;
  return trigger.direction === 'rise' ? markTicks >= trigger.markTicks : markTicks <= trigger.markTicks;
}

function isAcceptable(order: ExchangeOrder, priceTicks: number): boolean {
  return order.side === 'buy' ? priceTicks <= order.limitTicks : priceTicks >= order.limitTicks;
}

function crosses(market: Market, order: ExchangeOrder): boolean {
  const met = market.book.best(order.side === 'buy' ? 'sell' : 'buy');
  return met !== undefined && isAcceptable(order, met.priceTicks);
}

/** How much of the account's position an order of this side can still close. */
function reducibleLots(account: AccountLedger, order: ExchangeOrder): number {
  const held = account.signedLots(order.symbol);
  return order.side === 'buy' ? Math.max(0, -held) : Math.max(0, held);
}

/** A buy above, or a sell below, the venue's band around mark. */
function isOutsideBand(market: Market, order: ExchangeOrder): boolean {
  const { instrument, unitMicro, lotUnits } = market.scale;
  if (instrument.priceBand === undefined) return false;
  // Ticks as 1e-9 quote: unitMicro is one tick x one lot in 1e-6 and carries the lot's own decimals.
  const limitNano = (BigInt(order.limitTicks) * unitMicro * market.scale.quantityScale * 1_000n) / lotUnits;
  const band = BigInt(instrument.priceBand);
  return order.side === 'buy'
    ? limitNano * PICO > market.markNano * (PICO + band)
    : limitNano * PICO < market.markNano * (PICO - band);
}
