import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { coreWaitMs } from '../../src/runtime/thread-core-wait.ts';

const ENTRY = new URL('core-wait-thread.ts', import.meta.url);
const COMPUTE_MS = 300;
const ROUNDS = 10;

describe('time a thread waits for a core', () => {
  it.skipIf(!existsSync('/proc/self/schedstat'))('is what it did not get while it computed (needs Linux)', async () => {
    const worker = new Worker(ENTRY);
    const errorsMs: number[] = [];
    // A core lost between two of the readings falsifies one round, not all of them.
    for (let round = 0; round < ROUNDS && !(Math.min(...errorsMs) < COMPUTE_MS / 3); round++) {
      worker.postMessage(COMPUTE_MS);
      const [told] = (await once(worker, 'message')) as [{ elapsedMs: number; onCoreMs: number; waitedMs: number }];
      // All of the time was spent on a core or waiting for one; the kernel counts both by itself.
      errorsMs.push(Math.abs(told.waitedMs - (told.elapsedMs - told.onCoreMs)));
    }
    expect(Math.min(...errorsMs)).toBeLessThan(COMPUTE_MS / 3);
    await worker.terminate();
  });

  it('is none where nobody tells', () => {
    expect(coreWaitMs(0)).toBe(0);
    expect(coreWaitMs(2 ** 30)).toBe(0);
  });
});
