import { describe, expect, it } from 'vitest';
import { chooseCandidates, createCandidateTable } from '../../actors/strategy/candidate-table.ts';
import type { CandidateTable } from '../../actors/strategy/candidate-table.ts';
import { entryPolicy } from '../strategy/candidates.ts';

const ONE = { venue: 'lighter', account: 'main' };
const OTHER = { venue: 'extended', account: 'main' };
/** 20 % a year, in pico per hour: the least that the policy enters for. */
const LEAST_PICO = Math.ceil((0.2 / 8_760) * 1e12);

/** `count` bases whose candidates pay, by index, this much per hour to be short at the second account. */
function tableOf(count: number, hourlyOf: (index: number) => number): CandidateTable {
  const bases = Array.from({ length: count }, (_, index) => `B${index}`);
  const table = createCandidateTable(bases, [[ONE, OTHER]]);
  for (const [index, { long, short }] of table.candidates.entries()) {
    for (const leg of [long, short]) leg.mark = 100;
    long.hourly = 0;
    short.hourly = hourlyOf(index);
  }
  return table;
}

const chosen = (table: CandidateTable, nowMs = 0): readonly string[] => {
  const { inTurn, rich } = chooseCandidates(table, nowMs, entryPolicy);
  return [...inTurn, ...rich].map(({ base }) => base);
};

describe('which candidates a scan looks at', () => {
  it('is all of them where there are few', () => {
    expect(chosen(tableOf(10, () => 0))).toHaveLength(10);
  });

  it('is every one that carries enough, at every scan, wherever it stands', () => {
    const table = tableOf(500, (index) => (index === 499 ? LEAST_PICO : LEAST_PICO - 10));
    for (let scan = 0; scan < 20; scan++) expect(chosen(table)).toContain('B499');
    expect(chosen(table).length).toBeLessThan(50);
  });

  it('comes round to each of the others', () => {
    const table = tableOf(500, () => 0);
    const seen = new Set<string>();
    for (let scan = 0; scan < 32; scan++) for (const base of chosen(table)) seen.add(base);
    expect(seen.size).toBe(500);
  });

  it('is bounded when all carry enough, and then those that carry most', () => {
    const table = tableOf(500, (index) => LEAST_PICO + index);
    const bases = chosen(table);
    expect(bases.length).toBeLessThan(150);
    expect(bases).toEqual(expect.arrayContaining(Array.from({ length: 96 }, (_, back) => `B${499 - back}`)));
  });

  it('is none before marks and rates are known, except in turn', () => {
    const table = createCandidateTable(
      Array.from({ length: 500 }, (_, index) => `B${index}`),
      [[ONE, OTHER]],
    );
    expect(chosen(table)).toHaveLength(16);
  });
});

it('counts positive carries 20 minutes apart for every candidate, judged or not', () => {
  const table = tableOf(500, (index) => (index % 2 === 0 ? 1 : -1));
  for (const minutes of [0, 5, 20, 39, 40]) chosen(table, minutes * 60_000);
  expect(table.candidates.map(({ carry }) => carry.streak)).toEqual(
    Array.from({ length: 500 }, (_, index) => (index % 2 === 0 ? 3 : 0)),
  );
});
