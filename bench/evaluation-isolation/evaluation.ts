/** The evaluation of evaluation-isolation: an actor that computes for a while in one message, again and again. On whatever thread it is placed. */
import { unreachable, type ActorKind } from '../../src/runtime/actor.ts';
import { replyTo, type Asked } from '../../src/runtime/ask.ts';

export interface EvaluationPorts {
  readonly hrtimeNs: () => bigint;
}

export type EvaluationMessage =
  /** Asked by main: begins to evaluate, each time for `busyMs`, with the starts `everyMs` apart. Answered at once. */
  | ({ readonly type: 'begin-evaluating'; readonly busyMs: number; readonly everyMs: number } & Asked)
  | { readonly type: 'evaluate'; readonly busyMs: number; readonly everyMs: number; readonly bout: number }
  /** Asked by main: evaluates no more. Answered with what was evaluated, as Span[]. */
  | ({ readonly type: 'end-evaluating' } & Asked);

/** One evaluation, on the clock of `process.hrtime.bigint()`, which all threads share. */
export interface Span {
  readonly beganNs: bigint;
  readonly endedNs: bigint;
}

interface EvaluationState {
  /** Numbers the begin-evaluatings: what is left of an earlier one does nothing. */
  bout: number;
  spans: Span[];
}

export const evaluation: ActorKind<
  Readonly<Record<string, never>>,
  EvaluationState,
  EvaluationMessage,
  EvaluationPorts
> = {
  kind: 'bench-evaluation',
  delivery: {
    'begin-evaluating': { class: 'must-deliver', priority: 'normal' },
    evaluate: { class: 'must-deliver', priority: 'normal' },
    'end-evaluating': { class: 'must-deliver', priority: 'normal' },
  },

  start: () => ({ bout: 0, spans: [] }),

  receive(state, message, self) {
    switch (message.type) {
      case 'begin-evaluating': {
        const { busyMs, everyMs } = message;
        state.bout += 1;
        state.spans = [];
        self.after(everyMs, { type: 'evaluate', busyMs, everyMs, bout: state.bout });
        replyTo(self, message, undefined);
        return state;
      }
      case 'evaluate':
        if (message.bout !== state.bout) return state;
        // The next one counts from this one's start, as a strategy's scan timer does.
        self.after(message.everyMs, message);
        state.spans.push(compute(message.busyMs, self.ports.hrtimeNs));
        return state;
      case 'end-evaluating':
        state.bout += 1;
        replyTo(self, message, state.spans);
        return state;
      default:
        return unreachable(message);
    }
  },
};

/** Computes without a pause: nothing else of this thread runs meanwhile. */
function compute(busyMs: number, hrtimeNs: () => bigint): Span {
  const beganNs = hrtimeNs();
  const untilNs = beganNs + BigInt(busyMs) * 1_000_000n;
  let endedNs = beganNs;
  while (endedNs < untilNs) endedNs = hrtimeNs();
  return { beganNs, endedNs };
}
