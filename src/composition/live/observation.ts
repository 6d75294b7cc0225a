/** Everything that watches a running engine and takes no part in it: metrics and what is made of them. Main thread. */
import { Collector } from '../../observe/live/collector.ts';
import type { Log } from '../../observe/live/log.ts';
import type { Engine } from './engine.ts';

export interface ObservationOptions {
  readonly engine: Engine;
  readonly log: Log;
}

export interface Observation {
  readonly metrics: Collector;
  close(): void;
}

/** Begins to look at the engine. */
export function startObservation({ engine, log }: ObservationOptions): Observation {
  const { system } = engine;
  const metrics = new Collector({
    readMetrics: () => system.readMetrics(),
    snapshot: () => system.snapshot(),
    summary: () => engine.summary(),
    // Real time, also where the engine's calendar runs faster: whoever watches does not.
    nowMs: () => Date.now(),
    log: (level, event, fields) => log.event(level, event, fields),
  });
  metrics.start();
  return { metrics, close: () => metrics.stop() };
}
