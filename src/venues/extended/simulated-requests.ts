/** What a request to the simulated Extended venue is about. Pure; any thread. */
import type { RequestKind, VenueInput } from '../../simulation/simulated-venue.ts';

export function extendedRequestKind(input: VenueInput): RequestKind {
  if (input.type !== 'http-request') return 'other';
  const [path = ''] = input.path.split('?');
  if (input.method === 'GET') return 'question';
  if (input.method === 'POST' && path.endsWith('/user/order')) return 'order';
  return input.method === 'DELETE' || path.endsWith('/massCancel') ? 'cancel' : 'other';
}
