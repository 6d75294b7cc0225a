/**
 * One circuit to a venue: opened by failures, tried again by a single probe (domain 12.4). Pure functions, any thread.
 *
 * ```
 *   closed ──5 failures in 30 s, or one refusal for a limit──▶ open ──its time is over──▶ half-open
 *      ▲                                                         ▲                          │    │
 *      │                                                         └──────the probe fails─────┘    │
 *      └────────────────────────────────the probe succeeds───────────────────────────────────────┘
 * ```
 *
 * All that changes it (a test holds this table and the code against each other):
 *
 * | from | event | to |
 * | ---- | ----- | -- |
 * | closed | fifth failure in 30 s | open |
 * | closed, half-open | refusal for a limit | open |
 * | open | its time is over | half-open |
 * | open | seen to work again | half-open |
 * | half-open | the probe fails | open |
 * | half-open | success | closed |
 */

export interface CircuitBreaker {
  readonly status: 'closed' | 'open' | 'half-open';
  /** Monotonic ms of failures while closed. */
  readonly failedAtMs: readonly number[];
  /** How often it opened in a row, for the length of the next time. */
  readonly openings: number;
  readonly openUntilMs: number;
  /** Open because the venue refused for its limit: that time is the venue's, and nothing shortens it. */
  readonly isLimited: boolean;
  /** Half-open, and the one probe is on its way since then; undefined when it is free. */
  readonly probeSinceMs: number | undefined;
}

export const closedCircuit: CircuitBreaker = {
  status: 'closed',
  failedAtMs: [],
  openings: 0,
  openUntilMs: 0,
  isLimited: false,
  probeSinceMs: undefined,
};

export const FAILURES_MAX = 5;
export const FAILURE_WINDOW_MS = 30_000;
/** Bounds of the time it stays open: drawn evenly below a ceiling that doubles from the first of these to the second. */
const OPEN_FIRST_MS = 60_000;
const OPEN_MAX_MS = 900_000;
/** Shorter than this would be no pause. */
const OPEN_MIN_MS = 5_000;
/** A probe without an end after this is forgotten: another one may try. */
const PROBE_MS = 30_000;

/** Takes notice of one failure. `fraction` is a random number in [0, 1): venues that fell together come back apart. */
export function circuitFailed(circuit: CircuitBreaker, nowMs: number, fraction: number): CircuitBreaker {
  const now = circuitAt(circuit, nowMs);
  if (now.status === 'open') return now;
  const failedAtMs = [...now.failedAtMs.filter((atMs) => nowMs - atMs < FAILURE_WINDOW_MS), nowMs];
  if (now.status === 'closed' && failedAtMs.length < FAILURES_MAX) return { ...now, failedAtMs };
  const ceilingMs = Math.min(OPEN_MAX_MS, OPEN_FIRST_MS * 2 ** Math.min(now.openings, 10));
  return opened(now, nowMs + OPEN_MIN_MS + fraction * (ceilingMs - OPEN_MIN_MS), false);
}

/** The venue refused for its limit and said, or we assume, until when. */
export function circuitTripped(circuit: CircuitBreaker, nowMs: number, untilMs: number): CircuitBreaker {
  const now = circuitAt(circuit, nowMs);
  if (now.status !== 'open') return opened(now, untilMs, true);
  return { ...now, openUntilMs: Math.max(now.openUntilMs, untilMs), isLimited: true };
}

/** Something worked. What passed an open circuit out of need does not close it. */
export function circuitSucceeded(circuit: CircuitBreaker, nowMs: number): CircuitBreaker {
  return circuitAt(circuit, nowMs).status === 'half-open' ? closedCircuit : circuit;
}

/**
 * The venue has proven in another way that it works (its account was compared completely): one that failures opened is tried again
 * now, not when its time is over. After a long outage that time may be a quarter of an hour.
 */
export function circuitEncouraged(circuit: CircuitBreaker, nowMs: number): CircuitBreaker {
  const now = circuitAt(circuit, nowMs);
  return now.status === 'open' && !now.isLimited ? circuitAt({ ...now, openUntilMs: nowMs }, nowMs) : now;
}

/** Returns it as of now: an open one whose time is over is half-open. */
export function circuitAt(circuit: CircuitBreaker, nowMs: number): CircuitBreaker {
  if (circuit.status === 'open' && nowMs >= circuit.openUntilMs)
    return { ...circuit, status: 'half-open', failedAtMs: [], probeSinceMs: undefined };
  const isProbeForgotten = circuit.probeSinceMs !== undefined && nowMs - circuit.probeSinceMs >= PROBE_MS;
  return isProbeForgotten ? { ...circuit, probeSinceMs: undefined } : circuit;
}

/** Asks to send something that can wait; keep the returned circuit, it remembers the probe. */
export function passCircuit(
  circuit: CircuitBreaker,
  nowMs: number,
): { readonly circuit: CircuitBreaker; readonly passes: boolean } {
  const now = circuitAt(circuit, nowMs);
  if (now.status === 'closed') return { circuit: now, passes: true };
  if (now.status === 'open' || now.probeSinceMs !== undefined) return { circuit: now, passes: false };
  return { circuit: { ...now, probeSinceMs: nowMs }, passes: true };
}

function opened(circuit: CircuitBreaker, openUntilMs: number, isLimited: boolean): CircuitBreaker {
  const openings = circuit.openings + 1;
  return { status: 'open', failedAtMs: [], openings, openUntilMs, isLimited, probeSinceMs: undefined };
}
