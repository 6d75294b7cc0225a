/** Which actor lives on which thread, the same table on every thread. Any thread; plain data. */
import type { ActorPath } from './actor.ts';
import type { ActorSpec, ChildSpec, SupervisorSpec } from './child-spec.ts';

export const MAIN_THREAD = 'main';

/** Where the answers to `ActorSystem.ask` are told to: an endpoint of the main thread, not an actor. */
export const ASKS_PATH: ActorPath = '$asks';

export interface Place {
  /** The actor's number on the rings; 0 is the thread itself. */
  readonly index: number;
  readonly path: ActorPath;
  readonly thread: string;
  /** Absent for endpoints. */
  readonly spec?: ActorSpec;
}

/** Returns the places of a tree's actors in start order. Throws on a faulty spec, naming the child and the rule. */
export function placeActors(tree: SupervisorSpec): readonly Place[] {
  const places: Place[] = [{ index: 1, path: ASKS_PATH, thread: MAIN_THREAD }];
  const ids = new Set<string>([ASKS_PATH]);
  visit(tree, tree.thread ?? MAIN_THREAD, ids, places);
  return places;
}

function visit(spec: ChildSpec, thread: string, ids: Set<string>, places: Place[]): void {
  if (spec.id === '') throw new Error('a child spec must have an id, was ""');
  if (ids.has(spec.id)) throw new Error(`ids must be unique in the whole tree, "${spec.id}" occurs twice`);
  ids.add(spec.id);
  if (spec.shutdownMs !== undefined && !(spec.shutdownMs >= 0)) {
    throw new RangeError(`shutdownMs of "${spec.id}" must be 0 or more, was ${spec.shutdownMs}`);
  }
  if (spec.type === 'actor') {
    places.push({ index: places.length + 1, path: spec.id, thread, spec });
    return;
  }
  if (spec.intensity !== undefined && !(spec.intensity >= 0)) throw new RangeError(`intensity of "${spec.id}" must be 0 or more, was ${spec.intensity}`);
  if (spec.periodMs !== undefined && !(spec.periodMs > 0)) throw new RangeError(`periodMs of "${spec.id}" must be positive, was ${spec.periodMs}`);
  for (const child of spec.children) visit(child, child.thread ?? thread, ids, places);
}

/** Finds places by path and by ring number. Every thread has one; the main thread decides what is in them. */
export class PlacementTable {
  readonly #byPath = new Map<ActorPath, Place>();
  readonly #byIndex: (Place | undefined)[] = [];

  constructor(places: readonly Place[]) {
    for (const place of places) this.put(place);
  }

  get places(): readonly Place[] {
    return [...this.#byPath.values()];
  }

  /** Adds a place, or replaces the one of the same path. */
  put(place: Place): void {
    this.#byPath.set(place.path, place);
    this.#byIndex[place.index] = place;
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
