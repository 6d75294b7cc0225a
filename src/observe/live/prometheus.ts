/** All series in the text Prometheus reads, by way of prom-client's registry, filled when it asks. Main thread only. */
import { Registry } from 'prom-client';
import type { Metric } from 'prom-client';
import { bucketUpperEdge } from '../../runtime/value-buckets.ts';
import { allDefinitions, definitionOf } from '../catalogue.ts';
import type { MetricDefinition, MetricUnit } from '../catalogue.ts';
import type { DistributionSeries, Series } from '../series.ts';

export const PROMETHEUS_CONTENT_TYPE = Registry.PROMETHEUS_CONTENT_TYPE;

/** Upper bounds of the histograms Prometheus gets, in the unit they are recorded in. */
const BOUNDS_MS = [
  0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 60_000,
];
const BOUNDS_COUNT = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000];

/** What one of our units is in Prometheus' base unit, and how that is called. */
const BASE_UNITS: Readonly<Record<MetricUnit, { readonly factor: number; readonly word: string }>> = {
  ms: { factor: 1 / 1_000, word: 'seconds' },
  mb: { factor: 1_048_576, word: 'bytes' },
  quote: { factor: 1, word: 'quote currency' },
  ratio: { factor: 1, word: '0 to 1' },
  'per-s': { factor: 1, word: 'per second' },
  count: { factor: 1, word: 'a count' },
  state: { factor: 1, word: '0 or 1' },
};

interface Sample {
  readonly metricName?: string;
  readonly value: number;
  readonly labels: Readonly<Record<string, string>>;
}

/**
 * Returns the exposition. `names`: `prometheus` for names as its own rules want them, `own` for ours exactly; values are in base
 * units (seconds, bytes) either way, except under our own names that say another unit themselves.
 */
export async function exposition(
  series: Iterable<Series>,
  names: 'prometheus' | 'own' = 'prometheus',
): Promise<string> {
  const byName = new Map<string, Series[]>();
  for (const one of series) {
    const known = byName.get(one.name);
    if (known === undefined) byName.set(one.name, [one]);
    else known.push(one);
  }
  const registry = new Registry();
  const defined = allDefinitions().map(({ name }) => name);
  for (const name of new Set([...defined, ...byName.keys()])) {
    const members = byName.get(name) ?? [];
    const definition = definitionOf(name) ?? strangerOf(name, members);
    // What nobody has recorded yet has nothing to say.
    if (definition !== undefined && members.length > 0) registry.registerMetric(familyOf(definition, members, names));
  }
  return await registry.metrics();
}

/** A metric that is not in the catalogue is shown as it was recorded. */
function strangerOf(name: string, [first]: readonly Series[]): MetricDefinition | undefined {
  return first === undefined ? undefined : { name, kind: first.kind, unit: 'count', help: `${name}, as recorded` };
}

function familyOf(definition: MetricDefinition, members: readonly Series[], names: 'prometheus' | 'own'): Metric {
  const { kind, unit, help, prometheusName } = definition;
  const name = names === 'own' ? definition.name : (prometheusName ?? definition.name);
  const saysItsUnit = names === 'own' && /_(?:ms|mb)$/.test(name);
  const { factor, word } = saysItsUnit ? { factor: 1, word: unit } : BASE_UNITS[unit];
  const was = prometheusName === undefined || names === 'own' ? '' : ` (${definition.name} elsewhere)`;
  const values = members
    .filter((member) => member.kind === kind)
    .flatMap((member): readonly Sample[] =>
      member.kind === 'distribution'
        ? histogramOf(name, member, unit === 'ms' ? BOUNDS_MS : BOUNDS_COUNT, factor)
        : [{ value: member.value * factor, labels: member.labels }],
    );
  const type = kind === 'distribution' ? 'histogram' : kind;
  const family = { name, help: `${help}${was}, ${word}`, type, values, aggregator: 'sum' };
  // All the registry asks of a metric; its own classes can only count by themselves.
  return { ...family, get: () => Promise.resolve(family), reset: () => undefined } as unknown as Metric;
}

function histogramOf(
  name: string,
  { labels, count, sum, buckets }: DistributionSeries,
  bounds: readonly number[],
  factor: number,
): readonly Sample[] {
  const samples: Sample[] = [];
  let bucket = 0;
  let below = 0;
  for (const bound of bounds) {
    while (bucket < buckets.length && bucketUpperEdge(bucket) <= bound * (1 + EDGE_TOLERANCE))
      below += buckets[bucket++] ?? 0;
    samples.push({
      metricName: `${name}_bucket`,
      value: below,
      labels: { ...labels, le: String(round(bound * factor)) },
    });
  }
  samples.push({ metricName: `${name}_bucket`, value: count, labels: { ...labels, le: '+Inf' } });
  samples.push({ metricName: `${name}_sum`, value: sum * factor, labels });
  samples.push({ metricName: `${name}_count`, value: count, labels });
  return samples;
}

/** The bucket a bound lies in counts as below it: values are told apart to 1/32, and one exactly at the bound belongs there. */
const EDGE_TOLERANCE = 1 / 31;

function round(value: number): number {
  return Number(value.toPrecision(6));
}
