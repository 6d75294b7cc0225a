/** What makes this connector fast and can be switched off while it runs: no decision depends on it. Connector thread. */
import { READ_SOURCES } from '../../src/venues/read-sources.ts';
import { FLAG_NAMES, isFlagName } from '../../src/venues/flags.ts';
import type { FlagName } from '../../src/venues/flags.ts';
import type { ConnectorSelf, ConnectorState } from './state.ts';

/** Brings the doors in line with what is wanted, as a new life finds them as an earlier one left them. */
export function applyFlags(state: ConnectorState, self: ConnectorSelf): void {
  for (const name of FLAG_NAMES) carryOut(self, name, state.flags[name]);
}

/** Switches one; an unknown name changes nothing. */
export function setFlag(state: ConnectorState, self: ConnectorSelf, name: string, isOn: boolean): void {
  if (!isFlagName(name)) {
    self.log('error', 'flag-unknown', { name });
    return;
  }
  if (state.flags[name] !== isOn) self.log('info', 'flag-set', { venue: state.args.venue, name, isOn });
  state.flags = { ...state.flags, [name]: isOn };
  carryOut(self, name, isOn);
}

/** By flag: what is wanted, and how often it went wrong by itself and something simpler took its place. */
export type FlagsPicture = Readonly<Record<FlagName, { readonly isOn: boolean; readonly fellBack: number }>>;

/** As of the last tick. */
export function flagsPicture({ flags, doors }: ConnectorState): FlagsPicture {
  const fellBack = (name: FlagName): number => {
    if (doors === undefined) return 0;
    if (name === 'burst-pool') return doors.health.fallbacks;
    if (name === 'cpu-pool') return doors.cpuFallbacks;
    const source = READ_SOURCES.find((candidate) => name === `cache-${candidate}`);
    return source === undefined ? 0 : doors.reads[source].fallbacks;
  };
  const picture = {} as Record<FlagName, { isOn: boolean; fellBack: number }>;
  for (const name of FLAG_NAMES) picture[name] = { isOn: flags[name], fellBack: fellBack(name) };
  return picture;
}

function carryOut({ ports: { http, cpu } }: ConnectorSelf, name: FlagName, isOn: boolean): void {
  switch (name) {
    case 'cache-metadata':
      http.share('metadata', isOn);
      return;
    case 'cache-balances':
      http.share('balances', isOn);
      return;
    case 'cache-positions':
      http.share('positions', isOn);
      return;
    case 'cache-tickers':
      http.share('tickers', isOn);
      return;
    case 'cpu-pool':
      cpu.usePool(isOn);
      return;
    case 'burst-pool':
      http.setBurst(isOn);
      return;
    case 'premium-profile':
      http.setProfile(isOn ? 'premium' : 'standard');
      return;
    case 'adaptive-concurrency':
    case 'coalescing':
      // Looked up where they are used.
      return;
  }
}
