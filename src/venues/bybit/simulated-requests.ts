/** What a request to the simulated Bybit venue is about. Pure; any thread. */
import type { RequestKind, VenueInput } from '../../simulation/simulated-venue.ts';

export function bybitRequestKind(input: VenueInput): RequestKind {
  if (input.type !== 'http-request') return 'other';
  const [path = ''] = input.path.split('?');
  if (path === '/v5/order/create' || path === '/v5/order/create-batch') return 'order';
  if (path.startsWith('/v5/order/cancel')) return 'cancel';
  return input.method === 'GET' ? 'question' : 'other';
}
