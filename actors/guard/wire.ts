/** How the guard's word reaches connectors, where bytes leave, and everybody else: past every queue on the way, and again until it was taken. */
import { refOf } from '../../src/runtime/actor.ts';
import type { Self } from '../../src/runtime/actor.ts';
import type { Engine } from '../../src/risk/engine-state.ts';
import { ordersAllowedIn } from '../../src/risk/orders-allowed.ts';
import type { LimitOrders } from '../connector-messages.ts';
import type { EngineStateChanged, GuardMessage } from '../guard-messages.ts';

export interface Wire {
  /** Opening orders are to be cancelled, not only held back (K2 and worse). */
  cancelsOpens: boolean;
  /** Connectors whose mailbox was full. */
  readonly untold: Set<string>;
  /** Others whose mailbox was full. */
  readonly unheard: Set<string>;
  /** They will be told again. */
  isRepeatDue: boolean;
}

export function newWire(): Wire {
  return { cancelsOpens: false, untold: new Set(), unheard: new Set(), isRepeatDue: false };
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
  for (const path of connectorPaths) {
    if (self.tell(refOf<LimitOrders>(path), message) === 'refused') wire.untold.add(path);
    else wire.untold.delete(path);
  }
  repeatLater(wire, self);
}

/** Tells the engine's state to those who act by it. */
export function tellRecipients(
  wire: Wire,
  self: Self<GuardMessage>,
  paths: readonly string[],
  message: EngineStateChanged,
): void {
  for (const path of paths) {
    if (self.tell(refOf<EngineStateChanged>(path), message) === 'refused') wire.unheard.add(path);
    else wire.unheard.delete(path);
  }
  repeatLater(wire, self);
}

function repeatLater(wire: Wire, self: Self<GuardMessage>): void {
  if (wire.isRepeatDue || wire.untold.size + wire.unheard.size === 0) return;
  wire.isRepeatDue = true;
  self.after(REPEAT_MS, { type: 'repeat-limit-orders' });
}

/** Tries those again that could not take it. */
export function repeatWire(wire: Wire, self: Self<GuardMessage>, engine: Engine, message: EngineStateChanged): void {
  wire.isRepeatDue = false;
  tellWire(wire, self, [...wire.untold], engine);
  tellRecipients(wire, self, [...wire.unheard], message);
}
