/** How the guard's word reaches the connectors, where bytes leave: past every queue on the way, and again until it was taken. */
import { refOf } from '../../src/runtime/actor.ts';
import type { Self } from '../../src/runtime/actor.ts';
import type { Engine } from '../../src/risk/engine-state.ts';
import { ordersAllowedIn } from '../../src/risk/orders-allowed.ts';
import type { LimitOrders } from '../connector-messages.ts';
import type { GuardMessage } from '../guard-messages.ts';

export interface Wire {
  /** Opening orders are to be cancelled, not only held back (K2 and worse). */
  cancelsOpens: boolean;
  /** Connectors whose mailbox was full. */
  readonly untold: Set<string>;
}

/** A full mailbox empties within milliseconds. */
const REPEAT_MS = 10;

export function tellWire(
  wire: Wire,
  self: Self<GuardMessage>,
  connectorPaths: readonly string[],
  engine: Engine,
): void {
  const message: LimitOrders = {
    type: 'limit-orders',
    allowed: ordersAllowedIn(engine),
    cancelOpens: wire.cancelsOpens,
    ...(engine.leaving === true ? { leave: true } : {}),
    reason: engine.reason,
  };
  const wasWaiting = wire.untold.size > 0;
  for (const path of connectorPaths) {
    if (self.tell(refOf<LimitOrders>(path), message) === 'refused') wire.untold.add(path);
    else wire.untold.delete(path);
  }
  if (!wasWaiting && wire.untold.size > 0) self.after(REPEAT_MS, { type: 'repeat-limit-orders' });
}

/** Tries those again that could not take it. */
export function repeatWire(wire: Wire, self: Self<GuardMessage>, engine: Engine): void {
  const paths = [...wire.untold];
  wire.untold.clear();
  tellWire(wire, self, paths, engine);
}
