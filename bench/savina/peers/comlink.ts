/** comlink: two workers that call each other's `deliver`, one call per message. */
import { expose, wrap } from 'comlink';
import nodeEndpoint from 'comlink/dist/esm/node-adapter.mjs';
import { MessageChannel, Worker } from 'node:worker_threads';
import { PeerSide, type Send } from './cells.ts';
import { HARNESS, type StartPeer } from './peer.ts';

export const startComlink: StartPeer = async ({ program, size, problem, report }) => {
  // One channel for each direction of calls.
  const out = new MessageChannel();
  const back = new MessageChannel();
  const worker = new Worker(new URL('./comlink-side.ts', import.meta.url), {
    workerData: { program: program.name, size, calls: out.port2, answers: back.port2 },
    transferList: [out.port2, back.port2],
  });
  await new Promise((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  });
  const remote = wrap<{ deliver: Send }>(nodeEndpoint(out.port1));
  const here = new PeerSide(
    program,
    problem.seats.filter(({ side }) => side === 0),
    (path, message) => {
      if (path === HARNESS) report(path, message);
      else void remote.deliver(path, message);
    },
  );
  const deliver: Send = (path, message) => here.deliver(path, message);
  expose({ deliver }, nodeEndpoint(back.port1));
  return deliver;
};
