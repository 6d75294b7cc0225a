/** Thread of thread-core-wait.test.ts: computes for a while, and tells how long it was at it, on a core and waiting for one. */
import { parentPort } from 'node:worker_threads';
import { coreWaitMs, kernelThread } from '../../src/runtime/thread-core-wait.ts';

parentPort?.on('message', (computeMs: number) => {
  const thread = kernelThread();
  const waitedBefore = coreWaitMs(thread);
  const began = process.threadCpuUsage();
  const startedAtMs = performance.now();
  while (performance.now() - startedAtMs < computeMs);
  const elapsedMs = performance.now() - startedAtMs;
  const { user, system } = process.threadCpuUsage(began);
  const waitedMs = coreWaitMs(thread) - waitedBefore;
  parentPort?.postMessage({ elapsedMs, onCoreMs: (user + system) / 1_000, waitedMs });
});
