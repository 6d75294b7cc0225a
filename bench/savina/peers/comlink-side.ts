/** Worker entry: the other side of the comlink peer. */
import { expose, wrap } from 'comlink';
import nodeEndpoint from 'comlink/dist/esm/node-adapter.mjs';
import { parentPort, workerData } from 'node:worker_threads';
import type { MessagePort } from 'node:worker_threads';
import type { Send } from './cells.ts';
import type { SideOrder } from './peer.ts';
import { sideOf } from './side.ts';

const { calls, answers, ...order } = workerData as SideOrder & {
  readonly calls: MessagePort;
  readonly answers: MessagePort;
};
const remote = wrap<{ deliver: Send }>(nodeEndpoint(answers));
const side = sideOf(order, (path, message) => void remote.deliver(path, message));
const deliver: Send = (path, message) => side.deliver(path, message);
expose({ deliver }, nodeEndpoint(calls));
parentPort?.postMessage('ready');
