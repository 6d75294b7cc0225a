/** What the simulated Lighter venue checks before an order or another command may reach the exchange. Pure; any thread. */
import type { ExchangeOrder, SubmitOutcome } from '../../simulation/exchange.ts';
import type { Instant } from '../venue.ts';
import type { SimulatedAccount, SimulatedRecords } from './simulated-records.ts';
import { isRefusal, refusal } from './simulated-refusals.ts';
import type { Refusal } from './simulated-refusals.ts';
import type { SignedTransaction } from './simulated-transactions.ts';
import { minInitialMarginFraction } from './simulated-market-wire.ts';
import { orderIndexOf } from './simulated-wire.ts';
import type { SimulatedMarket } from './simulated-wire.ts';
import {
  ALL_MARKETS,
  ATTRIBUTE_CANCEL_ALL_MARKET,
  BASE_AMOUNT_MAX,
  CANCEL_ALL_ABORT,
  CANCEL_ALL_NOW,
  CANCEL_ALL_SCHEDULED,
  CLIENT_ORDER_INDEX_MAX,
  MARGIN_FRACTION_SCALE,
  MARGIN_MODE_CROSS,
  ORDER_EXPIRY_MAX_MS,
  ORDER_EXPIRY_MIN_MS,
  ORDER_TYPE_LIMIT,
  ORDER_TYPE_MARKET,
  ORDER_TYPE_STOP_LOSS,
  PRICE_MAX,
  SCHEDULED_CANCEL_MAX_MS,
  SCHEDULED_CANCEL_MIN_MS,
  TIME_IN_FORCE_GTT,
  TIME_IN_FORCE_IOC,
  TIME_IN_FORCE_POST_ONLY,
} from './wire.ts';

/** An order ready for the exchange, with what the exchange does not keep. */
export interface AdmittedOrder {
  readonly order: ExchangeOrder;
  readonly isMarketOrder: boolean;
}

/** An immediate order never expires: ExpiredAt only bounds how late it may be accepted. */
const NEVER_MS = Number.MAX_SAFE_INTEGER;
/** Open orders an account may have, altogether and in one market. */
const OPEN_ORDERS_MAX = { standard: [250, 30], premium: [1_500, 1_000], plus: [1_500, 1_000] } as const;

/** Reads an order. `calendarScale` stretches how far ahead it may expire, as it does all spans a client states. */
export function admitOrder(
  transaction: SignedTransaction,
  records: SimulatedRecords,
  calendarScale: number,
  at: Instant,
): AdmittedOrder | Refusal {
  const { account } = transaction;
  const field = (name: string): number => numberOf(transaction, name);
  const market = records.market(field('MarketIndex'));
  if (market === undefined) return refusal(21602);
  const { instrument } = market;
  if (instrument.status === 'inactive') return refusal(21605);
  const clientOrderIndex = field('ClientOrderIndex');
  if (clientOrderIndex > CLIENT_ORDER_INDEX_MAX) return refusal(21727);
  const [lots, limitTicks] = [field('BaseAmount'), field('Price')];
  if (lots < 1 || lots > BASE_AMOUNT_MAX) return refusal(21701);
  if (limitTicks < 1 || limitTicks > PRICE_MAX) return refusal(21702);
  const [isAsk, reduceOnly] = [field('IsAsk'), field('ReduceOnly')];
  if (isAsk > 1) return refusal(21703);
  if (reduceOnly > 1) return refusal(21740);
  if (instrument.status === 'reduce-only' && reduceOnly === 0) return refusal(21605);

  const timing = readTiming(transaction, calendarScale, at.calendarMs);
  if (isRefusal(timing)) return timing;
  const clientOrderId = clientOrderIndex === 0 ? records.unnamedOrderId() : String(clientOrderIndex);
  if (records.hasPretended(account, clientOrderId)) return refusal(21728);
  const tooMany = timing.timeInForce === 'gtc' ? orderCapRefusal(account, market, records) : undefined;
  if (tooMany !== undefined) return tooMany;
  return {
    isMarketOrder: field('Type') === ORDER_TYPE_MARKET,
    order: {
      account: account.name,
      clientOrderId,
      symbol: instrument.symbol,
      side: isAsk === 1 ? 'sell' : 'buy',
      lots,
      limitTicks,
      reduceOnly: reduceOnly === 1,
      ...(field('Type') === ORDER_TYPE_STOP_LOSS
        ? {
            trigger: {
              markTicks: field('TriggerPrice'),
              direction: isAsk === 1 ? ('fall' as const) : ('rise' as const),
            },
          }
        : {}),
      ...timing,
    },
  };
}

type Timing = Pick<ExchangeOrder, 'timeInForce' | 'postOnly' | 'validUntilMs'>;

function readTiming(transaction: SignedTransaction, calendarScale: number, nowMs: number): Timing | Refusal {
  const [type, timeInForce] = [numberOf(transaction, 'Type'), numberOf(transaction, 'TimeInForce')];
  const expiryMs = numberOf(transaction, 'OrderExpiry');
  const latestMs = nowMs + ORDER_EXPIRY_MAX_MS * Math.max(1, calendarScale);
  const isExpiryRight = expiryMs >= nowMs + ORDER_EXPIRY_MIN_MS && expiryMs <= latestMs;
  if (type === ORDER_TYPE_STOP_LOSS) {
    if (timeInForce !== TIME_IN_FORCE_IOC) return refusal(21705);
    if (numberOf(transaction, 'TriggerPrice') < 1) return refusal(21729);
    return isExpiryRight ? { timeInForce: 'ioc', postOnly: false, validUntilMs: expiryMs } : refusal(21711);
  }
  if (type !== ORDER_TYPE_LIMIT && type !== ORDER_TYPE_MARKET) return refusal(21710);
  if (type === ORDER_TYPE_MARKET && timeInForce !== TIME_IN_FORCE_IOC) return refusal(21705);
  if (numberOf(transaction, 'TriggerPrice') !== 0) return refusal(21729);
  if (timeInForce === TIME_IN_FORCE_IOC)
    return expiryMs === 0 ? { timeInForce: 'ioc', postOnly: false, validUntilMs: NEVER_MS } : refusal(21711);
  if (timeInForce !== TIME_IN_FORCE_GTT && timeInForce !== TIME_IN_FORCE_POST_ONLY) return refusal(21705);
  if (!isExpiryRight) return refusal(21711);
  return { timeInForce: 'gtc', postOnly: timeInForce === TIME_IN_FORCE_POST_ONLY, validUntilMs: expiryMs };
}

function orderCapRefusal(
  account: SimulatedAccount,
  { instrument }: SimulatedMarket,
  records: SimulatedRecords,
): Refusal | undefined {
  const [accountMax, marketMax] = OPEN_ORDERS_MAX[account.tier];
  const open = records.openOrders(account);
  if (open.length >= accountMax) return refusal(21717);
  return open.filter(({ symbol }) => symbol === instrument.symbol).length >= marketMax ? refusal(21718) : undefined;
}

const SUBMIT_REFUSALS: Readonly<Record<Extract<SubmitOutcome, { accepted: false }>['reason'], number>> = {
  'duplicate-client-id': 21728,
  'unknown-symbol': 21602,
  'below-minimum': 21706,
  'above-maximum': 21706,
  'price-band': 21734,
  margin: 21739,
  inactive: 21605,
  expired: 21711,
};

/** The venue's words for what the exchange refused. */
export function submitRefusal(reason: keyof typeof SUBMIT_REFUSALS): Refusal {
  return refusal(SUBMIT_REFUSALS[reason]);
}

/** Cancels the order that a transaction names by the venue's index or by the client's own. */
export function cancelOne(transaction: SignedTransaction, records: SimulatedRecords, at: Instant): Refusal | undefined {
  const market = records.market(numberOf(transaction, 'MarketIndex'));
  if (market === undefined) return refusal(21602);
  const index = transaction.fields.get('Index') ?? 0n;
  const { name } = transaction.account;
  // Queued orders count: a cancel may overtake the order it is about.
  const order = records.exchange
    .orders(name)
    .find(({ venueOrderNumber, clientOrderId }) =>
      index > BigInt(CLIENT_ORDER_INDEX_MAX)
        ? orderIndexOf(venueOrderNumber) === index
        : clientOrderId === index.toString(),
    );
  if (order?.symbol !== market.instrument.symbol) return refusal(21600);
  const found = records.exchange.cancel(name, { venueOrderNumber: order.venueOrderNumber }, at);
  return found ? undefined : refusal(21600);
}

/** When a scheduled cancel-all is due, calendar ms; undefined for one that is not scheduled, 0 for one that ends the schedule. */
export function scheduledCancel(
  transaction: SignedTransaction,
  calendarScale: number,
  at: Instant,
): number | Refusal | undefined {
  const [timing, timeMs] = [numberOf(transaction, 'TimeInForce'), numberOf(transaction, 'Time')];
  if (timing === CANCEL_ALL_ABORT) return timeMs === 0 ? 0 : refusal(21714);
  if (timing !== CANCEL_ALL_SCHEDULED) return undefined;
  const latestMs = at.calendarMs + SCHEDULED_CANCEL_MAX_MS * Math.max(1, calendarScale);
  return timeMs < at.calendarMs + SCHEDULED_CANCEL_MIN_MS || timeMs > latestMs ? refusal(21714) : timeMs;
}

/** Cancels everything now, or everything in the market of attribute 5. */
export function cancelAll(transaction: SignedTransaction, records: SimulatedRecords, at: Instant): Refusal | undefined {
  if (numberOf(transaction, 'TimeInForce') !== CANCEL_ALL_NOW) return refusal(21713);
  if (numberOf(transaction, 'Time') !== 0) return refusal(21714);
  const { exchange } = records;
  const { name } = transaction.account;
  const marketId = transaction.attributes.get(ATTRIBUTE_CANCEL_ALL_MARKET) ?? ALL_MARKETS;
  if (marketId === ALL_MARKETS) {
    exchange.cancelAll(name, at);
    return undefined;
  }
  const market = records.market(marketId);
  if (market === undefined) return refusal(21602);
  for (const { symbol, status, venueOrderNumber } of exchange.orders(name)) {
    if (symbol === market.instrument.symbol && (status === 'queued' || status === 'open'))
      exchange.cancel(name, { venueOrderNumber }, at);
  }
  return undefined;
}

/** Sets the leverage of a market, cross margin only; returns the symbol it changed. */
export function updateLeverage(transaction: SignedTransaction, records: SimulatedRecords): string | Refusal {
  const market = records.market(numberOf(transaction, 'MarketIndex'));
  if (market === undefined) return refusal(21602);
  const { instrument } = market;
  const fraction = numberOf(transaction, 'InitialMarginFraction');
  if (fraction < minInitialMarginFraction(instrument) || fraction > MARGIN_FRACTION_SCALE) return refusal(21113);
  if (numberOf(transaction, 'MarginMode') !== MARGIN_MODE_CROSS)
    return refusal(21613, 'isolated margin is not simulated');
  // Whole leverages only: a fraction rounded up to the wire's last digit is the leverage it came from.
  const nearest = Math.round(MARGIN_FRACTION_SCALE / fraction);
  const isWhole = Math.ceil(MARGIN_FRACTION_SCALE / nearest) === fraction;
  const leverage = isWhole ? nearest : Math.floor(MARGIN_FRACTION_SCALE / fraction);
  if (!records.exchange.setLeverage(transaction.account.name, instrument.symbol, leverage)) return refusal(21739);
  records.rememberLeverage(transaction.account, instrument.symbol, leverage);
  return instrument.symbol;
}

/** A field as a number; ids beyond 2^53 are read from `fields` instead. */
function numberOf(transaction: SignedTransaction, name: string): number {
  return Number(transaction.fields.get(name) ?? 0n);
}
