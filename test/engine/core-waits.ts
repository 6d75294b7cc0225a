/** How long the threads of this process had to wait for a core: what a test that bounds a time must not count. */
import { readdirSync } from 'node:fs';
import { coreWaitMs } from '../../src/runtime/thread-core-wait.ts';

/** Returns the ms each thread has waited since it began, by the kernel's number; nothing where there is no /proc. */
export function coreWaits(): ReadonlyMap<number, number> {
  try {
    const threads = readdirSync('/proc/self/task').map(Number);
    return new Map(threads.map((thread) => [thread, coreWaitMs(thread)]));
  } catch {
    return new Map();
  }
}

/** Returns the ms that all threads of now, added up, have waited since `before`; new threads count from their begin. */
export function waitedSince(before: ReadonlyMap<number, number>): number {
  let waitedMs = 0;
  for (const [thread, waited] of coreWaits()) waitedMs += Math.max(0, waited - (before.get(thread) ?? 0));
  return waitedMs;
}
