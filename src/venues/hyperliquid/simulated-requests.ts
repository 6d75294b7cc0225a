/** What a request to the simulated Hyperliquid is about. Pure; any thread. */
import type { RequestKind, VenueInput } from '../../simulation/simulated-venue.ts';
import { EXCHANGE_PATH } from './wire.ts';

const ACTION = /"action":\{"type":"(\w+)"/;

export function hyperliquidRequestKind(input: VenueInput): RequestKind {
  if (input.type !== 'http-request') return 'other';
  if (input.path !== EXCHANGE_PATH) return 'question';
  const action = ACTION.exec(input.body)?.[1] ?? '';
  if (action === 'order') return 'order';
  return action.startsWith('cancel') ? 'cancel' : 'other';
}
