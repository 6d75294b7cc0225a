/** Thread of thread-core-wait.test.ts: tells its kernel number, computes for a while, and tells how long it was at it. */
import { parentPort } from 'node:worker_threads';
import { kernelThread } from '../../src/runtime/thread-core-wait.ts';

parentPort?.once('message', (computeMs: number) => {
  const began = process.threadCpuUsage();
  const startedAtMs = performance.now();
  while (performance.now() - startedAtMs < computeMs);
  const { user, system } = process.threadCpuUsage(began);
  parentPort?.postMessage({ elapsedMs: performance.now() - startedAtMs, onCoreMs: (user + system) / 1_000 });
});
parentPort?.postMessage(kernelThread());
