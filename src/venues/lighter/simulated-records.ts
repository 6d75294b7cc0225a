/** What the simulated Lighter venue keeps beside the exchange: market ids, engine nonces, results per position, orders nobody hears of. Any thread. */
import { notionalMicroAtNano } from '../../money/amounts.ts';
import type {
  Exchange,
  ExchangeEvent,
  ExchangeOrder,
  ExchangeOrderState,
  ExchangePosition,
  ExchangeTrade,
} from '../../simulation/exchange.ts';
import type { WireValue } from './simulated-json.ts';
import type { Tier } from './simulated-limits.ts';
import {
  assetsJson,
  feeTicks,
  isOver,
  micros,
  orderJson,
  positionJson,
  tradeJson,
  userStatsJson,
} from './simulated-wire.ts';
import type { SimulatedMarket } from './simulated-wire.ts';
import { PERP_MARKET_ID_MAX } from './wire.ts';

/** One account of the simulated venue. */
export interface SimulatedAccount {
  readonly name: string;
  readonly accountIndex: number;
  /** Accounts with the same address share their request limits. */
  readonly l1Address: string;
  /** Public keys as 40 bytes of little-endian hex. */
  readonly apiKeys: readonly { readonly index: number; readonly publicKeyHex: string }[];
  readonly tier: Tier;
}

/** Order numbers of orders that never reached the exchange, far above any of its own. */
const PRETENDED_FROM = 1_000_000_000_000;
const ENGINE_NONCE_FROM = 10_382_000_000;
const BLOCK_HEIGHT_FROM = 352_000_000;
/** Changes of the engine's state in one block, about. */
const NONCES_PER_BLOCK = 1_000;

/** When the engine last changed an order. */
interface OrderChange {
  readonly nonce: number;
  /** Calendar microseconds, different for any two changes: clients order an order's states by it. */
  readonly transactionTime: number;
}
interface PositionResults {
  realisedMicro: bigint;
  /** Positive when the account paid. */
  fundingPaidMicro: bigint;
}

export class SimulatedRecords {
  readonly exchange: Exchange;
  readonly accounts: readonly SimulatedAccount[];
  readonly markets: readonly SimulatedMarket[];
  readonly #marketBySymbol: ReadonlyMap<string, SimulatedMarket>;
  readonly #results = new Map<string, PositionResults>();
  /** Latest view of every position an account ever had, flat ones included, by account and symbol. */
  readonly #positions = new Map<string, Map<string, ExchangePosition>>();
  readonly #orderChanges = new Map<number, OrderChange>();
  /** Orders that rest in a book, by account and number, oldest first. */
  readonly #openOrders = new Map<string, Map<number, ExchangeOrderState>>();
  readonly #marketOrders = new Set<number>();
  /** Orders that ended before anyone heard of them: they cannot be found either. */
  readonly #unheardOf = new Set<number>();
  readonly #pretended: ExchangeOrderState[] = [];
  #engineNonce: number;
  #lastTransactionTime = 0;
  #unnamedOrders = 0;

  /** Throws RangeError for markets that Lighter's wire cannot express. */
  constructor(exchange: Exchange, accounts: readonly SimulatedAccount[], seed: number) {
    this.exchange = exchange;
    this.accounts = accounts;
    this.markets = exchange.markets().map((instrument, marketId) => {
      // Transactions carry counts of the last decimal: steps of another size could not be told apart.
      if (instrument.tickUnits !== 1 || instrument.lotUnits !== 1)
        throw new RangeError(`tick and lot of ${instrument.symbol} must be one unit of their last decimal`);
      feeTicks(instrument.takerFee);
      feeTicks(instrument.makerFee);
      return { marketId, instrument };
    });
    if (this.markets.length > PERP_MARKET_ID_MAX + 1)
      throw new RangeError(`at most ${PERP_MARKET_ID_MAX + 1} markets have ids, were ${this.markets.length}`);
    this.#marketBySymbol = new Map(this.markets.map((market) => [market.instrument.symbol, market]));
    this.#engineNonce = ENGINE_NONCE_FROM + (Math.abs(Math.trunc(seed)) % 1_000) * 1_000;
  }

  /** One sequence for all markets: it moves with every change anywhere. */
  get engineNonce(): number {
    return this.#engineNonce;
  }

  get blockHeight(): number {
    return BLOCK_HEIGHT_FROM + Math.floor((this.#engineNonce - ENGINE_NONCE_FROM) / NONCES_PER_BLOCK);
  }

  market(marketId: number): SimulatedMarket | undefined {
    return this.markets[marketId];
  }

  marketOf(symbol: string): SimulatedMarket {
    const market = this.#marketBySymbol.get(symbol);
    if (market === undefined) throw new RangeError(`the simulated venue must list ${symbol}`);
    return market;
  }

  account(name: string): SimulatedAccount | undefined {
    return this.accounts.find((account) => account.name === name);
  }

  /** Books what the wire shows and the exchange does not keep. False when nobody may hear of this event. */
  observe(event: ExchangeEvent): boolean {
    this.#engineNonce += 1;
    switch (event.type) {
      case 'order':
        return this.#observeOrder(event.order);
      case 'trade':
        this.#observeTrade(event.trade);
        return true;
      case 'position':
        this.#remember(event.account, event.position);
        return true;
      case 'funding':
        for (const { account, symbol, amountMicro } of event.payments)
          this.#resultsOf(account, symbol).fundingPaidMicro -= amountMicro;
        return true;
      default:
        return true;
    }
  }

  #observeOrder(order: ExchangeOrderState): boolean {
    const isNew = !this.#orderChanges.has(order.venueOrderNumber);
    // A reduce-only order that finds nothing to reduce vanishes without a word.
    if (isNew && isOver(order) && order.filledLots === 0 && order.reason === 'reduce-only') {
      this.#unheardOf.add(order.venueOrderNumber);
      return false;
    }
    this.#noteChange(order);
    const open = this.#openOrders.get(order.account) ?? new Map<number, ExchangeOrderState>();
    this.#openOrders.set(order.account, open);
    if (isOver(order)) open.delete(order.venueOrderNumber);
    else open.set(order.venueOrderNumber, order);
    return true;
  }

  #noteChange({ venueOrderNumber, updatedAtMs }: ExchangeOrderState): void {
    this.#lastTransactionTime = Math.max(this.#lastTransactionTime + 1, micros(updatedAtMs));
    this.#orderChanges.set(venueOrderNumber, {
      nonce: this.#engineNonce,
      transactionTime: this.#lastTransactionTime,
    });
  }

  #observeTrade({ symbol, taker, maker }: ExchangeTrade): void {
    for (const party of [taker, maker])
      if (party !== undefined) this.#resultsOf(party.account, symbol).realisedMicro += party.realisedMicro;
  }

  #resultsOf(account: string, symbol: string): PositionResults {
    const key = `${account} ${symbol}`;
    const results = this.#results.get(key) ?? { realisedMicro: 0n, fundingPaidMicro: 0n };
    this.#results.set(key, results);
    return results;
  }

  #remember(account: string, position: ExchangePosition): void {
    const positions = this.#positions.get(account) ?? new Map<string, ExchangePosition>();
    this.#positions.set(account, positions);
    positions.set(position.symbol, position);
  }

  /** Makes a row of a market whose leverage was set, also when it never had a position. */
  rememberLeverage(account: SimulatedAccount, symbol: string, leverage: number): void {
    const position = this.exchange.position(account.name, symbol);
    this.#remember(account.name, {
      ...(position ?? { symbol, signedLots: 0, costMicro: 0n, unrealisedMicro: 0n }),
      leverage,
    });
  }

  /** A client order id for an order that came without one. */
  unnamedOrderId(): string {
    this.#unnamedOrders += 1;
    return `unnamed-${this.#unnamedOrders}`;
  }

  /** Takes note that an order came as a market order, which the exchange does not tell apart. */
  noteMarketOrder(venueOrderNumber: number): void {
    this.#marketOrders.add(venueOrderNumber);
  }

  /** Orders accepted from then on (calendar ms) are not told when asked: the venue's lists lag behind its engine. */
  hiddenSinceMs: number | undefined;

  /** The account's orders that the venue tells about, oldest first: no queued ones, none that vanished. */
  orders(account: SimulatedAccount): readonly ExchangeOrderState[] {
    const known = this.exchange
      .orders(account.name)
      .filter((order) => order.status !== 'queued' && !this.#unheardOf.has(order.venueOrderNumber))
      .filter((order) => this.#isShown(order));
    const pretended = this.#pretended.filter((order) => order.account === account.name && order.status !== 'queued');
    return pretended.length === 0 ? known : [...known, ...pretended];
  }

  openOrders(account: SimulatedAccount): readonly ExchangeOrderState[] {
    return [...(this.#openOrders.get(account.name)?.values() ?? [])].filter((order) => this.#isShown(order));
  }

  #isShown({ createdAtMs }: ExchangeOrderState): boolean {
    return createdAtMs < (this.hiddenSinceMs ?? Infinity);
  }

  /** True when nobody will ever hear of this order. */
  hasVanished(venueOrderNumber: number): boolean {
    return this.#unheardOf.has(venueOrderNumber);
  }

  hasPretended(account: SimulatedAccount, clientOrderId: string): boolean {
    return this.#pretended.some((order) => order.account === account.name && order.clientOrderId === clientOrderId);
  }

  /** Takes an order that the exchange will never see; returns its number. Nobody hears of it until it is ended. */
  pretend(order: ExchangeOrder, atMs: number): number {
    const venueOrderNumber = PRETENDED_FROM + this.#pretended.length;
    this.#pretended.push({
      ...order,
      venueOrderNumber,
      status: 'queued',
      filledLots: 0,
      filledQuoteMicro: 0n,
      createdAtMs: atMs,
      updatedAtMs: atMs,
    });
    return venueOrderNumber;
  }

  /** `status` is the wire's own text. Returns the ended order. */
  endPretended(venueOrderNumber: number, status: string, atMs: number): ExchangeOrderState {
    const index = venueOrderNumber - PRETENDED_FROM;
    const order = this.#pretended[index];
    if (order === undefined) throw new RangeError(`order ${venueOrderNumber} must be one only pretended to be taken`);
    const ended: ExchangeOrderState = { ...order, status: 'rejected', reason: status, updatedAtMs: atMs };
    this.#pretended[index] = ended;
    this.#engineNonce += 1;
    this.#noteChange(ended);
    return ended;
  }

  orderJson(order: ExchangeOrderState, account: SimulatedAccount): WireValue {
    const change = this.#orderChanges.get(order.venueOrderNumber);
    return orderJson({
      order,
      market: this.marketOf(order.symbol),
      accountIndex: account.accountIndex,
      isMarketOrder: this.#marketOrders.has(order.venueOrderNumber),
      nonce: change?.nonce ?? this.#engineNonce,
      transactionTime: change?.transactionTime ?? micros(order.updatedAtMs),
      blockHeight: this.blockHeight,
    });
  }

  tradeJson(trade: ExchangeTrade): WireValue {
    return tradeJson(trade, this.marketOf(trade.symbol), this.blockHeight, (name) => {
      const account = this.account(name);
      if (account === undefined) throw new RangeError(`the simulated venue must have an account for ${name}`);
      return account.accountIndex;
    });
  }

  /** Symbols of all markets the account ever touched. */
  touched(account: SimulatedAccount): readonly string[] {
    return [...(this.#positions.get(account.name)?.keys() ?? [])];
  }

  positionJson(account: SimulatedAccount, symbol: string): WireValue {
    const held = this.exchange.position(account.name, symbol) ?? this.#positions.get(account.name)?.get(symbol);
    if (held === undefined) throw new RangeError(`${account.name} must have touched ${symbol}`);
    const results = this.#resultsOf(account.name, symbol);
    return positionJson({
      position: held,
      market: this.marketOf(symbol),
      markNano: this.exchange.stats(symbol).markNano,
      openOrders: this.openOrders(account).filter((order) => order.symbol === symbol).length,
      realisedMicro: results.realisedMicro,
      fundingPaidMicro: results.fundingPaidMicro,
    });
  }

  /** Rows by market id. */
  positionsJson(account: SimulatedAccount, symbols: Iterable<string>): { readonly [marketId: string]: WireValue } {
    const rows: Record<string, WireValue> = {};
    for (const symbol of symbols) rows[this.marketOf(symbol).marketId] = this.positionJson(account, symbol);
    return rows;
  }

  assetJson(account: SimulatedAccount): WireValue {
    return assetsJson(this.exchange.wallet(account.name));
  }

  userStatsJson(account: SimulatedAccount): WireValue {
    return userStatsJson(this.exchange.wallet(account.name), this.positionValueMicro(account));
  }

  positionValueMicro(account: SimulatedAccount): bigint {
    let value = 0n;
    for (const { symbol, signedLots } of this.exchange.positions(account.name)) {
      const { instrument } = this.marketOf(symbol);
      value += notionalMicroAtNano(instrument, this.exchange.stats(symbol).markNano, Math.abs(signedLots));
    }
    return value;
  }

  /** Lists by market id, in the order given. */
  byMarket<Entry extends { readonly symbol: string }>(
    entries: readonly Entry[],
    json: (entry: Entry) => WireValue,
  ): { readonly [marketId: string]: readonly WireValue[] } {
    const lists: Record<string, WireValue[]> = {};
    for (const entry of entries) (lists[this.marketOf(entry.symbol).marketId] ??= []).push(json(entry));
    return lists;
  }
}
