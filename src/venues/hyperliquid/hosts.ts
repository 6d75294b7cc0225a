/** Where Hyperliquid is reached (main net). Any thread. */
import type { VenueHosts } from '../hosts.ts';

export const hyperliquidHosts: VenueHosts = {
  restUrl: 'https://api.hyperliquid.xyz',
  streamUrl: 'wss://api.hyperliquid.xyz/ws',
  restPath: '',
  streamPath: '/ws',
  // Limits hold for everybody alike; more of them are earned by trading, not bought.
  profileOptions: { standard: {}, premium: {}, plus: {} },
  account: [
    {
      name: 'address',
      kind: 'option',
      about: 'address of the account the agent wallet signs for, 0x and 40 hex digits',
    },
    { name: 'privateKey', kind: 'secret', about: 'private key of the agent wallet, 0x and 64 hex digits' },
  ],
};
