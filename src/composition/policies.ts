/** Turns configured thresholds into the policies the pure domain takes. Main thread; no decision is made here. */
import type { TandemConfig } from '../../config/schema.ts';
import type { EntryPolicies, ExitPolicies } from '../strategy/policy.ts';

type Thresholds = Pick<
  TandemConfig,
  | 'entry'
  | 'maker'
  | 'sizing'
  | 'depth'
  | 'cap'
  | 'settle'
  | 'liq'
  | 'fundingCheck'
  | 'forecast'
  | 'match'
  | 'stablecoin'
  | 'stale'
  | 'clock'
  | 'risk'
  | 'exit'
>;

/** What strategy needs to decide an entry. */
export function entryPolicies(config: Thresholds): Omit<EntryPolicies, 'lastGate'> {
  const { entry, sizing, depth, cap, fundingCheck, risk } = config;
  return {
    ...sharedPolicies(config),
    entry: {
      minAprPct: entry.minApr,
      minHourly: entry.minHourly,
      maxBreakEvenHours: entry.maxBreakEvenH,
      horizonHours: entry.horizonH,
      minExpectedValueQuote: entry.minEv,
      minEdgeMultiple: entry.minEdgeMultiple,
      minFavourable: entry.minFavourable,
      maxHalfSpreadBps: entry.maxHalfSpreadBps,
      maxMarkDivergenceBps: entry.maxMarkDivBps,
      mode: entry.mode,
      queriedVenues: entry.queriedVenues,
    },
    maker: config.maker,
    sizing: {
      maxNotionalQuote: sizing.maxNotional,
      capitalShare: sizing.capitalShare,
      volumeFraction: sizing.volFraction,
      depthFraction: sizing.depthFraction,
      maxStepNotionalShare: sizing.maxStepNotional,
      marginBuffer: sizing.marginBuffer,
      leverage: sizing.leverage,
    },
    depth: { maxLevelAgeMs: depth.maxLevelAgeMs, maxWalkBps: depth.maxWalkBps },
    cap: { bufferBps: cap.bufferBps, maxDeviationBps: cap.maxDevBps },
    fundingCheck: {
      minSettlements: fundingCheck.minSettlements,
      unprovenMaxNotionalQuote: fundingCheck.unprovenMaxNotional,
    },
    match: { maxMarkGap: config.match.maxMarkGap },
    stale: {
      bookMs: config.stale.bookMs,
      markMs: config.stale.markMs,
      fundingMs: config.stale.fundingMs,
      accountMs: config.stale.accountMs,
    },
    clock: { maxOffsetMs: config.clock.maxOffsetMs },
    risk: {
      maxPairs: risk.maxPairs,
      maxPairNotionalQuote: risk.maxPairNotional,
      maxSymbolNotionalQuote: risk.maxSymbolNotional,
      maxVenueNotionalQuote: risk.maxVenueNotional,
      maxTotalNotionalQuote: risk.maxTotalNotional,
      maxPairLossQuote: risk.maxPairLoss,
      maxVenueMarginUse: risk.maxVenueMarginUse,
      maxLeverage: risk.maxLeverage,
      maxUnhedgedNotionalQuote: risk.maxUnhedgedNotional,
    },
  };
}

/** What a position needs to decide an exit. */
export function exitPolicies(config: Thresholds): ExitPolicies {
  const { exit } = config;
  return {
    ...sharedPolicies(config),
    exit: {
      minHoldHours: exit.minHoldH,
      horizonHours: exit.horizonH,
      hysteresis: exit.hysteresis,
      confirm: exit.confirm,
      takeProfitQuote: exit.takeProfit,
      takeProfitFees: exit.takeProfitFees,
      stopLossPct: exit.stopLossPct,
      maxHoldHours: exit.maxHoldH,
      maxDarkMs: exit.maxDarkMs,
      darkVenue: 'hold',
      maxMarkDivergenceBps: exit.maxMarkDivBps,
      maxAdlRank: exit.maxAdlRank,
      maxMove: exit.maxMove,
      moveWindowMs: exit.moveWindowMs,
    },
  };
}

function sharedPolicies(config: Thresholds): Pick<ExitPolicies, 'settle' | 'liquidation' | 'forecast' | 'stablecoin'> {
  const { settle, liq, forecast, stablecoin } = config;
  return {
    settle: { guardMs: settle.guardMs, minDeferQuote: settle.minDefer, deferMs: settle.deferMs },
    liquidation: {
      minEntryDistance: liq.minEntryDistance,
      warn: liq.warn,
      reduce: liq.reduce,
      critical: liq.critical,
      stopDistance: liq.venueStop,
    },
    forecast: {
      halfLifeHours: forecast.halfLifeH,
      lookbackHours: forecast.lookbackH,
      haircut: forecast.haircut,
      premiumWeight: forecast.premiumWeight,
    },
    stablecoin: { warnGap: stablecoin.warnGap, maxGap: stablecoin.maxGap },
  };
}
