/**
 * The programs' actors without the runtime: each is its state and its `receive`, and how messages travel is the peer's
 * business. No bounds, no supervision, no inspection. Any thread.
 */
import {
  noTracing,
  refOf,
  type ActorRef,
  type MessageShape,
  type Self,
  type TellOutcome,
} from '../../../src/runtime/actor.ts';
import { noMetrics } from '../../../src/runtime/metrics.ts';
import type { RunnableKind } from '../../../src/runtime/kind-registry.ts';
import { KindRegistry } from '../../../src/runtime/kind-registry.ts';
import type { Program, Seat } from '../program.ts';

/** Takes a message towards the actor at a path, wherever that is. */
export type Send = (path: string, message: MessageShape) => void;

/** One actor of a peer. */
export class PeerCell {
  readonly #kind: RunnableKind;
  readonly #self: PeerSelf;
  #state: unknown;

  constructor(kinds: KindRegistry, { id, kind, args }: Seat, send: Send) {
    this.#kind = kinds.get(kind);
    this.#self = new PeerSelf(id, send);
    this.#state = this.#kind.start(args, this.#self);
  }

  receive(message: MessageShape): void {
    this.#state = this.#kind.receive(this.#state, message, this.#self);
  }
}

/** The actors of one side, with a plain queue between them: what stays on a thread costs no message of the peer's. */
export class PeerSide {
  readonly #cells = new Map<string, PeerCell>();
  readonly #queue: { readonly cell: PeerCell; readonly message: MessageShape }[] = [];
  #isDraining = false;

  /** `side` undefined takes all seats. `sendAway` gets messages to actors that are not here. */
  constructor(program: Program, seats: readonly Seat[], sendAway: Send) {
    const kinds = new KindRegistry(program.kinds);
    const send: Send = (path, message) => {
      const cell = this.#cells.get(path);
      if (cell === undefined) sendAway(path, message);
      else this.#queue.push({ cell, message });
    };
    for (const seat of seats) this.#cells.set(seat.id, new PeerCell(kinds, seat, send));
  }

  /** Handles a message and everything that follows from it on this side. */
  deliver(path: string, message: MessageShape): void {
    const cell = this.#cells.get(path);
    if (cell === undefined) throw new Error(`there must be an actor ${path} on this side`);
    this.#queue.push({ cell, message });
    if (this.#isDraining) return;
    this.#isDraining = true;
    for (let index = 0; index < this.#queue.length; index++) {
      const next = this.#queue[index];
      next?.cell.receive(next.message);
    }
    this.#queue.length = 0;
    this.#isDraining = false;
  }
}

/** What the programs use of `self`. */
class PeerSelf implements Self<MessageShape> {
  readonly path: string;
  readonly incarnation = 1;
  readonly ref: ActorRef<MessageShape>;
  readonly ports = {};
  readonly tracing = noTracing;
  readonly metrics = noMetrics;
  readonly #send: Send;

  constructor(path: string, send: Send) {
    this.path = path;
    this.ref = refOf(path);
    this.#send = send;
  }

  tell<Other extends MessageShape>(to: ActorRef<Other>, message: Other): TellOutcome {
    this.#send(to.path, message);
    return 'sent';
  }

  monotonicMs(): number {
    return performance.now();
  }

  nowMs = notNeeded;
  /** Only the refused wait, and peers refuse nothing. */
  after = notNeeded;
  cancel = notNeeded;
  watch = notNeeded;
  unwatch = notNeeded;
  link = notNeeded;
  unlink = notNeeded;
  stop = notNeeded;
  ignore = notNeeded;
  startInfo = notNeeded;
  random = notNeeded;
  log = notNeeded;
  count = notNeeded;
}

function notNeeded(): never {
  throw new Error('programs must only use what every peer has: path, ref, tell and monotonicMs');
}
