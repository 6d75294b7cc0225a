/** The metrics operators were promised, and how a scrape is looked through for them. Tests only. */

/** Every metric that operators were promised: our name, its labels, and its name for Prometheus where that is another. */
const METRICS: readonly (readonly [name: string, labels: readonly string[], prometheusName?: string])[] = [
  ['order_placement_latency', ['venue']],
  ['market_data_refresh_duration', []],
  ['exit_eval_duration', []],
  ['api_call_latency', ['venue', 'endpoint']],
  ['websocket_message_rate', ['venue', 'channel', 'direction']],
  ['database_query_duration', ['query']],
  ['opportunity_scan_duration', []],
  ['eval_total', [], 'eval_cycle'],
  ['eval_health', []],
  ['eval_risk', []],
  ['eval_strategy', []],
  ['eval_intent', []],
  ['rate_limit_used_ratio', ['venue', 'bucket']],
  ['rest_weight_per_s', ['venue'], 'rest_weight_rate'],
  ['ws_batch_messages', []],
  ['cache_hits_total', ['cache']],
  ['event_loop_delay_ms', ['thread'], 'event_loop_delay_seconds'],
  ['system_heap_used_mb', [], 'system_heap_used_bytes'],
  ['system_rss_mb', [], 'system_rss_bytes'],
  ['exposure_quote', []],
  ['unhedged_time', []],
  ['mark_divergence_ratio', []],
  ['actor_restarts_total', ['actor']],
  ['dead_letters_total', ['reason']],
  ['messages_dropped_total', ['class']],
];

/** Returns which of the metrics have no value with all their labels in this scrape; of a distribution nothing counted is none. */
export function withoutValue(text: string, names: 'own' | 'prometheus'): readonly string[] {
  const samples = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  const isValue = (name: string, labels: readonly string[]): boolean =>
    samples.some((line) => {
      const [, metric = '', set = '', value = ''] = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
      if (!labels.every((label) => new RegExp(`(?:^|,)${label}="[^"]+"`).test(set))) return false;
      return metric === name ? Number.isFinite(Number(value)) : metric === `${name}_count` && Number(value) > 0;
    });
  return METRICS.map(([own, labels, other]) => [names === 'own' ? own : (other ?? own), labels] as const)
    .filter(([name, labels]) => !isValue(name, labels))
    .map(([name]) => name);
}
