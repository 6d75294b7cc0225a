/** Everything a decision to enter is made from, as one immutable value. Types only, any thread. */
import type { BookView } from '../market/book.ts';
import type { FundingVerdict } from '../market/funding-check.ts';
import type { FundingRate } from '../market/funding-rate.ts';
import type { CommonStep } from '../market/instrument-match.ts';
import type { Instrument } from '../market/instrument.ts';
import type { MarkWatch } from '../market/mark-watch.ts';
import type { Exposure, Headroom } from '../risk/limits.ts';
import type { EntryMode } from './entry-mode.ts';
import type { OpportunityMetrics } from './opportunity.ts';
import type { SizeDecision } from './sizing.ts';

/** What is known of one account's leg of a candidate. Absent facts are undefined: they refuse, they never default. */
export interface EntryLegFacts {
  readonly venue: string;
  readonly account: string;
  readonly status:
    | {
        readonly status: 'connecting' | 'reconciling' | 'ready' | 'degraded' | 'down';
        readonly reason: string;
        /** Venue clock minus ours and half the round trip, real ms whatever the calendar's speed. */
        readonly clockOffsetMs: number;
        readonly clockErrorMs: number;
        readonly entriesAllowed: boolean;
        readonly openBudgetShare: number;
      }
    | undefined;
  readonly instrument: Instrument | undefined;
  readonly book: BookView | undefined;
  /** Why there is no trusted book, in the venue's words; empty when none was lost. */
  readonly bookLostReason: string;
  readonly mark:
    { readonly markNano: bigint; readonly indexNano?: bigint; readonly receivedAtMonotonicMs: number } | undefined;
  /** What the run of its marks says; absent while there was none. */
  readonly markWatch?: MarkWatch | undefined;
  readonly predicted: { readonly rate: FundingRate; readonly receivedAtMonotonicMs: number } | undefined;
  /** Median of settled rates over the lookback, pico units per hour. */
  readonly medianHourly: number | undefined;
  readonly fundingVerdict: FundingVerdict;
  /** In force at the venue; undefined before it was read. */
  readonly leverage: number | undefined;
  readonly balance:
    | {
        readonly walletMicro: bigint;
        readonly availableMicro: bigint;
        readonly receivedAtMonotonicMs: number;
      }
    | undefined;
}

export interface EntryFacts {
  readonly base: string;
  /** Calendar ms. */
  readonly nowMs: number;
  readonly monotonicMs: number;
  /** Calendar ms per monotonic ms: 1 live, more where calendar time is compressed. */
  readonly calendarScale: number;
  readonly engine: { readonly state: string; readonly reason: string; readonly entriesPaused: boolean };
  readonly long: EntryLegFacts;
  readonly short: EntryLegFacts;
  /** The pair of this base, whoever its venues are; `active` also while an entry is decided but not answered. */
  readonly pair: {
    readonly phase: string;
    readonly active: boolean;
    readonly cooldownUntilMs: number;
    readonly blacklisted: boolean;
    /** Why a person must look before the symbol is entered again; absent when nobody must. */
    readonly entryBlock?: string;
  };
  /** How far the quote currencies of both legs are from being worth the same, a fraction; undefined while nobody knows. */
  readonly quoteGap: number | undefined;
  readonly activePairs: number;
  readonly exposures: readonly Exposure[];
  /** Settlements, or samples 20 min apart, in a row with positive net carry. */
  readonly favourableStreak: number;
}

/** What the facts amount to once both legs have instrument, book, mark and predicted rate. */
export interface Assessment {
  readonly step: CommonStep;
  readonly size: SizeDecision;
  readonly headroom: Headroom;
  /** Lots the figures below are for: the size, or the least both venues accept when there is none. */
  readonly longLots: number;
  readonly shortLots: number;
  /** Steps the usable depth leaves to us, and the least both venues accept. */
  readonly depthSteps: number;
  readonly leastSteps: number;
  readonly longLeverage: number;
  readonly shortLeverage: number;
  /** Fraction of mark to liquidation at that leverage, entering at the walked price. */
  readonly longLiquidationDistance: number;
  readonly shortLiquidationDistance: number;
  readonly longMarginQuote: number;
  readonly shortMarginQuote: number;
  /** Undefined when the books are too thin for these lots. */
  readonly priced: PricedEntry | undefined;
}

export interface PricedEntry {
  /** Average prices of the planned quantity, ticks with fractions. */
  readonly longVwapTicks: number;
  readonly shortVwapTicks: number;
  readonly longLimitTicks: number;
  readonly shortLimitTicks: number;
  /** The levels that must be reached. */
  readonly longWorstTicks: number;
  readonly shortWorstTicks: number;
  /** Entry price difference, short minus long, in bps of the long mark. */
  readonly entryBasisBps: number;
  /** What the pair may cost at worst: filled at its limits, closed as far from mark as an order may go, no funding received. */
  readonly worstLossQuote: number;
  /** The way it would be entered; a quoted leg is in the metrics with the chance that its quote is filled. */
  readonly entry: EntryMode;
  readonly metrics: OpportunityMetrics;
}

/** What the gates judge. */
export interface EntryInput extends EntryFacts {
  readonly assessment: Assessment | undefined;
}
