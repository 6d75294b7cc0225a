/** What the simulated Extended gateway checks before it answers OK to an order: steps, caps, fee, expiry, key and signature. Pure; any thread. */
import { notionalMicro, priceNano } from '../../money/amounts.ts';
import { parseDecimal } from '../../money/decimal.ts';
import type { Instrument } from '../../market/instrument.ts';
import type { Exchange, ExchangeOrder, OrderTrigger, SubmitOutcome } from '../../simulation/exchange.ts';
import { asFields } from '../json.ts';
import type { Fields } from '../json.ts';
import { MalformedPayload } from '../venue.ts';
import { optionalText, parseJson } from './json.ts';
import { messageHash, settlementOrder, verifySignature } from './sign.ts';
import { OPEN_ORDERS_MAX, settlementOf } from './simulated-wire.ts';
import type { SimulatedAccount } from './simulated-wire.ts';
import { TRIGGER_DOWN, TRIGGER_UP } from './wire.ts';

/** A refusal in the venue's words. */
export interface Refusal {
  readonly status: number;
  readonly code: number;
  readonly message: string;
  readonly debugInfo?: string;
}
export type Intake = { readonly accepted: ExchangeOrder } | { readonly refused: Refusal };

const EXPIRY_AHEAD_MAX_MS = 90 * 86_400_000;
const NONCE_MAX = 2 ** 31;
const SELF_TRADE_LEVELS: readonly unknown[] = [undefined, 'DISABLED', 'ACCOUNT', 'CLIENT'];

/** Reads and checks one order; whatever passes may be submitted to the exchange. `nowMs` is the venue's calendar time. */
export function admitOrder(
  body: string,
  account: SimulatedAccount,
  exchange: Exchange,
  chainId: string,
  nowMs: number,
): Intake {
  let order: Fields;
  try {
    order = asFields(parseJson(body, 'order'), 'order');
  } catch (error) {
    if (!(error instanceof MalformedPayload)) throw error;
    return refuse(1133, 'Invalid order parameters', error.message);
  }
  return admit(order, account, exchange, chainId, nowMs);
}

function admit(order: Fields, account: SimulatedAccount, exchange: Exchange, chainId: string, nowMs: number): Intake {
  const symbol = optionalText(order, 'market') ?? '';
  const instrument = exchange.markets().find((market) => market.symbol === symbol);
  if (instrument === undefined) return refuse(1001, 'Market not found');
  if (instrument.status === 'inactive') return refuse(1002, 'Market is disabled');
  const reduceOnly = order['reduceOnly'] === true;
  if (instrument.status === 'reduce-only' && !reduceOnly) return refuse(1014, 'Market is in reduce only mode');

  const clientOrderId = order['id'];
  const { type, side, timeInForce } = order;
  if (typeof clientOrderId !== 'string' || clientOrderId === '') return refuse(1133, 'Invalid order parameters', 'id');
  const isConditional = type === 'CONDITIONAL';
  if (type !== 'LIMIT' && type !== 'MARKET' && !isConditional) return refuse(1132, 'Unsupported order type');
  if (side !== 'BUY' && side !== 'SELL') return refuse(1133, 'Invalid order parameters', 'side');
  if (timeInForce !== 'GTT' && timeInForce !== 'IOC') return refuse(1133, 'Invalid order parameters', 'timeInForce');
  const trigger = isConditional ? triggerOf(fieldsOf(order, 'trigger'), instrument, exchange) : undefined;
  if (trigger !== undefined && 'refused' in trigger) return trigger;
  if ((type === 'MARKET' || isConditional) && timeInForce !== 'IOC') return refuse(1139, 'Market order must be IOC');
  if (!SELF_TRADE_LEVELS.includes(order['selfTradeProtectionLevel']))
    return refuse(1133, 'Invalid order parameters', 'selfTradeProtectionLevel');
  if (order['price'] === undefined || order['price'] === null) return refuse(1130, 'Order price is missing');

  const quantity = optionalText(order, 'qty') ?? '';
  const price = optionalText(order, 'price') ?? '';
  const lots = steps(quantity, instrument.quantityDecimals, instrument.lotUnits);
  if (lots === 'precision') return refuse(1123, 'Invalid quantity precision');
  if (lots === 'step') return refuse(1121, 'Invalid quantity increment');
  if (lots < instrument.minQuantityLots) return refuse(1120, 'Order quantity less than min trade size');
  const ticks = steps(price, instrument.priceDecimals, instrument.tickUnits);
  if (ticks === 'precision') return refuse(1125, 'Invalid price precision');
  if (ticks === 'step' || ticks <= 0) return refuse(1124, 'Invalid price increment');
  if (notionalMicro(instrument, ticks, lots) > instrument.maxNotionalMicro)
    return refuse(1122, 'Order value exceeds max order value');

  const postOnly = order['postOnly'] === true;
  const fee = parseDecimal(optionalText(order, 'fee') ?? '', 12);
  const charged = postOnly ? instrument.makerFee : instrument.takerFee;
  if (fee === undefined || fee < BigInt(charged)) return refuse(1128, 'Invalid fee value');
  const expiry = order['expiryEpochMillis'];
  if (
    typeof expiry !== 'number' ||
    !Number.isSafeInteger(expiry) ||
    expiry <= nowMs ||
    expiry > nowMs + EXPIRY_AHEAD_MAX_MS
  ) {
    return refuse(1135, 'Invalid order expiration', `${String(expiry)} at ${Math.floor(nowMs)}`);
  }
  const nonce = Number(optionalText(order, 'nonce'));
  if (!Number.isSafeInteger(nonce) || nonce < 1 || nonce > NONCE_MAX)
    return refuse(1133, 'Invalid order parameters', 'nonce');

  const accepted: ExchangeOrder = {
    account: account.name,
    clientOrderId,
    symbol,
    side: side === 'BUY' ? 'buy' : 'sell',
    lots,
    limitTicks: ticks,
    timeInForce: timeInForce === 'IOC' ? 'ioc' : 'gtc',
    postOnly,
    reduceOnly,
    validUntilMs: expiry,
    ...(trigger === undefined ? {} : { trigger }),
  };
  const settlement = fieldsOf(order, 'settlement');
  const signature = fieldsOf(settlement, 'signature');
  if (!sameNumber(optionalText(settlement, 'starkKey'), account.starkPublicKey))
    return refuse(1100, 'Invalid StarkEx public key');
  if (!sameNumber(optionalText(settlement, 'collateralPosition'), String(account.vault)))
    return refuse(1102, 'Invalid StarkEx vault');
  const signed = settlementOrder({
    side: accepted.side,
    quantity,
    price,
    feeRate: optionalText(order, 'fee') ?? '',
    expiryEpochMillis: expiry,
    nonce,
    vault: account.vault,
    market: settlementOf(instrument),
  });
  const hash = messageHash(chainId, account.starkPublicKey, signed);
  if (
    !verifySignature(
      hash,
      optionalText(signature, 'r') ?? '',
      optionalText(signature, 's') ?? '',
      account.starkPublicKey,
    )
  ) {
    return refuse(1101, 'Invalid StarkEx signature');
  }
  return marketRules(accepted, instrument, exchange) ?? { accepted };
}

/** By the mark and executed at the market only: what a bot of ours asks for. A trigger that the price has passed already is refused. */
function triggerOf(
  trigger: Fields,
  instrument: Instrument,
  exchange: Exchange,
): OrderTrigger | { readonly refused: Refusal } {
  const markTicks = steps(optionalText(trigger, 'triggerPrice') ?? '', instrument.priceDecimals, instrument.tickUnits);
  if (typeof markTicks !== 'number' || markTicks <= 0) return refuse(1143, 'Invalid conditional order', 'triggerPrice');
  if (trigger['triggerPriceType'] !== 'MARK' || trigger['executionPriceType'] !== 'MARKET')
    return refuse(1143, 'Invalid conditional order', 'what is simulated goes by the mark, at the market');
  const { direction } = trigger;
  if (direction !== TRIGGER_UP && direction !== TRIGGER_DOWN)
    return refuse(1143, 'Invalid conditional order', 'direction');
  const { markNano } = exchange.stats(instrument.symbol);
  const reached = priceNano(markTicks, instrument) - markNano;
  if (direction === TRIGGER_UP ? reached <= 0n : reached >= 0n)
    return refuse(1144, 'Invalid conditional order price', 'the mark is there already');
  return { markTicks, direction: direction === TRIGGER_UP ? 'rise' : 'fall' };
}

/** Rules about the account's present state in this market. */
function marketRules(order: ExchangeOrder, instrument: Instrument, exchange: Exchange): Intake | undefined {
  const held = exchange.position(order.account, order.symbol)?.signedLots ?? 0;
  const signed = order.side === 'buy' ? order.lots : -order.lots;
  if (order.reduceOnly) {
    if (held === 0) return refuse(1137, 'Position is missing for reduce-only order');
    if (Math.sign(held) === Math.sign(signed)) return refuse(1138, 'Position is same side as reduce-only order');
    if (order.lots > Math.abs(held)) return refuse(1136, 'Reduce-only order size exceeds open position size');
    return undefined;
  }
  if (Math.abs(held + signed) > Math.abs(held)) {
    const value = notionalMicro(instrument, order.limitTicks, Math.abs(held + signed));
    if (value > instrument.maxNotionalMicro) return refuse(1127, 'Max position value exceeded');
  }
  const open = exchange
    .orders(order.account)
    .filter(({ symbol, status }) => symbol === order.symbol && (status === 'queued' || status === 'open')).length;
  return open >= OPEN_ORDERS_MAX ? refuse(1126, 'Max open orders number exceeded') : undefined;
}

const REFUSALS: Readonly<Record<Extract<SubmitOutcome, { accepted: false }>['reason'], Refusal>> = {
  'duplicate-client-id': { status: 400, code: 1134, message: 'Duplicate Order' },
  'unknown-symbol': { status: 400, code: 1001, message: 'Market not found' },
  'below-minimum': { status: 400, code: 1120, message: 'Order quantity less than min trade size' },
  'above-maximum': { status: 400, code: 1122, message: 'Order value exceeds max order value' },
  'price-band': { status: 400, code: 1141, message: 'Invalid order price' },
  margin: { status: 400, code: 1140, message: 'New order cost exceeds available balance' },
  inactive: { status: 400, code: 1002, message: 'Market is disabled' },
  expired: { status: 400, code: 1135, message: 'Invalid order expiration' },
};

/** The venue's words for what the exchange refused. */
export function refusalOf(reason: keyof typeof REFUSALS): Refusal {
  return REFUSALS[reason];
}

function refuse(code: number, message: string, debugInfo?: string): { readonly refused: Refusal } {
  return { refused: { status: 400, code, message, ...(debugInfo === undefined ? {} : { debugInfo }) } };
}

/** Whole steps of a decimal text; `precision` when it has more decimals than allowed (or is no decimal), `step` when between two steps. */
function steps(text: string, decimals: number, stepUnits: number): number | 'precision' | 'step' {
  const units = parseDecimal(text, decimals);
  if (units === undefined || units < 0n) return 'precision';
  if (units % BigInt(stepUnits) !== 0n) return 'step';
  const count = Number(units / BigInt(stepUnits));
  return Number.isSafeInteger(count) ? count : 'precision';
}

function fieldsOf(fields: Fields, name: string): Fields {
  const value = fields[name];
  return typeof value === 'object' && value !== null ? asFields(value, name) : {};
}

/** Compares two integers written in decimal or 0x hex. */
function sameNumber(text: string | undefined, expected: string): boolean {
  return text !== undefined && /^(?:0x[0-9a-fA-F]+|\d+)$/.test(text) && BigInt(text) === BigInt(expected);
}
