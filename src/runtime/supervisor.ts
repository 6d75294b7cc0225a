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
import type { ChildRefusal, ChildRequest } from './child-requests.ts';
import type { ChildSpec, RestartStrategy, SupervisorSpec } from './child-spec.ts';
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
  ChildExit,
  ChildPhase,
  ChildReply,
  ExitReason,
  RestartLimits,
  SupervisorCommand,
  SupervisorEvent,
  SupervisorInput,
  SupervisorPhase,
} from './supervisor-protocol.ts';

/** One child as its supervisor remembers it. */
export interface ChildState extends ChildPolicy {
  readonly id: string;
  readonly phase: ChildPhase;
  /** Whole ms, which take no memory of their own; -1 before its first start. */
  readonly startedAtMs: number;
  /** Restarts since it last stayed up for `backoffMaxMs`. */
  readonly attempts: number;
  /** Not part of the spec: it does not come back with a restart of its supervisor. */
  readonly isAdded: boolean;
  /** A temporary child of the spec that is over: nobody but inspection sees it any more. */
  readonly isForgotten: boolean;
}

interface QueuedRequest {
  readonly token: number;
  readonly request: ChildRequest;
}

/** Everything a supervisor knows; never changed, only replaced. */
export interface SupervisorState extends RestartLimits {
  readonly strategy: RestartStrategy;
  readonly phase: SupervisorPhase;
  readonly children: readonly ChildState[];
  /** The restart of a suffix of the children under way. */
  readonly group:
    | {
        readonly from: number;
        readonly step: 'stopping' | 'delayed' | 'starting';
        readonly attempts: number;
        readonly isRetry: boolean;
      }
    | undefined;
  /** Times of the restarts inside the sliding window. */
  readonly restartTimesMs: readonly number[];
  readonly restartsTotal: number;
  /** Children that ended while the first start or a request was still under way, to be judged once it is done. */
  readonly deferredExits: readonly ChildExit[];
  /** Requests that wait for their turn: one at a time, and never in the middle of a start or a stop. */
  readonly requests: readonly QueuedRequest[];
  /** The request under way, and the child it is about. */
  readonly serving:
    | {
        readonly token: number;
        readonly id: string;
        readonly type: 'start-child' | 'terminate-child' | 'restart-child';
      }
    | undefined;
  readonly end: { readonly reason: ExitReason; readonly startFailed: boolean } | undefined;
}

/** What one event led to. */
export interface SupervisorStep {
  readonly state: SupervisorState;
  readonly commands: readonly SupervisorCommand[];
}

const GROUP_TIMER = 'backoff';

/** Returns a supervisor that has not started anything yet. Its strategy must not be simple-one-for-one. */
export function newSupervisor(spec: SupervisorSpec): SupervisorState {
  return {
    ...limitsOf(spec),
    strategy: spec.strategy ?? 'one-for-one',
    phase: 'idle',
    children: spec.children.map((child) => newChild(child, false)),
    group: undefined,
    restartTimesMs: [],
    restartsTotal: 0,
    deferredExits: [],
    requests: [],
    serving: undefined,
    end: undefined,
  };
}

function newChild(spec: ChildSpec, isAdded: boolean): ChildState {
  const { type, restart, shutdownMs, significant } = policyOf(spec);
  const { id } = spec;
  // One literal with every field: a spread would keep half of them in a store of its own, and there are many children.
  return {
    type,
    restart,
    shutdownMs,
    significant,
    id,
    phase: 'idle',
    startedAtMs: -1,
    attempts: 0,
    isAdded,
    isForgotten: false,
  };
}

/** The same child with another course of its lives. */
function withChange(child: ChildState, change: Partial<ChildState>): ChildState {
  const { type, restart, shutdownMs, significant, id, isAdded } = child;
  return {
    type: change.type ?? type,
    restart: change.restart ?? restart,
    shutdownMs: change.shutdownMs ?? shutdownMs,
    significant: change.significant ?? significant,
    id: change.id ?? id,
    phase: change.phase ?? child.phase,
    startedAtMs: change.startedAtMs ?? child.startedAtMs,
    attempts: change.attempts ?? child.attempts,
    isAdded: change.isAdded ?? isAdded,
    isForgotten: change.isForgotten ?? child.isForgotten,
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
  /** Children whose start failed in this transition. */
  readonly #failedStarts = new Set<string>();

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
        if (this.#phaseOf(event.id) !== 'starting') return;
        this.#changeChild(event.id, { phase: 'running', startedAtMs: Math.round(this.#nowMs) });
        this.#settle(event.id, {
          type: 'started',
          id: event.id,
          ...(event.info === undefined ? {} : { info: event.info }),
        });
        return;
      case 'child-ignored':
        if (this.#phaseOf(event.id) !== 'starting') return;
        this.#endChild(event.id);
        this.#settle(event.id, { type: 'ignored' });
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
      case 'request':
        if (this.state.phase === 'starting' || this.state.phase === 'running')
          this.#change({ requests: [...this.state.requests, event] });
        else this.#refuse(event.token, 'supervisor-ended', 'the supervisor does not run');
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
        this.#serveRequests();
        if (this.state.phase !== 'running') this.advance();
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
    if (this.state.serving?.id === id && this.state.phase === 'running') {
      this.#failServedStart(id, reason);
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
        if (this.state.serving?.id === exit.id) this.#finishTermination(exit.id);
      } else if (phase === 'starting' && this.state.serving?.id === exit.id && this.state.phase === 'running') {
        this.#failServedStart(exit.id, exit.reason);
      } else if (phase === 'running' || phase === 'starting') {
        unexpected.push(exit);
        if (phase === 'starting') this.#failedStarts.add(exit.id);
      }
    }
    if (unexpected.length === 0) return;
    if (this.state.phase === 'starting') this.#deferExits(unexpected);
    else if (this.state.serving !== undefined && this.state.phase === 'running') this.#deferUntilServed(unexpected);
    else if (this.state.phase === 'running') this.#judgeExits(unexpected);
    else for (const exit of unexpected) this.#changeChild(exit.id, { phase: 'down' });
  }

  /** OTP judges exits only after all children were started once; the child that died while starting has failed to start. */
  #deferExits(exits: readonly ChildExit[]): void {
    const starting = exits.find((exit) => this.#phaseOf(exit.id) === 'starting');
    for (const exit of exits) this.#changeChild(exit.id, { phase: 'delayed' });
    this.#change({ deferredExits: [...this.state.deferredExits, ...exits] });
    if (starting !== undefined)
      this.#beginEnd(
        { kind: starting.reason.kind, detail: `"${starting.id}" failed to start: ${starting.reason.detail}` },
        true,
      );
  }

  /** Like OTP's supervisor, which hears of nothing else while it carries out a request. */
  #deferUntilServed(exits: readonly ChildExit[]): void {
    for (const exit of exits) this.#changeChild(exit.id, { phase: 'delayed' });
    this.#change({ deferredExits: [...this.state.deferredExits, ...exits] });
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
        if (this.#shutsDownAfter(child)) {
          this.#beginEnd(significantEnded(exit.id, exit.reason), false);
          return;
        }
      }
    }
    const [first] = again;
    if (first === undefined) return;
    const restartTimesMs = restartTimesAfter(this.state.restartTimesMs, this.#nowMs, this.state.periodMs);
    this.#change({ restartTimesMs, restartsTotal: this.state.restartsTotal + 1 });
    if (restartTimesMs.length > this.state.intensity) {
      this.#beginEnd(intensityReached(this.state, first.id, first.reason), false);
      return;
    }
    if (this.state.strategy === 'one-for-one') for (const exit of again) this.#restartOne(exit);
    else this.#restartGroup(again, first.reason);
  }

  #shutsDownAfter(ended: ChildState): boolean {
    if (!ended.significant || this.state.autoShutdown === 'never') return false;
    if (this.state.autoShutdown === 'any-significant') return true;
    return !this.state.children.some((child) => child.id !== ended.id && child.significant && child.phase !== 'ended');
  }

  #restartOne(exit: ChildExit): void {
    const child = this.#child(exit.id);
    if (child === undefined) return;
    const attempts = this.#attemptsAfter(child);
    const delayMs = this.#backoffMs(attempts);
    const isDelayed = delayMs > 0 || this.#letsRequestsPass(this.#failedStarts.has(exit.id));
    this.#changeChild(exit.id, { phase: isDelayed ? 'delayed' : 'down', attempts });
    this.#announce([exit.id], exit.reason, delayMs);
    if (isDelayed) this.commands.push({ type: 'arm', timer: backoffTimer(exit.id), delayMs });
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
    const isRetry = exits.some((exit) => this.#failedStarts.has(exit.id));
    this.#change({ group: { from, step: 'stopping', attempts, isRetry } });
    this.#announce(
      children.slice(from).map((child) => child.id),
      reason,
      0,
    );
  }

  /** OTP puts the next attempt behind what waits in the supervisor's queue, so that a loop of them stays stoppable. */
  #letsRequestsPass(isRetry: boolean): boolean {
    return isRetry && this.state.requests.length > 0;
  }

  #takeTimer(timer: string): void {
    if (timer === GROUP_TIMER) {
      const { group } = this.state;
      if (group?.step === 'delayed') this.#change({ group: { ...group, step: 'starting' } });
      return;
    }
    for (const child of this.state.children) {
      if (timer === deadlineTimer(child.id) && child.phase === 'stopping') this.#killChild(child.id);
      if (timer === backoffTimer(child.id) && child.phase === 'delayed' && this.state.phase === 'running')
        this.#startChild(child.id);
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
    const { serving, requests } = this.state;
    this.#change({
      phase: 'stopping',
      group: undefined,
      serving: undefined,
      requests: [],
      deferredExits: [],
      end: { reason, startFailed },
    });
    for (const { token } of serving === undefined ? requests : [serving, ...requests])
      this.#refuse(token, 'supervisor-ended', reason.detail);
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
    this.#change({ phase: 'running' });
    this.commands.push({ type: 'started' });
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
      if (delayMs > 0 || this.#letsRequestsPass(group.isRetry)) {
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
    this.commands.push({
      type: 'stop-child',
      id: child.id,
      reason: this.state.end?.reason.detail ?? this.#whyStopped(child.id),
    });
    if (child.shutdownMs !== Infinity)
      this.commands.push({ type: 'arm', timer: deadlineTimer(child.id), delayMs: child.shutdownMs });
  }

  #whyStopped(id: string): string {
    return this.state.serving?.id === id ? 'terminated on request' : 'restarted with its siblings';
  }

  #killChild(id: string): void {
    this.#changeChild(id, { phase: 'killing' });
    this.commands.push({ type: 'kill-child', id });
  }

  /** Takes a child down that is not to be started again by itself. A temporary one is over for good. */
  #endChild(id: string): void {
    const child = this.#child(id);
    if (child === undefined) return;
    const isOver = child.restart === 'temporary';
    if (isOver && child.isAdded) {
      this.#removeChild(id);
      return;
    }
    const wasEnded = child.phase === 'ended';
    this.#changeChild(id, { phase: 'ended', isForgotten: isOver });
    if (!wasEnded) this.commands.push({ type: 'retire-child', id });
  }

  // --- requests ---

  /** Takes requests, and what was put off for them, in order, as long as nothing has to be waited for. */
  #serveRequests(): void {
    while (this.state.phase === 'running' && this.state.serving === undefined) {
      const { deferredExits, requests } = this.state;
      const [exit, ...laterExits] = deferredExits;
      if (exit !== undefined) {
        this.#change({ deferredExits: laterExits });
        // A restart of the whole group may have brought it back meanwhile.
        if (this.#phaseOf(exit.id) === 'delayed') this.#judgeExits([exit]);
        if (this.state.phase === 'running') this.#advanceGroup();
        continue;
      }
      const [next, ...later] = requests;
      if (next === undefined || !this.#canServe(next.request)) return;
      this.#change({ requests: later });
      this.#serve(next.token, next.request);
    }
  }

  /** OTP's supervisor blocks while it starts and stops children; between the attempts of a restart it listens. */
  #canServe(request: ChildRequest): boolean {
    const { group, children } = this.state;
    if (group !== undefined && (group.step !== 'delayed' || request.type === 'change-supervisor')) return false;
    return !children.some(
      (child) => child.phase === 'starting' || child.phase === 'stopping' || child.phase === 'killing',
    );
  }

  #serve(token: number, request: ChildRequest): void {
    switch (request.type) {
      case 'start-child':
        this.#serveStart(token, request.spec);
        return;
      case 'terminate-child':
        this.#serveTerminate(token, request.id);
        return;
      case 'restart-child':
        this.#serveRestart(token, request.id);
        return;
      case 'delete-child':
        this.#serveDelete(token, request.id);
        return;
      case 'change-supervisor':
        this.#changeSpec(request.spec);
        this.#reply(token, { type: 'done' });
        return;
      case 'start-dynamic-child':
        this.#refuse(
          token,
          'not-simple-one-for-one',
          'only a simple-one-for-one supervisor makes children from a template',
        );
        return;
    }
  }

  #serveStart(token: number, spec: ChildSpec): void {
    const known = this.#known(spec.id);
    if (known !== undefined) {
      const error = known.phase === 'ended' ? 'already-present' : 'already-started';
      this.#refuse(token, error, `"${spec.id}" is a child already`, spec.id);
      return;
    }
    this.#change({ children: [...this.state.children.filter((child) => child.id !== spec.id), newChild(spec, true)] });
    this.commands.push({ type: 'add-child', spec });
    this.#change({ serving: { token, id: spec.id, type: 'start-child' } });
    this.#startChild(spec.id);
  }

  #serveTerminate(token: number, id: string): void {
    const child = this.#known(id);
    if (child === undefined) {
      this.#refuseUnknown(token, id);
      return;
    }
    if (child.phase === 'running') {
      this.#change({ serving: { token, id, type: 'terminate-child' } });
      this.#stopChild(child);
      return;
    }
    if (child.phase === 'delayed') this.commands.push({ type: 'disarm', timer: backoffTimer(id) });
    this.#endChild(id);
    this.#reply(token, { type: 'done' });
  }

  #serveRestart(token: number, id: string): void {
    const child = this.#known(id);
    if (child === undefined) this.#refuseUnknown(token, id);
    else if (child.phase !== 'ended') this.#refuseBusy(token, child);
    else {
      this.#change({ serving: { token, id, type: 'restart-child' } });
      this.#changeChild(id, { attempts: 0 });
      this.#startChild(id);
    }
  }

  #serveDelete(token: number, id: string): void {
    const child = this.#known(id);
    if (child === undefined) this.#refuseUnknown(token, id);
    else if (child.phase !== 'ended') this.#refuseBusy(token, child);
    else {
      this.#removeChild(id);
      this.#reply(token, { type: 'done' });
    }
  }

  /** Children of the new spec come first, in its order, then those it does not mention. */
  #changeSpec(spec: SupervisorSpec): void {
    this.commands.push({ type: 'change-spec', spec });
    const mentioned = new Set(spec.children.map((child) => child.id));
    const first = spec.children.map((childSpec): ChildState => {
      const known = this.#child(childSpec.id);
      this.commands.push({ type: known === undefined ? 'add-child' : 'change-child', spec: childSpec });
      if (known === undefined) return { ...newChild(childSpec, false), phase: 'ended' };
      return { ...known, ...policyOf(childSpec), isAdded: false, isForgotten: false };
    });
    const kept = this.state.children.filter((child) => !mentioned.has(child.id));
    this.#change({
      ...limitsOf(spec),
      strategy: spec.strategy ?? 'one-for-one',
      children: [...first, ...kept.map((child) => ({ ...child, isAdded: true }))],
    });
  }

  /** The child that was asked for could not start: a new one is not kept, an old one stays down. */
  #failServedStart(id: string, reason: ExitReason): void {
    if (this.state.serving?.type === 'start-child') this.#removeChild(id);
    else this.#endChild(id);
    this.#settle(id, { type: 'refused', error: 'start-failed', detail: reason.detail });
  }

  #finishTermination(id: string): void {
    this.#endChild(id);
    this.#settle(id, { type: 'done' });
  }

  /** Answers the request under way, if it is about this child. */
  #settle(id: string, reply: ChildReply): void {
    const { serving } = this.state;
    if (serving?.id !== id) return;
    this.#change({ serving: undefined });
    this.#reply(serving.token, reply);
  }

  #reply(token: number, reply: ChildReply): void {
    this.commands.push({ type: 'reply', token, reply });
  }

  #refuse(token: number, error: ChildRefusal, detail: string, id?: string): void {
    this.#reply(token, { type: 'refused', error, detail, ...(id === undefined ? {} : { id }) });
  }

  #refuseUnknown(token: number, id: string): void {
    this.#refuse(token, 'not-found', `"${id}" is no child of this supervisor`);
  }

  #refuseBusy(token: number, child: ChildState): void {
    const isRunning = child.phase === 'running';
    this.#refuse(
      token,
      isRunning ? 'running' : 'restarting',
      `"${child.id}" must be down, is ${isRunning ? 'running' : 'restarting'}`,
    );
  }

  /** Returns the child of that id, unless it is one that nobody shall see any more. */
  #known(id: string): ChildState | undefined {
    const child = this.#child(id);
    return child?.isForgotten === true ? undefined : child;
  }

  /** Forgets a child whatever it was. A group to its right keeps its members. */
  #removeChild(id: string): void {
    const { group, children } = this.state;
    const index = children.findIndex((child) => child.id === id);
    const moved = group !== undefined && index < group.from ? { ...group, from: group.from - 1 } : group;
    this.#change({ children: children.filter((child) => child.id !== id), group: moved });
    this.commands.push({ type: 'remove-child', id });
  }

  // --- arithmetic ---

  #attemptsAfter(child: ChildState | undefined): number {
    return child === undefined ? 1 : attemptsAfter(child, this.#nowMs, this.state);
  }

  #backoffMs(attempts: number): number {
    return backoffMs(attempts, this.state, this.#jitter);
  }

  #announce(ids: readonly string[], reason: ExitReason, delayMs: number): void {
    this.commands.push({
      type: 'restarting',
      ids,
      reason,
      delayMs,
      restartsInPeriod: this.state.restartTimesMs.length,
    });
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

  /** One copy of the list and one look through it: a supervisor of thousands does this twice for each of them. */
  #changeChild(id: string, change: Partial<ChildState>): void {
    const children = [...this.state.children];
    const index = children.findIndex((child) => child.id === id);
    const child = children[index];
    if (child === undefined) return;
    children[index] = withChange(child, change);
    this.#change({ children });
  }
}

function isUp(phase: ChildPhase): boolean {
  return phase === 'starting' || phase === 'running' || phase === 'stopping' || phase === 'killing';
}

function deadlineTimer(id: string): string {
  return `deadline/${id}`;
}

function backoffTimer(id: string): string {
  return `backoff/${id}`;
}
