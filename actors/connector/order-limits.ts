/** The guard's word at the wire: what may not leave any more is taken out of the queues, what has left is cancelled. */
import { refOf } from '../../src/runtime/actor.ts';
import type { LimitOrders } from '../connector-messages.ts';
import type { GuardMessage } from '../guard-messages.ts';
import { cancelOrder } from './commands.ts';
import { beginLeaving } from './leave.ts';
import { refusalByLimits } from './order-rights.ts';
import type { ConnectorSelf, ConnectorState } from './state.ts';
import { advanceSubmissions, withdraw } from './submissions.ts';

/** Asks for the guard's word until it was heard. */
export function askForLimits(state: ConnectorState, self: ConnectorSelf): void {
  const { guardPath } = state.args;
  if (state.ordersAllowed !== undefined || guardPath === undefined) return;
  self.tell(refOf<GuardMessage>(guardPath), { type: 'resend-engine-state', to: self.path });
}

/** Takes effect before anything else is sent. */
export function limitOrders(state: ConnectorState, self: ConnectorSelf, command: LimitOrders): void {
  state.ordersAllowed = command.allowed;
  const left = [];
  let withdrawn = 0;
  for (const [clientOrderId, { order, purpose, phase }] of state.orders) {
    if (phase === 'ended' || refusalByLimits(state, order, purpose) === undefined) continue;
    // What was refused for its nonce waits again, although it was on its way once.
    if (withdraw(state, self, clientOrderId, 'ENGINE_STATE', command.reason)) withdrawn += 1;
    // On the way out one request cancels them all.
    else if (phase !== 'unsent' && command.cancelOpens && command.leave !== true && purpose === 'open')
      left.push({ symbol: order.symbol, clientOrderId });
  }
  // Only now: a cancel that moves the queue must not let out what waits behind it.
  for (const order of left) cancelOrder(state, self, order, true);
  if (command.leave === true) beginLeaving(state, self, command.reason);
  const cancelled = left.length;
  if (withdrawn + cancelled === 0) return;
  advanceSubmissions(state, self);
  self.count('opens-withdrawn', withdrawn);
  self.count('opens-cancelled', cancelled);
  self.log('warn', 'opens-stopped', { venue: state.args.venue, withdrawn, cancelled, reason: command.reason });
}
