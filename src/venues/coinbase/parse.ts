/** Reads the gateway's instruments, tickers, orders, trades, positions, summaries and ledger rows into exact types. Pure; connector thread. */
import { fundingRateFromText, HOUR_MS } from '../../market/funding-rate.ts';
import type { FundingUnit } from '../../market/funding-rate.ts';
import type { Instrument } from '../../market/instrument.ts';
import { canonicalUnderlying } from '../../market/instrument-match.ts';
import { notionalMicroAtNano, priceTicksFromText, quantityLotsFromText } from '../../money/amounts.ts';
import { parseDecimal } from '../../money/decimal.ts';
import { divideDown, divideHalfEven, divideUp } from '../../money/rounding.ts';
import type { MicroUnits, PicoRate, QuantityLots, SignedLots } from '../../money/units.ts';
import {
  amountDown,
  amountHalfEven,
  asList,
  costUp,
  decimalField,
  nanoField,
  optionalText,
  picoField,
  stepField,
  textField,
  timeField,
} from '../fields.ts';
import { asFields, malformed } from '../json.ts';
import type { Fields } from '../json.ts';
import { reportSequence } from '../report-sequence.ts';
import type { FillReport, FundingPaymentReport, OrderReport, PositionReport, VenueEvent } from '../venue.ts';
import type { CoinbaseMarket, PriceStep } from './markets.ts';
import { idOfLabel, SETTLED_IN } from './wire.ts';

export type FindInstrument = (symbol: string) => Instrument | undefined;

/** The venue limits quantities, not values: this only keeps the type honest. */
const MAX_NOTIONAL = 1_000_000_000_000_000n as MicroUnits;
/** `funding_8h` is a fraction for eight hours, whatever the interval of exchange. */
const PER_8_HOURS: FundingUnit = { scale: 'fraction', perMs: 8 * HOUR_MS };
const PER_HOUR: FundingUnit = { scale: 'fraction', perMs: HOUR_MS };
const PICO = 10n ** 12n;
const FINE_DECIMALS = 18;
const MICRO_FROM_FINE = 10n ** 12n;

/** Returns undefined for anything but a linear perpetual that settles in USDC. */
export function parseInstrument(value: unknown): CoinbaseMarket | undefined {
  const listing = asFields(value, 'instrument');
  if (listing['kind'] !== 'future' || listing['settlement_period'] !== 'perpetual') return undefined;
  if (listing['settlement_currency'] !== SETTLED_IN || listing['quote_currency'] !== SETTLED_IN) return undefined;
  const symbol = textField(listing, 'instrument_name', 'instrument');
  const where = `instrument ${symbol}`;
  const steps = priceStepsOf(listing, where);
  const quantity = stepField(listing, 'contract_size', where);
  const minimum = decimalField(listing, 'min_trade_amount', quantity.decimals, where);
  const maxLeverage = Number(textField(listing, 'max_leverage', where));
  if (!(maxLeverage >= 1 && maxLeverage <= 1_000))
    throw malformed(`${where}.max_leverage`, 'from 1 to 1000', listing['max_leverage']);
  const { base, multiplier } = canonicalUnderlying(textField(listing, 'base_currency', where));
  const instrument: Instrument = {
    venue: 'coinbase',
    symbol,
    base,
    quote: SETTLED_IN,
    multiplier,
    priceDecimals: steps.decimals,
    tickUnits: steps.units,
    quantityDecimals: quantity.decimals,
    lotUnits: quantity.units,
    minQuantityLots: Number(divideUp(minimum, BigInt(quantity.units))) as QuantityLots,
    minNotionalMicro: 0n as MicroUnits,
    maxNotionalMicro: MAX_NOTIONAL,
    maxLeverage: Math.floor(maxLeverage),
    // About half of this is in force: a liquidation price computed from it is never farther than the real one.
    maintenanceMarginRate: Math.ceil(1e12 / maxLeverage) as PicoRate,
    makerFee: picoField(listing, 'maker_commission', where),
    takerFee: picoField(listing, 'taker_commission', where),
    fundingIntervalMs: HOUR_MS,
    fundingPrice: 'index',
    status: statusOf(listing),
  };
  return { instrument, priceSteps: steps.coarser };
}

/** `state` says more than `is_active`, which stays true of a market that is halted. */
function statusOf(listing: Fields): Instrument['status'] {
  if (listing['is_active'] === false) return 'inactive';
  const state = optionalText(listing, 'state') ?? 'open';
  return state === 'open' || state === 'active' ? 'active' : 'inactive';
}

/** The finest step is the tick; coarser ones hold from some price on. */
function priceStepsOf(
  listing: Fields,
  where: string,
): { readonly decimals: number; readonly units: number; readonly coarser: readonly PriceStep[] } {
  const tick = stepField(listing, 'tick_size', where);
  const scale = BigInt(tick.units);
  const coarser = asList(listing['tick_size_steps'] ?? [], `${where}.tick_size_steps`).map((item): PriceStep => {
    const step = asFields(item, `${where}.tick_size_steps`);
    const units = decimalField(step, 'tick_size', tick.decimals, where);
    if (units <= 0n || units % scale !== 0n)
      throw malformed(`${where}.tick_size_steps`, 'multiples of tick_size', item);
    const from = decimalField(step, 'above_price', tick.decimals, where);
    return { fromTicks: Number(divideUp(from, scale)), ticks: Number(units / scale) };
  });
  return { ...tick, coarser: coarser.toSorted((one, other) => one.fromTicks - other.fromTicks) };
}

/** Mark, index and the rate of the hour that runs. Funding accrues all the time: it is counted by hours, as the venue's history does. */
export function tickerEvents(value: unknown, instrument: Instrument): readonly VenueEvent[] {
  const ticker = asFields(value, 'ticker');
  const { symbol } = instrument;
  const where = `ticker ${symbol}`;
  const venueAtMs = timeField(ticker, 'timestamp', where);
  const markTicksScaled = {
    markNano: nanoField(ticker, 'mark_price', where),
    ...(optionalText(ticker, 'index_price') === undefined
      ? {}
      : { indexNano: nanoField(ticker, 'index_price', where) }),
  };
  const mark: VenueEvent = { type: 'mark', symbol, markTicksScaled, venueAtMs };
  const raw = optionalText(ticker, 'funding_8h');
  if (raw === undefined) return [mark];
  const settleAtMs = (Math.floor(venueAtMs / HOUR_MS) + 1) * HOUR_MS;
  return [mark, rateEvent({ symbol, kind: 'predicted', raw, unit: PER_8_HOURS, settleAtMs, venueAtMs })];
}

/** One hour of the history. */
export function parseSettledRate(value: unknown, instrument: Instrument): VenueEvent {
  const row = asFields(value, 'settled rate');
  const settleAtMs = timeField(row, 'timestamp', 'settled rate');
  const raw = textField(row, 'interest_1h', 'settled rate');
  const { symbol } = instrument;
  return rateEvent({ symbol, kind: 'settled', raw, unit: PER_HOUR, settleAtMs, venueAtMs: settleAtMs });
}

export function rateEvent(stated: {
  readonly symbol: string;
  readonly kind: 'predicted' | 'settled';
  readonly raw: string;
  readonly unit: FundingUnit;
  readonly settleAtMs: number;
  readonly venueAtMs: number;
  readonly intervalMs?: number;
}): VenueEvent {
  const { symbol, kind } = stated;
  const rate = fundingRateFromText({ intervalMs: HOUR_MS, ...stated, venue: 'coinbase' });
  if ('rejected' in rate)
    return { type: 'bad-value', what: 'FUNDING_RATE', symbol, code: rate.rejected, detail: `${kind}: ${rate.detail}` };
  return { type: 'funding-rate', rate };
}

/** What is on the account in USDC. Profit of the running session is booked to the balance at settlement, and is ours before that. */
export function parseSummary(value: unknown): Extract<VenueEvent, { type: 'balance' }> {
  const summary = asFields(value, 'account summary');
  const units = (name: string): bigint =>
    optionalText(summary, name) === undefined && name !== 'balance'
      ? 0n
      : decimalField(summary, name, FINE_DECIMALS, 'account summary');
  return {
    type: 'balance',
    walletMicro: divideDown(units('balance') + units('session_rpl'), MICRO_FROM_FINE) as MicroUnits,
    availableMicro: amountDown(summary, 'available_funds', 'account summary'),
  };
}

/** The account's own rates for perpetuals of one index, where the summary names them as shares of the value traded. */
export function parseFees(value: unknown, instruments: readonly Instrument[]): readonly VenueEvent[] {
  const fees = asFields(value, 'account summary')['fees'];
  return asList(fees ?? [], 'account summary.fees').flatMap((item): readonly VenueEvent[] => {
    const fee = asFields(item, 'fees');
    if (fee['kind'] !== 'perpetual') return [];
    const rates = asFields(asFields(fee['value'], 'fees.value')['default'], 'fees.value.default');
    if (rates['type'] !== 'fixed') return [];
    const index = textField(fee, 'index_name', 'fees').toUpperCase();
    const instrument = instruments.find(({ symbol }) => symbol.startsWith(`${index}-`));
    if (instrument === undefined) return [];
    return [
      {
        type: 'fee-tier',
        symbol: instrument.symbol,
        makerFee: picoField(rates, 'maker', 'fees'),
        takerFee: picoField(rates, 'taker', 'fees'),
      },
    ];
  });
}

/** Returns undefined when the symbol is none of ours. */
export function parsePosition(value: unknown, find: FindInstrument): PositionReport | undefined {
  const position = asFields(value, 'position');
  const instrument = find(textField(position, 'instrument_name', 'position'));
  if (instrument === undefined) return undefined;
  const { direction } = position;
  if (direction !== 'buy' && direction !== 'sell' && direction !== 'zero')
    throw malformed('position.direction', 'buy, sell or zero', direction);
  // `size` carries a sign by convention; the direction is what counts.
  const lots = quantityLotsFromText(textField(position, 'size', 'position').replace(/^-/, ''), instrument);
  const entryPrice = optionalText(position, 'average_price');
  const liquidationPrice = optionalText(position, 'estimated_liquidation_price');
  return {
    symbol: instrument.symbol,
    signedLots: (direction === 'sell' ? -lots + 0 : direction === 'zero' ? 0 : lots) as SignedLots,
    ...(entryPrice === undefined || Number(entryPrice) === 0 ? {} : { entryPrice }),
    ...(liquidationPrice === undefined || Number(liquidationPrice) === 0 ? {} : { liquidationPrice }),
  };
}

function directionField(fields: Fields, where: string): 'buy' | 'sell' {
  const { direction } = fields;
  if (direction !== 'buy' && direction !== 'sell') throw malformed(`${where}.direction`, 'buy or sell', direction);
  return direction;
}

const STATUS: ReadonlyMap<string, OrderReport['status']> = new Map([
  ['open', 'open'],
  ['untriggered', 'open'],
  ['triggered', 'open'],
  ['filled', 'filled'],
  ['cancelled', 'cancelled'],
  ['rejected', 'rejected'],
  ['expired', 'expired'],
]);

/** Returns undefined when the symbol is none of ours. */
export function parseOrder(value: unknown, find: FindInstrument): OrderReport | undefined {
  const order = asFields(value, 'order');
  const instrument = find(textField(order, 'instrument_name', 'order'));
  if (instrument === undefined) return undefined;
  const stated = textField(order, 'order_state', 'order');
  const status = STATUS.get(stated);
  if (status === undefined) throw malformed('order.order_state', 'a known state', stated);
  const lots = quantityLotsFromText(textField(order, 'amount', 'order'), instrument);
  const filledLots = quantityLotsFromText(optionalText(order, 'filled_amount') ?? '0', instrument);
  const reason = optionalText(order, 'cancel_reason') ?? optionalText(order, 'reject_reason');
  const venueAtMs = timeField(order, 'last_update_timestamp', 'order');
  return {
    symbol: instrument.symbol,
    clientOrderId: idOfLabel(optionalText(order, 'label') ?? ''),
    venueOrderId: textField(order, 'order_id', 'order'),
    status,
    side: directionField(order, 'order'),
    lots,
    filledLots,
    ...(reason === undefined || status === 'open' ? {} : { reason }),
    venueAtMs,
    sequence: reportSequence({ venueAtMs, lots, filledLots, isOpen: status === 'open' }),
  };
}

/** A trade of ours. Undefined when the symbol is none of ours. */
export function parseTrade(value: unknown, find: FindInstrument): readonly VenueEvent[] | undefined {
  const trade = asFields(value, 'trade');
  const instrument = find(textField(trade, 'instrument_name', 'trade'));
  if (instrument === undefined) return undefined;
  const liquidity = trade['liquidity'];
  if (liquidity !== 'M' && liquidity !== 'T') throw malformed('trade.liquidity', 'M or T', liquidity);
  const currency = optionalText(trade, 'fee_currency') ?? instrument.quote;
  const cost = optionalText(trade, 'fee') === undefined ? 0n : costUp(trade, 'fee', 'trade');
  const isForeign = currency !== instrument.quote && cost !== 0n;
  // Whose side was under liquidation: M, T or both.
  const isForced = (optionalText(trade, 'liquidation') ?? '').includes(liquidity);
  const fill: FillReport = {
    fillId: textField(trade, 'trade_id', 'trade'),
    symbol: instrument.symbol,
    clientOrderId: idOfLabel(optionalText(trade, 'label') ?? ''),
    venueOrderId: textField(trade, 'order_id', 'trade'),
    side: directionField(trade, 'trade'),
    priceTicks: priceTicksFromText(textField(trade, 'price', 'trade'), instrument),
    lots: quantityLotsFromText(textField(trade, 'amount', 'trade'), instrument),
    feeMicro: (isForeign ? 0n : -cost) as MicroUnits,
    liquidity: liquidity === 'M' ? 'maker' : 'taker',
    venueAtMs: timeField(trade, 'timestamp', 'trade'),
    ...(isForced ? { forced: 'liquidation' } : {}),
  };
  if (!isForeign) return [{ type: 'fill', fill }];
  const reason = `the fee of ${fill.fillId} in ${instrument.symbol} was taken in ${currency} and is not in our books`;
  return [
    { type: 'fill', fill },
    { type: 'venue-error', code: 'FOREIGN_FEE', reason },
  ];
}

/** Funding realised by a row of the account's ledger; undefined where it is about something else or realised none. */
export function parsePayment(value: unknown, find: FindInstrument): FundingPaymentReport | undefined {
  const row = asFields(value, 'ledger row');
  const instrument = find(optionalText(row, 'instrument_name') ?? '');
  if (instrument === undefined || optionalText(row, 'interest_pl') === undefined) return undefined;
  const amount = amountHalfEven(row, 'interest_pl', 'ledger row');
  const signedLots = lotsBefore(row, instrument);
  if (amount === 0n && row['type'] !== 'settlement') return undefined;
  return {
    paymentId: textField(row, 'id', 'ledger row'),
    symbol: instrument.symbol,
    amountMicro: amount as MicroUnits,
    rate: rateOf(row, instrument, amount, signedLots),
    signedLots: signedLots as SignedLots,
    settledAtMs: timeField(row, 'timestamp', 'ledger row'),
  };
}

/** What was held while the funding accrued: at a settlement the position itself, at a trade what was there before it. */
function lotsBefore(row: Fields, instrument: Instrument): number {
  const side = optionalText(row, 'side') ?? '';
  const position = signedUnits(row, 'position', instrument);
  if (row['type'] !== 'trade') return side === 'short' ? -Math.abs(position) + 0 : position;
  const traded = Math.abs(signedUnits(row, 'amount', instrument));
  return side.includes('sell') ? position + traded : position - traded;
}

function signedUnits(row: Fields, name: string, instrument: Instrument): number {
  if (optionalText(row, name) === undefined) return 0;
  const units = parseDecimal(textField(row, name, 'ledger row'), instrument.quantityDecimals);
  if (units === undefined || units % BigInt(instrument.lotUnits) !== 0n)
    throw malformed(`ledger row.${name}`, 'a whole number of lots', row[name]);
  return Number(units / BigInt(instrument.lotUnits));
}

/** The row names no rate: what was paid for what was held at its price, positive when longs paid. */
function rateOf(row: Fields, instrument: Instrument, amountMicro: bigint, signedLots: number): PicoRate {
  const value =
    optionalText(row, 'price') === undefined || signedLots === 0
      ? 0n
      : notionalMicroAtNano(instrument, nanoField(row, 'price', 'ledger row'), signedLots);
  if (value === 0n) return 0 as PicoRate;
  const paid = value < 0n ? amountMicro : -amountMicro;
  return Number(divideHalfEven(paid * PICO, value < 0n ? -value : value)) as PicoRate;
}
