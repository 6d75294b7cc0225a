/** All that the control server knows of the engine: who implements this can be inspected and steered. Types only; main thread. */
import type { ActorPath, MessageShape, TellOutcome } from '../runtime/actor.ts';
import type { ActorInspection, MailboxView, SystemSnapshot } from '../runtime/snapshot.ts';
import type { EngineSummary } from './engine-summary.ts';
import type { ReadRows } from './journal-view.ts';
import type { Trace } from '../runtime/trace-store.ts';

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
  /** Shows waiting messages and takes none; `limit` is 20 when absent. Undefined as for `inspect`. */
  peek(path: ActorPath, options?: { readonly limit?: number }): Promise<MailboxView | undefined>;
  /** Sampled causal traces still kept, newest first. */
  traces(): Promise<readonly Trace[]>;
  /** False when no such actor lives or its thread does not answer. */
  pauseActor(path: ActorPath): Promise<boolean>;
  resumeActor(path: ActorPath): Promise<boolean>;
  restartActor(path: ActorPath): Promise<boolean>;
  tell(path: ActorPath, message: MessageShape): TellOutcome;
  readiness(): Promise<Readiness>;
  /** The whole public picture. */
  summary(): Promise<EngineSummary>;
  /** Asks the journal for a page. Rejects when it does not answer. */
  readRows: ReadRows;
  /** Makes a simulated venue this engine hosts misbehave. Throws RangeError when it hosts none of that name or the fault is none of its own. */
  inject(venue: string, fault: string): void;
}
