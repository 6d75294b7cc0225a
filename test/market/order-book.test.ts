import fc from 'fast-check';
import { expect, it } from 'vitest';
import { OrderBook } from '../../src/market/order-book.ts';

const level = fc.tuple(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 0, max: 9 }));
const change = fc.tuple(fc.constantFrom('bid' as const, 'ask' as const), level);

it('holds the same levels, best first, as a plain map after any replacement and any changes', () => {
  fc.assert(
    fc.property(fc.array(level), fc.array(level), fc.array(change), (bids, asks, changes) => {
      const book = new OrderBook();
      const plain = { bid: new Map(bids), ask: new Map(asks) };
      book.replace(bids, asks);
      for (const [side, [ticks, lots]] of changes) {
        plain[side].set(ticks, lots);
        book.set(side, ticks, lots);
        expect(book.lotsAt(side, ticks)).toBe(lots);
      }
      const levels = (side: 'bid' | 'ask', sign: number): unknown =>
        [...plain[side]]
          .filter(([, lots]) => lots > 0)
          .sort(([left], [right]) => sign * (left - right))
          .slice(0, 20);
      expect(book.view('venue', 'BTC', 1, 2)).toEqual({
        venue: 'venue',
        symbol: 'BTC',
        bids: levels('bid', -1),
        asks: levels('ask', 1),
        venueAtMs: 1,
        receivedAtMonotonicMs: 2,
      });
    }),
  );
});

it('is crossed when the best bid reaches the best ask, and not when a side is empty', () => {
  const book = new OrderBook();
  expect(book.crossed()).toBe(false);
  book.replace([[10, 1]], [[11, 1]]);
  expect(book.crossed()).toBe(false);
  book.set('bid', 11, 1);
  expect(book.crossed()).toBe(true);
  book.set('ask', 11, 0);
  expect(book.crossed()).toBe(false);
});
