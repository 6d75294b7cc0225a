/** Where Lighter is reached (main net). Any thread. */
import type { VenueHosts } from '../hosts.ts';

export const lighterHosts: VenueHosts = {
  restUrl: 'https://mainnet.zklighter.elliot.ai',
  streamUrl: 'wss://mainnet.zklighter.elliot.ai/stream',
  restPath: '',
  streamPath: '/stream',
  profileOptions: { standard: { tier: 'standard' }, premium: { tier: 'premium' }, plus: { tier: 'plus' } },
};
