/** What the simulated Hyperliquid keeps beside the exchange: addresses, client ids, last reports, orders it only pretended to take. Any thread. */
import type { Instrument } from '../../market/instrument.ts';
import type {
  Exchange,
  ExchangeEvent,
  ExchangeOrder,
  ExchangeOrderState,
  SubmitOutcome,
} from '../../simulation/exchange.ts';
import type { ExchangeFact } from '../../simulation/exchange-facts.ts';
import type { AccountOracle, OracleFill, OracleFundingPayment, OracleOrder } from '../../simulation/simulated-venue.ts';
import type { Instant } from '../venue.ts';
import { fillIdOf, paymentIdOf } from './parse.ts';
import { fullOrderJson, orderJson, statusText, wireIds } from './simulated-wire.ts';
import type { Json, SimulatedAccount, WireIds } from './simulated-wire.ts';
import { clientOrderIdOf, cloidOf } from './wire.ts';

/** Numbers of orders that never reached the exchange, far above any of its own. */
const PRETENDED_FROM = 1_000_000_000;
/** Stands between a client id and its count where an account used it again. */
const REPEAT = '~';
/** What orders without a client id are called at the exchange, with a count. */
const UNNAMED = 'oid';

export class SimulatedRecords {
  readonly exchange: Exchange;
  readonly accounts: readonly SimulatedAccount[];
  readonly ids: WireIds;
  readonly markets: readonly Instrument[];
  readonly #states = new Map<number, ExchangeOrderState>();
  readonly #rested = new Set<number>();
  readonly #cloids = new Map<number, string>();
  readonly #numbersByCloid = new Map<string, number[]>();
  readonly #leverage = new Map<string, number>();
  #pretended = 0;
  #unnamed = 0;

  constructor(exchange: Exchange, accounts: readonly SimulatedAccount[], seed: number) {
    this.exchange = exchange;
    this.accounts = accounts;
    this.ids = wireIds(seed);
    this.markets = exchange.markets();
  }

  accountByAddress(address: unknown): SimulatedAccount | undefined {
    return this.accounts.find((account) => account.address === address);
  }

  accountByName(name: string): SimulatedAccount | undefined {
    return this.accounts.find((account) => account.name === name);
  }

  instrument(coin: unknown): Instrument | undefined {
    return this.markets.find(({ symbol }) => symbol === coin);
  }

  known(symbol: string): Instrument {
    const instrument = this.instrument(symbol);
    if (instrument === undefined) throw new RangeError(`the simulated venue must list ${symbol}`);
    return instrument;
  }

  /** Keeps the last report of every order. */
  observe(event: ExchangeEvent): void {
    if (event.type !== 'order') return;
    const number = event.order.venueOrderNumber;
    if (event.order.status === 'open' && event.order.timeInForce === 'gtc') this.#rested.add(number);
    this.#states.set(number, event.order);
  }

  /** Undefined while it waits for its block. */
  state(orderNumber: number): ExchangeOrderState | undefined {
    return this.#states.get(orderNumber);
  }

  statusText(order: ExchangeOrderState): string {
    return statusText(order, this.#rested.has(order.venueOrderNumber));
  }

  /** The open order of the account with this id, if any: two at once are refused. */
  openByCloid(account: SimulatedAccount, cloid: string): ExchangeOrderState | undefined {
    return this.#numbersOf(account, cloid)
      .map((number) => this.#states.get(number))
      .find((order) => order?.status === 'open');
  }

  /** Orders accepted from then on (calendar ms) are not told when asked: the venue's lists lag behind its engine. */
  hiddenSinceMs: number | undefined;

  /** No signer is known any more. */
  isRevoked = false;

  /** What a question about an order finds. */
  findShown(account: SimulatedAccount, oid: unknown): ExchangeOrderState | undefined {
    const order = this.find(account, oid);
    return order !== undefined && order.createdAtMs >= (this.hiddenSinceMs ?? Infinity) ? undefined : order;
  }

  /** The newest order of the account with this number or client id. */
  find(account: SimulatedAccount, oid: unknown): ExchangeOrderState | undefined {
    if (typeof oid === 'string') {
      const number = this.#numbersOf(account, oid).at(-1);
      return number === undefined ? undefined : this.#states.get(number);
    }
    const order = this.#states.get(Number(oid) - this.ids.order(0));
    return order?.account === account.name ? order : undefined;
  }

  openOrders(account: SimulatedAccount): readonly ExchangeOrderState[] {
    const hiddenSinceMs = this.hiddenSinceMs ?? Infinity;
    return this.exchange
      .orders(account.name)
      .filter(({ status, createdAtMs }) => status === 'open' && createdAtMs < hiddenSinceMs);
  }

  endedOrders(account: SimulatedAccount): readonly ExchangeOrderState[] {
    return [...this.#states.values()].filter((order) => order.account === account.name && order.status !== 'open');
  }

  /** An id that an ended order had may be used again: the exchange itself knows no two orders with one id. */
  submit(order: ExchangeOrder, account: SimulatedAccount, cloid: string | undefined, at: Instant): SubmitOutcome {
    const used = cloid === undefined ? 0 : this.#numbersOf(account, cloid).length;
    if (cloid === undefined) this.#unnamed += 1;
    // Empty ids are the exchange's own orders: liquidations.
    const own = cloid === undefined ? `${UNNAMED}${REPEAT}${this.#unnamed}` : clientOrderIdOf(cloid) || cloid;
    const clientOrderId = used === 0 ? own : `${own}${REPEAT}${used}`;
    const outcome = this.exchange.submit({ ...order, clientOrderId }, at);
    if (outcome.accepted) this.#name(account, cloid, outcome.venueOrderNumber);
    return outcome;
  }

  /** Takes an order that the exchange will never see; it looks open until it is dropped. */
  pretend(order: ExchangeOrder, account: SimulatedAccount, cloid: string | undefined, atMs: number): number {
    this.#pretended += 1;
    const venueOrderNumber = PRETENDED_FROM + this.#pretended;
    this.#name(account, cloid, venueOrderNumber);
    const times = { createdAtMs: atMs, updatedAtMs: atMs };
    const state = {
      ...order,
      ...times,
      venueOrderNumber,
      status: 'open',
      filledLots: 0,
      filledQuoteMicro: 0n,
    } as const;
    this.#states.set(venueOrderNumber, state);
    return venueOrderNumber;
  }

  /** Returns the dropped order. */
  dropPretended(orderNumber: number, atMs: number): ExchangeOrderState {
    const order = this.#states.get(orderNumber);
    if (order === undefined) throw new RangeError(`order ${orderNumber} must be one only pretended to be taken`);
    const dropped: ExchangeOrderState = { ...order, status: 'cancelled', reason: 'internal', updatedAtMs: atMs };
    this.#states.set(orderNumber, dropped);
    return dropped;
  }

  /** The number of an order that is dropped at once and can never be found. */
  unusedOrderNumber(): number {
    this.#pretended += 1;
    return PRETENDED_FROM + this.#pretended;
  }

  leverageOf(account: SimulatedAccount, instrument: Instrument): number {
    const set = this.#leverage.get(`${account.name} ${instrument.symbol}`);
    return set ?? Math.min(account.leverage ?? 1, instrument.maxLeverage);
  }

  /** False when the exchange refuses it. */
  setLeverage(account: SimulatedAccount, symbol: string, leverage: number): boolean {
    if (!this.exchange.setLeverage(account.name, symbol, leverage)) return false;
    this.#leverage.set(`${account.name} ${symbol}`, leverage);
    return true;
  }

  /** Takes note of what an earlier life did. */
  recall(fact: ExchangeFact): void {
    if (fact.type === 'leverage-set') {
      this.#leverage.set(`${fact.account} ${fact.symbol}`, fact.leverage);
    } else if (fact.type === 'accepted') {
      const account = this.accountByName(fact.order.account);
      const [own = '', count] = fact.order.clientOrderId.split(REPEAT);
      if (own === UNNAMED) this.#unnamed = Math.max(this.#unnamed, Number(count));
      else if (own !== '' && account !== undefined)
        this.#name(account, own.startsWith('0x') ? own : cloidOf(own), fact.order.venueOrderNumber);
    } else {
      this.observe(fact);
    }
  }

  cloid(orderNumber: number): string | undefined {
    return this.#cloids.get(orderNumber);
  }

  orderJson(order: ExchangeOrderState): { readonly [field: string]: Json | undefined } {
    return orderJson(order, this.known(order.symbol), this.ids, this.cloid(order.venueOrderNumber));
  }

  fullOrderJson(order: ExchangeOrderState): { readonly [field: string]: Json | undefined } {
    return fullOrderJson(order, this.known(order.symbol), this.ids, this.cloid(order.venueOrderNumber));
  }

  /** The exchange's own truth, with the ids the wire shows. */
  oracle(account: SimulatedAccount): AccountOracle {
    const truth = this.exchange.oracle(account.name);
    const { ids } = this;
    const orderNumbers = (): ReadonlyMap<number, number> => this.#orderNumbersByTrade(account);
    return {
      openingWalletMicro: truth.openingWalletMicro,
      walletMicro: truth.walletMicro,
      positions: truth.positions,
      get fills() {
        const orderByTrade = orderNumbers();
        return truth.fills.map((fill): OracleFill => {
          const number = Number(fill.fillId);
          const fillId = fillIdOf(String(ids.trade(number)), String(ids.order(orderByTrade.get(number) ?? 0)));
          return { ...fill, fillId, clientOrderId: wireClientId(fill.clientOrderId) };
        });
      },
      get fundingPayments() {
        return truth.fundingPayments.map((payment): OracleFundingPayment => ({
          ...payment,
          paymentId: paymentIdOf(payment.symbol, payment.settledAtMs),
        }));
      },
      get orders() {
        return truth.orders.map((order): OracleOrder => ({
          ...order,
          clientOrderId: wireClientId(order.clientOrderId),
        }));
      },
    };
  }

  #orderNumbersByTrade(account: SimulatedAccount): ReadonlyMap<number, number> {
    const numbers = new Map<number, number>();
    for (const { tradeNumber, taker, maker } of this.exchange.trades(account.name)) {
      const party = taker?.account === account.name ? taker : maker;
      if (party !== undefined) numbers.set(tradeNumber, party.venueOrderNumber);
    }
    return numbers;
  }

  #name(account: SimulatedAccount, cloid: string | undefined, orderNumber: number): void {
    if (cloid === undefined) return;
    this.#cloids.set(orderNumber, cloid);
    const key = `${account.name} ${cloid}`;
    this.#numbersByCloid.set(key, [...(this.#numbersByCloid.get(key) ?? []), orderNumber]);
  }

  #numbersOf(account: SimulatedAccount, cloid: string): readonly number[] {
    return this.#numbersByCloid.get(`${account.name} ${cloid}`) ?? [];
  }
}

/** Forced trades and orders without a client id have none. */
function wireClientId(exchangeId: string): string {
  const [own = ''] = exchangeId.split(REPEAT);
  return own === UNNAMED ? '' : own;
}
