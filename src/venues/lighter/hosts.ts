/** Where Lighter is reached (main net). Any thread. */
import type { VenueHosts } from '../hosts.ts';

export const lighterHosts: VenueHosts = {
  restUrl: 'https://mainnet.zklighter.elliot.ai',
  streamUrl: 'wss://mainnet.zklighter.elliot.ai/stream',
  restPath: '',
  streamPath: '/stream',
  profileOptions: { standard: { tier: 'standard' }, premium: { tier: 'premium' }, plus: { tier: 'plus' } },
  account: [
    { name: 'accountIndex', kind: 'option', about: 'index of the (sub-)account, on the account page' },
    { name: 'apiKeyIndex', kind: 'option', about: 'index of the API key, 4 to 254' },
    {
      name: 'privateKey',
      kind: 'secret',
      about: 'private key of the API key, 80 hex digits, shown once when it is made',
    },
  ],
};
