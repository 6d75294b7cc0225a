/** Compares the engine's books, folded from its journal, with the venues' own books: every fill, every payment, every lot, every micro-unit. */
import { expect } from 'vitest';
import { foldLedger, walletChangeMicro } from '../../src/execution/ledger.ts';
import type { PairRecord } from '../../src/execution/pair.ts';
import type { AccountOracle } from '../../src/simulation/simulated-venue.ts';
import type { JournalRow } from '../../src/storage/rows.ts';

/** Facts that a connector journaled, by row type. */
function eventsOf(
  rows: readonly JournalRow[],
  rowType: 'fill' | 'funding',
  venue: string,
  account: string,
): readonly Record<string, unknown>[] {
  return rows
    .filter((row) => row.type === rowType)
    .map((row) => row.payload['event'] as Record<string, unknown>)
    .filter((event) => event['venue'] === venue && event['account'] === account);
}

/** Throws (through expect) at the first difference. `account` is the configured account name on that venue. */
export function expectLedgerEqualsOracle(
  rows: readonly JournalRow[],
  venue: string,
  account: string,
  oracle: AccountOracle,
): void {
  const fills = eventsOf(rows, 'fill', venue, account).map(
    (event) => event['fill'] as { fillId: string; priceTicks: number; lots: number; side: string; feeMicro: bigint },
  );
  const seen = (fill: { fillId: string; priceTicks: number; lots: number; side: string; feeMicro: bigint }): string =>
    `${fill.fillId} ${fill.side} ${fill.lots} @ ${fill.priceTicks} fee ${fill.feeMicro}`;
  expect(fills.map(seen).sort()).toEqual(oracle.fills.map(seen).sort());

  const payments = eventsOf(rows, 'funding', venue, account).map(
    (event) => event['payment'] as { paymentId: string; amountMicro: bigint; symbol: string },
  );
  const paid = (payment: { paymentId: string; amountMicro: bigint; symbol: string }): string =>
    `${payment.paymentId} ${payment.symbol} ${payment.amountMicro}`;
  expect(payments.map(paid).sort()).toEqual(oracle.fundingPayments.map(paid).sort());

  const ledger = foldLedger(rows);
  const lots = new Map<string, number>();
  for (const book of ledger.books.values()) {
    if (book.key.venue === venue && book.key.account === account && book.signedLots !== 0)
      lots.set(book.key.symbol, book.signedLots);
  }
  expect(Object.fromEntries(lots)).toEqual(Object.fromEntries(oracle.positions));
  expect(walletChangeMicro(ledger, venue, account)).toBe(oracle.walletMicro - oracle.openingWalletMicro);
}

/** What a run decided: each pair's direction, reason of leaving and payments booked, in order of opening. */
export interface TradedPair {
  readonly base: string;
  /** Venues. */
  readonly long: string;
  readonly short: string;
  readonly reason: string;
  readonly fundingPayments: number;
}

/** Reads the decisions of a run from its journal. Pairs that never traded (failed entries) are left out. */
export function tradedPairs(rows: readonly JournalRow[]): readonly TradedPair[] {
  const ledger = foldLedger(rows);
  const latest = new Map<string, PairRecord>();
  for (const row of rows) {
    const pair = row.type === 'pair-state' ? (row.payload['pair'] as PairRecord | undefined) : undefined;
    if (pair !== undefined) latest.set(pair.pairId, pair);
  }
  return [...latest.values()]
    .filter((pair) => (ledger.pairs.get(pair.pairId)?.fills ?? 0) > 0)
    .sort((one, other) =>
      one.base === other.base ? one.decidedAtMs - other.decidedAtMs : one.base < other.base ? -1 : 1,
    )
    .map((pair) => ({
      base: pair.base,
      long: pair.long.venue,
      short: pair.short.venue,
      reason: pair.exitReason,
      fundingPayments: ledger.pairs.get(pair.pairId)?.fundingPayments ?? 0,
    }));
}
