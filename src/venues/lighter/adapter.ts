/** Lighter as the connector sees it: one account's operations, streams, limits and signed transactions. Connector thread only. */
import { RangeViolation } from '../../money/range-violation.ts';
import { asFields } from '../json.ts';
import type { Instant, OrderRequest, SubmissionPlan, VenueAdapter, VenueSettings } from '../venue.ts';
import { AuthTokens } from './auth.ts';
import { textField } from './json.ts';
import { accessProblemOf, limitsOf, takerDelayOf, tierOf } from './limits.ts';
import { LighterMarkets } from './markets.ts';
import {
  accountOperation,
  feeTierOperation,
  fillsOperation,
  findOrderOperation,
  fundingHistoryOperation,
  fundingPaymentsOperation,
  instrumentsOperation,
  leverageOperation,
  nextNonceOperation,
  openOrdersOperation,
  serverTimeOperation,
} from './rest.ts';
import type { RestAccess } from './rest.ts';
import { LIGHTER_SIGN_TASK, privateKeyScalar } from './sign.ts';
import type { LighterSignInput } from './sign.ts';
import { ACCOUNT_SOCKET, LighterStream, submissionIdOf } from './stream.ts';
import {
  BASE_AMOUNT_MAX,
  CANCEL_ALL_NOW,
  CANCEL_ALL_SCHEDULED,
  CHAIN_ID_MAIN,
  CLIENT_ORDER_INDEX_MAX,
  MARGIN_FRACTION_SCALE,
  MARGIN_MODE_CROSS,
  ORDER_EXPIRY_MAX_MS,
  ORDER_TYPE_LIMIT,
  ORDER_TYPE_STOP_LOSS,
  PRICE_MAX,
  SCHEDULED_CANCEL_MIN_MS,
  TIME_IN_FORCE_GTT,
  TIME_IN_FORCE_IOC,
  TIME_IN_FORCE_POST_ONLY,
  TX_CANCEL_ALL_ORDERS,
  TX_CANCEL_ORDER,
  TX_CREATE_ORDER,
  TX_UPDATE_LEVERAGE,
} from './wire.ts';

/** `ExpiredAt` bounds how late a transaction may be accepted; seconds suffice on an open socket, and make silence a proof soon. */
const REQUEST_VALIDITY_MS = 4_000;
/** A resting order may live this long: two days below the venue's most, whatever the clocks say. Calendar ms. */
const RESTING_MS = ORDER_EXPIRY_MAX_MS - 2 * 86_400_000;
/** A scheduled cancel must still lie far enough ahead when it arrives, ms. */
const SCHEDULED_MARGIN_MS = 15_000;
/** Slots 0 to 3 are the venue's own apps', 255 means "all". */
const API_KEY_INDEX_MIN = 4;
const API_KEY_INDEX_MAX = 254;

/**
 * Opens one account.
 *
 * Options: `accountIndex`, `apiKeyIndex` (4 to 254; integers, or secrets of those names), `chainId` (304 default, 300 test net), `tier`
 * (`standard` default, `premium`). Secret: `privateKey`, 40 bytes of hex, of the API key. Throws when one is missing or impossible.
 */
export function lighterAdapter(settings: VenueSettings): VenueAdapter {
  const privateKey = settings.secrets['privateKey'] ?? '';
  privateKeyScalar(privateKey);
  const accountIndex = integerOption(settings, 'accountIndex', 0, 2 ** 48 - 2);
  const apiKeyIndex = integerOption(settings, 'apiKeyIndex', API_KEY_INDEX_MIN, API_KEY_INDEX_MAX);
  const chainId =
    settings.options['chainId'] === undefined ? CHAIN_ID_MAIN : integerOption(settings, 'chainId', 1, 2 ** 32);
  const tier = tierOf(settings.options['tier']);
  const markets = new LighterMarkets();
  const tokens = new AuthTokens({ privateKey, accountIndex, apiKeyIndex, calendarScale: settings.calendarScale });
  const access: RestAccess = {
    restUrl: settings.restUrl.replace(/\/+$/, ''),
    accountIndex,
    apiKeyIndex,
    tier,
    tokens,
    markets,
  };
  const signer: Signer = { privateKey, chainId, accountIndex, apiKeyIndex };
  const validUntilMs = (at: Instant): number => at.calendarMs + REQUEST_VALIDITY_MS * settings.calendarScale;

  return {
    venue: 'lighter',
    requestValidityMs: REQUEST_VALIDITY_MS,
    usesNonces: true,
    limits: limitsOf(tier),
    takerDelayMs: takerDelayOf(tier),
    openStream: () => new LighterStream({ streamUrl: settings.streamUrl, accountIndex, tokens, markets }),

    accessProblem: accessProblemOf,
    keyCaution:
      'its key can also sign transfers and withdrawals: trade on a sub-account that holds only what may be lost',
    serverTime: () => serverTimeOperation(access),
    instruments: () => ({ ...instrumentsOperation(access), source: 'metadata' }),
    accountSnapshot: (at) => [{ ...accountOperation(access), source: 'positions' }, openOrdersOperation(access, at)],
    feeTier: (at) => feeTierOperation(access, at),
    findOrder: (symbol, clientOrderId, at) => [findOrderOperation(access, symbol, clientOrderId, at)],
    fillsSince: (sinceMs, at) => fillsOperation(access, sinceMs, at),
    fundingPaymentsSince: (sinceMs, at) => fundingPaymentsOperation(access, sinceMs, at),
    fundingHistory: (symbol, sinceMs, at) => fundingHistoryOperation(access, symbol, sinceMs, at.calendarMs),
    nextNonce: () => nextNonceOperation(access),

    leverageOf: () => [leverageOperation(access)],
    setLeverage: (symbol, leverage, nonce, at) =>
      transaction(signer, TX_UPDATE_LEVERAGE, nonce, validUntilMs(at), {
        MarketIndex: markets.required(symbol).marketId,
        // Rounded up: never more leverage than asked for.
        InitialMarginFraction: Math.ceil(MARGIN_FRACTION_SCALE / leverage),
        MarginMode: MARGIN_MODE_CROSS,
      }),
    hasStops: true,
    placeOrder: (order, nonce, at) =>
      transaction(
        signer,
        TX_CREATE_ORDER,
        nonce,
        order.validUntilMs,
        orderFields(order, markets.required(order.symbol).marketId, at),
      ),
    cancelOrder: (order, nonce, at) =>
      transaction(signer, TX_CANCEL_ORDER, nonce, validUntilMs(at), {
        MarketIndex: markets.required(order.symbol).marketId,
        Index: clientOrderIndex(order.clientOrderId),
      }),
    cancelAll: () => [
      (nonce, at) =>
        transaction(signer, TX_CANCEL_ALL_ORDERS, nonce, validUntilMs(at), { TimeInForce: CANCEL_ALL_NOW, Time: 0 }),
    ],
    deadMan: {
      usualMs: 2 * SCHEDULED_CANCEL_MIN_MS,
      shortestMs: SCHEDULED_CANCEL_MIN_MS + SCHEDULED_MARGIN_MS,
      // One at a time: a new one replaces the last.
      arm: (forMs) => (nonce, at) =>
        transaction(signer, TX_CANCEL_ALL_ORDERS, nonce, validUntilMs(at), {
          TimeInForce: CANCEL_ALL_SCHEDULED,
          Time: Math.floor(at.calendarMs + forMs * settings.calendarScale),
        }),
    },
  };
}

interface Signer {
  readonly privateKey: string;
  readonly chainId: number;
  readonly accountIndex: number;
  readonly apiKeyIndex: number;
}

/** Always a limit order: the price is the worst acceptable one. Ticks and lots of this venue are its own integer scales. */
function orderFields(order: OrderRequest, marketId: number, at: Instant): Record<string, number> {
  if (order.lots > BASE_AMOUNT_MAX) throw new RangeViolation('order lots', `at most ${BASE_AMOUNT_MAX}`, order.lots);
  if (order.limitTicks > PRICE_MAX)
    throw new RangeViolation('order price in ticks', `at most ${PRICE_MAX}`, order.limitTicks);
  const rests = order.postOnly || order.timeInForce === 'gtc';
  const resting = order.postOnly ? TIME_IN_FORCE_POST_ONLY : TIME_IN_FORCE_GTT;
  return {
    MarketIndex: marketId,
    ClientOrderIndex: clientOrderIndex(order.clientOrderId),
    BaseAmount: order.lots,
    Price: order.limitTicks,
    IsAsk: order.side === 'sell' ? 1 : 0,
    Type: order.trigger === undefined ? ORDER_TYPE_LIMIT : ORDER_TYPE_STOP_LOSS,
    TimeInForce: rests ? resting : TIME_IN_FORCE_IOC,
    ReduceOnly: order.reduceOnly ? 1 : 0,
    TriggerPrice: order.trigger?.ticks ?? 0,
    OrderExpiry: expiryOf(order, rests, at),
  };
}

/** What waits for the mark has an expiry of its own, what takes at once has none. */
function expiryOf({ trigger, restsUntilMs }: OrderRequest, rests: boolean, at: Instant): number {
  if (trigger !== undefined && restsUntilMs !== undefined) return Math.floor(restsUntilMs);
  return rests ? Math.floor(at.calendarMs + RESTING_MS) : 0;
}

/** Signs on the CPU pool, then sends on the account's socket: its order is the order of the nonces. */
function transaction(
  signer: Signer,
  type: number,
  nonce: bigint | undefined,
  validUntilMs: number,
  fields: Readonly<Record<string, number>>,
): SubmissionPlan {
  if (nonce === undefined) throw new RangeViolation('lighter transaction nonce', 'known', 'absent');
  const { privateKey, chainId, accountIndex, apiKeyIndex } = signer;
  const input: LighterSignInput = {
    privateKey,
    chainId,
    transaction: {
      type,
      accountIndex,
      apiKeyIndex,
      nonce: Number(nonce),
      expiredAt: Math.floor(validUntilMs),
      fields,
    },
  };
  return {
    sign: { task: LIGHTER_SIGN_TASK, input },
    submit: (signature) => {
      const signed = asFields(signature, 'signature');
      const submissionId = submissionIdOf(textField(signed, 'txHash', 'signature'));
      const txInfo = textField(signed, 'txInfo', 'signature');
      const text = `{"type":"jsonapi/sendtx","data":{"id":"${submissionId}","tx_type":${type},"tx_info":${txInfo}}}`;
      return { via: 'socket', submissionId, frame: { socketKey: ACCOUNT_SOCKET, text, kind: 'order' } };
    },
  };
}

function clientOrderIndex(clientOrderId: string): number {
  const index = /^[1-9]\d{0,14}$/.test(clientOrderId) ? Number(clientOrderId) : 0;
  if (index === 0 || index > CLIENT_ORDER_INDEX_MAX) {
    throw new RangeViolation('client order id', `decimal text from 1 to ${CLIENT_ORDER_INDEX_MAX}`, clientOrderId);
  }
  return index;
}

function integerOption(settings: VenueSettings, name: string, min: number, max: number): number {
  const given = settings.options[name] ?? settings.secrets[name];
  const value = given === undefined || given === '' ? Number.NaN : Number(given);
  if (!Number.isSafeInteger(value) || value < min || value > max) {
    throw new RangeViolation(`lighter option ${name}`, `an integer from ${min} to ${max}`, given ?? 'absent');
  }
  return value;
}
