/** The connector's outgoing REST requests: queued by priority, released by the limiter, each answered exactly once. */
import type { HttpAnswered, HttpFailed } from '../../src/ports/ports.ts';
import type { RequestPriority } from '../../src/venues/rate-limiter.ts';
import { MalformedPayload, VenueError } from '../../src/venues/venue.ts';
import type { Operation } from '../../src/venues/venue.ts';
import { applyEvents } from './events.ts';
import { instant } from './state.ts';
import type { ConnectorSelf, ConnectorState, OperationOutcome } from './state.ts';

const QUEUE_MAX = 1_000;
const IN_FLIGHT_MAX = 32;
/** Pages of one listing: a bound on what one question may cost. */
const PAGES_MAX = 50;
/** Silence after a refusal for a limit when the venue does not say how long, ms. */
const REFUSED_SILENCE_MS = 60_000;

/** A transport failure: the request may or may not have arrived. */
export class TransportFailure extends Error {
  /** False when provably nothing left. */
  readonly sent: boolean;
  constructor(operation: string, failure: HttpFailed) {
    super(`${operation} got no answer (${failure.code}): ${failure.detail}`);
    this.name = 'TransportFailure';
    this.sent = failure.code !== 'refused';
  }
}

/** Queues one request; `done` is called once, after its events were applied. */
export function request(
  state: ConnectorState,
  self: ConnectorSelf,
  operation: Operation,
  priority: RequestPriority,
  done: (outcome: OperationOutcome) => void,
): void {
  if (state.queue.length >= QUEUE_MAX) {
    done({ ok: false, sent: false, error: new Error(`requests waiting at ${state.args.venue} must be at most ${QUEUE_MAX}`) });
    return;
  }
  const at = state.queue.findIndex((queued) => queued.priority > priority);
  const entry = { operation, priority, done };
  if (at < 0) state.queue.push(entry);
  else state.queue.splice(at, 0, entry);
  release(state, self);
}

/** Runs operations one after another, following pages; stops at the first failure. */
export function requestAll(
  state: ConnectorState,
  self: ConnectorSelf,
  operations: readonly Operation[],
  priority: RequestPriority,
  done: (outcome: { readonly ok: boolean; readonly error?: Error }) => void,
  pages = 0,
): void {
  const [first, ...rest] = operations;
  if (first === undefined) {
    done({ ok: true });
    return;
  }
  request(state, self, first, priority, (outcome) => {
    if (!outcome.ok) done({ ok: false, error: outcome.error });
    else if (outcome.result.next === undefined) requestAll(state, self, rest, priority, done);
    else if (pages >= PAGES_MAX) done({ ok: false, error: new Error(`${first.name} must end within ${PAGES_MAX} pages`) });
    else requestAll(state, self, [outcome.result.next, ...rest], priority, done, pages + 1);
  });
}

/** Sends every queued request that the limiter lets go, most urgent first; asks to be called again for the rest. */
export function release(state: ConnectorState, self: ConnectorSelf): void {
  const at = instant(self);
  let waitMs = Number.POSITIVE_INFINITY;
  const kept: typeof state.queue = [];
  for (const queued of state.queue) {
    if (state.inFlight.size >= IN_FLIGHT_MAX) {
      kept.push(queued);
      continue;
    }
    const wait = state.restLimiter.acquire(queued.operation.weight, queued.priority, at.monotonicMs);
    if (wait > 0) {
      waitMs = Math.min(waitMs, wait);
      kept.push(queued);
      continue;
    }
    const ref = self.ports.http.send(queued.operation.request);
    state.inFlight.set(ref, { ...queued, sentAtMs: at.calendarMs });
    self.count(`requests:${queued.operation.name}`);
  }
  state.queue = kept;
  if (waitMs < Number.POSITIVE_INFINITY) dueIn(state, self, waitMs);
}

/** Arms the one timer that releases queues later. */
export function dueIn(state: ConnectorState, self: ConnectorSelf, waitMs: number): void {
  if (state.dueTimer !== undefined) return;
  state.dueTimer = self.after(Math.max(1, Math.min(waitMs, 1_000)), { type: 'operation-due' });
}

export function answered(state: ConnectorState, self: ConnectorSelf, answer: HttpAnswered): void {
  const pending = state.inFlight.get(answer.ref);
  if (pending === undefined) return;
  state.inFlight.delete(answer.ref);
  const at = instant(self);
  let outcome: OperationOutcome;
  try {
    const result = pending.operation.parse(answer, at);
    applyEvents(state, self, result.events, { sentAtMs: pending.sentAtMs });
    outcome = { ok: true, result };
  } catch (error) {
    if (!(error instanceof VenueError || error instanceof MalformedPayload)) throw error;
    if (answer.status === 429 || (error instanceof VenueError && error.class === 'rate-limit')) {
      const retryAfterSeconds = Number.parseInt(answer.headers['retry-after'] ?? '', 10);
      const silenceMs = Number.isSafeInteger(retryAfterSeconds) && retryAfterSeconds > 0 ? retryAfterSeconds * 1_000 : REFUSED_SILENCE_MS;
      state.restLimiter.silence(at.monotonicMs + silenceMs);
      self.count('rate-limit-refusals');
      self.log('warn', 'rate-limit-refused', { venue: state.args.venue, operation: pending.operation.name, silenceMs });
    } else {
      self.count('requests-refused');
      self.log('warn', 'request-refused', { venue: state.args.venue, operation: pending.operation.name, error: error.message });
    }
    outcome = { ok: false, sent: true, error };
  }
  pending.done(outcome);
  release(state, self);
}

export function failed(state: ConnectorState, self: ConnectorSelf, failure: HttpFailed): void {
  const pending = state.inFlight.get(failure.ref);
  if (pending === undefined) return;
  state.inFlight.delete(failure.ref);
  self.count('requests-failed');
  const error = new TransportFailure(pending.operation.name, failure);
  self.log('warn', 'request-failed', { venue: state.args.venue, operation: pending.operation.name, error: error.message });
  pending.done({ ok: false, sent: error.sent, error });
  release(state, self);
}
