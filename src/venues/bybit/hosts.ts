/** Where Bybit is reached (main net; regional accounts configure their own hosts). Any thread. */
import type { VenueHosts } from '../hosts.ts';

export const bybitHosts: VenueHosts = {
  restUrl: 'https://api.bybit.com',
  streamUrl: 'wss://stream.bybit.com',
  restPath: '',
  streamPath: '',
  profileOptions: {
    standard: { limitProfile: 'standard' },
    premium: { limitProfile: 'vip1' },
    plus: { limitProfile: 'vip3' },
  },
  account: [
    {
      name: 'apiKey',
      kind: 'secret',
      about: 'API key with order and position rights and without the right to withdraw',
    },
    { name: 'apiSecret', kind: 'secret', about: 'its secret, shown once when it is made' },
  ],
};
