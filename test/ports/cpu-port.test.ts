import { expect, it, onTestFinished } from 'vitest';
import { Piscina } from 'piscina';
import { fileURLToPath } from 'node:url';
import { CpuThreads, openCpuPort } from '../../src/ports/live/cpu-port.ts';
import type { TaskDone, TaskFailed } from '../../src/ports/ports.ts';

it('computes on this thread after three tasks in a row were lost with the pool, and on the pool again when told to', async () => {
  const pool = new Piscina({
    filename: fileURLToPath(new URL('../runtime/traps/fixtures/cpu-trap.ts', import.meta.url)),
    maxThreads: 1,
  });
  onTestFinished(() => pool.destroy());
  const threads = new CpuThreads(pool);
  const run = async (task: string): Promise<TaskDone | TaskFailed> =>
    new Promise((resolve) => {
      openCpuPort(threads, resolve).run(task, null);
    });
  for (let lost = 0; lost < 3; lost++) expect((await run('exit')).type).toBe('task-failed');
  expect(threads.fallbacks).toBe(1);
  // On the pool this task would end its thread; here nobody knows it.
  expect(await run('exit')).toMatchObject({ type: 'task-failed', detail: expect.stringMatching(/must be one of/) });
  threads.usePool(true);
  const again = await run('exit');
  expect(again).toMatchObject({ type: 'task-failed' });
  expect(threads.fallbacks).toBe(1);
});
