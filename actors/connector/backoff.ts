/** How long to wait before trying again: exponential, fully jittered, never zero. Pure; connector thread. */

/** Real ms between which a wait is drawn. */
export interface BackoffBounds {
  readonly minMs: number;
  readonly maxMs: number;
}

/** Doublings after which the ceiling is reached whatever the bounds are; keeps the power finite. */
const DOUBLINGS_MAX = 20;

/**
 * Returns the wait after `failures` failures in a row (1 for the first): drawn evenly between the minimum and a ceiling that
 * doubles with each failure. `fraction` is a random number in [0, 1). Whoever was dropped together comes back apart.
 */
export function backoffMs(failures: number, fraction: number, bounds: BackoffBounds): number {
  const ceilingMs = Math.min(bounds.maxMs, bounds.minMs * 2 ** Math.min(Math.max(1, failures), DOUBLINGS_MAX));
  return bounds.minMs + fraction * (ceilingMs - bounds.minMs);
}
