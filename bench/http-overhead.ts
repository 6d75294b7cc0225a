/**
 * What does our HTTP door cost on warm connections?
 *
 *   main thread: [door: shared reads, pools, deadline, metrics] --keep-alive--> worker: [server that answers at once]
 *   baseline: a plain undici pool against the same server, in the same run
 *
 * Realistic because it is the door as connectors have it, four requests at a time, with an answer the size of a position list. The
 * venue and the way to it are left out: what remains is what we add. Latency from asking to being told, the server's own time included.
 */
import { measure } from './edge/http-overhead.ts';
import type { BenchOptions, BenchResult } from './result.ts';

export const name = 'http-overhead';

export function run({ progress }: BenchOptions): Promise<readonly BenchResult[]> {
  return measure({ runs: 5, requests: 2_000 }, progress);
}
