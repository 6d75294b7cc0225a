/** Asks of the main thread that wait for their answer. Main thread only. */
import type { ActorPath, ActorRef, MessageShape } from './actor.ts';
import { AskFailed, type Asked } from './ask.ts';
import { ASKS_PATH } from './placement.ts';

interface PendingAsk {
  readonly path: ActorPath;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
  readonly timer: NodeJS.Timeout;
}

/** Asks and their promises; each settles exactly once: with its answer, at its deadline, or with the life it asked. */
export class AskTable {
  readonly #pending = new Map<number, PendingAsk>();
  readonly #replyTo: ActorRef = { path: ASKS_PATH, incarnation: 0 };
  #nextId = 1;
  #late = 0;

  /** Answers that came after their ask had failed. */
  get late(): number {
    return this.#late;
  }

  /** Sends `message` with the ask's fields through `send` and returns what settles with the answer. */
  ask(
    path: ActorPath,
    message: MessageShape,
    deadlineMs: number,
    send: (asked: MessageShape & Asked) => boolean,
  ): Promise<unknown> {
    const askId = this.#nextId;
    this.#nextId += 1;
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const timer = setTimeout(
      () =>
        this.#fail(
          askId,
          new AskFailed('deadline', `"${message.type}" to ${path} must be answered within ${deadlineMs} ms`),
        ),
      deadlineMs,
    );
    this.#pending.set(askId, { path, resolve, reject, timer });
    if (!send({ ...message, replyTo: this.#replyTo, askId }))
      this.#fail(askId, new AskFailed('not-sent', `"${message.type}" could not be told to ${path}`));
    return promise;
  }

  /** Takes what was told to the asks' path. */
  take(message: MessageShape): void {
    if (message.type !== 'ask-replied' || !('askId' in message) || typeof message.askId !== 'number') return;
    const pending = this.#pending.get(message.askId);
    if (pending === undefined) {
      this.#late += 1;
      return;
    }
    this.#forget(message.askId, pending);
    pending.resolve('value' in message ? message.value : undefined);
  }

  /** Fails all asks of an actor whose life ended: its answer can no longer come. */
  actorEnded(path: ActorPath, reason: string): void {
    for (const [askId, pending] of this.#pending) {
      if (pending.path === path)
        this.#fail(askId, new AskFailed('actor-ended', `${path} ended before it answered: ${reason}`));
    }
  }

  failAll(reason: string): void {
    for (const askId of [...this.#pending.keys()]) this.#fail(askId, new AskFailed('system-stopped', reason));
  }

  #fail(askId: number, error: AskFailed): void {
    const pending = this.#pending.get(askId);
    if (pending === undefined) return;
    this.#forget(askId, pending);
    pending.reject(error);
  }

  #forget(askId: number, pending: PendingAsk): void {
    clearTimeout(pending.timer);
    this.#pending.delete(askId);
  }
}
