/** Reads Bybit's instruments, tickers, orders, executions, positions and wallets into exact types. Pure; connector thread. */
import { fundingRateFromText, HOUR_MS } from '../../market/funding-rate.ts';
import type { Instrument } from '../../market/instrument.ts';
import { canonicalUnderlying } from '../../market/instrument-match.ts';
import { boundedMarginTiers } from '../../market/margin-tiers.ts';
import type { MarginTier } from '../../market/margin-tiers.ts';
import { priceTicksFromText, quantityLotsFromText } from '../../money/amounts.ts';
import { divideUp } from '../../money/rounding.ts';
import type { MicroUnits, PicoRate, QuantityLots, SignedLots } from '../../money/units.ts';
import { asFields, malformed } from '../json.ts';
import type { Fields } from '../json.ts';
import { reportSequence } from '../report-sequence.ts';
import { epochMsOfIso } from '../iso-time.ts';
import type { FillReport, FundingPaymentReport, KeyRights, OrderReport, PositionReport, VenueEvent } from '../venue.ts';
import {
  amountDown,
  amountHalfEven,
  asList,
  costUp,
  decimalField,
  nanoField,
  integerField,
  optionalText,
  picoField,
  stepField,
  textField,
  timeField,
} from '../fields.ts';
import type { Ticker } from './markets.ts';
import { OPEN_STATES, PREMIUM_FORMULA } from './wire.ts';

export type FindInstrument = (symbol: string) => Instrument | undefined;

/** Published fees of accounts without a tier, until the account's own are read. */
const TAKER_FEE = 550_000_000 as PicoRate;
const MAKER_FEE = 200_000_000 as PicoRate;
const MINUTE_MS = 60_000;
/** The venue limits quantities, not values: this only keeps the type honest. */
const MAX_NOTIONAL = 1_000_000_000_000_000n as MicroUnits;

/** Returns undefined for anything but a perpetual that settles in this coin. */
export function parseInstrument(value: unknown, settleCoin: string): Instrument | undefined {
  const listing = asFields(value, 'instrument');
  if (optionalText(listing, 'contractType') !== 'LinearPerpetual') return undefined;
  if (optionalText(listing, 'settleCoin') !== settleCoin) return undefined;
  const symbol = textField(listing, 'symbol', 'instrument');
  const where = `instrument ${symbol}`;
  const lotFilter = asFields(listing['lotSizeFilter'], `${where}.lotSizeFilter`);
  const price = stepField(asFields(listing['priceFilter'], `${where}.priceFilter`), 'tickSize', where);
  const quantity = stepField(lotFilter, 'qtyStep', where);
  const maxLeverage = leverageField(asFields(listing['leverageFilter'], `${where}.leverageFilter`), where);
  const minimum = decimalField(lotFilter, 'minOrderQty', quantity.decimals, where);
  const hasMinimumValue = optionalText(lotFilter, 'minNotionalValue') !== undefined;
  const { base, multiplier } = canonicalUnderlying(textField(listing, 'baseCoin', where));
  return {
    venue: 'bybit',
    symbol,
    base,
    quote: textField(listing, 'quoteCoin', where),
    multiplier,
    priceDecimals: price.decimals,
    tickUnits: price.units,
    quantityDecimals: quantity.decimals,
    lotUnits: quantity.units,
    minQuantityLots: Number(divideUp(minimum, BigInt(quantity.units))) as QuantityLots,
    ...maxQuantityOf(lotFilter, quantity, where),
    minNotionalMicro: (hasMinimumValue ? decimalField(lotFilter, 'minNotionalValue', 6, where) : 0n) as MicroUnits,
    maxNotionalMicro: MAX_NOTIONAL,
    maxLeverage: Math.floor(maxLeverage),
    // Until the risk limits are read. Their lowest rate is about half of this: a liquidation price by it is never farther than the real one.
    maintenanceMarginRate: Math.ceil(1e12 / maxLeverage) as PicoRate,
    makerFee: MAKER_FEE,
    takerFee: TAKER_FEE,
    fundingIntervalMs: intervalField(listing, where),
    fundingPrice: 'mark',
    premiumFormula: PREMIUM_FORMULA,
    status: statusOf(listing),
    ...bandOf(listing, where),
  };
}

/**
 * Margin by the position's value from a symbol's risk limits; undefined when they cannot be relied on. Whether their fractions are
 * percents differs by product and age of the endpoint, so that they count against each other only: initial margin is 1 / leverage.
 */
export function parseRiskLimits(items: readonly unknown[], symbol: string): readonly MarginTier[] | undefined {
  const where = `risk limit of ${symbol}`;
  const rows = items
    .map((item) => asFields(item, where))
    .filter((row) => textField(row, 'symbol', where) === symbol)
    .map((row) => {
      const leverage = leverageField(row, where);
      const share = Number(textField(row, 'maintenanceMargin', where)) / Number(textField(row, 'initialMargin', where));
      return {
        upperBound: textField(row, 'riskLimitValue', where),
        maxLeverage: Math.floor(leverage),
        maintenance: share / leverage,
      };
    });
  return boundedMarginTiers(rows.toSorted((one, other) => Number(one.upperBound) - Number(other.upperBound)));
}

function maxQuantityOf(
  filter: Fields,
  step: { readonly decimals: number; readonly units: number },
  where: string,
): { readonly maxQuantityLots?: QuantityLots } {
  if (optionalText(filter, 'maxOrderQty') === undefined) return {};
  const lots = Number(decimalField(filter, 'maxOrderQty', step.decimals, where) / BigInt(step.units));
  if (lots < 1) throw malformed(`${where}.maxOrderQty`, 'at least one step', filter['maxOrderQty']);
  return { maxQuantityLots: lots as QuantityLots };
}

function leverageField(filter: Fields, where: string): number {
  const leverage = Number(textField(filter, 'maxLeverage', where));
  if (!(leverage >= 1 && leverage <= 1_000))
    throw malformed(`${where}.maxLeverage`, 'from 1 to 1000', filter['maxLeverage']);
  return leverage;
}

/** The listing counts in minutes. */
function intervalField(listing: Fields, where: string): number {
  const minutes = Number(textField(listing, 'fundingInterval', where));
  if (!Number.isSafeInteger(minutes) || minutes < 1 || minutes > 10_080)
    throw malformed(`${where}.fundingInterval`, 'minutes, at most a week', listing['fundingInterval']);
  return minutes * MINUTE_MS;
}

/** A perpetual with a delivery time will be delisted: what is held may still be closed. */
function statusOf(listing: Fields): Instrument['status'] {
  if (optionalText(listing, 'status') !== 'Trading' || listing['isPreListing'] === true) return 'inactive';
  return (optionalText(listing, 'deliveryTime') ?? '0') === '0' ? 'active' : 'reduce-only';
}

/** Within the first ratio around mark a price is always allowed, up to the second it depends on the index. */
function bandOf(listing: Fields, where: string): { readonly priceBand?: PicoRate } {
  const risk = listing['riskParameters'];
  if (risk === undefined || risk === null) return {};
  const ratios = asFields(risk, `${where}.riskParameters`);
  if (optionalText(ratios, 'priceLimitRatioX') === undefined) return {};
  return { priceBand: picoField(ratios, 'priceLimitRatioX', where) };
}

const TICKER_FIELDS = ['markPrice', 'indexPrice', 'fundingRate', 'nextFundingTime', 'fundingIntervalHour'] as const;

/** The fields we use; those that are absent are unchanged. */
export function tickerFields(data: Fields): Ticker {
  const ticker: Ticker = {};
  for (const name of TICKER_FIELDS) {
    const text = optionalText(data, name);
    if (text !== undefined) ticker[name] = text;
  }
  return ticker;
}

/** Mark, index and predicted funding as far as the merged ticker has them. */
export function tickerEvents(instrument: Instrument, ticker: Ticker, venueAtMs: number): readonly VenueEvent[] {
  const { symbol } = instrument;
  const where = `ticker ${symbol}`;
  const fields: Fields = { ...ticker };
  const events: VenueEvent[] = [];
  if (ticker.markPrice !== undefined) {
    const markTicksScaled = {
      markNano: nanoField(fields, 'markPrice', where),
      ...(ticker.indexPrice === undefined ? {} : { indexNano: nanoField(fields, 'indexPrice', where) }),
    };
    events.push({ type: 'mark', symbol, markTicksScaled, venueAtMs });
  }
  if (ticker.fundingRate === undefined || ticker.nextFundingTime === undefined) return events;
  const hours = ticker.fundingIntervalHour;
  const intervalMs = hours === undefined ? instrument.fundingIntervalMs : hoursField(fields, where) * HOUR_MS;
  const settleAtMs = timeField(fields, 'nextFundingTime', where);
  events.push(rateEvent({ symbol, kind: 'predicted', raw: ticker.fundingRate, intervalMs, settleAtMs, venueAtMs }));
  return events;
}

function hoursField(fields: Fields, where: string): number {
  const hours = Number(textField(fields, 'fundingIntervalHour', where));
  if (!Number.isSafeInteger(hours) || hours < 1 || hours > 168)
    throw malformed(`${where}.fundingIntervalHour`, 'whole hours, at most a week', fields['fundingIntervalHour']);
  return hours;
}

/**
 * Returns how long each settlement of a history paid for: the time since the one before it. The history does not tell, and a venue
 * changes it; the oldest one, and one after a hole, is taken to be of the interval the instrument has now.
 */
export function settledIntervals(settledAtMs: readonly number[], presentMs: number): ReadonlyMap<number, number> {
  const sorted = settledAtMs.toSorted((one, other) => one - other);
  return new Map(
    sorted.map((atMs, index) => {
      const apartMs = atMs - (sorted[index - 1] ?? Number.NEGATIVE_INFINITY);
      return [atMs, INTERVALS_MS.has(apartMs) ? apartMs : presentMs] as const;
    }),
  );
}

/** Intervals the venue uses. */
const INTERVALS_MS: ReadonlySet<number> = new Set([1, 2, 4, 8].map((hours) => hours * HOUR_MS));

/** A settled rate, a fraction of the interval it was settled for. */
export function parseSettledRate(
  value: unknown,
  instrument: Instrument,
  intervalMs = instrument.fundingIntervalMs,
): VenueEvent {
  const settled = asFields(value, 'settled rate');
  const settleAtMs = timeField(settled, 'fundingRateTimestamp', 'settled rate');
  return rateEvent({
    symbol: instrument.symbol,
    kind: 'settled',
    raw: textField(settled, 'fundingRate', 'settled rate'),
    intervalMs,
    settleAtMs,
    venueAtMs: settleAtMs,
  });
}

/** Rates are fractions per interval of their own symbol. */
function rateEvent(stated: {
  readonly symbol: string;
  readonly kind: 'predicted' | 'settled';
  readonly raw: string;
  readonly intervalMs: number;
  readonly settleAtMs: number;
  readonly venueAtMs: number;
}): VenueEvent {
  const { symbol, kind, intervalMs } = stated;
  const rate = fundingRateFromText({ ...stated, venue: 'bybit', unit: { scale: 'fraction', perMs: intervalMs } });
  if ('rejected' in rate)
    return { type: 'bad-value', what: 'FUNDING_RATE', symbol, code: rate.rejected, detail: `${kind}: ${rate.detail}` };
  return { type: 'funding-rate', rate };
}

/** The wallet of the settlement coin, and what the account may still use of its margin. */
export function parseWallet(value: unknown, settleCoin: string): Extract<VenueEvent, { type: 'balance' }> {
  const account = asFields(value, 'wallet');
  const coins = asList(account['coin'], 'wallet.coin').map((coin) => asFields(coin, 'wallet.coin'));
  const coin = coins.find((candidate) => candidate['coin'] === settleCoin);
  if (coin === undefined) return { type: 'balance', walletMicro: 0n as MicroUnits, availableMicro: 0n as MicroUnits };
  const walletMicro = amountDown(coin, 'walletBalance', 'wallet');
  const isCross = optionalText(account, 'totalAvailableBalance') !== undefined;
  // With isolated margin the account has no total: then it is what the coin's own reservations leave.
  const availableMicro = isCross
    ? amountDown(account, 'totalAvailableBalance', 'wallet')
    : ((walletMicro - reserved(coin)) as MicroUnits);
  return { type: 'balance', walletMicro, availableMicro };
}

function reserved(coin: Fields): bigint {
  return ['totalPositionIM', 'totalOrderIM', 'locked', 'bonus']
    .filter((name) => optionalText(coin, name) !== undefined)
    .reduce((sum, name) => sum + costUp(coin, name, 'wallet'), 0n);
}

/** Returns undefined when the symbol is none of ours. Throws on a position of hedge mode, whose two sides we could not tell apart. */
export function parsePosition(value: unknown, find: FindInstrument): PositionReport | undefined {
  const position = asFields(value, 'position');
  const instrument = find(textField(position, 'symbol', 'position'));
  if (instrument === undefined) return undefined;
  const lots = quantityLotsFromText(textField(position, 'size', 'position'), instrument);
  if (Number(position['positionIdx'] ?? 0) !== 0)
    throw malformed('position.positionIdx', '0 (one-way mode)', position['positionIdx']);
  const side = position['side'];
  if (side !== 'Buy' && side !== 'Sell' && lots > 0) throw malformed('position.side', 'Buy or Sell', side);
  const entryPrice = optionalText(position, 'avgPrice') ?? optionalText(position, 'entryPrice');
  const liquidationPrice = optionalText(position, 'liqPrice');
  const leverage = Number(optionalText(position, 'leverage') ?? Number.NaN);
  return {
    symbol: instrument.symbol,
    signedLots: (side === 'Sell' ? -lots + 0 : lots) as SignedLots,
    ...(entryPrice === undefined || Number(entryPrice) === 0 ? {} : { entryPrice }),
    ...(liquidationPrice === undefined || Number(liquidationPrice) === 0 ? {} : { liquidationPrice }),
    ...(leverage > 0 ? { leverage } : {}),
    ...adlRankOf(position),
  };
}

/** Five lights; none on a flat position. */
function adlRankOf(position: Fields): { readonly adlRank?: number } {
  const lights = Number(position['adlRankIndicator'] ?? 0);
  return lights >= 1 && lights <= 5 ? { adlRank: lights / 5 } : {};
}

function sideField(fields: Fields, where: string): 'buy' | 'sell' {
  const side = fields['side'];
  if (side === 'Buy') return 'buy';
  if (side === 'Sell') return 'sell';
  throw malformed(`${where}.side`, 'Buy or Sell', side);
}

/** Ids that an operator or another program chose are not ours. */
function ownOrderId(fields: Fields): string {
  const id = optionalText(fields, 'orderLinkId') ?? '';
  return /^[1-9]\d{0,14}$/.test(id) ? id : '';
}

const ENDS: ReadonlyMap<string, OrderReport['status']> = new Map([
  ['Filled', 'filled'],
  ['Cancelled', 'cancelled'],
  ['PartiallyFilledCanceled', 'cancelled'],
  ['Deactivated', 'cancelled'],
  ['Rejected', 'rejected'],
]);
const NO_REASON: ReadonlySet<string> = new Set(['EC_NoError', 'UNKNOWN']);

/** Returns undefined when the symbol is none of ours. */
export function parseOrder(value: unknown, find: FindInstrument): OrderReport | undefined {
  const order = asFields(value, 'order');
  const instrument = find(textField(order, 'symbol', 'order'));
  if (instrument === undefined) return undefined;
  const stated = textField(order, 'orderStatus', 'order');
  const status = OPEN_STATES.has(stated) ? 'open' : ENDS.get(stated);
  if (status === undefined) throw malformed('order.orderStatus', 'a known status', stated);
  const lots = quantityLotsFromText(textField(order, 'qty', 'order'), instrument);
  const filledLots = quantityLotsFromText(optionalText(order, 'cumExecQty') ?? '0', instrument);
  const reasons = [optionalText(order, 'rejectReason'), optionalText(order, 'cancelType')];
  const reason = status === 'open' ? undefined : reasons.find((text) => text !== undefined && !NO_REASON.has(text));
  const venueAtMs = timeField(order, 'updatedTime', 'order');
  return {
    symbol: instrument.symbol,
    clientOrderId: ownOrderId(order),
    venueOrderId: textField(order, 'orderId', 'order'),
    status,
    side: sideField(order, 'order'),
    lots,
    filledLots,
    ...(reason === undefined ? {} : { reason }),
    ...(stated === 'Untriggered' ? { isWaiting: true } : {}),
    venueAtMs,
    sequence: reportSequence({ venueAtMs, lots, filledLots, isOpen: status === 'open' }),
  };
}

/** Trades of ours and forced ones; everything else in the same list moves no quantity. */
const FILL_TYPES: ReadonlySet<string> = new Set(['Trade', 'AdlTrade', 'BustTrade']);

/** A row of executions: a fill, a funding payment, or nothing of ours. Undefined when the symbol is none of ours. */
export function parseExecution(value: unknown, find: FindInstrument): readonly VenueEvent[] | undefined {
  const execution = asFields(value, 'execution');
  const instrument = find(textField(execution, 'symbol', 'execution'));
  if (instrument === undefined) return undefined;
  const type = textField(execution, 'execType', 'execution');
  if (type === 'Funding') return [{ type: 'funding-payment', payment: parsePayment(execution, instrument) }];
  if (!FILL_TYPES.has(type)) return [];
  const { feeMicro, foreign } = feeOf(execution, instrument);
  const fill: FillReport = {
    fillId: textField(execution, 'execId', 'execution'),
    symbol: instrument.symbol,
    clientOrderId: ownOrderId(execution),
    venueOrderId: textField(execution, 'orderId', 'execution'),
    side: sideField(execution, 'execution'),
    priceTicks: priceTicksFromText(textField(execution, 'execPrice', 'execution'), instrument),
    lots: quantityLotsFromText(textField(execution, 'execQty', 'execution'), instrument),
    feeMicro,
    liquidity: execution['isMaker'] === true ? 'maker' : 'taker',
    venueAtMs: timeField(execution, 'execTime', 'execution'),
    ...(type === 'Trade' ? {} : { forced: type === 'AdlTrade' ? 'adl' : 'liquidation' }),
  };
  if (foreign === undefined) return [{ type: 'fill', fill }];
  const reason = `the fee of ${fill.fillId} in ${instrument.symbol} was taken in ${foreign} and is not in our books`;
  return [
    { type: 'fill', fill },
    { type: 'venue-error', code: 'FOREIGN_FEE', reason },
  ];
}

/** Costs are positive, rebates negative; taxes come beside the fee. Empty currency: the coin of settlement. */
function feeOf(
  execution: Fields,
  instrument: Instrument,
): { readonly feeMicro: MicroUnits; readonly foreign?: string } {
  const extra = execution['extraFees'];
  const parts = [
    { currency: optionalText(execution, 'feeCurrency'), cost: costUp(execution, 'execFee', 'execution') },
    ...(Array.isArray(extra) ? extra : []).map((item: unknown) => {
      const fee = asFields(item, 'execution.extraFees');
      return { currency: optionalText(fee, 'feeCoin'), cost: costUp(fee, 'fee', 'execution.extraFees') };
    }),
  ];
  const isOurs = (currency: string | undefined): boolean => currency === undefined || currency === instrument.quote;
  const foreign = parts.find(({ currency, cost }) => !isOurs(currency) && cost !== 0n)?.currency;
  const cost = parts.reduce((sum, part) => (isOurs(part.currency) ? sum + part.cost : sum), 0n);
  return { feeMicro: -cost as MicroUnits, ...(foreign === undefined ? {} : { foreign }) };
}

/** `execFee` is what was paid, negative when received; the sign of `feeRate` is not the same in all of the venue's lists. */
function parsePayment(execution: Fields, instrument: Instrument): FundingPaymentReport {
  const lots = quantityLotsFromText(textField(execution, 'execQty', 'execution'), instrument);
  const paid = amountHalfEven(execution, 'execFee', 'execution');
  const isShort = sideField(execution, 'execution') === 'sell';
  const magnitude = Math.abs(picoField(execution, 'feeRate', 'execution'));
  // Longs pay a positive rate, shorts a negative one.
  const isPositive = paid === 0n || paid > 0n !== isShort;
  return {
    paymentId: textField(execution, 'execId', 'execution'),
    symbol: instrument.symbol,
    amountMicro: -paid as MicroUnits,
    rate: (isPositive ? magnitude : -magnitude) as PicoRate,
    signedLots: (isShort ? -lots + 0 : lots) as SignedLots,
    settledAtMs: timeField(execution, 'execTime', 'execution'),
  };
}

/** Account fee rates of one symbol; undefined when it is none of ours. */
export function parseFees(value: unknown, find: FindInstrument): Extract<VenueEvent, { type: 'fee-tier' }> | undefined {
  const fees = asFields(value, 'fees');
  const symbol = textField(fees, 'symbol', 'fees');
  if (find(symbol) === undefined) return undefined;
  return {
    type: 'fee-tier',
    symbol,
    makerFee: picoField(fees, 'makerFeeRate', 'fees'),
    takerFee: picoField(fees, 'takerFeeRate', 'fees'),
  };
}

/** Rights by which money can leave the account: to the outside, or to another member. */
const MONEY_RIGHTS: readonly unknown[] = ['Withdraw', 'SubMemberTransfer'];
/** A key that is bound to addresses has this date, or none at all. */
const NEVER_MS = 86_400_000;

/** Reads what a key may do. */
export function parseKeyRights(result: Fields): KeyRights {
  const where = 'key';
  const permissions = asFields(result['permissions'], `${where}.permissions`);
  const listed = (name: string): readonly unknown[] =>
    permissions[name] === undefined ? [] : asList(permissions[name], `${where}.permissions.${name}`);
  const expiresAtMs = epochMsOfIso(optionalText(result, 'expiredAt') ?? '') ?? 0;
  const isReadOnly = integerField(result, 'readOnly', where) !== 0n;
  const addresses = result['ips'] === undefined ? [] : asList(result['ips'], `${where}.ips`);
  return {
    canTrade: !isReadOnly && (listed('ContractTrade').includes('Order') || listed('Derivatives').length > 0),
    canWithdraw: !isReadOnly && listed('Wallet').some((right) => MONEY_RIGHTS.includes(right)),
    ...(expiresAtMs > NEVER_MS ? { expiresAtMs } : {}),
    isAddressBound: addresses.some((address) => address !== '*'),
  };
}
