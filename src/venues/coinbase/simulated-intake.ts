/** What the simulated gateway checks before an order reaches the exchange. Pure reads; any thread. */
import { parseDecimal } from '../../money/decimal.ts';
import type { Instrument } from '../../market/instrument.ts';
import type { ExchangeOrder, ExchangeOrderState, SubmitOutcome } from '../../simulation/exchange.ts';
import { plainDecimal } from '../fields.ts';
import type { RpcRefusal, SimulatedAccount } from './simulated-access.ts';
import { isLive } from './simulated-answers.ts';
import type { SimulatedRecords } from './simulated-records.ts';
import { repeatedId, wireLabel } from './simulated-wire.ts';
import { idOfLabel } from './wire.ts';

type Intake = { readonly accepted: ExchangeOrder } | { readonly refused: RpcRefusal };

const OPEN_ORDERS_MAX = 200;
const LABEL_MAX = 64;
/** How far a market order reaches, as a divisor of the mark. */
const MARKET_REACH = 20n;
const TIMES_IN_FORCE: ReadonlySet<unknown> = new Set([undefined, 'good_til_cancelled', 'immediate_or_cancel']);

/** Reads the parameters of `private/buy` or `private/sell`. */
export function admitOrder(
  side: 'buy' | 'sell',
  params: Readonly<Record<string, unknown>>,
  account: SimulatedAccount,
  records: SimulatedRecords,
  nowMs: number,
): Intake {
  const { exchange } = records;
  const instrument = records.instrument(String(params['instrument_name']));
  if (instrument === undefined) return refuse(-32602, 'Invalid params', 'instrument_name');
  const { type = 'limit', time_in_force: force, label = '', valid_until: validUntilMs } = params;
  if (type !== 'limit' && type !== 'market') return refuse(-32602, 'Invalid params', 'type');
  if (!TIMES_IN_FORCE.has(force)) return refuse(-32602, 'Invalid params', 'time_in_force');
  if (typeof label !== 'string' || label.length > LABEL_MAX || label.includes('#'))
    return refuse(-32602, 'Invalid params', 'label');
  if (typeof validUntilMs === 'number' && nowMs > validUntilMs) return refuse(13888, 'timed_out');

  const lots = steps(params['amount'], instrument.quantityDecimals, instrument.lotUnits);
  if (lots === undefined) return refuse(-32602, 'Invalid params', 'amount');
  if (lots < instrument.minQuantityLots) return refuse(10002, 'qty_too_low');
  const limitTicks =
    type === 'market'
      ? marketTicks(records, instrument, side)
      : steps(params['price'], instrument.priceDecimals, instrument.tickUnits);
  if (limitTicks === undefined || limitTicks <= 0) return refuse(10043, 'price_wrong_tick');

  const reduceOnly = params['reduce_only'] === true;
  const held = exchange.position(account.name, instrument.symbol)?.signedLots ?? 0;
  if (reduceOnly && (held === 0 || held > 0 === (side === 'buy'))) return refuse(11029, 'invalid_reduce_only_order');
  if (records.orders(account).filter(isLive).length >= OPEN_ORDERS_MAX)
    return refuse(10014, 'pme_max_future_open_orders');
  const bare = idOfLabel(label) || label;
  const repeats = label === '' ? 0 : records.orders(account).filter((order) => isLabelled(order, label)).length;
  return {
    accepted: {
      account: account.name,
      clientOrderId: repeats === 0 ? bare : repeatedId(bare, repeats),
      symbol: instrument.symbol,
      side,
      lots,
      limitTicks,
      timeInForce: type === 'market' || force === 'immediate_or_cancel' ? 'ioc' : 'gtc',
      postOnly: params['post_only'] === true,
      reduceOnly,
      // Once matched it stays.
      validUntilMs: Number.MAX_SAFE_INTEGER,
    },
  };
}

function isLabelled({ clientOrderId }: ExchangeOrderState, label: string): boolean {
  return wireLabel(clientOrderId) === label;
}

function refuse(code: number, message: string, param?: string): { readonly refused: RpcRefusal } {
  return { refused: { code, message, ...(param === undefined ? {} : { data: { param, reason: 'invalid' } }) } };
}

/** Whole steps of a JSON number; undefined when it is none or lies between two. */
function steps(value: unknown, decimals: number, stepUnits: number): number | undefined {
  const units = typeof value === 'number' ? parseDecimal(plainDecimal(value), decimals) : undefined;
  if (units === undefined || units < 0n || units % BigInt(stepUnits) !== 0n) return undefined;
  const count = Number(units / BigInt(stepUnits));
  return Number.isSafeInteger(count) ? count : undefined;
}

function marketTicks(records: SimulatedRecords, instrument: Instrument, side: 'buy' | 'sell'): number {
  const { markNano } = records.exchange.stats(instrument.symbol);
  const reach = markNano / MARKET_REACH;
  const limitNano = side === 'buy' ? markNano + reach : markNano - reach;
  return Math.round((Number(limitNano) * 10 ** instrument.priceDecimals) / 1e9 / instrument.tickUnits);
}

const REFUSALS: Readonly<Record<Extract<SubmitOutcome, { accepted: false }>['reason'], RpcRefusal>> = {
  'duplicate-client-id': { code: 11050, message: 'bad_request' },
  'unknown-symbol': { code: -32602, message: 'Invalid params' },
  'below-minimum': { code: 10002, message: 'qty_too_low' },
  'above-maximum': { code: 10020, message: 'invalid_or_unsupported_instrument' },
  'price-band': { code: 10007, message: 'price_too_high' },
  margin: { code: 10009, message: 'not_enough_funds' },
  inactive: { code: 10012, message: 'book_closed' },
  expired: { code: 13888, message: 'timed_out' },
};

/** The venue's words for what the exchange refused. */
export function refusalOf(reason: keyof typeof REFUSALS): RpcRefusal {
  return REFUSALS[reason];
}

/** What the answer to an order says when matching ended it at once; undefined when the order itself is the answer. */
export function lateRefusalOf(order: ExchangeOrderState): RpcRefusal | undefined {
  if (order.filledLots > 0 || isLive(order)) return undefined;
  switch (order.reason) {
    case 'post-only':
      return { code: 11054, message: 'post_only_reject' };
    case 'margin':
      return REFUSALS.margin;
    case 'price-band':
      return REFUSALS['price-band'];
    default:
      return undefined;
  }
}
