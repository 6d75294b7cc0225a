/** What an alert rule is, and the rules that are there without anybody writing them. Pure data. */
import type { MetricLabels } from '../runtime/metrics.ts';

export const SEVERITIES = ['info', 'warning', 'critical'] as const;
export type Severity = (typeof SEVERITIES)[number];

export const COMPARISONS = ['>', '>=', '<', '<='] as const;
/** Of a distribution: of the values since the last look (once a second), `minute` their mean over the last minute. */
export const STATISTICS = ['value', 'mean', 'p50', 'p99', 'max', 'minute'] as const;

export interface AlertRule {
  readonly enabled: boolean;
  readonly metric: string;
  /** Only series with these labels; empty for all. Each series is an alert of its own. */
  readonly labels: MetricLabels;
  /** `value` for counters and gauges. */
  readonly statistic: (typeof STATISTICS)[number];
  readonly comparison: (typeof COMPARISONS)[number];
  readonly threshold: number;
  /** The threshold is a multiple of the series' own mean over the last 24 hours. */
  readonly ofBaseline: boolean;
  /** The comparison must hold this long, real ms. */
  readonly forMs: number;
  readonly severity: Severity;
  /** Least time between two notices that the same alert was raised, real ms. */
  readonly cooldownMs: number;
  /** What it means, for whoever reads the notice. */
  readonly text: string;
}

type Given = Pick<AlertRule, 'metric' | 'comparison' | 'threshold' | 'severity' | 'text'> & Partial<AlertRule>;

const USUAL = {
  enabled: true,
  labels: {},
  statistic: 'value',
  ofBaseline: false,
  forMs: 0,
  cooldownMs: 300_000,
} as const;

function rule(given: Given): AlertRule {
  return { ...USUAL, ...given };
}

/** By name; `config/default.yaml` says the same and can be read by users. */
export const BUILT_IN_RULES: Readonly<Record<string, AlertRule>> = {
  'rest-limit': rule({
    metric: 'rate_limit_used_ratio',
    labels: { bucket: 'rest' },
    comparison: '>',
    threshold: 0.8,
    severity: 'warning',
    text: 'the REST limit of a venue is nearly used up',
  }),
  'ws-limit': rule({
    metric: 'rate_limit_used_ratio',
    labels: { bucket: 'ws' },
    comparison: '>',
    threshold: 0.9,
    severity: 'critical',
    text: 'the message limit of a venue is nearly used up',
  }),
  'order-latency': rule({
    metric: 'order_placement_latency',
    statistic: 'p99',
    comparison: '>',
    threshold: 500,
    severity: 'warning',
    text: 'a venue takes long to answer orders',
  }),
  'order-latency-baseline': rule({
    metric: 'order_placement_latency',
    statistic: 'minute',
    comparison: '>',
    threshold: 2,
    ofBaseline: true,
    severity: 'warning',
    text: 'orders take more than twice as long as over the last 24 hours',
  }),
  'api-latency': rule({
    metric: 'api_call_latency',
    statistic: 'minute',
    comparison: '>',
    threshold: 500,
    // One slow call is in the mean for a minute: this asks for more than one.
    forMs: 60_000,
    severity: 'warning',
    text: 'calls to a venue take long',
  }),
  'api-latency-baseline': rule({
    metric: 'api_call_latency',
    statistic: 'minute',
    comparison: '>',
    threshold: 2,
    ofBaseline: true,
    forMs: 60_000,
    severity: 'info',
    text: 'calls to a venue take more than twice as long as over the last 24 hours',
  }),
  heap: rule({
    metric: 'system_heap_used_mb',
    comparison: '>',
    threshold: 400,
    forMs: 10_000,
    severity: 'warning',
    text: 'the heaps of all threads together grow',
  }),
  'venue-stale': rule({
    metric: 'venue_stale',
    comparison: '>=',
    threshold: 1,
    forMs: 10_000,
    severity: 'critical',
    text: 'a venue cannot be acted on',
  }),
  'stream-incomplete': rule({
    metric: 'stream_incomplete',
    comparison: '>',
    threshold: 0,
    forMs: 10_000,
    severity: 'warning',
    text: 'streams of a venue are missing: its private one, or trusted books of symbols',
  }),
  unhedged: rule({
    metric: 'unhedged_time',
    comparison: '>',
    threshold: 5_000,
    severity: 'critical',
    text: 'a leg stands alone for longer than allowed',
  }),
  'mark-divergence': rule({
    metric: 'mark_divergence_ratio',
    comparison: '>',
    threshold: 2,
    // A venue's mark that comes a moment later than the other's is not apart from it.
    forMs: 5_000,
    severity: 'warning',
    text: 'the marks of an open pair are more than twice as far apart as an entry allows',
  }),
  'restart-intensity': rule({
    metric: 'restart_intensity_ratio',
    comparison: '>=',
    threshold: 0.5,
    severity: 'warning',
    text: 'a supervisor has used half of the restarts it may make before it gives up',
  }),
  'invariant-breach': rule({
    metric: 'identities_broken',
    comparison: '>',
    threshold: 0,
    severity: 'critical',
    text: 'the books do not add up; the engine opens nothing until a person has looked',
  }),
  'daily-loss': rule({
    metric: 'daily_loss_ratio',
    comparison: '>=',
    threshold: 0.8,
    severity: 'critical',
    text: 'the loss of this day is near its limit, or past it',
  }),
};
