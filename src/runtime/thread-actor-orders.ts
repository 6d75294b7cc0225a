/**
 * Carries out what the supervision tree decides about single actors, on the thread where each lives, in the order decided: orders to a
 * thread that is away wait for its next life, those to an actor on its way wait until it has arrived. Main thread.
 */
import type { ActorPath } from './actor.ts';
import type { CellHost, StartOutcome, StopOutcome } from './cell-host.ts';
import type { PlacementTable } from './placement.ts';
import type { LogLevel } from './ports-context.ts';
import type { SupervisionTree } from './supervision-tree.ts';
import type { ExitReason } from './supervisor-protocol.ts';
import type { ThreadMoves } from './thread-moves.ts';
import type { PlaceNews } from './thread-place-news.ts';
import { CALL_DEADLINE_MS, type WorkerKeeper } from './worker-keeper.ts';

/** How long a stop may take is the supervisor's business: it kills when its own deadline passes. */
const NO_DEADLINE_MS = 2 ** 31 - 1;

/** The system the actors live in. */
export interface OrderedSystem {
  readonly placement: PlacementTable;
  readonly placeNews: PlaceNews;
  /** Workers by name. */
  readonly keepers: ReadonlyMap<string, WorkerKeeper>;
  /** The actors of the main thread. */
  readonly host: CellHost;
  /** Both are made after these orders. */
  readonly tree: () => SupervisionTree;
  readonly moves: () => ThreadMoves;
  readonly isDown: () => boolean;
  /** An actor's life is over, for the tree and whoever waits for its answers. */
  readonly onExited: (path: ActorPath, incarnation: number, reason: ExitReason) => void;
  readonly onCallFailed: (keeper: WorkerKeeper | undefined, error: unknown) => void;
  readonly log: (level: LogLevel, event: string, fields: Readonly<Record<string, unknown>>, path?: ActorPath) => void;
}

/** A start of which the tree was not yet told the outcome. */
interface PendingStart {
  readonly incarnation: number;
  exit: ExitReason | undefined;
}

export class ActorOrders {
  readonly #system: OrderedSystem;
  readonly #pendingStarts = new Map<ActorPath, PendingStart>();
  /** What to do on a thread that is away, in order, once it is back. */
  readonly #waiting = new Map<string, (() => void)[]>();
  /** Lives of each worker thread that ended. */
  readonly #deaths = new Map<string, number>();

  constructor(system: OrderedSystem) {
    this.#system = system;
  }

  start(path: ActorPath, incarnation: number): void {
    const { host, tree, onCallFailed } = this.#system;
    this.#pendingStarts.set(path, { incarnation, exit: undefined });
    this.#onThreadOf(path, (keeper) => {
      const outcome: Promise<StartOutcome> =
        keeper === undefined
          ? Promise.resolve(host.startActor(path, incarnation))
          : keeper.call<StartOutcome>(`start of ${path}`, CALL_DEADLINE_MS, (control) =>
              control.startActor(path, incarnation),
            );
      outcome.then(
        (result) => {
          const exit = this.#takePendingStart(path, incarnation)?.exit;
          if (result.type === 'failed')
            tree().actorStartFailed(path, incarnation, { kind: 'crashed', detail: result.reason });
          else if (result.type === 'ignored') tree().actorIgnored(path, incarnation);
          else tree().actorStarted(path, incarnation, result.info);
          if (exit !== undefined) this.endedByItself(path, incarnation, exit);
        },
        (error: unknown) => onCallFailed(keeper, error),
      );
    });
  }

  stop(path: ActorPath, incarnation: number, reason: string): void {
    const { onExited, onCallFailed } = this.#system;
    this.#onThreadOf(path, (keeper) => {
      this.#stopped(keeper, path, incarnation, reason, NO_DEADLINE_MS).then(
        (result) => {
          if (result.type === 'stopped') onExited(path, incarnation, { kind: 'shutdown', detail: reason });
          if (result.type === 'failed') onExited(path, incarnation, { kind: 'crashed', detail: result.reason });
        },
        (error: unknown) => onCallFailed(keeper, error),
      );
    });
  }

  /** Ends an actor's life as if it had crashed, so that its supervisor starts the next. Settles with whether it was ended. */
  restart(path: ActorPath, incarnation: number): Promise<boolean> {
    const { onExited, onCallFailed } = this.#system;
    const reason = 'restarted on request';
    const { promise, resolve } = Promise.withResolvers<boolean>();
    this.#onThreadOf(path, (keeper) => {
      this.#stopped(keeper, path, incarnation, reason, CALL_DEADLINE_MS).then(
        (result) => {
          // One that stops later tells so itself when it is over.
          if (result.type === 'stopped') onExited(path, incarnation, { kind: 'killed', detail: reason });
          if (result.type === 'failed') onExited(path, incarnation, { kind: 'crashed', detail: result.reason });
          resolve(true);
        },
        (error: unknown) => {
          resolve(false);
          onCallFailed(keeper, error);
        },
      );
    });
    return promise;
  }

  kill(path: ActorPath, incarnation: number): void {
    const { host, onExited, onCallFailed } = this.#system;
    this.#onThreadOf(path, (keeper) => {
      const reason = 'killed by its supervisor';
      const outcome =
        keeper === undefined
          ? Promise.resolve(host.killActor(path, incarnation, reason))
          : keeper.call(`kill of ${path}`, CALL_DEADLINE_MS, (control) => control.killActor(path, incarnation, reason));
      outcome.then(
        () => onExited(path, incarnation, { kind: 'killed', detail: reason }),
        (error: unknown) => onCallFailed(keeper, error),
      );
    });
  }

  /** The actor will not live again. */
  retire(path: ActorPath): void {
    const { host, isDown, onCallFailed } = this.#system;
    if (isDown()) return;
    this.#onThreadOf(path, (keeper) => {
      if (keeper === undefined) host.retireActor(path);
      else
        keeper
          .call(`end of ${path}`, CALL_DEADLINE_MS, (control) => control.retireActor(path))
          .catch((error: unknown) => onCallFailed(keeper, error));
    });
  }

  /** Takes the end of a life that nobody ordered. */
  endedByItself(path: ActorPath, incarnation: number, reason: ExitReason): void {
    const pending = this.#pendingStarts.get(path);
    if (pending?.incarnation === incarnation) {
      // The end overtook the answer to its start: the tree hears of both, in the order in which they happened.
      pending.exit = reason;
      return;
    }
    const isOrderly = reason.kind === 'normal' || reason.kind === 'shutdown';
    const fields = { reason: reason.detail, incarnation };
    if (isOrderly) this.#system.log('info', 'actor-ended', fields, path);
    else this.#system.log('warn', 'actor-crashed', fields, path);
    this.#system.onExited(path, incarnation, reason);
  }

  /** Nobody is to hear of a start under way: its actor is removed, or its thread died and that says more. */
  forgetStart(path: ActorPath): void {
    this.#pendingStarts.delete(path);
  }

  /** Orders that waited for this life are void: the death settles what becomes of their actors. */
  threadDied(keeper: WorkerKeeper): void {
    this.#deaths.set(keeper.name, (this.#deaths.get(keeper.name) ?? 0) + 1);
    this.#waitingFor(keeper).length = 0;
  }

  threadAttached(keeper: WorkerKeeper): void {
    for (const order of this.#waitingFor(keeper).splice(0)) order();
  }

  #stopped(
    keeper: WorkerKeeper | undefined,
    path: ActorPath,
    incarnation: number,
    reason: string,
    deadlineMs: number,
  ): Promise<StopOutcome> {
    return keeper === undefined
      ? Promise.resolve(this.#system.host.stopActor(path, incarnation, reason))
      : keeper.call<StopOutcome>(`stop of ${path}`, deadlineMs, (control) =>
          control.stopActor(path, incarnation, reason),
        );
  }

  #takePendingStart(path: ActorPath, incarnation: number): PendingStart | undefined {
    const pending = this.#pendingStarts.get(path);
    if (pending?.incarnation !== incarnation) return undefined;
    this.#pendingStarts.delete(path);
    return pending;
  }

  /** Runs `action` when the actor's thread is there, in order; `undefined` stands for the main thread. Never at once. */
  #onThreadOf(path: ActorPath, action: (keeper: WorkerKeeper | undefined) => void): void {
    const { placement, placeNews, keepers, moves } = this.#system;
    if (moves().isMoving(path)) {
      moves().afterMove(() => this.#onThreadOf(path, action));
      return;
    }
    const place = placement.byPath(path);
    if (place === undefined) throw new Error(`an actor of the tree must have a place, "${path}" has none`);
    const keeper = keepers.get(place.thread);
    const pending = placeNews.pendingFor(path);
    if (pending === undefined) {
      this.#onThread(keeper, action);
      return;
    }
    // Every thread shall know of a new actor before it lives. What its thread's death settles meanwhile is not done any more.
    const deaths = this.#deaths.get(place.thread);
    void pending.then(() => {
      if (this.#deaths.get(place.thread) === deaths) this.#onThread(keeper, action);
    });
  }

  #onThread(keeper: WorkerKeeper | undefined, action: (keeper: WorkerKeeper | undefined) => void): void {
    if (keeper === undefined) setImmediate(() => action(undefined));
    else if (keeper.life === undefined) this.#waitingFor(keeper).push(() => action(keeper));
    else action(keeper);
  }

  #waitingFor(keeper: WorkerKeeper): (() => void)[] {
    const known = this.#waiting.get(keeper.name);
    if (known !== undefined) return known;
    const orders: (() => void)[] = [];
    this.#waiting.set(keeper.name, orders);
    return orders;
  }
}
