/** A US futures account through Advanced Trade: operations, streams, limits and signed submissions. Connector thread only. */
import { priceText } from '../../money/amounts.ts';
import { RangeViolation } from '../../money/range-violation.ts';
import type { Instant, OrderRequest, Submission, SubmissionPlan, VenueAdapter } from '../venue.ts';
import {
  balanceOperation,
  cancelOperation,
  createOrderOperation,
  fillsOperation,
  findByIdOperation,
  keyPermissionsOperation,
  ordersOperation,
  positionsOperation,
  productsOperation,
  ratesOperation,
  timeOperation,
  transactionSummaryOperation,
} from './advanced-rest.ts';
import { AdvancedStream } from './advanced-stream.ts';
import { accessProblemOf, ADVANCED_LIMITS } from './limits.ts';
import type { CoinbaseAccess } from './operation.ts';
import { uuidOf } from './wire.ts';

/** A token's whole seconds and the two by which it is dated back leave no room for less. */
const REQUEST_VALIDITY_MS = 8_000;
const CANCELS_PER_REQUEST = 100;

/**
 * Opens the account. The venue has no flag for orders that only reduce: an order that should is sized by what is held, and sent as any
 * other, once it is known what that is. It lists no payments of funding either: what it exchanged shows in the cash of the account.
 */
export function advancedAdapter(access: CoinbaseAccess): VenueAdapter {
  const { markets, calendarScale } = access;
  const usualUntil = (at: Instant): number => at.calendarMs + REQUEST_VALIDITY_MS * calendarScale;
  const cancel = (ids: readonly string[]): SubmissionPlan => ({
    submit: (_signature, at) => http(cancelOperation(access, ids, usualUntil(at), at)),
  });
  const atOf = { calendarMs: 0, monotonicMs: 0 };

  return {
    venue: 'coinbase',
    requestValidityMs: REQUEST_VALIDITY_MS,
    usesNonces: false,
    lacksReduceOnly: true,
    limits: ADVANCED_LIMITS,
    openStream: () => new AdvancedStream(access),

    accessProblem: accessProblemOf,
    keyRights: (at) => keyPermissionsOperation(access, at),
    keyCaution:
      'Advanced Trade lists no funding payments and has no reduce-only orders: its cash will move by what no booking explains',
    serverTime: () => timeOperation(access, atOf),
    instruments: () => ({ ...productsOperation(access, atOf), source: 'metadata' }),
    accountSnapshot: (at) => [
      { ...positionsOperation(access, at), source: 'positions' },
      { ...balanceOperation(access, at), source: 'balances' },
      ordersOperation(access, at),
    ],
    feeTier: (at) => transactionSummaryOperation(access, at),
    findOrder: (symbol, clientOrderId, at) => [findByIdOperation(access, symbol, clientOrderId, at)],
    fillsSince: (sinceMs, at) => fillsOperation(access, sinceMs, at),
    fundingPaymentsSince: (_sinceMs, at) => balanceOperation(access, at),
    fundingHistory: (symbol, _sinceMs, at) => ratesOperation(access, [symbol], at),
    marketPoll: (at) =>
      markets.watched.length === 0
        ? timeOperation(access, at)
        : { ...ratesOperation(access, markets.watched, at), source: 'tickers' },

    // It goes with every order.
    leverageOf: () => [],
    assumeLeverage: (symbol, leverage) => markets.askLeverage(symbol, leverage),
    placeOrder: (order) => {
      const body = orderBody(access, order);
      return {
        submit: (_signature, at) =>
          http(createOrderOperation(access, { body, untilMs: order.validUntilMs, isReducing: order.reduceOnly }, at)),
      };
    },
    // Only its own id will do; of an order whose answer never came it is looked up first, and the cancel comes again.
    cancelOrder: ({ clientOrderId, venueOrderId }) =>
      cancel([venueOrderId || markets.venueOrderIdOf(clientOrderId) || uuidOf(clientOrderId)]),
    cancelAll: (open) => {
      const ids = open.flatMap(({ venueOrderId }) => venueOrderId ?? []);
      const batches = Array.from({ length: Math.ceil(ids.length / CANCELS_PER_REQUEST) }, (_none, index) =>
        ids.slice(index * CANCELS_PER_REQUEST, (index + 1) * CANCELS_PER_REQUEST),
      );
      return batches.map((batch) => () => cancel(batch));
    },
  };
}

function http(operation: Extract<Submission, { via: 'http' }>['operation']): Submission {
  return { via: 'http', operation };
}

/** Always a limit order, counted in contracts: one lot is one contract. */
function orderBody({ markets }: CoinbaseAccess, order: OrderRequest): Readonly<Record<string, unknown>> {
  const instrument = markets.find(order.symbol);
  if (instrument === undefined) throw new RangeViolation('order symbol', 'one read from the venue', order.symbol);
  const size = { base_size: String(order.lots), limit_price: priceText(order.limitTicks, instrument) };
  return {
    client_order_id: uuidOf(order.clientOrderId),
    product_id: order.symbol,
    side: order.side === 'buy' ? 'BUY' : 'SELL',
    order_configuration:
      order.timeInForce === 'ioc'
        ? { sor_limit_ioc: size }
        : { limit_limit_gtc: { ...size, post_only: order.postOnly } },
    leverage: String(markets.leverageOf(instrument)),
    margin_type: 'CROSS',
  };
}
