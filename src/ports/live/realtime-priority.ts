/**
 * Lets the calling thread run before every ordinary thread of the machine. The kernel's fair scheduler lets a thread that computes finish its
 * slice (some ms) before one that wakes up for a socket gets the core; a real-time thread gets it at once. Linux; connector threads only.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync, readlinkSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { isMainThread } from 'node:worker_threads';

/** The lowest real-time priority: above everything ordinary, below what the machine itself runs so. */
const PRIORITY = '1';
/** sched(7): SCHED_RR, in which threads of one priority take turns. */
const ROUND_ROBIN = 2;
/** proc(5): `policy` is field 41 of a thread's stat; counted after the closing bracket of field 2, which may hold spaces. */
const POLICY_FIELD_AFTER_NAME = 41 - 3;
const COMMAND_MS_MAX = 2_000;

export type RealtimeVerdict = { readonly isRealtime: true } | { readonly isRealtime: false; readonly reason: string };

/**
 * Asks the kernel for round-robin real-time scheduling of this thread and reads back whether it agreed: it does for root, with
 * CAP_SYS_NICE, or with a `ulimit -r` of at least 1. Threads that this one starts later run ordinarily. Blocks for some ms: to be
 * called before the thread serves anything. Never throws.
 */
export function runThreadRealtime(): RealtimeVerdict {
  if (process.platform !== 'linux') return refused(`the platform must be linux, is ${process.platform}`);
  // The main thread also supervises: were it to spin in real time, nobody could end it.
  if (isMainThread) return refused('the main thread always runs ordinarily');
  const cores = availableParallelism();
  if (cores < 2) return refused(`real time needs at least 2 cores, the process has ${cores}`);
  const thread = readlinkSync('/proc/thread-self').split('/').at(-1) ?? '';
  const asked = spawnSync('chrt', ['--rr', '--reset-on-fork', '--pid', PRIORITY, thread], {
    timeout: COMMAND_MS_MAX,
    encoding: 'utf8',
  });
  if (asked.error !== undefined) return refused(`chrt (util-linux) cannot be run: ${asked.error.message}`);
  if (policyOfThread() === ROUND_ROBIN) return { isRealtime: true };
  return refused(asked.stderr.trim() || `chrt ended with code ${asked.status}`);
}

function policyOfThread(): number {
  const stat = readFileSync('/proc/thread-self/stat', 'latin1');
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[POLICY_FIELD_AFTER_NAME]);
}

function refused(reason: string): RealtimeVerdict {
  return { isRealtime: false, reason };
}
