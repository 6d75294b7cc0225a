/** Entry of a CPU pool thread: runs named tasks with fresh entropy. */
import { randomBytes } from 'node:crypto';
import { runCpuTask, TASK_ENTROPY_BYTES } from '../src/ports/cpu-tasks.ts';

export default function run({ task, input }: { readonly task: string; readonly input: unknown }): unknown {
  return runCpuTask(task, input, randomBytes(TASK_ENTROPY_BYTES));
}
