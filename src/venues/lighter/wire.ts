/** What both ends of Lighter's wire share: codes, transaction layouts, limits of numbers. Data only; any thread. */

/** Chain ids that are signed. */
export const CHAIN_ID_MAIN = 304;
export const CHAIN_ID_TEST = 300;

export const TX_CREATE_ORDER = 14;
export const TX_CANCEL_ORDER = 15;
export const TX_CANCEL_ALL_ORDERS = 16;
export const TX_MODIFY_ORDER = 17;
export const TX_UPDATE_LEVERAGE = 20;

/** Fields of each transaction type in signing order, after AccountIndex and ApiKeyIndex. */
export const SIGNED_FIELDS: ReadonlyMap<number, readonly string[]> = new Map([
  [
    TX_CREATE_ORDER,
    [
      'MarketIndex',
      'ClientOrderIndex',
      'BaseAmount',
      'Price',
      'IsAsk',
      'Type',
      'TimeInForce',
      'ReduceOnly',
      'TriggerPrice',
      'OrderExpiry',
    ],
  ],
  [TX_CANCEL_ORDER, ['MarketIndex', 'Index']],
  [TX_CANCEL_ALL_ORDERS, ['TimeInForce', 'Time']],
  [TX_MODIFY_ORDER, ['MarketIndex', 'Index', 'BaseAmount', 'Price', 'TriggerPrice']],
  [TX_UPDATE_LEVERAGE, ['MarketIndex', 'InitialMarginFraction', 'MarginMode']],
]);

/** Attribute "skip nonce": any larger nonce is taken. Our own transactions never set it. */
export const ATTRIBUTE_SKIP_NONCE = 4;
/** Attribute "market of an immediate cancel-all"; neutral is 255, that of all others 0. */
export const ATTRIBUTE_CANCEL_ALL_MARKET = 5;

/** `TimeInForce` of a cancel-all: at once, at its `Time`, and not any more. */
export const CANCEL_ALL_NOW = 0;
export const CANCEL_ALL_SCHEDULED = 1;
export const CANCEL_ALL_ABORT = 2;
/** A scheduled cancel-all lies between these ahead, calendar ms. */
export const SCHEDULED_CANCEL_MIN_MS = 5 * 60_000;
export const SCHEDULED_CANCEL_MAX_MS = 15 * 86_400_000;

export const ORDER_TYPE_LIMIT = 0;
export const ORDER_TYPE_MARKET = 1;
/** Waits for the mark, then takes at its price at worst. A sale waits for a fall, a purchase for a rise. */
export const ORDER_TYPE_STOP_LOSS = 2;
export const TIME_IN_FORCE_IOC = 0;
export const TIME_IN_FORCE_GTT = 1;
export const TIME_IN_FORCE_POST_ONLY = 2;
export const MARGIN_MODE_CROSS = 0;

/** A resting order must expire between 5 minutes and 30 days from now, calendar ms. */
export const ORDER_EXPIRY_MIN_MS = 5 * 60_000;
export const ORDER_EXPIRY_MAX_MS = 30 * 86_400_000;
/** The deadline of an auth token may be this far ahead, calendar ms. */
export const AUTH_TOKEN_MAX_MS = 8 * 3_600_000;

/** Client order ids lie from 1 to this, venue order ids above it. */
export const CLIENT_ORDER_INDEX_MAX = 2 ** 48 - 1;
/** `BaseAmount` and `Price` of a transaction, most. */
export const BASE_AMOUNT_MAX = 2 ** 48 - 1;
export const PRICE_MAX = 2 ** 32 - 1;
/** Perpetual markets have ids from 0 to this, spot markets larger ones. */
export const PERP_MARKET_ID_MAX = 254;
/** "All markets" in requests. */
export const ALL_MARKETS = 255;
/** The collateral's asset id. */
export const USDC_ASSET_ID = 3;

/** A margin fraction of 1 in transactions and market details. */
export const MARGIN_FRACTION_SCALE = 10_000;
/** A fee tick in pico units: fees are whole multiples of 1e-6 of notional. */
export const FEE_TICK_PICO = 1_000_000;
export const FEE_SCALE = 1_000_000n;

/** Funding rates of `market_stats` and `/fundings` are percent per hour, payments happen on the hour. */
export const FUNDING_INTERVAL_MS = 3_600_000;
export const FUNDING_UNIT = { scale: 'percent', perMs: FUNDING_INTERVAL_MS } as const;
/** Interest 0.01 % of eight hours, clamps of 0.05 % and 4 %; an eighth of it is paid every hour. */
export const PREMIUM_FORMULA = {
  perMs: 8 * FUNDING_INTERVAL_MS,
  interest8hPico: 100_000_000,
  clampPico: 500_000_000,
  hourlyCapPico: 5_000_000_000,
} as const;
