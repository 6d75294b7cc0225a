/** The HTTP door as connectors have it, asked with promises, and a venue that answers after a fixed time. Main thread. */
import { Worker } from 'node:worker_threads';
import { DEFAULT_POOLS, HttpPools } from '../../src/ports/live/http-pools.ts';
import type { HttpPoolOptions } from '../../src/ports/live/http-pools.ts';
import { openHttpPort } from '../../src/ports/live/http-port.ts';
import { meteredHttp } from '../../src/ports/metered-ports.ts';
import type { HttpRequest } from '../../src/ports/ports.ts';
import { SharedReads, sharingHttpPort } from '../../src/ports/shared-reads.ts';
import { noMetrics } from '../../src/runtime/metrics.ts';

export interface AnsweringServer {
  readonly url: string;
  close(): Promise<void>;
}

export async function startAnsweringServer(delayMs: number, bodyBytes: number): Promise<AnsweringServer> {
  const worker = new Worker(new URL('answering-worker.ts', import.meta.url), { workerData: { delayMs, bodyBytes } });
  const port = await new Promise<number>((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  });
  return {
    url: `http://127.0.0.1:${port}`,
    close: async () => {
      await worker.terminate();
    },
  };
}

export interface Door {
  /** Settles with the answer's body; rejects when there is none. */
  ask(request: HttpRequest): Promise<string>;
  readonly reads: SharedReads;
  close(): Promise<void>;
}

export function openDoor(options: Partial<HttpPoolOptions> = {}): Door {
  const waiting = new Map<number, { resolve(body: string): void; reject(error: Error): void }>();
  const pools = new HttpPools({ ...DEFAULT_POOLS, ...options });
  const reads = new SharedReads();
  const monotonicMs = (): number => performance.now();
  const port = sharingHttpPort({
    reads,
    deliver: (message) => {
      const asker = waiting.get(message.ref);
      waiting.delete(message.ref);
      if (message.type === 'http-answered') asker?.resolve(message.body);
      else asker?.reject(new Error(`${message.code}: ${message.detail}`));
    },
    calling: () => 0,
    pools,
    metrics: noMetrics,
    monotonicMs,
    later: (action) => void setImmediate(action),
    open: (answer) =>
      meteredHttp({ metrics: noMetrics, venue: 'bench', monotonicMs }, answer, (metered) =>
        openHttpPort(metered, undefined, pools),
      ),
  });
  return {
    reads,
    ask: (request) =>
      new Promise((resolve, reject) => {
        waiting.set(port.send(request, 'bench'), { resolve, reject });
      }),
    close: async () => {
      port.dispose();
      await pools.destroy();
    },
  };
}
