/** What the simulated Bybit venue keeps beside the exchange: ids, fees per order, leverage shown, orders it only pretended to take. Any thread. */
import type { Instrument } from '../../market/instrument.ts';
import type {
  Exchange,
  ExchangeEvent,
  ExchangeFundingPayment,
  ExchangeOrder,
  ExchangeOrderState,
  ExchangePosition,
  ExchangeTrade,
  TradeParty,
} from '../../simulation/exchange.ts';
import type { AccountOracle, OracleFill, OracleFundingPayment } from '../../simulation/simulated-venue.ts';
import type { SimulatedAccount } from './simulated-access.ts';
import { executionJson, fundingJson, orderJson, positionJson, walletJson, wireIds } from './simulated-wire.ts';
import type { Json, WireIds } from './simulated-wire.ts';

/** Order numbers of orders that never reached the exchange, far above any of its own. */
const PRETENDED_FROM = 100_000_000_000;

export class SimulatedRecords {
  readonly exchange: Exchange;
  readonly ids: WireIds;
  readonly accounts: readonly SimulatedAccount[];
  readonly #instruments: ReadonlyMap<string, Instrument>;
  readonly #paidFees = new Map<number, bigint>();
  readonly #leverage = new Map<string, number>();
  readonly #pretended: ExchangeOrderState[] = [];
  /** Orders of clients that gave them no id. */
  readonly #unnamed = new Set<number>();

  constructor(exchange: Exchange, accounts: readonly SimulatedAccount[], seed: number) {
    this.exchange = exchange;
    this.accounts = accounts;
    this.ids = wireIds(seed);
    this.#instruments = new Map(exchange.markets().map((instrument) => [instrument.symbol, instrument]));
  }

  instrument(symbol: string): Instrument | undefined {
    return this.#instruments.get(symbol);
  }

  account(name: string): SimulatedAccount | undefined {
    return this.accounts.find((account) => account.name === name);
  }

  /** Books what the wire shows and the exchange does not keep. */
  observe(event: ExchangeEvent): void {
    if (event.type !== 'trade') return;
    for (const party of [event.trade.taker, event.trade.maker]) {
      if (party === undefined) continue;
      const paid = this.#paidFees.get(party.venueOrderNumber) ?? 0n;
      this.#paidFees.set(party.venueOrderNumber, paid - party.feeMicro);
    }
  }

  /** Takes note of an order that a client placed. */
  placed(clientOrderId: string, venueOrderNumber: number): void {
    if (clientOrderId === '') this.#unnamed.add(venueOrderNumber);
  }

  /** What every key may do beside trading. */
  keyRights = { isReadOnly: false, wallet: [] as readonly string[] };

  keyJson(account: SimulatedAccount): Json {
    const { isReadOnly, wallet } = this.keyRights;
    return {
      id: '1',
      note: account.name,
      apiKey: account.apiKey,
      readOnly: isReadOnly ? 1 : 0,
      secret: '',
      permissions: { ContractTrade: ['Order', 'Position'], Derivatives: ['DerivativesTrade'], Wallet: wallet },
      ips: ['*'],
      type: 1,
      deadlineDay: 90,
      expiredAt: '2099-01-01T00:00:00Z',
      isMaster: false,
    };
  }

  /** Orders accepted from then on (calendar ms) are not told when asked: the venue's lists lag behind its engine. */
  hiddenSinceMs: number | undefined;

  /** All orders of an account, oldest first, those it only pretended to take included. */
  orders(account: SimulatedAccount): readonly ExchangeOrderState[] {
    const pretended = this.#pretended.filter((order) => order.account === account.name);
    const { hiddenSinceMs } = this;
    const known = this.exchange.orders(account.name);
    const shown = hiddenSinceMs === undefined ? known : known.filter((order) => order.createdAtMs < hiddenSinceMs);
    return pretended.length === 0 ? shown : [...shown, ...pretended];
  }

  /** Takes an order that the exchange will never see; returns its number. It looks open until it is rejected. */
  pretend(order: ExchangeOrder, atMs: number): number {
    const venueOrderNumber = PRETENDED_FROM + this.#pretended.length;
    const times = { createdAtMs: atMs, updatedAtMs: atMs };
    this.#pretended.push({
      ...order,
      venueOrderNumber,
      status: 'queued',
      filledLots: 0,
      filledQuoteMicro: 0n,
      ...times,
    });
    return venueOrderNumber;
  }

  /** `reason` is the wire's own text. Returns the rejected order. */
  rejectPretended(venueOrderNumber: number, reason: string, atMs: number): ExchangeOrderState {
    const index = venueOrderNumber - PRETENDED_FROM;
    const order = this.#pretended[index];
    if (order === undefined) throw new RangeError(`order ${venueOrderNumber} must be one only pretended to be taken`);
    const rejected: ExchangeOrderState = { ...order, status: 'rejected', reason, updatedAtMs: atMs };
    this.#pretended[index] = rejected;
    return rejected;
  }

  /** An id for an order that is dropped at once and can never be found. */
  unusedOrderId(): string {
    return this.ids.order(PRETENDED_FROM * 2 + this.#pretended.length);
  }

  leverageOf(account: SimulatedAccount, symbol: string): number {
    return this.#leverage.get(`${account.name} ${symbol}`) ?? account.leverage;
  }

  /** False when the exchange refuses it. */
  setLeverage(account: SimulatedAccount, symbol: string, leverage: number): boolean {
    if (!this.exchange.setLeverage(account.name, symbol, leverage)) return false;
    this.leverageKnown(account.name, symbol, leverage);
    return true;
  }

  /** Takes note of what the exchange has set. */
  leverageKnown(account: string, symbol: string, leverage: number): void {
    this.#leverage.set(`${account} ${symbol}`, leverage);
  }

  orderJson(order: ExchangeOrderState): Json {
    const paid = this.#paidFees.get(order.venueOrderNumber) ?? 0n;
    return orderJson(order, this.#known(order.symbol), this.ids, paid);
  }

  executionJson(trade: ExchangeTrade, party: TradeParty): Json {
    // An order without an id that did not come over the wire is the venue's own.
    const isForced = party.clientOrderId === '' && !this.#unnamed.has(party.venueOrderNumber);
    return executionJson(trade, party, isForced, this.#known(trade.symbol), this.ids);
  }

  fundingJson(payment: ExchangeFundingPayment): Json {
    return fundingJson(payment, this.#known(payment.symbol), this.ids);
  }

  positionJson(position: ExchangePosition, nowMs: number, priceName: 'avgPrice' | 'entryPrice'): Json {
    const { symbol } = position;
    return positionJson(position, this.#known(symbol), this.exchange.stats(symbol), nowMs, priceName);
  }

  walletJson(account: SimulatedAccount): Json {
    const coin = this.exchange.markets()[0]?.quote ?? 'USDT';
    return walletJson(this.exchange.wallet(account.name), coin);
  }

  /** The exchange's own truth, with the ids the wire shows. */
  oracle(account: SimulatedAccount): AccountOracle {
    const truth = this.exchange.oracle(account.name);
    const { ids } = this;
    return {
      openingWalletMicro: truth.openingWalletMicro,
      walletMicro: truth.walletMicro,
      positions: truth.positions,
      get fills() {
        return truth.fills.map((fill): OracleFill => ({ ...fill, fillId: ids.trade(Number(fill.fillId)) }));
      },
      get fundingPayments() {
        return truth.fundingPayments.map((payment): OracleFundingPayment => ({
          ...payment,
          paymentId: ids.payment(Number(payment.paymentId)),
        }));
      },
      get orders() {
        return truth.orders;
      },
    };
  }

  #known(symbol: string): Instrument {
    const instrument = this.#instruments.get(symbol);
    if (instrument === undefined) throw new RangeError(`the simulated venue must list ${symbol}`);
    return instrument;
  }
}
