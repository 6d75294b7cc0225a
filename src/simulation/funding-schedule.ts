/** Settlements and predicted rates of one simulated market, read off the tape. Any thread. */
import type { ExchangeFunding } from './exchange.ts';
import type { MarketTape, TapeSettlement } from './market-tape.ts';

const HOUR_MS = 3_600_000;
/** Settled rates a venue can answer for when it starts: about a week of hourly ones. */
const BACKFILL_MAX = 200;
/** At the start of an interval the estimate is half the last settled rate; it closes on the coming one until the end. */
const NEWS_AT_START = 0.5;

/** Returns the estimate a venue would publish now, fraction per hour in 1e-12. Equals the settled rate at the settlement. */
export function predictedHourlyPico(
  last: TapeSettlement | undefined,
  next: TapeSettlement | undefined,
  calendarMs: number,
): number {
  if (next === undefined) return last === undefined ? 0 : hourlyPico(last);
  const coming = hourlyPico(next);
  if (last === undefined) return coming;
  const elapsed = Math.min(1, Math.max(0, 1 - (next.settleAtMs - calendarMs) / next.intervalMs));
  const news = NEWS_AT_START + (1 - NEWS_AT_START) * elapsed;
  return Math.round(hourlyPico(last) * (1 - news) + coming * news);
}

export function hourlyPico(settlement: TapeSettlement): number {
  return Math.round((settlement.ratePico * HOUR_MS) / settlement.intervalMs);
}

/** Settlements of the tape up to `calendarMs`, oldest first, so that a venue starts with a history. */
export function pastSettlements(tape: MarketTape, venue: string, base: string, calendarMs: number): TapeSettlement[] {
  const past: TapeSettlement[] = [];
  let last = tape.lastSettlement(venue, base, calendarMs);
  while (last !== undefined && past.length < BACKFILL_MAX && last.settleAtMs >= tape.startAtMs) {
    past.push(last);
    last = tape.lastSettlement(venue, base, last.settleAtMs - 1);
  }
  return past.reverse();
}

export function fundingFact(symbol: string, settlement: TapeSettlement, priceNano: bigint): ExchangeFunding {
  return { symbol, settledAtMs: settlement.settleAtMs, ratePico: settlement.ratePico, priceNano };
}
