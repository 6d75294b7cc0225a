/** Brings a validated configuration into the shape of the policies, units spelt out. Main thread, once at start. */
import type { TandemConfig } from './schema.ts';
import type { LossLimits } from '../src/risk/engine-state.ts';
import type { OrderGateLimits } from '../src/risk/approval.ts';
import type { EntryPolicies, ExitPolicies } from '../src/strategy/policy.ts';

const MICRO = 1e6;

export function entryPolicies(config: TandemConfig): EntryPolicies {
  const { entry, sizing, risk } = config;
  return {
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
    },
    sizing: {
      maxNotionalQuote: sizing.maxNotional,
      capitalShare: sizing.capitalShare,
      volumeFraction: sizing.volFraction,
      depthFraction: sizing.depthFraction,
      maxStepNotionalShare: sizing.maxStepNotional,
      marginBuffer: sizing.marginBuffer,
      leverage: sizing.leverage,
    },
    depth: config.depth,
    cap: { bufferBps: config.cap.bufferBps, maxDeviationBps: config.cap.maxDevBps },
    settle: settlePolicy(config),
    liquidation: config.liq,
    fundingCheck: {
      minSettlements: config.fundingCheck.minSettlements,
      unprovenMaxNotionalQuote: config.fundingCheck.unprovenMaxNotional,
    },
    forecast: forecastPolicy(config),
    match: config.match,
    stale: config.stale,
    clock: config.clock,
    risk: {
      maxPairs: risk.maxPairs,
      maxPairNotionalQuote: risk.maxPairNotional,
      maxSymbolNotionalQuote: risk.maxSymbolNotional,
      maxVenueNotionalQuote: risk.maxVenueNotional,
      maxTotalNotionalQuote: risk.maxTotalNotional,
      maxVenueMarginUse: risk.maxVenueMarginUse,
      maxLeverage: risk.maxLeverage,
      maxUnhedgedNotionalQuote: risk.maxUnhedgedNotional,
    },
  };
}

export function exitPolicies(config: TandemConfig): ExitPolicies {
  const { exit } = config;
  return {
    exit: {
      minHoldHours: exit.minHoldH,
      horizonHours: exit.horizonH,
      hysteresis: exit.hysteresis,
      confirm: exit.confirm,
      takeProfitQuote: exit.takeProfit,
      stopLossPct: exit.stopLossPct,
      maxHoldHours: exit.maxHoldH,
      maxDarkMs: exit.maxDarkMs,
      // Closing the reachable leg alone would create exposure.
      darkVenue: 'hold',
      maxMarkDivergenceBps: exit.maxMarkDivBps,
    },
    settle: settlePolicy(config),
    liquidation: config.liq,
    forecast: forecastPolicy(config),
  };
}

/** Returns the last gate's limits of one account that may trade these symbols of its venue. */
export function orderGateLimits(config: TandemConfig, symbols: readonly string[]): OrderGateLimits {
  const { risk } = config;
  return {
    symbols,
    maxOrderNotionalMicro: microOf(risk.maxOrderNotional),
    maxPositionNotionalMicro: microOf(risk.maxPairNotional),
    maxOpenOrders: risk.maxOpenOrders,
    maxOrdersPerSec: risk.maxOrdersPerSec,
    priceCollarBps: risk.priceCollarBps,
    dailyLossMicro: microOf(risk.dailyLoss),
  };
}

/** Returns the limits that the guard watches; `entryPauseMs` is monotonic. */
export function guardLimits(
  config: TandemConfig,
): LossLimits & { readonly maxConsecutiveLosses: number; readonly entryPauseMs: number } {
  const { risk } = config;
  return {
    dailyLossMicro: microOf(risk.dailyLoss),
    maxDrawdownMicro: microOf(risk.maxDrawdown),
    maxConsecutiveLosses: risk.maxConsecutiveLosses,
    entryPauseMs: risk.entryPauseMs,
  };
}

function settlePolicy({ settle }: TandemConfig): EntryPolicies['settle'] {
  return { guardMs: settle.guardMs, minDeferQuote: settle.minDefer, deferMs: settle.deferMs };
}

function forecastPolicy({ forecast }: TandemConfig): EntryPolicies['forecast'] {
  return {
    halfLifeHours: forecast.halfLifeH,
    lookbackHours: forecast.lookbackH,
    haircut: forecast.haircut,
  };
}

/** Exact: the schema accepts at most 6 fraction digits. */
function microOf(quote: number): bigint {
  return BigInt(Math.round(quote * MICRO));
}
