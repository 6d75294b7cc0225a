/** The addresses of every venue; light enough for the main thread. */
import { bybitHosts } from './bybit/hosts.ts';
import { coinbaseHosts } from './coinbase/hosts.ts';
import { extendedHosts } from './extended/hosts.ts';
import { hyperliquidHosts } from './hyperliquid/hosts.ts';
import { lighterHosts } from './lighter/hosts.ts';

export interface VenueHosts {
  /** What a connector's settings take by default in live mode. */
  readonly restUrl: string;
  readonly streamUrl: string;
  /** The paths a simulated venue serves under its origin in place of the above. */
  readonly restPath: string;
  readonly streamPath: string;
  /** What tells the adapter which of the venue's limits hold for the account, by profile. */
  readonly profileOptions: Readonly<Record<LimitProfileName, Readonly<Record<string, string>>>>;
  /** Kinds of accounts that trade different markets, the usual one first; absent where all are of one kind. An option of that name tells. */
  readonly accountTypes?: readonly string[];
  /** What a live account must be told, in the order a person is asked. */
  readonly account: readonly AccountField[];
}

/** One value of a live account: an option stands in the configuration, a secret in the key file. */
export interface AccountField {
  readonly name: string;
  readonly kind: 'option' | 'secret';
  /** Where a person finds it. */
  readonly about: string;
}

/** `standard`: what any account gets. `premium`, `plus`: the venue's own higher tiers; its highest where it has fewer. */
export type LimitProfileName = 'standard' | 'premium' | 'plus';

const hosts: ReadonlyMap<string, VenueHosts> = new Map([
  ['lighter', lighterHosts],
  ['extended', extendedHosts],
  ['bybit', bybitHosts],
  ['hyperliquid', hyperliquidHosts],
  ['coinbase', coinbaseHosts],
]);

/** Options that tell the adapter of which kind an account is; none for the usual kind. */
export function accountTypeOptions(accountType: string | undefined): Readonly<Record<string, string>> {
  return accountType === undefined ? {} : { accountType };
}

/** Throws RangeError on an unknown venue. */
export function hostsOf(venue: string): VenueHosts {
  const found = hosts.get(venue);
  if (found === undefined) throw new RangeError(`venue must be one of ${[...hosts.keys()].join(', ')}, was ${venue}`);
  return found;
}
