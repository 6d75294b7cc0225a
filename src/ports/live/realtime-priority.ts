/**
 * Lets the calling thread run before every ordinary thread of the machine. The kernel's fair scheduler lets a thread that computes finish its
 * slice (some ms) before one that wakes up for a socket gets the core; a real-time thread gets it at once. Linux; io, store and trading threads only.
 */
import { execFile } from 'node:child_process';
import { readFileSync, readlinkSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { isMainThread } from 'node:worker_threads';

/**
 * Real-time priorities, the lowest there are: above everything ordinary, below what the machine itself runs so. Sockets come before the
 * disk, which waits more than it computes, and both before threads that also judge the whole market.
 */
export const REALTIME_PRIORITY = { io: 3, store: 2, trading: 1 } as const;
/** sched(7): SCHED_RR, in which threads of one priority take turns. */
const ROUND_ROBIN = 2;
/** proc(5): `policy` is field 41 of a thread's stat; counted after the closing bracket of field 2, which may hold spaces. */
const POLICY_FIELD_AFTER_NAME = 41 - 3;
const COMMAND_MS_MAX = 10_000;

export type RealtimeVerdict = { readonly isRealtime: true } | { readonly isRealtime: false; readonly reason: string };

/**
 * Asks the kernel for round-robin real-time scheduling of this thread, then tells whether it agreed, as read back: it does for root, with
 * CAP_SYS_NICE, or with a `ulimit -r` of at least the role's priority. Threads that this one starts later run ordinarily. Returns at once:
 * on a machine that is short of cores, where it matters, starting a program may take longer than a thread may be silent. Never throws.
 */
export function runThreadRealtime(
  role: keyof typeof REALTIME_PRIORITY,
  told: (verdict: RealtimeVerdict) => void,
): void {
  const obstacle = obstacleToRealtime();
  if (obstacle !== undefined) {
    told(refused(obstacle));
    return;
  }
  const thread = readlinkSync('/proc/thread-self').split('/').at(-1) ?? '';
  const words = ['--rr', '--reset-on-fork', '--pid', `${REALTIME_PRIORITY[role]}`, thread];
  execFile('chrt', words, { timeout: COMMAND_MS_MAX }, (error, _, stderr) => {
    if (policyOfThread() === ROUND_ROBIN) told({ isRealtime: true });
    else if (typeof error?.code === 'string') told(refused(`chrt (util-linux) cannot be run: ${error.message}`));
    else told(refused(stderr.trim() || `chrt ended with code ${error?.code ?? 0}`));
  });
}

function obstacleToRealtime(): string | undefined {
  if (process.platform !== 'linux') return `the platform must be linux, is ${process.platform}`;
  // The main thread also supervises: were it to spin in real time, nobody could end it.
  if (isMainThread) return 'the main thread always runs ordinarily';
  const cores = availableParallelism();
  return cores < 2 ? `real time needs at least 2 cores, the process has ${cores}` : undefined;
}

function policyOfThread(): number {
  const stat = readFileSync('/proc/thread-self/stat', 'latin1');
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[POLICY_FIELD_AFTER_NAME]);
}

function refused(reason: string): RealtimeVerdict {
  return { isRealtime: false, reason };
}
