/** Whether the engine as it stands lets an order leave: asked when it is placed, and again before it is signed anew. Connector thread. */
import { isOrderAllowed } from '../../src/risk/orders-allowed.ts';
import type { OrderRequest } from '../../src/venues/venue.ts';
import type { OrderPurpose } from '../connector-messages.ts';
import type { ConnectorState } from './state.ts';

/** Returns why an order may not leave as the engine stands, or undefined. */
export function refusalByLimits(
  state: ConnectorState,
  { reduceOnly }: OrderRequest,
  purpose: OrderPurpose['purpose'],
): string | undefined {
  const { ordersAllowed } = state;
  if (reduceOnly && ordersAllowed !== 'none') return undefined;
  if (ordersAllowed === undefined) return 'the engine must say what is allowed, it has not yet';
  if (isOrderAllowed(ordersAllowed, { reduceOnly, opens: purpose === 'open' })) return undefined;
  return `orders must be ${ordersAllowed}, was one to ${purpose}`;
}
