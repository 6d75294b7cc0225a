/** Runs the supervisors of a whole tree: feeds their state machines and carries out their commands. Main thread. */
import type { ActorPath } from './actor.ts';
import type { ChildSpec, SupervisorSpec } from './child-spec.ts';
import { Deque } from './deque.ts';
import type { LogLevel } from './ports-context.ts';
import type { ActorStatus, SupervisorSnapshot } from './snapshot.ts';
import { newSupervisor, supervise, type ChildExit, type ExitReason, type SupervisorCommand, type SupervisorEvent, type SupervisorState } from './supervisor.ts';

/** How the tree reaches actors and time. None of these may call back into the tree before it returns. */
export interface TreeEnvironment {
  monotonicMs(): number;
  /** A fraction in [0, 1). */
  jitter(): number;
  /** Runs `action` later; returns its cancel function. */
  after(delayMs: number, action: () => void): () => void;
  /** `actorStarted`, `actorStartFailed` or `actorsExited` follows. */
  startActor(path: ActorPath, incarnation: number): void;
  /** `actorsExited` follows, unless the actor hangs. */
  stopActor(path: ActorPath, incarnation: number, reason: string): void;
  /** `actorsExited` follows. */
  killActor(path: ActorPath, incarnation: number): void;
  /** Nobody will live there again. Nothing follows. */
  retireActor(path: ActorPath): void;
  log(level: LogLevel, event: string, path: ActorPath, fields: Readonly<Record<string, unknown>>): void;
  /** The root is up. */
  treeStarted(): void;
  /** The root ended: told to, gave up, or could not start. Its actors are down. */
  treeEnded(reason: ExitReason, startFailed: boolean): void;
}

export interface ActorExit {
  readonly path: ActorPath;
  readonly incarnation: number;
  readonly reason: ExitReason;
}

interface SupervisorNode {
  readonly spec: SupervisorSpec;
  readonly parent: SupervisorNode | undefined;
  readonly timers: Map<string, () => void>;
  state: SupervisorState;
}

interface ActorNode {
  readonly parent: SupervisorNode;
  incarnation: number;
}

export class SupervisionTree {
  readonly #environment: TreeEnvironment;
  readonly #root: SupervisorNode;
  readonly #supervisors = new Map<string, SupervisorNode>();
  readonly #actors = new Map<ActorPath, ActorNode>();
  readonly #events = new Deque<{ readonly node: SupervisorNode; readonly event: SupervisorEvent }>();
  #isWorking = false;

  constructor(spec: SupervisorSpec, environment: TreeEnvironment) {
    this.#environment = environment;
    this.#root = this.#addSupervisor(spec, undefined);
  }

  #addSupervisor(spec: SupervisorSpec, parent: SupervisorNode | undefined): SupervisorNode {
    const node: SupervisorNode = { spec, parent, timers: new Map(), state: newSupervisor(spec) };
    this.#supervisors.set(spec.id, node);
    for (const child of spec.children) {
      if (child.type === 'supervisor') this.#addSupervisor(child, node);
      else this.#actors.set(child.id, { parent: node, incarnation: 0 });
    }
    return node;
  }

  start(): void {
    this.#post(this.#root, { type: 'start' });
  }

  /** Stops all in reverse order with their deadlines; `treeEnded` follows. */
  stop(reason: string): void {
    this.#post(this.#root, { type: 'stop', reason });
  }

  /** Ends all at once; `treeEnded` follows. */
  kill(reason: string): void {
    this.#post(this.#root, { type: 'kill', reason });
  }

  actorStarted(path: ActorPath, incarnation: number): void {
    const node = this.#current(path, incarnation);
    if (node !== undefined) this.#post(node.parent, { type: 'child-started', id: path });
  }

  actorStartFailed(path: ActorPath, incarnation: number, reason: ExitReason): void {
    const node = this.#current(path, incarnation);
    if (node !== undefined) this.#post(node.parent, { type: 'child-start-failed', id: path, reason });
  }

  /** Lives that ended together; exits of earlier lives are ignored. */
  actorsExited(exits: readonly ActorExit[]): void {
    const byParent = new Map<SupervisorNode, ChildExit[]>();
    for (const exit of exits) {
      const node = this.#current(exit.path, exit.incarnation);
      if (node === undefined) continue;
      const siblings = byParent.get(node.parent) ?? [];
      siblings.push({ id: exit.path, reason: exit.reason });
      byParent.set(node.parent, siblings);
    }
    for (const [node, siblings] of byParent) this.#post(node, { type: 'children-exited', exits: siblings });
  }

  /** Counts a life that is started because its actor moved, not by its supervisor, and returns its number. */
  nextIncarnation(path: ActorPath): number {
    const node = this.#actors.get(path);
    if (node === undefined) throw new Error(`an actor of the tree must be supervised, "${path}" is not`);
    node.incarnation += 1;
    return node.incarnation;
  }

  incarnationOf(path: ActorPath): number {
    return this.#actors.get(path)?.incarnation ?? 0;
  }

  /** Returns how the actor's supervisor sees it. */
  statusOf(path: ActorPath): ActorStatus {
    const node = this.#actors.get(path);
    const child = node?.parent.state.children.find((candidate) => candidate.id === path);
    if (node === undefined || child === undefined) return 'stopped';
    switch (child.phase) {
      case 'idle':
        return node.incarnation === 0 ? 'waiting' : 'restarting';
      case 'starting':
        return 'starting';
      case 'running':
        return 'running';
      case 'ended':
        return 'stopped';
      case 'stopping':
      case 'killing':
      case 'down':
      case 'delayed':
        return node.parent.state.phase === 'ended' ? 'stopped' : 'restarting';
    }
  }

  snapshot(): SupervisorSnapshot[] {
    const nowMs = this.#environment.monotonicMs();
    return [...this.#supervisors.values()].map(({ spec, state }) => ({
      path: spec.id,
      strategy: state.strategy,
      status: supervisorStatus(state),
      children: spec.children.map((child) => child.id),
      restartsInPeriod: state.restartTimesMs.filter((atMs) => atMs > nowMs - state.periodMs).length,
      intensity: state.intensity,
      periodMs: state.periodMs,
      restartsTotal: state.restartsTotal,
    }));
  }

  #current(path: ActorPath, incarnation: number): ActorNode | undefined {
    const node = this.#actors.get(path);
    return node !== undefined && node.incarnation === incarnation ? node : undefined;
  }

  /** Events wait in one queue, so that a command's consequence never runs inside the transition that gave it. */
  #post(node: SupervisorNode, event: SupervisorEvent): void {
    this.#events.pushBack({ node, event });
    if (this.#isWorking) return;
    this.#isWorking = true;
    try {
      for (let next = this.#events.popFront(); next !== undefined; next = this.#events.popFront()) this.#work(next.node, next.event);
    } finally {
      this.#isWorking = false;
    }
  }

  #work(node: SupervisorNode, event: SupervisorEvent): void {
    const step = supervise(node.state, { event, nowMs: this.#environment.monotonicMs(), jitter: this.#environment.jitter() });
    node.state = step.state;
    for (const command of step.commands) this.#carryOut(node, command);
  }

  #carryOut(node: SupervisorNode, command: SupervisorCommand): void {
    switch (command.type) {
      case 'start-child':
        this.#startChild(command.id);
        return;
      case 'stop-child':
        this.#withChild(
          command.id,
          (child) => this.#post(child, { type: 'stop', reason: command.reason }),
          (child) => this.#environment.stopActor(command.id, child.incarnation, command.reason),
        );
        return;
      case 'kill-child':
        this.#withChild(
          command.id,
          (child) => this.#post(child, { type: 'kill', reason: 'killed by its supervisor' }),
          (child) => this.#environment.killActor(command.id, child.incarnation),
        );
        return;
      case 'retire-child':
        this.#withChild(command.id, (child) => this.#retireAll(child.spec), () => this.#environment.retireActor(command.id));
        return;
      case 'arm':
        this.#arm(node, command.timer, command.delayMs);
        return;
      case 'disarm':
        node.timers.get(command.timer)?.();
        node.timers.delete(command.timer);
        return;
      case 'restarting':
        this.#environment.log('warn', 'restarting', node.spec.id, {
          children: command.ids,
          reasonKind: command.reason.kind,
          reason: command.reason.detail,
          delayMs: command.delayMs,
          restartsInPeriod: command.restartsInPeriod,
          intensity: node.state.intensity,
        });
        return;
      case 'started':
        if (node.parent === undefined) this.#environment.treeStarted();
        else this.#post(node.parent, { type: 'child-started', id: node.spec.id });
        return;
      case 'ended':
        this.#ended(node, command.reason, command.startFailed);
        return;
    }
  }

  #startChild(id: string): void {
    this.#withChild(
      id,
      (child) => {
        // A supervisor that is started again comes back with its static children and a clean record.
        child.state = newSupervisor(child.spec);
        this.#post(child, { type: 'start' });
      },
      (child) => {
        child.incarnation += 1;
        this.#environment.startActor(id, child.incarnation);
      },
    );
  }

  #withChild(id: string, supervisor: (child: SupervisorNode) => void, actor: (child: ActorNode) => void): void {
    const supervisorNode = this.#supervisors.get(id);
    const actorNode = this.#actors.get(id);
    if (supervisorNode !== undefined) supervisor(supervisorNode);
    else if (actorNode !== undefined) actor(actorNode);
    else throw new Error(`a supervisor's command must name one of its children, was "${id}"`);
  }

  #retireAll(spec: ChildSpec): void {
    if (spec.type === 'actor') this.#environment.retireActor(spec.id);
    else for (const child of spec.children) this.#retireAll(child);
  }

  #arm(node: SupervisorNode, timer: string, delayMs: number): void {
    node.timers.get(timer)?.();
    const cancel = this.#environment.after(delayMs, () => {
      node.timers.delete(timer);
      this.#post(node, { type: 'timer', timer });
    });
    node.timers.set(timer, cancel);
  }

  #ended(node: SupervisorNode, reason: ExitReason, startFailed: boolean): void {
    for (const cancel of node.timers.values()) cancel();
    node.timers.clear();
    this.#environment.log(startFailed ? 'error' : 'info', 'supervisor-ended', node.spec.id, { reasonKind: reason.kind, reason: reason.detail, startFailed });
    if (node.parent === undefined) {
      this.#retireAll(node.spec);
      this.#environment.treeEnded(reason, startFailed);
    } else if (startFailed) {
      this.#post(node.parent, { type: 'child-start-failed', id: node.spec.id, reason });
    } else {
      this.#post(node.parent, { type: 'children-exited', exits: [{ id: node.spec.id, reason }] });
    }
  }
}

function supervisorStatus(state: SupervisorState): SupervisorSnapshot['status'] {
  switch (state.phase) {
    case 'idle':
      return 'waiting';
    case 'running':
      return state.group === undefined && state.children.every((child) => child.phase === 'running' || child.phase === 'ended') ? 'running' : 'restarting';
    case 'ended':
      return 'stopped';
    case 'starting':
    case 'stopping':
      return state.phase;
  }
}
