/** A candidate that passes every gate, for tests to break one fact at a time. */
import { HOUR_MS } from '../../src/market/funding-rate.ts';
import type { FundingRate } from '../../src/market/funding-rate.ts';
import type { EntryFacts, EntryLegFacts } from '../../src/strategy/entry-facts.ts';
import type { EntryPolicies } from '../../src/strategy/policy.ts';
import { book, instrument, micro, pico } from '../market/instruments.ts';

export const NOW_MS = 1_767_225_600_000 + HOUR_MS / 2;
export const MONOTONIC_MS = 50_000;

export const entryPolicy: EntryPolicies = {
  entry: {
    minAprPct: 20,
    minHourly: 0.00001,
    maxBreakEvenHours: 24,
    horizonHours: 48,
    minExpectedValueQuote: 0.8,
    minEdgeMultiple: 2,
    minFavourable: 3,
    maxHalfSpreadBps: 8,
    maxMarkDivergenceBps: 30,
    mode: 'auto',
    queriedVenues: [],
  },
  maker: { minSavingBps: 2, fillProbability: 0.7, maxAdverseBps: 5, timeoutMs: 15_000, escalate: false },
  sizing: {
    maxNotionalQuote: 2_500,
    capitalShare: 0.25,
    volumeFraction: 0.001,
    depthFraction: 0.2,
    maxStepNotionalShare: 0.15,
    marginBuffer: 0.3,
    leverage: 3,
  },
  depth: { maxLevelAgeMs: 2_000, maxWalkBps: 25 },
  cap: { bufferBps: 3, maxDeviationBps: 50 },
  settle: { guardMs: 15_000, minDeferQuote: 0.05, deferMs: 600_000 },
  liquidation: { minEntryDistance: 0.25, warn: 0.2, reduce: 0.15, critical: 0.1, stopDistance: 0.05 },
  fundingCheck: { minSettlements: 3, unprovenMaxNotionalQuote: 500 },
  forecast: { halfLifeHours: 8, lookbackHours: 72, haircut: 0.25 },
  match: { maxMarkGap: 0.02 },
  stablecoin: { warnGap: 0.003, maxGap: 0.01 },
  stale: { bookMs: 2_000, markMs: 5_000, fundingMs: 120_000, accountMs: 15_000 },
  clock: { maxOffsetMs: 2_000 },
  risk: {
    maxPairs: 5,
    maxPairNotionalQuote: 5_000,
    maxSymbolNotionalQuote: 10_000,
    maxVenueNotionalQuote: 25_000,
    maxTotalNotionalQuote: 50_000,
    maxPairLossQuote: 100,
    maxVenueMarginUse: 0.6,
    maxLeverage: 3,
    maxUnhedgedNotionalQuote: 5_000,
  },
  lastGate: {
    maxOrderNotionalMicro: 5_000_000_000n,
    maxPositionNotionalMicro: 10_000_000_000n,
    maxOpenOrders: 20,
    maxOrdersPerSec: 10,
    priceCollarBps: 100,
    dailyLossMicro: 100_000_000n,
  },
};

export function predicted(hourly: number, changes: Partial<FundingRate> = {}): FundingRate {
  return {
    venue: 'lighter',
    symbol: 'ETH',
    kind: 'predicted',
    raw: '',
    unit: { scale: 'fraction', perMs: HOUR_MS },
    hourly: pico(hourly),
    intervalMs: HOUR_MS,
    settleAtMs: NOW_MS + HOUR_MS / 2,
    venueAtMs: NOW_MS,
    ...changes,
  };
}

/** Mark 3,000, spread 0.10, plenty of depth; predicted and median rate as given, pico per hour. */
export function legFacts(venue: string, hourly: number, changes: Partial<EntryLegFacts> = {}): EntryLegFacts {
  return {
    venue,
    account: 'main',
    status: {
      status: 'ready',
      reason: '',
      clockOffsetMs: 12,
      clockErrorMs: 40,
      entriesAllowed: true,
      openBudgetShare: 0.9,
    },
    instrument: instrument({ venue, takerFee: pico(0) }),
    book: book([[59_999, 5_000]], [[60_001, 5_000]], {
      venue,
      receivedAtMonotonicMs: MONOTONIC_MS - 100,
      venueAtMs: NOW_MS,
    }),
    bookLostReason: '',
    mark: { markNano: 3_000_000_000_000n, receivedAtMonotonicMs: MONOTONIC_MS - 100 },
    predicted: { rate: predicted(hourly, { venue }), receivedAtMonotonicMs: MONOTONIC_MS - 100 },
    medianHourly: hourly,
    fundingVerdict: { state: 'OK' },
    leverage: 3,
    balance: {
      walletMicro: micro(10_000_000_000n),
      availableMicro: micro(10_000_000_000n),
      receivedAtMonotonicMs: MONOTONIC_MS - 100,
    },
    ...changes,
  };
}

/** Long on lighter at 0, short on extended at 0.005 % per hour: 43.8 % a year. */
export function candidate(changes: Partial<EntryFacts> = {}): EntryFacts {
  return {
    base: 'ETH',
    nowMs: NOW_MS,
    monotonicMs: MONOTONIC_MS,
    calendarScale: 1,
    engine: { state: 'TRADING', reason: '', entriesPaused: false },
    long: legFacts('lighter', 0),
    short: legFacts('extended', 50_000_000),
    pair: { phase: 'IDLE', active: false, cooldownUntilMs: 0, blacklisted: false },
    quoteGap: 0,
    activePairs: 0,
    exposures: [],
    favourableStreak: 3,
    ...changes,
  };
}
