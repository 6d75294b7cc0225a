/** Worker entry of the restart benchmarks; says it is there to who listens, as the baseline wants. */
import { isMainThread, parentPort, workerData } from 'node:worker_threads';
import { CONTROL_PORT_KEY, hostActors } from '../../src/runtime/actor-host.ts';
import { phoenix } from './restart-actors.ts';

const isOfSystem = typeof workerData === 'object' && workerData !== null && CONTROL_PORT_KEY in workerData;
if (isOfSystem) hostActors({ kinds: [phoenix], portsFor: () => ({}) });
else if (!isMainThread) {
  parentPort?.on('message', (message: unknown) => parentPort?.postMessage(message));
  parentPort?.postMessage('ready');
}
