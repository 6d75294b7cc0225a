/** Task of the piscina peer: its worker keeps the other side's actors between tasks. */
import { workerData } from 'node:worker_threads';
import type { SideOrder } from './peer.ts';
import type { PiscinaTask } from './piscina.ts';
import { sideOf } from './side.ts';

let told: PiscinaTask[] = [];
// The pool wraps its own data around ours.
const side = sideOf(orderOf(workerData), (path, message) => void told.push([path, message]));

export default function deliver([path, message]: PiscinaTask): readonly PiscinaTask[] {
  told = [];
  side.deliver(path, message);
  return told;
}

function orderOf(data: unknown): SideOrder {
  return (Array.isArray(data) ? data[1] : data) as SideOrder;
}
