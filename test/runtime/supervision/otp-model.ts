/**
 * A small model of OTP's supervisor, written from its rules and independent of ours: every call does all its work at once,
 * as OTP's blocking supervisor does between two messages of its queue. Tests only.
 */
import type { AutoShutdown, RestartStrategy, RestartType } from '../../../src/runtime/child-spec.ts';

export interface ModelChild {
  readonly id: string;
  readonly restart: RestartType;
  readonly significant: boolean;
}

export interface ModelOptions {
  readonly strategy: RestartStrategy;
  readonly intensity: number;
  readonly periodMs: number;
  readonly autoShutdown: AutoShutdown;
}

export class OtpModel {
  /** `start a`, `stop a`, in order. */
  readonly log: string[] = [];
  /** Starts of a child that still fail. */
  readonly failures = new Map<string, number>();
  hasEnded = false;
  readonly #options: ModelOptions;
  #children: ModelChild[];
  readonly #up = new Set<string>();
  #restartTimes: number[] = [];

  constructor(options: ModelOptions, children: readonly ModelChild[]) {
    this.#options = options;
    this.#children = [...children];
    for (const child of children) this.#start(child);
  }

  /** `a:up b:down`, in start order. */
  get view(): string {
    return this.hasEnded
      ? 'ended'
      : this.#children.map((child) => `${child.id}:${this.#up.has(child.id) ? 'up' : 'down'}`).join(' ');
  }

  exit(id: string, isAbnormal: boolean, nowMs: number): void {
    const child = this.#find(id);
    if (this.hasEnded || child === undefined || !this.#up.delete(id)) return;
    if (child.restart === 'permanent' || (child.restart === 'transient' && isAbnormal)) {
      this.#restart(child, nowMs);
      return;
    }
    if (child.restart === 'temporary' || this.#isSimple) this.#forget(id);
    const others = this.#children.some((other) => other.significant && this.#up.has(other.id));
    const { autoShutdown } = this.#options;
    if (child.significant && (autoShutdown === 'any-significant' || (autoShutdown === 'all-significant' && !others)))
      this.#end();
  }

  startChild(child: ModelChild): string {
    if (this.hasEnded) return 'supervisor-ended';
    if (this.#find(child.id) !== undefined) return this.#up.has(child.id) ? 'already-started' : 'already-present';
    this.#children.push(child);
    if (this.#start(child)) return 'started';
    this.#forget(child.id);
    return 'start-failed';
  }

  terminateChild(id: string): string {
    if (this.hasEnded) return 'supervisor-ended';
    const child = this.#find(id);
    if (child === undefined) return 'not-found';
    this.#stop(child);
    if (this.#isSimple) this.#forget(id);
    return 'done';
  }

  restartChild(id: string): string {
    if (this.hasEnded) return 'supervisor-ended';
    if (this.#isSimple) return 'simple-one-for-one';
    const child = this.#find(id);
    if (child === undefined) return 'not-found';
    if (this.#up.has(id)) return 'running';
    return this.#start(child) ? 'started' : 'start-failed';
  }

  deleteChild(id: string): string {
    if (this.hasEnded) return 'supervisor-ended';
    if (this.#isSimple) return 'simple-one-for-one';
    if (this.#find(id) === undefined) return 'not-found';
    if (this.#up.has(id)) return 'running';
    this.#forget(id);
    return 'done';
  }

  get #isSimple(): boolean {
    return this.#options.strategy === 'simple-one-for-one';
  }

  /** Tries until it works or the attempts exceed the intensity; a failed attempt names the child the next one is about. */
  #restart(first: ModelChild, nowMs: number): void {
    const { intensity, periodMs } = this.#options;
    for (let failed: ModelChild | undefined = first; failed !== undefined; failed = this.#attempt(failed)) {
      this.#restartTimes = [...this.#restartTimes.filter((atMs) => nowMs - atMs <= periodMs), nowMs];
      if (this.#restartTimes.length > intensity) {
        this.#end();
        return;
      }
    }
  }

  #attempt(child: ModelChild): ModelChild | undefined {
    const { strategy } = this.#options;
    if (strategy === 'one-for-one' || strategy === 'simple-one-for-one') return this.#start(child) ? undefined : child;
    const from = strategy === 'one-for-all' ? 0 : this.#children.indexOf(child);
    const group = this.#children.slice(from);
    for (const member of group.toReversed()) this.#stop(member);
    return group.find((member) => this.#find(member.id) !== undefined && !this.#start(member));
  }

  #start(child: ModelChild): boolean {
    this.log.push(`start ${child.id}`);
    const failures = this.failures.get(child.id) ?? 0;
    if (failures > 0) {
      this.failures.set(child.id, failures - 1);
      return false;
    }
    this.#up.add(child.id);
    return true;
  }

  /** A temporary child is not kept once it was stopped. */
  #stop(child: ModelChild): void {
    if (this.#up.delete(child.id)) this.log.push(`stop ${child.id}`);
    if (child.restart === 'temporary') this.#forget(child.id);
  }

  #end(): void {
    // OTP stops dynamic children at the same time, in no order: ours asks them in the order of their start.
    for (const child of this.#isSimple ? this.#children.slice() : this.#children.toReversed()) this.#stop(child);
    this.hasEnded = true;
  }

  #find(id: string): ModelChild | undefined {
    return this.#children.find((child) => child.id === id);
  }

  #forget(id: string): void {
    this.#children = this.#children.filter((child) => child.id !== id);
  }
}
