/** Says which candidates the observer is told of, and what of each. Trading thread; reads only. */
import type { OpportunitiesScanned } from '../strategy-messages.ts';
import type { CandidateTable, TableCandidate } from './candidate-table.ts';

type ToldCandidate = OpportunitiesScanned['candidates'][number];
type Table = Pick<CandidateTable, 'candidates' | 'netAprPct'>;

/** Candidates told beside the best one of every base: enough for any screen. */
const CANDIDATES_TOLD_MAX = 100;

/**
 * Returns the largest carries and the best candidate of every base, largest carry first, else in the table's order: whoever asks why a
 * base is not traded gets an answer.
 */
export function candidatesToTell({ candidates, netAprPct }: Table): readonly ToldCandidate[] {
  // A large market has thousands, and few are told: numbers are looked at before anything is made or compared.
  const least = netAprPct.slice().sort().at(-CANDIDATES_TOLD_MAX) ?? -Infinity;
  // Of those that carry just as much as the last one told, the first in the table.
  let level = CANDIDATES_TOLD_MAX;
  for (let index = 0; index < netAprPct.length; index++) if ((netAprPct[index] ?? 0) > least) level -= 1;

  const chosen = new Set<number>();
  let best = 0;
  for (let index = 0; index < netAprPct.length; index++) {
    const carry = netAprPct[index] ?? 0;
    const base = candidates[index]?.base;
    if (base !== candidates[best]?.base || carry > (netAprPct[best] ?? 0)) best = index;
    if (carry > least || (carry === least && level-- > 0)) chosen.add(index);
    if (base !== candidates[index + 1]?.base) chosen.add(best);
  }
  return [...chosen]
    .sort((one, other) => (netAprPct[other] ?? 0) - (netAprPct[one] ?? 0) || one - other)
    .flatMap((index) => {
      const candidate = candidates[index];
      return candidate === undefined ? [] : [lastSeen(candidate)];
    });
}

/** A candidate that no gate has refused yet has at least not been looked at: that is its reason. */
function lastSeen({ base, long, short, seen }: TableCandidate): ToldCandidate {
  if (seen !== undefined) return seen;
  const names = { base, longVenue: long.name.venue, shortVenue: short.name.venue };
  const waits = { verdict: 'NOT_JUDGED_YET', detail: 'carries too little to be judged before its turn' };
  return { ...names, ...waits, netAprPct: 0, expectedValueQuote: 0 };
}
