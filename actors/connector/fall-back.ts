/**
 * Optimisations that went wrong by themselves: what is simpler takes their place for a while, then they are tried again. Caches, the
 * CPU pool and bursts do so behind their doors; the others here. Connector thread.
 */
import type { FlagName } from '../../src/venues/flags.ts';
import type { ConnectorSelf, ConnectorState } from './state.ts';

/** An optimisation that went wrong rests for so long, monotonic ms. */
export const FALL_BACK_MS = 60_000;

export interface FallBack {
  /** Times it went wrong in this life. */
  readonly count: number;
  /** Monotonic ms; undefined once it is tried again. */
  readonly restsUntilMs: number | undefined;
}

/** Returns whether an optimisation is wanted and does not rest. */
export function isInForce({ flags, fallBacks }: ConnectorState, name: FlagName): boolean {
  return flags[name] && fallBacks.get(name)?.restsUntilMs === undefined;
}

/** An optimisation went wrong: it rests. Nothing happens where it is off or rests already. */
export function fallBack(state: ConnectorState, self: ConnectorSelf, name: FlagName, reason: string): void {
  if (!isInForce(state, name)) return;
  const { venue, account } = state.args;
  const count = (state.fallBacks.get(name)?.count ?? 0) + 1;
  state.fallBacks.set(name, { count, restsUntilMs: self.monotonicMs() + FALL_BACK_MS });
  if (name === 'premium-profile') self.ports.http.setProfile('standard');
  self.count(`flag-fell-back:${name}`);
  self.log('warn', 'flag-fell-back', { venue, account, name, reason, ms: FALL_BACK_MS });
}

/** Tries again what has rested for long enough. Called every tick. */
export function endFallBacks(state: ConnectorState, self: ConnectorSelf): void {
  for (const [name, { restsUntilMs }] of state.fallBacks)
    if (restsUntilMs !== undefined && self.monotonicMs() >= restsUntilMs) endFallBack(state, self, name);
}

/** Ends a rest: it is over, or somebody has just switched the flag and knows better. */
export function endFallBack(state: ConnectorState, self: ConnectorSelf, name: FlagName): void {
  const known = state.fallBacks.get(name);
  if (known?.restsUntilMs === undefined) return;
  state.fallBacks.set(name, { count: known.count, restsUntilMs: undefined });
  if (name === 'premium-profile' && state.flags[name]) self.ports.http.setProfile('premium');
}
