import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createCandidateTable } from '../../actors/strategy/candidate-table.ts';
import type { CandidateTable } from '../../actors/strategy/candidate-table.ts';
import { candidatesToTell } from '../../actors/strategy/told-candidates.ts';

const VENUES = ['lighter', 'extended', 'bybit'].map((venue) => ({ venue, account: 'main' }));
const DIRECTIONS = VENUES.flatMap((long) =>
  VENUES.flatMap((short) => (short === long ? [] : ([[long, short]] as const))),
);

/** A table in which some candidates were judged; few different carries, so that many are alike. */
function tableOf(carries: readonly (number | undefined)[]): CandidateTable {
  const bases = Array.from({ length: Math.ceil(carries.length / DIRECTIONS.length) }, (_, index) => `B${index}`);
  const table = createCandidateTable(bases, DIRECTIONS);
  for (const candidate of table.candidates) {
    const netAprPct = carries[candidate.index];
    if (netAprPct === undefined) continue;
    const { base, long, short } = candidate;
    const names = { base, longVenue: long.name.venue, shortVenue: short.name.venue };
    candidate.seen = { ...names, verdict: 'CARRY_TOO_SMALL', detail: '', netAprPct, expectedValueQuote: 0 };
    table.netAprPct[candidate.index] = netAprPct;
  }
  return table;
}

/** The rule without any haste: all of them sorted, then the first hundred and whatever comes first of its base. */
function slowly({ candidates }: CandidateTable): readonly (readonly [string, string, string, number])[] {
  const told = new Set<string>();
  return candidates
    .map(({ base, long, short, seen }) => [base, long.name.venue, short.name.venue, seen?.netAprPct ?? 0] as const)
    .toSorted((one, other) => other[3] - one[3])
    .filter(([base], index) => {
      const isFirst = !told.has(base);
      told.add(base);
      return isFirst || index < 100;
    });
}

it('tells the hundred largest carries and the best of every base, in the order of a sort', () => {
  const carry = fc.option(fc.constantFrom(-20, -5, 0, 3, 3.5, 70), { nil: undefined });
  let isCut = false;
  fc.assert(
    fc.property(fc.array(carry, { maxLength: 600, size: 'max' }), (carries) => {
      const table = tableOf(carries);
      const told = candidatesToTell(table);
      isCut ||= told.length > 100 && told.length < table.candidates.length;
      expect(
        told.map(({ base, longVenue, shortVenue, netAprPct }) => [base, longVenue, shortVenue, netAprPct]),
      ).toEqual(slowly(table));
    }),
    { numRuns: 60 },
  );
  expect(isCut).toBe(true);
});
