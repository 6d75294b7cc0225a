/** What is asked of the runtime itself, not of trading: mailboxes, traces, one actor's life. Pure, main thread. */
import type { Redactor } from '../observe/redact.ts';
import type { MailboxView } from '../runtime/snapshot.ts';
import type { Trace } from '../runtime/trace-store.ts';
import { BadRequest } from './control-actions.ts';
import type { Inspectable } from './inspectable.ts';

export const MAILBOX_LIMIT_MAX = 100;
const TRACES_LISTED_MAX = 100;

/** What an operator may do to one actor, by the word in the address. */
export const ACTOR_ACTIONS: Readonly<Record<string, (engine: Inspectable, path: string) => Promise<boolean>>> = {
  pause: (engine, path) => engine.pauseActor(path),
  resume: (engine, path) => engine.resumeActor(path),
  restart: (engine, path) => engine.restartActor(path),
};

/** Reads `?limit=`; undefined when there is none. Throws BadRequest. */
export function readLimit(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const limit = /^\d{1,3}$/.test(text) ? Number(text) : Number.NaN;
  if (!(limit >= 1 && limit <= MAILBOX_LIMIT_MAX)) {
    throw new BadRequest('limit', `a whole number from 1 to ${MAILBOX_LIMIT_MAX}`, text);
  }
  return limit;
}

/** Takes secrets out of a mailbox; each message is cut to what is shown of a payload. */
export function redactMailbox(redactor: Redactor, { messages, ...view }: MailboxView): object {
  return {
    ...asObject(redactor.value(view)),
    messages: messages.map(({ message, ...envelope }) => ({
      ...asObject(redactor.value(envelope)),
      message: redactor.display(message),
    })),
  };
}

/** One line per trace, named ones first: where it began, where it has come to. */
export function traceList(traces: readonly Trace[]): object {
  return {
    traces: listed(traces).map(({ traceId, names, beganAtMs, durationMs, threads, spans }) => ({
      traceId,
      names,
      beganAtMs,
      durationMs,
      threads,
      spans: spans.length,
      first: endOf(spans.at(0)),
      last: endOf(spans.at(-1)),
    })),
  };
}

/** Named traces are few and what is looked for: they come before the newest of the others. */
function listed(traces: readonly Trace[]): readonly Trace[] {
  const named = traces.filter(({ names }) => names.length > 0);
  const others = traces.filter(({ names }) => names.length === 0);
  return [...named, ...others].slice(0, TRACES_LISTED_MAX);
}

function endOf(span: Trace['spans'][number] | undefined): object | undefined {
  return span === undefined ? undefined : { path: span.path, type: span.type };
}

function asObject(value: unknown): object {
  return typeof value === 'object' && value !== null ? value : { value };
}
