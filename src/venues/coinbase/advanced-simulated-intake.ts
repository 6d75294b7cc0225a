/** What simulated Advanced Trade checks before an order reaches the exchange. Pure reads; any thread. */
import { parseDecimal } from '../../money/decimal.ts';
import type { Instrument } from '../../market/instrument.ts';
import type { ExchangeOrder, SubmitOutcome } from '../../simulation/exchange.ts';
import { epochMsOfIso } from '../iso-time.ts';
import { isFields } from '../json.ts';
import type { Fields } from '../json.ts';
import type { AdvancedAccount, AdvancedRecords } from './advanced-simulated-records.ts';
import { bareClientId, maxContractsOf } from './advanced-simulated-wire.ts';

/** A refusal as the answer's `error_response` has it: the reason stands in one of two fields. */
export interface OrderRefusal {
  readonly reason: string;
  readonly message: string;
  readonly isPreview: boolean;
}
type Intake = { readonly accepted: ExchangeOrder } | { readonly refused: OrderRefusal };

/** How far a market order reaches, as a divisor of the mark. */
const MARKET_REACH = 20n;
const CLIENT_ID_MAX = 128;
const FOR_EVER = Number.MAX_SAFE_INTEGER;

/** Reads the body of a create request. */
export function admitOrder(body: Fields, account: AdvancedAccount, records: AdvancedRecords, nowMs: number): Intake {
  const { client_order_id: clientId, product_id: symbol, side } = body;
  if (typeof clientId !== 'string' || clientId === '' || clientId.length > CLIENT_ID_MAX)
    return refuse('INVALID_REQUEST', 'client_order_id is required');
  const instrument = records.instrument(String(symbol));
  if (instrument === undefined) return refuse('INVALID_PRODUCT_ID', 'product_id is unknown');
  if (side !== 'BUY' && side !== 'SELL') return refuse('INVALID_SIDE', 'side must be BUY or SELL');
  const terms = termsOf(body['order_configuration']);
  if (terms === undefined) return refuse('UNSUPPORTED_ORDER_CONFIGURATION', 'order_configuration is not supported');
  const leverage = body['leverage'];
  if (leverage !== undefined && !(Number(leverage) >= 1 && Number(leverage) <= instrument.maxLeverage))
    return refuse('INVALID_LEVERAGE_PROVIDED', 'leverage is above what the product allows');
  const margin = body['margin_type'];
  if (margin !== undefined && margin !== 'CROSS') return refuse('INVALID_MARGIN_TYPE', 'only CROSS is taken');

  const lots = contractsOf(terms.size);
  if (lots === undefined) return refuse('INVALID_SIZE_PRECISION', 'base_size must be whole contracts');
  if (lots < instrument.minQuantityLots) return preview('PREVIEW_INVALID_BASE_SIZE_TOO_SMALL');
  if (lots > maxContractsOf(instrument)) return preview('PREVIEW_INVALID_BASE_SIZE_TOO_LARGE');
  const buys = side === 'BUY';
  const limitTicks = terms.isMarket ? marketTicks(records, instrument, buys) : ticksOf(terms.price, instrument);
  if (limitTicks === undefined || limitTicks <= 0)
    return refuse('INVALID_PRICE_PRECISION', 'limit_price must be a multiple of the price increment');
  const book = records.exchange.book(instrument.symbol);
  const best = (buys ? book.asks : book.bids)[0]?.[0];
  const crosses = best !== undefined && (buys ? limitTicks >= best : limitTicks <= best);
  if (terms.postOnly && crosses) return refuse('INVALID_LIMIT_PRICE_POST_ONLY', 'the order would take');
  if (terms.endsAtMs <= nowMs) return refuse('INVALID_REQUEST', 'end_time is over');
  return {
    accepted: {
      account: account.name,
      clientOrderId: bareClientId(clientId),
      symbol: instrument.symbol,
      side: buys ? 'buy' : 'sell',
      lots,
      limitTicks,
      timeInForce: terms.isImmediate ? 'ioc' : 'gtc',
      postOnly: terms.postOnly,
      // The venue has no such orders.
      reduceOnly: false,
      validUntilMs: terms.endsAtMs,
    },
  };
}

interface Terms {
  readonly size: unknown;
  readonly price: unknown;
  readonly isMarket: boolean;
  readonly isImmediate: boolean;
  readonly postOnly: boolean;
  readonly endsAtMs: number;
}

/** Exactly one configuration, of a kind this venue simulates. */
function termsOf(configuration: unknown): Terms | undefined {
  const [entry, ...more] = isFields(configuration) ? Object.entries(configuration) : [];
  if (entry === undefined || more.length > 0) return undefined;
  const [kind, fields] = entry;
  if (!isFields(fields)) return undefined;
  const terms: Terms = {
    size: fields['base_size'],
    price: fields['limit_price'],
    isMarket: kind === 'market_market_ioc',
    isImmediate: kind === 'market_market_ioc' || kind === 'sor_limit_ioc',
    postOnly: fields['post_only'] === true,
    endsAtMs: FOR_EVER,
  };
  if (kind === 'limit_limit_gtc' || terms.isImmediate) return terms;
  if (kind !== 'limit_limit_gtd') return undefined;
  const endsAtMs = epochMsOfIso(String(fields['end_time']));
  return endsAtMs === undefined ? undefined : { ...terms, endsAtMs };
}

function contractsOf(value: unknown): number | undefined {
  return typeof value === 'string' && /^\d{1,12}(?:\.0*)?$/.test(value) ? Number(value) : undefined;
}

function ticksOf(value: unknown, { priceDecimals, tickUnits }: Instrument): number | undefined {
  const plain = typeof value === 'string' ? value.replace(/(\.\d*?)0+$/, '$1').replace(/\.$/, '') : '';
  const units = parseDecimal(plain, priceDecimals);
  if (units === undefined || units % BigInt(tickUnits) !== 0n) return undefined;
  const ticks = Number(units / BigInt(tickUnits));
  return Number.isSafeInteger(ticks) ? ticks : undefined;
}

function marketTicks({ exchange }: AdvancedRecords, instrument: Instrument, buys: boolean): number {
  const { markNano } = exchange.stats(instrument.symbol);
  const reach = markNano / MARKET_REACH;
  const limitNano = buys ? markNano + reach : markNano - reach;
  return Math.round((Number(limitNano) * 10 ** instrument.priceDecimals) / 1e9 / instrument.tickUnits);
}

function refuse(reason: string, message: string): { readonly refused: OrderRefusal } {
  return { refused: { reason, message, isPreview: false } };
}
function preview(reason: string): { readonly refused: OrderRefusal } {
  return { refused: { reason, message: '', isPreview: true } };
}

const REASONS: Readonly<Record<Extract<SubmitOutcome, { accepted: false }>['reason'], string>> = {
  'duplicate-client-id': 'INVALID_REQUEST',
  'unknown-symbol': 'INVALID_PRODUCT_ID',
  'below-minimum': 'PREVIEW_INVALID_BASE_SIZE_TOO_SMALL',
  'above-maximum': 'PREVIEW_INVALID_BASE_SIZE_TOO_LARGE',
  'price-band': 'INVALID_LIMIT_PRICE',
  margin: 'INSUFFICIENT_FUND',
  inactive: 'UNTRADABLE_PRODUCT',
  expired: 'INVALID_REQUEST',
};

/** The venue's words for what the exchange refused. */
export function refusalOf(reason: keyof typeof REASONS): OrderRefusal {
  const words = REASONS[reason];
  return { reason: words, message: reason, isPreview: words.startsWith('PREVIEW_') };
}
