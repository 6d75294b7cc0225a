/** What is asked of the metrics: in whose names, of which metric, by which labels, how far back. Pure, main thread. */
import type { MetricHistory } from '../observe/history.ts';
import type { MetricLabels } from '../runtime/metrics.ts';
import type { Series } from '../observe/series.ts';
import { BadRequest } from './control-actions.ts';

/** The metrics and alerts as the control server needs them. */
export interface ObservationView {
  readonly metrics: {
    readonly history: MetricHistory;
    /** All series as of now. */
    table(): ReadonlyMap<string, Series>;
  };
  /** What is kept of the last hours of the series of a metric, oldest first. Empty when the store does not answer. */
  rollups(name: string, labels: MetricLabels, hours: number): Promise<readonly object[]>;
  /** Rules, what is active, the latest notices, and the sinks. */
  alerts(): object;
}

export interface HistoryRequest {
  readonly name: string;
  readonly labels: MetricLabels;
  /** How far back roll-ups are wanted; 0 for none. */
  readonly hours: number;
}

const HOURS_DEFAULT = 24;
const HOURS_MAX = 24 * 366;

/** Reads `?names=`. Throws BadRequest. */
export function readNames(text: string | undefined): 'prometheus' | 'own' {
  if (text === undefined) return 'prometheus';
  if (text !== 'prometheus' && text !== 'own') throw new BadRequest('names', 'prometheus or own', text);
  return text;
}

/** Reads `?name=...&hours=24` and any label as `&venue=bybit`; undefined without a name. Throws BadRequest. */
export function readHistoryRequest(query: Readonly<Record<string, string>>): HistoryRequest | undefined {
  const { name, hours, ...labels } = query;
  if (name === undefined) return undefined;
  if (!/^[a-z][a-z0-9_]{0,99}$/.test(name)) throw new BadRequest('name', 'the name of a metric', name);
  return { name, labels, hours: readHours(hours) };
}

function readHours(text: string | undefined): number {
  if (text === undefined) return HOURS_DEFAULT;
  const hours = /^\d{1,4}$/.test(text) ? Number(text) : Number.NaN;
  if (!(hours <= HOURS_MAX)) throw new BadRequest('hours', `a whole number from 0 to ${HOURS_MAX}`, text);
  return hours;
}
