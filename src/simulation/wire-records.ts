/**
 * What every simulated venue keeps between its exchange and its wire: instruments by symbol, orders it only pretended to take, orders it
 * does not tell of yet, and the exchange's truth under the wire's ids. Any thread.
 */
import type { Instrument } from '../market/instrument.ts';
import type { Exchange, ExchangeOrder, ExchangeOrderState, ExchangeTrade, TradeParty } from './exchange.ts';
import type { AccountOracle, OracleFill, OracleFundingPayment } from './simulated-venue.ts';

/** The wire's ids of fills and payments, by the exchange's numbers. */
export interface OracleIds {
  trade(tradeNumber: number): string;
  payment(paymentNumber: number): string;
}

export class WireRecords<Account extends { readonly name: string }> {
  readonly exchange: Exchange;
  readonly accounts: readonly Account[];
  /** Orders accepted from then on (calendar ms) are not told when asked: a venue's lists may lag behind its engine. */
  hiddenSinceMs: number | undefined;
  readonly #instruments: ReadonlyMap<string, Instrument>;
  readonly #pretendedFrom: number;
  readonly #pretended: ExchangeOrderState[] = [];

  /** `pretendedFrom`: numbers of orders that never reach the exchange begin here, far above any of its own. */
  constructor(exchange: Exchange, accounts: readonly Account[], pretendedFrom: number) {
    this.exchange = exchange;
    this.accounts = accounts;
    this.#pretendedFrom = pretendedFrom;
    this.#instruments = new Map(exchange.markets().map((instrument) => [instrument.symbol, instrument]));
  }

  instrument(symbol: string): Instrument | undefined {
    return this.#instruments.get(symbol);
  }

  /** The instrument of something the exchange itself told of. */
  known(symbol: string): Instrument {
    const instrument = this.#instruments.get(symbol);
    if (instrument === undefined) throw new RangeError(`the simulated venue must list ${symbol}`);
    return instrument;
  }

  /** All orders of an account that it tells of, oldest first, those it only pretended to take included. */
  orders(account: Account): readonly ExchangeOrderState[] {
    const pretended = this.#pretended.filter((order) => order.account === account.name);
    const { hiddenSinceMs } = this;
    const known = this.exchange.orders(account.name);
    const shown = hiddenSinceMs === undefined ? known : known.filter((order) => order.createdAtMs < hiddenSinceMs);
    return pretended.length === 0 ? shown : [...shown, ...pretended];
  }

  /** Takes an order that the exchange will never see; returns its number. It looks open until it is rejected. */
  pretend(order: ExchangeOrder, atMs: number): number {
    const venueOrderNumber = this.#pretendedFrom + this.#pretended.length;
    const times = { createdAtMs: atMs, updatedAtMs: atMs };
    const nothing = { filledLots: 0, filledQuoteMicro: 0n };
    this.#pretended.push({ ...order, venueOrderNumber, status: 'queued', ...nothing, ...times });
    return venueOrderNumber;
  }

  /** `reason` is the wire's own text. Returns the rejected order. */
  rejectPretended(venueOrderNumber: number, reason: string, atMs: number): ExchangeOrderState {
    const index = venueOrderNumber - this.#pretendedFrom;
    const order = this.#pretended[index];
    if (order === undefined) throw new RangeError(`order ${venueOrderNumber} must be one only pretended to be taken`);
    const rejected: ExchangeOrderState = { ...order, status: 'rejected', reason, updatedAtMs: atMs };
    this.#pretended[index] = rejected;
    return rejected;
  }

  /** A number for an order that is dropped at once and can never be found. */
  unusedOrderNumber(): number {
    return this.#pretendedFrom * 2 + this.#pretended.length;
  }

  /** The party of a trade that is this account. */
  partyOf(trade: ExchangeTrade, account: Account): TradeParty {
    const party = trade.taker?.account === account.name ? trade.taker : trade.maker;
    if (party === undefined) throw new Error('a remembered trade has a side that is ours');
    return party;
  }

  /** The exchange's own truth, with the ids the wire shows. Lists are made when read: they only grow. */
  oracleOf(account: Account, ids: OracleIds): AccountOracle {
    const truth = this.exchange.oracle(account.name);
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
}
