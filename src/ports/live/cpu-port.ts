/** The CPU door on piscina: named pure tasks on pool threads, shared by all actors of one thread. Connector threads only. */
import { Piscina } from 'piscina';
import type { TraceRef } from '../../runtime/actor.ts';
import type { PortsContext } from '../../runtime/ports-context.ts';
import type { CpuPort, TaskDone, TaskFailed } from '../ports.ts';

/** A task that runs longer than this is failed; signing takes milliseconds. */
const TASK_MS_MAX = 5_000;
const QUEUE_MAX = 1_000;

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

/** Opens the door of one actor incarnation on a shared pool. */
export function openCpuPort(
  pool: Piscina,
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
      pool.run({ task, input }, { signal: AbortSignal.timeout(TASK_MS_MAX) }).then(
        (result: unknown) => {
          if (!disposed) deliver({ type: 'task-done', ref, result }, cause);
        },
        (error: unknown) => {
          if (!disposed)
            deliver(
              { type: 'task-failed', ref, detail: error instanceof Error ? error.message : String(error) },
              cause,
            );
        },
      );
      return ref;
    },
    dispose() {
      disposed = true;
    },
  };
}
