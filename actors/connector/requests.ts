/** The connector's outgoing REST requests: queued by urgency, released by the limiter, each ended exactly once. */
import type { HttpAnswered, HttpFailed, HttpRequest, ReadSource, SharedRead } from '../../src/ports/ports.ts';
import type { RateLimiter, RequestPriority } from '../../src/venues/rate-limiter.ts';
import { MalformedPayload, VenueError } from '../../src/venues/venue.ts';
import type { Operation, OperationResult, VenueEvent } from '../../src/venues/venue.ts';
import { accessText, certificateRefused } from './access.ts';
import { backoffMs } from './backoff.ts';
import { questionsAtOnce } from './concurrency.ts';
import { doubt, settle } from './doubts.ts';
import { mayPass, noteFailure, noteLimit, noteSuccess, takePass } from './circuits.ts';
import { instant, submissionLimiter } from './state.ts';
import { stepDown } from './usage-ramp.ts';
import type {
  ConnectorSelf,
  ConnectorState,
  InFlightOperation,
  OperationOutcome,
  QueuedOperation,
  Recurring,
  SentAt,
  Urgency,
} from './state.ts';

const QUEUE_MAX = 1_000;
/** Pages of one listing: a bound on what one question may cost. */
const PAGES_MAX = 50;
/** Silence after a refusal for a limit when the venue does not say how long, doubled for each one in a row, ms. */
const REFUSED_SILENCE_MS = 60_000;
const REFUSED_SILENCE_MAX_MS = 900_000;
/** Bounds of the pause before something that failed is asked again, ms. */
const RETRY = { minMs: 500, maxMs: 30_000 } as const;
/** Requests of these priorities wait while the circuit is open: not what the account or leaving needs. */
const CIRCUIT_PRIORITY_MIN = 5;
/** Balances, positions, open orders, fee tiers. */
const ACCOUNT_PRIORITY = 4;
/** The timer that releases what waits comes at least this often, ms. */
const DUE_MAX_MS = 1_000;

/** A transport failure: the request may or may not have arrived. */
export class TransportFailure extends Error {
  /** False when provably nothing left. */
  readonly sent: boolean;
  constructor(operation: string, failure: HttpFailed) {
    super(`${operation} got no answer (${failure.code}): ${failure.detail}`);
    this.name = 'TransportFailure';
    this.sent = failure.code !== 'refused' && failure.code !== 'untrusted';
  }
}

/** Takes the events of an answered request. */
export type ApplyAnswer = (events: readonly VenueEvent[], sentAt: SentAt) => void;

/** Queues one request; `done` is called once, after its events were applied. */
export function request(
  state: ConnectorState,
  self: ConnectorSelf,
  operation: Operation,
  urgency: Urgency,
  done: (outcome: OperationOutcome) => void,
): void {
  if (state.isUntrusted) {
    done({ ok: false, sent: false, error: new Error(state.fatal) });
    return;
  }
  if (state.queue.length >= QUEUE_MAX) {
    const error = new Error(`requests waiting at ${state.args.venue} must be at most ${QUEUE_MAX}`);
    done({ ok: false, sent: false, error });
    return;
  }
  state.queue.push({ operation, urgency, done });
  release(state, self);
}

/** Runs operations one after another, following pages; stops at the first failure. */
export function requestAll(
  state: ConnectorState,
  self: ConnectorSelf,
  operations: readonly Operation[],
  urgency: Urgency,
  done: (outcome: { readonly ok: boolean; readonly error?: Error }) => void,
  pages = 0,
): void {
  const [first, ...rest] = operations;
  if (first === undefined) {
    done({ ok: true });
    return;
  }
  request(state, self, first, urgency, (outcome) => {
    if (!outcome.ok) {
      done({ ok: false, error: outcome.error });
    } else if (outcome.result.next === undefined) {
      requestAll(state, self, rest, urgency, done);
    } else if (pages >= PAGES_MAX) {
      done({ ok: false, error: new Error(`${first.name} must end within ${PAGES_MAX} pages`) });
    } else {
      requestAll(state, self, [outcome.result.next, ...rest], urgency, done, pages + 1);
    }
  });
}

/** Sends at once a request whose place in the limit is booked already. */
export function requestBooked(
  state: ConnectorState,
  self: ConnectorSelf,
  operation: Operation,
  priority: RequestPriority,
  done: (outcome: OperationOutcome) => void,
): void {
  send(state, self, { operation, urgency: { priority }, done });
}

/** Reads something that is wanted again and again, with a growing, jittered pause after failures. */
export function readAgain(
  state: ConnectorState,
  self: ConnectorSelf,
  track: Recurring,
  everyMs: number,
  operations: readonly Operation[],
  urgency: Urgency,
  done: (ok: boolean) => void = () => undefined,
): void {
  track.active = true;
  requestAll(state, self, operations, urgency, (outcome) => {
    track.active = false;
    track.failures = outcome.ok ? 0 : track.failures + 1;
    const pauseMs = outcome.ok ? everyMs : Math.min(everyMs, retryPauseMs(self, track.failures));
    track.nextAtMs = self.monotonicMs() + pauseMs;
    done(outcome.ok);
  });
}

/** Returns whether a recurring read is due and not under way. */
export function isDue(track: Recurring, nowMs: number): boolean {
  return !track.active && nowMs >= track.nextAtMs;
}

/** Returns the jittered pause after so many failures in a row, ms. */
export function retryPauseMs(self: ConnectorSelf, failures: number): number {
  return backoffMs(failures, self.random('retry').nextFraction(), RETRY);
}

/** Sends every queued request that the limiter lets go, most urgent first; asks to be called again for the rest. */
export function release(state: ConnectorState, self: ConnectorSelf): void {
  if (state.queue.length === 0) return;
  const nowMs = self.monotonicMs();
  let waitMs = Number.POSITIVE_INFINITY;
  const kept: QueuedOperation[] = [];
  // Orders and cancels are not held up by it.
  const inFlightMax = questionsAtOnce(state, self);
  // Urgencies change while requests wait. The sort is stable: equals leave in the order of asking.
  for (const queued of state.queue.toSorted((one, other) => one.urgency.priority - other.urgency.priority)) {
    if (state.inFlight.size >= inFlightMax) {
      kept.push(queued);
      continue;
    }
    const waits = queued.urgency.priority >= CIRCUIT_PRIORITY_MIN;
    if (waits && !mayPass(state, self, 'rest')) {
      waitMs = Math.min(waitMs, DUE_MAX_MS);
      kept.push(queued);
      continue;
    }
    const read = readOf(self, queued);
    if (read !== undefined && self.ports.http.isAtHand(read)) {
      // No request leaves: nothing of a limit is used.
      self.count('reads-shared');
      send(state, self, queued);
      continue;
    }
    const { weight, isAnonymous } = queued.operation;
    const wait = acquireRequest(state, state.restLimiter, weight, queued.urgency.priority, nowMs, isAnonymous);
    if (wait > 0) {
      waitMs = Math.min(waitMs, wait);
      kept.push(queued);
      continue;
    }
    if (waits) takePass(state, self, 'rest');
    send(state, self, queued);
  }
  state.queue = kept;
  if (waitMs < Number.POSITIVE_INFINITY) dueIn(state, self, waitMs);
}

/**
 * Books a place in a limit and in that of all requests, or in neither; returns how long to wait, 0 when booked. `isAnonymous`: it
 * carries no key, so that only an address is counted for it.
 */
export function acquireRequest(
  state: ConnectorState,
  limiter: RateLimiter,
  weight: number,
  priority: RequestPriority,
  nowMs: number,
  isAnonymous = false,
): number {
  const addressLimiter =
    isAnonymous && state.addressLimiter?.bucket.per !== 'address' ? undefined : state.addressLimiter;
  const waitMs = Math.max(limiter.waitFor(weight, priority, nowMs), addressLimiter?.waitFor(1, priority, nowMs) ?? 0);
  if (waitMs > 0) return waitMs;
  addressLimiter?.acquire(1, priority, nowMs);
  return limiter.acquire(weight, priority, nowMs);
}

/** What others may have asked already; undefined where only a request of its own will do. */
function readOf(self: ConnectorSelf, { operation, urgency }: QueuedOperation): SharedRead | undefined {
  const { source, request, mutates } = operation;
  if (source === undefined || urgency.sinceMs === undefined || mutates) return undefined;
  return { source, key: readKey(self.path, source, request), sinceMs: urgency.sinceMs };
}

/** Balances and positions are an account's own; everything else is the same for all of this venue. */
function readKey(path: string, source: ReadSource, { method, url, body = '' }: HttpRequest): string {
  const owner = source === 'balances' || source === 'positions' ? `${path} ` : '';
  return `${owner}${method} ${url} ${body}`;
}

/** Something of the account changed: what was read of it before is not true any more. */
export function accountChanged(self: ConnectorSelf): void {
  for (const source of ['balances', 'positions'] as const) self.ports.http.invalidate(source, `${self.path} `);
}

function send(state: ConnectorState, self: ConnectorSelf, queued: QueuedOperation): void {
  const at = instant(self);
  const { operation } = queued;
  const now = at.monotonicMs;
  const usedThen = { rest: state.restLimiter.used(now), orders: submissionLimiter(state).used(now) };
  const read = readOf(self, queued);
  const { calls } = queued.urgency;
  if (calls !== undefined && (read === undefined || !self.ports.http.isAtHand(read))) calls.sent += 1;
  const request = operation.requestAt?.(at) ?? operation.request;
  const marked = {
    ...request,
    ...(operation.mutates ? { mutates: true as const } : {}),
    ...(read === undefined ? {} : { read }),
  };
  const ref = self.ports.http.send(marked, operation.name);
  state.inFlight.set(ref, { ...queued, sentAt: at, usedThen });
  self.count(`requests:${operation.name}`);
}

/** Arms the one timer that releases what waits; an earlier wish moves it forward. */
export function dueIn(state: ConnectorState, self: ConnectorSelf, waitMs: number): void {
  const delayMs = Math.max(1, Math.min(waitMs, DUE_MAX_MS));
  const atMs = self.monotonicMs() + delayMs;
  if (state.due !== undefined) {
    if (state.due.atMs <= atMs) return;
    self.cancel(state.due.timer);
  }
  state.due = { timer: self.after(delayMs, { type: 'operation-due' }), atMs };
}

/** The transport delivered an answer, whatever it says. */
export function answered(state: ConnectorState, self: ConnectorSelf, answer: HttpAnswered, apply: ApplyAnswer): void {
  const pending = state.inFlight.get(answer.ref);
  if (pending === undefined) return;
  state.inFlight.delete(answer.ref);
  const isShared = answer.sentAtMs !== undefined;
  if (!isShared) hearLimits(state, self, pending, answer);
  const read = parse(pending, answer, self);
  if (read.ok) {
    if (pending.sentAt.monotonicMs > state.limitRefusedAtMs) state.limitRefusals = 0;
    if (!pending.operation.mutates && !isShared) noteSuccess(state, self, 'rest');
    if (isAccountTruth(pending)) settle(state, self, 'ANSWER', pending.operation.name);
    apply(read.result.events, sentAtOf(self, pending, answer));
  } else {
    forgetAnswer(self, pending);
    refused(state, self, pending, answer, read.error);
  }
  pending.done(read.ok ? read : { ok: false, sent: true, error: read.error });
  release(state, self);
}

/** When the request left that was answered: not this one, where another's answer served. */
function sentAtOf(self: ConnectorSelf, { sentAt }: InFlightOperation, { sentAtMs }: HttpAnswered): SentAt {
  if (sentAtMs === undefined) return sentAt;
  const earlierMs = Math.max(0, sentAt.monotonicMs - sentAtMs);
  return { calendarMs: sentAt.calendarMs - earlierMs * self.ports.calendar.scale, monotonicMs: sentAtMs };
}

/** A refusal may come as an ordinary answer: nobody else shall have it. */
function forgetAnswer(self: ConnectorSelf, queued: InFlightOperation): void {
  const read = readOf(self, queued);
  if (read !== undefined) self.ports.http.invalidate(read.source, read.key);
}

/** Whatever an answer says, its headers may know of requests that are not ours, or of a limit that was lowered. */
function hearLimits(
  state: ConnectorState,
  self: ConnectorSelf,
  pending: InFlightOperation,
  answer: HttpAnswered,
): void {
  const feedback = state.adapter.limitFeedback?.(pending.operation, answer);
  if (feedback === undefined) return;
  const limiter = feedback.bucket === 'orders' ? submissionLimiter(state) : state.restLimiter;
  const sent = { atMs: pending.sentAt.monotonicMs, used: pending.usedThen[feedback.bucket] };
  limiter.hear(feedback, sent, self.monotonicMs());
}

function isAccountTruth({ operation }: InFlightOperation): boolean {
  return operation.priority === ACCOUNT_PRIORITY && !operation.mutates;
}

type Read =
  | { readonly ok: true; readonly result: OperationResult }
  | { readonly ok: false; readonly error: VenueError | MalformedPayload };

function parse(pending: InFlightOperation, answer: HttpAnswered, self: ConnectorSelf): Read {
  try {
    return { ok: true, result: pending.operation.parse(answer, instant(self)) };
  } catch (error) {
    if (error instanceof VenueError || error instanceof MalformedPayload) return { ok: false, error };
    throw error;
  }
}

function refused(
  state: ConnectorState,
  self: ConnectorSelf,
  pending: InFlightOperation,
  answer: HttpAnswered,
  error: VenueError | MalformedPayload,
): void {
  const { venue } = state.args;
  const operation = pending.operation.name;
  if (answer.status === 429 || (error instanceof VenueError && error.class === 'rate-limit')) {
    const silenceMs = silenceOf(state, self, pending, answer, error);
    const now = self.monotonicMs();
    const untilMs = now + silenceMs;
    // Where orders have a limit of their own, theirs is what an order met, and a banned address is everybody's.
    const isBan = answer.status === 403;
    if (isBan || !pending.operation.mutates) {
      state.restLimiter.silence(untilMs, now);
      noteLimit(state, self, 'rest', untilMs);
    }
    if (isBan || pending.operation.mutates) {
      submissionLimiter(state).silence(untilMs, now);
      noteLimit(state, self, 'orders', untilMs);
    }
    stepDown(state, self);
    self.count('rate-limit-refusals');
    self.log('warn', 'rate-limit-refused', { venue, operation, silenceMs });
    return;
  }
  if (error instanceof MalformedPayload) {
    self.count('malformed-answers');
    // What the account has is not known then; everything else ages by itself.
    if (isAccountTruth(pending)) doubt(state, self, 'ANSWER', operation, 'must be readable', error.message);
  }
  if (!pending.operation.mutates) {
    if (error instanceof MalformedPayload || answer.status >= 500) noteFailure(state, self, 'rest');
    else noteSuccess(state, self, 'rest');
  }
  if (error instanceof VenueError && error.class === 'fatal' && !pending.operation.mutates) {
    state.accessRefused = accessText(state, error.code, error.message);
    self.log('error', 'access-refused', { venue, operation, error: state.accessRefused });
  }
  self.count('requests-refused');
  self.log('warn', 'request-refused', { venue, operation, error: error.message });
}

/** What the venue asks for, else a minute, doubled while it keeps refusing what is sent after a silence. */
function silenceOf(
  state: ConnectorState,
  self: ConnectorSelf,
  pending: InFlightOperation,
  answer: HttpAnswered,
  error: VenueError | MalformedPayload,
): number {
  const stated = answer.headers['retry-after'] ?? '';
  if (pending.sentAt.monotonicMs > state.limitRefusedAtMs) {
    state.limitRefusals += 1;
    state.limitRefusedAtMs = self.monotonicMs();
  }
  if (error instanceof VenueError && error.retryAfterMs !== undefined) return error.retryAfterMs;
  if (/^[1-9]\d{0,6}$/.test(stated)) return Number(stated) * 1_000;
  return Math.min(REFUSED_SILENCE_MAX_MS, REFUSED_SILENCE_MS * 2 ** Math.max(0, state.limitRefusals - 1));
}

/** The transport gave up. */
export function failed(state: ConnectorState, self: ConnectorSelf, failure: HttpFailed): void {
  const pending = state.inFlight.get(failure.ref);
  if (pending === undefined) return;
  state.inFlight.delete(failure.ref);
  self.count('requests-failed');
  if (!pending.operation.mutates) noteFailure(state, self, 'rest');
  if (failure.code === 'untrusted') certificateRefused(state, self, failure.detail);
  const error = new TransportFailure(pending.operation.name, failure);
  self.log('warn', 'request-failed', {
    venue: state.args.venue,
    operation: pending.operation.name,
    error: error.message,
  });
  pending.done({ ok: false, sent: error.sent, error });
  release(state, self);
}
