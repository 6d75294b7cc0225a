/** Makes the market tape that a configuration names. Start-up only: a recorded one reads files. Hosting threads only. */
import { generatedTape } from '../generated-tape.ts';
import type { MarketTape } from '../market-tape.ts';
import { fundingIntervalMs } from '../markets.ts';
import { loadRecordedTape } from './load-recorded-tape.ts';
import type { RecordedVenueFiles } from './load-recorded-tape.ts';

/** Plain data: crosses threads. All threads that share a market are given the same one. */
export type TapeSpec =
  | {
      readonly kind: 'generated';
      readonly seed: number;
      readonly bases: readonly string[];
      readonly venues: Readonly<Record<string, { readonly series: string }>>;
      /** First calendar ms of interest. */
      readonly startAtMs: number;
    }
  | {
      readonly kind: 'recorded';
      readonly seed: number;
      readonly bases: readonly string[];
      readonly venues: Readonly<Record<string, Omit<RecordedVenueFiles, 'intervalMs'>>>;
      readonly startAtMs: number;
      readonly endAtMs: number;
    };

/** Throws RangeError for an unknown base or series, TapeError for recorded rows that must not be played. */
export function buildTape(spec: TapeSpec): MarketTape {
  if (spec.kind === 'generated') return generatedTape({ ...spec, venues: settling(spec.venues) });
  return loadRecordedTape({ ...spec, venues: settling(spec.venues) });
}

/** A venue settles as often as its own kind does, whatever the series that moves it did. */
function settling<Venue>(
  venues: Readonly<Record<string, Venue>>,
): Record<string, Venue & { readonly intervalMs: number }> {
  const settled: Record<string, Venue & { readonly intervalMs: number }> = {};
  for (const [name, venue] of Object.entries(venues)) settled[name] = { ...venue, intervalMs: fundingIntervalMs(name) };
  return settled;
}
