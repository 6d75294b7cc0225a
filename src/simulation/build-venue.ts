/** Builds a simulated venue from plain data: markets, accounts with published keys, exchange, and the venue's own wire. Any thread. */
import { tierOf } from '../venues/bybit/limits.ts';
import { bybitRequestKind } from '../venues/bybit/simulated-requests.ts';
import { simulatedBybit } from '../venues/bybit/simulated.ts';
import { tierOf as coinbaseTierOf } from '../venues/coinbase/limits.ts';
import { platformKey, publicKeyOf } from '../venues/coinbase/sign.ts';
import { simulatedAdvanced } from '../venues/coinbase/advanced-simulated.ts';
import { advancedRequestKind, coinbaseRequestKind } from '../venues/coinbase/simulated-requests.ts';
import { simulatedCoinbase } from '../venues/coinbase/simulated.ts';
import { extendedRequestKind } from '../venues/extended/simulated-requests.ts';
import { simulatedExtended } from '../venues/extended/simulated.ts';
import { starkPublicKeyOf } from '../venues/extended/sign.ts';
import { limitsOf } from '../venues/extended/limits.ts';
import { addressOf } from '../venues/hyperliquid/sign.ts';
import { hyperliquidRequestKind } from '../venues/hyperliquid/simulated-requests.ts';
import { simulatedHyperliquid } from '../venues/hyperliquid/simulated.ts';
import type { LimitProfileName } from '../venues/hosts.ts';
import { hostsOf } from '../venues/hosts.ts';
import { lighterPublicKeyOf } from '../venues/lighter/sign.ts';
import { lighterRequestKind } from '../venues/lighter/simulated-requests.ts';
import { simulatedLighter } from '../venues/lighter/simulated.ts';
import type { DemoAccount } from './demo-accounts.ts';
import { demoAccount } from './demo-accounts.ts';
import type { Exchange } from './exchange.ts';
import { createExchange } from './exchange-engine.ts';
import { noteFacts } from './exchange-facts.ts';
import type { ExchangeFact } from './exchange-facts.ts';
import type { MarketTape } from './market-tape.ts';
import { marketsKey, simulatedMarkets } from './markets.ts';
import { misbehaving } from './misbehaving-venue.ts';
import type { LastingVenue, RequestKind, VenueInput, VenuePast } from './simulated-venue.ts';

/** Plain data: crosses threads. */
export interface VenueSpec {
  readonly venue: string;
  /** Kind of its accounts, where the venue has several; the usual one when absent. */
  readonly accountType?: string | undefined;
  readonly bases: readonly string[];
  readonly accounts: readonly {
    readonly name: string;
    /** Quote money at the start. */
    readonly balance: number;
  }[];
  /** Limit profile of all accounts. */
  readonly limits: LimitProfileName;
  readonly seed: number;
  /** Calendar ms per monotonic ms of the market's calendar. */
  readonly calendarScale: number;
  /** Monotonic ms between acceptance and execution. */
  readonly takerDelayMs: number;
  readonly makerDelayMs: number;
  readonly cancelDelayMs: number;
  readonly bookIntervalMs: number;
}

export interface BuiltVenue {
  readonly venue: LastingVenue;
  /** The venue's alone; for forced trades and checks. */
  readonly exchange: Exchange;
  /** What has happened since the last call and a next life must know: to be taken after every act. Empty unless `life` was given. */
  readonly takeFacts: () => readonly ExchangeFact[];
}

/** Leverage of a market whose leverage was never set. */
const DEFAULT_LEVERAGE = 10;
const MINUTE_MS = 60_000;

type WireFactory = (
  exchange: Exchange,
  accounts: readonly DemoAccount[],
  spec: VenueSpec,
  past: VenuePast | undefined,
) => LastingVenue;

const WIRES: ReadonlyMap<string, WireFactory> = new Map<string, WireFactory>([
  ['lighter', lighterWire],
  ['extended', extendedWire],
  ['bybit', bybitWire],
  ['hyperliquid', hyperliquidWire],
  ['coinbase', coinbaseWire],
  ['coinbase us', advancedWire],
]);

/** What a request is about, for faults that mean one kind only. */
const REQUEST_KINDS: ReadonlyMap<string, (input: VenueInput) => RequestKind> = new Map([
  ['lighter', lighterRequestKind],
  ['extended', extendedRequestKind],
  ['bybit', bybitRequestKind],
  ['hyperliquid', hyperliquidRequestKind],
  ['coinbase', coinbaseRequestKind],
  ['coinbase us', advancedRequestKind],
]);

/**
 * Builds a venue. With a `life` its facts are noted, and it goes on where an earlier one ended. Throws RangeError for a
 * venue or base without simulation, Error for a past that does not add up.
 */
export function buildVenue(
  spec: VenueSpec,
  tape: MarketTape,
  life?: { readonly past?: VenuePast | undefined },
): BuiltVenue {
  const key = marketsKey(spec.venue, spec.accountType);
  const wire = WIRES.get(key);
  if (wire === undefined)
    throw new RangeError(`a simulated venue must be one of ${[...WIRES.keys()].join(', ')}, was ${key}`);
  // Copies: a fault may change the terms of this venue's markets, and of no other's.
  const markets = simulatedMarkets(spec.venue, spec.bases, spec.accountType).map((market) => ({ ...market }));
  const inner = createExchange(
    {
      venue: spec.venue,
      markets,
      accounts: spec.accounts.map(({ name, balance }) => ({
        name,
        openingWalletMicro: BigInt(Math.round(balance * 1e6)),
        leverage: DEFAULT_LEVERAGE,
      })),
      tape,
      seed: spec.seed,
      takerDelayMs: spec.takerDelayMs,
      makerDelayMs: spec.makerDelayMs,
      cancelDelayMs: spec.cancelDelayMs,
      bookIntervalMs: spec.bookIntervalMs,
    },
    life?.past,
  );
  const { exchange, takeFacts } = life === undefined ? { exchange: inner, takeFacts: () => [] } : noteFacts(inner);
  const accounts = spec.accounts.map(({ name }) => demoAccount(spec.venue, name, spec.accountType));
  const venue = misbehaving({
    venue: wire(exchange, accounts, spec, life?.past),
    exchange,
    markets,
    requestKindOf: REQUEST_KINDS.get(key) ?? (() => 'other'),
  });
  return { venue, exchange, takeFacts };
}

function lighterWire(
  exchange: Exchange,
  accounts: readonly DemoAccount[],
  spec: VenueSpec,
  past: VenuePast | undefined,
): LastingVenue {
  return simulatedLighter({
    exchange,
    seed: spec.seed,
    calendarScale: spec.calendarScale,
    past,
    accounts: accounts.map(({ name, secrets, options }) => ({
      name,
      accountIndex: Number(options['accountIndex']),
      // An address of its own: accounts do not share their request limits.
      l1Address: `0x${Number(options['accountIndex']).toString(16).padStart(40, '0')}`,
      apiKeys: [
        { index: Number(options['apiKeyIndex']), publicKeyHex: lighterPublicKeyOf(secrets['privateKey'] ?? '') },
      ],
      tier: spec.limits,
    })),
  });
}

function extendedWire(
  exchange: Exchange,
  accounts: readonly DemoAccount[],
  spec: VenueSpec,
  past: VenuePast | undefined,
): LastingVenue {
  const restLimit = limitsOf(hostsOf('extended').profileOptions[spec.limits]['limitProfile']).rest;
  return simulatedExtended({
    exchange,
    seed: spec.seed,
    past,
    requestsPerMinute: (restLimit.max * MINUTE_MS) / restLimit.windowMs,
    accounts: accounts.map(({ name, secrets, options }) => ({
      name,
      apiKey: secrets['apiKey'] ?? '',
      starkPublicKey: starkPublicKeyOf(secrets['privateKey'] ?? ''),
      vault: Number(options['vault']),
      accountId: Number(options['vault']),
      leverage: DEFAULT_LEVERAGE,
    })),
  });
}

function bybitWire(
  exchange: Exchange,
  accounts: readonly DemoAccount[],
  spec: VenueSpec,
  past: VenuePast | undefined,
): LastingVenue {
  const tier = tierOf(hostsOf('bybit').profileOptions[spec.limits]['limitProfile']);
  return simulatedBybit({
    exchange,
    seed: spec.seed,
    calendarScale: spec.calendarScale,
    past,
    accounts: accounts.map(({ name, secrets }) => ({
      name,
      apiKey: secrets['apiKey'] ?? '',
      secret: secrets['apiSecret'] ?? '',
      tier,
      leverage: DEFAULT_LEVERAGE,
    })),
  });
}

function hyperliquidWire(
  exchange: Exchange,
  accounts: readonly DemoAccount[],
  spec: VenueSpec,
  past: VenuePast | undefined,
): LastingVenue {
  return simulatedHyperliquid({
    exchange,
    seed: spec.seed,
    past,
    accounts: accounts.map(({ name, secrets, options }) => {
      const address = String(options['address']);
      return { name, address, signers: [address, addressOf(secrets['privateKey'] ?? '')], leverage: DEFAULT_LEVERAGE };
    }),
  });
}

function coinbaseWire(
  exchange: Exchange,
  accounts: readonly DemoAccount[],
  spec: VenueSpec,
  past: VenuePast | undefined,
): LastingVenue {
  const tier = coinbaseTierOf(hostsOf('coinbase').profileOptions[spec.limits]['limitProfile']);
  return simulatedCoinbase({
    exchange,
    seed: spec.seed,
    calendarScale: spec.calendarScale,
    past,
    accounts: accounts.map(({ name, secrets }) => {
      const keyName = secrets['keyName'] ?? '';
      const publicKey = publicKeyOf(platformKey(keyName, secrets['privateKey'] ?? ''));
      return { name, keyName, publicKey, tier, leverage: DEFAULT_LEVERAGE };
    }),
  });
}

function advancedWire(
  exchange: Exchange,
  accounts: readonly DemoAccount[],
  spec: VenueSpec,
  past: VenuePast | undefined,
): LastingVenue {
  return simulatedAdvanced({
    exchange,
    seed: spec.seed,
    calendarScale: spec.calendarScale,
    past,
    accounts: accounts.map(({ name, secrets }) => {
      const keyName = secrets['keyName'] ?? '';
      const publicKey = publicKeyOf(platformKey(keyName, secrets['privateKey'] ?? ''));
      return { name, keyName, publicKey, leverage: DEFAULT_LEVERAGE };
    }),
  });
}
