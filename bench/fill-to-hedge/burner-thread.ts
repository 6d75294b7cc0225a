/** Starts and ends a thread that computes. Main thread. */
import { Worker } from 'node:worker_threads';

/** A thread that computes until it is ended. */
export class Burner {
  readonly #flag = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  readonly #ended: Promise<void>;

  constructor() {
    const worker = new Worker(new URL('./burner.ts', import.meta.url), { workerData: this.#flag });
    this.#ended = new Promise((resolve, reject) => {
      worker.on('error', reject);
      worker.on('exit', () => resolve());
    });
  }

  end(): Promise<void> {
    Atomics.store(this.#flag, 0, 1);
    return this.#ended;
  }
}
