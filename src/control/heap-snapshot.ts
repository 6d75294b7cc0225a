/** Writes the main thread's heap to a file of the data directory, for whoever hunts a leak. Stops the thread meanwhile. Main thread only. */
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { writeHeapSnapshot } from 'node:v8';

/** Returns the file. It holds whatever the heap holds, secrets as text included: readable by its owner only, and never sent anywhere. */
export function writeHeap(directory: string, nowMs: number): string {
  const file = join(directory, `heap-${new Date(nowMs).toISOString().replace(/[:.]/g, '-')}.heapsnapshot`);
  // Made before it is written, so that there is no moment in which others could read it.
  closeSync(openSync(file, 'wx', 0o600));
  return writeHeapSnapshot(file);
}
