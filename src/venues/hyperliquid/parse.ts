/** Reads Hyperliquid's markets, contexts, books, orders, fills, positions and payments into exact types. Pure; connector thread. */
import type { BookLevel } from '../../market/book.ts';
import { fundingRateFromText, HOUR_MS } from '../../market/funding-rate.ts';
import { priceTicksFromText, quantityLotsFromText } from '../../money/amounts.ts';
import type { MicroUnits, PicoRate, QuantityLots, SignedLots } from '../../money/units.ts';
import { halfMarginTiers } from '../../market/margin-tiers.ts';
import type { MarginTier } from '../../market/margin-tiers.ts';
import { asFields, isFields, malformed } from '../json.ts';
import type { Fields } from '../json.ts';
import { reportSequence } from '../report-sequence.ts';
import type { FillReport, FundingPaymentReport, OrderReport, PositionReport, VenueEvent } from '../venue.ts';
import {
  amountDown,
  amountNearest,
  amountUp,
  asList,
  countField,
  idField,
  nanoField,
  optionalText,
  picoField,
  sideField,
  textField,
  timeField,
} from './json.ts';
import type { FindMarket, HyperliquidMarket } from './markets.ts';
import { PREMIUM_FORMULA } from './funding-formula.ts';
import { clientOrderIdOf, PERP_DECIMALS, PRICE_DIGITS_MAX } from './wire.ts';

/** Base tier, until the account's own are read. */
const TAKER_FEE = 450_000_000 as PicoRate;
const MAKER_FEE = 150_000_000 as PicoRate;
const MIN_NOTIONAL_MICRO = 10_000_000n as MicroUnits;

/** Largest order that may take, by the market's leverage, in quote. */
const TAKER_NOTIONAL_MAX: readonly (readonly [leverage: number, notional: bigint])[] = [
  [25, 15_000_000n],
  [20, 5_000_000n],
  [10, 2_000_000n],
  [0, 500_000n],
];

/** The list of all perpetuals; what cannot be read is told beside the others, and keeps its number. */
export function parseMeta(value: unknown): {
  readonly markets: readonly HyperliquidMarket[];
  readonly damaged: readonly { readonly item: unknown; readonly error: unknown }[];
} {
  const markets: HyperliquidMarket[] = [];
  const damaged: { readonly item: unknown; readonly error: unknown }[] = [];
  const meta = asFields(value, 'meta');
  const tables = parseMarginTables(meta['marginTables']);
  asList(meta['universe'], 'meta.universe').forEach((item, asset) => {
    try {
      markets.push(parseMarket(item, asset, tables));
    } catch (error) {
      damaged.push({ item, error });
    }
  });
  return { markets, damaged };
}

/** By table number; one that cannot be read is left out, and its markets keep the terms of their smallest positions. */
function parseMarginTables(value: unknown): ReadonlyMap<number, readonly MarginTier[]> {
  const tables = new Map<number, readonly MarginTier[]>();
  for (const entry of Array.isArray(value) ? value : []) {
    const [id, table]: readonly unknown[] = Array.isArray(entry) ? entry : [];
    const rows: unknown = isFields(table) ? table['marginTiers'] : undefined;
    if (!Array.isArray(rows)) continue;
    const tiers = halfMarginTiers(
      rows.map((row: unknown) => {
        const fields = isFields(row) ? row : {};
        return { lowerBound: optionalText(fields, 'lowerBound') ?? '', maxLeverage: Number(fields['maxLeverage']) };
      }),
    );
    if (tiers !== undefined) tables.set(Number(id), tiers);
  }
  return tables;
}

function parseMarket(
  value: unknown,
  asset: number,
  tables: ReadonlyMap<number, readonly MarginTier[]>,
): HyperliquidMarket {
  const market = asFields(value, 'market');
  const symbol = textField(market, 'name', 'market');
  const where = `market ${symbol}`;
  const sizeDecimals = countField(market, 'szDecimals', where);
  if (sizeDecimals > PERP_DECIMALS) throw malformed(`${where}.szDecimals`, `at most ${PERP_DECIMALS}`, sizeDecimals);
  const maxLeverage = countField(market, 'maxLeverage', where);
  if (maxLeverage < 1) throw malformed(`${where}.maxLeverage`, 'at least 1', maxLeverage);
  const isDelisted = market['isDelisted'] === true;
  const bundle = /^k([A-Z].*)$/.exec(symbol)?.[1];
  const marginTiers = tables.get(Number(market['marginTableId'] ?? Number.NaN));
  const notionalMax = TAKER_NOTIONAL_MAX.find(([leverage]) => maxLeverage >= leverage)?.[1] ?? 0n;
  return {
    asset,
    isDelisted,
    isolatedOnly: market['onlyIsolated'] === true || optionalText(market, 'marginMode') !== undefined,
    instrument: {
      venue: 'hyperliquid',
      symbol,
      base: bundle ?? symbol,
      quote: 'USDC',
      multiplier: bundle === undefined ? 1 : 1000,
      priceDecimals: PERP_DECIMALS - sizeDecimals,
      tickUnits: 1,
      priceDigitsMax: PRICE_DIGITS_MAX,
      quantityDecimals: sizeDecimals,
      lotUnits: 1,
      minQuantityLots: 1 as QuantityLots,
      minNotionalMicro: MIN_NOTIONAL_MICRO,
      maxNotionalMicro: (notionalMax * 1_000_000n) as MicroUnits,
      maxLeverage,
      // Half the initial margin at the highest leverage; larger positions have more, by their tiers.
      maintenanceMarginRate: Math.ceil(1e12 / (2 * maxLeverage)) as PicoRate,
      ...(marginTiers === undefined ? {} : { marginTiers }),
      makerFee: MAKER_FEE,
      takerFee: TAKER_FEE,
      fundingIntervalMs: HOUR_MS,
      fundingPrice: 'oracle',
      premiumFormula: PREMIUM_FORMULA,
      status: isDelisted ? 'inactive' : 'active',
    },
  };
}

/** Mark, oracle and the running funding estimate. The context carries no time: it is as of its arrival. */
export function parseContext(coin: string, value: unknown, nowMs: number): readonly VenueEvent[] {
  const where = `context of ${coin}`;
  const context = asFields(value, where);
  return [
    {
      type: 'mark',
      symbol: coin,
      markTicksScaled: {
        markNano: nanoField(context, 'markPx', where),
        indexNano: nanoField(context, 'oraclePx', where),
      },
      venueAtMs: nowMs,
    },
    rateEvent(coin, 'predicted', textField(context, 'funding', where), nextHourMs(nowMs), nowMs),
  ];
}

function nextHourMs(nowMs: number): number {
  return (Math.floor(nowMs / HOUR_MS) + 1) * HOUR_MS;
}

/** Records carry a few ms after the hour they settle. */
function settledHourMs(timeMs: number): number {
  return Math.floor(timeMs / HOUR_MS) * HOUR_MS;
}

/** A settled rate `{coin, fundingRate, premium, time}`. */
export function parseSettledRate(value: unknown): VenueEvent {
  const settled = asFields(value, 'settled rate');
  const timeMs = timeField(settled, 'time', 'settled rate');
  const coin = textField(settled, 'coin', 'settled rate');
  return rateEvent(coin, 'settled', textField(settled, 'fundingRate', 'settled rate'), settledHourMs(timeMs), timeMs);
}

function rateEvent(
  symbol: string,
  kind: 'predicted' | 'settled',
  raw: string,
  settleAtMs: number,
  venueAtMs: number,
): VenueEvent {
  // Estimates and settled rates are both for one hour.
  const unit = { scale: 'fraction', perMs: HOUR_MS } as const;
  const record = { venue: 'hyperliquid', symbol, kind, raw, unit, intervalMs: HOUR_MS, settleAtMs, venueAtMs };
  const rate = fundingRateFromText(record);
  if ('rejected' in rate)
    return { type: 'bad-value', what: 'FUNDING_RATE', symbol, code: rate.rejected, detail: `${kind}: ${rate.detail}` };
  return { type: 'funding-rate', rate };
}

/** One level `{px, sz, n}`. */
export function parseLevel(value: unknown, market: HyperliquidMarket): BookLevel {
  const level = asFields(value, 'book level');
  return [
    priceTicksFromText(textField(level, 'px', 'book level'), market.instrument),
    quantityLotsFromText(textField(level, 'sz', 'book level'), market.instrument),
  ];
}

/** Account value, positions and what may be withdrawn, with the venue's time. */
export function parseAccount(
  value: unknown,
  find: FindMarket,
): { readonly atMs: number; readonly events: readonly VenueEvent[] } {
  const account = asFields(value, 'account');
  const summary = asFields(account['marginSummary'] ?? account['crossMarginSummary'], 'account.marginSummary');
  const positions: PositionReport[] = [];
  const unknown: VenueEvent[] = [];
  let unrealisedMicro = 0n;
  for (const item of asList(account['assetPositions'], 'account.assetPositions')) {
    const position = asFields(asFields(item, 'position')['position'], 'position');
    unrealisedMicro += amountDown(position, 'unrealizedPnl', 'position');
    const report = parsePosition(position, find);
    if (report !== undefined) positions.push(report);
    else
      unknown.push({
        type: 'venue-error',
        code: 'UNKNOWN_COIN',
        reason: `positions name the coin ${String(position['coin'])}`,
      });
  }
  const equityMicro = amountDown(summary, 'accountValue', 'account.marginSummary');
  return {
    atMs: timeField(account, 'time', 'account'),
    events: [
      { type: 'positions-snapshot', positions },
      {
        type: 'balance',
        walletMicro: (equityMicro - unrealisedMicro) as MicroUnits,
        availableMicro: amountDown(account, 'withdrawable', 'account'),
      },
      ...unknown,
    ],
  };
}

function parsePosition(position: Fields, find: FindMarket): PositionReport | undefined {
  const market = find(textField(position, 'coin', 'position'));
  if (market === undefined) return undefined;
  const leverage = asFields(position['leverage'], 'position.leverage');
  const entryPrice = optionalText(position, 'entryPx');
  const liquidationPrice = optionalText(position, 'liquidationPx');
  return {
    symbol: market.instrument.symbol,
    signedLots: signedLotsField(position, market, 'position'),
    ...(entryPrice === undefined ? {} : { entryPrice }),
    ...(liquidationPrice === undefined ? {} : { liquidationPrice }),
    leverage: countField(leverage, 'value', 'position.leverage'),
  };
}

function signedLotsField(fields: Fields, market: HyperliquidMarket, where: string): SignedLots {
  const text = textField(fields, 'szi', where);
  const isShort = text.startsWith('-');
  const lots = quantityLotsFromText(isShort ? text.slice(1) : text, market.instrument);
  return (isShort ? -lots + 0 : lots) as SignedLots;
}

/** Spot pairs and dust conversions share the account's history with the perpetuals: `@107`, `PURR/USDC`, `+10`. */
export function isSpot(coin: string): boolean {
  return coin.startsWith('@') || coin.startsWith('+') || coin.includes('/');
}

/** An order as streams, lists and queries have it; `sz` is what is left. Returns undefined when the coin is none we know. */
export function parseOrder(
  value: unknown,
  status: string,
  statusAtMs: number | undefined,
  find: FindMarket,
): OrderReport | undefined {
  const order = asFields(value, 'order');
  const market = find(textField(order, 'coin', 'order'));
  if (market === undefined) return undefined;
  const left = quantityLotsFromText(textField(order, 'sz', 'order'), market.instrument);
  const originally = optionalText(order, 'origSz');
  const lots = originally === undefined ? left : quantityLotsFromText(originally, market.instrument);
  if (left > lots) throw malformed('order.sz', `at most origSz ${lots} lots`, left);
  const venueAtMs = statusAtMs ?? timeField(order, 'timestamp', 'order');
  const means = statusOf(status);
  // "filled" with something left over: an immediate order that ended before it was done.
  const ended = means === 'filled' && left > 0 ? 'cancelled' : means;
  const filledLots = (lots - left) as QuantityLots;
  return {
    symbol: market.instrument.symbol,
    clientOrderId: clientOrderIdOf(optionalText(order, 'cloid') ?? ''),
    venueOrderId: idField(order, 'oid', 'order'),
    status: ended,
    side: sideField(order, 'order'),
    lots,
    filledLots,
    ...(means === 'open' || means === 'filled' ? {} : { reason: status }),
    ...(means === 'open' && order['isTrigger'] === true ? { isWaiting: true } : {}),
    venueAtMs,
    sequence: reportSequence({ venueAtMs, lots, filledLots, isOpen: ended === 'open' }),
  };
}

/** The venue adds reasons over time; each ends in what it is. */
function statusOf(status: string): OrderReport['status'] {
  if (status === 'open' || status === 'triggered' || status === 'resting') return 'open';
  if (status === 'filled') return 'filled';
  if (/(?:^r|R)ejected$/.test(status)) return 'rejected';
  if (/(?:^c|C)ancell?ed$/.test(status) || status.endsWith('Cancel')) return 'cancelled';
  throw malformed('order status', 'a known status', status);
}

/** The same trade has one number on both its sides; with the order's number it is unique. */
export function fillIdOf(tradeId: string, venueOrderId: string): string {
  return `${tradeId}-${venueOrderId}`;
}

/** Returns undefined when the coin is none we know. */
export function parseFill(value: unknown, find: FindMarket): FillReport | undefined {
  const fill = asFields(value, 'fill');
  const market = find(textField(fill, 'coin', 'fill'));
  if (market === undefined) return undefined;
  const feeToken = optionalText(fill, 'feeToken') ?? 'USDC';
  if (feeToken !== 'USDC') throw malformed('fill.feeToken', 'USDC', feeToken);
  const venueOrderId = idField(fill, 'oid', 'fill');
  const lots = quantityLotsFromText(textField(fill, 'sz', 'fill'), market.instrument);
  if (lots === 0) throw malformed('fill.sz', 'above 0', fill['sz']);
  return {
    fillId: fillIdOf(idField(fill, 'tid', 'fill'), venueOrderId),
    symbol: market.instrument.symbol,
    clientOrderId: clientOrderIdOf(optionalText(fill, 'cloid') ?? ''),
    venueOrderId,
    side: sideField(fill, 'fill'),
    priceTicks: priceTicksFromText(textField(fill, 'px', 'fill'), market.instrument),
    lots,
    // A cost, negative for a rebate: the cash flow is its opposite.
    feeMicro: -amountUp(fill, 'fee', 'fill') as MicroUnits,
    liquidity: fill['crossed'] === true ? 'taker' : 'maker',
    venueAtMs: timeField(fill, 'time', 'fill'),
    ...forcedBy(fill),
  };
}

/** Whoever traded with a liquidated account is told of it too: what matters is whether the order was ours. */
function forcedBy(fill: Fields): Pick<FillReport, 'forced'> {
  if (optionalText(fill, 'dir') === 'Auto-Deleveraging') return { forced: 'adl' };
  return isFields(fill['liquidation']) ? { forced: 'liquidation' } : {};
}

/** Payments have no number: there is one per coin and hour. */
export function paymentIdOf(coin: string, settledAtMs: number): string {
  return `${coin}-${settledAtMs}`;
}

/** A payment: flat on the stream, below `delta` in answers. Returns undefined when the coin is none we know. */
export function parsePayment(value: unknown, find: FindMarket): FundingPaymentReport | undefined {
  const record = asFields(value, 'funding payment');
  const payment = record['delta'] === undefined ? record : asFields(record['delta'], 'funding payment');
  const coin = textField(payment, 'coin', 'funding payment');
  const market = find(coin);
  if (market === undefined) return undefined;
  const settledAtMs = settledHourMs(timeField(record, 'time', 'funding payment'));
  return {
    paymentId: paymentIdOf(coin, settledAtMs),
    symbol: coin,
    amountMicro: amountNearest(payment, 'usdc', 'funding payment'),
    rate: picoField(payment, 'fundingRate', 'funding payment'),
    signedLots: signedLotsField(payment, market, 'funding payment'),
    settledAtMs,
  };
}

/** The account's own rates. */
export function parseFees(value: unknown): VenueEvent {
  const fees = asFields(value, 'fees');
  return {
    type: 'fee-tier',
    makerFee: picoField(fees, 'userAddRate', 'fees'),
    takerFee: picoField(fees, 'userCrossRate', 'fees'),
  };
}

/** What is in force for one coin, from the data that a question or a channel brings. */
export function parseLeverage(symbol: string, data: Fields): Extract<VenueEvent, { type: 'leverage' }> {
  const leverage = asFields(data['leverage'], 'asset data.leverage');
  return { type: 'leverage', symbol, leverage: countField(leverage, 'value', 'asset data.leverage') };
}
