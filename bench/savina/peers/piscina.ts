/** piscina: the other side's actors live in the pool's one worker; a task delivers a message and returns what they tell back. */
import { Piscina } from 'piscina';
import type { MessageShape } from '../../../src/runtime/actor.ts';
import { PeerSide } from './cells.ts';
import { HARNESS, type StartPeer } from './peer.ts';

export type PiscinaTask = readonly [path: string, message: MessageShape];

export const startPiscina: StartPeer = async ({ program, size, problem, report }) => {
  const pool = new Piscina<PiscinaTask, readonly PiscinaTask[]>({
    filename: new URL('./piscina-side.ts', import.meta.url).href,
    workerData: { program: program.name, size },
    minThreads: 1,
    maxThreads: 1,
    // Its fastest setting for tasks as small as these.
    concurrentTasksPerWorker: 64,
    atomics: 'async',
    recordTiming: false,
  });
  const here = new PeerSide(
    program,
    problem.seats.filter(({ side }) => side === 0),
    (path, message) => {
      if (path === HARNESS) report(path, message);
      else void pool.run([path, message]).then(deliverAll);
    },
  );
  function deliverAll(tasks: readonly PiscinaTask[]): void {
    for (const [path, message] of tasks) here.deliver(path, message);
  }
  return Promise.resolve((path, message) => here.deliver(path, message));
};
