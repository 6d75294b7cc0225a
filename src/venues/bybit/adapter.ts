/** Bybit as the connector sees it: one account's operations, streams, limits and signed submissions. Connector thread only. */
import { priceText, quantityText } from '../../money/amounts.ts';
import { RangeViolation } from '../../money/range-violation.ts';
import type { Instant, OrderRequest, Submission, VenueAdapter, VenueSettings } from '../venue.ts';
import { accessProblemOf, limitFeedback, limitsOf, tierOf } from './limits.ts';
import { BybitMarkets } from './markets.ts';
import {
  cancelAllOperation,
  cancelOrderOperation,
  executionsOperation,
  feesOperation,
  findOrderOperation,
  fundingHistoryOperation,
  instrumentsOperation,
  keyRightsOperation,
  leverageOfOperation,
  leverageOperation,
  marketPollOperation,
  openOrdersOperation,
  placeOrderOperation,
  positionsOperation,
  riskLimitOperation,
  serverTimeOperation,
  walletOperation,
} from './rest.ts';
import type { RestAccess } from './operation.ts';
import type { RequestTimes } from './sign.ts';
import { timesUntil } from './signed-request.ts';
import { BybitStream } from './stream.ts';
import { CATEGORY, TRIGGER_FALL, TRIGGER_RISE } from './wire.ts';

/** The venue's own usual window: it ends a request's life, and an unanswered order can be proven dead soon after. */
const REQUEST_VALIDITY_MS = 5_000;

/**
 * Opens one account.
 *
 * Options: `settleCoin` (`USDT` default, `USDC`), `limitProfile` (`standard` default, `vip1`, `vip2`, `vip3`). Secrets: `apiKey`,
 * `apiSecret` (HMAC secret, or an RSA private key in PEM). Throws when one is missing or impossible.
 */
export function bybitAdapter(settings: VenueSettings): VenueAdapter {
  const settleCoin = settings.options['settleCoin'] ?? 'USDT';
  if (settleCoin !== 'USDT' && settleCoin !== 'USDC')
    throw new RangeViolation('bybit option settleCoin', 'USDT or USDC', String(settleCoin));
  const key = { apiKey: requiredSecret(settings, 'apiKey'), secret: requiredSecret(settings, 'apiSecret') };
  const { calendarScale } = settings;
  const tier = tierOf(settings.options['limitProfile']);
  const markets = new BybitMarkets(settleCoin);
  const access: RestAccess = { restUrl: settings.restUrl.replace(/\/+$/, ''), key, markets, calendarScale };
  /** Times of a request made now that is good for the usual validity. */
  const usual = (at: Instant): RequestTimes =>
    timesUntil(at.calendarMs + REQUEST_VALIDITY_MS * calendarScale, at, calendarScale);

  return {
    venue: 'bybit',
    requestValidityMs: REQUEST_VALIDITY_MS,
    usesNonces: false,
    limits: limitsOf(tier),
    limitFeedback: ({ request }, { headers }) => limitFeedback(new URL(request.url).pathname, headers, tier),
    openStream: () =>
      new BybitStream({ streamUrl: settings.streamUrl.replace(/\/+$/, ''), key, markets, calendarScale }),

    accessProblem: accessProblemOf,
    serverTime: () => serverTimeOperation(access),
    instruments: () => ({ ...instrumentsOperation(access), source: 'metadata' }),
    accountSnapshot: (at) => [
      { ...positionsOperation(access, at), source: 'positions' },
      { ...walletOperation(access, at), source: 'balances' },
      openOrdersOperation(access, at),
    ],
    keyRights: (at) => keyRightsOperation(access, at),
    feeTier: (at) => feesOperation(access, at),
    findOrder: (symbol, clientOrderId, at) => [findOrderOperation(access, symbol, clientOrderId, at)],
    fillsSince: (sinceMs, at) => executionsOperation(access, { sinceMs, priority: 2 }, at),
    fundingPaymentsSince: (sinceMs, at) =>
      executionsOperation(access, { sinceMs, execType: 'Funding', priority: 4 }, at),
    marginTiersOf: (symbol) => riskLimitOperation(access, symbol),
    fundingHistory: (symbol, sinceMs, at) => fundingHistoryOperation(access, symbol, sinceMs, at),
    marketPoll: (at) => ({ ...marketPollOperation(access, at), source: 'tickers' }),

    leverageOf: (symbols, at) => symbols.map((symbol) => leverageOfOperation(access, symbol, at)),
    setLeverage: (symbol, leverage) => ({
      submit: (_signature, at) => http(leverageOperation(access, symbol, leverage, usual(at))),
    }),
    hasStops: true,
    placeOrder: (order) => {
      const body = orderBody(access, order);
      return {
        submit: (_signature, at) =>
          http(placeOrderOperation(access, body, timesUntil(order.validUntilMs, at, calendarScale), order.reduceOnly)),
      };
    },
    cancelOrder: (order) => ({
      submit: (_signature, at) => http(cancelOrderOperation(access, order, usual(at))),
    }),
    cancelAll: () => [() => ({ submit: (_signature, at) => http(cancelAllOperation(access, settleCoin, usual(at))) })],
    // No dead man's switch: the venue has one for institutions only.
  };
}

function http(operation: Extract<Submission, { via: 'http' }>['operation']): Submission {
  return { via: 'http', operation };
}

/** Always a limit order: what the venue calls market is one too, at a price of its own. */
function orderBody(access: RestAccess, order: OrderRequest): string {
  const instrument = access.markets.find(order.symbol);
  if (instrument === undefined) throw new RangeViolation('order symbol', 'one read from the venue', order.symbol);
  return JSON.stringify({
    category: CATEGORY,
    symbol: order.symbol,
    side: order.side === 'buy' ? 'Buy' : 'Sell',
    orderType: 'Limit',
    qty: quantityText(order.lots, instrument),
    price: priceText(order.limitTicks, instrument),
    timeInForce: order.postOnly ? 'PostOnly' : order.timeInForce === 'ioc' ? 'IOC' : 'GTC',
    positionIdx: 0,
    orderLinkId: order.clientOrderId,
    reduceOnly: order.reduceOnly,
    ...(order.trigger === undefined
      ? {}
      : {
          triggerPrice: priceText(order.trigger.ticks, instrument),
          triggerDirection: order.trigger.direction === 'rise' ? TRIGGER_RISE : TRIGGER_FALL,
          triggerBy: 'MarkPrice',
        }),
  });
}

function requiredSecret(settings: VenueSettings, name: string): string {
  const secret = settings.secrets[name];
  if (secret === undefined || secret === '') throw new RangeViolation(`bybit secret ${name}`, 'present', 'absent');
  return secret;
}
