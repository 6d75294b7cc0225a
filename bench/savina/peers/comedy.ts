/** comedy: actors of one thread, each a child of its root; or one threaded child that hosts the other side's. */
import comedy, { type ActorRef, type ParentActorRef } from 'comedy';
import { fileURLToPath } from 'node:url';
import type { MessageShape } from '../../../src/runtime/actor.ts';
import { KindRegistry } from '../../../src/runtime/kind-registry.ts';
import { PeerCell, PeerSide, type Send } from './cells.ts';
import { HARNESS, type SideOrder, type StartPeer } from './peer.ts';

/** Never dropping messages because the event loop is behind: the programs keep it busy on purpose. */
const OPTIONS = { busyLagLimit: 0 };

export const startComedyWithin: StartPeer = async ({ program, problem, report }) => {
  const root = await comedy.createSystem(OPTIONS).rootActor();
  const kinds = new KindRegistry(program.kinds);
  const refs = new Map<string, ActorRef>();
  const send: Send = (path, message) => {
    const ref = refs.get(path);
    if (ref !== undefined) void ref.send('receive', message);
    else if (path === HARNESS) report(path, message);
    else throw new Error(`there must be an actor ${path}`);
  };
  for (const seat of problem.seats) {
    const cell = new PeerCell(kinds, seat, send);
    refs.set(seat.id, await root.createChild({ receive: (message: MessageShape) => cell.receive(message) }));
  }
  return send;
};

export const startComedyAcross: StartPeer = async ({ program, size, problem, report }) => {
  const root = await comedy.createSystem(OPTIONS).rootActor();
  const order: SideOrder = { program: program.name, size };
  let child: ActorRef | undefined;
  const here = new PeerSide(
    program,
    problem.seats.filter(({ side }) => side === 0),
    (path, message) => {
      if (path === HARNESS) report(path, message);
      else void child?.send('deliver', path, message);
    },
  );
  await root.createChild({
    initialize: async (self: ActorRef & ParentActorRef & { createChild: (typeof root)['createChild'] }) => {
      // Two slashes: comedy takes the rest as an absolute path.
      child = await self.createChild(`/${fileURLToPath(new URL('./comedy-side.ts', import.meta.url))}`, {
        mode: 'threaded',
        customParameters: order,
      });
    },
    deliver: (path: string, message: MessageShape) => here.deliver(path, message),
  });
  return (path, message) => here.deliver(path, message);
};
