/** The last evaluation as `/debug/eval/last` answers it: when, how long each part took, what stood against what. Pure, main thread. */
import type { TradingSummary } from '../../actors/observer.ts';
import type { MetricHistory, Point } from '../observe/history.ts';

const PARTS = ['total', 'health', 'risk', 'strategy', 'intent'] as const;

export interface EvaluationPicture {
  /** Calendar ms of the last evaluation told; 0 before the first. */
  readonly evaluatedAtMs: number;
  /** By part of a cycle: its cycles of the last second looked at, ms. */
  readonly durations: Readonly<Record<string, Point>>;
  /** Candidates by what was decided on them, and each with its reason, largest carry first. */
  readonly verdicts: Readonly<Record<string, number>>;
  readonly candidates: NonNullable<TradingSummary['opportunities']>['candidates'];
}

export function evaluationPicture(summary: TradingSummary, history: MetricHistory): EvaluationPicture {
  const { atMs = 0, candidates = [] } = summary.opportunities ?? {};
  const durations: Record<string, Point> = {};
  for (const part of PARTS) {
    const latest = history.of(`eval_${part}`)[0]?.points.at(-1);
    if (latest !== undefined) durations[part] = latest;
  }
  const verdicts: Record<string, number> = {};
  for (const { verdict } of candidates) verdicts[verdict] = (verdicts[verdict] ?? 0) + 1;
  return {
    evaluatedAtMs: atMs,
    durations,
    verdicts,
    candidates: candidates.toSorted((one, other) => other.netAprPct - one.netAprPct),
  };
}
