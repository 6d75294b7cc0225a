/** Entry of a thread that computes without a pause, as a thread of the CPU pool does while it has work. */
import { workerData } from 'node:worker_threads';

const flag = workerData as Int32Array;
for (let round = 0; Atomics.load(flag, 0) === 0; round++) {
  // Arithmetic that no compiler can leave out: its result decides when the flag is looked at again.
  let value = round;
  for (let step = 0; step < 100_000; step++) value = (value * 1_103_515_245 + 12_345) % 2_147_483_648;
  if (value < 0) throw new Error('a remainder of positive numbers must be positive');
}
