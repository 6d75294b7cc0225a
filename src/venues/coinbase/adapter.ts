/** Coinbase as the connector sees it: one account's operations, streams, limits and signed submissions. Connector thread only. */
import { plainDecimal } from '../fields.ts';
import { priceText, quantityText } from '../../money/amounts.ts';
import { RangeViolation } from '../../money/range-violation.ts';
import type { OrderRequest, Submission, VenueAdapter, VenueSettings } from '../venue.ts';
import { advancedAdapter } from './advanced-adapter.ts';
import { coinbaseHostsOf } from './hosts.ts';
import type { AccountType } from './hosts.ts';
import { accessProblemOf, gatewayLimitsOf, tierOf } from './limits.ts';
import { allowedTicks, CoinbaseMarkets } from './markets.ts';
import { Tokens } from './operation.ts';
import type { CoinbaseAccess } from './operation.ts';
import {
  feesOperation,
  findOrderOperation,
  fundingHistoryOperation,
  instrumentsOperation,
  marketPollOperation,
  openOrdersOperation,
  paymentsOperation,
  positionsOperation,
  serverTimeOperation,
  summaryOperation,
  tradesOperation,
} from './rest.ts';
import { callId } from './rpc.ts';
import type { CallKind } from './rpc.ts';
import { platformKey } from './sign.ts';
import { ACCOUNT_SOCKET, CoinbaseStream } from './stream.ts';
import { labelOf, rpcText, SETTLED_IN } from './wire.ts';

/** Orders are stamped with the time after which they must not be matched any more. */
const REQUEST_VALIDITY_MS = 5_000;

/**
 * Opens one account.
 *
 * Options: `accountType` (`global` default: perpetuals behind the gateway; `us`: futures through Advanced Trade), `limitProfile`
 * (`standard` default, `premium`, `plus`), `cancelOnDisconnect` (default true, gateway only: the venue cancels what rests when the
 * connection is lost). Secrets: `keyName` (`organizations/.../apiKeys/...`), `privateKey` (PEM of a P-256 or Ed25519 key, or base64 of
 * an Ed25519 seed). Throws when one is missing or impossible.
 */
export function coinbaseAdapter(settings: VenueSettings): VenueAdapter {
  return accountTypeOf(settings.options['accountType']) === 'us'
    ? advancedAdapter(accessOf(settings, 'us'))
    : globalAdapter(settings);
}

/** Reads the option `accountType`. */
export function accountTypeOf(option: string | number | boolean | undefined): AccountType {
  if (option === undefined || option === 'global') return 'global';
  if (option === 'us') return 'us';
  throw new RangeViolation('coinbase option accountType', 'global or us', String(option));
}

export function accessOf(settings: VenueSettings, accountType: AccountType): CoinbaseAccess {
  const { calendarScale } = settings;
  const key = platformKey(requiredSecret(settings, 'keyName'), requiredSecret(settings, 'privateKey'));
  return {
    hosts: coinbaseHostsOf(settings, accountType),
    tokens: new Tokens(key, calendarScale),
    markets: new CoinbaseMarkets(),
    calendarScale,
  };
}

function requiredSecret(settings: VenueSettings, name: string): string {
  const secret = settings.secrets[name];
  if (secret === undefined || secret === '') throw new RangeViolation(`coinbase secret ${name}`, 'present', 'absent');
  return secret;
}

function globalAdapter(settings: VenueSettings): VenueAdapter {
  const access = accessOf(settings, 'global');
  const { markets } = access;
  const cancelsOnDisconnect = settings.options['cancelOnDisconnect'] !== false;
  let requests = 0;
  /** Whatever changes something leaves on the account's socket: it is signed in, and the fastest way. */
  const send = (
    kind: CallKind,
    number: number | string,
    method: string,
    params: Readonly<Record<string, unknown>>,
  ): { readonly submit: () => Submission } => ({
    submit: () => {
      const id = callId(kind, number);
      const frame = { socketKey: ACCOUNT_SOCKET, text: rpcText({ id, method, params }), kind: 'order' } as const;
      return { via: 'socket', frame, submissionId: String(id) };
    },
  });
  const request = (method: string, params: Readonly<Record<string, unknown>>): ReturnType<typeof send> => {
    requests += 1;
    return send('request', requests, method, params);
  };

  return {
    venue: 'coinbase',
    requestValidityMs: REQUEST_VALIDITY_MS,
    usesNonces: false,
    limits: gatewayLimitsOf(tierOf(settings.options['limitProfile'])),
    openStream: () => new CoinbaseStream(access, { cancelsOnDisconnect }),

    accessProblem: accessProblemOf,
    keyCaution:
      'the gateway does not tell what a key may do: let it view and trade only, on a portfolio (sub-account) of its own',
    serverTime: () => serverTimeOperation(access),
    instruments: () => instrumentsOperation(access),
    accountSnapshot: (at) => [
      positionsOperation(access, at),
      summaryOperation(access, at),
      openOrdersOperation(access, at),
    ],
    feeTier: (at) => feesOperation(access, at),
    findOrder: (symbol, clientOrderId, at) => [findOrderOperation(access, symbol, clientOrderId, at)],
    fillsSince: (sinceMs, at) => tradesOperation(access, sinceMs, at),
    fundingPaymentsSince: (sinceMs, at) => paymentsOperation(access, sinceMs, at),
    fundingHistory: (symbol, sinceMs, at) => fundingHistoryOperation(access, symbol, sinceMs, at),
    marketPoll: (at) => marketPollOperation(access, at),

    // There is nothing to read or to set at the venue.
    leverageOf: () => [],
    assumeLeverage: (symbol, leverage) => markets.askLeverage(symbol, leverage),
    placeOrder: (order) => {
      const method = order.side === 'buy' ? 'private/buy' : 'private/sell';
      return send('place', order.clientOrderId, method, orderParams(access, order));
    },
    cancelOrder: ({ clientOrderId, venueOrderId }) =>
      venueOrderId === undefined || venueOrderId === ''
        ? send('cancel', clientOrderId, 'private/cancel_by_label', {
            label: labelOf(clientOrderId),
            currency: SETTLED_IN,
          })
        : send('cancel', clientOrderId, 'private/cancel', { order_id: venueOrderId }),
    cancelAll: () => [() => request('private/cancel_all_by_kind_or_type', { currency: SETTLED_IN, kind: 'future' })],
    // No dead man's switch by time: the venue cancels when the connection is lost.
  };
}

/** Always a limit order. Numbers, as the venue wants them, whose shortest text is exactly the price and the amount. */
function orderParams(access: CoinbaseAccess, order: OrderRequest): Readonly<Record<string, unknown>> {
  const market = access.markets.market(order.symbol);
  if (market === undefined) throw new RangeViolation('order symbol', 'one read from the venue', order.symbol);
  const { instrument, priceSteps } = market;
  // High prices have coarser steps: never a worse price than was approved.
  const limitTicks = allowedTicks(order.limitTicks, priceSteps, order.side === 'buy' ? 'down' : 'up');
  if (limitTicks < 1) throw new RangeViolation('order limitTicks', 'at least one allowed price step', order.limitTicks);
  return {
    instrument_name: order.symbol,
    amount: exactNumber('order amount', quantityText(order.lots, instrument)),
    type: 'limit',
    price: exactNumber('order price', priceText(limitTicks, instrument)),
    time_in_force: order.timeInForce === 'ioc' ? 'immediate_or_cancel' : 'good_til_cancelled',
    ...(order.postOnly ? { post_only: true, reject_post_only: true } : {}),
    reduce_only: order.reduceOnly,
    label: labelOf(order.clientOrderId),
    valid_until: Math.floor(order.validUntilMs),
  };
}

function exactNumber(what: string, text: string): number {
  const value = Number(text);
  const digits = (decimal: string): string => decimal.replace(/(\.\d*?)0+$/, '$1').replace(/\.$/, '');
  if (digits(plainDecimal(value)) !== digits(text))
    throw new RangeViolation(what, 'a number with at most 15 digits', text);
  return value;
}
