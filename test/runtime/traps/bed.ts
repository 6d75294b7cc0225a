/** Starts and ends the systems of the trap tests. Tests only. */
import { afterEach } from 'vitest';
import type { ActorSpec } from '../../../src/runtime/child-spec.ts';
import type { ActorSystem, ThreadSystemOptions } from '../../../src/runtime/system.ts';
import { startThreads } from '../../../src/runtime/thread-system.ts';
import { TRAP_KINDS, WORD, type TokenMessage } from './fixtures/trap-actors.ts';

export const ENTRY = new URL('./fixtures/trap-worker.ts', import.meta.url);

const running: ActorSystem[] = [];

afterEach(async () => {
  await Promise.all(running.splice(0).map((system) => system.stop({ deadlineMs: 2_000 })));
});

/** Starts actors under one supervisor on worker threads of that way to sleep; stopped when the test is over. */
export async function startTraps(
  wakes: readonly ('nudge' | 'wait')[],
  children: readonly ActorSpec[],
  more: Partial<ThreadSystemOptions> = {},
): Promise<ActorSystem> {
  const system = await startThreads({
    tree: { type: 'supervisor', id: 'root', intensity: 1_000, backoffMinMs: 0, backoffMaxMs: 0, children },
    kinds: TRAP_KINDS,
    portsFor: () => ({}),
    calendar: { type: 'live' },
    log: () => {},
    threads: wakes.map((wake, index) => ({ name: `t${index}`, entry: ENTRY, wake })),
    ...more,
  });
  running.push(system);
  return system;
}

export function actorOf(id: string, kind: string, thread?: string, more: Partial<ActorSpec> = {}): ActorSpec {
  return { type: 'actor', id, kind, args: {}, ...(thread === undefined ? {} : { thread }), ...more };
}

/** Asks again until the answer satisfies the condition: waits for an effect, not for a time. */
export async function until<Answer>(
  question: () => Answer | Promise<Answer>,
  holds: (answer: Answer) => boolean,
): Promise<Answer> {
  for (;;) {
    const answer = await question();
    if (holds(answer)) return answer;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

export interface TokenRun {
  readonly hops: number;
  readonly fromTheFuture: number;
  readonly lostWakeUps: number;
}

/** Sends tokens round a circle of one passer per thread; ends when all their hops are done. */
export async function runTokens(options: {
  readonly wakes: readonly ('nudge' | 'wait')[];
  readonly tokens: number;
  readonly hopsPerToken: number;
  /** Kills every thread first: the clocks of its next life count from a later moment. */
  readonly killsFirst?: boolean;
}): Promise<TokenRun> {
  const { wakes, tokens, hopsPerToken, killsFirst = false } = options;
  const words = new Int32Array(new SharedArrayBuffer(8));
  const passers = wakes.map((_, index) =>
    actorOf(`passer/${index}`, 'token-passer', `t${index}`, {
      args: { next: `passer/${(index + 1) % wakes.length}`, words },
    }),
  );
  const system = await startTraps(wakes, passers);
  for (const { id, thread = '' } of killsFirst ? passers : []) {
    system.killThread(thread);
    await until(
      () => system.inspect(id),
      (answer) => answer?.incarnation === 2 && answer.status === 'running',
    );
  }
  for (let token = 0; token < tokens; token++) {
    const first: TokenMessage = { type: 'token', hopsLeft: hopsPerToken - 1, sentAtMs: system.monotonicMs() };
    system.tell(`passer/${token % wakes.length}`, first);
  }
  // Looks rarely: whoever looks takes the core from those it looks at.
  while (Atomics.load(words, WORD.hops) < tokens * hopsPerToken) await new Promise((look) => setTimeout(look, 20));
  const { threads } = await system.snapshot();
  return {
    hops: Atomics.load(words, WORD.hops),
    fromTheFuture: Atomics.load(words, WORD.fromTheFuture),
    lostWakeUps: threads.reduce((sum, thread) => sum + thread.lostWakeUps, 0),
  };
}
