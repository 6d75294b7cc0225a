/** The answer to "why is it not trading?", for all symbols or for one, from the observer's picture. Pure, main thread. */
import type { TradingSummary } from '../../actors/observer.ts';

type Candidate = NonNullable<TradingSummary['opportunities']>['candidates'][number];

export interface Reasons {
  readonly engine: { readonly state: string; readonly reason: string };
  /** When the candidates were evaluated, calendar ms; 0 before the first time. */
  readonly evaluatedAtMs: number;
  /** By name: the refusals of all candidates since start, by gate. */
  readonly refusals: Readonly<Record<string, number>>;
  readonly bases: readonly BaseReason[];
}

export interface BaseReason {
  readonly base: string;
  readonly pair: { readonly phase: string; readonly reason: string };
  /** One per ordered pair of accounts, largest carry first; without a base asked for only the first. */
  readonly candidates: readonly Candidate[];
}

/** Returns what stands against each symbol now; of one symbol every candidate. Undefined when nothing is known of that symbol. */
export function reasonsFor(summary: TradingSummary, wanted?: string): Reasons | undefined {
  const { engine, opportunities, pairs } = summary;
  const candidates = opportunities?.candidates ?? [];
  const names = [...new Set([...pairs.map(({ base }) => base), ...candidates.map(({ base }) => base)])].sort();
  const bases = names
    .filter((base) => wanted === undefined || base === wanted)
    .map((base): BaseReason => {
      const pair = pairs.find((one) => one.base === base);
      const own = candidates
        .filter((one) => one.base === base)
        .toSorted((one, other) => other.netAprPct - one.netAprPct);
      return {
        base,
        pair: { phase: pair?.phase ?? 'not reported', reason: pair?.reason ?? '' },
        candidates: wanted === undefined ? own.slice(0, 1) : own,
      };
    });
  if (wanted !== undefined && bases.length === 0) return undefined;
  return {
    engine: { state: engine?.state ?? 'unknown', reason: engine?.reason ?? 'the guard has not reported yet' },
    evaluatedAtMs: opportunities?.atMs ?? 0,
    refusals: opportunities?.refusals ?? {},
    bases,
  };
}
