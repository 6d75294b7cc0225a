/** The optimisations of how venues are reached that can be switched while the engine runs, by the names that people use. Any thread. */

export const FLAG_NAMES = [
  'cache-metadata',
  'cache-balances',
  'cache-positions',
  'cache-tickers',
  'adaptive-concurrency',
  'cpu-pool',
  'coalescing',
  'burst-pool',
  'premium-profile',
] as const;
export type FlagName = (typeof FLAG_NAMES)[number];
export type Flags = Readonly<Record<FlagName, boolean>>;

/** All of them but larger pools, which cost connections at the venue. */
export const DEFAULT_FLAGS: Flags = {
  'cache-metadata': true,
  'cache-balances': true,
  'cache-positions': true,
  'cache-tickers': true,
  'adaptive-concurrency': true,
  'cpu-pool': true,
  coalescing: true,
  'burst-pool': true,
  'premium-profile': false,
};

export function isFlagName(name: string): name is FlagName {
  return (FLAG_NAMES as readonly string[]).includes(name);
}
