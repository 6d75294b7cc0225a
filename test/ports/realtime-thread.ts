/** Thread of realtime-priority.test.ts: asks for real time, tells what it was granted and how the kernel schedules a thread it starts. */
import { readFileSync } from 'node:fs';
import { parentPort, Worker, workerData } from 'node:worker_threads';
import { runThreadRealtime, type REALTIME_PRIORITY } from '../../src/ports/live/realtime-priority.ts';

/** As `chrt --pid` reads it: a word per thread, here from the kernel's own file. */
function policy(): number {
  return Number(/^policy\s*:\s*(\d+)$/m.exec(readFileSync('/proc/thread-self/sched', 'latin1'))?.[1]);
}

/** A real-time thread's, 1 and up: the kernel counts downwards from 98 there. */
function priority(): number {
  return 99 - Number(/^prio\s*:\s*(\d+)$/m.exec(readFileSync('/proc/thread-self/sched', 'latin1'))?.[1]);
}

if (workerData === 'child') {
  parentPort?.postMessage(policy());
} else {
  const role = workerData as keyof typeof REALTIME_PRIORITY;
  runThreadRealtime(role, (verdict) => {
    const child = new Worker(new URL(import.meta.url), { workerData: 'child' });
    child.once('message', (childPolicy: number) => {
      parentPort?.postMessage({ verdict, policy: policy(), priority: priority(), childPolicy });
    });
  });
}
