/** When pairs of this symbol were closed for better ones: the budget of a day outlives its counter's process. Pure, any thread. */
import type { FactRow } from './facts.ts';
import type { PairRecord } from './pair.ts';

/** More rotations of one symbol than any budget of a day allows. */
const ROTATIONS_MAX = 16;

/** Adds a pair that was closed by a rotation; one that is known already, or was closed by anything else, adds nothing. */
export function addRotation(
  rotatedAtMs: readonly number[],
  { phase, exitReason, closedAtMs }: Pick<PairRecord, 'phase' | 'exitReason' | 'closedAtMs'>,
): readonly number[] {
  if (phase !== 'CLOSED' || exitReason !== 'ROTATION' || rotatedAtMs.includes(closedAtMs)) return rotatedAtMs;
  return [...rotatedAtMs, closedAtMs].slice(-ROTATIONS_MAX);
}

/** Adds the next of one symbol's rows in sequence order. */
export function foldRotationRow(rotatedAtMs: readonly number[], row: FactRow): readonly number[] {
  if (row.type !== 'pair-state') return rotatedAtMs;
  // Written by the position actor alone, the whole record under `pair`.
  const { pair } = row.payload as { readonly pair?: PairRecord };
  return pair === undefined ? rotatedAtMs : addRotation(rotatedAtMs, pair);
}
