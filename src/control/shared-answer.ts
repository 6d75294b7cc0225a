/** One answer for all who ask at about the same time: whoever asks often must not make the threads that trade answer often. Main thread only. */
import { performance } from 'node:perf_hooks';

/** Returns a function that asks at most once at a time and hands the answer to everybody until it is `keptMs` old. Failures are not kept. */
export function sharedAnswer<Answer>(ask: () => Promise<Answer>, keptMs: number): () => Promise<Answer> {
  let kept: { readonly answer: Promise<Answer>; readonly atMs: number } | undefined;
  let underWay: Promise<Answer> | undefined;
  return () => {
    if (underWay !== undefined) return underWay;
    if (kept !== undefined && performance.now() - kept.atMs < keptMs) return kept.answer;
    const answer = ask();
    underWay = answer;
    void answer.then(
      () => {
        kept = { answer, atMs: performance.now() };
        underWay = undefined;
      },
      () => {
        underWay = undefined;
      },
    );
    return answer;
  };
}
