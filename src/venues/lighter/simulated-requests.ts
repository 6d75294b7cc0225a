/** What a request or frame to the simulated Lighter venue is about. Pure; any thread. */
import type { RequestKind, VenueInput } from '../../simulation/simulated-venue.ts';
import { TX_CANCEL_ALL_ORDERS, TX_CANCEL_ORDER, TX_CREATE_ORDER } from './wire.ts';

/** The same words in a form and in a frame. */
const TRANSACTION = /"?tx_types?"?(?:=|":|:)\s*"?(?:\[|%5B)?(\d+)/;

export function lighterRequestKind(input: VenueInput): RequestKind {
  if (input.type === 'http-request' && input.method === 'GET') return 'question';
  if (input.type !== 'http-request' && input.type !== 'socket-text') return 'other';
  const type = Number(TRANSACTION.exec(input.type === 'http-request' ? input.body : input.text)?.[1]);
  if (type === TX_CREATE_ORDER) return 'order';
  return type === TX_CANCEL_ORDER || type === TX_CANCEL_ALL_ORDERS ? 'cancel' : 'other';
}
