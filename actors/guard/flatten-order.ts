/** In which order pairs hear that everything is to be closed. Pure. */
import type { Engine } from '../../src/risk/engine-state.ts';
import { positionRef } from '../addresses.ts';
import type { PairChanged } from '../position-messages.ts';

/** Whoever is nearest to a liquidation first: the venues' limits may make the others wait. Unknown distances count as far. */
export function byLiquidationDistance(
  paths: readonly string[],
  pairs: ReadonlyMap<string, PairChanged>,
  engine: Engine,
): readonly string[] {
  if (!engine.flatten) return paths;
  const distanceByPath = new Map(
    [...pairs].map(([base, pair]) => [positionRef(base).path, pair.liquidationDistance ?? Number.POSITIVE_INFINITY]),
  );
  // Those who hold nothing (strategy, observer) do not wait for it.
  const distanceOf = (path: string): number => distanceByPath.get(path) ?? Number.NEGATIVE_INFINITY;
  return paths.toSorted((one, other) => compare(distanceOf(one), distanceOf(other)));
}

/** Two infinities are equal, which their difference is not. */
function compare(one: number, other: number): number {
  return one < other ? -1 : one > other ? 1 : 0;
}
