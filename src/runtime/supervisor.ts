/**
 * One supervisor as a pure state machine with OTP's meanings: an event and the time go in, a new state and commands come
 * out. It knows neither threads nor clocks; `supervision-tree.ts` carries its commands out. Any thread.
 *
 *   idle --start--> starting --all children up--> running --stop or intensity reached--> stopping --all down--> ended
 *                      \--a child failed to start--> stopping (children in reverse) --> ended (start failed)
 *
 * While running, one-for-one children restart each on their own. The other strategies restart a suffix of the children
 * (all of them for one-for-all) as one `group`: stop in reverse order, wait for the backoff, start in order.
 */
import type { ChildSpec, RestartStrategy, RestartType, SupervisorSpec } from './child-spec.ts';

/** Why a child's life ended. `normal` and `shutdown` are orderly, the others abnormal. */
export interface ExitReason {
  readonly kind: 'normal' | 'shutdown' | 'crashed' | 'killed' | 'thread-died';
  readonly detail: string;
}

/** `idle`: never started. `down`: to be started in its turn. `delayed`: to be started after its backoff. `ended`: not again. */
export type ChildPhase = 'idle' | 'starting' | 'running' | 'stopping' | 'killing' | 'down' | 'delayed' | 'ended';

export interface ChildState {
  readonly id: string;
  readonly restart: RestartType;
  /** Time for a graceful stop; Infinity waits for ever, 0 kills at once. */
  readonly shutdownMs: number;
  readonly phase: ChildPhase;
  /** -1 before its first start. */
  readonly startedAtMs: number;
  /** Restarts since it last stayed up for `backoffMaxMs`. */
  readonly attempts: number;
}

export interface SupervisorState {
  readonly strategy: RestartStrategy;
  readonly intensity: number;
  readonly periodMs: number;
  readonly backoffMinMs: number;
  readonly backoffMaxMs: number;
  readonly phase: 'idle' | 'starting' | 'running' | 'stopping' | 'ended';
  readonly children: readonly ChildState[];
  /** The restart of a suffix of the children under way. */
  readonly group: { readonly from: number; readonly step: 'stopping' | 'delayed' | 'starting'; readonly attempts: number } | undefined;
  /** Times of the restarts inside the sliding window. */
  readonly restartTimesMs: readonly number[];
  readonly restartsTotal: number;
  /** Children that ended while the first start was still under way, to be judged once it is done. */
  readonly deferredExits: readonly ChildExit[];
  readonly end: { readonly reason: ExitReason; readonly startFailed: boolean } | undefined;
}

export interface ChildExit {
  readonly id: string;
  readonly reason: ExitReason;
}

export type SupervisorEvent =
  | { readonly type: 'start' }
  | { readonly type: 'child-started'; readonly id: string }
  | { readonly type: 'child-start-failed'; readonly id: string; readonly reason: ExitReason }
  /** Children that ended together (a thread died) come in one event and count as one restart. */
  | { readonly type: 'children-exited'; readonly exits: readonly ChildExit[] }
  | { readonly type: 'timer'; readonly timer: string }
  | { readonly type: 'stop'; readonly reason: string }
  | { readonly type: 'kill'; readonly reason: string };

export type SupervisorCommand =
  | { readonly type: 'start-child'; readonly id: string }
  | { readonly type: 'stop-child'; readonly id: string; readonly reason: string }
  | { readonly type: 'kill-child'; readonly id: string }
  /** Nobody will live there again while this supervisor lives: close its mailbox. */
  | { readonly type: 'retire-child'; readonly id: string }
  | { readonly type: 'arm'; readonly timer: string; readonly delayMs: number }
  | { readonly type: 'disarm'; readonly timer: string }
  | { readonly type: 'restarting'; readonly ids: readonly string[]; readonly reason: ExitReason; readonly delayMs: number; readonly restartsInPeriod: number }
  | { readonly type: 'started' }
  | { readonly type: 'ended'; readonly reason: ExitReason; readonly startFailed: boolean };

export interface SupervisorInput {
  readonly event: SupervisorEvent;
  readonly nowMs: number;
  /** A fraction in [0, 1) for the backoff's jitter. */
  readonly jitter: number;
}

export interface SupervisorStep {
  readonly state: SupervisorState;
  readonly commands: readonly SupervisorCommand[];
}

const GROUP_TIMER = 'backoff';

/** Returns a supervisor that has not started anything yet. */
export function newSupervisor(spec: SupervisorSpec): SupervisorState {
  return {
    strategy: spec.strategy ?? 'one-for-one',
    intensity: spec.intensity ?? 5,
    periodMs: spec.periodMs ?? 30_000,
    backoffMinMs: spec.backoffMinMs ?? 50,
    backoffMaxMs: spec.backoffMaxMs ?? 5_000,
    phase: 'idle',
    children: spec.children.map(newChild),
    group: undefined,
    restartTimesMs: [],
    restartsTotal: 0,
    deferredExits: [],
    end: undefined,
  };
}

function newChild(spec: ChildSpec): ChildState {
  return {
    id: spec.id,
    restart: spec.restart ?? 'permanent',
    shutdownMs: spec.shutdownMs ?? (spec.type === 'supervisor' ? Infinity : 5_000),
    phase: 'idle',
    startedAtMs: -1,
    attempts: 0,
  };
}

/** Takes one event. Events about children it does not expect anything from are ignored. */
export function supervise(state: SupervisorState, input: SupervisorInput): SupervisorStep {
  const step = new Step(state, input.nowMs, input.jitter);
  step.take(input.event);
  step.advance();
  return { state: step.state, commands: step.commands };
}

/** One transition in the making; lives only inside `supervise`. */
class Step {
  state: SupervisorState;
  readonly commands: SupervisorCommand[] = [];
  readonly #nowMs: number;
  readonly #jitter: number;

  constructor(state: SupervisorState, nowMs: number, jitter: number) {
    this.state = state;
    this.#nowMs = nowMs;
    this.#jitter = jitter;
  }

  take(event: SupervisorEvent): void {
    switch (event.type) {
      case 'start':
        if (this.state.phase === 'idle') this.#change({ phase: 'starting' });
        return;
      case 'child-started':
        if (this.#phaseOf(event.id) === 'starting') this.#changeChild(event.id, { phase: 'running', startedAtMs: this.#nowMs });
        return;
      case 'child-start-failed':
        this.#takeStartFailure(event.id, event.reason);
        return;
      case 'children-exited':
        this.#takeExits(event.exits);
        return;
      case 'timer':
        this.#takeTimer(event.timer);
        return;
      case 'stop':
        this.#beginEnd({ kind: 'shutdown', detail: event.reason }, false);
        return;
      case 'kill':
        this.#killAll(event.reason);
        return;
    }
  }

  /** Does the next thing in order, whatever the last event made possible. */
  advance(): void {
    switch (this.state.phase) {
      case 'starting':
        if (!this.#startNextFrom(0)) this.#finishStart();
        return;
      case 'running':
        this.#advanceGroup();
        return;
      case 'stopping':
        if (!this.#stopLastFrom(0)) this.#finishEnd();
        return;
      case 'idle':
      case 'ended':
        return;
    }
  }

  // --- events ---

  #takeStartFailure(id: string, reason: ExitReason): void {
    if (this.#phaseOf(id) !== 'starting') {
      this.#takeExits([{ id, reason }]);
      return;
    }
    if (this.state.phase === 'starting') {
      this.#changeChild(id, { phase: 'down' });
      this.#beginEnd({ kind: reason.kind, detail: `"${id}" failed to start: ${reason.detail}` }, true);
      return;
    }
    this.#takeExits([{ id, reason }]);
  }

  #takeExits(exits: readonly ChildExit[]): void {
    const unexpected: ChildExit[] = [];
    for (const exit of exits) {
      const phase = this.#phaseOf(exit.id);
      if (phase === 'stopping' || phase === 'killing') {
        this.commands.push({ type: 'disarm', timer: deadlineTimer(exit.id) });
        this.#changeChild(exit.id, { phase: 'down' });
      } else if (phase === 'running' || phase === 'starting') {
        unexpected.push(exit);
      }
    }
    if (unexpected.length === 0) return;
    if (this.state.phase === 'starting') this.#deferExits(unexpected);
    else if (this.state.phase === 'running') this.#judgeExits(unexpected);
    else for (const exit of unexpected) this.#changeChild(exit.id, { phase: 'down' });
  }

  /** OTP judges exits only after all children were started once; the child that died while starting has failed to start. */
  #deferExits(exits: readonly ChildExit[]): void {
    const starting = exits.find((exit) => this.#phaseOf(exit.id) === 'starting');
    for (const exit of exits) this.#changeChild(exit.id, { phase: 'delayed' });
    this.#change({ deferredExits: [...this.state.deferredExits, ...exits] });
    if (starting !== undefined) this.#beginEnd({ kind: starting.reason.kind, detail: `"${starting.id}" failed to start: ${starting.reason.detail}` }, true);
  }

  #judgeExits(exits: readonly ChildExit[]): void {
    const again: ChildExit[] = [];
    for (const exit of exits) {
      const child = this.#child(exit.id);
      if (child === undefined) continue;
      if (isRestarted(child.restart, exit.reason)) {
        again.push(exit);
        this.#changeChild(exit.id, { phase: 'down' });
      } else {
        this.#endChild(exit.id);
      }
    }
    const [first] = again;
    if (first === undefined) return;
    const restartTimesMs = [...this.state.restartTimesMs.filter((atMs) => atMs > this.#nowMs - this.state.periodMs), this.#nowMs];
    this.#change({ restartTimesMs, restartsTotal: this.state.restartsTotal + 1 });
    if (restartTimesMs.length > this.state.intensity) {
      const detail = `reached its restart intensity of ${this.state.intensity} in ${this.state.periodMs} ms; last: "${first.id}" ${first.reason.detail}`;
      this.#beginEnd({ kind: 'shutdown', detail }, false);
      return;
    }
    if (this.state.strategy === 'one-for-one') for (const exit of again) this.#restartOne(exit);
    else this.#restartGroup(again, first.reason);
  }

  #restartOne(exit: ChildExit): void {
    const child = this.#child(exit.id);
    if (child === undefined) return;
    const attempts = this.#attemptsAfter(child);
    const delayMs = this.#backoffMs(attempts);
    this.#changeChild(exit.id, { phase: delayMs > 0 ? 'delayed' : 'down', attempts });
    this.#announce([exit.id], exit.reason, delayMs);
    if (delayMs > 0) this.commands.push({ type: 'arm', timer: backoffTimer(exit.id), delayMs });
    else this.#startChild(exit.id);
  }

  #restartGroup(exits: readonly ChildExit[], reason: ExitReason): void {
    const { children, group } = this.state;
    const firstDead = Math.min(...exits.map((exit) => children.findIndex((child) => child.id === exit.id)));
    // While its members are being started, those before the dead one are up again and stay so.
    const restFrom = group === undefined || group.step === 'starting' ? firstDead : Math.min(firstDead, group.from);
    const from = this.state.strategy === 'one-for-all' ? 0 : restFrom;
    if (group?.step === 'delayed') this.commands.push({ type: 'disarm', timer: GROUP_TIMER });
    const attempts = Math.max(group?.attempts ?? 0, ...exits.map((exit) => this.#attemptsAfter(this.#child(exit.id))));
    for (const exit of exits) this.#changeChild(exit.id, { attempts });
    this.#change({ group: { from, step: 'stopping', attempts } });
    this.#announce(
      children.slice(from).map((child) => child.id),
      reason,
      0,
    );
  }

  #takeTimer(timer: string): void {
    if (timer === GROUP_TIMER) {
      const { group } = this.state;
      if (group?.step === 'delayed') this.#change({ group: { ...group, step: 'starting' } });
      return;
    }
    for (const child of this.state.children) {
      if (timer === deadlineTimer(child.id) && child.phase === 'stopping') this.#killChild(child.id);
      if (timer === backoffTimer(child.id) && child.phase === 'delayed' && this.state.phase === 'running') this.#startChild(child.id);
    }
  }

  #beginEnd(reason: ExitReason, startFailed: boolean): void {
    if (this.state.phase === 'ended' || this.state.phase === 'stopping') return;
    for (const child of this.state.children) {
      if (child.phase !== 'delayed') continue;
      this.commands.push({ type: 'disarm', timer: backoffTimer(child.id) });
      this.#changeChild(child.id, { phase: 'down' });
    }
    if (this.state.group?.step === 'delayed') this.commands.push({ type: 'disarm', timer: GROUP_TIMER });
    this.#change({ phase: 'stopping', group: undefined, end: { reason, startFailed } });
  }

  #killAll(reason: string): void {
    this.#beginEnd({ kind: 'killed', detail: reason }, false);
    for (const child of this.state.children) {
      if (child.phase === 'stopping') this.commands.push({ type: 'disarm', timer: deadlineTimer(child.id) });
      if (isUp(child.phase)) this.#killChild(child.id);
    }
  }

  // --- progress ---

  #finishStart(): void {
    if (this.state.children.some((child) => child.phase === 'starting')) return;
    const { deferredExits } = this.state;
    this.#change({ phase: 'running', deferredExits: [] });
    this.commands.push({ type: 'started' });
    for (const exit of deferredExits) this.#judgeExits([exit]);
    this.advance();
  }

  #finishEnd(): void {
    const { end } = this.state;
    if (end === undefined) throw new Error('a supervisor that stops must know why');
    this.#change({ phase: 'ended' });
    this.commands.push({ type: 'ended', ...end });
  }

  #advanceGroup(): void {
    const { group } = this.state;
    if (group === undefined) return;
    if (group.step === 'stopping') {
      if (this.#stopLastFrom(group.from)) return;
      this.#prepareGroupStart(group.from);
      const delayMs = this.#backoffMs(group.attempts);
      if (delayMs > 0) {
        this.commands.push({ type: 'arm', timer: GROUP_TIMER, delayMs });
        this.#change({ group: { ...group, step: 'delayed' } });
        return;
      }
      this.#change({ group: { ...group, step: 'starting' } });
    }
    if (this.state.group?.step === 'starting' && !this.#startNextFrom(group.from)) this.#change({ group: undefined });
  }

  /** Temporary bystanders of a group restart end for good; transient ones that had ended normally come back. */
  #prepareGroupStart(from: number): void {
    for (const child of this.state.children.slice(from)) {
      if (child.restart === 'temporary') this.#endChild(child.id);
      else this.#changeChild(child.id, { phase: 'down' });
    }
  }

  /** Starts the next child in order; returns true while one is starting. */
  #startNextFrom(from: number): boolean {
    const children = this.state.children.slice(from);
    if (children.some((child) => child.phase === 'starting')) return true;
    const next = children.find((child) => child.phase === 'down' || child.phase === 'idle');
    if (next === undefined) return false;
    this.#startChild(next.id);
    return true;
  }

  /** Stops the last child that is up; returns true while one is up. */
  #stopLastFrom(from: number): boolean {
    const last = this.state.children.slice(from).findLast((child) => isUp(child.phase));
    if (last === undefined) return false;
    if (last.phase === 'running' || last.phase === 'starting') this.#stopChild(last);
    return true;
  }

  #startChild(id: string): void {
    this.#changeChild(id, { phase: 'starting' });
    this.commands.push({ type: 'start-child', id });
  }

  #stopChild(child: ChildState): void {
    if (child.shutdownMs === 0) {
      this.#killChild(child.id);
      return;
    }
    this.#changeChild(child.id, { phase: 'stopping' });
    this.commands.push({ type: 'stop-child', id: child.id, reason: this.state.end?.reason.detail ?? 'restarted with its siblings' });
    if (child.shutdownMs !== Infinity) this.commands.push({ type: 'arm', timer: deadlineTimer(child.id), delayMs: child.shutdownMs });
  }

  #killChild(id: string): void {
    this.#changeChild(id, { phase: 'killing' });
    this.commands.push({ type: 'kill-child', id });
  }

  #endChild(id: string): void {
    if (this.#phaseOf(id) === 'ended') return;
    this.#changeChild(id, { phase: 'ended' });
    this.commands.push({ type: 'retire-child', id });
  }

  // --- arithmetic ---

  /** Returns the child's restarts in a row, this one included; a life of `backoffMaxMs` starts the count anew. */
  #attemptsAfter(child: ChildState | undefined): number {
    if (child === undefined) return 1;
    const wasHealthy = child.startedAtMs >= 0 && this.#nowMs - child.startedAtMs >= this.state.backoffMaxMs;
    return wasHealthy ? 1 : child.attempts + 1;
  }

  /** The first restart is immediate, then full jitter below an exponential cap. */
  #backoffMs(attempts: number): number {
    if (attempts <= 1) return 0;
    return this.#jitter * Math.min(this.state.backoffMaxMs, this.state.backoffMinMs * 2 ** (attempts - 2));
  }

  #announce(ids: readonly string[], reason: ExitReason, delayMs: number): void {
    this.commands.push({ type: 'restarting', ids, reason, delayMs, restartsInPeriod: this.state.restartTimesMs.length });
  }

  #child(id: string): ChildState | undefined {
    return this.state.children.find((child) => child.id === id);
  }

  #phaseOf(id: string): ChildPhase | undefined {
    return this.#child(id)?.phase;
  }

  #change(change: Partial<SupervisorState>): void {
    this.state = { ...this.state, ...change };
  }

  #changeChild(id: string, change: Partial<ChildState>): void {
    this.#change({ children: this.state.children.map((child) => (child.id === id ? { ...child, ...change } : child)) });
  }
}

function isUp(phase: ChildPhase): boolean {
  return phase === 'starting' || phase === 'running' || phase === 'stopping' || phase === 'killing';
}

/** OTP: permanent always; transient unless it ended normally or by shutdown; temporary never. */
function isRestarted(restart: RestartType, reason: ExitReason): boolean {
  if (restart === 'temporary') return false;
  return restart === 'permanent' || (reason.kind !== 'normal' && reason.kind !== 'shutdown');
}

function deadlineTimer(id: string): string {
  return `deadline/${id}`;
}

function backoffTimer(id: string): string {
  return `backoff/${id}`;
}
