/** Keeps one worker thread of a system alive: starts it, attaches it, notices its death, starts it again. Main thread. */
import { releaseProxy, transfer, wrap, type Remote } from 'comlink';
import nodeEndpoint from 'comlink/dist/esm/node-adapter.mjs';
import { MessageChannel, Worker } from 'node:worker_threads';
import { CONTROL_PORT_KEY } from './actor-host.ts';
import { withinDeadline, type AttachOptions, type PeerLink, type ThreadControl } from './control-plane.ts';
import type { ThreadSpec } from './system.ts';

/** Time for any call to a worker; a thread that is silent for longer is hung, and its heartbeat says so earlier. */
export const CALL_DEADLINE_MS = 10_000;
/** Time for a worker to load its entry module and answer its first call. */
const ATTACH_DEADLINE_MS = 30_000;
/** Time for `terminate` to end a worker before native code is blamed. */
const TERMINATE_MS = 2_000;

/** A started worker that waits to be attached. */
interface StartedWorker {
  readonly worker: Worker;
  readonly control: Remote<ThreadControl>;
  /** Settles with the reason when the worker ends, however it ends. */
  readonly death: Promise<string>;
  /** Why it ends, as far as anybody said: its last error, or why it was terminated. */
  failure: string | undefined;
  /** Told to end, and not gone yet. */
  isEnding: boolean;
}

/** One life of a thread. */
export interface ThreadLife {
  readonly incarnation: number;
  readonly control: Remote<ThreadControl>;
  readonly death: Promise<string>;
}

/** What a keeper tells the system; none of these may throw. */
export interface WorkerKeeperEvents {
  /** A life ended; called once per life, whether it was attached or not. */
  onDeath(keeper: WorkerKeeper, reason: string): void;
  onUnkillable(threadName: string): void;
  /** A call was posted to the thread's port: a thread that blocks has to be woken for it. */
  onCallPosted(index: number): void;
}

/** One worker thread over all its lives. */
export class WorkerKeeper {
  readonly name: string;
  readonly index: number;
  readonly spec: ThreadSpec & { readonly entry: URL };
  readonly #events: WorkerKeeperEvents;
  #started: StartedWorker | undefined;
  #spare: StartedWorker | undefined;
  #life: ThreadLife | undefined;
  #incarnation = 0;
  #isClosed = false;
  /** How its latest life ended; undefined while that is its first. */
  lastFailure: string | undefined;

  constructor(spec: ThreadSpec & { readonly entry: URL }, index: number, events: WorkerKeeperEvents) {
    this.name = spec.name;
    this.index = index;
    this.spec = spec;
    this.#events = events;
  }

  /** The attached life, if there is one. */
  get life(): ThreadLife | undefined {
    return this.#life;
  }

  get incarnation(): number {
    return this.#incarnation;
  }

  /** Whether a worker lives, attached or not. */
  get isBegun(): boolean {
    return this.#started !== undefined;
  }

  /** Whether its current life was told to end: native code may keep it for long. */
  get isEnding(): boolean {
    return this.#started?.isEnding === true;
  }

  /** Begins the thread's next life: the warm spare when there is one, else a new worker. It is useful after `attach`. */
  begin(): void {
    const started = this.#spare ?? this.#startWorker();
    this.#spare = undefined;
    this.#started = started;
    this.#incarnation += 1;
  }

  /** Makes the begun worker a thread of the system. Rejects when it refuses, does not answer, or dies. */
  async attach(options: AttachOptions, links: readonly PeerLink[]): Promise<ThreadLife> {
    const started = this.#started;
    if (started === undefined) throw new Error(`thread ${this.name} must be begun before it is attached`);
    const life: ThreadLife = { incarnation: this.#incarnation, control: started.control, death: started.death };
    await this.#answered(life, 'attach', ATTACH_DEADLINE_MS, (control) => control.attach(options));
    for (const link of links) {
      await this.#answered(life, 'attachPeer', CALL_DEADLINE_MS, (control) =>
        control.attachPeer(transfer(link, [link.port])),
      );
    }
    this.#life = life;
    if (this.spec.spare === true && !this.#isClosed) this.#warmSpare();
    return life;
  }

  /** Calls the attached worker. Rejects with ControlCallFailed when it does not answer in time or dies first. */
  call<Result>(
    what: string,
    deadlineMs: number,
    action: (control: Remote<ThreadControl>) => Promise<Result>,
  ): Promise<Result> {
    const life = this.#life;
    if (life === undefined) return Promise.reject(new Error(`thread ${this.name} must be attached to be called`));
    return this.#answered(life, what, deadlineMs, action);
  }

  #answered<Result>(
    life: ThreadLife,
    what: string,
    deadlineMs: number,
    action: (control: Remote<ThreadControl>) => Promise<Result>,
  ): Promise<Result> {
    const call = action(life.control);
    this.#events.onCallPosted(this.index);
    return withinDeadline(call, `${what} of thread ${this.name}`, deadlineMs, life.death);
  }

  /** Ends the current life; `onDeath` follows, or `onUnkillable` when native code holds the thread. */
  terminate(reason: string): void {
    const started = this.#started;
    if (started === undefined || started.isEnding) return;
    started.isEnding = true;
    started.failure ??= reason;
    const timer = setTimeout(() => this.#events.onUnkillable(this.name), TERMINATE_MS);
    void started.worker.terminate().finally(() => clearTimeout(timer));
  }

  /** Ends the thread and its spare for good. Settles when it is gone or native code holds it. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const spare = this.#spare;
    this.#spare = undefined;
    const death = this.#started?.death;
    this.terminate('system stopped');
    await Promise.all([
      spare?.worker.terminate(),
      death === undefined ? undefined : settledWithin(death, TERMINATE_MS),
    ]);
  }

  #warmSpare(): void {
    if (this.#spare === undefined) this.#spare = this.#startWorker();
  }

  #startWorker(): StartedWorker {
    const { port1, port2 } = new MessageChannel();
    const worker = new Worker(this.spec.entry, {
      name: this.name,
      workerData: { [CONTROL_PORT_KEY]: port2 },
      transferList: [port2],
      ...(this.spec.resourceLimits === undefined ? {} : { resourceLimits: this.spec.resourceLimits }),
    });
    const control = wrap<ThreadControl>(nodeEndpoint(port1));
    const { promise: death, resolve } = Promise.withResolvers<string>();
    const started: StartedWorker = { worker, control, death, failure: undefined, isEnding: false };
    worker.on('error', (error: unknown) => {
      started.failure = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    });
    worker.on('exit', (code) => {
      const reason = `thread ${this.name} ended with code ${code}${started.failure === undefined ? '' : `: ${started.failure}`}`;
      resolve(reason);
      // Within the event itself: when two threads end together, nobody may still call the one by way of the other.
      const wasStarted = this.#forget(started);
      control[releaseProxy]();
      port1.close();
      if (!wasStarted) return;
      this.lastFailure = reason;
      this.#events.onDeath(this, reason);
    });
    return started;
  }

  /** Returns true when it was the thread's current life, false when it was its spare. */
  #forget(ended: StartedWorker): boolean {
    if (this.#spare === ended) this.#spare = undefined;
    if (this.#started !== ended) return false;
    this.#started = undefined;
    this.#life = undefined;
    return true;
  }
}

function settledWithin(promise: Promise<unknown>, limitMs: number): Promise<void> {
  const { promise: settled, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, limitMs);
  void promise.then(() => {
    clearTimeout(timer);
    resolve();
  });
  return settled;
}
