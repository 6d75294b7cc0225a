/** Worker entry: the other side of the postMessage peer. */
import { parentPort, workerData } from 'node:worker_threads';
import type { MessagePort } from 'node:worker_threads';
import type { MessageShape } from '../../../src/runtime/actor.ts';
import type { SideOrder } from './peer.ts';
import { sideOf } from './side.ts';

const { port, ...order } = workerData as SideOrder & { readonly port: MessagePort };
const side = sideOf(order, (path, message) => port.postMessage([path, message]));
port.on('message', ([path, message]: [string, MessageShape]) => side.deliver(path, message));
parentPort?.postMessage('ready');
