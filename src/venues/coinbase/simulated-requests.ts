/** What a call to a simulated Coinbase venue is about. Pure; any thread. */
import type { RequestKind, VenueInput } from '../../simulation/simulated-venue.ts';
import { BROKERAGE_PATH } from './wire.ts';

const METHOD = /"method":"([a-z]+)\/([a-z_]+)"/;

export function coinbaseRequestKind(input: VenueInput): RequestKind {
  if (input.type !== 'http-request' && input.type !== 'socket-text') return 'other';
  const [, scope, name = ''] = METHOD.exec(input.type === 'http-request' ? input.body : input.text) ?? [];
  if (scope === 'private' && (name === 'buy' || name === 'sell')) return 'order';
  if (scope === 'private' && name.startsWith('cancel')) return 'cancel';
  return input.type === 'http-request' && name !== 'auth' ? 'question' : 'other';
}

/** Over sockets nothing is changed. */
export function advancedRequestKind(input: VenueInput): RequestKind {
  if (input.type !== 'http-request') return 'other';
  if (input.method !== 'POST') return 'question';
  return input.path === `${BROKERAGE_PATH}/orders/batch_cancel` ? 'cancel' : 'order';
}
