/** The CPU door: named pure tasks on pool threads, or at once where there is no pool. Shared by all actors of one thread. Connector threads only. */
import { randomBytes } from 'node:crypto';
import { Piscina } from 'piscina';
import type { TraceRef } from '../../runtime/actor.ts';
import type { PortsContext } from '../../runtime/ports-context.ts';
import { runCpuTask, TASK_ENTROPY_BYTES } from '../cpu-tasks.ts';
import type { CpuPort, TaskDone, TaskFailed } from '../ports.ts';

/** A task that runs longer than this is failed; signing takes milliseconds. */
const TASK_MS_MAX = 5_000;
const QUEUE_MAX = 1_000;
/** Tasks that failed in a row after which the pool is not asked any more, until somebody switches it on again. */
const POOL_FAILURES_MAX = 3;

/** Starts the pool. `threads` 0 is refused by config. */
export function startCpuPool(threads: number): Piscina {
  return new Piscina({
    filename: new URL('../../../workers/cpu.ts', import.meta.url).href,
    minThreads: threads,
    maxThreads: threads,
    maxQueue: QUEUE_MAX,
    // Default atomics park the pool thread between tasks and cost six times the p99 (dependencies measured).
    atomics: 'disabled',
    env: {},
  });
}

/** Who computes for the actors of one thread: a pool, or the thread itself where it has none, or was told to, or the pool failed. */
export class CpuThreads {
  readonly #pool: Piscina | undefined;
  #isPoolWanted = true;
  #failuresInARow = 0;
  #fallbacks = 0;

  /** Without a pool everything is computed on this thread. */
  constructor(pool: Piscina | undefined) {
    this.#pool = pool;
  }

  get fallbacks(): number {
    return this.#fallbacks;
  }

  usePool(isOn: boolean): void {
    this.#isPoolWanted = isOn;
    this.#failuresInARow = 0;
  }

  async compute(task: string, input: unknown): Promise<unknown> {
    if (this.#pool === undefined || !this.#isPoolWanted) return this.#here(task, input);
    try {
      const result: unknown = await this.#pool.run({ task, input }, { signal: AbortSignal.timeout(TASK_MS_MAX) });
      this.#failuresInARow = 0;
      return result;
    } catch (error) {
      // One failed task may be at fault itself, and is never repeated here: it could hold up the sockets. Several are the pool's fault.
      this.#failuresInARow += 1;
      if (this.#failuresInARow === POOL_FAILURES_MAX) {
        this.#isPoolWanted = false;
        this.#fallbacks += 1;
      }
      throw error;
    }
  }

  async #here(task: string, input: unknown): Promise<unknown> {
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
    return runCpuTask(task, input, randomBytes(TASK_ENTROPY_BYTES));
  }
}

/** Opens the door of one actor incarnation. */
export function openCpuPort(
  threads: CpuThreads,
  deliver: (message: TaskDone | TaskFailed, cause: TraceRef) => void,
  calling: PortsContext['calling'] = () => 0,
): CpuPort & { dispose(): void } {
  let lastRef = 0;
  let disposed = false;
  return {
    run(task, input) {
      lastRef += 1;
      const ref = lastRef;
      const cause = calling('cpu-run', task);
      threads.compute(task, input).then(
        (result) => {
          if (!disposed) deliver({ type: 'task-done', ref, result }, cause);
        },
        (error: unknown) => {
          const detail = error instanceof Error ? error.message : String(error);
          if (!disposed) deliver({ type: 'task-failed', ref, detail }, cause);
        },
      );
      return ref;
    },
    usePool: (isOn) => threads.usePool(isOn),
    fallbacks: () => threads.fallbacks,
    dispose() {
      disposed = true;
    },
  };
}
