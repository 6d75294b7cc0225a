/** Lays out a causal trace of the control server's answer as text. Pure functions; main thread. */
import { isRecord, numberOf } from './actor-rows.ts';

interface Step {
  readonly atMs: number;
  /** How long the message was on its way and in the mailbox, and in its handler; undefined for marks. */
  readonly queueMs: number | undefined;
  readonly handlerMs: number | undefined;
  readonly thread: string;
  readonly path: string;
  readonly what: string;
}

/** Returns a heading and one line per hop: since the beginning, time queued, time handled, thread, actor, what it was. */
export function formatTrace(answer: unknown): readonly string[] {
  const trace = isRecord(answer) ? answer : {};
  const beganAtMs = numberOf(trace.beganAtMs);
  const steps = stepsOf(trace);
  const threadWidth = Math.max(...steps.map(({ thread }) => thread.length), 6);
  const pathWidth = Math.max(...steps.map(({ path }) => path.length), 5);
  const line = (at: string, queue: string, handler: string, thread: string, path: string, what: string): string =>
    `${at.padStart(10)} ${queue.padStart(9)} ${handler.padStart(10)}  ${thread.padEnd(threadWidth)}  ${path.padEnd(pathWidth)}  ${what}`;
  return [
    `trace ${numberOf(trace.traceId)}  ${textsOf(trace.names).join(', ')}  ${ms(numberOf(trace.durationMs))} ms on ${textsOf(trace.threads).join(', ')}`,
    line('at ms', 'queue ms', 'handler ms', 'thread', 'actor', 'what'),
    ...steps.map((step) =>
      line(ms(step.atMs - beganAtMs), ms(step.queueMs), ms(step.handlerMs), step.thread, step.path, step.what),
    ),
  ];
}

/** Returns one line per trace: its number, how long it took, what it was named, where it began and has come to. */
export function formatTraceList(answer: unknown): readonly string[] {
  const traces = recordsOf(isRecord(answer) ? answer.traces : undefined);
  if (traces.length === 0) return ['no traces: nothing came from outside yet, or runtime.traceEvery is 0'];
  return traces.map((trace) => {
    const names = textsOf(trace.names);
    const id = `${numberOf(trace.traceId)}`.padStart(8);
    const what = `${endOf(trace.first)} -> ${endOf(trace.last)}`;
    return `${id}  ${ms(numberOf(trace.durationMs)).padStart(9)} ms  ${what}${names.length === 0 ? '' : `  orders ${names.join(', ')}`}`;
  });
}

/** Marks stand behind the handling they are part of; those of the past, which no handling holds, at their time. */
function stepsOf(trace: Readonly<Record<string, unknown>>): readonly Step[] {
  const spans = recordsOf(trace.spans);
  const marks = recordsOf(trace.marks);
  const marksOf = spans.map(() => [] as Step[]);
  const alone: Step[] = [];
  for (const mark of marks) {
    const atMs = numberOf(mark.atMs);
    const at = spans.findLastIndex(
      (span) =>
        span.path === mark.path &&
        span.thread === mark.thread &&
        numberOf(span.startedAtMs) <= atMs &&
        atMs <= numberOf(span.endedAtMs),
    );
    (marksOf[at] ?? alone).push({
      atMs,
      queueMs: undefined,
      handlerMs: undefined,
      thread: textOf(mark.thread),
      path: textOf(mark.path),
      what: `* ${textOf(mark.step)} ${textOf(mark.about)}`.trimEnd(),
    });
  }
  const handled = spans.flatMap((span, at): Step[] => {
    const startedAtMs = numberOf(span.startedAtMs);
    const step: Step = {
      atMs: startedAtMs,
      queueMs: startedAtMs - numberOf(span.queuedAtMs),
      handlerMs: numberOf(span.endedAtMs) - startedAtMs,
      thread: textOf(span.thread),
      path: textOf(span.path),
      what: `${textOf(span.type)} from ${span.from === '$port' ? 'outside' : textOf(span.from)}`,
    };
    return [step, ...(marksOf[at] ?? [])];
  });
  // Sorting is stable: what is told at one instant stays in its order.
  return [...alone, ...handled].sort((one, other) => one.atMs - other.atMs);
}

function endOf(value: unknown): string {
  return isRecord(value) ? `${textOf(value.path)} ${textOf(value.type)}` : '?';
}

function ms(value: number | undefined): string {
  return value === undefined ? '' : value.toFixed(3);
}

function recordsOf(value: unknown): readonly Readonly<Record<string, unknown>>[] {
  return Array.isArray(value) ? value.filter(isRecord) : [];
}

function textsOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
