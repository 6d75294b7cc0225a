/** A peer running the same program, in worker threads of its own. Main thread only. */
import { Worker } from 'node:worker_threads';
import type { PeerOrder } from './peers/peer-worker.ts';
import type { PeerName, Program, SizeName } from './program.ts';
import { anyReport } from './report.ts';
import type { Subject } from './subject.ts';

const ENTRY = new URL('./peers/peer-worker.ts', import.meta.url);

export async function startPeer(peer: PeerName, program: Program, size: SizeName, threads: 1 | 2): Promise<Subject> {
  const workerData: PeerOrder = { peer, program: program.name, size, threads };
  const worker = new Worker(ENTRY, { workerData, stdout: true });
  const next = (): Promise<unknown> =>
    new Promise((resolve, reject) => {
      const settle = (message: unknown): void => {
        worker.off('error', reject);
        resolve(message);
      };
      worker.once('message', settle);
      worker.once('error', reject);
    });
  await next();
  return {
    name: peer,
    run: async () => {
      const answer = next();
      worker.postMessage('run');
      return anyReport(await answer);
    },
    close: async () => void (await worker.terminate()),
  };
}
