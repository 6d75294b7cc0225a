/** Every CPU task by name: pure functions of plain input and fresh entropy. Run on pool threads live, inline in virtual time. */
import { runExtendedSignTask } from '../venues/extended/sign.ts';
import { runHyperliquidSignTask } from '../venues/hyperliquid/sign.ts';
import { runLighterSignTask } from '../venues/lighter/sign.ts';

/** Bytes of entropy each task receives. */
export const TASK_ENTROPY_BYTES = 64;

type CpuTask = (input: never, entropy: Uint8Array) => unknown;

const tasks: ReadonlyMap<string, CpuTask> = new Map<string, CpuTask>([
  ['lighter-sign', runLighterSignTask],
  ['extended-sign', runExtendedSignTask],
  ['hyperliquid-sign', runHyperliquidSignTask],
]);

/** Runs a task. Throws on an unknown name and whatever the task throws. */
export function runCpuTask(name: string, input: unknown, entropy: Uint8Array): unknown {
  const task = tasks.get(name);
  if (task === undefined) throw new RangeError(`cpu task must be one of ${[...tasks.keys()].join(', ')}, was ${name}`);
  // The caller and the task belong to the same venue folder: the input's shape is theirs.
  return task(input as never, entropy);
}
