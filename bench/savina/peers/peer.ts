/** What it takes to run the programs on another library. Types only. */
import type { Problem, Program, SizeName } from '../program.ts';
import type { Send } from './cells.ts';

/** Where a peer's answer to the order to run goes. */
export const HARNESS = 'harness';

export interface PeerContext {
  readonly program: Program;
  readonly size: SizeName;
  readonly problem: Problem;
  /** Takes messages to HARNESS. */
  readonly report: Send;
}

/** Sets the program up with its director on the calling thread, and returns what delivers to it. */
export type StartPeer = (context: PeerContext) => Promise<Send>;

/** What a peer's second thread needs to make its side. Plain data. */
export interface SideOrder {
  readonly program: string;
  readonly size: SizeName;
}
