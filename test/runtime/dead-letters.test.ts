import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DeadLetters, mergeDeadLetters } from '../../src/runtime/dead-letters.ts';
import type { DeadLetter } from '../../src/runtime/snapshot.ts';

function letter(atMs: number, reason = 'stopped', path = 'somebody'): DeadLetter {
  return { path, type: 'news', reason, from: 'me', atMs };
}

describe('the store of dead letters', () => {
  it('counts all by reason and by path, and keeps the newest so many, oldest first', () => {
    const reasons = fc.constantFrom('poison', 'stopped', 'no-such-actor');
    const paths = fc.constantFrom('a', 'b', 'c');
    fc.assert(
      fc.property(
        fc.array(fc.tuple(reasons, paths), { maxLength: 60 }),
        fc.integer({ min: 1, max: 20 }),
        (all, max) => {
          const letters = all.map(([reason, path], index) => letter(index, reason, path));
          const store = new DeadLetters(max);
          for (const each of letters) store.add(each);
          const { total, byReason, latest } = store.snapshot();
          expect(total).toBe(letters.length);
          expect(latest).toEqual(letters.slice(-max));
          for (const reason of new Set(letters.map((each) => each.reason)))
            expect(byReason[reason]).toBe(letters.filter((each) => each.reason === reason).length);
          for (const path of ['a', 'b', 'c'])
            expect(store.countFor(path)).toBe(letters.filter((each) => each.path === path).length);
        },
      ),
    );
  });

  it('does not grow with made-up paths', () => {
    const store = new DeadLetters(5);
    for (let index = 0; index < 10_500; index++) store.add(letter(index, 'no-such-actor', `made-up/${index}`));
    expect([store.countFor('made-up/9999'), store.countFor('made-up/10000')]).toEqual([1, 0]);
    store.add(letter(1, 'no-such-actor', 'made-up/9999'));
    expect(store.countFor('made-up/9999')).toBe(2);
    expect(store.snapshot()).toMatchObject({ total: 10_501, byReason: { 'no-such-actor': 10_501 } });
    expect(store.snapshot().latest).toHaveLength(5);
  });

  it('of several threads is one: sums, and the newest letters of all', () => {
    const left = new DeadLetters(3);
    const right = new DeadLetters(3);
    for (const atMs of [1, 4, 6]) left.add(letter(atMs, 'poison'));
    for (const atMs of [2, 3, 5]) right.add(letter(atMs));
    const merged = mergeDeadLetters([left.snapshot(), right.snapshot()], 4);
    expect(merged).toMatchObject({ total: 6, byReason: { poison: 3, stopped: 3 } });
    expect(merged.latest.map(({ atMs }) => atMs)).toEqual([3, 4, 5, 6]);
  });
});
