/** What the simulated gateway keeps beside the exchange: ids, balances as of the last daily settlement, orders it only pretended to take. Any thread. */
import { HOUR_MS } from '../../market/funding-rate.ts';
import type { Instrument } from '../../market/instrument.ts';
import type {
  Exchange,
  ExchangeFundingPayment,
  ExchangeOrder,
  ExchangeOrderState,
  ExchangePosition,
  ExchangeTrade,
  TradeParty,
} from '../../simulation/exchange.ts';
import type { AccountOracle, OracleFill, OracleFundingPayment } from '../../simulation/simulated-venue.ts';
import type { SimulatedAccount } from './simulated-access.ts';
import {
  orderJson,
  paymentRowJson,
  positionJson,
  summaryJson,
  tradeJson,
  tradeRowJson,
  wireIds,
  wireLabel,
} from './simulated-wire.ts';
import type { Json, WireIds } from './simulated-wire.ts';

/** Order numbers of orders that never reached the exchange, far above any of its own. */
const PRETENDED_FROM = 10_000_000;
/** Profit of a session is booked to the balance at this hour, UTC. */
const SETTLEMENT_HOUR_MS = 8 * HOUR_MS;
const DAY_MS = 24 * HOUR_MS;

export class SimulatedRecords {
  readonly exchange: Exchange;
  readonly ids: WireIds;
  readonly accounts: readonly SimulatedAccount[];
  readonly #instruments: ReadonlyMap<string, Instrument>;
  readonly #pretended: ExchangeOrderState[] = [];
  readonly #settled = new Map<string, { readonly day: number; readonly balanceMicro: bigint }>();

  constructor(exchange: Exchange, accounts: readonly SimulatedAccount[], seed: number) {
    this.exchange = exchange;
    this.accounts = accounts;
    this.ids = wireIds(seed);
    this.#instruments = new Map(exchange.markets().map((instrument) => [instrument.symbol, instrument]));
  }

  instrument(symbol: string): Instrument | undefined {
    return this.#instruments.get(symbol);
  }

  /** Orders accepted from then on (calendar ms) are not told when asked: the venue's lists lag behind its engine. */
  hiddenSinceMs: number | undefined;

  /** All orders of an account that it tells of, oldest first, those it only pretended to take included. */
  orders(account: SimulatedAccount): readonly ExchangeOrderState[] {
    const pretended = this.#pretended.filter((order) => order.account === account.name);
    const { hiddenSinceMs } = this;
    const known = this.exchange.orders(account.name);
    const shown = hiddenSinceMs === undefined ? known : known.filter((order) => order.createdAtMs < hiddenSinceMs);
    return pretended.length === 0 ? shown : [...shown, ...pretended];
  }

  order(account: SimulatedAccount, orderId: unknown): ExchangeOrderState | undefined {
    const number = typeof orderId === 'string' ? this.ids.orderNumber(orderId) : Number.NaN;
    return this.orders(account).find(({ venueOrderNumber }) => venueOrderNumber === number);
  }

  /** Orders with a label, oldest first: the venue does not mind repeats. */
  labelled(account: SimulatedAccount, label: unknown): readonly ExchangeOrderState[] {
    return this.orders(account).filter(
      ({ clientOrderId }) => clientOrderId !== '' && wireLabel(clientOrderId) === label,
    );
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

  orderJson(order: ExchangeOrderState): Json {
    return orderJson(order, this.#known(order.symbol), this.ids);
  }
  tradeJson(trade: ExchangeTrade, party: TradeParty): Json {
    return tradeJson(trade, party, this.#known(trade.symbol), this.ids);
  }
  tradeRowJson(trade: ExchangeTrade, party: TradeParty): Json {
    return tradeRowJson(trade, party, this.#known(trade.symbol), this.ids);
  }
  paymentRowJson(payment: ExchangeFundingPayment): Json {
    return paymentRowJson(payment, this.#known(payment.symbol), this.ids);
  }
  positionJson(position: ExchangePosition): Json {
    return positionJson(position, this.#known(position.symbol), this.exchange.stats(position.symbol));
  }

  summaryJson(account: SimulatedAccount, nowMs: number): Json {
    const wallet = this.exchange.wallet(account.name);
    const day = Math.floor((nowMs - SETTLEMENT_HOUR_MS) / DAY_MS);
    const known = this.#settled.get(account.name);
    // Whoever looks first after the hour sees the session booked.
    const settled = known?.day === day ? known : { day, balanceMicro: wallet.walletMicro };
    this.#settled.set(account.name, settled);
    return summaryJson(wallet, settled.balanceMicro);
  }

  /** The party of a trade that is this account. */
  partyOf(trade: ExchangeTrade, account: SimulatedAccount): TradeParty {
    const party = trade.taker?.account === account.name ? trade.taker : trade.maker;
    if (party === undefined) throw new Error('a remembered trade has a side that is ours');
    return party;
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
          paymentId: String(ids.payment(Number(payment.paymentId))),
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
