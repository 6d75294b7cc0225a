/** What simulated Advanced Trade keeps beside the exchange: ids, fees by order, and funding that is not cash yet. Any thread. */
import type {
  Exchange,
  ExchangeEvent,
  ExchangeOrderState,
  ExchangePosition,
  ExchangeTrade,
} from '../../simulation/exchange.ts';
import type { AccountOracle } from '../../simulation/simulated-venue.ts';
import { WireRecords } from '../../simulation/wire-records.ts';
import {
  advancedIds,
  balanceJson,
  dollars,
  fillJson,
  orderJson,
  plainAmount,
  positionJson,
  userOrderJson,
  userPositionJson,
} from './advanced-simulated-wire.ts';
import type { AdvancedIds, Json } from './advanced-simulated-wire.ts';
import type { TokenOwner } from './simulated-tokens.ts';

/** One account of the simulated venue. */
export interface AdvancedAccount extends TokenOwner {
  readonly name: string;
  /** Leverage the exchange gives its positions. */
  readonly leverage: number;
}

/** Order numbers of orders that never reached the exchange, far above any of its own. */
const PRETENDED_FROM = 10_000_000_000;
const HOUR_MS = 3_600_000;
/** Funding accrues by the hour and becomes cash twice a day, in one sum: at the end of the trading day and half a day from it, UTC. */
const ADJUSTED_EVERY_MS = 12 * HOUR_MS;
const ADJUSTED_AT_MS = 9 * HOUR_MS;

export class AdvancedRecords extends WireRecords<AdvancedAccount> {
  readonly ids: AdvancedIds;
  /** What every key may do. */
  keyRights = { canTrade: true, canTransfer: false };
  readonly #paidMicro = new Map<number, bigint>();

  constructor(exchange: Exchange, accounts: readonly AdvancedAccount[], seed: number) {
    super(exchange, accounts, PRETENDED_FROM);
    this.ids = advancedIds(seed);
  }

  /** Books what the wire shows and the exchange does not keep. */
  observe(event: ExchangeEvent): void {
    if (event.type !== 'trade') return;
    for (const party of [event.trade.taker, event.trade.maker]) {
      if (party === undefined) continue;
      const paid = this.#paidMicro.get(party.venueOrderNumber) ?? 0n;
      this.#paidMicro.set(party.venueOrderNumber, paid - party.feeMicro);
    }
  }

  order(account: AdvancedAccount, orderId: unknown): ExchangeOrderState | undefined {
    const number = typeof orderId === 'string' ? this.ids.orderNumber(orderId) : Number.NaN;
    return this.orders(account).find(({ venueOrderNumber }) => venueOrderNumber === number);
  }

  #parts(order: ExchangeOrderState): Parameters<typeof orderJson>[0] {
    const paidMicro = this.#paidMicro.get(order.venueOrderNumber) ?? 0n;
    return { order, instrument: this.known(order.symbol), ids: this.ids, paidMicro };
  }
  orderJson(order: ExchangeOrderState): Json {
    return orderJson(this.#parts(order));
  }
  userOrderJson(order: ExchangeOrderState): Json {
    return userOrderJson(this.#parts(order));
  }
  fillJson(trade: ExchangeTrade, account: AdvancedAccount): Json {
    return fillJson(trade, this.partyOf(trade, account), this.known(trade.symbol), this.ids);
  }
  positionJson(position: ExchangePosition): Json {
    const { symbol } = position;
    return positionJson(position, this.known(symbol), this.exchange.stats(symbol));
  }
  userPositionJson(position: ExchangePosition): Json {
    return userPositionJson(position, this.known(position.symbol));
  }

  balanceJson(account: AdvancedAccount, nowMs: number): Json {
    return balanceJson(this.exchange.wallet(account.name), this.#accruedMicro(account, nowMs), dollars);
  }
  plainBalanceJson(account: AdvancedAccount, nowMs: number): Json {
    return balanceJson(this.exchange.wallet(account.name), this.#accruedMicro(account, nowMs), plainAmount);
  }

  /** Funding of this half day: exchanged at its end, and listed nowhere. */
  #accruedMicro(account: AdvancedAccount, nowMs: number): bigint {
    const adjustedMs = adjustmentBefore(nowMs);
    return this.exchange
      .fundingPayments(account.name)
      .reduce((sum, { settledAtMs, amountMicro }) => (settledAtMs > adjustedMs ? sum + amountMicro : sum), 0n);
  }

  oracle(account: AdvancedAccount): AccountOracle {
    return this.oracleOf(account, { trade: (number) => this.ids.trade(number), payment: String });
  }
}

/** When funding last became cash, calendar ms. */
export function adjustmentBefore(nowMs: number): number {
  return Math.floor((nowMs - ADJUSTED_AT_MS) / ADJUSTED_EVERY_MS) * ADJUSTED_EVERY_MS + ADJUSTED_AT_MS;
}
export const nextAdjustment = (nowMs: number): number => adjustmentBefore(nowMs) + ADJUSTED_EVERY_MS;
