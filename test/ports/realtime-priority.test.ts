import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import type { RealtimeVerdict } from '../../src/ports/live/realtime-priority.ts';

const ORDINARY = 0;
const ROUND_ROBIN = 2;

interface Told {
  readonly verdict: RealtimeVerdict;
  readonly policy: number;
  readonly childPolicy: number;
}

async function askInThread(env?: NodeJS.ProcessEnv): Promise<Told> {
  const worker = new Worker(new URL('realtime-thread.ts', import.meta.url), env === undefined ? {} : { env });
  const [told] = (await once(worker, 'message')) as [Told];
  await worker.terminate();
  return told;
}

const isMeasurable = process.platform === 'linux' && existsSync('/proc/thread-self/sched');

describe.skipIf(!isMeasurable)('real-time scheduling (needs Linux with /proc/thread-self/sched)', () => {
  it('says what the kernel granted, and threads started later are ordinary', async () => {
    const { verdict, policy, childPolicy } = await askInThread();
    expect(policy).toBe(verdict.isRealtime ? ROUND_ROBIN : ORDINARY);
    if (!verdict.isRealtime) expect(verdict.reason).not.toBe('');
    expect(childPolicy).toBe(ORDINARY);
  });

  it.skipIf(process.getuid?.() !== 0 || !mayRunRealtime())('is granted to root (needs root that may)', async () => {
    expect((await askInThread()).verdict).toEqual({ isRealtime: true });
  });

  it('is refused with the reason where chrt cannot be run', async () => {
    const { verdict, policy } = await askInThread({ PATH: '/nowhere' });
    expect(verdict).toMatchObject({ isRealtime: false, reason: expect.stringContaining('chrt') as unknown });
    expect(policy).toBe(ORDINARY);
  });
});

/** A container may withhold CAP_SYS_NICE from its root. */
function mayRunRealtime(): boolean {
  try {
    execFileSync('chrt', ['--rr', '1', 'true'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
