/** Simulated venues hosted by the test itself, on loopback: they outlive the engine, and show afterwards what they hold. */
import type { ConfigOverrides, TandemConfig } from '../../config/schema.ts';
import { marketCalendar, tapeSpec, venueSpec } from '../../src/composition/market.ts';
import { buildVenue } from '../../src/simulation/build-venue.ts';
import { buildTape } from '../../src/simulation/live/build-tape.ts';
import { hostClock } from '../../src/simulation/live/host-clock.ts';
import { startVenueServer } from '../../src/simulation/live/venue-host.ts';
import type { VenueServer } from '../../src/simulation/live/venue-host.ts';
import type { AccountOracle, SimulatedVenue } from '../../src/simulation/simulated-venue.ts';
import { hostsOf } from '../../src/venues/hosts.ts';

export const VENUES = ['lighter', 'extended'] as const;

export interface HostedVenues {
  /** Where an engine finds them: overrides of its configuration. */
  readonly addresses: NonNullable<ConfigOverrides['venues']>;
  readonly byName: ReadonlyMap<string, SimulatedVenue>;
  /** Underlying per lot in 1e-12, by venue and symbol: what two venues hold is compared exactly. */
  readonly unitsPerLot: ReadonlyMap<string, bigint>;
  /** The books of record of the main account. Throws when there is none. */
  account(venue: string): AccountOracle;
  close(): Promise<void>;
}

/** Starts the venues of a configuration whose calendar is anchored. `around` may watch or change what a venue says. */
export async function hostVenues(
  config: TandemConfig,
  around: (venue: SimulatedVenue) => SimulatedVenue = (venue) => venue,
): Promise<HostedVenues> {
  const calendar = marketCalendar(config, Date.now());
  const tape = buildTape(tapeSpec(config, calendar.startAtMs));
  const byName = new Map<string, SimulatedVenue>();
  const unitsPerLot = new Map<string, bigint>();
  const addresses: Record<string, object> = {};
  const servers: VenueServer[] = [];
  for (const name of VENUES) {
    const simulated = config.venues[name];
    if (simulated?.kind !== 'simulated') throw new Error(`${name} must be simulated`);
    const { venue: plain, exchange } = buildVenue(venueSpec(config, name, simulated), tape);
    const venue = around(plain);
    for (const { symbol, lotUnits, quantityDecimals } of exchange.markets()) {
      unitsPerLot.set(`${name} ${symbol}`, BigInt(lotUnits) * 10n ** BigInt(12 - quantityDecimals));
    }
    const server = await startVenueServer({ venue, port: 0, now: hostClock(calendar) });
    byName.set(name, venue);
    servers.push(server);
    const { restPath, streamPath } = hostsOf(name);
    addresses[name] = {
      kind: 'simulated',
      accounts: simulated.accounts,
      restUrl: server.url + restPath,
      streamUrl: server.streamUrl + streamPath,
    };
  }
  return {
    addresses: addresses as NonNullable<ConfigOverrides['venues']>,
    byName,
    unitsPerLot,
    account: (venue) => {
      const found = byName.get(venue)?.oracle().accounts.get('main');
      if (found === undefined) throw new Error(`venue ${venue} must have an account`);
      return found;
    },
    close: async () => {
      for (const server of servers) await server.close();
    },
  };
}
