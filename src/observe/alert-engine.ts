/**
 * Decides from every look at the metrics which alerts are raised and which are over. Pure state, one owner.
 *
 *   quiet ──holds──▶ pending ──for long enough──▶ raised ──does not hold──▶ quiet
 *     ▲                 │                            notice unless in cooldown; when over, a notice if there was one
 *     └──does not hold──┘
 */
import type { MetricLabels } from '../runtime/metrics.ts';
import type { AlertRule, Severity } from './alert-rules.ts';
import { Baseline } from './baseline.ts';
import { quantile, seriesKey } from './series.ts';
import type { DistributionSeries, Series, SeriesTable } from './series.ts';

/** What is told of an alert. */
export interface Notice {
  readonly type: 'raised' | 'resolved';
  readonly rule: string;
  readonly severity: Severity;
  readonly metric: string;
  readonly labels: MetricLabels;
  /** At the time of the notice, in the unit of the metric; of a resolved one the last that was known. */
  readonly value: number;
  readonly comparison: AlertRule['comparison'];
  /** What the value was compared with: of a rule about a baseline the multiple of it. */
  readonly limit: number;
  readonly text: string;
  /** Epoch ms: of the notice, and since when the comparison holds. */
  readonly atMs: number;
  readonly sinceMs: number;
}

export type ActiveAlert = Omit<Notice, 'type'> & { readonly isTold: boolean };

/** One look: what is, and the values that came since the last one. */
export interface LookedAt {
  readonly atMs: number;
  readonly table: SeriesTable;
  readonly recent: readonly DistributionSeries[];
}

/** A series that is not seen any more, or of which nothing came, for this long is over. */
const UNSEEN_MS = 120_000;
const NOTICES_MAX = 200;

interface Watched {
  readonly rule: string;
  readonly metric: string;
  readonly labels: MetricLabels;
  sinceMs: number | undefined;
  isRaised: boolean;
  /** This raising was told. */
  isTold: boolean;
  toldAtMs: number;
  seenAtMs: number;
  value: number;
  limit: number;
}

export class AlertEngine {
  readonly #rules: readonly (readonly [string, AlertRule])[];
  readonly #watched = new Map<string, Watched>();
  readonly #baselines = new Map<string, Baseline>();
  readonly #measured: ReadonlySet<string>;
  #notices: readonly Notice[] = [];
  #suppressed = 0;

  constructor(rules: Readonly<Record<string, AlertRule>>) {
    this.#rules = Object.entries(rules).filter(([, { enabled }]) => enabled);
    this.#measured = new Set(
      this.#rules.filter(([, one]) => one.statistic === 'minute' || one.ofBaseline).map(([, { metric }]) => metric),
    );
  }

  /** Tells what was measured before this engine lived, for the baselines. Epoch ms. */
  remember(
    metric: string,
    labels: MetricLabels,
    taken: { readonly atMs: number; readonly count: number; readonly sum: number },
  ): void {
    if (this.#measured.has(metric)) this.#baselineOf(seriesKey(metric, labels)).add(taken.atMs, taken.count, taken.sum);
  }

  /** Takes one look and returns what is to be told. */
  look({ atMs, table, recent }: LookedAt): readonly Notice[] {
    const byName = new Map<string, Series[]>();
    for (const series of table.values()) {
      const known = byName.get(series.name);
      if (known === undefined) byName.set(series.name, [series]);
      else known.push(series);
    }
    const news = new Map(recent.map((series) => [seriesKey(series.name, series.labels), series]));
    for (const [key, { name, count, sum }] of news) {
      if (this.#measured.has(name)) this.#baselineOf(key).add(atMs, count, sum);
    }
    const notices = this.#rules.flatMap(([name, rule]) =>
      (byName.get(rule.metric) ?? [])
        .filter(({ labels }) => Object.entries(rule.labels).every(([label, value]) => labels[label] === value))
        .flatMap((series) => this.#judge(name, rule, series, news, atMs)),
    );
    const ended = this.#forgetUnseen(atMs);
    const told = [...notices, ...ended];
    this.#notices = [...this.#notices, ...told].slice(-NOTICES_MAX);
    return told;
  }

  active(): readonly ActiveAlert[] {
    return [...this.#watched.values()]
      .filter(({ isRaised }) => isRaised)
      .map((watched) => {
        const { type: _type, ...notice } = this.#notice('raised', watched, watched.seenAtMs);
        return { ...notice, isTold: watched.isTold };
      });
  }

  /** The latest notices, oldest first. */
  recent(): readonly Notice[] {
    return this.#notices;
  }

  /** Raisings that were not told because the last one was told too recently. */
  get suppressed(): number {
    return this.#suppressed;
  }

  #judge(
    name: string,
    rule: AlertRule,
    series: Series,
    news: ReadonlyMap<string, DistributionSeries>,
    atMs: number,
  ): readonly Notice[] {
    const key = seriesKey(series.name, series.labels);
    const measured = this.#measure(rule, series, key, news, atMs);
    // Nothing new says nothing: what held goes on to hold, for a while.
    if (measured === undefined) return [];
    const { value, limit } = measured;
    const id = `${name} ${key}`;
    let watched = this.#watched.get(id);
    if (!holds(value, rule.comparison, limit)) {
      if (watched === undefined) return [];
      return this.#end(id, { ...watched, value, limit }, rule, atMs);
    }
    if (watched === undefined) {
      const { metric } = rule;
      watched = {
        ...{ rule: name, metric, labels: series.labels, sinceMs: atMs, isRaised: false, isTold: false },
        ...{ toldAtMs: Number.NEGATIVE_INFINITY, seenAtMs: atMs, value, limit },
      };
      this.#watched.set(id, watched);
    }
    watched.sinceMs ??= atMs;
    Object.assign(watched, { seenAtMs: atMs, value, limit });
    if (atMs - watched.sinceMs < rule.forMs) return [];
    const wasRaised = watched.isRaised;
    watched.isRaised = true;
    if (watched.isTold) return [];
    if (atMs - watched.toldAtMs < rule.cooldownMs) {
      if (!wasRaised) this.#suppressed += 1;
      return [];
    }
    watched.isTold = true;
    watched.toldAtMs = atMs;
    return [this.#notice('raised', watched, atMs)];
  }

  /** What held does not any more. When it was told is remembered for the cooldown. */
  #end(id: string, watched: Watched, rule: AlertRule, atMs: number): readonly Notice[] {
    const notices = watched.isTold ? [this.#notice('resolved', watched, atMs)] : [];
    const isCooling = atMs - watched.toldAtMs < rule.cooldownMs;
    if (isCooling)
      this.#watched.set(id, { ...watched, sinceMs: undefined, isRaised: false, isTold: false, seenAtMs: atMs });
    else this.#watched.delete(id);
    return notices;
  }

  #forgetUnseen(atMs: number): readonly Notice[] {
    const notices: Notice[] = [];
    const rules = new Map(this.#rules);
    for (const [id, watched] of this.#watched) {
      const rule = rules.get(watched.rule);
      if (rule === undefined || atMs - watched.seenAtMs < UNSEEN_MS) continue;
      if (watched.sinceMs !== undefined) notices.push(...this.#end(id, watched, rule, atMs));
      else if (atMs - watched.toldAtMs >= rule.cooldownMs) this.#watched.delete(id);
    }
    return notices;
  }

  #measure(
    rule: AlertRule,
    series: Series,
    key: string,
    news: ReadonlyMap<string, DistributionSeries>,
    atMs: number,
  ): { readonly value: number; readonly limit: number } | undefined {
    const value = this.#valueOf(rule, series, key, news, atMs);
    if (value === undefined || Number.isNaN(value)) return undefined;
    if (!rule.ofBaseline) return { value, limit: rule.threshold };
    const usual = this.#baselines.get(key)?.dayMean(atMs);
    return usual === undefined ? undefined : { value, limit: usual * rule.threshold };
  }

  #valueOf(
    { statistic }: AlertRule,
    series: Series,
    key: string,
    news: ReadonlyMap<string, DistributionSeries>,
    atMs: number,
  ): number | undefined {
    if (series.kind !== 'distribution') return series.value;
    if (statistic === 'minute') return this.#baselines.get(key)?.minuteMean(atMs);
    const fresh = news.get(key);
    if (fresh === undefined) return undefined;
    if (statistic === 'mean' || statistic === 'value') return fresh.sum / fresh.count;
    return statistic === 'max' ? fresh.max : quantile(fresh, statistic === 'p50' ? 0.5 : 0.99);
  }

  #baselineOf(key: string): Baseline {
    let baseline = this.#baselines.get(key);
    if (baseline === undefined) this.#baselines.set(key, (baseline = new Baseline()));
    return baseline;
  }

  #notice(type: Notice['type'], watched: Watched, atMs: number): Notice {
    const found = this.#rules.find(([name]) => name === watched.rule);
    if (found === undefined) throw new Error(`an alert must have its rule, "${watched.rule}" has none`);
    const [rule, { severity, comparison, text }] = found;
    const { metric, labels, value, limit, sinceMs } = watched;
    return { type, rule, severity, metric, labels, value, comparison, limit, text, atMs, sinceMs: sinceMs ?? atMs };
  }
}

function holds(value: number, comparison: AlertRule['comparison'], limit: number): boolean {
  if (comparison === '>') return value > limit;
  if (comparison === '>=') return value >= limit;
  return comparison === '<' ? value < limit : value <= limit;
}
