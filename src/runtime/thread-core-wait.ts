/** How long threads of this process were ready to run and had no core, as Linux counts it; other systems do not tell. Any thread. */
import { readFileSync, readlinkSync } from 'node:fs';

/** Returns the kernel's number of the calling thread; 0 where it is not known. */
export function kernelThread(): number {
  try {
    return Number(readlinkSync('/proc/thread-self').split('/').at(-1));
  } catch {
    // Not Linux.
    return 0;
  }
}

/** Returns the ms a thread has waited for a core since it began; 0 where the kernel does not tell, or the thread is gone. */
export function coreWaitMs(thread: number): number {
  if (thread === 0) return 0;
  try {
    // proc(5): ns on a core, ns waiting for one, times on one.
    const waitedNs = Number(readFileSync(`/proc/self/task/${thread}/schedstat`, 'latin1').split(' ')[1]);
    return Number.isFinite(waitedNs) ? waitedNs / 1e6 : 0;
  } catch {
    return 0;
  }
}
