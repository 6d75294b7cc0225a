/** The whole public picture in one answer: what the dashboard's pages are drawn from. Types only; main thread. */
import type { TradingSummary } from '../../actors/observer.ts';
import type { JournalVerdict } from '../storage/verdict.ts';
import type { Readiness } from './inspectable.ts';

/** What `GET /debug/summary` answers. */
export interface EngineSummary {
  readonly mode: string;
  readonly readiness: Readiness;
  /** How many times this data directory has been started. */
  readonly boot: number;
  /** What the opening of the journal found. */
  readonly journal: JournalVerdict;
  /** Calendar ms as the actors see it; in the demo it runs faster than ours. */
  readonly nowMs: number;
  /** Absent while the observer does not answer. */
  readonly trading?: TradingSummary;
  /** By simulated venue this engine hosts: the faults it can be told to play. Empty where venues are real. */
  readonly faults: Readonly<Record<string, readonly string[]>>;
}
