/** Worker entry of `ping-pong`: a thread of the actor system, or one that sends a port's messages back. */
import { workerData, type MessagePort } from 'node:worker_threads';
import { CONTROL_PORT_KEY, hostActors } from '../../src/runtime/actor-host.ts';
import { player } from './echo-actors.ts';

export interface EchoOrder {
  readonly port: MessagePort;
  /** Absent for who only sends back. */
  readonly roundsMs?: Float64Array;
  readonly played?: Int32Array;
}

const data: unknown = workerData;
if (typeof data === 'object' && data !== null && CONTROL_PORT_KEY in data)
  hostActors({ kinds: [player], portsFor: () => ({}) });
else playOverPort(data as EchoOrder);

function playOverPort({ port, roundsMs, played }: EchoOrder): void {
  if (roundsMs === undefined || played === undefined) {
    port.on('message', (message: unknown) => port.postMessage(message));
    return;
  }
  let number = 0;
  let servedAtMs = performance.now();
  port.on('message', () => {
    const nowMs = performance.now();
    roundsMs[number] = nowMs - servedAtMs;
    number += 1;
    Atomics.store(played, 0, number);
    if (number === roundsMs.length) return;
    servedAtMs = nowMs;
    port.postMessage({ type: 'ball', number, atMs: nowMs });
  });
  port.postMessage({ type: 'ball', number, atMs: servedAtMs });
}
