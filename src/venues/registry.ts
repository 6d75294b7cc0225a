/** Every venue by name: the one place that lists them. Connector threads only (it loads signing code). */
import { bybitAdapter } from './bybit/adapter.ts';
import { coinbaseAdapter } from './coinbase/adapter.ts';
import { extendedAdapter } from './extended/adapter.ts';
import { hyperliquidAdapter } from './hyperliquid/adapter.ts';
import { lighterAdapter } from './lighter/adapter.ts';
import type { VenueAdapter, VenueSettings } from './venue.ts';

const adapters: ReadonlyMap<string, (settings: VenueSettings) => VenueAdapter> = new Map([
  ['lighter', lighterAdapter],
  ['extended', extendedAdapter],
  ['bybit', bybitAdapter],
  ['hyperliquid', hyperliquidAdapter],
  ['coinbase', coinbaseAdapter],
]);

/** Opens the adapter of one account. Throws on an unknown venue. */
export function openVenue(venue: string, settings: VenueSettings): VenueAdapter {
  const open = adapters.get(venue);
  if (open === undefined) throw new RangeError(`venue must be one of ${[...adapters.keys()].join(', ')}, was ${venue}`);
  return open(settings);
}
