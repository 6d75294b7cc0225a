/** Rebuilds one simulated account from the facts an earlier life kept, by the arithmetic that made them. Any thread. */
import type { AccountLedger } from './account-ledger.ts';
import type { ExchangeOrderState, ExchangeTrade, TradeParty } from './exchange.ts';
import type { MarketScale } from './exchange-arithmetic.ts';
import type { ExchangeFact } from './exchange-facts.ts';
import type { LiveOrder } from './matching-book.ts';

/** The highest numbers the account has seen, 0 when none. */
export interface LastNumbers {
  orderNumber: number;
  tradeNumber: number;
  paymentNumber: number;
}

/**
 * Books the account's own facts, oldest first. Throws Error when a fill books other amounts than it did then: the facts are not
 * complete, or the arithmetic has changed.
 */
export function restoreAccount(
  account: AccountLedger,
  facts: readonly ExchangeFact[],
  scaleOf: (symbol: string) => MarketScale,
): LastNumbers {
  const last: LastNumbers = { orderNumber: 0, tradeNumber: 0, paymentNumber: 0 };
  const byNumber = new Map<number, LiveOrder>();
  for (const fact of facts) {
    switch (fact.type) {
      case 'accepted':
      case 'order':
        if (fact.order.account !== account.name) break;
        last.orderNumber = Math.max(last.orderNumber, fact.order.venueOrderNumber);
        restoreOrder(account, byNumber, fact.order);
        break;
      case 'trade':
        for (const party of [fact.trade.taker, fact.trade.maker]) {
          if (party?.account !== account.name) continue;
          last.tradeNumber = Math.max(last.tradeNumber, fact.trade.tradeNumber);
          restoreFill(account, byNumber, fact.trade, party, scaleOf(fact.trade.symbol));
        }
        break;
      case 'funding':
        for (const payment of fact.payments) {
          if (payment.account !== account.name) continue;
          last.paymentNumber = Math.max(last.paymentNumber, payment.paymentNumber);
          account.applyFunding(payment);
        }
        break;
      case 'leverage-set':
        if (fact.account === account.name) account.leverageBySymbol.set(fact.symbol, fact.leverage);
        break;
      case 'position':
        // Follows from the trades.
        break;
    }
  }
  return last;
}

function restoreOrder(account: AccountLedger, byNumber: Map<number, LiveOrder>, state: ExchangeOrderState): void {
  const { venueOrderNumber, clientOrderId, status } = state;
  const known = byNumber.get(venueOrderNumber);
  const live = known ?? { state };
  live.state = state;
  if (known === undefined) {
    byNumber.set(venueOrderNumber, live);
    account.orders.push(live);
    if (clientOrderId !== '') account.orderByClientId.set(clientOrderId, live);
  }
  if (status === 'queued' || status === 'open') account.liveOrders.set(venueOrderNumber, live);
  else account.liveOrders.delete(venueOrderNumber);
}

function restoreFill(
  account: AccountLedger,
  byNumber: ReadonlyMap<number, LiveOrder>,
  trade: ExchangeTrade,
  party: TradeParty,
  scale: MarketScale,
): void {
  const { tradeNumber, symbol, priceTicks, lots, takerSide, atMs } = trade;
  const isTaker = party === trade.taker;
  const side = isTaker ? takerSide : takerSide === 'buy' ? 'sell' : 'buy';
  const { takerFee, makerFee } = scale.instrument;
  const effect = account.applyFill({
    tradeNumber,
    scale,
    live: byNumber.get(party.venueOrderNumber),
    side,
    priceTicks,
    lots,
    feeRatePico: isTaker ? takerFee : makerFee,
    atMs,
  });
  if (
    effect.feeMicro !== party.feeMicro ||
    effect.realisedMicro !== party.realisedMicro ||
    effect.positionBeforeLots !== party.positionBeforeLots
  ) {
    throw new Error(
      `trade ${tradeNumber} of ${account.name} in ${symbol} must book fee ${party.feeMicro}, result ${party.realisedMicro} on ` +
        `${party.positionBeforeLots} lots as before, books ${effect.feeMicro}, ${effect.realisedMicro} on ${effect.positionBeforeLots}`,
    );
  }
  account.rememberTrade(trade);
}
