/** A worker thread that is spoken to with requests and answers with events; waiting for it ends when it does. Main thread. */
import { Worker } from 'node:worker_threads';

/** What a thread may tell instead of what is awaited. */
interface FailedEvent {
  readonly type: 'failed';
  readonly reason: string;
}

export class EventThread<Request, Event extends { readonly type: string }> {
  /** Rejects when the thread tells `failed`, throws or ends; never settles otherwise. */
  readonly failure: Promise<never>;
  readonly #worker: Worker;
  readonly #name: string;

  constructor(entry: URL, workerData: unknown) {
    this.#name = entry.pathname.split('/').at(-1) ?? entry.pathname;
    this.#worker = new Worker(entry, { workerData });
    this.failure = new Promise((_, reject) => {
      this.#worker.on('error', reject);
      this.#worker.on('exit', (code) => reject(new Error(`${this.#name} ended with code ${code}`)));
      this.#worker.on('message', (event: Event | FailedEvent) => {
        if (event.type === 'failed' && 'reason' in event) reject(new Error(`${this.#name}: ${String(event.reason)}`));
      });
    });
    // Whoever waits hears of it; at other times an end is no news.
    this.failure.catch(() => undefined);
  }

  send(request: Request): void {
    this.#worker.postMessage(request);
  }

  /** Settles with the next event of a type, or rejects as `failure` does. */
  next<Type extends Event['type']>(type: Type): Promise<Extract<Event, { readonly type: Type }>> {
    const event = new Promise<Extract<Event, { readonly type: Type }>>((resolve) => {
      const onMessage = (told: Event): void => {
        if (told.type !== type) return;
        this.#worker.off('message', onMessage);
        // Told apart by its type just now; the compiler cannot follow that through a type parameter.
        resolve(told as Extract<Event, { readonly type: Type }>);
      };
      this.#worker.on('message', onMessage);
    });
    return Promise.race([event, this.failure]);
  }

  /** Ends the thread at once, whatever it does. */
  async terminate(): Promise<void> {
    await this.#worker.terminate();
  }
}
