/** The guard's death watch over the actors that hold positions and write the journal. Trading thread. */
import { refOf } from '../../src/runtime/actor.ts';
import type { ActorDown, Self } from '../../src/runtime/actor.ts';
import type { GuardMessage } from '../guard-messages.ts';

export interface CrashWatch {
  /** The last life of each that was seen to end. */
  readonly lastDown: Map<string, number>;
  watchedAtMs: number;
}

/** Ends that nobody has to answer for: a wish of the supervisor or of an operator, and a move to another thread. */
const ORDERLY: ReadonlySet<string> = new Set(['stopped', 'ended', 'moved', 'normal', 'shutdown', 'retired']);
/** A watch set before its actor was placed is lost: set again from time to time, which changes nothing where it stands. */
const AGAIN_MS = 5_000;

/** Called every tick. */
export function watchActors(watch: CrashWatch, self: Self<GuardMessage>, paths: readonly string[]): void {
  if (self.monotonicMs() - watch.watchedAtMs < AGAIN_MS) return;
  watch.watchedAtMs = self.monotonicMs();
  for (const path of paths) self.watch(refOf(path));
}

/** Returns whether this end is a crash that was not counted yet, and watches the next life. */
export function isNewCrash(watch: CrashWatch, self: Self<GuardMessage>, down: ActorDown): boolean {
  const { path, incarnation, reason } = down;
  // Of one that was stopped for good there may be no next life: the regular look finds it if there is.
  if (ORDERLY.has(reason)) return false;
  self.watch(refOf(path));
  if ((watch.lastDown.get(path) ?? 0) >= incarnation) return false;
  watch.lastDown.set(path, incarnation);
  return true;
}
