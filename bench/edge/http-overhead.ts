/** Requests through the door and through a plain pool, each timed. Main thread. */
import { Pool } from 'undici';
import { median, percentile, spreadOf } from '../distribution.ts';
import type { BenchResult } from '../result.ts';
import { openDoor, startAnsweringServer } from './door.ts';

export interface Measurement {
  readonly runs: number;
  readonly requests: number;
}

const AT_ONCE = 4;
const WARM_UP = 400;
const BODY_BYTES = 2_000;

export async function measure(
  { runs, requests }: Measurement,
  progress: (text: string) => void,
): Promise<readonly BenchResult[]> {
  const server = await startAnsweringServer(0, BODY_BYTES);
  const door = openDoor();
  const plain = new Pool(server.url, { connections: 16 });
  const through = async (): Promise<unknown> =>
    door.ask({ method: 'GET', url: `${server.url}/positions?limit=200`, headers: {}, timeoutMs: 10_000 });
  const direct = async (): Promise<unknown> => {
    const { body } = await plain.request({ method: 'GET', path: '/positions?limit=200' });
    return body.text();
  };
  try {
    await times(WARM_UP, through);
    await times(WARM_UP, direct);
    const ours: number[][] = [];
    const theirs: number[][] = [];
    for (let run = 1; run <= runs; run++) {
      progress(`run ${run} of ${runs}`);
      ours.push(await times(requests, through));
      theirs.push(await times(requests, direct));
    }
    return [0.5, 0.95, 0.99].map((share) => resultOf(share, ours, theirs));
  } finally {
    await door.close();
    await plain.destroy();
    await server.close();
  }
}

function resultOf(share: number, ours: readonly number[][], theirs: readonly number[][]): BenchResult {
  const values = ours.map((run) => percentile(run, share));
  const value = median(values);
  const baseline = median(theirs.map((run) => percentile(run, share)));
  return {
    metric: `latency p${share * 100}`,
    value,
    unit: 'ms',
    runs: values.length,
    spread: spreadOf(values),
    baseline: { name: 'plain undici pool', value: baseline },
    ratio: value / baseline,
    topology: '1 thread, 4 requests at a time -> server in a worker, loopback, warm',
    ...(share === 0.95 ? { target: { of: 'value', is: 'at most', need: 5 } as const } : {}),
  };
}

/** Returns each request's time, ms. */
async function times(count: number, ask: () => Promise<unknown>): Promise<number[]> {
  const taken: number[] = [];
  let left = count;
  const asker = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      const startedAt = performance.now();
      await ask();
      taken.push(performance.now() - startedAt);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, asker));
  return taken;
}
