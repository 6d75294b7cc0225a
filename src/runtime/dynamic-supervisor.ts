/**
 * A supervisor of any number of children made from one template (OTP's simple-one-for-one): each event costs the same
 * however many there are, and they are stopped all at once, within one child's shutdown time. Any thread.
 *
 * Children are restarted one by one, sharing the restart intensity. A child that ends for good is forgotten at once.
 */
import type { ActorSpec, ChildSpec, RestartStrategy, SupervisorSpec } from './child-spec.ts';
import type { ChildRefusal, ChildRequest } from './child-requests.ts';
import {
  attemptsAfter,
  backoffMs,
  intensityReached,
  isRestarted,
  limitsOf,
  policyOf,
  restartTimesAfter,
  significantEnded,
  type ChildPolicy,
} from './restart-policy.ts';
import type {
  ChildPhase,
  ChildReply,
  ExitReason,
  RestartLimits,
  SupervisedChild,
  SupervisorCommand,
  SupervisorEvent,
  SupervisorInput,
  SupervisorMachine,
  SupervisorPhase,
} from './supervisor-protocol.ts';

const SHUTDOWN_TIMER = 'shutdown';
const BACKOFF_PREFIX = 'backoff/';
const DEADLINE_PREFIX = 'deadline/';

interface DynamicChild {
  readonly id: string;
  phase: Exclude<ChildPhase, 'idle' | 'down' | 'ended'>;
  startedAtMs: number;
  attempts: number;
  /** Whether it ended and did not come back yet. */
  isRestarting: boolean;
  /** What it was made from; a changed template counts from its next start. */
  template: ChildSpec;
  /** Its own args; not kept for temporary children, which are never started again. */
  readonly args: unknown;
  /** Who waits for its first start. */
  starter: number | undefined;
  /** Who waits for its end. */
  readonly terminators: number[];
}

/** A simple-one-for-one supervisor: one template, any number of children. */
export class DynamicSupervisor implements SupervisorMachine {
  readonly strategy: RestartStrategy = 'simple-one-for-one';
  readonly specCount = 1;
  readonly #children = new Map<string, DynamicChild>();
  readonly #idSource: { next: number };
  #limits: RestartLimits;
  #template: ChildSpec;
  #policy: ChildPolicy;
  #phase: SupervisorPhase = 'idle';
  #restartTimesMs: readonly number[] = [];
  #restartsTotal = 0;
  #restarting = 0;
  #significantCount = 0;
  #end: ExitReason | undefined;
  #commands: SupervisorCommand[] = [];
  #nowMs = 0;
  #jitter = 0;

  /** `idSource` numbers the children: one for all lives of a supervisor, so that no id is used twice. */
  constructor(spec: SupervisorSpec, idSource: { next: number }) {
    this.#limits = limitsOf(spec);
    this.#template = templateOf(spec);
    this.#policy = policyOf(this.#template);
    this.#idSource = idSource;
  }

  get limits(): RestartLimits {
    return this.#limits;
  }

  get phase(): SupervisorPhase {
    return this.#phase;
  }

  get isRestarting(): boolean {
    return this.#restarting > 0;
  }

  get restartTimesMs(): readonly number[] {
    return this.#restartTimesMs;
  }

  get restartsTotal(): number {
    return this.#restartsTotal;
  }

  phaseOf(id: string): ChildPhase | undefined {
    return this.#children.get(id)?.phase;
  }

  children(): readonly SupervisedChild[] {
    const { type, restart, significant } = this.#policy;
    return Array.from(this.#children.values(), ({ id, phase }) => ({ id, type, restart, significant, phase }));
  }

  take({ event, nowMs, jitter }: SupervisorInput): readonly SupervisorCommand[] {
    this.#commands = [];
    this.#nowMs = nowMs;
    this.#jitter = jitter;
    this.#take(event);
    if (this.#phase === 'stopping' && this.#children.size === 0) this.#finishEnd();
    return this.#commands;
  }

  #take(event: SupervisorEvent): void {
    switch (event.type) {
      case 'start':
        if (this.#phase !== 'idle') return;
        this.#phase = 'running';
        this.#commands.push({ type: 'started' });
        return;
      case 'child-started':
        this.#takeStarted(event.id, event.info);
        return;
      case 'child-ignored':
        this.#takeIgnored(event.id);
        return;
      case 'child-start-failed':
        this.#takeExit(event.id, event.reason);
        return;
      case 'children-exited':
        this.#takeExits(event.exits);
        return;
      case 'timer':
        this.#takeTimer(event.timer);
        return;
      case 'request':
        this.#takeRequest(event.token, event.request);
        return;
      case 'stop':
        this.#beginEnd({ kind: 'shutdown', detail: event.reason });
        return;
      case 'kill':
        this.#beginEnd({ kind: 'killed', detail: event.reason });
        for (const child of this.#children.values()) if (child.phase !== 'killing') this.#kill(child);
        return;
    }
  }

  // --- what children do ---

  #takeStarted(id: string, info: unknown): void {
    const child = this.#children.get(id);
    if (child?.phase !== 'starting') return;
    if (child.starter !== undefined)
      this.#reply(child.starter, { type: 'started', id, ...(info === undefined ? {} : { info }) });
    child.starter = undefined;
    this.#setRestarting(child, false);
    child.phase = 'running';
    child.startedAtMs = this.#nowMs;
  }

  /** OTP keeps no dynamic child that ignores its start. */
  #takeIgnored(id: string): void {
    const child = this.#children.get(id);
    if (child?.phase !== 'starting') return;
    if (child.starter !== undefined) this.#reply(child.starter, { type: 'ignored' });
    child.starter = undefined;
    this.#forget(child);
  }

  #takeExits(exits: readonly { readonly id: string; readonly reason: ExitReason }[]): void {
    // Children that ended together count as one restart.
    let isCounted = false;
    for (const { id, reason } of exits) if (this.#takeExit(id, reason, isCounted)) isCounted = true;
  }

  /** Returns whether a restart was counted. */
  #takeExit(id: string, reason: ExitReason, isCounted = false): boolean {
    const child = this.#children.get(id);
    if (child === undefined || child.phase === 'delayed') return false;
    if (child.phase === 'stopping' || child.phase === 'killing' || this.#phase !== 'running') {
      this.#forget(child);
      return false;
    }
    if (child.starter !== undefined) {
      this.#refuse(child.starter, 'start-failed', reason.detail);
      child.starter = undefined;
      this.#forget(child);
      return false;
    }
    if (isRestarted(this.#policy.restart, reason)) return this.#restart(child, reason, isCounted);
    this.#forget(child);
    if (this.#shutsDownAfterEnd()) this.#beginEnd(significantEnded(id, reason));
    return false;
  }

  #shutsDownAfterEnd(): boolean {
    if (!this.#policy.significant || this.#limits.autoShutdown === 'never') return false;
    return this.#limits.autoShutdown === 'any-significant' || this.#significantCount === 0;
  }

  #restart(child: DynamicChild, reason: ExitReason, isCounted: boolean): boolean {
    this.#setRestarting(child, true);
    if (!isCounted) {
      this.#restartTimesMs = restartTimesAfter(this.#restartTimesMs, this.#nowMs, this.#limits.periodMs);
      this.#restartsTotal += 1;
    }
    child.phase = 'delayed';
    if (this.#restartTimesMs.length > this.#limits.intensity) {
      this.#beginEnd(intensityReached(this.#limits, child.id, reason));
      return true;
    }
    child.attempts = attemptsAfter(child, this.#nowMs, this.#limits);
    const delayMs = backoffMs(child.attempts, this.#limits, this.#jitter);
    const restartsInPeriod = this.#restartTimesMs.length;
    this.#commands.push({ type: 'restarting', ids: [child.id], reason, delayMs, restartsInPeriod });
    if (delayMs > 0) this.#commands.push({ type: 'arm', timer: BACKOFF_PREFIX + child.id, delayMs });
    else this.#start(child);
    return true;
  }

  #takeTimer(timer: string): void {
    if (timer === SHUTDOWN_TIMER) {
      for (const child of this.#children.values()) if (child.phase === 'stopping') this.#kill(child);
      return;
    }
    if (timer.startsWith(DEADLINE_PREFIX)) {
      const child = this.#children.get(timer.slice(DEADLINE_PREFIX.length));
      if (child?.phase === 'stopping') this.#kill(child);
      return;
    }
    const child = this.#children.get(timer.slice(BACKOFF_PREFIX.length));
    if (child?.phase === 'delayed' && this.#phase === 'running') this.#start(child);
  }

  // --- requests ---

  #takeRequest(token: number, request: ChildRequest): void {
    if (this.#phase !== 'running') {
      this.#refuse(token, 'supervisor-ended', 'the supervisor does not run');
      return;
    }
    switch (request.type) {
      case 'start-dynamic-child':
        this.#startNew(token, request.id, request.args);
        return;
      case 'terminate-child':
        this.#terminate(token, request.id);
        return;
      case 'change-supervisor':
        this.#commands.push({ type: 'change-spec', spec: request.spec });
        this.#limits = limitsOf(request.spec);
        this.#changeTemplate(templateOf(request.spec));
        this.#reply(token, { type: 'done' });
        return;
      case 'start-child':
      case 'restart-child':
      case 'delete-child':
        this.#refuse(token, 'simple-one-for-one', `a simple-one-for-one supervisor takes no ${request.type} by id`);
        return;
    }
  }

  #startNew(token: number, wantedId: string | undefined, args: unknown): void {
    const id = wantedId ?? this.#newId();
    if (this.#children.has(id)) {
      this.#reply(token, { type: 'refused', error: 'already-started', detail: `"${id}" is a child already`, id });
      return;
    }
    const child: DynamicChild = {
      id,
      phase: 'starting',
      startedAtMs: -1,
      attempts: 0,
      isRestarting: false,
      template: this.#template,
      args: this.#policy.restart === 'temporary' ? undefined : args,
      starter: token,
      terminators: [],
    };
    this.#children.set(id, child);
    if (this.#policy.significant) this.#significantCount += 1;
    this.#commands.push({ type: 'add-child', spec: instantiate(this.#template, id, args) });
    this.#start(child);
  }

  #newId(): string {
    this.#idSource.next += 1;
    return `${this.#template.id}/${this.#idSource.next}`;
  }

  #terminate(token: number, id: string): void {
    const child = this.#children.get(id);
    if (child === undefined) {
      this.#refuse(token, 'not-found', `"${id}" is no child of this supervisor`);
      return;
    }
    child.terminators.push(token);
    if (child.phase === 'delayed') {
      this.#forget(child);
      return;
    }
    if (child.phase === 'stopping' || child.phase === 'killing') return;
    this.#stop(child, 'terminated on request');
    const { shutdownMs } = this.#policy;
    if (shutdownMs > 0 && shutdownMs !== Infinity) {
      this.#commands.push({ type: 'arm', timer: DEADLINE_PREFIX + id, delayMs: shutdownMs });
    }
  }

  /** The next start of every child uses the new template; its own args stay, they are part of its spec. */
  #changeTemplate(template: ChildSpec): void {
    this.#template = template;
    this.#policy = policyOf(template);
    this.#significantCount = this.#policy.significant ? this.#children.size : 0;
  }

  // --- starts and ends ---

  #start(child: DynamicChild): void {
    if (child.template !== this.#template) {
      child.template = this.#template;
      this.#commands.push({ type: 'change-child', spec: instantiate(child.template, child.id, child.args) });
    }
    child.phase = 'starting';
    this.#commands.push({ type: 'start-child', id: child.id });
  }

  #stop(child: DynamicChild, reason: string): void {
    if (this.#policy.shutdownMs === 0) {
      this.#kill(child);
      return;
    }
    this.#leavePhase(child);
    child.phase = 'stopping';
    this.#commands.push({ type: 'stop-child', id: child.id, reason });
  }

  #kill(child: DynamicChild): void {
    this.#leavePhase(child);
    child.phase = 'killing';
    this.#commands.push({ type: 'kill-child', id: child.id });
  }

  /** Keeps the books when a child goes down that was being started. */
  #leavePhase(child: DynamicChild): void {
    this.#setRestarting(child, false);
    if (child.starter !== undefined) this.#refuse(child.starter, 'start-failed', 'it was terminated while it started');
    child.starter = undefined;
  }

  #setRestarting(child: DynamicChild, isRestarting: boolean): void {
    if (child.isRestarting !== isRestarting) this.#restarting += isRestarting ? 1 : -1;
    child.isRestarting = isRestarting;
  }

  #forget(child: DynamicChild): void {
    this.#setRestarting(child, false);
    if (child.phase === 'delayed') this.#commands.push({ type: 'disarm', timer: BACKOFF_PREFIX + child.id });
    if (child.phase === 'stopping' && this.#phase === 'running') {
      this.#commands.push({ type: 'disarm', timer: DEADLINE_PREFIX + child.id });
    }
    this.#children.delete(child.id);
    if (this.#policy.significant) this.#significantCount -= 1;
    this.#commands.push({ type: 'remove-child', id: child.id });
    for (const token of child.terminators) this.#reply(token, { type: 'done' });
  }

  /** Stops all children at once: one deadline for all of them. */
  #beginEnd(reason: ExitReason): void {
    if (this.#phase === 'stopping' || this.#phase === 'ended') return;
    this.#phase = 'stopping';
    this.#end = reason;
    for (const child of this.#children.values()) {
      if (child.phase === 'delayed') this.#forget(child);
      else if (child.phase === 'starting' || child.phase === 'running') this.#stop(child, reason.detail);
    }
    const { shutdownMs } = this.#policy;
    if (shutdownMs > 0 && shutdownMs !== Infinity && this.#children.size > 0) {
      this.#commands.push({ type: 'arm', timer: SHUTDOWN_TIMER, delayMs: shutdownMs });
    }
  }

  #finishEnd(): void {
    if (this.#end === undefined) throw new Error('a supervisor that stops must know why');
    this.#phase = 'ended';
    this.#commands.push({ type: 'disarm', timer: SHUTDOWN_TIMER });
    this.#commands.push({ type: 'ended', reason: this.#end, startFailed: false });
  }

  #reply(token: number, reply: ChildReply): void {
    this.#commands.push({ type: 'reply', token, reply });
  }

  #refuse(token: number, error: ChildRefusal, detail: string): void {
    this.#reply(token, { type: 'refused', error, detail });
  }
}

function templateOf(spec: SupervisorSpec): ChildSpec {
  const [template] = spec.children;
  if (template === undefined)
    throw new Error(`a simple-one-for-one supervisor must have one child spec, "${spec.id}" has none`);
  return template;
}

/** Returns the template's spec as the child `id`; ids below it become paths below the child's own. `args` are an actor's. */
export function instantiate(template: ChildSpec, id: string, args: unknown): ChildSpec {
  if (template.type === 'actor') return { ...template, id, args: mergedArgs(template, args) };
  const children = template.children.map((child) => instantiate(child, `${id}/${child.id}`, undefined));
  return { ...template, id, children };
}

function mergedArgs(template: ActorSpec, args: unknown): unknown {
  if (args === undefined) return template.args;
  return isPlainObject(template.args) && isPlainObject(args) ? { ...template.args, ...args } : args;
}

function isPlainObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}
