/** Collects actors that come and go and tells all threads of them in batches, in order. Main thread. */
import type { ActorPath } from './actor.ts';
import type { Place } from './placement.ts';

/** Tells every thread; settles when all know. Never rejects. */
export type TellPlaces = (added: readonly Place[], removed: readonly Place[]) => Promise<void>;

/** What other threads have not yet been told about places. */
export class PlaceNews {
  readonly #tell: TellPlaces;
  readonly #pending = new Map<ActorPath, { readonly known: Promise<void>; readonly isNew: boolean }>();
  #added = new Map<ActorPath, Place>();
  #removed: Place[] = [];
  #batch: PromiseWithResolvers<void> | undefined;
  #version = 0;

  constructor(tell: TellPlaces) {
    this.#tell = tell;
  }

  /** Changes with every piece of news. */
  get version(): number {
    return this.#version;
  }

  /** Returns what settles when all threads know of this actor; undefined when they do. */
  pendingFor(path: ActorPath): Promise<void> | undefined {
    return this.#pending.get(path)?.known;
  }

  /** Whether some thread may not know yet that there is such an actor at all. */
  isUnknown(path: ActorPath): boolean {
    return this.#pending.get(path)?.isNew === true;
  }

  /** `isNew`: there was no such actor before; else its place is the same with another spec. */
  add(place: Place, isNew: boolean): void {
    const { promise } = this.#open();
    this.#added.set(place.path, place);
    this.#pending.set(place.path, { known: promise, isNew: isNew || this.isUnknown(place.path) });
  }

  remove(place: Place): void {
    this.#open();
    this.#added.delete(place.path);
    this.#removed.push(place);
    this.#pending.delete(place.path);
  }

  /** The batch of this moment: what one event of the tree brings is told in one call to each thread. */
  #open(): PromiseWithResolvers<void> {
    this.#version += 1;
    if (this.#batch !== undefined) return this.#batch;
    const batch = Promise.withResolvers<void>();
    this.#batch = batch;
    setImmediate(() => this.#flush(batch));
    return batch;
  }

  #flush(batch: PromiseWithResolvers<void>): void {
    const added = [...this.#added.values()];
    const removed = this.#removed;
    this.#batch = undefined;
    this.#added = new Map();
    this.#removed = [];
    void this.#tell(added, removed).then(() => {
      for (const place of added) {
        if (this.#pending.get(place.path)?.known === batch.promise) this.#pending.delete(place.path);
      }
      batch.resolve();
    });
  }
}
