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
  account: [
    { name: 'vault', kind: 'option', about: 'number of the vault (position), in the account details' },
    { name: 'apiKey', kind: 'secret', about: 'API key of the sub-account' },
    { name: 'privateKey', kind: 'secret', about: 'Stark private key, 0x and hex digits' },
  ],
};
