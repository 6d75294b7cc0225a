/** The main thread's handle of a process that only computes. */
import { fork, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';

export type BusyRequest =
  { readonly type: 'begin'; readonly busyMs: number; readonly everyMs: number } | { readonly type: 'rest' | 'end' };

export class BusyNeighbour {
  readonly #child: ChildProcess = fork(join(import.meta.dirname, 'busy-process.ts'), { stdio: 'inherit' });

  begin(plan: { readonly busyMs: number; readonly everyMs: number }): Promise<void> {
    return this.#ask({ type: 'begin', ...plan });
  }

  rest(): Promise<void> {
    return this.#ask({ type: 'rest' });
  }

  /** Ends the process; settles when it is gone. */
  close(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#child.exitCode !== null || this.#child.signalCode !== null) return resolve();
      this.#child.once('exit', () => resolve());
      this.#child.send({ type: 'end' } satisfies BusyRequest);
    });
  }

  #ask(request: BusyRequest): Promise<void> {
    return new Promise((resolve, reject) => {
      const onExit = (code: number | null): void => reject(new Error(`the busy process ended with code ${code}`));
      this.#child.once('exit', onExit);
      this.#child.once('message', () => {
        this.#child.off('exit', onExit);
        resolve();
      });
      this.#child.send(request);
    });
  }
}
