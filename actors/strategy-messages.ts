/** What the strategy actor understands and tells. Types and delivery table only. */
import type { DeliveryTable } from '../src/runtime/actor.ts';
import type { EngineStateChanged } from './guard-messages.ts';
import type { MarketEvent } from './connector-messages.ts';
import type { PairChanged } from './position-messages.ts';

export type StrategyMessage = { readonly type: 'scan-opportunities' } | MarketEvent | EngineStateChanged | PairChanged;

/** The answer to "why is it not trading?": told to the observer after each scan that changed something, at most once a second. */
export interface OpportunitiesScanned {
  readonly type: 'opportunities-scanned';
  readonly atMs: number;
  readonly candidates: readonly {
    readonly base: string;
    readonly longVenue: string;
    readonly shortVenue: string;
    /** The first gate that refused, or `ENTER`. */
    readonly verdict: string;
    /** Rule and value in words, for example `APR 12.1 % < 20 %`. */
    readonly detail: string;
    readonly netAprPct: number;
    readonly expectedValueQuote: number;
  }[];
  /** Refusals by gate since start. */
  readonly refusals: Readonly<Record<string, number>>;
}

export const strategyDelivery: DeliveryTable<{ readonly type: 'scan-opportunities' } | OpportunitiesScanned> = {
  'scan-opportunities': { class: 'must-deliver', priority: 'normal' },
  'opportunities-scanned': { class: 'state', keyFields: ['type'] },
};
