import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { REALTIME_PRIORITY, type RealtimeVerdict } from '../../src/ports/live/realtime-priority.ts';

const ORDINARY = 0;
const ROUND_ROBIN = 2;

interface Told {
  readonly verdict: RealtimeVerdict;
  readonly policy: number;
  readonly priority: number;
  readonly childPolicy: number;
}

type Role = keyof typeof REALTIME_PRIORITY;

async function askInThread(role: Role, env?: NodeJS.ProcessEnv): Promise<Told> {
  const worker = new Worker(new URL('realtime-thread.ts', import.meta.url), {
    workerData: role,
    ...(env === undefined ? {} : { env }),
  });
  const [told] = (await once(worker, 'message')) as [Told];
  await worker.terminate();
  return told;
}

const isMeasurable = process.platform === 'linux' && existsSync('/proc/thread-self/sched');

describe.skipIf(!isMeasurable)('real-time scheduling (needs Linux with /proc/thread-self/sched)', () => {
  it('says what the kernel granted, and threads started later are ordinary', async () => {
    const { verdict, policy, childPolicy } = await askInThread('io');
    expect(policy).toBe(verdict.isRealtime ? ROUND_ROBIN : ORDINARY);
    if (!verdict.isRealtime) expect(verdict.reason).not.toBe('');
    expect(childPolicy).toBe(ORDINARY);
  });

  it.skipIf(process.getuid?.() !== 0 || !mayRunRealtime()).for(Object.entries(REALTIME_PRIORITY))(
    'is granted to root, %s with priority %i (needs root that may)',
    async ([role, priority]) => {
      expect(await askInThread(role as Role)).toMatchObject({ verdict: { isRealtime: true }, priority });
    },
  );

  it('is refused with the reason where chrt cannot be run', async () => {
    const { verdict, policy } = await askInThread('io', { PATH: '/nowhere' });
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
