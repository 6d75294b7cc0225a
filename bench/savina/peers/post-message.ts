/** postMessage: two workers with a MessagePort between them, one message per post. */
import { MessageChannel, Worker } from 'node:worker_threads';
import type { MessageShape } from '../../../src/runtime/actor.ts';
import { PeerSide } from './cells.ts';
import { HARNESS, type StartPeer } from './peer.ts';

export const startPostMessage: StartPeer = async ({ program, size, problem, report }) => {
  const { port1, port2 } = new MessageChannel();
  const workerData = { program: program.name, size, port: port2 };
  const worker = new Worker(new URL('./post-message-side.ts', import.meta.url), { workerData, transferList: [port2] });
  await new Promise((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  });
  const here = new PeerSide(
    program,
    problem.seats.filter(({ side }) => side === 0),
    (path, message) => {
      if (path === HARNESS) report(path, message);
      else port1.postMessage([path, message]);
    },
  );
  port1.on('message', ([path, message]: [string, MessageShape]) => here.deliver(path, message));
  return (path, message) => here.deliver(path, message);
};
