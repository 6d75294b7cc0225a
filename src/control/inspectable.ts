/** All that the control server knows of the engine: who implements this can be inspected and steered. Types only; main thread. */
import type { ActorPath, MessageShape, TellOutcome } from '../runtime/actor.ts';
import type { ActorInspection, SystemSnapshot } from '../runtime/snapshot.ts';

export interface Readiness {
  readonly ready: boolean;
  /** What is still missing, in words; empty when ready. */
  readonly reasons: readonly string[];
}

export interface Inspectable {
  /** Asks every thread and waits for none longer than about half a second. */
  snapshot(): Promise<SystemSnapshot>;
  /** Returns undefined when no actor lives at the path, or its thread does not answer. */
  inspect(path: ActorPath): Promise<ActorInspection | undefined>;
  tell(path: ActorPath, message: MessageShape): TellOutcome;
  readiness(): Promise<Readiness>;
}
