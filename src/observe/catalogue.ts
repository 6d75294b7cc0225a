/** Every metric of the engine: what it means, in which unit it is recorded, and under which name Prometheus gets it. Pure data. */

export type MetricUnit = 'ms' | 'mb' | 'quote' | 'ratio' | 'per-s' | 'count' | 'state';

export interface MetricDefinition {
  readonly name: string;
  readonly kind: 'counter' | 'gauge' | 'distribution';
  readonly unit: MetricUnit;
  readonly help: string;
  /**
   * Its name for Prometheus where its own one breaks what Prometheus asks of names: units written out and in base units,
   * `_total` for counters only. Absent where it is the same.
   */
  readonly prometheusName?: string;
}

const DEFINITIONS: readonly MetricDefinition[] = [
  // Orders and decisions.
  duration('order_placement_latency', 'from the command to place an order to the first answer of its venue'),
  duration('market_data_refresh_duration', 'from reading a frame off its socket to everything that follows being told'),
  duration('exit_eval_duration', 'one evaluation of the exit rules of an open pair'),
  duration('opportunity_scan_duration', 'one cycle over all candidates for entry'),
  { ...duration('eval_total', 'one evaluation cycle, whole'), prometheusName: 'eval_cycle' },
  duration('eval_health', 'of an evaluation cycle: bringing every leg up to date'),
  duration('eval_risk', 'of an evaluation cycle: what all pairs may amount to at worst'),
  duration('eval_strategy', 'of an evaluation cycle: choosing and judging candidates'),
  duration('eval_intent', 'of an evaluation cycle: handing over the plan and telling what was seen'),

  // The doors to the outside.
  duration('api_call_latency', 'one HTTP call to a venue, whatever came of it'),
  counter('api_errors_total', 'HTTP calls to venues that failed or were refused, by status or transport failure'),
  counter('websocket_messages_total', 'text frames over WebSockets'),
  gauge('websocket_message_rate', 'per-s', 'text frames over WebSockets per second', 'websocket_message_rate'),
  {
    name: 'ws_batch_messages',
    kind: 'distribution',
    unit: 'count',
    help: 'frames that went into one telling of order books',
  },
  gauge('rate_limit_used_ratio', 'ratio', 'part of a limit of the venue that is used, 0 to 1'),
  gauge(
    'stream_incomplete',
    'count',
    'streams of a venue that are missing: its private one, and trusted books of symbols',
  ),
  gauge('rest_weight_per_s', 'per-s', 'REST weight used per second, over the window of the limit', 'rest_weight_rate'),
  duration('database_query_duration', 'one read or one commit of the journal'),
  counter('cache_hits_total', 'questions a cache answered'),
  counter('cache_misses_total', 'questions a cache had to ask on'),

  // Risk.
  gauge('exposure_quote', 'quote', 'notional of the larger leg of a pair, at its worst'),
  gauge('unhedged_quote', 'quote', 'notional of a pair that stands alone now'),
  gauge('unhedged_time', 'ms', 'how long something of a pair has stood alone without a pause'),
  gauge(
    'mark_divergence_ratio',
    'ratio',
    "how far the marks of a pair's legs are apart, as part of what entries allow",
  ),
  gauge('daily_loss_ratio', 'ratio', 'loss of this day as part of the limit'),
  gauge('venue_status', 'state', '1 for the status a venue account has now'),
  gauge('venue_stale', 'state', '1 while a venue account cannot be acted on'),
  gauge('clock_offset_ms', 'ms', "the venue's clock against ours", 'clock_offset_seconds'),
  gauge('identities_broken', 'count', 'rules of the books that do not hold'),
  gauge('engine_state', 'state', '1 for the state the engine is in'),
  gauge('equity_quote', 'quote', 'wallets of all accounts together'),
  gauge('net_result_quote', 'quote', 'result of all pairs, closed and open, as of now'),
  gauge('net_funding_quote', 'quote', 'funding booked of all pairs'),
  gauge('open_pairs', 'count', 'pairs open now'),

  // The runtime.
  gauge('event_loop_delay_ms', 'ms', 'event-loop delay of a thread, p99 since its start', 'event_loop_delay_seconds'),
  gauge('system_heap_used_mb', 'mb', 'heap in use, all threads', 'system_heap_used_bytes'),
  gauge('system_rss_mb', 'mb', 'resident memory of the process', 'system_rss_bytes'),
  counter('actor_restarts_total', 'lives of an actor beyond its first'),
  counter(
    'actor_events_total',
    'what actors count, by kind of actor: refused entries, denied orders, bad values and the rest',
  ),
  gauge('restart_intensity_ratio', 'ratio', 'restarts in the period against those allowed, by supervisor'),
  counter('dead_letters_total', 'messages nobody took, by reason'),
  counter('messages_dropped_total', 'messages overwritten, pushed out or refused, by delivery class'),
  gauge('mailbox_depth', 'count', 'messages waiting in mailboxes, by thread'),
  gauge('mailbox_oldest_age', 'ms', 'age of the oldest message waiting, by thread'),
  gauge('lane_used_ratio', 'ratio', 'bytes unread in a lane between two threads, as part of it'),
  counter('lost_wake_ups_total', 'wake-ups that should have come and did not, by thread'),
  counter('log_records_dropped_total', 'log records for which there was no room, by thread'),
  gauge('actors_running', 'count', 'actors that are running'),

  // This very part.
  counter('metric_series_refused_total', 'series for which a thread had no place'),
  counter('stream_points_dropped_total', 'points a slow client of the stream did not get'),
  gauge('stream_clients', 'count', 'clients of the stream'),
  counter('alerts_total', 'alerts raised, by rule and severity'),
  gauge('alerts_active', 'count', 'alerts that are not resolved'),
  counter('notices_total', 'notices to sinks, by what became of them'),
];

const BY_NAME: ReadonlyMap<string, MetricDefinition> = new Map(DEFINITIONS.map((one) => [one.name, one]));

/** Returns what is known of a metric; undefined for one that nobody defined. */
export function definitionOf(name: string): MetricDefinition | undefined {
  return BY_NAME.get(name);
}

export function allDefinitions(): readonly MetricDefinition[] {
  return DEFINITIONS;
}

function duration(name: string, help: string): MetricDefinition {
  return { name, kind: 'distribution', unit: 'ms', help };
}

function counter(name: string, help: string): MetricDefinition {
  return { name, kind: 'counter', unit: 'count', help };
}

function gauge(name: string, unit: MetricUnit, help: string, prometheusName?: string): MetricDefinition {
  return { name, kind: 'gauge', unit, help, ...(prometheusName === undefined ? {} : { prometheusName }) };
}
