/**
 * Ask: a tell that carries where to answer, and a correlated reply. Any thread.
 *
 * The convention: the asked message has two more fields, `replyTo` (the asker's ref) and `askId` (a number of the asker's).
 * The answer is an `ask-replied` message with the same `askId`, told to `replyTo`. Its type is in every system's table.
 */
import type { ActorRef, MessageShape, Self, TellOutcome } from './actor.ts';

/** The fields an ask adds to a message. Add them to the union members that can be asked. */
export interface Asked {
  readonly replyTo: ActorRef;
  readonly askId: number;
}

/** The reply; add it to the message union of actors that ask other actors. */
export interface AskReplied {
  readonly type: 'ask-replied';
  readonly askId: number;
  readonly value: unknown;
}

/** Answers an asked message with plain data. A late answer finds nobody and is counted by the asker's side. */
export function replyTo<Message extends MessageShape, Ports>(
  self: Self<Message, Ports>,
  asked: Asked,
  value: unknown,
): TellOutcome {
  const reply: AskReplied = { type: 'ask-replied', askId: asked.askId, value };
  return self.tell<AskReplied>(asked.replyTo, reply);
}

/** An ask that got no answer. `actor-ended`: the asked actor's life ended first. */
export class AskFailed extends Error {
  override readonly name = 'AskFailed';
  readonly code: 'deadline' | 'actor-ended' | 'not-sent' | 'system-stopped';

  constructor(code: AskFailed['code'], detail: string) {
    super(detail);
    this.code = code;
  }
}
