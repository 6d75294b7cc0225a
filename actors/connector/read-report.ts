/** Tells once a minute how many reads were spared, for people and dashboards. Connector thread. */
import { hitRate, READ_SOURCES } from '../../src/venues/read-sources.ts';
import type { ConnectorSelf, ConnectorState } from './state.ts';

const TOLD_MS = 60_000;

/** Called every tick. The shared reads are the thread's: every connector on it tells the same. */
export function reportReads(state: ConnectorState, self: ConnectorSelf): void {
  const { http, cpu } = self.ports;
  const statistics = http.statistics();
  state.doors = { reads: statistics, health: http.health(), cpuFallbacks: cpu.fallbacks() };
  const now = self.monotonicMs();
  if (now - state.readsToldAtMs < TOLD_MS) return;
  state.readsToldAtMs = now;
  const { venue, account } = state.args;
  self.log('info', 'cache.hit_rate', {
    venue,
    account,
    rate: round(hitRate(statistics)),
    ...Object.fromEntries(
      READ_SOURCES.map((source) => {
        const { hits, shared, misses } = statistics[source];
        return [source, { hits, shared, misses }];
      }),
    ),
  });
}

/** A comparison is over: what all who waited for it would have asked one by one, and what was asked. */
export function reportCycle(
  state: ConnectorState,
  self: ConnectorSelf,
  cycle: {
    readonly watchers: number;
    readonly groups: number;
    readonly calls: number;
    readonly ms: number;
    readonly ok: boolean;
  },
): void {
  const { venue, account } = state.args;
  const { watchers, groups, calls, ms, ok } = cycle;
  // Each watcher needs every question of a comparison: without grouping it would ask them itself.
  const wanted = Math.max(1, watchers) * CALLS_PER_WATCHER;
  self.log('debug', 'monitors.cycle', { venue, account, watchers, groups, calls, ms: Math.round(ms), ok });
  if (watchers === 0) return;
  self.log('debug', 'api.batching', { venue, account, wanted, calls, spared: round(1 - Math.min(1, calls / wanted)) });
}

/** Positions, balance, open orders, fills, funding payments. */
const CALLS_PER_WATCHER = 5;

function round(share: number): number {
  return Math.round(share * 1e4) / 1e4;
}
