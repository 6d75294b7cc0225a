/** Where Extended is reached (main net, Starknet instance). Any thread. */
import type { VenueHosts } from '../hosts.ts';

export const extendedHosts: VenueHosts = {
  restUrl: 'https://api.starknet.extended.exchange/api/v1',
  streamUrl: 'wss://api.starknet.extended.exchange/stream.extended.exchange/v1',
  restPath: '/api/v1',
  streamPath: '/stream.extended.exchange/v1',
  profileOptions: {
    standard: { limitProfile: 'public' },
    premium: { limitProfile: 'market-maker' },
    plus: { limitProfile: 'market-maker' },
  },
};
