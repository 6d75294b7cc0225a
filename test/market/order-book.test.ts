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

it('holds at most 200 levels per side, the best ones, whatever a venue sends', () => {
  const book = new OrderBook();
  const many = (from: number): (readonly [number, number])[] =>
    Array.from({ length: 1_000 }, (_, index) => [from + index, 7]);
  book.replace(many(1), many(2_001));
  expect([book.levels('bid'), book.levels('ask')]).toEqual([200, 200]);
  for (const [ticks, lots] of many(1_001)) book.set('bid', ticks, lots);
  for (const [ticks, lots] of many(3_001)) book.set('ask', ticks, lots);
  expect([book.levels('bid'), book.levels('ask')]).toEqual([200, 200]);
  expect(book.view('venue', 'BTC', 1, 2)).toMatchObject({
    bids: Array.from({ length: 20 }, (_, index) => [2_000 - index, 7]),
    asks: Array.from({ length: 20 }, (_, index) => [2_001 + index, 7]),
  });
});

it('adds a change to what rests at a price, and never to a size it has dropped', () => {
  const book = new OrderBook();
  book.replace(
    [],
    Array.from({ length: 205 }, (_, index) => [100 + index, 50]),
  );
  for (let ticks = 100; ticks < 110; ticks += 1) book.set('ask', ticks, 0);
  book.add('ask', 110, 5);
  book.add('ask', 111, -50);
  book.add('ask', 99, 3);
  // 300 to 304 rested there with 50 lots once: what a change of 5 makes of that is not known any more.
  book.add('ask', 302, 5);
  expect([99, 110, 111, 302].map((ticks) => book.lotsAt('ask', ticks))).toEqual([3, 55, 0, 0]);
  book.set('ask', 302, 6);
  book.add('ask', 302, 1);
  expect(book.lotsAt('ask', 302)).toBe(7);
});
