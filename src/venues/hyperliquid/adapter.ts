/** Hyperliquid as the connector sees it: one account's operations, streams, limits and signed submissions. Connector thread only. */
import { priceText, quantityText } from '../../money/amounts.ts';
import { RangeViolation } from '../../money/range-violation.ts';
import { allowedTicksDown, allowedTicksUp } from '../../money/significant-digits.ts';
import type {
  StopTrigger,
  AccountRequest,
  Instant,
  OrderName,
  OrderRequest,
  Submission,
  SubmissionPlan,
  VenueAdapter,
  VenueEvent,
  VenueSettings,
} from '../venue.ts';
import { accessProblemOf, HYPERLIQUID_LIMITS } from './limits.ts';
import { HyperliquidMarkets } from './markets.ts';
import type { HyperliquidMarket } from './markets.ts';
import type { ActionValue } from './msgpack.ts';
import {
  accountOperation,
  actionOperation,
  feesOperation,
  fillsOperation,
  findOrderOperation,
  fundingHistoryOperation,
  instrumentsOperation,
  keyRightsOperation,
  leverageOfOperation,
  openOrdersOperation,
  paymentsOperation,
  readCancelStatus,
  readOrderStatus,
  serverTimeOperation,
} from './rest.ts';
import type { RestAccess } from './rest.ts';
import { addressOf, checkedAddress, HYPERLIQUID_SIGN_TASK } from './sign.ts';
import type { HyperliquidSignInput, Network, SignedTerms } from './sign.ts';
import { HyperliquidStream } from './stream.ts';
import {
  cancelAction,
  cancelByOidAction,
  cloidOf,
  leverageAction,
  orderAction,
  scheduleCancelAction,
  shortDecimal,
} from './wire.ts';

/**
 * Orders are stamped with the time after which the venue refuses them; a resting order outlives it. Long enough for a clock known to
 * half a second and for the second an answer may take from far away, short enough to prove an unanswered order dead within seconds.
 */
const REQUEST_VALIDITY_MS = 5_000;

/** The venue wants at least 5 s, lets it act ten times a day, and only for accounts that have traded enough; refused, it is off. */
const DEAD_MAN_MS = { usualMs: 60_000, shortestMs: 10_000 } as const;

/**
 * Opens one account.
 *
 * Options: `address` (the account; default the key's own, but the connector uses no key that can move money out), `vaultAddress` (sub-account or vault
 * that is traded instead), `network` (`mainnet` default, `testnet`). Secret: `privateKey` (secp256k1, hex). Throws when one is missing
 * or impossible. Accounts whose collateral stands in their spot balance show no money here and are not traded.
 */
export function hyperliquidAdapter(settings: VenueSettings): VenueAdapter {
  const privateKey = settings.secrets['privateKey'] ?? '';
  if (privateKey === '') throw new RangeViolation('hyperliquid secret privateKey', 'present', 'absent');
  const signer = addressOf(privateKey);
  const vaultAddress = addressOption(settings, 'vaultAddress');
  const markets = new HyperliquidMarkets();
  const access: RestAccess = {
    restUrl: settings.restUrl.replace(/\/+$/, ''),
    user: vaultAddress ?? addressOption(settings, 'address') ?? signer,
    markets,
  };
  const key = { privateKey, network: networkOf(settings.options['network']) };
  const nonces = nonceSource();

  /** Signs on the CPU pool, then posts. The nonce is taken when signing begins: the venue accepts them in any order. */
  const signed = (
    action: ActionValue,
    at: Instant,
    expiresAfter: number | undefined,
    operation: (terms: SignedTerms, signature: unknown) => Submission,
  ): SubmissionPlan => {
    const terms: SignedTerms = {
      action,
      nonce: nonces(at),
      ...(vaultAddress === undefined ? {} : { vaultAddress }),
      ...(expiresAfter === undefined ? {} : { expiresAfter }),
    };
    const input: HyperliquidSignInput = { ...terms, ...key };
    return { sign: { task: HYPERLIQUID_SIGN_TASK, input }, submit: (signature) => operation(terms, signature) };
  };

  const assetOf = ({ symbol }: OrderName): { readonly asset: number } => ({ asset: known(markets, symbol).asset });
  /** One batch; what became of each order is read from the list of open ones. */
  const cancelRequest = (
    orders: readonly OrderName[],
    name: string,
    action: () => ActionValue,
  ): readonly AccountRequest[] => {
    if (orders.length === 0) return [];
    return [
      (_nonce, at) =>
        signed(action(), at, undefined, (terms, signature) => ({
          via: 'http',
          operation: actionOperation(access, name, 0, terms, signature, () => told),
        })),
    ];
  };

  return {
    venue: 'hyperliquid',
    requestValidityMs: REQUEST_VALIDITY_MS,
    usesNonces: false,
    limits: HYPERLIQUID_LIMITS,
    openStream: (addressSharedBy = 1) =>
      new HyperliquidStream({
        streamUrl: settings.streamUrl.replace(/\/+$/, ''),
        user: access.user,
        markets,
        addressSharedBy,
      }),

    accessProblem: accessProblemOf,
    serverTime: () => serverTimeOperation(access),
    instruments: () => ({ ...instrumentsOperation(access), source: 'metadata' }),
    accountSnapshot: () => [{ ...accountOperation(access), source: 'positions' }, openOrdersOperation(access)],
    keyRights: () => keyRightsOperation(access, signer),
    feeTier: () => feesOperation(access),
    findOrder: (_symbol, clientOrderId) => [findOrderOperation(access, clientOrderId)],
    fillsSince: (sinceMs) => fillsOperation(access, sinceMs),
    fundingPaymentsSince: (sinceMs) => paymentsOperation(access, sinceMs),
    fundingHistory: (symbol, sinceMs, at) => fundingHistoryOperation(access, symbol, sinceMs, at),

    cancelAll: (open) => {
      const listed = open.filter(({ symbol }) => markets.find(symbol) !== undefined);
      const [ours, others] = [listed.filter(isNamed), listed.filter((order) => !isNamed(order))];
      return [
        ...cancelRequest(ours, 'cancelByCloid', () =>
          cancelAction(ours.map((order) => ({ ...assetOf(order), cloid: cloidOf(order.clientOrderId) }))),
        ),
        ...cancelRequest(others, 'cancel', () =>
          cancelByOidAction(others.map((order) => ({ ...assetOf(order), oid: Number(order.venueOrderId) }))),
        ),
      ];
    },
    deadMan: {
      ...DEAD_MAN_MS,
      arm: (forMs) => (_nonce, at) =>
        signed(
          scheduleCancelAction(Math.floor(at.calendarMs + forMs * settings.calendarScale)),
          at,
          undefined,
          (terms, signature) => ({
            via: 'http',
            operation: actionOperation(access, 'scheduleCancel', 2, terms, signature, () => told),
          }),
        ),
    },

    leverageOf: (symbols) => symbols.map((symbol) => leverageOfOperation(access, symbol)),
    setLeverage: (symbol, leverage, _nonce, at) => {
      const { asset, isolatedOnly } = known(markets, symbol);
      return signed(leverageAction(asset, !isolatedOnly, leverage), at, undefined, (terms, signature) => ({
        via: 'http',
        operation: actionOperation(access, 'updateLeverage', 3, terms, signature, () => told),
      }));
    },
    hasStops: true,
    placeOrder: (order, _nonce, at) => {
      const market = known(markets, order.symbol);
      const expiresAfter = Math.floor(order.validUntilMs);
      return signed(orderAction(wireOrder(order, market)), at, expiresAfter, (terms, signature) => ({
        via: 'http',
        operation: actionOperation(access, 'order', order.reduceOnly ? 0 : 3, terms, signature, readOrderStatus),
      }));
    },
    cancelOrder: ({ symbol, clientOrderId }, _nonce, at) => {
      const action = cancelAction([{ asset: known(markets, symbol).asset, cloid: cloidOf(clientOrderId) }]);
      return signed(action, at, undefined, (terms, signature) => ({
        via: 'http',
        operation: actionOperation(access, 'cancelByCloid', 0, terms, signature, readCancelStatus),
      }));
    },
  };
}

const told: readonly VenueEvent[] = [{ type: 'submission-accepted' }];

function isNamed({ clientOrderId }: OrderName): boolean {
  return clientOrderId !== '';
}

/** Strictly increasing epoch ms. A new life starts at the clock, which is past whatever the last one used. */
function nonceSource(): (at: Instant) => number {
  let last = 0;
  return (at) => {
    last = Math.max(Math.floor(at.calendarMs), last + 1);
    return last;
  };
}

function wireOrder(order: OrderRequest, { asset, instrument }: HyperliquidMarket): Parameters<typeof orderAction>[0] {
  // The venue takes five significant digits: never a worse price than was approved.
  const round = order.side === 'buy' ? allowedTicksDown : allowedTicksUp;
  const limitTicks = round(order.limitTicks, instrument);
  if (limitTicks < 1) throw new RangeViolation('order limitTicks', 'at least one allowed price step', order.limitTicks);
  const trigger = order.trigger === undefined ? undefined : triggerTicks(order.trigger, instrument);
  return {
    asset,
    isBuy: order.side === 'buy',
    price: shortDecimal(priceText(limitTicks, instrument)),
    size: shortDecimal(quantityText(order.lots, instrument)),
    reduceOnly: order.reduceOnly,
    timeInForce: order.postOnly ? 'Alo' : order.timeInForce === 'ioc' ? 'Ioc' : 'Gtc',
    ...(trigger === undefined ? {} : { triggerPrice: shortDecimal(priceText(trigger, instrument)) }),
    cloid: cloidOf(order.clientOrderId),
  };
}

/** Rounded to the side that is reached earlier. */
function triggerTicks({ ticks, direction }: StopTrigger, instrument: HyperliquidMarket['instrument']): number {
  return direction === 'rise' ? allowedTicksDown(ticks, instrument) : allowedTicksUp(ticks, instrument);
}

function known(markets: HyperliquidMarkets, symbol: string): HyperliquidMarket {
  const market = markets.find(symbol);
  if (market === undefined) throw new RangeViolation('order symbol', 'a coin read from the venue', symbol);
  return market;
}

function networkOf(option: string | number | boolean | undefined): Network {
  if (option === undefined || option === 'mainnet') return 'mainnet';
  if (option === 'testnet') return 'testnet';
  throw new RangeViolation('hyperliquid option network', 'mainnet or testnet', String(option));
}

function addressOption(settings: VenueSettings, name: string): string | undefined {
  const option = settings.options[name];
  return option === undefined || option === ''
    ? undefined
    : checkedAddress(`hyperliquid option ${name}`, String(option));
}
