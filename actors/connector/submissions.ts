/**
 * Orders and cancels on their way out: place in the limit, nonce, signature, bytes. Once a byte may have left, only the venue's
 * evidence decides the outcome. Connector thread.
 *
 * ```
 *   waiting ──room in the limit, next nonce──▶ signing ──▶ signed ──▶ sent ──▶ accepted, refused
 *      ▲                                          │          │          └────▶ unknown: resolved by asking
 *      └───── nonce in doubt, refused for it ─────┴──────────┴─────────┘
 * ```
 *
 * All that changes where one is (a test holds this table and the code against each other); gone is what has an outcome, or is asked
 * about. `its turn`: all that were signed for earlier nonces have left.
 *
 * | from | event | to |
 * | ---- | ----- | -- |
 * | waiting | room and a nonce | signing |
 * | signing | signature before its turn | signed |
 * | signing | signature at its turn | sent |
 * | signed | its turn | sent |
 * | signing, signed | nonce in doubt | waiting |
 * | signed | an earlier one has no socket | waiting |
 * | sent | refused for its nonce | waiting |
 * | signing | signing failed | gone |
 * | waiting, signing, signed | taken back, validity over | gone |
 * | signing | its turn without a socket | gone |
 * | sent | accepted, refused, refused for its nonce again and again, not answered, socket closed | gone |
 *
 * On a venue with nonces signed requests leave in the order of their nonces, because it refuses whatever overtakes.
 */
import type { TaskDone, TaskFailed } from '../../src/ports/ports.ts';
import { VenueError } from '../../src/venues/venue.ts';
import type { AccountRequest, RefusalClass, Submission } from '../../src/venues/venue.ts';
import { doubtNonce, nonceAccepted, nonceUnsettled, readNonce, returnNonces, takeNonce } from './nonces.ts';
import { accessText } from './access.ts';
import { noteFailure, noteLimit, noteSuccess } from './circuits.ts';
import { recordPlacement } from './meters.ts';
import { refusalByLimits } from './order-rights.ts';
import { orderObserved } from './orders.ts';
import { accountChanged, acquireRequest, dueIn, requestBooked, TransportFailure } from './requests.ts';
import { endResolving, resolveOrder } from './resolve.ts';
import { sendText } from './frames.ts';
import { socketAnswered, socketUnanswered } from './sockets.ts';
import { instant, keepNewest, submissionLimiter } from './state.ts';
import { stepDown } from './usage-ramp.ts';
import type { ConnectorSelf, ConnectorState, OperationOutcome, SubmissionTrack } from './state.ts';

const SUBMISSIONS_MAX = 512;
/** Somebody else who uses the key may always be faster: then who placed the order decides. */
const SIGNED_AGAIN_MAX = 3;
/** Requests signed or unanswered at once; cancels, reductions and hedges may use the rest up to the second bound. */
const IN_FLIGHT_MAX = 8;
const IN_FLIGHT_URGENT_MAX = 12;
/** Submissions given up as unknown whose late answers are still recognised. */
const UNANSWERED_MAX = 512;

export type NewSubmission = Pick<
  SubmissionTrack,
  'kind' | 'clientOrderId' | 'symbol' | 'priority' | 'overtakes' | 'validUntilMs' | 'plan' | 'ended'
>;

/** Queues one; false when too many wait already and nothing was queued. */
export function enqueue(state: ConnectorState, self: ConnectorSelf, submission: NewSubmission): boolean {
  if (state.submissions.length >= SUBMISSIONS_MAX) return false;
  state.submissions.push({
    ...submission,
    state: 'waiting',
    isBooked: false,
    turn: 0,
    nonce: undefined,
    made: undefined,
    task: undefined,
    signature: undefined,
    submissionId: undefined,
    socketKey: undefined,
    overdue: undefined,
    isSignedAgain: false,
    taken: 0,
    queuedAtMs: self.monotonicMs(),
    trace: self.tracing.current(),
  });
  advanceSubmissions(state, self);
  return true;
}

/** Moves every submission as far as it can go now. Called after anything that may unblock one. */
export function advanceSubmissions(state: ConnectorState, self: ConnectorSelf): void {
  dropExpired(state, self);
  if (state.adapter.usesNonces && state.nonce.status !== 'known') {
    unsignAll(state);
    readNonce(state, self, () => advanceSubmissions(state, self));
    return;
  }
  signWaiting(state, self);
  sendSigned(state, self);
}

/** Most urgent first: on a venue with nonces this is where the order of leaving is decided. */
function signWaiting(state: ConnectorState, self: ConnectorSelf): void {
  const waiting = state.submissions.filter((submission) => submission.state === 'waiting');
  if (waiting.length === 0) return;
  let underWay = state.submissions.length - waiting.length;
  for (const submission of waiting.toSorted((one, other) => rankOf(one) - rankOf(other))) {
    if (submission.overtakes !== true && underWay >= (submission.priority <= 1 ? IN_FLIGHT_URGENT_MAX : IN_FLIGHT_MAX))
      continue;
    if (!submission.isBooked) {
      const limiter = submissionLimiter(state);
      const waitMs = acquireRequest(state, limiter, 1, submission.priority, self.monotonicMs());
      if (waitMs > 0) {
        dueIn(state, self, waitMs);
        continue;
      }
      submission.isBooked = true;
    }
    underWay += 1;
    sign(state, self, submission);
  }
}

function rankOf({ overtakes, priority }: SubmissionTrack): number {
  return overtakes === true ? -1 : priority;
}

function sign(state: ConnectorState, self: ConnectorSelf, submission: SubmissionTrack): void {
  submission.nonce = state.adapter.usesNonces ? takeNonce(state) : undefined;
  state.lastTurn += 1;
  submission.turn = state.lastTurn;
  submission.made = submission.plan(submission.nonce);
  const { sign: work } = submission.made;
  submission.state = work === undefined ? 'signed' : 'signing';
  if (work !== undefined)
    submission.task = self.tracing.within(submission.trace, () => self.ports.cpu.run(work.task, work.input));
}

export function taskEnded(state: ConnectorState, self: ConnectorSelf, ended: TaskDone | TaskFailed): void {
  const submission = state.submissions.find(
    (candidate) => candidate.state === 'signing' && candidate.task === ended.ref,
  );
  // Signed for a nonce that came into doubt meanwhile: thrown away.
  if (submission === undefined) return;
  if (ended.type === 'task-done') {
    submission.signature = ended.result;
    submission.state = 'signed';
  } else {
    const { venue } = state.args;
    self.log('error', 'signing-failed', { venue, clientOrderId: submission.clientOrderId, detail: ended.detail });
    abandonUnsent(state, self, submission, 'SIGNING_FAILED', ended.detail);
  }
  advanceSubmissions(state, self);
}

function sendSigned(state: ConnectorState, self: ConnectorSelf): void {
  const unsent = state.submissions
    .filter((submission) => submission.state === 'signing' || submission.state === 'signed')
    .toSorted((one, other) => one.turn - other.turn);
  for (const submission of unsent) {
    if (submission.state === 'signed') {
      const silentMs = submissionLimiter(state).silentForMs(self.monotonicMs());
      if (silentMs > 0) {
        dueIn(state, self, silentMs);
        return;
      }
      if (self.tracing.within(submission.trace, () => submit(state, self, submission))) continue;
    }
    if (state.adapter.usesNonces) return;
  }
}

/** Returns false when nothing left and the submission is gone. */
function submit(state: ConnectorState, self: ConnectorSelf, submission: SubmissionTrack): boolean {
  if (submission.made === undefined) throw new Error('a signed submission must have a plan');
  const made: Submission = submission.made.submit(submission.signature, instant(self));
  if (made.via === 'socket' && !sendText(state, self, made.frame.socketKey, made.frame.text)) {
    abandonUnsent(state, self, submission, 'SOCKET_NOT_OPEN', made.frame.socketKey);
    return false;
  }
  submission.state = 'sent';
  accountChanged(self);
  if (submission.kind === 'place' && !submission.isSignedAgain) observe(state, self, submission, { status: 'sending' });
  if (made.via === 'socket') {
    submission.submissionId = made.submissionId;
    submission.socketKey = made.frame.socketKey;
    const { clientOrderId, kind } = submission;
    submission.overdue = self.after(state.args.orderAnswerMs, { type: 'submission-overdue', clientOrderId, kind });
  } else {
    requestBooked(state, self, made.operation, submission.priority, (outcome) =>
      httpEnded(state, self, submission, outcome),
    );
  }
  self.tracing.mark(`${submission.kind}-sent`, submission.clientOrderId);
  return true;
}

function httpEnded(
  state: ConnectorState,
  self: ConnectorSelf,
  submission: SubmissionTrack,
  outcome: OperationOutcome,
): void {
  if (outcome.ok) {
    const answer = outcome.result.events.find((event) => event.type === 'submission-accepted');
    accepted(state, self, submission, answer?.venueOrderId);
  } else if (outcome.error instanceof VenueError) {
    refused(state, self, submission, outcome.error.code, outcome.error.message, outcome.error.class);
  } else if (!outcome.sent || (outcome.error instanceof TransportFailure && !outcome.error.sent)) {
    refused(state, self, submission, 'NOT_SENT', outcome.error.message, 'transient');
  } else {
    unknown(state, self, submission, outcome.error.message);
  }
}

/** The venue's first answer over a socket. It may come after the submission was given up: then it still says what became of it. */
export function submissionAccepted(
  state: ConnectorState,
  self: ConnectorSelf,
  submissionId: string,
  venueOrderId: string | undefined,
): void {
  const submission = state.submissions.find((candidate) => candidate.submissionId === submissionId);
  if (submission !== undefined) {
    self.tracing.within(submission.trace, () => accepted(state, self, submission, venueOrderId));
    return;
  }
  const late = takeUnanswered(state, self, submissionId);
  if (late === undefined) return;
  nonceAccepted(state, late.nonce);
  if (late.kind === 'place') observe(state, self, late, { status: 'accepted', ...idOf(venueOrderId) });
}

/** The venue refused over a socket. */
export function submissionRefused(
  state: ConnectorState,
  self: ConnectorSelf,
  submissionId: string | undefined,
  code: string,
  reason: string,
  refusal: RefusalClass,
): void {
  if (refusal === 'rate-limit') {
    const limiter = submissionLimiter(state);
    const now = self.monotonicMs();
    const untilMs = now + limiter.bucket.windowMs;
    limiter.silence(untilMs, now);
    stepDown(state, self);
    noteLimit(state, self, 'orders', untilMs);
    self.count('rate-limit-refusals');
  }
  const submission = refusedOne(state, submissionId);
  if (submission === undefined) {
    self.count('refusals-unmatched');
    return;
  }
  if (submission.submissionId === undefined || takeUnanswered(state, self, submission.submissionId) === undefined) {
    self.tracing.within(submission.trace, () => refused(state, self, submission, code, reason, refusal));
    return;
  }
  if (submission.kind !== 'place' || provesNothing(refusal)) return;
  if (observe(state, self, submission, { status: 'refused', code, reason, refusal }))
    endResolving(state, submission.clientOrderId);
}

/**
 * Answers keep the order of requests on one socket, so a refusal without a reference is the oldest's. But where an older one is
 * overdue, its answer may be late or may never come: then nobody knows whose refusal this is, and asking decides.
 */
function refusedOne(state: ConnectorState, submissionId: string | undefined): SubmissionTrack | undefined {
  const late = [...state.unanswered.values()];
  const waiting = state.submissions
    .filter((candidate) => candidate.submissionId !== undefined)
    .toSorted((one, other) => one.turn - other.turn);
  if (submissionId !== undefined)
    return [...waiting, ...late].find((candidate) => candidate.submissionId === submissionId);
  if (late.length === 0) return waiting[0];
  return late.length === 1 && waiting.length === 0 ? late[0] : undefined;
}

/** Queues a request that concerns the whole account; false when too many wait. */
export function enqueueForAccount(
  state: ConnectorState,
  self: ConnectorSelf,
  name: string,
  request: AccountRequest,
  options: Pick<NewSubmission, 'priority' | 'overtakes' | 'ended'>,
): boolean {
  return enqueue(state, self, {
    kind: 'account',
    clientOrderId: name,
    symbol: '',
    validUntilMs: self.nowMs() + state.args.requestValidityMs * self.ports.calendar.scale,
    plan: (nonce) => request(nonce, instant(self)),
    ...options,
  });
}

function takeUnanswered(state: ConnectorState, self: ConnectorSelf, submissionId: string): SubmissionTrack | undefined {
  const late = state.unanswered.get(submissionId);
  if (late === undefined) return undefined;
  state.unanswered.delete(submissionId);
  self.count('answers-late');
  return late;
}

function accepted(
  state: ConnectorState,
  self: ConnectorSelf,
  submission: SubmissionTrack,
  venueOrderId: string | undefined,
): void {
  if (!remove(state, self, submission)) return;
  noteSuccess(state, self, 'orders');
  socketAnswered(state, submission.socketKey);
  nonceAccepted(state, submission.nonce);
  if (submission.kind === 'place') recordPlacement(state, self, submission.queuedAtMs);
  if (submission.kind === 'place') observe(state, self, submission, { status: 'accepted', ...idOf(venueOrderId) });
  noteLeverage(state, submission);
  submission.ended?.('accepted');
  advanceSubmissions(state, self);
}

function refused(
  state: ConnectorState,
  self: ConnectorSelf,
  submission: SubmissionTrack,
  code: string,
  reason: string,
  refusal: RefusalClass,
): void {
  if (provesNothing(refusal)) {
    unknown(state, self, submission, `${code}: ${reason}`);
    return;
  }
  if (refusal === 'nonce' && signAgain(state, self, submission)) return;
  if (!remove(state, self, submission)) return;
  if (submission.kind === 'place' && code !== 'NOT_SENT') recordPlacement(state, self, submission.queuedAtMs);
  if (code === 'NOT_SENT') noteFailure(state, self, 'orders');
  // The venue answers: that it does not want this one is no fault of the circuit.
  else if (refusal !== 'rate-limit') noteSuccess(state, self, 'orders');
  socketAnswered(state, submission.socketKey);
  self.count(`refusals:${refusal}`);
  if (refusal === 'fatal') {
    state.fatal = accessText(state, code, reason);
    self.log('error', 'venue-fatal', { venue: state.args.venue, code, reason: state.fatal });
  }
  // A refusal uses no nonce: whatever was signed after it is out of step as well.
  doubtNonce(state, self);
  if (submission.kind === 'leverage') noteLeverage(state, submission);
  else if (submission.kind === 'account') submission.ended?.('refused');
  else if (submission.kind === 'cancel') resolveOrder(state, self, submission);
  else if (!observe(state, self, submission, { status: 'refused', code, reason, refusal }))
    resolveOrder(state, self, submission);
  advanceSubmissions(state, self);
}

/**
 * A refusal uses no nonce, so whatever was on its way behind a refused request is refused for its own. The venue never looked at it:
 * it waits again, for the nonce that is right and within its validity. Returns false when it was tried often enough, or is not
 * wanted any more.
 */
function signAgain(state: ConnectorState, self: ConnectorSelf, submission: SubmissionTrack): boolean {
  const { nonce, overdue, socketKey } = submission;
  if (nonce === undefined || submission.state !== 'sent') return false;
  // In doubt already: a refusal of ours explains this one, and one less is left to be refused. Else somebody else took the nonce.
  const isExplained = state.nonce.status !== 'known';
  if (!isExplained && submission.taken >= SIGNED_AGAIN_MAX) return false;
  if (submission.kind === 'place' && !isStillWanted(state, submission)) return false;
  if (overdue !== undefined) self.cancel(overdue);
  noteSuccess(state, self, 'orders');
  socketAnswered(state, socketKey);
  self.count('submissions-signed-again');
  submission.isSignedAgain = true;
  if (!isExplained) submission.taken += 1;
  waitAgain(submission);
  // Another request, which counts in the venue's limit like the first.
  submission.isBooked = false;
  submission.overdue = undefined;
  doubtNonce(state, self);
  advanceSubmissions(state, self);
  return true;
}

/** The engine may have been stopped since it left, or its cancel may be on the way behind it. */
function isStillWanted(state: ConnectorState, { clientOrderId }: SubmissionTrack): boolean {
  const track = state.orders.get(clientOrderId);
  if (track === undefined || refusalByLimits(state, track.order, track.purpose) !== undefined) return false;
  return !state.submissions.some((other) => other.kind === 'cancel' && other.clientOrderId === clientOrderId);
}

/** "Exists already" is an answer about an order of ours: ask what became of it. */
function provesNothing(refusal: RefusalClass): boolean {
  return refusal === 'unknown-outcome' || refusal === 'duplicate';
}

function unknown(state: ConnectorState, self: ConnectorSelf, submission: SubmissionTrack, reason: string): void {
  if (!remove(state, self, submission)) return;
  self.count('outcomes-unknown');
  noteFailure(state, self, 'orders');
  if (submission.submissionId !== undefined) {
    state.unanswered.set(submission.submissionId, submission);
    keepNewest(state.unanswered, UNANSWERED_MAX);
  }
  nonceUnsettled(state, submission);
  doubtNonce(state, self);
  if (submission.kind === 'place') observe(state, self, submission, { status: 'unknown', code: 'NO_ANSWER', reason });
  if (submission.kind === 'leverage') noteLeverage(state, submission);
  else if (submission.kind === 'account') submission.ended?.('unknown');
  else resolveOrder(state, self, submission);
  advanceSubmissions(state, self);
}

/** However setting it ended: only reading it says what is in force. */
function noteLeverage(state: ConnectorState, submission: SubmissionTrack): void {
  if (submission.kind === 'leverage') state.leverage.doubtful.add(submission.symbol);
}

/** No answer in time. */
export function submissionOverdue(
  state: ConnectorState,
  self: ConnectorSelf,
  clientOrderId: string,
  kind: string,
): void {
  const submission = state.submissions.find(
    (candidate) => candidate.state === 'sent' && candidate.clientOrderId === clientOrderId && candidate.kind === kind,
  );
  if (submission === undefined) return;
  unknown(state, self, submission, `no answer within ${state.args.orderAnswerMs} ms`);
  if (submission.socketKey !== undefined) socketUnanswered(state, self, submission.socketKey);
}

/** A socket died: everything sent on it without an answer is unknown. */
export function submissionsCut(state: ConnectorState, self: ConnectorSelf, socketKey: string): void {
  for (const submission of [...state.submissions]) {
    if (submission.state === 'sent' && submission.socketKey === socketKey)
      unknown(state, self, submission, 'socket closed before the answer');
  }
  // Answers do not outlive their connection.
  for (const [submissionId, late] of state.unanswered) {
    if (late.socketKey === socketKey) state.unanswered.delete(submissionId);
  }
}

/** Takes an order back that has not left yet; false when a byte of it may have. */
export function withdraw(
  state: ConnectorState,
  self: ConnectorSelf,
  clientOrderId: string,
  code = 'CANCELLED_BEFORE_SENT',
  reason = 'cancelled while it waited',
): boolean {
  const submission = state.submissions.find(
    (candidate) =>
      candidate.kind === 'place' && candidate.state !== 'sent' && candidate.clientOrderId === clientOrderId,
  );
  if (submission === undefined) return false;
  abandonUnsent(state, self, submission, code, reason);
  return true;
}

/** An unsent submission whose validity ended is provably dead. */
function dropExpired(state: ConnectorState, self: ConnectorSelf): void {
  const now = self.nowMs();
  const expired = state.submissions.filter(
    (submission) => submission.state !== 'sent' && now >= submission.validUntilMs,
  );
  for (const submission of expired)
    abandonUnsent(state, self, submission, 'EXPIRED_BEFORE_SENT', 'validity ended in the queue');
}

/** Removes a submission that never left; the others give their nonces back and are signed again in order. */
function abandonUnsent(
  state: ConnectorState,
  self: ConnectorSelf,
  submission: SubmissionTrack,
  code: string,
  reason: string,
): void {
  if (submission.nonce !== undefined && submission.state !== 'sent') {
    returnNonces(state, [submission.nonce]);
    unsignAll(state);
    dueIn(state, self, 1);
  }
  remove(state, self, submission);
  self.count('submissions-abandoned');
  if (submission.kind === 'leverage') noteLeverage(state, submission);
  else if (submission.kind === 'account') submission.ended?.('refused');
  else if (submission.kind === 'cancel') resolveOrder(state, self, submission);
  else observe(state, self, submission, { status: 'refused', code, reason, refusal: 'transient' });
}

/** What was signed and has not left waits again: its nonce may be another one now. Only where there are nonces. */
function unsignAll(state: ConnectorState): void {
  for (const submission of state.submissions) {
    if (submission.nonce === undefined || (submission.state !== 'signing' && submission.state !== 'signed')) continue;
    returnNonces(state, [submission.nonce]);
    waitAgain(submission);
  }
}

/** Back to where it was before it was signed. */
function waitAgain(submission: SubmissionTrack): void {
  submission.state = 'waiting';
  submission.nonce = undefined;
  submission.made = undefined;
  submission.task = undefined;
  submission.signature = undefined;
  submission.submissionId = undefined;
  submission.socketKey = undefined;
}

/** Returns false when it was gone already. */
function remove(state: ConnectorState, self: ConnectorSelf, submission: SubmissionTrack): boolean {
  if (!state.submissions.includes(submission)) return false;
  if (submission.overdue !== undefined) self.cancel(submission.overdue);
  state.submissions = state.submissions.filter((other) => other !== submission);
  return true;
}

function observe(
  state: ConnectorState,
  self: ConnectorSelf,
  submission: SubmissionTrack,
  change: Parameters<typeof orderObserved>[4],
): boolean {
  return orderObserved(state, self, submission.symbol, submission.clientOrderId, change);
}

function idOf(venueOrderId: string | undefined): { readonly venueOrderId?: string } {
  return venueOrderId === undefined ? {} : { venueOrderId };
}
