/** Everything that watches a running engine and takes no part in it: metrics and what is made of them. Main thread. */
import type { GuardMessage } from '../../../actors/guard-messages.ts';
import type { TandemConfig } from '../../../config/schema.ts';
import type { ObservationView } from '../../control/metrics-requests.ts';
import { Collector } from '../../observe/live/collector.ts';
import type { Log } from '../../observe/live/log.ts';
import { MetricStream } from '../../observe/live/stream.ts';
import { startAlerting } from './alerting.ts';
import type { AlertSecrets } from './alerting.ts';
import type { Engine } from './engine.ts';

export interface ObservationOptions {
  readonly engine: Engine;
  readonly config: TandemConfig;
  readonly secrets: AlertSecrets;
  /** Gives a command to the guard, as every person's does. */
  readonly tellGuard: (message: GuardMessage) => void;
  readonly log: Log;
}

export interface Observation extends ObservationView {
  readonly metrics: Collector;
  readonly stream: MetricStream;
  close(): void;
}

/** Begins to look at the engine. */
export function startObservation({ engine, config, secrets, tellGuard, log }: ObservationOptions): Observation {
  const { system } = engine;
  const metrics = new Collector({
    readMetrics: () => system.readMetrics(),
    snapshot: () => system.snapshot(),
    summary: () => engine.summary(),
    // Real time, also where the engine's calendar runs faster: whoever watches does not.
    nowMs: () => Date.now(),
    log: (level, event, fields) => log.event(level, event, fields),
  });
  const stream = new MetricStream();
  metrics.addSource(() => stream.series());
  metrics.onLook(({ points }) => stream.publish(points));
  const alerting = startAlerting({
    config: config.alerts,
    secrets,
    collector: metrics,
    publish: (points) => stream.publish(points),
    metrics: system.metrics,
    summary: () => engine.summary(),
    tellGuard,
    log: (level, event, fields) => log.event(level, event, fields),
  });
  metrics.start();
  return {
    metrics,
    stream,
    rollups: () => Promise.resolve([]),
    alerts: () => alerting.view(),
    close() {
      metrics.stop();
      alerting.close();
      stream.close();
    },
  };
}
