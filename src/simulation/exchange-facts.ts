/** What a simulated exchange must remember to continue after its process died: the facts its accounts rest on. Any thread. */
import type { Exchange, ExchangeEvent, ExchangeOrderState } from './exchange.ts';

/** Plain data, in the order it happened. Books and statistics are no facts: the tape makes them anew. */
export type ExchangeFact =
  | { readonly type: 'accepted'; readonly order: ExchangeOrderState }
  | {
      readonly type: 'leverage-set';
      readonly account: string;
      readonly symbol: string;
      readonly leverage: number;
    }
  | Extract<ExchangeEvent, { type: 'order' | 'trade' | 'position' | 'funding' }>;

/** What an earlier life kept, and the last instant that it lived through (calendar ms). */
export interface ExchangePast {
  readonly facts: readonly ExchangeFact[];
  readonly calendarMs: number;
}

export interface NotedExchange {
  /** The same exchange; what it does is noted. */
  readonly exchange: Exchange;
  /** Facts since the last call, oldest first. */
  readonly takeFacts: () => readonly ExchangeFact[];
}

/** Notes every fact of an exchange as it happens. Whatever `advance` has not told yet is not noted yet. */
export function noteFacts(exchange: Exchange): NotedExchange {
  let facts: ExchangeFact[] = [];
  const noted: Exchange = {
    advance: (at) => {
      const events = exchange.advance(at);
      for (const event of events) if (isFact(event)) facts.push(event);
      return events;
    },
    submit: (order, at) => {
      const outcome = exchange.submit(order, at);
      const accepted = outcome.accepted ? exchange.orders(order.account).at(-1) : undefined;
      if (accepted !== undefined) facts.push({ type: 'accepted', order: accepted });
      return outcome;
    },
    setLeverage: (account, symbol, leverage) => {
      const isSet = exchange.setLeverage(account, symbol, leverage);
      if (isSet) facts.push({ type: 'leverage-set', account, symbol, leverage });
      return isSet;
    },
    nextWakeMs: () => exchange.nextWakeMs(),
    cancel: (account, find, at) => exchange.cancel(account, find, at),
    cancelAll: (account, at) => exchange.cancelAll(account, at),
    book: (symbol) => exchange.book(symbol),
    stats: (symbol) => exchange.stats(symbol),
    markets: () => exchange.markets(),
    wallet: (account) => exchange.wallet(account),
    position: (account, symbol) => exchange.position(account, symbol),
    positions: (account) => exchange.positions(account),
    orders: (account) => exchange.orders(account),
    trades: (account) => exchange.trades(account),
    recentTrades: (symbol) => exchange.recentTrades(symbol),
    fundingPayments: (account) => exchange.fundingPayments(account),
    fundingHistory: (symbol) => exchange.fundingHistory(symbol),
    oracle: (account) => exchange.oracle(account),
    forceTrade: (account, symbol, signedLots, at) => exchange.forceTrade(account, symbol, signedLots, at),
  };
  return {
    exchange: noted,
    takeFacts: () => {
      const taken = facts;
      facts = [];
      return taken;
    },
  };
}

/** Whether an event changes what the accounts rest on: the outside's trades and empty settlements do not. */
export function isFact(event: ExchangeEvent): event is Exclude<ExchangeFact, { type: 'accepted' | 'leverage-set' }> {
  switch (event.type) {
    case 'order':
    case 'position':
      return true;
    case 'trade':
      return event.trade.taker !== undefined || event.trade.maker !== undefined;
    case 'funding':
      return event.payments.length > 0;
    default:
      return false;
  }
}
