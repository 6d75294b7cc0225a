/** The simulated Lighter venue's channels: their names, what they need, their frames. Pure; any thread. */
import type { WireValue } from './simulated-json.ts';
import type { SimulatedAccount, SimulatedRecords } from './simulated-records.ts';

export type MarketChannelName = 'order_book' | 'ticker' | 'market_stats' | 'trade';
export type AccountChannelName =
  | 'account_all_orders'
  | 'account_all_trades'
  | 'account_all_positions'
  | 'account_all_assets'
  | 'user_stats'
  | 'account_all';
export type ChannelName = MarketChannelName | AccountChannelName;

export type Channel =
  | { readonly name: MarketChannelName; /** Absent for `all`. */ readonly marketId?: number }
  | { readonly name: AccountChannelName; readonly account: SimulatedAccount };

const MARKET_CHANNELS: ReadonlyMap<string, MarketChannelName> = new Map(
  (['order_book', 'ticker', 'market_stats', 'trade'] as const).map((name) => [name, name]),
);
const ACCOUNT_CHANNELS: ReadonlyMap<string, AccountChannelName> = new Map(
  (
    [
      'account_all_orders',
      'account_all_trades',
      'account_all_positions',
      'account_all_assets',
      'user_stats',
      'account_all',
    ] as const
  ).map((name) => [name, name]),
);
const WITHOUT_TOKEN: ReadonlySet<ChannelName> = new Set<ChannelName>(['user_stats', 'account_all']);
const REQUEST = /^([a-z_]+)\/(all|\d{1,15})$/;

/** Reads a channel as subscribe messages name it; undefined when there is none such. */
export function readChannel(text: string, records: SimulatedRecords): Channel | undefined {
  const [, name = '', subject = ''] = REQUEST.exec(text) ?? [];
  const ofMarket = MARKET_CHANNELS.get(name);
  if (ofMarket !== undefined) {
    if (subject === 'all') return ofMarket === 'market_stats' ? { name: ofMarket } : undefined;
    return records.market(Number(subject)) === undefined ? undefined : { name: ofMarket, marketId: Number(subject) };
  }
  const ofAccount = ACCOUNT_CHANNELS.get(name);
  const account = records.accounts.find(({ accountIndex }) => String(accountIndex) === subject);
  return ofAccount === undefined || account === undefined ? undefined : { name: ofAccount, account };
}

/** The channel as frames name it. */
export function channelKey(channel: Channel): string {
  return 'account' in channel
    ? `${channel.name}:${channel.account.accountIndex}`
    : `${channel.name}:${channel.marketId ?? 'all'}`;
}

export function needsToken(channel: Channel): boolean {
  return 'account' in channel && !WITHOUT_TOKEN.has(channel.name);
}

/** What a frame carries beside its type and channel. */
export type FrameBody = { readonly [field: string]: WireValue | undefined };
/** Sends an update on a channel; the body is made only when somebody listens. */
export type Publish = (channel: Channel, makeBody: () => FrameBody) => void;
