/**
 * The thresholds of trading as plain data, units in the names. Any thread.
 *
 * `...Ms` is monotonic unless the comment says calendar; `...Hours` are calendar hours; `...Quote` quote money; `...Bps` 1e-4 of
 * a price; `...Pct` percent; other shares, rates and distances are fractions.
 */

import type { OrderGateLimits } from '../risk/approval.ts';
import type { EntryModePolicy, MakerEntryPolicy } from './entry-mode.ts';

export interface EntryPolicy extends EntryModePolicy {
  /** Net carry per year on the notional of one leg. */
  readonly minAprPct: number;
  /** Net carry per hour as a fraction of that notional; the stricter of the two counts. */
  readonly minHourly: number;
  readonly maxBreakEvenHours: number;
  readonly horizonHours: number;
  readonly minExpectedValueQuote: number;
  /** Expected funding over the horizon must be this many round-trip costs. */
  readonly minEdgeMultiple: number;
  /** Consecutive settlements, or samples 20 min apart, with positive net carry. */
  readonly minFavourable: number;
  readonly maxHalfSpreadBps: number;
  readonly maxMarkDivergenceBps: number;
}

export interface SizingPolicy {
  readonly maxNotionalQuote: number;
  readonly capitalShare: number;
  readonly volumeFraction: number;
  readonly depthFraction: number;
  /** Coarsest common step as a share of the target notional. */
  readonly maxStepNotionalShare: number;
  readonly marginBuffer: number;
  readonly leverage: number;
}

export interface DepthPolicy {
  readonly maxLevelAgeMs: number;
  readonly maxWalkBps: number;
}

export interface CapPolicy {
  readonly bufferBps: number;
  readonly maxDeviationBps: number;
}

export interface ExitPolicy {
  readonly minHoldHours: number;
  readonly horizonHours: number;
  /** Times the exit cost: staying must be worse than minus this. */
  readonly hysteresis: number;
  /** Distinct predictions that must agree on a reversal. */
  readonly confirm: number;
  readonly takeProfitQuote: number;
  /** And at least this many times all fees of the pair, those of leaving included; 0 asks for none. */
  readonly takeProfitFees: number;
  /** Percent of the pair's margin. */
  readonly stopLossPct: number;
  readonly maxHoldHours: number;
  readonly maxDarkMs: number;
  /** What to do with a pair whose venue went dark. */
  readonly darkVenue: 'hold' | 'flatten';
  readonly maxMarkDivergenceBps: number;
  /** Place in a venue's queue for closing positions, 0 to 1, from which a leg with a profit is left. */
  readonly maxAdlRank: number;
  /** Fraction by which the price may move within the window. */
  readonly maxMove: number;
  /** Calendar ms. */
  readonly moveWindowMs: number;
}

/** How far quote currencies may be from being worth the same, fractions. */
export interface StablecoinPolicy {
  readonly warnGap: number;
  readonly maxGap: number;
}

export interface SettlePolicy {
  /** Calendar ms on each side of a settlement in which both outcomes are assumed. */
  readonly guardMs: number;
  readonly minDeferQuote: number;
  /** Calendar ms. */
  readonly deferMs: number;
}

/** Distances as fractions of mark. */
export interface LiquidationPolicy {
  readonly minEntryDistance: number;
  readonly warn: number;
  readonly reduce: number;
  readonly critical: number;
  /** Distance at which the stops at the venues stand; 0 for none. */
  readonly stopDistance: number;
}

export interface FundingCheckPolicy {
  readonly minSettlements: number;
  readonly unprovenMaxNotionalQuote: number;
}

export interface ForecastPolicy {
  readonly halfLifeHours: number;
  readonly lookbackHours: number;
  /** Part of each leg's expected funding taken off in the adverse direction. */
  readonly haircut: number;
  /** How far the premium of a moment stands for the rest of a period, 0 to 1; absent: not at all. */
  readonly premiumWeight?: number;
}

export interface MatchPolicy {
  readonly maxMarkGap: number;
}

export interface StalePolicy {
  readonly bookMs: number;
  readonly markMs: number;
  readonly fundingMs: number;
  readonly accountMs: number;
}

export interface ClockPolicy {
  readonly maxOffsetMs: number;
}

/** Domain 12.2. */
export interface RiskPolicy {
  readonly maxPairs: number;
  readonly maxPairNotionalQuote: number;
  readonly maxSymbolNotionalQuote: number;
  readonly maxVenueNotionalQuote: number;
  readonly maxTotalNotionalQuote: number;
  /** Worst case of one pair, see `worstLossQuote`. */
  readonly maxPairLossQuote: number;
  readonly maxVenueMarginUse: number;
  readonly maxLeverage: number;
  readonly maxUnhedgedNotionalQuote: number;
}

/** All that a decision to enter rests on. */
export interface EntryPolicies {
  readonly entry: EntryPolicy;
  readonly maker: MakerEntryPolicy;
  readonly sizing: SizingPolicy;
  readonly depth: DepthPolicy;
  readonly cap: CapPolicy;
  readonly settle: SettlePolicy;
  readonly liquidation: LiquidationPolicy;
  readonly fundingCheck: FundingCheckPolicy;
  readonly forecast: ForecastPolicy;
  readonly match: MatchPolicy;
  readonly stablecoin: StablecoinPolicy;
  readonly stale: StalePolicy;
  readonly clock: ClockPolicy;
  readonly risk: RiskPolicy;
  /** Limits that the orders of an entry will meet again when they are sent. */
  readonly lastGate: Omit<OrderGateLimits, 'symbols'>;
}

/** All that a decision to leave rests on. */
export interface ExitPolicies {
  readonly exit: ExitPolicy;
  readonly settle: SettlePolicy;
  readonly liquidation: LiquidationPolicy;
  readonly forecast: ForecastPolicy;
  readonly stablecoin: StablecoinPolicy;
}
