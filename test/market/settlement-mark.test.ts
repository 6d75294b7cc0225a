import { expect, it } from 'vitest';
import { markAt, noteMark } from '../../src/market/settlement-mark.ts';
import type { SettlementMarks } from '../../src/market/settlement-mark.ts';

const HOUR_MS = 3_600_000;
const SETTLE_MS = 1_767_225_600_000;

function told(...marks: readonly (readonly [afterMs: number, markNano: bigint])[]): SettlementMarks {
  return marks.reduce<SettlementMarks>((known, [afterMs, nano]) => noteMark(known, nano, SETTLE_MS + afterMs), []);
}

it('the mark of a settlement is the one told nearest to it, before or after', () => {
  expect(markAt(told([-60_000, 1n], [-10_000, 2n], [20_000, 3n], [200_000, 4n]), SETTLE_MS)).toBe(2n);
  expect(markAt(told([-60_000, 1n], [-10_000, 2n], [5_000, 3n], [200_000, 4n]), SETTLE_MS)).toBe(3n);
});

it('it is still known an hour later, and forgotten after two', () => {
  const later = told([0, 1n], [HOUR_MS, 2n]);
  expect([SETTLE_MS, SETTLE_MS + HOUR_MS].map((atMs) => markAt(later, atMs))).toEqual([1n, 2n]);
  expect(markAt(told([0, 1n], [HOUR_MS, 2n], [2 * HOUR_MS, 3n]), SETTLE_MS)).toBeUndefined();
});

it('marks far from any hour, late ones of an earlier hour, and other times say nothing', () => {
  expect(told([HOUR_MS / 2, 1n], [-310_000, 2n])).toEqual([]);
  const known = told([HOUR_MS, 5n]);
  expect(noteMark(known, 6n, SETTLE_MS)).toBe(known);
  expect(markAt(known, SETTLE_MS + 1)).toBeUndefined();
});
