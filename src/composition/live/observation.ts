/** Everything that watches a running engine and takes no part in it: metrics and what is made of them. Main thread. */
import type { GuardMessage } from '../../../actors/guard-messages.ts';
import type { TandemConfig } from '../../../config/schema.ts';
import type { ObservationView } from '../../control/metrics-requests.ts';
import { Collector } from '../../observe/live/collector.ts';
import type { Log } from '../../observe/live/log.ts';
import { PERIODS_MS } from '../../observe/live/rollup-store.ts';
import { RollupThread } from '../../observe/live/rollup-thread.ts';
import { MetricStream } from '../../observe/live/stream.ts';
import { RollupBuilder } from '../../observe/rollups.ts';
import { startAlerting } from './alerting.ts';
import type { Alerting, AlertSecrets } from './alerting.ts';
import type { Engine } from './engine.ts';

const HOUR_MS = 3_600_000;
const BASELINE_HOURS = 24;

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
  /** Settles when what is kept is on disk. */
  close(): Promise<void>;
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
  const kept = new RollupThread({
    directory: engine.dataDirectory,
    retentionDays: config.metrics.retentionDays,
    nowMs: () => Date.now(),
    log: (level, event, fields) => log.event(level, event, fields),
  });
  const builders = PERIODS_MS.map((periodMs) => new RollupBuilder(periodMs));
  metrics.onLook(({ atMs, table }) => {
    const rows = builders.flatMap((builder) => builder.add(atMs, table));
    if (rows.length > 0) void kept.write(rows);
  });
  void rememberUsual(alerting, config, kept);
  metrics.start();
  return {
    metrics,
    stream,
    rollups: async (name, labels, hours) => {
      const rows = await kept.read({ name, fromMs: Date.now() - hours * HOUR_MS });
      return rows.filter((row) => Object.entries(labels).every(([label, value]) => row.labels[label] === value));
    },
    alerts: () => alerting.view(),
    async close() {
      metrics.stop();
      alerting.close();
      stream.close();
      await kept.close();
    },
  };
}

/** What was usual in the last 24 hours of earlier lives, for rules that compare with it. */
async function rememberUsual(alerting: Alerting, config: TandemConfig, kept: RollupThread): Promise<void> {
  const rules = Object.values(config.alerts.rules).filter(({ enabled, ofBaseline }) => enabled && ofBaseline);
  for (const name of new Set(rules.map(({ metric }) => metric))) {
    const rows = await kept.read({ name, fromMs: Date.now() - BASELINE_HOURS * HOUR_MS });
    // An hour counts where its minutes are gone.
    for (const { labels, atMs, count, sum } of rows) alerting.engine.remember(name, labels, { atMs, count, sum });
  }
}
