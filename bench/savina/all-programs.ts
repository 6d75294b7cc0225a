/** Every program, for threads that get its name only. Any thread. */
import type { AnyActorKind } from '../../src/runtime/kind-registry.ts';
import type { Program } from './program.ts';
import { program as banking } from './savina-banking.ts';
import { program as big } from './savina-big.ts';
import { program as chameneos } from './savina-chameneos.ts';
import { program as counting } from './savina-counting.ts';
import { program as dictionary } from './savina-dictionary.ts';
import { program as forkJoin } from './savina-fork-join.ts';
import { program as philosophers } from './savina-philosophers.ts';
import { program as pingPong } from './savina-ping-pong.ts';
import { program as threadRing } from './savina-thread-ring.ts';
import { program as fanOut } from './shape-fan-out.ts';
import { program as oneToOne } from './shape-one-to-one.ts';
import { program as shapePingPong } from './shape-ping-pong.ts';
import { program as threeToOne } from './shape-three-to-one.ts';

export const allPrograms: readonly Program[] = [
  pingPong,
  counting,
  forkJoin,
  threadRing,
  big,
  chameneos,
  dictionary,
  banking,
  philosophers,
  oneToOne,
  threeToOne,
  fanOut,
  shapePingPong,
];

/** Returns the kinds of all programs: threads of one system must know the same message types. */
export function allKinds(): readonly AnyActorKind[] {
  return [...new Set(allPrograms.flatMap(({ kinds }) => kinds))];
}

/** Returns the program of that name; throws when there is none. */
export function programNamed(name: string): Program {
  const program = allPrograms.find((candidate) => candidate.name === name);
  if (program === undefined) throw new Error(`program must be one of the suite's, was "${name}"`);
  return program;
}
