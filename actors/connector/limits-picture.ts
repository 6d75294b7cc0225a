/** What is used of every limit of one account, what its circuits hold back and what caches spare, for `tandem limits`. Connector thread. */
import type { ReadStatistics } from '../../src/ports/ports.ts';
import type { LimitView } from '../../src/venues/rate-limiter.ts';
import { circuitViews } from './circuits.ts';
import type { CircuitView } from './circuits.ts';
import { limitersOf } from './state.ts';
import type { ConnectorState } from './state.ts';

export interface LimitsPicture {
  /** Share of every limit used by choice at this step of the ramp, and calendar ms of that step; absent where there is no ramp. */
  readonly ramp?: { readonly share: number; readonly sinceMs: number };
  readonly limits: readonly LimitView[];
  /** Sockets that are open or opening, and how many the venue allows this account. */
  readonly connections: { readonly open: number; readonly max?: number };
  readonly circuits: readonly CircuitView[];
  /** What is kept of answers, by source; empty before the doors were first looked at. */
  readonly caches: Readonly<Record<string, ReadStatistics>>;
}

/** As of the last tick, half a second ago at most. */
export function limitsPicture(state: ConnectorState): LimitsPicture {
  const { usage, args, adapter } = state;
  const { connectionsMax } = adapter.limits;
  const open = [...state.sockets.values()].filter(({ status }) => status !== 'waiting').length;
  return {
    ...(args.usageRamp === undefined ? {} : { ramp: { share: usage.share, sinceMs: usage.sinceMs } }),
    limits: limitersOf(state).map((limiter) => limiter.view(state.lastTickAt.monotonicMs)),
    connections: { open, ...(connectionsMax === undefined ? {} : { max: connectionsMax }) },
    caches: state.doors?.reads ?? {},
    circuits: circuitViews(state.circuits, state.lastTickAt.monotonicMs),
  };
}
