/**
 * Orders and cancels on their way out: last gate, nonce, signature, bytes. Strictly in order per account, because a venue with
 * nonces refuses whatever overtakes. Once a byte may have left, only the venue's evidence decides the outcome.
 */
import type { TaskDone, TaskFailed } from '../../src/ports/ports.ts';
import { approve } from '../../src/risk/approval.ts';
import type { RequestPriority } from '../../src/venues/rate-limiter.ts';
import { VenueError } from '../../src/venues/venue.ts';
import type { RefusalClass } from '../../src/venues/venue.ts';
import type { ConnectorCommand } from '../connector-messages.ts';
import { tellOrder } from './events.ts';
import { dueIn, request, TransportFailure } from './operations.ts';
import { tellStatus } from './publish.ts';
import { resolveOrder } from './resolve.ts';
import { sendText } from './sockets.ts';
import { instant } from './state.ts';
import type { ConnectorSelf, ConnectorState, SubmissionTrack } from './state.ts';

const ORDERS_REMEMBERED_MAX = 5_000;
const ENDED: ReadonlySet<string> = new Set(['filled', 'cancelled', 'rejected', 'expired', 'refused', 'not-found']);

type PlaceOrder = Extract<ConnectorCommand, { type: 'place-order' }>;
type CancelOrder = Extract<ConnectorCommand, { type: 'cancel-order' }>;

export function placeOrder(state: ConnectorState, self: ConnectorSelf, command: PlaceOrder): void {
  const { order, purpose } = command;
  const known = state.orders.get(order.clientOrderId);
  if (known !== undefined) {
    // The same command again (a restarted position repeats what it is unsure of): never a second send.
    self.count('place-repeated');
    if (known.lastEvent !== undefined) self.tell(command.replyTo, known.lastEvent);
    return;
  }
  state.orders.set(order.clientOrderId, { request: order, purpose, lastEvent: undefined, lastChangeMs: self.monotonicMs() });
  forgetOldOrders(state);

  const opening = !order.reduceOnly;
  const at = instant(self);
  if (state.fatal !== undefined || state.startupStep !== 'running') return refuse(state, self, order.clientOrderId, 'VENUE_NOT_READY', 'connector is not running', 'transient');
  if (opening && state.lastStatus?.entriesAllowed !== true) return refuse(state, self, order.clientOrderId, 'ENTRIES_NOT_ALLOWED', state.lastStatus?.reason ?? 'status unknown', 'transient');
  const instrument = state.instruments.get(order.symbol);
  if (instrument === undefined) return refuse(state, self, order.clientOrderId, 'UNKNOWN_INSTRUMENT', order.symbol, 'permanent');

  const mark = state.marks.get(order.symbol);
  const working = workingOrders(state, order.clientOrderId);
  const verdict = approve(state.gate, order, {
    instrument,
    positionLots: state.reconciled ? (state.positions.get(order.symbol) ?? 0) : state.positions.get(order.symbol),
    openOrders: working.length,
    workingOrders: working.filter((other) => other.symbol === order.symbol),
    nowMs: at.calendarMs,
    monotonicMs: at.monotonicMs,
    ...(state.dayOpening === undefined || state.lastAccount === undefined ? {} : { dayResultMicro: state.lastAccount.walletMicro - state.dayOpening.walletMicro }),
    ...(mark === undefined ? {} : { markNano: mark.markNano }),
    ...(mark?.indexNano === undefined ? {} : { indexNano: mark.indexNano }),
  });
  state.gate = verdict.gate;
  if (verdict.denied !== undefined) {
    self.log('warn', 'order-denied', { venue: state.args.venue, clientOrderId: order.clientOrderId, code: verdict.denied.code, detail: verdict.denied.detail });
    return refuse(state, self, order.clientOrderId, verdict.denied.code, verdict.denied.detail, 'permanent');
  }
  const approved = verdict.approved;
  enqueue(state, self, {
    kind: 'place',
    clientOrderId: order.clientOrderId,
    symbol: order.symbol,
    priority: priorityOf(purpose.purpose),
    validUntilMs: order.validUntilMs,
    plan: (nonce) => state.adapter.placeOrder(approved, nonce, instant(self)),
  });
}

export function cancelOrder(state: ConnectorState, self: ConnectorSelf, command: CancelOrder): void {
  const track = state.orders.get(command.clientOrderId);
  const venueOrderId = track?.lastEvent?.venueOrderId;
  enqueue(state, self, {
    kind: 'cancel',
    clientOrderId: command.clientOrderId,
    symbol: command.symbol,
    priority: 0,
    validUntilMs: self.nowMs() + state.args.requestValidityMs * self.ports.calendar.scale,
    plan: (nonce) =>
      state.adapter.cancelOrder(
        { symbol: command.symbol, clientOrderId: command.clientOrderId, ...(venueOrderId === undefined || venueOrderId === '' ? {} : { venueOrderId }) },
        nonce,
        instant(self),
      ),
  });
}

/** Orders of ours that may still execute, unknown ones included. */
function workingOrders(
  state: ConnectorState,
  exceptClientOrderId: string,
): readonly { readonly symbol: string; readonly side: 'buy' | 'sell'; readonly remainingLots: number; readonly reduceOnly: boolean }[] {
  const working = [];
  for (const [clientOrderId, { request: order, lastEvent }] of state.orders) {
    if (clientOrderId === exceptClientOrderId || (lastEvent !== undefined && ENDED.has(lastEvent.status))) continue;
    const { symbol, side, reduceOnly } = order;
    working.push({ symbol, side, reduceOnly, remainingLots: order.lots - (lastEvent?.filledLots ?? 0) });
  }
  return working;
}

function priorityOf(purpose: 'open' | 'hedge' | 'close' | 'unwind' | 'rebalance'): RequestPriority {
  if (purpose === 'open') return 3;
  return purpose === 'hedge' ? 1 : 0;
}

function enqueue(
  state: ConnectorState,
  self: ConnectorSelf,
  submission: Pick<SubmissionTrack, 'kind' | 'clientOrderId' | 'symbol' | 'priority' | 'validUntilMs' | 'plan'>,
): void {
  state.submissions.push({
    ...submission,
    state: 'waiting',
    made: undefined,
    task: undefined,
    signature: undefined,
    submissionId: undefined,
    overdue: undefined,
  });
  advanceSubmissions(state, self);
}

/** Moves every submission as far as it can go now. Called after anything that may unblock one. */
export function advanceSubmissions(state: ConnectorState, self: ConnectorSelf): void {
  dropExpired(state, self);
  for (const submission of state.submissions) {
    if (submission.state !== 'waiting') continue;
    if (!state.adapter.usesNonces) {
      sign(submission, undefined, self);
      continue;
    }
    if (state.nonce.status !== 'known') {
      readNonce(state, self);
      break;
    }
    const nonce = state.nonce.next;
    state.nonce.next += 1n;
    sign(submission, nonce, self);
  }
  // Signed ones leave in the order they were asked for.
  for (const submission of [...state.submissions]) {
    if (submission.state === 'sent') continue;
    if (submission.state !== 'signed') break;
    if (!submit(state, self, submission)) break;
  }
}

function sign(submission: SubmissionTrack, nonce: bigint | undefined, self: ConnectorSelf): void {
  const plan = submission.plan(nonce);
  submission.made = plan;
  if (plan.sign === undefined) {
    submission.state = 'signed';
    return;
  }
  submission.state = 'signing';
  submission.task = self.ports.cpu.run(plan.sign.task, plan.sign.input);
}

export function taskEnded(state: ConnectorState, self: ConnectorSelf, ended: TaskDone | TaskFailed): void {
  const submission = state.submissions.find((candidate) => candidate.state === 'signing' && candidate.task === ended.ref);
  if (submission === undefined) return;
  if (ended.type === 'task-done') {
    submission.signature = ended.result;
    submission.state = 'signed';
  } else {
    self.log('error', 'signing-failed', { venue: state.args.venue, clientOrderId: submission.clientOrderId, detail: ended.detail });
    abandonUnsent(state, self, submission, 'SIGNING_FAILED', ended.detail);
  }
  advanceSubmissions(state, self);
}

/** An unsent submission whose validity ended is provably dead. */
function dropExpired(state: ConnectorState, self: ConnectorSelf): void {
  const now = self.nowMs();
  for (const submission of [...state.submissions]) {
    if (submission.state !== 'sent' && now >= submission.validUntilMs) abandonUnsent(state, self, submission, 'EXPIRED_BEFORE_SENT', 'validity ended in the queue');
  }
}

/** Removes a submission that never left; later ones that hold a higher nonce are signed again. */
function abandonUnsent(state: ConnectorState, self: ConnectorSelf, submission: SubmissionTrack, code: string, reason: string): void {
  const hadNonce = submission.state !== 'waiting';
  remove(state, self, submission);
  if (state.adapter.usesNonces && hadNonce) {
    // The signed numbers were never used: nothing left with them, so they can be given out again in order.
    const unsent = state.submissions.filter((other) => other.state === 'signing' || other.state === 'signed');
    state.nonce.next -= BigInt(unsent.length + 1);
    for (const other of unsent) {
      other.state = 'waiting';
      other.made = undefined;
      other.task = undefined;
      other.signature = undefined;
    }
  }
  if (submission.kind === 'place') refuse(state, self, submission.clientOrderId, code, reason, 'transient');
}

/** Returns false when it must wait (limit) or the socket is gone. */
function submit(state: ConnectorState, self: ConnectorSelf, submission: SubmissionTrack): boolean {
  if (submission.made === undefined) throw new Error('a signed submission has a plan');
  const at = instant(self);
  const made = submission.made.submit(submission.signature, at);
  if (made.via === 'socket') {
    const limiter = state.orderLimiter ?? state.restLimiter;
    const wait = limiter.acquire(1, submission.priority, at.monotonicMs);
    if (wait > 0) {
      dueIn(state, self, wait);
      return false;
    }
    submission.submissionId = made.submissionId;
    submission.state = 'sent';
    tellSending(state, self, submission);
    if (!sendText(state, self, made.frame.socketKey, made.frame.text)) {
      submission.state = 'signed';
      abandonUnsent(state, self, submission, 'SOCKET_NOT_OPEN', made.frame.socketKey);
      return true;
    }
    submission.overdue = self.after(state.args.orderAnswerMs, { type: 'submission-overdue', clientOrderId: submission.clientOrderId, kind: submission.kind });
    return true;
  }
  submission.state = 'sent';
  tellSending(state, self, submission);
  request(state, self, made.operation, submission.priority, (outcome) => {
    if (outcome.ok) {
      accepted(state, self, submission, undefined);
    } else if (outcome.error instanceof VenueError) {
      refused(state, self, submission, outcome.error.code, outcome.error.message, outcome.error.class);
    } else if (!outcome.sent || (outcome.error instanceof TransportFailure && !outcome.error.sent)) {
      refused(state, self, submission, 'NOT_SENT', outcome.error.message, 'transient');
    } else {
      unknown(state, self, submission, outcome.error.message);
    }
  });
  return true;
}

function tellSending(state: ConnectorState, self: ConnectorSelf, submission: SubmissionTrack): void {
  if (submission.kind === 'place') changeOrder(state, self, submission.clientOrderId, 'sending', '', '', undefined);
}

/** The venue's first answer over a socket. */
export function submissionAccepted(state: ConnectorState, self: ConnectorSelf, submissionId: string | undefined, venueOrderId: string | undefined): void {
  if (submissionId === undefined) return;
  const submission = state.submissions.find((candidate) => candidate.submissionId === submissionId);
  if (submission !== undefined) accepted(state, self, submission, venueOrderId);
}

export function submissionRefused(
  state: ConnectorState,
  self: ConnectorSelf,
  submissionId: string | undefined,
  code: string,
  reason: string,
  refusal: RefusalClass,
): void {
  // A refusal without a reference answers the oldest unanswered submission: answers keep the order of requests on one socket.
  const submission = state.submissions.find((candidate) =>
    submissionId === undefined ? candidate.state === 'sent' && candidate.submissionId !== undefined : candidate.submissionId === submissionId,
  );
  if (submission !== undefined) refused(state, self, submission, code, reason, refusal);
}

function accepted(state: ConnectorState, self: ConnectorSelf, submission: SubmissionTrack, venueOrderId: string | undefined): void {
  if (!state.submissions.includes(submission)) return;
  remove(state, self, submission);
  if (submission.kind === 'place') {
    const last = state.orders.get(submission.clientOrderId)?.lastEvent?.status;
    if (last === 'sending' || last === undefined) changeOrder(state, self, submission.clientOrderId, 'accepted', '', '', venueOrderId);
  }
  advanceSubmissions(state, self);
}

function refused(state: ConnectorState, self: ConnectorSelf, submission: SubmissionTrack, code: string, reason: string, refusal: RefusalClass): void {
  if (!state.submissions.includes(submission)) return;
  if (refusal === 'unknown-outcome' || refusal === 'duplicate') {
    // "Exists already" is an answer about an order of ours: ask what became of it.
    unknown(state, self, submission, `${code}: ${reason}`);
    return;
  }
  remove(state, self, submission);
  self.count(`refusals:${refusal}`);
  if (refusal === 'rate-limit') (state.orderLimiter ?? state.restLimiter).silence(self.monotonicMs() + (state.orderLimiter ?? state.restLimiter).bucket.windowMs);
  if (refusal === 'fatal') {
    state.fatal = `${code}: ${reason}`;
    self.log('error', 'venue-fatal', { venue: state.args.venue, code, reason });
  }
  // A refusal does not consume the nonce, so whatever was signed after it is out of step as well.
  if (state.adapter.usesNonces) state.nonce = { ...state.nonce, status: 'unknown' };
  if (submission.kind === 'place') refuse(state, self, submission.clientOrderId, code, reason, refusal);
  else if (submission.kind === 'cancel') resolveOrder(state, self, submission.symbol, submission.clientOrderId, submission.validUntilMs);
  tellStatus(state, self, false);
  advanceSubmissions(state, self);
}

function unknown(state: ConnectorState, self: ConnectorSelf, submission: SubmissionTrack, reason: string): void {
  if (!state.submissions.includes(submission)) return;
  remove(state, self, submission);
  self.count('outcomes-unknown');
  if (state.adapter.usesNonces) {
    // The request may still arrive until its validity ends; its number must not be used for another one before that.
    const remainingMs = Math.max(0, submission.validUntilMs - self.nowMs()) / self.ports.calendar.scale;
    state.nonce = { ...state.nonce, status: 'unknown', blockedUntilMs: Math.max(state.nonce.blockedUntilMs, self.monotonicMs() + remainingMs + 100) };
  }
  if (submission.kind === 'place') changeOrder(state, self, submission.clientOrderId, 'unknown', 'NO_ANSWER', reason, undefined);
  else if (submission.kind === 'cancel') resolveOrder(state, self, submission.symbol, submission.clientOrderId, submission.validUntilMs);
  tellStatus(state, self, false);
  advanceSubmissions(state, self);
}

/** No answer in time. */
export function submissionOverdue(state: ConnectorState, self: ConnectorSelf, clientOrderId: string, kind: string): void {
  const submission = state.submissions.find((candidate) => candidate.state === 'sent' && candidate.clientOrderId === clientOrderId && candidate.kind === kind);
  if (submission !== undefined) unknown(state, self, submission, `no answer within ${state.args.orderAnswerMs} ms`);
}

/** The order socket died: everything sent on it without an answer is unknown. */
export function submissionsCut(state: ConnectorState, self: ConnectorSelf): void {
  for (const submission of [...state.submissions]) {
    if (submission.state === 'sent' && submission.submissionId !== undefined) unknown(state, self, submission, 'socket closed before the answer');
  }
}

/** Reads the next nonce once nothing signed is in flight any more. */
export function readNonce(state: ConnectorState, self: ConnectorSelf): void {
  if (!state.adapter.usesNonces || state.adapter.nextNonce === undefined || state.nonce.status !== 'unknown') return;
  if (state.submissions.some((submission) => submission.state !== 'waiting' && submission.state !== 'sent')) {
    for (const submission of state.submissions) {
      if (submission.state === 'signing' || submission.state === 'signed') {
        submission.state = 'waiting';
        submission.made = undefined;
        submission.task = undefined;
      }
    }
  }
  if (state.submissions.some((submission) => submission.state === 'sent')) return;
  const waitMs = state.nonce.blockedUntilMs - self.monotonicMs();
  if (waitMs > 0) {
    dueIn(state, self, waitMs);
    return;
  }
  state.nonce = { ...state.nonce, status: 'fetching' };
  request(state, self, state.adapter.nextNonce(instant(self)), 2, (outcome) => {
    state.nonce = { ...state.nonce, status: outcome.ok ? 'known' : 'unknown' };
    if (!outcome.ok) dueIn(state, self, 1_000);
    tellStatus(state, self, false);
    if (outcome.ok) advanceSubmissions(state, self);
  });
}

function remove(state: ConnectorState, self: ConnectorSelf, submission: SubmissionTrack): void {
  if (submission.overdue !== undefined) self.cancel(submission.overdue);
  state.submissions = state.submissions.filter((other) => other !== submission);
}

function refuse(state: ConnectorState, self: ConnectorSelf, clientOrderId: string, code: string, reason: string, refusal: RefusalClass): void {
  changeOrder(state, self, clientOrderId, 'refused', code, reason, undefined, refusal);
}

/** Tells a change this connector itself observed (the venue's own reports come through events.ts). */
export function changeOrder(
  state: ConnectorState,
  self: ConnectorSelf,
  clientOrderId: string,
  status: 'sending' | 'accepted' | 'refused' | 'unknown' | 'not-found',
  code: string,
  reason: string,
  venueOrderId: string | undefined,
  refusal?: RefusalClass,
): void {
  const track = state.orders.get(clientOrderId);
  const symbol = track?.request.symbol ?? state.resolving.get(clientOrderId)?.symbol;
  if (symbol === undefined) throw new Error(`order ${clientOrderId} must be known to change`);
  state.eventSequence += 1;
  tellOrder(state, self, {
    symbol,
    clientOrderId,
    status,
    venueOrderId: venueOrderId ?? track?.lastEvent?.venueOrderId ?? '',
    code,
    reason,
    ...(refusal === undefined ? {} : { refusal }),
    atMs: self.nowMs(),
    sequence: state.eventSequence,
  });
}

function forgetOldOrders(state: ConnectorState): void {
  if (state.orders.size <= ORDERS_REMEMBERED_MAX) return;
  for (const [clientOrderId, track] of state.orders) {
    if (track.lastEvent !== undefined && ENDED.has(track.lastEvent.status)) {
      state.orders.delete(clientOrderId);
      return;
    }
  }
}
