/** The actor kinds a thread can run, by name. Built once per thread at start; any thread. */
import type { MessageShape, Self, ShapedDelivery } from './actor.ts';

/** Any actor kind, whatever its types: what lists of kinds are made of. */
export interface AnyActorKind {
  readonly kind: string;
  readonly delivery: Readonly<Record<string, ShapedDelivery<MessageShape>>>;
  start(args: never, self: never): unknown;
  receive(state: never, message: never, self: never): unknown;
  stop?(state: never, reason: string, self: never): unknown;
  digest?(state: never): unknown;
}

/** A kind as the host calls it: it keeps the state it was given back and never looks inside. */
export interface RunnableKind {
  readonly kind: string;
  start(args: unknown, self: Self<MessageShape>): unknown;
  receive(state: unknown, message: MessageShape, self: Self<MessageShape>): unknown;
  stop?(state: unknown, reason: string, self: Self<MessageShape>): unknown;
  digest?(state: unknown): unknown;
}

/** The kinds of one thread. Throws when two kinds share a name. */
export class KindRegistry {
  readonly #byName = new Map<string, RunnableKind>();

  constructor(kinds: readonly AnyActorKind[]) {
    for (const kind of kinds) {
      if (this.#byName.has(kind.kind))
        throw new Error(`actor kind names must be unique, "${kind.kind}" is registered twice`);
      // The one place where types are erased: a host hands a kind only what that kind itself returned or declared.
      this.#byName.set(kind.kind, kind as unknown as RunnableKind);
    }
  }

  has(name: string): boolean {
    return this.#byName.has(name);
  }

  /** Returns the kind of that name; throws when this thread does not have it. */
  get(name: string): RunnableKind {
    const kind = this.#byName.get(name);
    if (kind === undefined) {
      throw new Error(
        `actor kind must be registered on the thread that runs it, "${name}" is not one of ${[...this.#byName.keys()].join(', ')}`,
      );
    }
    return kind;
  }
}
