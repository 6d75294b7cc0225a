/** Which actor lives on which thread, the same table on every thread. Any thread; plain data. */
import type { ActorPath } from './actor.ts';
import type { ActorSpec, ChildSpec, SupervisorSpec } from './child-spec.ts';
import { checkChild } from './spec-check.ts';

/** The name of the thread that calls `startThreads`. */
export const MAIN_THREAD = 'main';

/** Where the answers to `ActorSystem.ask` are told to: an endpoint of the main thread, not an actor. */
export const ASKS_PATH: ActorPath = '$asks';

/** Where actors tell their requests to supervisors: an endpoint of the main thread, where all supervisors live. */
export const SUPERVISORS_PATH: ActorPath = '$supervisors';

/** Numbers of places have 20 bits on the rings. */
const INDEX_MAX = 2 ** 20 - 1;

/** Where one actor or endpoint lives. */
export interface Place {
  /** The actor's number on the rings; 0 is the thread itself. */
  readonly index: number;
  readonly path: ActorPath;
  readonly thread: string;
  /** Absent for endpoints. */
  readonly spec?: ActorSpec;
  /** The number of the first life here, when an earlier actor of that path had lives before. Default 1. */
  readonly firstIncarnation?: number;
}

/** Returns the places of a tree's actors in start order. Throws FaultySpec, naming the child and the rule. */
export function placeActors(tree: SupervisorSpec): readonly Place[] {
  checkChild(tree, new Set([ASKS_PATH, SUPERVISORS_PATH]));
  const places: Place[] = [ASKS_PATH, SUPERVISORS_PATH].map((path, index) => ({
    index: index + 1,
    path,
    thread: MAIN_THREAD,
  }));
  visit(tree, tree.thread ?? MAIN_THREAD, places);
  return places;
}

function visit(spec: ChildSpec, thread: string, places: Place[]): void {
  if (spec.type === 'actor') {
    places.push({ index: places.length + 1, path: spec.id, thread, spec });
    return;
  }
  // Their children get their places when they are known: at the supervisor's start, at their own.
  if (spec.init !== undefined || spec.strategy === 'simple-one-for-one') return;
  for (const child of spec.children) visit(child, child.thread ?? thread, places);
}

/** Finds places by path and by ring number. Every thread has one; the main thread decides what is in them. */
export class PlacementTable {
  readonly #byPath = new Map<ActorPath, Place>();
  readonly #byIndex: (Place | undefined)[] = [];
  #lastIndex = 0;
  /** Changes whenever the table does: what was looked up before may be wrong. */
  version = 0;

  constructor(places: readonly Place[]) {
    for (const place of places) this.put(place);
  }

  get places(): readonly Place[] {
    return [...this.#byPath.values()];
  }

  /** Adds a place, or replaces the one of the same path. */
  put(place: Place): void {
    this.version += 1;
    this.#byPath.set(place.path, place);
    this.#byIndex[place.index] = place;
    this.#lastIndex = Math.max(this.#lastIndex, place.index);
  }

  /** Forgets a place; a newer one of the same path stays. */
  remove(place: Place): void {
    this.version += 1;
    if (this.#byPath.get(place.path)?.index === place.index) this.#byPath.delete(place.path);
    if (this.#byIndex[place.index]?.path === place.path) this.#byIndex[place.index] = undefined;
  }

  /**
   * Returns a number for a new place. Numbers go round: one is used again only after all others were, so that what is still
   * on its way to an actor that ended reaches nobody else. Throws when all are in use.
   */
  newIndex(): number {
    for (let tried = 0; tried < INDEX_MAX; tried++) {
      this.#lastIndex = this.#lastIndex >= INDEX_MAX ? 1 : this.#lastIndex + 1;
      if (this.#byIndex[this.#lastIndex] === undefined) return this.#lastIndex;
    }
    throw new Error(`a system must have at most ${INDEX_MAX} actors`);
  }

  byPath(path: ActorPath): Place | undefined {
    return this.#byPath.get(path);
  }

  byIndex(index: number): Place | undefined {
    return this.#byIndex[index];
  }

  onThread(thread: string): readonly Place[] {
    return this.places.filter((place) => place.thread === thread && place.spec !== undefined);
  }
}
