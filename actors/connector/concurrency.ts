/**
 * How many questions may be under way at once, by how much depends on their answers: few while all is well, more while orders are in
 * doubt or positions wait for the venue's word. Connector thread.
 */
import { fallBack, isInForce } from './fall-back.ts';
import type { ConnectorSelf, ConnectorState } from './state.ts';

export interface ConcurrencyPolicy {
  /** Questions under way while nobody critical waits, while some do, while many do. */
  readonly calm: number;
  readonly busy: number;
  readonly critical: number;
  /** So many critical watchers are many. */
  readonly criticalWatchers: number;
}

export const DEFAULT_CONCURRENCY: ConcurrencyPolicy = { calm: 12, busy: 15, critical: 20, criticalWatchers: 5 };
/** Where it is switched off: what the first of these versions had. */
const FIXED = 32;

/** Orders whose outcome is unknown, positions that wait for a comparison, pairs half open. */
export function criticalWatchers({ resolving, sweep, openingPairs }: ConnectorState): number {
  return resolving.size + sweep.waiting.length + sweep.serving + openingPairs.size;
}

/** Returns the limit now; a change of it is told. */
export function questionsAtOnce(state: ConnectorState, self: ConnectorSelf): number {
  const watchers = criticalWatchers(state);
  const limit = adaptiveLimit(state, self, watchers) ?? FIXED;
  if (limit !== state.questionsAtOnce) {
    const { venue, account } = state.args;
    // The event names of item 5 are what dashboards and people look for.
    self.log('debug', 'concurrency.limit', { venue, account, from: state.questionsAtOnce, to: limit, watchers });
    self.count('concurrency-changes');
    state.questionsAtOnce = limit;
  }
  return limit;
}

/** Returns undefined where it is off, or was no number of questions: with such a limit nothing would ever be asked. */
function adaptiveLimit(state: ConnectorState, self: ConnectorSelf, watchers: number): number | undefined {
  if (!isInForce(state, 'adaptive-concurrency')) return undefined;
  const limit = limitFor(watchers, state.args.concurrency);
  if (Number.isSafeInteger(limit) && limit >= 1) return limit;
  fallBack(state, self, 'adaptive-concurrency', `the limit must be a whole number of questions, was ${limit}`);
  return undefined;
}

export function limitFor(watchers: number, policy: ConcurrencyPolicy = DEFAULT_CONCURRENCY): number {
  if (watchers === 0) return policy.calm;
  return watchers < policy.criticalWatchers ? policy.busy : policy.critical;
}
