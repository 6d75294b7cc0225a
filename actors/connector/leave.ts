/**
 * The way out (K4): everything the account has open is cancelled by the venue's own request for all, its dead man's switch is armed for
 * whatever arrives late, and once its list of open orders is empty the connector disconnects for good. Connector thread.
 */
import { refOf } from '../../src/runtime/actor.ts';
import type { GuardMessage } from '../guard-messages.ts';
import { armDeadMan } from './dead-man.ts';
import { requestAll } from './requests.ts';
import { closeSockets } from './sockets.ts';
import { instant } from './state.ts';
import type { ConnectorSelf, ConnectorState, LeaveTrack } from './state.ts';
import { tellStatus } from './status.ts';
import { enqueueForAccount } from './submissions.ts';

/** After this it goes whatever the venue says: the process that waits for it must end. */
const LEAVE_MAX_MS = 8_000;
/** Between two looks at the list of open orders: cancels take effect a moment after they were accepted. */
const LOOK_MS = 250;

/** Asked for again, it goes on as it was. */
export function beginLeaving(state: ConnectorState, self: ConnectorSelf, reason: string): void {
  if (state.leave !== undefined) return;
  state.leave = {
    sinceMs: self.monotonicMs(),
    reason,
    pending: 0,
    isLooking: false,
    nextLookAtMs: 0,
    openOrders: undefined,
    isGone: false,
  };
  self.count('leaves');
  self.log('warn', 'leaving', { venue: state.args.venue, account: state.args.account, reason });
  cancelEverything(state, self, state.leave);
  if (state.isRunning) armDeadMan(state, self, state.adapter.deadMan?.shortestMs ?? 0);
}

/** Looks, cancels again what is still there, and goes. Called every tick and whenever a request of it ended. */
export function advanceLeaving(state: ConnectorState, self: ConnectorSelf): void {
  const { leave } = state;
  if (leave === undefined || leave.isGone) return;
  const now = self.monotonicMs();
  const isOver = now - leave.sinceMs >= LEAVE_MAX_MS;
  const isClean = leave.openOrders === 0 && leave.pending === 0 && !state.deadMan.active && nothingUnderWay(state);
  if (isClean || isOver) {
    go(state, self, leave);
    return;
  }
  if (!state.isRunning || leave.pending > 0 || leave.isLooking || now < leave.nextLookAtMs) return;
  leave.isLooking = true;
  leave.nextLookAtMs = now + LOOK_MS;
  requestAll(state, self, state.adapter.accountSnapshot(instant(self)), { priority: 0 }, (outcome) => {
    leave.isLooking = false;
    if (outcome.ok) leave.openOrders = state.openOrders.size;
    if (outcome.ok && leave.openOrders !== 0) cancelEverything(state, self, leave);
    advanceLeaving(state, self);
  });
}

function cancelEverything(state: ConnectorState, self: ConnectorSelf, leave: LeaveTrack): void {
  // While it still starts it knows nobody: the first look cancels what there is.
  if (!state.isRunning) return;
  const inFlight = [...state.orders.values()].filter(({ phase }) => phase === 'sent' || phase === 'unknown');
  const open = [...state.openOrders.values(), ...inFlight.map(({ order }) => ({ ...order, venueOrderId: '' }))];
  for (const request of state.adapter.cancelAll(open)) {
    const isQueued = enqueueForAccount(state, self, 'cancel-all', request, {
      priority: 0,
      overtakes: true,
      ended: (outcome) => {
        leave.pending -= 1;
        self.count(`cancel-all-${outcome}`);
      },
    });
    if (isQueued) leave.pending += 1;
  }
}

/** An order that may have left and has no end yet could still come to rest. */
function nothingUnderWay(state: ConnectorState): boolean {
  return state.submissions.every(({ kind }) => kind !== 'place');
}

function go(state: ConnectorState, self: ConnectorSelf, leave: LeaveTrack): void {
  leave.isGone = true;
  state.isRunning = false;
  state.privateReady = false;
  state.reconciled = false;
  closeSockets(state, self);
  const { venue, account, guardPath } = state.args;
  const { openOrders } = leave;
  self.log(openOrders === 0 ? 'warn' : 'error', 'left', { venue, account, openOrders: openOrders ?? 'unknown' });
  tellStatus(state, self);
  if (guardPath !== undefined)
    self.tell(refOf<GuardMessage>(guardPath), {
      type: 'connector-left',
      path: self.path,
      ...(openOrders === undefined ? {} : { openOrders }),
    });
}
