/** Directs the moves of actors between the threads of a system, one at a time. Main thread only. */
import type { ActorPath } from './actor.ts';
import type { Place } from './placement.ts';

/** How a move reaches the threads; each call settles when the thread has done it, or cannot any more. */
export interface MoveEnvironment {
  place(path: ActorPath): Place | undefined;
  /** Names of the attached threads, main among them. */
  attachedThreads(): readonly string[];
  depart(thread: string, path: ActorPath, to: string, peers: readonly string[]): Promise<void>;
  expectArrival(thread: string, place: Place, from: string): Promise<void>;
  actorMoved(thread: string, place: Place, from: string): Promise<void>;
  /** The mailbox is whole at its new place: the next life may start. */
  moved(path: ActorPath): void;
}

interface Move {
  readonly path: ActorPath;
  readonly from: string;
  readonly to: string;
  readonly arrived: PromiseWithResolvers<void>;
  /** What the supervisors want of the actor meanwhile, in order. */
  readonly commands: (() => void)[];
}

/** Leads the moves of a system, one after the other. */
export class ThreadMoves {
  readonly #environment: MoveEnvironment;
  #current: Move | undefined;

  constructor(environment: MoveEnvironment) {
    this.#environment = environment;
  }

  /** Whether that actor is on its way: nothing else may be done to it until `moved`. */
  isMoving(path: ActorPath): boolean {
    return this.#current?.path === path;
  }

  /** Runs `command` once the move under way is over. */
  afterMove(command: () => void): void {
    this.#current?.commands.push(command);
  }

  /** Carries out one move; the caller lets no other move, and no attachment of a thread, run beside it. */
  async run(path: ActorPath, to: string): Promise<void> {
    const environment = this.#environment;
    const old = environment.place(path);
    if (old === undefined || old.thread === to) return;
    const move: Move = { path, from: old.thread, to, arrived: Promise.withResolvers(), commands: [] };
    this.#current = move;
    const place: Place = { ...old, thread: to };
    const peers = environment.attachedThreads().filter((thread) => thread !== move.from);
    await environment.expectArrival(to, place, move.from);
    await environment.depart(move.from, path, to, peers);
    await Promise.all(peers.map((thread) => environment.actorMoved(thread, place, move.from)));
    await move.arrived.promise;
    this.#current = undefined;
    if (move.commands.length === 0) environment.moved(path);
    // Its supervisor wants it stopped, or started later: the life that ended for the move was its last one here.
    else for (const command of move.commands) command();
  }

  arrived(path: ActorPath): void {
    if (this.#current?.path === path) this.#current.arrived.resolve();
  }

  /** The new thread's next life begins with an empty mailbox, and gets what was told to the one that died. */
  threadDied(name: string): void {
    if (this.#current?.to === name) this.#current.arrived.resolve();
  }
}
