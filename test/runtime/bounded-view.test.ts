import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { boundedView } from '../../src/runtime/bounded-view.ts';

describe('a bounded view', () => {
  it('leaves small messages as they are', () => {
    const message = { type: 'fill', price: 12n, tags: ['a', null, true], nested: { at: undefined } };
    expect(boundedView(message)).toEqual(message);
  });

  it('shows a text whole or not at all', () => {
    expect(boundedView({ short: 'x'.repeat(512), long: 'x'.repeat(513) })).toEqual({
      short: 'x'.repeat(512),
      long: '[513 characters]',
    });
  });

  it('says what it leaves out', () => {
    expect(boundedView(new Uint8Array(9))).toBe('[9 bytes]');
    expect(boundedView([...Array(40).keys()])).toEqual([...Array(32).keys(), '[8 more]']);
    expect(boundedView(new Map([['k', 1]]))).toEqual([['k', 1]]);
    expect(boundedView({ a: { b: { c: { d: { e: { f: { g: 1 } } } } } } })).toEqual({
      a: { b: { c: { d: { e: { f: '[deeper]' } } } } },
    });
  });

  it('is small, whatever it is a view of', () => {
    fc.assert(
      fc.property(fc.anything({ maxDepth: 8, maxKeys: 60, withTypedArray: true, withMap: true }), (value) => {
        let nodes = 0;
        const count = (part: unknown): void => {
          nodes += 1;
          if (typeof part === 'object' && part !== null) for (const member of Object.values(part)) count(member);
        };
        count(boundedView(value));
        expect(nodes).toBeLessThanOrEqual(2_000);
      }),
    );
    const wide = Object.fromEntries(
      Array.from({ length: 32 }, (_, index) => [index, Array.from({ length: 32 }, () => ({ a: 1 }))]),
    );
    expect(JSON.stringify(boundedView(wide)).length).toBeLessThan(10_000);
  });
});
