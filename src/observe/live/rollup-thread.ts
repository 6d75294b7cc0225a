/** The main thread's side of the roll-up store, and the store's own loop: plain messages, answers within a deadline. */
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import type { LogLevel } from '../../runtime/ports-context.ts';
import type { Rollup } from '../rollups.ts';
import { RollupStore } from './rollup-store.ts';
import type { RollupQuery } from './rollup-store.ts';

type Asked =
  | { readonly type: 'write'; readonly rows: readonly Rollup[]; readonly nowMs: number }
  | { readonly type: 'read'; readonly query: RollupQuery; readonly nowMs: number }
  | { readonly type: 'close' };
type Numbered = Asked & { readonly id: number };
interface Answered {
  readonly id: number;
  readonly rows?: readonly Rollup[];
  readonly failure?: string;
}

interface StoreData {
  readonly directory: string;
  readonly retentionDays: number;
}

const ANSWER_MS = 5_000;
/** Questions under way at most: a disk that hangs must not gather them. */
const UNDER_WAY_MAX = 16;

export interface RollupThreadOptions extends StoreData {
  readonly log: (level: LogLevel, event: string, fields: Readonly<Record<string, unknown>>) => void;
  /** Epoch ms. */
  readonly nowMs: () => number;
}

/** Keeps roll-ups on a thread of its own; what fails is told in the log and lost. */
export class RollupThread {
  readonly #options: RollupThreadOptions;
  readonly #under = new Map<number, (answer: Answered) => void>();
  #worker: Worker | undefined;
  #lastId = 0;
  #isClosed = false;

  constructor(options: RollupThreadOptions) {
    this.#options = options;
  }

  async write(rows: readonly Rollup[]): Promise<void> {
    await this.#ask({ type: 'write', rows, nowMs: this.#options.nowMs() });
  }

  /** Returns the rows of a metric since `fromMs`; none when the store does not answer. */
  async read(query: RollupQuery): Promise<readonly Rollup[]> {
    return (await this.#ask({ type: 'read', query, nowMs: this.#options.nowMs() })).rows ?? [];
  }

  /** Settles when everything written is in the file, or the time is over. */
  async close(): Promise<void> {
    if (this.#worker !== undefined) await this.#ask({ type: 'close' });
    this.#isClosed = true;
    await this.#worker?.terminate();
  }

  async #ask(asked: Asked): Promise<Answered> {
    if (this.#isClosed || this.#under.size >= UNDER_WAY_MAX) return { id: 0 };
    const worker = (this.#worker ??= this.#start());
    const id = (this.#lastId += 1);
    const { promise, resolve } = Promise.withResolvers<Answered>();
    this.#under.set(id, resolve);
    const timer = setTimeout(() => resolve({ id, failure: `no answer within ${ANSWER_MS} ms` }), ANSWER_MS);
    const question: Numbered = { ...asked, id };
    worker.postMessage(question);
    const answer = await promise;
    clearTimeout(timer);
    this.#under.delete(id);
    if (answer.failure !== undefined)
      this.#options.log('warn', 'metrics-store-failed', { asked: asked.type, reason: answer.failure });
    return answer;
  }

  #start(): Worker {
    const { directory, retentionDays } = this.#options;
    const data: StoreData = { directory, retentionDays };
    const entry = new URL('../../../workers/metrics-store.ts', import.meta.url);
    const worker = new Worker(entry, { name: 'metrics-store', workerData: data, env: {} });
    worker.unref();
    worker.on('message', (answer: Answered) => this.#under.get(answer.id)?.(answer));
    worker.on('error', (error) => this.#ended(worker, error.message));
    worker.on('exit', (code) => this.#ended(worker, `ended with code ${code}`));
    return worker;
  }

  /** The next question starts another one. */
  #ended(worker: Worker, failure: string): void {
    if (this.#worker !== worker) return;
    this.#worker = undefined;
    for (const [id, resolve] of this.#under) resolve({ id, failure });
  }
}

/** The store's own loop; the one call of its worker. */
export function serveRollups(): void {
  const port = parentPort;
  if (isMainThread || port === null) throw new Error('serveRollups must be called in a worker');
  const { directory, retentionDays } = workerData as StoreData;
  let store: RollupStore | undefined;
  port.on('message', (asked: Numbered) => {
    const { id } = asked;
    try {
      store ??= new RollupStore(directory, retentionDays);
      port.postMessage({ id, ...answerOf(store, asked) });
      if (asked.type === 'close') store = undefined;
    } catch (error) {
      store?.close();
      store = undefined;
      port.postMessage({ id, failure: error instanceof Error ? error.message : String(error) });
    }
  });
}

function answerOf(store: RollupStore, asked: Asked): Omit<Answered, 'id'> {
  if (asked.type === 'read') return { rows: store.read(asked.query, asked.nowMs) };
  if (asked.type === 'write') store.write(asked.rows, asked.nowMs);
  else store.close();
  return {};
}
