/** The calendar of a simulated market as plain data that separate threads and processes agree on. Any thread. */

/** `calendarMs = startAtMs + (wall clock - anchorEpochMs) x scale`. */
export interface VenueCalendar {
  /** Calendar ms at the anchor. */
  readonly startAtMs: number;
  /** Calendar ms per real ms, at least 1. */
  readonly scale: number;
  /** Real epoch ms at which the calendar showed `startAtMs`. */
  readonly anchorEpochMs: number;
}

/** Returns the calendar's time at a real instant, whole ms. */
export function calendarAt(calendar: VenueCalendar, realEpochMs: number): number {
  return Math.floor(calendar.startAtMs + (realEpochMs - calendar.anchorEpochMs) * calendar.scale);
}
