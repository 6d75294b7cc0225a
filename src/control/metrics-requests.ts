/** What is asked of the metrics: in whose names, of which metric, by which labels. Pure, main thread. */
import type { MetricHistory } from '../observe/history.ts';
import type { Series } from '../observe/series.ts';
import { BadRequest } from './control-actions.ts';

/** The metrics as the control server needs them. */
export interface MetricsView {
  readonly history: MetricHistory;
  /** All series as of now. */
  table(): ReadonlyMap<string, Series>;
}

/** Reads `?names=`. Throws BadRequest. */
export function readNames(text: string | undefined): 'prometheus' | 'own' {
  if (text === undefined) return 'prometheus';
  if (text !== 'prometheus' && text !== 'own') throw new BadRequest('names', 'prometheus or own', text);
  return text;
}
