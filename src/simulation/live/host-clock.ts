/** Both clocks of a hosted venue: the process's monotonic one and the market's calendar. Hosting threads only. */
import type { Instant } from '../../venues/venue.ts';
import type { VenueCalendar } from '../venue-calendar.ts';
import { calendarAt } from '../venue-calendar.ts';

/** Returns "what time is it" for a calendar. Calendar time never goes back: the wall clock is read once, here. */
export function hostClock(calendar: VenueCalendar): () => Instant {
  const originEpochMs = Date.now() - performance.now();
  return () => {
    const monotonicMs = performance.now();
    return { monotonicMs, calendarMs: calendarAt(calendar, originEpochMs + monotonicMs) };
  };
}
