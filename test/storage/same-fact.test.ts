import { describe, expect, it } from 'vitest';
import { encodeRow } from '../../src/storage/hash-chain.ts';
import type { JournalRow } from '../../src/storage/rows.ts';
import { factDifference } from '../../src/storage/same-fact.ts';
import { row } from './rows.ts';

const FILL = {
  fillId: '9',
  symbol: 'BTC',
  clientOrderId: '77',
  venueOrderId: '5',
  side: 'buy',
  priceTicks: 600_001,
  lots: 20,
  feeMicro: -1_200n,
  liquidity: 'taker',
  venueAtMs: 1_000,
};

function compared(stored: Partial<JournalRow>, repeated: Partial<JournalRow>): string | undefined {
  return factDifference(encodeRow(row('a', stored)), encodeRow(row('a', repeated)));
}

const fill = (change: object): Partial<JournalRow> => ({
  payload: { event: { type: 'fill-received', symbol: 'BTC', fill: { ...FILL, ...change } } },
});
const order = (change: object): Partial<JournalRow> => ({
  type: 'order-event',
  payload: { event: { type: 'order-changed', symbol: 'BTC', code: '', reason: 'done', atMs: 5, ...change } },
});

describe('a row that comes again states the same fact', () => {
  it.each([
    ['word for word', fill({}), fill({})],
    ['written later by another actor', { ...fill({}), atMs: 1, actor: 'x' }, { ...fill({}), atMs: 2, actor: 'y' }],
    ['a fill whose order the list does not name', fill({}), fill({ clientOrderId: '' })],
    ['a fill whose order only the list names', fill({ clientOrderId: '' }), fill({})],
    ['a fill told at another time', fill({}), fill({ venueAtMs: 2_000 })],
    ['an order told in other words', order({}), order({ reason: 'cancelled by you', atMs: 6 })],
    ['members in another order', { payload: { a: 1, b: 2n } }, { payload: { b: 2n, a: 1 } }],
  ])('%s', (_, stored, repeated) => {
    expect(compared(stored, repeated)).toBeUndefined();
  });
});

describe('a row that comes again states another fact', () => {
  it.each([
    ['fill, price', fill({}), fill({ priceTicks: 600_002 }), 'priceTicks 600001 and 600002'],
    ['fill, quantity', fill({}), fill({ lots: 21 }), 'lots 20 and 21'],
    ['fill, fee', fill({}), fill({ feeMicro: -1_201n }), 'feeMicro "-1200n" and "-1201n"'],
    ['fill, side', fill({}), fill({ side: 'sell' }), 'side "buy" and "sell"'],
    ['fill, order', fill({}), fill({ clientOrderId: '78' }), 'clientOrderId "77" and "78"'],
    ['type', fill({}), { ...fill({}), type: 'intent' as const }, 'type fill and intent'],
    ['order, code', order({}), order({ code: 'MARGIN' }), 'code "" and "MARGIN"'],
    ['own row', { payload: { a: 1, b: 2n } }, { payload: { a: 1, b: 3n } }, 'b "2n" and "3n"'],
    ['own row, member gone', { payload: { a: 1, b: 2 } }, { payload: { a: 1 } }, 'b 2 and absent'],
    ['number and text', { payload: { a: 1 } }, { payload: { a: '1' } }, 'a 1 and "1"'],
  ])('%s', (_, stored, repeated, difference) => {
    expect(compared(stored, repeated)).toBe(difference);
  });
});
