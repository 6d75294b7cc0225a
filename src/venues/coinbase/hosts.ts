/** Where Coinbase is reached: one company, several hosts. Any thread. */
import type { VenueHosts } from '../hosts.ts';

/** `global`: the gateway of the global derivatives exchange. `us`: futures through Advanced Trade. */
export type AccountType = 'global' | 'us';

export const coinbaseHosts: VenueHosts = {
  restUrl: 'https://drb.coinbase.com',
  streamUrl: 'wss://drb.coinbase.com',
  restPath: '',
  streamPath: '',
  profileOptions: {
    standard: { limitProfile: 'standard' },
    premium: { limitProfile: 'premium' },
    plus: { limitProfile: 'plus' },
  },
  accountTypes: ['global', 'us'] satisfies readonly AccountType[],
  account: [
    { name: 'accountType', kind: 'option', about: 'global: perpetuals behind the gateway; us: futures' },
    { name: 'keyName', kind: 'secret', about: 'name of the API key, organizations/.../apiKeys/...' },
    {
      name: 'privateKey',
      kind: 'secret',
      about: 'its private key, PEM with line breaks as \\n, or base64 of an Ed25519 seed',
    },
  ],
};

export interface CoinbaseHosts {
  /** Before the paths of requests. */
  readonly restUrl: string;
  /** Whole addresses of the sockets. */
  readonly accountUrl: string;
  readonly marketUrl: string;
  /** The spot exchange's ticker feed. */
  readonly spotUrl: string;
}

const OWN: Readonly<Record<AccountType, CoinbaseHosts>> = {
  global: {
    restUrl: 'https://drb.coinbase.com',
    accountUrl: 'wss://drb.coinbase.com/ws/api/v2',
    marketUrl: 'wss://streams.drb.coinbase.com/ws/api/v2',
    spotUrl: 'wss://ws-feed.exchange.coinbase.com',
  },
  us: {
    restUrl: 'https://api.coinbase.com',
    accountUrl: 'wss://advanced-trade-ws-user.coinbase.com',
    marketUrl: 'wss://advanced-trade-ws.coinbase.com',
    spotUrl: 'wss://ws-feed.exchange.coinbase.com',
  },
};

/** What tells the sockets apart where one host serves them all, as a simulated venue does. */
export const SOCKET_PATHS: Readonly<
  Record<AccountType | 'spot', { readonly account: string; readonly market: string }>
> = {
  global: { account: '/ws/api/v2', market: '/streams/ws/api/v2' },
  us: { account: '/advanced-trade-ws-user', market: '/advanced-trade-ws' },
  spot: { account: '/ws-feed', market: '/ws-feed' },
};

/** The venue's own hosts for what the settings leave as it is, and paths under one host for what they replace. */
export function coinbaseHostsOf(
  settings: { readonly restUrl: string; readonly streamUrl: string },
  accountType: AccountType,
): CoinbaseHosts {
  const own = OWN[accountType];
  const restUrl = settings.restUrl.replace(/\/+$/, '');
  const streamUrl = settings.streamUrl.replace(/\/+$/, '');
  const isOwnStream = streamUrl === coinbaseHosts.streamUrl;
  return {
    restUrl: restUrl === coinbaseHosts.restUrl ? own.restUrl : restUrl,
    accountUrl: isOwnStream ? own.accountUrl : streamUrl + SOCKET_PATHS[accountType].account,
    marketUrl: isOwnStream ? own.marketUrl : streamUrl + SOCKET_PATHS[accountType].market,
    spotUrl: isOwnStream ? own.spotUrl : streamUrl + SOCKET_PATHS.spot.market,
  };
}
