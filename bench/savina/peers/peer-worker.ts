/** Worker entry: runs one program on one peer, its director on this thread. Each peer has an isolate of its own, like the runtime. */
import { parentPort, workerData } from 'node:worker_threads';
import { refOf, type MessageShape } from '../../../src/runtime/actor.ts';
import { programNamed } from '../all-programs.ts';
import { DIRECTOR, type PeerName, type RunProgram } from '../program.ts';
import { startComedyAcross, startComedyWithin } from './comedy.ts';
import { startComlink } from './comlink.ts';
import { startNact } from './nact.ts';
import { HARNESS, type SideOrder, type StartPeer } from './peer.ts';
import { startPiscina } from './piscina.ts';
import { startPostMessage } from './post-message.ts';

/** What the main thread hands over. */
export type PeerOrder = SideOrder & { readonly peer: PeerName; readonly threads: 1 | 2 };

const ACROSS: Readonly<Partial<Record<PeerName, StartPeer>>> = {
  postMessage: startPostMessage,
  comlink: startComlink,
  piscina: startPiscina,
  comedy: startComedyAcross,
};
const WITHIN: Readonly<Partial<Record<PeerName, StartPeer>>> = { nact: startNact, comedy: startComedyWithin };

const order = workerData as PeerOrder;
const start = (order.threads === 1 ? WITHIN : ACROSS)[order.peer];
if (start === undefined) throw new Error(`${order.peer} must be able to run on ${order.threads} threads`);
const program = programNamed(order.program);
const deliver = await start({
  program,
  size: order.size,
  problem: program.problem(order.size),
  report: (_path, message: MessageShape & { readonly value?: unknown }) => parentPort?.postMessage(message.value),
});
parentPort?.on('message', () => {
  const run: RunProgram = { type: 'run-program', replyTo: refOf(HARNESS), askId: 1 };
  deliver(DIRECTOR, run);
});
parentPort?.postMessage('ready');
