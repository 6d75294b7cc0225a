/**
 * One host's part in moving actors between threads, so that each sender's messages stay whole and in order. The hosting
 * thread only; `thread-moves.ts` directs it.
 *
 *   old thread  ends the life and keeps the mailbox open; every other thread sends what it tells from now on to the new
 *               thread, and a mark on each of its lanes to the old one: nothing for the actor comes behind it
 *   old thread  has all marks: forwards the mailbox, then a mark on each of its own lanes to the new thread
 *   new thread  holds back what others told it until both marks came: what was forwarded is older
 */
import type { ActorPath } from './actor.ts';
import { Deque } from './deque.ts';
import type { Envelope } from './mailbox.ts';

/** The two lanes of an ordered pair of threads; marks go over both. */
export type LaneName = 'control' | 'data';

/** An actor that leaves this thread. */
export interface Departure {
  readonly to: string;
  /** Marks still to come, as `thread lane`. */
  readonly awaited: Set<string>;
  /** What is left to forward, once all marks came. */
  readonly backlog: Deque<Envelope>;
}

/** An actor that comes to this thread. */
export interface Arrival {
  readonly from: string;
  readonly awaited: Set<LaneName>;
  readonly held: Envelope[];
}

/** The moves in which this thread takes part. */
export class ActorMoves {
  readonly departures = new Map<ActorPath, Departure>();
  readonly arrivals = new Map<ActorPath, Arrival>();

  /** Whether no actor is under way from or to here: the usual case, asked for every message. */
  get isIdle(): boolean {
    return this.departures.size === 0 && this.arrivals.size === 0;
  }

  depart(path: ActorPath, to: string, peers: readonly string[]): void {
    this.departures.set(path, {
      to,
      awaited: new Set(peers.flatMap((peer) => [markOf(peer, 'control'), markOf(peer, 'data')])),
      backlog: new Deque(),
    });
  }

  expect(path: ActorPath, from: string): void {
    this.arrivals.set(path, { from, awaited: new Set(['control', 'data']), held: [] });
  }

  /** Holds the message back when older ones may still come; returns whether it did. `fromThread` is this one for local tells. */
  hold(path: ActorPath, envelope: Envelope, fromThread: string): boolean {
    const arrival = this.arrivals.get(path);
    if (arrival === undefined || arrival.from === fromThread) return false;
    arrival.held.push(envelope);
    return true;
  }

  /** Notes the end of a sender's messages to a departing actor. */
  markSeen(path: ActorPath, peer: string, lane: LaneName): void {
    this.departures.get(path)?.awaited.delete(markOf(peer, lane));
  }

  /** Notes the end of what is forwarded to an arriving actor; returns true when it was the last mark. */
  finishSeen(path: ActorPath, lane: LaneName): boolean {
    const arrival = this.arrivals.get(path);
    return arrival !== undefined && arrival.awaited.delete(lane) && arrival.awaited.size === 0;
  }

  /** Expects nothing more of a dead thread; returns the actors that were to come from it. */
  threadDied(name: string): readonly ActorPath[] {
    for (const { awaited } of this.departures.values())
      for (const lane of ['control', 'data'] as const) awaited.delete(markOf(name, lane));
    return [...this.arrivals].filter(([, { from }]) => from === name).map(([path]) => path);
  }
}

function markOf(peer: string, lane: LaneName): string {
  return `${peer} ${lane}`;
}
