/** Which orders an engine in a given state lets out (domain 12.1), asked at the last gate. Pure functions, any thread. */
import type { Engine } from './engine-state.ts';

/**
 * `all`; `completing`: what finishes a pair that is half open, but no new pair; `reducing`: only what makes a position smaller; `none`:
 * cancels only.
 */
export type OrdersAllowed = 'all' | 'completing' | 'reducing' | 'none';

/** What an order is for, as far as it matters here. */
export interface OrderAim {
  readonly reduceOnly: boolean;
  /** The first order of a leg of a new pair. */
  readonly opens: boolean;
}

export function ordersAllowedIn({ state, leaving }: Pick<Engine, 'state' | 'leaving'>): OrdersAllowed {
  if (leaving === true) return 'none';
  switch (state) {
    case 'TRADING':
      return 'all';
    case 'ARMED':
      return 'completing';
    case 'STOPPED':
    case 'REDUCE_ONLY':
    case 'HALTED':
      return 'reducing';
  }
}

export function isOrderAllowed(allowed: OrdersAllowed, order: OrderAim): boolean {
  if (allowed === 'none') return false;
  return order.reduceOnly || allowed === 'all' || (allowed === 'completing' && !order.opens);
}
