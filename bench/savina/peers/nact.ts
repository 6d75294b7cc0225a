/** nact: actors of one thread, a promise per message. */
import { dispatch, spawn, start } from 'nact';
import type { Ref } from 'nact';
import type { MessageShape } from '../../../src/runtime/actor.ts';
import { KindRegistry } from '../../../src/runtime/kind-registry.ts';
import { PeerCell, type Send } from './cells.ts';
import { HARNESS, type StartPeer } from './peer.ts';

export const startNact: StartPeer = ({ program, problem, report }) => {
  const system = start();
  const kinds = new KindRegistry(program.kinds);
  const refs = new Map<string, Ref<MessageShape>>();
  const send: Send = (path, message) => {
    const ref = refs.get(path);
    if (ref !== undefined) dispatch(ref, message);
    else if (path === HARNESS) report(path, message);
    else throw new Error(`there must be an actor ${path}`);
  };
  for (const seat of problem.seats) {
    const cell = new PeerCell(kinds, seat, send);
    const ref = spawn(
      system,
      (state: PeerCell, message: MessageShape) => {
        state.receive(message);
        return state;
      },
      seat.id.replaceAll('/', '-'),
      { initialState: cell },
    );
    refs.set(seat.id, ref);
  }
  return Promise.resolve(send);
};
