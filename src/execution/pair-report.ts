/** Sums of closed pairs over a span of time, whole and in groups: what was earned, by what, and how it compares with what was expected. Pure, any thread. */
import type { PairStatistics } from './pair-statistics.ts';

/** Calendar ms; a pair belongs to the span it was closed in. `toMs` is outside. */
export interface ReportSpan {
  readonly fromMs: number;
  readonly toMs: number;
}

/** Sums over some pairs, micro-units where the name says so. */
export interface PairSums {
  readonly pairs: number;
  readonly netMicro: bigint;
  readonly priceMicro: bigint;
  readonly fundingMicro: bigint;
  readonly feesMicro: bigint;
  readonly adjustedMicro: bigint;
  readonly missingMicro: bigint;
  readonly payments: number;
  readonly paymentsExpected: number;
  /** Pairs whose net is above zero. */
  readonly won: number;
  /** What strategy expected when it entered them, quote. */
  readonly expectedQuote: number;
  readonly heldMs: number;
  readonly exposureQuoteSec: number;
}

export type ReportGroup = 'day' | 'symbol' | 'venues' | 'reason';

export interface PairReport {
  readonly span: ReportSpan;
  readonly all: PairSums;
  readonly groups: Readonly<Record<ReportGroup, readonly (PairSums & { readonly name: string })[]>>;
  /** Of every stretch with one leg ahead of the other, ms; nearest rank. Absent without any. */
  readonly hedgeLatencyMs?: { readonly p50: number; readonly p95: number; readonly max: number };
  /** Average slippage in bps over the fills whose order names a middle, positive is worse; absent without any. */
  readonly slippageBps?: number;
}

const DAY_MS = 24 * 3_600_000;

const NAME_OF: Readonly<Record<ReportGroup, (pair: PairStatistics) => string>> = {
  day: ({ closedAtMs }) => utcDay(closedAtMs),
  symbol: ({ base }) => base,
  venues: ({ long, short }) => `${venueOf(long)} / ${venueOf(short)}`,
  reason: ({ exitReason }) => (exitReason === '' ? 'not said' : exitReason),
};

/** Returns the UTC day of a calendar time, for example `2026-01-31`: arithmetic on days from 1 March of the year 0, so that leap days end a year. */
function utcDay(atMs: number): string {
  const days = Math.floor(atMs / DAY_MS) + 719_468;
  const era = Math.floor(days / 146_097);
  const dayOfEra = days - era * 146_097;
  const leapDays = Math.floor(dayOfEra / 1_460) - Math.floor(dayOfEra / 36_524) + Math.floor(dayOfEra / 146_096);
  const yearOfEra = Math.floor((dayOfEra - leapDays) / 365);
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const monthFromMarch = Math.floor((5 * dayOfYear + 2) / 153);
  const day = dayOfYear - Math.floor((153 * monthFromMarch + 2) / 5) + 1;
  const month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9;
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0);
  return [String(year).padStart(4, '0'), ...[month, day].map((part) => String(part).padStart(2, '0'))].join('-');
}

/** Sums the pairs that were closed within the span. */
export function reportOf(pairs: readonly PairStatistics[], span: ReportSpan): PairReport {
  const wanted = pairs.filter(({ closedAtMs }) => closedAtMs >= span.fromMs && closedAtMs < span.toMs);
  const latencies = wanted.flatMap(({ hedgeLatencyMs }) => hedgeLatencyMs).toSorted((a, b) => a - b);
  const slippages = wanted.flatMap(({ slippageBps }) => Object.values(slippageBps).filter((bps) => bps !== undefined));
  const rank = (share: number): number => latencies[Math.max(0, Math.ceil(latencies.length * share) - 1)] ?? 0;
  return {
    span,
    all: sumsOf(wanted),
    groups: {
      day: grouped(wanted, 'day'),
      symbol: grouped(wanted, 'symbol'),
      venues: grouped(wanted, 'venues'),
      reason: grouped(wanted, 'reason'),
    },
    ...(latencies.length === 0 ? {} : { hedgeLatencyMs: { p50: rank(0.5), p95: rank(0.95), max: rank(1) } }),
    ...(slippages.length === 0 ? {} : { slippageBps: slippages.reduce((sum, bps) => sum + bps, 0) / slippages.length }),
  };
}

/** In the order of their names. */
function grouped(pairs: readonly PairStatistics[], group: ReportGroup): PairReport['groups'][ReportGroup] {
  const byName = Map.groupBy(pairs, NAME_OF[group]);
  return [...byName]
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, members]) => ({ name, ...sumsOf(members) }));
}

function sumsOf(pairs: readonly PairStatistics[]): PairSums {
  const micro = (of: (pair: PairStatistics) => bigint): bigint => pairs.reduce((sum, pair) => sum + of(pair), 0n);
  const plain = (of: (pair: PairStatistics) => number): number => pairs.reduce((sum, pair) => sum + of(pair), 0);
  return {
    pairs: pairs.length,
    netMicro: micro((pair) => pair.netMicro),
    priceMicro: micro((pair) => pair.priceMicro),
    fundingMicro: micro((pair) => pair.fundingMicro),
    feesMicro: micro((pair) => pair.feesMicro),
    adjustedMicro: micro((pair) => pair.adjustedMicro),
    missingMicro: micro((pair) => pair.fundingMissingMicro),
    payments: plain((pair) => pair.payments),
    paymentsExpected: plain((pair) => pair.paymentsExpected),
    won: pairs.filter(({ netMicro }) => netMicro > 0n).length,
    expectedQuote: plain((pair) => pair.expectedValueQuote),
    heldMs: plain((pair) => pair.heldMs),
    exposureQuoteSec: plain((pair) => pair.exposureQuoteSec),
  };
}

/** Of a leg as text: venue, account and symbol. */
function venueOf(leg: string): string {
  return leg.split(':', 1)[0] ?? leg;
}
