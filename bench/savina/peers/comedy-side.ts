/** The threaded comedy actor that hosts the other side's actors. Loaded by comedy on its own worker thread. */
import type { ActorRef, ParentActorRef } from 'comedy';
import type { MessageShape } from '../../../src/runtime/actor.ts';
import type { PeerSide } from './cells.ts';
import type { SideOrder } from './peer.ts';
import { sideOf } from './side.ts';

export default class ComedySide {
  #side: PeerSide | undefined;

  initialize(self: ActorRef & { getParent(): ParentActorRef }): void {
    const order = self.getCustomParameters() as SideOrder;
    const parent = self.getParent();
    this.#side = sideOf(order, (path, message) => void parent.send('deliver', path, message));
  }

  deliver(path: string, message: MessageShape): void {
    this.#side?.deliver(path, message);
  }
}
