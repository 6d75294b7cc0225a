/**
 * The account's nonces: given out in order, read again whenever it is not certain which comes next. Two different requests never
 * leave with the same one while the first may still arrive. Connector thread.
 *
 * ```
 *             read and nothing open below it
 *   unknown ────────▶ fetching ────────▶ known
 *      ▲                 │                 │ a refusal (it used none), an answer that never came
 *      └─────────────────┴─────────────────┘
 * ```
 *
 * All that changes whether the next one is known (a test holds this table and the code against each other):
 *
 * | from | event | to |
 * | ---- | ----- | -- |
 * | unknown | read | fetching |
 * | fetching | answered | known |
 * | fetching | answered below one that may still arrive, not answered | unknown |
 * | fetching, known | in doubt | unknown |
 */
import { dueIn, request, retryPauseMs } from './requests.ts';
import { earliestVenueMs } from './venue-clock.ts';
import type { ConnectorSelf, ConnectorState, SubmissionTrack } from './state.ts';

/** Pause before asking again while a request without answer may still use its nonce, ms. */
const UNSETTLED_RETRY_MS = 500;
/** A venue that has accepted a nonce may name it as the next one for a moment; after this its word counts, ms. */
const LAG_MAX_MS = 5_000;
/** Margin after a validity's end before its nonce is free, real ms. */
const EXPIRY_MARGIN_MS = 100;

/** Returns the next nonce; only while it is known. */
export function takeNonce(state: ConnectorState): bigint {
  const { next } = state.nonce;
  state.nonce.next += 1n;
  return next;
}

/** Gives back the nonces of signed requests that never left, all of them: they were the highest. */
export function returnNonces(state: ConnectorState, nonces: readonly bigint[]): void {
  if (state.nonce.status !== 'known') return;
  for (const nonce of nonces) if (nonce < state.nonce.next) state.nonce.next = nonce;
}

/** The venue took a request. */
export function nonceAccepted(state: ConnectorState, nonce: bigint | undefined): void {
  if (nonce !== undefined && nonce >= state.nonce.acceptedBelow) state.nonce.acceptedBelow = nonce + 1n;
}

/** The venue may or may not have taken a request: until its validity ends, its nonce is nobody else's. */
export function nonceUnsettled(state: ConnectorState, submission: SubmissionTrack): void {
  const { nonce, validUntilMs } = submission;
  if (nonce !== undefined) state.nonce.unsettled = [...state.nonce.unsettled, { nonce, validUntilMs }];
}

/** From here on the next nonce has to be read again. */
export function doubtNonce(state: ConnectorState, self: ConnectorSelf): void {
  const { nonce } = state;
  if (!state.adapter.usesNonces || nonce.status === 'unknown') return;
  if (nonce.status === 'known') nonce.unknownSinceMs = self.monotonicMs();
  nonce.status = 'unknown';
}

/** Reads the next nonce if it is in doubt and nothing signed is waiting for its answer; `whenKnown` is called once it is certain. */
export function readNonce(state: ConnectorState, self: ConnectorSelf, whenKnown: () => void): void {
  const { adapter, nonce } = state;
  if (!adapter.usesNonces || adapter.nextNonce === undefined || nonce.status !== 'unknown' || !state.isRunning) return;
  if (state.submissions.some((submission) => submission.state === 'sent')) return;
  const now = self.monotonicMs();
  if (now < nonce.retryAtMs) {
    dueIn(state, self, nonce.retryAtMs - now);
    return;
  }
  nonce.status = 'fetching';
  request(
    state,
    self,
    adapter.nextNonce({ calendarMs: self.nowMs(), monotonicMs: now }),
    { priority: 2 },
    (outcome) => {
      if (nonce.status !== 'fetching') return;
      nonce.failures = outcome.ok ? 0 : nonce.failures + 1;
      const pauseMs = outcome.ok ? pauseAfterRead(state, self) : retryPauseMs(self, nonce.failures);
      if (pauseMs > 0) {
        nonce.status = 'unknown';
        nonce.retryAtMs = self.monotonicMs() + pauseMs;
        dueIn(state, self, pauseMs);
        return;
      }
      nonce.status = 'known';
      nonce.wasKnown = true;
      whenKnown();
    },
  );
}

/** Returns 0 when the nonce just read may be used, else how long to wait before reading again. */
function pauseAfterRead(state: ConnectorState, self: ConnectorSelf): number {
  const { nonce } = state;
  const venueMs = earliestVenueMs(state, self);
  const marginMs = EXPIRY_MARGIN_MS * self.ports.calendar.scale;
  nonce.unsettled = nonce.unsettled.filter(
    (open) => open.nonce >= nonce.next && (venueMs === undefined || venueMs <= open.validUntilMs + marginMs),
  );
  if (nonce.unsettled.length > 0) return UNSETTLED_RETRY_MS;
  if (nonce.next < nonce.acceptedBelow && self.monotonicMs() - nonce.unknownSinceMs < LAG_MAX_MS)
    return UNSETTLED_RETRY_MS;
  nonce.acceptedBelow = nonce.next;
  return 0;
}
