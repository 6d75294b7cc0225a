/** The calendar as a venue reads it now. Pure, any thread. */
import type { EntryFacts, EntryLegFacts } from './entry-facts.ts';

/** Returns calendar ms by the venue's clock: its offset is measured in real ms and passes as fast as the calendar does. */
export function venueNowMs(
  facts: Pick<EntryFacts, 'nowMs' | 'calendarScale'>,
  leg: Pick<EntryLegFacts, 'status'>,
): number {
  return facts.nowMs + (leg.status?.clockOffsetMs ?? 0) * facts.calendarScale;
}
