/** What the simulated Extended venue keeps beside the exchange: ids, fees per order, results per position, orders it only pretended to take. Any thread. */
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
import { balanceJson, fillJson, fundingPaymentJson, orderJson, positionJson, wireIds } from './simulated-wire.ts';
import type { SimulatedAccount, WireIds } from './simulated-wire.ts';
import type { WireValue } from './wire.ts';

/** Order numbers of orders that never reached the exchange, far above any of its own. */
const PRETENDED_FROM = 1_000_000_000_000;

interface HeldResult {
  realisedMicro: bigint;
  openedAtMs: number;
}

export class SimulatedRecords {
  readonly exchange: Exchange;
  readonly ids: WireIds;
  readonly accounts: readonly SimulatedAccount[];
  readonly #instruments: ReadonlyMap<string, Instrument>;
  readonly #marketIndex: ReadonlyMap<string, number>;
  readonly #paidFees = new Map<number, bigint>();
  readonly #results = new Map<string, HeldResult>();
  readonly #leverage = new Map<string, number>();
  readonly #pretended: ExchangeOrderState[] = [];

  constructor(exchange: Exchange, accounts: readonly SimulatedAccount[], seed: number) {
    this.exchange = exchange;
    this.accounts = accounts;
    this.ids = wireIds(seed);
    const markets = exchange.markets();
    this.#instruments = new Map(markets.map((instrument) => [instrument.symbol, instrument]));
    this.#marketIndex = new Map(markets.map((instrument, index) => [instrument.symbol, index]));
  }

  instrument(symbol: string): Instrument | undefined {
    return this.#instruments.get(symbol);
  }

  /** No key is known any more. */
  isRevoked = false;

  accountByKey(apiKey: string | undefined): SimulatedAccount | undefined {
    return this.isRevoked ? undefined : this.accounts.find((account) => account.apiKey === apiKey);
  }

  account(name: string): SimulatedAccount | undefined {
    return this.accounts.find((account) => account.name === name);
  }

  /** Books what the wire shows and the exchange does not keep. */
  observe(event: ExchangeEvent): void {
    if (event.type !== 'trade') return;
    for (const party of [event.trade.taker, event.trade.maker])
      if (party !== undefined) this.#observeFill(event.trade, party);
  }

  #observeFill(trade: ExchangeTrade, party: TradeParty): void {
    this.#paidFees.set(party.venueOrderNumber, (this.#paidFees.get(party.venueOrderNumber) ?? 0n) - party.feeMicro);
    const buys = (trade.taker === party) === (trade.takerSide === 'buy');
    const after = party.positionBeforeLots + (buys ? trade.lots : -trade.lots);
    const key = `${party.account} ${trade.symbol}`;
    const held = this.#results.get(key);
    if (
      held === undefined ||
      party.positionBeforeLots === 0 ||
      Math.sign(after) === -Math.sign(party.positionBeforeLots)
    ) {
      this.#results.set(key, { realisedMicro: party.feeMicro, openedAtMs: trade.atMs });
    } else {
      held.realisedMicro += party.realisedMicro + party.feeMicro;
    }
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

  /** Takes an order that the exchange will never see; returns its number. It looks queued until it is rejected. */
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
  unusedOrderId(): bigint {
    return this.ids.order(PRETENDED_FROM * 2 + this.#pretended.length);
  }

  leverageOf(account: SimulatedAccount, symbol: string): number {
    return this.#leverage.get(`${account.name} ${symbol}`) ?? account.leverage ?? 1;
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

  orderJson(order: ExchangeOrderState, account: SimulatedAccount): WireValue {
    const paid = this.#paidFees.get(order.venueOrderNumber) ?? 0n;
    return orderJson(order, this.#known(order.symbol), this.ids, account.accountId, paid);
  }

  positionJson(position: ExchangePosition, account: SimulatedAccount, nowMs: number): WireValue {
    const result = this.#results.get(`${account.name} ${position.symbol}`);
    return positionJson({
      position,
      instrument: this.#known(position.symbol),
      stats: this.exchange.stats(position.symbol),
      positionId: this.#positionId(position.symbol, account),
      accountId: account.accountId,
      realisedMicro: result?.realisedMicro ?? 0n,
      openedAtMs: result?.openedAtMs ?? nowMs,
      nowMs,
    });
  }

  balanceJson(account: SimulatedAccount, nowMs: number): WireValue {
    return balanceJson(this.exchange.wallet(account.name), nowMs);
  }

  fillJson(
    trade: ExchangeTrade,
    party: TradeParty,
    account: SimulatedAccount,
    idName: 'externalId' | 'externalOrderId',
  ): WireValue {
    return fillJson(trade, party, this.#known(trade.symbol), this.ids, account.accountId, idName);
  }

  fundingPaymentJson(payment: ExchangeFundingPayment, account: SimulatedAccount): WireValue {
    return fundingPaymentJson(
      payment,
      this.#known(payment.symbol),
      this.ids,
      this.#positionId(payment.symbol, account),
      account.accountId,
    );
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
        return truth.fills.map((fill): OracleFill => ({ ...fill, fillId: ids.trade(Number(fill.fillId)).toString() }));
      },
      get fundingPayments() {
        return truth.fundingPayments.map((payment): OracleFundingPayment => ({
          ...payment,
          paymentId: ids.payment(Number(payment.paymentId)).toString(),
        }));
      },
      get orders() {
        return truth.orders;
      },
    };
  }

  #positionId(symbol: string, account: SimulatedAccount): bigint {
    return this.ids.position(account.accountId, this.#marketIndex.get(symbol) ?? 0);
  }

  #known(symbol: string): Instrument {
    const instrument = this.#instruments.get(symbol);
    if (instrument === undefined) throw new RangeError(`the simulated venue must list ${symbol}`);
    return instrument;
  }
}
