/** Reads Advanced Trade's products, orders, fills, positions and balances: US futures, counted in contracts. Pure; connector thread. */
import type { Instrument } from '../../market/instrument.ts';
import { canonicalUnderlying } from '../../market/instrument-match.ts';
import { priceTicksFromText } from '../../money/amounts.ts';
import type { MicroUnits, PicoRate, QuantityLots, SignedLots } from '../../money/units.ts';
import { amountDown, costUp, nanoField, optionalText, picoField, stepField, textField } from '../fields.ts';
import { asFields, malformed } from '../json.ts';
import type { Fields } from '../json.ts';
import { reportSequence } from '../report-sequence.ts';
import type { FillReport, OrderReport, PositionReport, VenueEvent } from '../venue.ts';
import { isoTimeField, plainAmounts } from './json.ts';
import { rateEvent } from './parse.ts';
import type { FindInstrument } from './parse.ts';
import { idOfUuid } from './wire.ts';

/** Rates of the lowest tier, until the account's own are read. */
const TAKER_FEE = 300_000_000 as PicoRate;
const MAKER_FEE = 0 as PicoRate;
const MAX_NOTIONAL = 1_000_000_000_000_000n as MicroUnits;

/**
 * Returns undefined for anything but a future that pays funding. It is told from a dated one by its funding rate alone: the venue calls
 * both expiring. A lot is one contract; prices are per unit of the underlying.
 */
export function parseProduct(value: unknown): Instrument | undefined {
  const product = asFields(value, 'product');
  if (product['product_type'] !== 'FUTURE') return undefined;
  const details = asFields(product['future_product_details'], 'product.future_product_details');
  if (optionalText(details, 'funding_rate') === undefined) return undefined;
  const symbol = textField(product, 'product_id', 'product');
  const where = `product ${symbol}`;
  const price = stepField(product, 'price_increment', where);
  const contract = stepField(details, 'contract_size', where);
  const margin = asFields(details['overnight_margin_rate'], `${where}.overnight_margin_rate`);
  const { base, multiplier } = canonicalUnderlying(textField(details, 'contract_root_unit', where));
  // Positions may be held into the night, and the worse side decides.
  const marginRate = Math.max(
    picoField(margin, 'long_margin_rate', where),
    picoField(margin, 'short_margin_rate', where),
  );
  if (!(marginRate > 0 && marginRate <= 1e12))
    throw malformed(`${where}.overnight_margin_rate`, 'a fraction above 0, at most 1', margin);
  return {
    venue: 'coinbase',
    symbol,
    base,
    quote: textField(product, 'quote_currency_id', where),
    multiplier,
    priceDecimals: price.decimals,
    tickUnits: price.units,
    quantityDecimals: contract.decimals,
    lotUnits: contract.units,
    minQuantityLots: contractsField(product, 'base_min_size', where) as QuantityLots,
    maxQuantityLots: contractsField(product, 'base_max_size', where) as QuantityLots,
    minNotionalMicro: 0n as MicroUnits,
    maxNotionalMicro: MAX_NOTIONAL,
    maxLeverage: Math.max(1, Math.floor(1e12 / marginRate)),
    maintenanceMarginRate: marginRate as PicoRate,
    makerFee: MAKER_FEE,
    takerFee: TAKER_FEE,
    fundingIntervalMs: intervalField(details, where),
    fundingPrice: 'mark',
    status: statusOf(product),
  };
}

/** Contracts are whole. */
function contractsField(fields: Fields, name: string, where: string): number {
  const text = textField(fields, name, where);
  const contracts = Number(text);
  if (!/^\d{1,12}(?:\.0*)?$/.test(text) || contracts < 1)
    throw malformed(`${where}.${name}`, 'a positive whole number of contracts', text);
  return contracts;
}

/** "3600s". */
function intervalField(details: Fields, where: string): number {
  const text = optionalText(details, 'funding_interval') ?? '3600s';
  const seconds = Number(/^(\d{1,6})s$/.exec(text)?.[1] ?? Number.NaN);
  if (!(seconds >= 60 && seconds <= 604_800))
    throw malformed(`${where}.funding_interval`, 'seconds, from a minute to a week', text);
  return seconds * 1_000;
}

/** Outside its session a product can be neither opened nor closed; one that only cancels can not be traded either. */
function statusOf(product: Fields): Instrument['status'] {
  const isOff = ['is_disabled', 'trading_disabled', 'view_only', 'cancel_only', 'auction_mode'].some(
    (name) => product[name] === true,
  );
  return isOff || !isSessionOpen(product) ? 'inactive' : 'active';
}

/** Whether the exchange takes orders now; a product without sessions is always open. */
export function isSessionOpen(product: Fields): boolean {
  const session = product['fcm_trading_session_details'];
  if (session === null || session === undefined) return true;
  const details = asFields(session, 'product.fcm_trading_session_details');
  const state = optionalText(details, 'session_state');
  if (state === undefined || /UNDEFINED|UNSPECIFIED/.test(state)) return details['is_session_open'] !== false;
  return /(?:^|_STATE_)OPEN$/.test(state);
}

/** The product's rate: of the hour that its time names, and, once that is over, the best estimate of the next. */
export function productEvents(value: unknown, instrument: Instrument, nowMs: number): readonly VenueEvent[] {
  const product = asFields(value, 'product');
  const { symbol, fundingIntervalMs: intervalMs } = instrument;
  const where = `product ${symbol}`;
  const details = asFields(product['future_product_details'], where);
  const events: VenueEvent[] = [];
  const mid = ['mid_market_price', 'price'].find((name) => optionalText(product, name) !== undefined);
  if (mid !== undefined) {
    const indexNano =
      optionalText(details, 'index_price') === undefined ? undefined : nanoField(details, 'index_price', where);
    const markTicksScaled = {
      markNano: nanoField(product, mid, where),
      ...(indexNano === undefined ? {} : { indexNano }),
    };
    events.push({ type: 'mark', symbol, markTicksScaled, venueAtMs: nowMs });
  }
  const raw = optionalText(details, 'funding_rate');
  if (raw === undefined || optionalText(details, 'funding_time') === undefined) return events;
  const statedMs = isoTimeField(details, 'funding_time', where);
  const unit = { scale: 'fraction', perMs: intervalMs } as const;
  const common = { symbol, raw, unit, intervalMs, venueAtMs: nowMs };
  const coming = statedMs > nowMs ? statedMs : (Math.floor(nowMs / intervalMs) + 1) * intervalMs;
  if (statedMs <= nowMs)
    events.push(rateEvent({ ...common, kind: 'settled', settleAtMs: statedMs, venueAtMs: statedMs }));
  events.push(rateEvent({ ...common, kind: 'predicted', settleAtMs: coming }));
  return events;
}

/** Cash of the futures account and what of it is free, by the stricter of the two margin windows. */
export function parseBalance(value: unknown): Extract<VenueEvent, { type: 'balance' }> {
  const summary = plainAmounts(asFields(value, 'balance summary'));
  const isStated = optionalText(summary, 'total_usd_balance') !== undefined;
  const walletMicro = amountDown(summary, isStated ? 'total_usd_balance' : 'cfm_usd_balance', 'balance summary');
  return { type: 'balance', walletMicro, availableMicro: amountDown(summary, 'available_margin', 'balance summary') };
}

/** Returns undefined when the product is none of ours. */
export function parsePosition(value: unknown, find: FindInstrument): PositionReport | undefined {
  const position = plainAmounts(asFields(value, 'position'));
  const instrument = find(textField(position, 'product_id', 'position'));
  if (instrument === undefined) return undefined;
  const text = textField(position, 'number_of_contracts', 'position');
  const contracts = /^-?\d{1,12}(?:\.0*)?$/.test(text) ? Math.abs(Number(text)) : undefined;
  if (contracts === undefined) throw malformed('position.number_of_contracts', 'a whole number', text);
  const side = textField(position, 'side', 'position').replace(/^FUTURES_POSITION_SIDE_/, '');
  if (side !== 'LONG' && side !== 'SHORT' && contracts > 0) throw malformed('position.side', 'LONG or SHORT', side);
  const entryPrice = optionalText(position, 'avg_entry_price');
  const liquidationPrice = optionalText(position, 'liquidation_price');
  return {
    symbol: instrument.symbol,
    signedLots: (side === 'SHORT' ? -contracts + 0 : contracts) as SignedLots,
    ...(entryPrice === undefined || Number(entryPrice) === 0 ? {} : { entryPrice }),
    ...(liquidationPrice === undefined || Number(liquidationPrice) === 0 ? {} : { liquidationPrice }),
  };
}

const STATUS: ReadonlyMap<string, OrderReport['status']> = new Map([
  ['PENDING', 'open'],
  ['OPEN', 'open'],
  ['QUEUED', 'open'],
  ['CANCEL_QUEUED', 'open'],
  ['EDIT_QUEUED', 'open'],
  ['FILLED', 'filled'],
  ['CANCELLED', 'cancelled'],
  ['EXPIRED', 'expired'],
  ['FAILED', 'rejected'],
]);
const NO_REASON = /^$|UNSPECIFIED|^UNKNOWN/;

/** An order as REST lists it, or (`isStream`) as the user channel words it. Undefined when the product is none of ours. */
export function parseOrder(
  value: unknown,
  find: FindInstrument,
  at: { readonly venueAtMs: number; readonly isStream: boolean },
): OrderReport | undefined {
  const order = asFields(value, 'order');
  const instrument = find(textField(order, 'product_id', 'order'));
  if (instrument === undefined) return undefined;
  const stated = textField(order, 'status', 'order');
  const status = STATUS.get(stated);
  if (status === undefined) throw malformed('order.status', 'a known status', stated);
  const filledLots = countField(order, at.isStream ? 'cumulative_quantity' : 'filled_size');
  // The stream's remainder is set to nothing when an order ends: what was asked for is then no longer said.
  const lots = at.isStream ? filledLots + countField(order, 'leaves_quantity') : sizeOf(order);
  const reason = ['cancel_reason', 'reject_reason', 'cancel_message', 'reject_message']
    .map((name) => optionalText(order, name))
    .find((text) => text !== undefined && !NO_REASON.test(text));
  const { venueAtMs } = at;
  return {
    symbol: instrument.symbol,
    clientOrderId: idOfUuid(optionalText(order, 'client_order_id') ?? ''),
    venueOrderId: textField(order, 'order_id', 'order'),
    status,
    side: sideField(order, at.isStream ? 'order_side' : 'side', 'order'),
    lots: lots as QuantityLots,
    filledLots: filledLots as QuantityLots,
    ...(reason === undefined || status === 'open' ? {} : { reason }),
    venueAtMs,
    sequence: reportSequence({ venueAtMs, lots, filledLots, isOpen: status === 'open' }),
  };
}

/** Contracts asked for: in the one configuration that is set, whatever its kind. */
function sizeOf(order: Fields): number {
  const configuration = asFields(order['order_configuration'] ?? {}, 'order.order_configuration');
  const [kind] = Object.values(configuration).filter((value) => value !== null);
  return kind === undefined
    ? countField(order, 'filled_size')
    : countField(asFields(kind, 'order configuration'), 'base_size');
}

/** Whole contracts; absent is none. */
function countField(fields: Fields, name: string): number {
  const text = optionalText(fields, name) ?? '0';
  if (!/^\d{1,12}(?:\.0*)?$/.test(text)) throw malformed(`order.${name}`, 'a whole number of contracts', text);
  return Number(text);
}

function sideField(fields: Fields, name: string, where: string): 'buy' | 'sell' {
  const side = fields[name];
  if (side === 'BUY') return 'buy';
  if (side === 'SELL') return 'sell';
  throw malformed(`${where}.${name}`, 'BUY or SELL', side);
}

/** A fill of ours; its order is named by the venue's id alone, `clientOrderIdOf` knows ours. Undefined when it is no trade of ours. */
export function parseFill(
  value: unknown,
  find: FindInstrument,
  clientOrderIdOf: (venueOrderId: string) => string,
): Extract<VenueEvent, { type: 'fill' }> | undefined {
  const row = asFields(value, 'fill');
  const instrument = find(textField(row, 'product_id', 'fill'));
  if (instrument === undefined || (optionalText(row, 'trade_type') ?? 'FILL') !== 'FILL') return undefined;
  const liquidity = textField(row, 'liquidity_indicator', 'fill');
  const venueOrderId = textField(row, 'order_id', 'fill');
  const fill: FillReport = {
    fillId: textField(row, 'trade_id', 'fill'),
    symbol: instrument.symbol,
    clientOrderId: clientOrderIdOf(venueOrderId),
    venueOrderId,
    side: sideField(row, 'side', 'fill'),
    priceTicks: priceTicksFromText(textField(row, 'price', 'fill'), instrument),
    lots: countField(row, 'size') as QuantityLots,
    feeMicro: -costUp(row, 'commission', 'fill') as MicroUnits,
    liquidity: liquidity === 'MAKER' ? 'maker' : 'taker',
    venueAtMs: isoTimeField(row, 'trade_time', 'fill'),
  };
  if (fill.lots < 1) throw malformed('fill.size', 'at least one contract', row['size']);
  return { type: 'fill', fill };
}

/** The account's rates for all products of a kind. */
export function parseFees(value: unknown): Extract<VenueEvent, { type: 'fee-tier' }> {
  const tier = asFields(asFields(value, 'fees')['fee_tier'], 'fees.fee_tier');
  return {
    type: 'fee-tier',
    makerFee: picoField(tier, 'maker_fee_rate', 'fees'),
    takerFee: picoField(tier, 'taker_fee_rate', 'fees'),
  };
}
