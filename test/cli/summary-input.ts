/** One instant of a running engine, for tests of what is shown. */
import type { PairSummary, TradingSummary } from '../../actors/observer.ts';
import type { SummaryInput } from '../../src/cli/terminal-view.ts';
import { actorSnapshot, SNAPSHOT } from '../control/engine.ts';

const HOUR_MS = 3_600_000;
export const NOW_MS = 1_767_225_600_000;

export function pair(base: string, fields: Partial<PairSummary> = {}): PairSummary {
  return {
    base,
    phase: 'IDLE',
    pairId: '',
    reason: '',
    openedAtMs: 0,
    closedAtMs: 0,
    fundingMicro: 0n,
    feesMicro: 0n,
    realisedMicro: 0n,
    fundingPayments: 0,
    liveOrders: 0,
    drained: false,
    cooldownUntilMs: 0,
    closedPairs: 0,
    closedNetMicro: 0n,
    closedFundingMicro: 0n,
    notionalMicro: 0n,
    exposureQuoteSec: 0,
    ...fields,
  };
}

export function openPair(base: string, fields: Partial<PairSummary> = {}): PairSummary {
  const leg = { account: 'main', symbol: base, averagePrice: 1 };
  return pair(base, {
    phase: 'OPEN',
    pairId: `${base}-7`,
    long: { ...leg, venue: 'lighter', signedLots: 10 },
    short: { ...leg, venue: 'extended', signedLots: -10 },
    openedAtMs: NOW_MS - 3 * HOUR_MS - 12 * 60_000,
    fundingMicro: 1_234_500n,
    feesMicro: -450_000n,
    executableMicro: 910_000n,
    fundingPayments: 6,
    notionalMicro: 998_120_000n,
    closedPairs: 2,
    closedNetMicro: -3_110_000n,
    ...fields,
  });
}

const trading: TradingSummary = {
  engine: { state: 'TRADING', reason: 'resumed', flatten: false },
  venues: [
    venue('extended', { walletMicro: 10_012_330_000n, availableMicro: 9_012_000_000n }),
    venue('lighter', { status: 'connecting', reason: 'waiting for instruments\u001b[2J', entriesAllowed: false }),
  ],
  pairs: [
    openPair('BTC'),
    openPair('ETH', { phase: 'CLOSING', executableMicro: -12_000_345_678n, reason: 'CARRY_REVERSED' }),
    pair('SOL', { phase: 'CLOSED', closedPairs: 4, closedNetMicro: 12_500_000n, reason: 'TAKE_PROFIT' }),
    pair('DOGE', { phase: 'RECOVERING' }),
  ],
  opportunities: {
    atMs: NOW_MS,
    candidates: [
      {
        base: 'SOL',
        longVenue: 'lighter',
        shortVenue: 'extended',
        verdict: 'MIN_APR',
        detail: 'APR 12.1 % < 20 %',
        netAprPct: 12.1,
        expectedValueQuote: 0.1234,
      },
      {
        base: 'DOGE',
        longVenue: 'extended',
        shortVenue: 'lighter',
        verdict: 'ENTER',
        detail: '',
        netAprPct: 31.4,
        expectedValueQuote: 2.5,
      },
    ],
    refusals: { MIN_APR: 12_345, STALE_BOOK: 17, COOLDOWN: 99 },
  },
  totals: {
    openPairs: 2,
    closedPairs: 8,
    netMicro: 21_310_000n,
    closedNetMicro: 6_280_000n,
    fundingMicro: 9_876_500n,
    openNotionalMicro: 1_996_240_000n,
    liveOrders: 1,
  },
};

function venue(name: string, fields: Partial<TradingSummary['venues'][number]>): TradingSummary['venues'][number] {
  return {
    venue: name,
    account: 'main',
    status: 'ready',
    reason: '',
    clockOffsetMs: 3,
    clockErrorMs: 1,
    entriesAllowed: true,
    openBudgetShare: 0.97,
    ...fields,
  };
}

export function summaryInput(fields: Partial<SummaryInput> = {}): SummaryInput {
  return {
    trading,
    snapshot: {
      ...SNAPSHOT,
      actors: [...SNAPSHOT.actors, actorSnapshot('observer', { thread: 'main' })],
      threads: [
        thread('main', { p50Ms: 1.1, p99Ms: 1.9, maxMs: 12 }),
        thread('io-0', { p50Ms: 1.2, p99Ms: 60.4, maxMs: 300 }),
        { ...thread('trading-0', { p50Ms: 1, p99Ms: 1.4, maxMs: 3 }), incarnation: 2, lastFailure: 'terminated' },
        thread('store', { p50Ms: 1, p99Ms: 2.2, maxMs: 9 }),
      ],
    },
    readiness: { ready: true, reasons: [] },
    address: 'http://127.0.0.1:7070',
    boot: 3,
    journal: { type: 'ok', rows: 1_234 },
    nowMs: NOW_MS,
    ...fields,
  };
}

function thread(
  name: string,
  loopDelay: { p50Ms: number; p99Ms: number; maxMs: number },
): SummaryInput['snapshot']['threads'][number] {
  return {
    name,
    incarnation: 1,
    status: 'running',
    loopDelay,
    heapUsedBytes: 20_000_000,
    lanes: [],
    lostWakeUps: 0,
    wakeUpsSent: 0,
    turns: 0,
    logRecordsDropped: 0,
    stale: false,
  };
}
