/** Checks what comes back over a thread's or a process's edge. Any thread. */
import type { RunReport } from './program.ts';

/** Returns the value as a report; throws when it is none. */
export function anyReport(value: unknown): RunReport {
  if (
    typeof value === 'object' &&
    value !== null &&
    'elapsedMs' in value &&
    typeof value.elapsedMs === 'number' &&
    'answer' in value &&
    typeof value.answer === 'number'
  )
    return { elapsedMs: value.elapsedMs, answer: value.answer };
  throw new Error(`a run must report elapsedMs and answer, was ${JSON.stringify(value)}`);
}
