/** Extended as the connector sees it: one account's operations, streams, limits and signed submissions. Connector thread only. */
import type { Instrument } from '../../market/instrument.ts';
import { priceText, quantityText } from '../../money/amounts.ts';
import { RangeViolation } from '../../money/range-violation.ts';
import { asFields } from '../json.ts';
import type { Instant, OrderRequest, SubmissionPlan, VenueAdapter, VenueSettings } from '../venue.ts';
import { textField } from './json.ts';
import { accessProblemOf, limitsOf } from './limits.ts';
import { ExtendedMarkets } from './markets.ts';
import {
  balanceOperation,
  cancelAllOperation,
  cancelOrderOperation,
  deadManOperation,
  feesOperation,
  fillsOperation,
  findOrderOperation,
  fundingHistoryOperation,
  fundingPaymentsOperation,
  instrumentsOperation,
  leverageOfOperation,
  leverageOperation,
  marketPollOperation,
  openOrdersOperation,
  placeOrderOperation,
  positionsOperation,
  serverTimeOperation,
} from './rest.ts';
import type { RestAccess } from './rest.ts';
import { EXTENDED_SIGN_TASK, nonceOf, signingKey } from './sign.ts';
import type { ExtendedSignInput, SettlementTerms, SigningKey } from './sign.ts';
import { ExtendedStream } from './stream.ts';
import { TRIGGER_DOWN, TRIGGER_UP } from './wire.ts';

/**
 * An order's expiry is also the end of its validity. No shortest accepted expiry is documented; this one leaves room for a clock
 * that is known to half a second and for a slow request, and still lets an unanswered order be proven dead within seconds.
 */
const REQUEST_VALIDITY_MS = 5_000;

/** No bounds are documented. Long enough to outlast a reconnect, short enough that nothing rests unwatched for minutes. */
const DEAD_MAN_MS = { usualMs: 60_000, shortestMs: 10_000 } as const;

/**
 * Opens one account.
 *
 * Options: `vault` (integer, or the secret of that name), `chainId` (`SN_MAIN` default, `SN_SEPOLIA`), `limitProfile` (`public`
 * default, `market-maker`). Secrets: `apiKey`, `privateKey` (Stark key, hex). Throws when one is missing or impossible.
 */
export function extendedAdapter(settings: VenueSettings): VenueAdapter {
  const vault = Number(settings.options['vault'] ?? settings.secrets['vault']);
  if (!Number.isSafeInteger(vault))
    throw new RangeViolation('extended option vault', 'an integer', settings.options['vault'] ?? 'absent');
  const chainId = String(settings.options['chainId'] ?? 'SN_MAIN');
  const apiKey = requiredSecret(settings, 'apiKey');
  const key = signingKey(requiredSecret(settings, 'privateKey'), vault, chainId);
  const markets = new ExtendedMarkets();
  const access: RestAccess = { restUrl: settings.restUrl.replace(/\/+$/, ''), apiKey, chainId, markets };

  return {
    venue: 'extended',
    requestValidityMs: REQUEST_VALIDITY_MS,
    usesNonces: false,
    limits: limitsOf(settings.options['limitProfile']),
    openStream: () =>
      new ExtendedStream({
        streamUrl: settings.streamUrl.replace(/\/+$/, ''),
        apiKey,
        markets,
        calendarScale: settings.calendarScale,
      }),

    accessProblem: accessProblemOf,
    keyCaution:
      'its key can also sign transfers and withdrawals: trade on a sub-account that holds only what may be lost',
    serverTime: () => serverTimeOperation(access),
    instruments: () => ({ ...instrumentsOperation(access), source: 'metadata' }),
    accountSnapshot: () => [
      { ...positionsOperation(access), source: 'positions' },
      { ...balanceOperation(access), source: 'balances' },
      openOrdersOperation(access),
    ],
    feeTier: () => feesOperation(access),
    findOrder: (_symbol, clientOrderId) => [findOrderOperation(access, clientOrderId)],
    fillsSince: (sinceMs) => fillsOperation(access, sinceMs),
    fundingPaymentsSince: (sinceMs) => fundingPaymentsOperation(access, sinceMs),
    fundingHistory: (symbol, sinceMs, at: Instant) => fundingHistoryOperation(access, symbol, sinceMs, at),
    marketPoll: () => ({ ...marketPollOperation(access), source: 'tickers' }),

    hasStops: true,
    leverageOf: (symbols) => [leverageOfOperation(access, symbols)],
    setLeverage: (symbol, leverage) => ({
      submit: () => ({ via: 'http', operation: leverageOperation(access, symbol, leverage) }),
    }),
    placeOrder: (order) => placement(access, key, order),
    cancelOrder: (order) => ({
      submit: () => ({ via: 'http', operation: cancelOrderOperation(access, order.clientOrderId) }),
    }),
    cancelAll: () => [() => ({ submit: () => ({ via: 'http', operation: cancelAllOperation(access) }) })],
    deadMan: {
      ...DEAD_MAN_MS,
      arm: (forMs) => () => ({
        submit: () => ({ via: 'http', operation: deadManOperation(access, Math.ceil(forMs / 1_000)) }),
      }),
    },
  };
}

/**
 * Signs on the CPU pool, then posts. The venue's only expiry is the order's own: what may rest is valid for as long.
 * The price is always a limit: MARKET orders would need one as well.
 */
function placement(access: RestAccess, key: SigningKey, order: OrderRequest): SubmissionPlan {
  const market = access.markets.find(order.symbol);
  if (market === undefined) throw new RangeViolation('order symbol', 'a market read from the venue', order.symbol);
  const terms: SettlementTerms = {
    side: order.side,
    quantity: quantityText(order.lots, market.instrument),
    price: priceText(order.limitTicks, market.instrument),
    feeRate: access.markets.feeRateText(order.symbol),
    expiryEpochMillis: Math.floor(order.restsUntilMs ?? order.validUntilMs),
    nonce: nonceOf(order.clientOrderId),
    vault: key.vault,
    market: market.settlement,
  };
  const input: ExtendedSignInput = { key, terms };
  return {
    sign: { task: EXTENDED_SIGN_TASK, input },
    submit: (signature) => ({
      via: 'http',
      operation: placeOrderOperation(
        access,
        orderBody(order, market.instrument, terms, key, signature),
        order.reduceOnly,
      ),
    }),
  };
}

function orderBody(
  order: OrderRequest,
  instrument: Instrument,
  terms: SettlementTerms,
  key: SigningKey,
  signature: unknown,
): string {
  const signed = asFields(signature, 'signature');
  return JSON.stringify({
    id: order.clientOrderId,
    market: order.symbol,
    type: order.trigger === undefined ? 'LIMIT' : 'CONDITIONAL',
    side: order.side === 'buy' ? 'BUY' : 'SELL',
    qty: terms.quantity,
    price: terms.price,
    timeInForce: order.timeInForce === 'ioc' ? 'IOC' : 'GTT',
    expiryEpochMillis: terms.expiryEpochMillis,
    fee: terms.feeRate,
    nonce: String(terms.nonce),
    reduceOnly: order.reduceOnly,
    postOnly: order.postOnly,
    selfTradeProtectionLevel: 'ACCOUNT',
    ...(order.trigger === undefined ? {} : { trigger: triggerBody(order.trigger, instrument) }),
    settlement: {
      signature: { r: textField(signed, 'r', 'signature'), s: textField(signed, 's', 'signature') },
      starkKey: key.publicKey,
      collateralPosition: String(key.vault),
    },
  });
}

/**
 * By the mark; what it becomes is a market order, whose worst price is the order's own. Both names of the direction occur in the venue's
 * documents and clients. Not tried at the venue itself yet.
 */
function triggerBody({ ticks, direction }: NonNullable<OrderRequest['trigger']>, instrument: Instrument): object {
  const way = direction === 'rise' ? TRIGGER_UP : TRIGGER_DOWN;
  return {
    triggerPrice: priceText(ticks, instrument),
    triggerPriceType: 'MARK',
    direction: way,
    triggerPriceDirection: way,
    executionPriceType: 'MARKET',
  };
}

function requiredSecret(settings: VenueSettings, name: string): string {
  const secret = settings.secrets[name];
  if (secret === undefined || secret === '') throw new RangeViolation(`extended secret ${name}`, 'present', 'absent');
  return secret;
}
