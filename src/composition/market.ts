/** What the simulated venues of a configuration are made of, as plain data. Any thread. */
import type { SimulatedVenueConfig, TandemConfig } from '../../config/schema.ts';
import type { VenueName } from '../../config/venue-names.ts';
import type { VenueSpec } from '../simulation/build-venue.ts';
import type { TapeSpec } from '../simulation/live/build-tape.ts';
import type { WorldMaterial } from '../simulation/live/world-file.ts';
import type { VenueCalendar } from '../simulation/venue-calendar.ts';

/** The market's calendar; `nowEpochMs` is the real time used where the configuration says now. */
export function marketCalendar(config: TandemConfig, nowEpochMs: number): VenueCalendar {
  const { scale, startAt, anchorAt } = config.calendar;
  const { tape } = config;
  const startAtMs = startAt !== 'now' ? startAt : tape?.kind === 'recorded' ? tape.from : nowEpochMs;
  return { startAtMs, scale, anchorEpochMs: anchorAt ?? nowEpochMs };
}

/** `startAtMs`: where a generated tape begins. Throws when the configuration has no tape (the schema demands one of simulated venues). */
export function tapeSpec(config: TandemConfig, startAtMs: number): TapeSpec {
  const { tape, symbols } = config;
  if (tape === undefined) throw new Error('simulated venues must have a tape');
  if (tape.kind === 'generated')
    return {
      kind: 'generated',
      seed: tape.seed,
      bases: symbols,
      venues: defined(tape.venues),
      startAtMs,
    };
  return {
    kind: 'recorded',
    seed: tape.seed,
    bases: symbols,
    venues: defined(tape.venues),
    startAtMs: tape.from,
    endAtMs: tape.to,
  };
}

/** One simulated venue. */
export function venueSpec(config: TandemConfig, venue: VenueName, simulated: SimulatedVenueConfig): VenueSpec {
  const { accountType, accounts, limits, takerDelayMs, makerDelayMs, cancelDelayMs, bookIntervalMs } = simulated;
  return {
    venue,
    accountType,
    bases: config.symbols,
    accounts,
    limits,
    seed: config.tape?.seed ?? 0,
    calendarScale: config.calendar.scale,
    takerDelayMs,
    makerDelayMs,
    cancelDelayMs,
    bookIntervalMs,
  };
}

/** What the venues' past rests on; every run in one data directory must agree about it. */
export function worldMaterial(config: TandemConfig, venues: readonly VenueSpec[]): WorldMaterial {
  return {
    symbols: config.symbols,
    'calendar.scale': config.calendar.scale,
    tape: config.tape,
    venues: venues.map(({ venue }) => venue),
    ...Object.fromEntries(venues.map(({ venue, accounts }) => [`venues.${venue}.accounts`, accounts])),
    ...Object.fromEntries(
      venues.flatMap(({ venue, accountType }) =>
        accountType === undefined ? [] : [[`venues.${venue}.accountType`, accountType]],
      ),
    ),
  };
}

/**
 * Whether the world's time stands still while nobody runs it. Not where the configuration says what time it is: by an anchor,
 * or by a calendar that is the real one.
 */
export function standsStill({ calendar }: TandemConfig): boolean {
  return calendar.anchorAt === undefined && !(calendar.scale === 1 && calendar.startAt === 'now');
}

/** The entries that are there: an optional key of the schema may hold undefined. */
function defined<Venue>(venues: { readonly [name in VenueName]?: Venue | undefined }): Record<string, Venue> {
  const found: Record<string, Venue> = {};
  for (const [name, venue] of Object.entries<Venue | undefined>(venues)) if (venue !== undefined) found[name] = venue;
  return found;
}
