/** Wallet, positions and books of record of one simulated account, by average cost. Exact integers; any thread. */
import { divideHalfEven } from '../money/rounding.ts';
import type { ExchangeFundingPayment, ExchangeTrade } from './exchange.ts';
import type { MarketScale } from './exchange-arithmetic.ts';
import { feeMicro, notionalMicro } from './exchange-arithmetic.ts';
import type { LiveOrder } from './matching-book.ts';
import type { AccountOracle, OracleFill, OracleFundingPayment, OracleOrder } from './simulated-venue.ts';

/** Trades and payments an account remembers for its queries; the oracle's own lists are complete. */
export const ACCOUNT_HISTORY_MAX = 100_000;

export interface HeldPosition {
  signedLots: number;
  /** Signed quote paid for the open quantity: positive long, negative short. */
  costMicro: bigint;
}

export interface AccountFill {
  readonly tradeNumber: number;
  readonly scale: MarketScale;
  readonly live: LiveOrder | undefined;
  readonly side: 'buy' | 'sell';
  readonly priceTicks: number;
  readonly lots: number;
  readonly feeRatePico: number;
  readonly atMs: number;
}

export interface FillEffect {
  readonly feeMicro: bigint;
  readonly realisedMicro: bigint;
  readonly positionBeforeLots: number;
}

export class AccountLedger {
  readonly name: string;
  readonly openingWalletMicro: bigint;
  walletMicro: bigint;
  readonly positions = new Map<string, HeldPosition>();
  readonly leverageBySymbol = new Map<string, number>();
  /** Every order ever accepted, oldest first; those with a client order id also by it. */
  readonly orders: LiveOrder[] = [];
  readonly orderByClientId = new Map<string, LiveOrder>();
  /** Queued and open orders by venue order number, oldest first. */
  readonly liveOrders = new Map<number, LiveOrder>();
  readonly trades: ExchangeTrade[] = [];
  readonly payments: ExchangeFundingPayment[] = [];
  readonly #oracleFills: OracleFill[] = [];
  readonly #oraclePayments: OracleFundingPayment[] = [];

  constructor(name: string, openingWalletMicro: bigint) {
    this.name = name;
    this.openingWalletMicro = openingWalletMicro;
    this.walletMicro = openingWalletMicro;
  }

  signedLots(symbol: string): number {
    return this.positions.get(symbol)?.signedLots ?? 0;
  }

  /** Moves the position and the wallet by one fill. */
  applyFill(fill: AccountFill): FillEffect {
    const { scale, side, priceTicks, lots } = fill;
    const symbol = scale.instrument.symbol;
    const signed = side === 'buy' ? lots : -lots;
    const held = this.positions.get(symbol) ?? { signedLots: 0, costMicro: 0n };
    const before = held.signedLots;

    let realised = 0n;
    let opening = signed;
    if (before !== 0 && Math.sign(before) !== Math.sign(signed)) {
      const closed = Math.min(Math.abs(before), lots);
      const share = divideHalfEven(held.costMicro * BigInt(closed), BigInt(Math.abs(before)));
      const proceeds = notionalMicro(scale, priceTicks, Math.sign(before) * closed);
      realised = proceeds - share;
      held.costMicro -= share;
      held.signedLots -= Math.sign(before) * closed;
      opening = signed + Math.sign(before) * closed;
    }
    if (opening !== 0) {
      held.costMicro += notionalMicro(scale, priceTicks, opening);
      held.signedLots += opening;
    }
    if (held.signedLots === 0) this.positions.delete(symbol);
    else this.positions.set(symbol, held);

    const fee = feeMicro(notionalMicro(scale, priceTicks, lots), fill.feeRatePico);
    this.walletMicro += realised + fee;
    this.#oracleFills.push({
      fillId: String(fill.tradeNumber),
      clientOrderId: fill.live?.state.clientOrderId ?? '',
      symbol,
      side,
      priceTicks,
      lots,
      feeMicro: fee,
      realisedMicro: realised,
      atMs: fill.atMs,
    });
    return { feeMicro: fee, realisedMicro: realised, positionBeforeLots: before };
  }

  applyFunding(payment: ExchangeFundingPayment): void {
    this.walletMicro += payment.amountMicro;
    remember(this.payments, payment);
    this.#oraclePayments.push({
      paymentId: String(payment.paymentNumber),
      symbol: payment.symbol,
      amountMicro: payment.amountMicro,
      signedLots: payment.signedLots,
      settledAtMs: payment.settledAtMs,
    });
  }

  rememberTrade(trade: ExchangeTrade): void {
    remember(this.trades, trade);
  }

  /** A view of the books; its lists go on growing, and its orders are worked out when asked for. */
  oracle(): AccountOracle {
    const { openingWalletMicro, walletMicro, orders } = this;
    const positions = new Map<string, number>();
    for (const [symbol, held] of this.positions) positions.set(symbol, held.signedLots);
    return {
      openingWalletMicro,
      walletMicro,
      positions,
      fills: this.#oracleFills,
      fundingPayments: this.#oraclePayments,
      get orders() {
        return orders.map(oracleOrder);
      },
    };
  }
}

function oracleOrder({ state }: LiveOrder): OracleOrder {
  const { clientOrderId, symbol, side, lots, filledLots, reduceOnly, status } = state;
  return { clientOrderId, symbol, side, lots, filledLots, reduceOnly, status };
}

/** Appends and forgets the oldest half when the bound is reached, so that forgetting costs nothing per entry. */
export function remember<T>(list: T[], entry: T, max = ACCOUNT_HISTORY_MAX): void {
  list.push(entry);
  if (list.length > max) list.splice(0, Math.ceil(max / 2));
}
