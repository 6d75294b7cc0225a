/** Makes the second thread's side of a program from its name. Any thread. */
import { programNamed } from '../all-programs.ts';
import { PeerSide, type Send } from './cells.ts';
import type { SideOrder } from './peer.ts';

export function sideOf(order: SideOrder, sendAway: Send): PeerSide {
  const program = programNamed(order.program);
  const seats = program.problem(order.size).seats.filter(({ side }) => side === 1);
  return new PeerSide(program, seats, sendAway);
}
