/** How far a venue's clock is from ours, from request round trips (domain 13.4). Pure; any thread. */

interface Sample {
  readonly atMonotonicMs: number;
  readonly offsetMs: number;
  readonly errorMs: number;
}

/** How long a sample counts, monotonic ms. */
const SAMPLE_LIFETIME_MS = 600_000;

export interface ClockOffset {
  readonly samples: readonly Sample[];
}

export const unknownClockOffset: ClockOffset = { samples: [] };

/**
 * Adds one round trip. Calendar times are divided by `scale` (calendar ms per monotonic ms) so that offsets are comparable
 * with limits in real ms, also when simulated time is compressed.
 */
export function observeServerTime(
  offset: ClockOffset,
  trip: {
    readonly sentAtMs: number;
    readonly receivedAtMs: number;
    readonly serverMs: number;
    readonly scale: number;
    readonly nowMonotonicMs: number;
  },
): ClockOffset {
  const errorMs = (trip.receivedAtMs - trip.sentAtMs) / 2 / trip.scale;
  const offsetMs = (trip.serverMs - (trip.sentAtMs + trip.receivedAtMs) / 2) / trip.scale;
  const recent = offset.samples.filter((sample) => trip.nowMonotonicMs - sample.atMonotonicMs < SAMPLE_LIFETIME_MS);
  return { samples: [...recent.slice(-63), { atMonotonicMs: trip.nowMonotonicMs, offsetMs, errorMs }] };
}

/**
 * Returns the sample with the shortest round trip among those that still count: venue minus local, and half its round trip, both in
 * real ms. Undefined before the first, and when measuring has failed for too long.
 */
export function bestOffset(
  offset: ClockOffset,
  nowMonotonicMs: number,
): { readonly offsetMs: number; readonly errorMs: number } | undefined {
  let best: Sample | undefined;
  for (const sample of offset.samples) {
    if (nowMonotonicMs - sample.atMonotonicMs >= SAMPLE_LIFETIME_MS) continue;
    if (best === undefined || sample.errorMs < best.errorMs) best = sample;
  }
  return best;
}
