import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { foldBook } from '../../src/execution/execution-book.ts';
import type { FactRow } from '../../src/execution/facts.ts';
import { beginHistory, endHistory, foldHistoryRow } from '../../src/execution/history-fold.ts';
import type { History } from '../../src/execution/history-fold.ts';
import { propertyRuns } from '../property-runs.ts';

const key = (venue: string) => ({ venue, account: 'main', symbol: 'ETH' });
const steps = (venue: string) => ({
  ...{ venue, symbol: 'ETH', priceDecimals: 2, tickUnits: 5, quantityDecimals: 1, lotUnits: 1, multiplier: 1 },
});

function configRow(venue: string): FactRow {
  return { id: `instrument ${venue}`, type: 'config', atMs: 0, payload: { instrument: steps(venue) } };
}

function fillRow(venue: string, fillId: string, lots: number, clientOrderId = 'none'): FactRow {
  const fill = {
    ...{ fillId, symbol: 'ETH', clientOrderId, venueOrderId: '', side: lots > 0 ? 'buy' : 'sell', priceTicks: 60_000 },
    ...{ lots: Math.abs(lots), feeMicro: -7n, liquidity: 'taker', venueAtMs: 10 },
  };
  return {
    id: `fill ${fillId}`,
    type: 'fill',
    atMs: 1,
    payload: { event: { type: 'fill-received', ...key(venue), fill } },
  };
}

function fundingRow(venue: string, paymentId: string, settledAtMs: number): FactRow {
  const payment = { paymentId, symbol: 'ETH', amountMicro: 5n, rate: 0, signedLots: 0, settledAtMs };
  return {
    id: `funding ${paymentId}`,
    type: 'funding',
    atMs: 1,
    payload: { event: { type: 'funding-paid', ...key(venue), payment } },
  };
}

function fold(rows: readonly FactRow[]): History {
  const history = beginHistory();
  for (const row of rows) foldHistoryRow(history, row, (atMs) => atMs);
  return endHistory(history);
}

describe('a history folded row by row', () => {
  const row = fc.record({
    kind: fc.constantFrom('config', 'fill', 'funding', 'adjust', 'order', 'pair', 'event'),
    venue: fc.constantFrom('lighter', 'extended'),
    lots: fc.integer({ min: -9, max: 9 }).filter((lots) => lots !== 0),
    pair: fc.integer({ min: 1, max: 3 }),
    leg: fc.constantFrom('long', 'short'),
  });

  it('has the same book as one that knows every instrument from the start, wherever their rows come', () => {
    fc.assert(
      fc.property(fc.array(row, { maxLength: 40 }), (drawn) => {
        const rows = [
          ...drawn.map(({ kind, venue, lots, pair, leg }, at): FactRow => {
            const [id, pairId, clientOrderId] = [`row ${at}`, `ETH-${pair}`, `${venue}-${pair}-${leg}`];
            switch (kind) {
              case 'config':
                return configRow(venue);
              case 'fill':
                return fillRow(venue, String(at), lots, clientOrderId);
              case 'funding':
                return fundingRow(venue, String(at), at);
              case 'adjust': {
                const adjustment = { ...key(venue), changeLots: lots, priceNano: 3_000_000_000_000n, evidence: 'test' };
                return { id, type: 'adjust', atMs: at, payload: { adjustment, pairId } };
              }
              case 'order': {
                const order = {
                  ...{ ...key(venue), clientOrderId, pairId, leg, purpose: 'open', attempt: 1, side: 'buy', lots: 9 },
                  ...{ limitTicks: 1, reduceOnly: false, validUntilMs: 0, plannedAtMs: at },
                };
                return { id, type: 'order-planned', atMs: at, payload: { order } };
              }
              case 'event': {
                const event = {
                  ...{ type: 'order-changed', ...key(venue), clientOrderId, venueOrderId: 'v', status: 'accepted' },
                  ...{ code: '', reason: '', atMs: at, sequence: at },
                };
                return { id, type: 'order-event', atMs: at, payload: { event } };
              }
              default: {
                const record = {
                  pairId,
                  base: 'ETH',
                  revision: at,
                  phase: lots > 0 ? 'OPEN' : 'CLOSED',
                  exitReason: '',
                };
                const legs = { long: key('lighter'), short: key('extended') };
                return { id, type: 'pair-state', atMs: at, payload: { pair: { ...record, ...legs } } };
              }
            }
          }),
          // A fill of an instrument that no row defines breaks both; see below.
          configRow('extended'),
          configRow('lighter'),
        ];
        expect(fold(rows).book).toEqual(foldBook(rows));
      }),
      propertyRuns(),
    );
  });

  it('breaks at a fill of an instrument that no row defines', () => {
    expect(() => fold([configRow('lighter'), fillRow('extended', '1', 5), fundingRow('lighter', '2', 1)])).toThrow(
      'a fill must be of an instrument whose steps are journaled, was extended:ETH',
    );
  });

  it('remembers the newest 200 payments of a long history, and counts them all', () => {
    const rows = Array.from({ length: 1_111 }, (_, at) => fundingRow('lighter', String(at), at));
    const { payments, book } = fold(rows);
    expect(payments.map(({ settledAtMs }) => settledAtMs)).toEqual(Array.from({ length: 200 }, (_, at) => 911 + at));
    expect(book.ledger.books.get('lighter:main:ETH')).toMatchObject({ fundingPayments: 1_111, fundingMicro: 5_555n });
  });
});
