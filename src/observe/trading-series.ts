/** The observer's picture of trading as series: what venues, engine, books and pairs amount to now. Pure. */
import type { TradingSummary } from '../../actors/observer.ts';
import type { MetricLabels } from '../runtime/metrics.ts';
import type { ScalarSeries } from './series.ts';

const MICRO = 1e6;
const STATUSES = ['connecting', 'reconciling', 'ready', 'degraded', 'down'] as const;
const STATES = ['STOPPED', 'ARMED', 'TRADING', 'REDUCE_ONLY', 'HALTED'] as const;

export function tradingSeries(summary: TradingSummary): readonly ScalarSeries[] {
  const { engine, venues, pairs, totals, identities } = summary;
  return [
    ...venues.flatMap(venueSeries),
    ...STATES.map((state) => gauge('engine_state', Number((engine?.state ?? 'STOPPED') === state), { state })),
    ...pairs.flatMap(divergenceSeries),
    gauge('open_pairs', totals.openPairs),
    gauge('net_result_quote', Number(totals.netMicro) / MICRO),
    gauge('net_funding_quote', Number(totals.fundingMicro) / MICRO),
    gauge('equity_quote', Number(venues.reduce((sum, { walletMicro = 0n }) => sum + walletMicro, 0n)) / MICRO),
    gauge('identities_broken', identities?.broken.filter(({ isAcknowledged }) => !isAcknowledged).length ?? 0),
  ];
}

function venueSeries({
  venue,
  account,
  status,
  clockOffsetMs,
}: TradingSummary['venues'][number]): readonly ScalarSeries[] {
  const labels = { venue, account };
  return [
    ...STATUSES.map((one) => gauge('venue_status', Number(status === one), { ...labels, status: one })),
    gauge('venue_stale', Number(status !== 'ready'), labels),
    gauge('clock_offset_ms', clockOffsetMs, labels),
  ];
}

/** Of symbols that have had a pair: 0 is news once there was something else. */
function divergenceSeries({
  base,
  long,
  markDivergenceRatio = 0,
}: TradingSummary['pairs'][number]): readonly ScalarSeries[] {
  return long === undefined ? [] : [gauge('mark_divergence_ratio', markDivergenceRatio, { base })];
}

function gauge(name: string, value: number, labels: MetricLabels = {}): ScalarSeries {
  return { kind: 'gauge', name, labels, value };
}
