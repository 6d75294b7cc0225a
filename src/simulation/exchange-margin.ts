/** Equity, margin and liquidation of simulated accounts, from ledgers and current marks. Any thread. */
import { divideUp } from '../money/rounding.ts';
import type { AccountLedger } from './account-ledger.ts';
import type { ExchangePosition } from './exchange.ts';
import type { MarketScale } from './exchange-arithmetic.ts';
import { marginMicro, valueMicro } from './exchange-arithmetic.ts';

/** What margin needs to know of a market: its scale and its mark now, 1e-9 quote per contract. */
export interface MarkedMarket {
  readonly scale: MarketScale;
  markNano: bigint;
}
export type MarkedMarkets = ReadonlyMap<string, MarkedMarket>;

/** Exposure a new order would add. */
export interface ExtraOrder {
  readonly symbol: string;
  readonly side: 'buy' | 'sell';
  readonly lots: number;
}

export function leverageOf(
  account: AccountLedger,
  symbol: string,
  defaultLeverage: number,
  markets: MarkedMarkets,
): number {
  const max = markets.get(symbol)?.scale.instrument.maxLeverage ?? 1;
  return Math.min(account.leverageBySymbol.get(symbol) ?? defaultLeverage, max);
}

export function unrealisedMicro(account: AccountLedger, symbol: string, markets: MarkedMarkets): bigint {
  const held = account.positions.get(symbol);
  const market = markets.get(symbol);
  if (held === undefined || market === undefined) return 0n;
  return valueMicro(market.scale, held.signedLots, market.markNano) - held.costMicro;
}

export function equityMicro(account: AccountLedger, markets: MarkedMarkets): bigint {
  let equity = account.walletMicro;
  for (const symbol of account.positions.keys()) equity += unrealisedMicro(account, symbol, markets);
  return equity;
}

export function maintenanceMarginMicro(account: AccountLedger, markets: MarkedMarkets): bigint {
  let margin = 0n;
  for (const [symbol, held] of account.positions) {
    const market = markets.get(symbol);
    if (market === undefined) continue;
    const value = valueMicro(market.scale, held.signedLots, market.markNano);
    margin += marginMicro(value, market.scale.instrument.maintenanceMarginRate);
  }
  return margin;
}

/**
 * Initial margin of positions and live orders, each market at the worse of "all buys fill" and "all sells fill", rounded up.
 * Reduce-only orders take no margin.
 */
export function initialMarginMicro(
  account: AccountLedger,
  defaultLeverage: number,
  markets: MarkedMarkets,
  extra?: ExtraOrder,
): bigint {
  const buys = new Map<string, number>();
  const sells = new Map<string, number>();
  const addOrder = (order: ExtraOrder): void => {
    const lots = order.side === 'buy' ? buys : sells;
    lots.set(order.symbol, (lots.get(order.symbol) ?? 0) + order.lots);
  };
  for (const { state } of account.liveOrders.values()) {
    if (!state.reduceOnly) addOrder({ symbol: state.symbol, side: state.side, lots: state.lots - state.filledLots });
  }
  if (extra !== undefined) addOrder(extra);

  let margin = 0n;
  for (const symbol of new Set([...account.positions.keys(), ...buys.keys(), ...sells.keys()])) {
    const market = markets.get(symbol);
    if (market === undefined) continue;
    const held = account.signedLots(symbol);
    const worst = Math.max(Math.abs(held + (buys.get(symbol) ?? 0)), Math.abs(held - (sells.get(symbol) ?? 0)));
    const value = valueMicro(market.scale, worst, market.markNano);
    margin += divideUp(value, BigInt(leverageOf(account, symbol, defaultLeverage, markets)));
  }
  return margin;
}

export function positionView(
  account: AccountLedger,
  symbol: string,
  defaultLeverage: number,
  markets: MarkedMarkets,
): ExchangePosition {
  const held = account.positions.get(symbol);
  const liquidationPrice = liquidationPriceOf(account, symbol, markets);
  return {
    symbol,
    signedLots: held?.signedLots ?? 0,
    costMicro: held?.costMicro ?? 0n,
    unrealisedMicro: unrealisedMicro(account, symbol, markets),
    leverage: leverageOf(account, symbol, defaultLeverage, markets),
    ...(liquidationPrice === undefined ? {} : { liquidationPrice }),
  };
}

/** The mark at which equity meets maintenance with all other markets unchanged; undefined when no price does that. */
function liquidationPriceOf(account: AccountLedger, symbol: string, markets: MarkedMarkets): number | undefined {
  const held = account.positions.get(symbol);
  const market = markets.get(symbol);
  if (held === undefined || market === undefined) return undefined;
  const value = valueMicro(market.scale, held.signedLots, market.markNano);
  const rate = market.scale.instrument.maintenanceMarginRate / 1e12;
  const others =
    maintenanceMarginMicro(account, markets) - marginMicro(value, market.scale.instrument.maintenanceMarginRate);
  const equityWithoutValue = equityMicro(account, markets) - value;
  const quantity = held.signedLots * market.scale.lotSize;
  const price = Number(others - equityWithoutValue) / 1e6 / (quantity - Math.abs(quantity) * rate);
  return Number.isFinite(price) && price > 0 ? price : undefined;
}
