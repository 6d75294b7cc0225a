import { describe, expect, it } from 'vitest';
import type { MessageShape } from '../../src/runtime/actor.ts';
import { MessageTypes, type DeliveryByType } from '../../src/runtime/message-types.ts';

const ORDERS: DeliveryByType = { 'place-order': { class: 'must-deliver', priority: 'order' } };
const PRICES: DeliveryByType = { price: { class: 'market', keyFields: ['venue', 'symbol'] } };

describe('the table of message types', () => {
  it('gives the same numbers and hash whatever the order of its parts', () => {
    const left = new MessageTypes([ORDERS, PRICES]);
    const right = new MessageTypes([PRICES, ORDERS, PRICES]);
    expect([left.hash, left.byName('price')?.id]).toEqual([right.hash, right.byName('price')?.id]);
    expect(left.byId(left.byName('price')?.id ?? 0)?.name).toBe('price');
  });

  it('has another hash when any meaning differs', () => {
    const changed: DeliveryByType = { 'place-order': { class: 'must-deliver', priority: 'risk' } };
    expect(new MessageTypes([changed]).hash).not.toBe(new MessageTypes([ORDERS]).hash);
  });

  it('refuses two meanings of one type, naming both', () => {
    const other: DeliveryByType = { price: { class: 'state', keyFields: ['symbol'] } };
    expect(() => new MessageTypes([PRICES, other])).toThrow(
      'message type "price" must have one delivery in all tables, was market by (venue, symbol) and state by (symbol)',
    );
  });

  it('lets every watcher declare actor-down with the priority it likes', () => {
    const watching = (priority: 'risk' | 'normal'): DeliveryByType => ({
      'actor-down': { class: 'must-deliver', priority },
    });
    expect(() => new MessageTypes([watching('risk'), watching('normal')])).not.toThrow();
  });

  it('tells a thread whose kinds mean something else', () => {
    const table = new MessageTypes([ORDERS]);
    expect(() => table.assertContains([ORDERS])).not.toThrow();
    expect(() => table.assertContains([PRICES])).toThrow(/"price" must mean the same on every thread/);
  });

  it('keeps values of different keys apart and of one key together', () => {
    const price = new MessageTypes([PRICES]).byName('price');
    const key = (venue: string, symbol: string): string | undefined =>
      price?.keyOf({ type: 'price', venue, symbol } as MessageShape);
    expect(key('a', 'bc')).not.toBe(key('ab', 'c'));
    expect(key('a', 'b')).toBe(key('a', 'b'));
  });
});
