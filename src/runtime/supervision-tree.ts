/** Runs the supervisors of a whole tree: feeds their state machines and carries out their commands. Main thread. */
import type { ActorPath, ActorRef } from './actor.ts';
import type { ChildCounts, ChildOutcome, ChildRequest, ChildView } from './child-requests.ts';
import type { ActorSpec, ChildSpec, SupervisorSpec } from './child-spec.ts';
import { Deque } from './deque.ts';
import { DynamicSupervisor } from './dynamic-supervisor.ts';
import { ASKS_PATH, MAIN_THREAD, SUPERVISORS_PATH } from './placement.ts';
import type { LogLevel } from './ports-context.ts';
import type { ActorStatus, SupervisorSnapshot } from './snapshot.ts';
import { checkChild, checkSignificant, checkSupervisor, FaultySpec } from './spec-check.ts';
import { StaticSupervisor } from './static-supervisor.ts';
import type {
  ChildReply,
  ExitReason,
  SupervisorCommand,
  SupervisorEvent,
  SupervisorMachine,
} from './supervisor-protocol.ts';

/** How the tree reaches actors and time. None of these may call back into the tree before it returns. */
export interface TreeEnvironment {
  monotonicMs(): number;
  /** A fraction in [0, 1). */
  jitter(): number;
  /** Runs `action` later; returns its cancel function. */
  after(delayMs: number, action: () => void): () => void;
  hasThread(name: string): boolean;
  /** Returns where an actor's place is, undefined when it has none. */
  threadOf(path: ActorPath): string | undefined;
  /** Makes a place for an actor that had none when the system started. Nothing follows. */
  addActor(spec: ActorSpec, thread: string, firstIncarnation: number): void;
  /** The actor's next life starts from this spec. Nothing follows. */
  changeActor(spec: ActorSpec): void;
  /** Retires the actor and forgets its place. Nothing follows. */
  removeActor(path: ActorPath): void;
  /** `actorStarted`, `actorIgnored`, `actorStartFailed` or `actorsExited` follows. */
  startActor(path: ActorPath, incarnation: number): void;
  /** `actorsExited` follows, unless the actor hangs or takes its time. */
  stopActor(path: ActorPath, incarnation: number, reason: string): void;
  /** `actorsExited` follows. */
  killActor(path: ActorPath, incarnation: number): void;
  /** Nobody lives there until it is started again. Nothing follows. */
  retireActor(path: ActorPath): void;
  log(level: LogLevel, event: string, path: ActorPath, fields: Readonly<Record<string, unknown>>): void;
  /** The root is up. */
  treeStarted(): void;
  /** The root ended: told to, gave up, or could not start. Its actors are down. */
  treeEnded(reason: ExitReason, startFailed: boolean): void;
}

/** The end of one life of an actor. */
export interface ActorExit {
  readonly path: ActorPath;
  readonly incarnation: number;
  readonly reason: ExitReason;
}

interface SupervisorNode {
  readonly id: string;
  readonly parent: SupervisorNode | undefined;
  /** Where the actors below live unless their specs say otherwise. */
  readonly thread: string;
  readonly timers: Map<string, () => void>;
  /** Ids of all nodes below it, one level. */
  readonly children: Set<string>;
  /** Numbers its dynamic children, through all its lives. */
  readonly idSource: { next: number };
  /** As given; `init` may replace fields of it at each start. */
  spec: SupervisorSpec;
  /** Those that come back with its next start; others are removed when it ends. */
  staticChildren: readonly ChildSpec[];
  machine: SupervisorMachine;
  incarnation: number;
}

interface ActorNode {
  readonly parent: SupervisorNode;
  /** What its next life starts from. */
  spec: ActorSpec;
  incarnation: number;
}

interface PendingRequest {
  readonly node: SupervisorNode;
  /** Ids it will need, so that nobody else is promised them meanwhile. */
  readonly claims: readonly string[];
  readonly settled: Settled;
}

/** Called once with the answer to a request. */
export type Settled = (outcome: ChildOutcome) => void;

/** All supervisors of one system. Main thread only. */
export class SupervisionTree {
  readonly #environment: TreeEnvironment;
  readonly #root: SupervisorNode;
  readonly #supervisors = new Map<string, SupervisorNode>();
  readonly #actors = new Map<ActorPath, ActorNode>();
  readonly #events = new Deque<{ readonly node: SupervisorNode; readonly event: SupervisorEvent }>();
  readonly #requests = new Map<number, PendingRequest>();
  /** The ids of all specs' children, and whose they are, whether they exist now or not. */
  readonly #reserved = new Map<string, SupervisorNode>();
  readonly #claimed = new Map<string, SupervisorNode>();
  #lastToken = 0;
  /** Most lives any removed actor had: a new one of the same path goes on from there, so that no old ref reaches it. */
  #removedLivesMax = 0;
  #isWorking = false;

  /** The tree's spec is checked, and its actors have their places (see placement.ts). */
  constructor(spec: SupervisorSpec, environment: TreeEnvironment) {
    this.#environment = environment;
    this.#root = this.#addSupervisor(spec, undefined, false);
  }

  // --- what the world tells the tree ---

  start(): void {
    this.#startSupervisor(this.#root);
  }

  /** Stops all in reverse order with their deadlines; `treeEnded` follows. */
  stop(reason: string): void {
    this.#post(this.#root, { type: 'stop', reason });
  }

  /** Ends all at once; `treeEnded` follows. */
  kill(reason: string): void {
    this.#post(this.#root, { type: 'kill', reason });
  }

  /** Ends one actor's or supervisor's life at once; its supervisor decides what follows. Returns false for strangers. */
  killChild(path: ActorPath): boolean {
    const actor = this.#actors.get(path);
    const supervisor = this.#supervisors.get(path);
    if (actor !== undefined) this.#environment.killActor(path, actor.incarnation);
    else if (supervisor !== undefined && isAlive(supervisor.machine))
      this.#post(supervisor, { type: 'kill', reason: 'killed on purpose' });
    return actor !== undefined || supervisor !== undefined;
  }

  actorStarted(path: ActorPath, incarnation: number, info?: unknown): void {
    const node = this.#current(path, incarnation);
    if (node !== undefined)
      this.#post(node.parent, { type: 'child-started', id: path, ...(info === undefined ? {} : { info }) });
  }

  actorIgnored(path: ActorPath, incarnation: number): void {
    const node = this.#current(path, incarnation);
    if (node !== undefined) this.#post(node.parent, { type: 'child-ignored', id: path });
  }

  actorStartFailed(path: ActorPath, incarnation: number, reason: ExitReason): void {
    const node = this.#current(path, incarnation);
    if (node !== undefined) this.#post(node.parent, { type: 'child-start-failed', id: path, reason });
  }

  /** Lives that ended together; exits of earlier lives are ignored. */
  actorsExited(exits: readonly ActorExit[]): void {
    const byParent = new Map<SupervisorNode, ActorExit[]>();
    for (const exit of exits) {
      const node = this.#current(exit.path, exit.incarnation);
      if (node === undefined) continue;
      const siblings = byParent.get(node.parent) ?? [];
      siblings.push(exit);
      byParent.set(node.parent, siblings);
    }
    for (const [node, siblings] of byParent) {
      // What the supervisors before this one did may have started some of them anew, or removed them.
      const current = siblings.filter((exit) => this.#current(exit.path, exit.incarnation)?.parent === node);
      if (current.length === 0) continue;
      this.#post(node, { type: 'children-exited', exits: current.map(({ path, reason }) => ({ id: path, reason })) });
    }
  }

  // --- requests and questions ---

  /** Asks a supervisor; `settled` is called exactly once, now or later. */
  request(supervisor: ActorPath, request: ChildRequest, settled: Settled): void {
    const node = this.#supervisors.get(supervisor);
    if (node === undefined) {
      settled({
        type: 'refused',
        error: 'no-such-supervisor',
        detail: `"${supervisor}" is no supervisor of this tree`,
      });
      return;
    }
    const fault = this.#faultOf(node, request);
    if (fault !== undefined) {
      settled({ type: 'refused', error: 'faulty-spec', detail: fault });
      return;
    }
    this.#lastToken += 1;
    const claims = claimsOf(request).filter((id) => this.#ownerOf(id) === undefined);
    for (const id of claims) this.#claimed.set(id, node);
    this.#requests.set(this.#lastToken, { node, claims, settled });
    this.#post(node, { type: 'request', token: this.#lastToken, request });
  }

  /** Returns undefined for strangers. In start order. */
  whichChildren(supervisor: ActorPath): readonly ChildView[] | undefined {
    const node = this.#supervisors.get(supervisor);
    if (node === undefined) return undefined;
    return node.machine.children().map(({ id, type, restart, significant, phase }) => ({
      id,
      type,
      restart,
      significant,
      child: phase === 'ended' || !isAlive(node.machine) ? undefined : isLiving(phase) ? this.#refOf(id) : 'restarting',
    }));
  }

  /** Returns undefined for strangers. */
  countChildren(supervisor: ActorPath): ChildCounts | undefined {
    const machine = this.#supervisors.get(supervisor)?.machine;
    if (machine === undefined) return undefined;
    const children = machine.children();
    const supervisors = children.filter((child) => child.type === 'supervisor').length;
    return {
      specs: machine.specCount,
      active: children.filter((child) => isLiving(child.phase)).length,
      supervisors,
      actors: children.length - supervisors,
    };
  }

  /** Returns the life at a path now: an actor's or a supervisor's; undefined when nobody lives there. */
  whereIs(path: ActorPath): ActorRef | undefined {
    const parent = this.#actors.get(path)?.parent ?? this.#supervisors.get(path)?.parent;
    if (parent === undefined)
      return path === this.#root.id && isAlive(this.#root.machine) ? this.#refOf(path) : undefined;
    const phase = parent.machine.phaseOf(path);
    return phase !== undefined && isLiving(phase) ? this.#refOf(path) : undefined;
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
    const phase = node?.parent.machine.phaseOf(path);
    if (node === undefined || phase === undefined) return 'stopped';
    switch (phase) {
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
        return node.parent.machine.phase === 'ended' ? 'stopped' : 'restarting';
    }
  }

  snapshot(): SupervisorSnapshot[] {
    const nowMs = this.#environment.monotonicMs();
    return Array.from(this.#supervisors.values(), ({ id, children, machine }) => ({
      path: id,
      strategy: machine.strategy,
      status: supervisorStatus(machine),
      children: [...children],
      restartsInPeriod: machine.restartTimesMs.filter((atMs) => atMs >= nowMs - machine.limits.periodMs).length,
      intensity: machine.limits.intensity,
      periodMs: machine.limits.periodMs,
      restartsTotal: machine.restartsTotal,
    }));
  }

  #refOf(path: ActorPath): ActorRef {
    return { path, incarnation: this.#actors.get(path)?.incarnation ?? this.#supervisors.get(path)?.incarnation ?? 0 };
  }

  #current(path: ActorPath, incarnation: number): ActorNode | undefined {
    const node = this.#actors.get(path);
    return node !== undefined && node.incarnation === incarnation ? node : undefined;
  }

  // --- faulty specs ---

  /** Returns what is wrong with the specs of a request, or undefined. */
  #faultOf(node: SupervisorNode, request: ChildRequest): string | undefined {
    try {
      if (request.type === 'start-child') this.#checkNewChild(node, request.spec);
      else if (request.type === 'start-dynamic-child' && request.id !== undefined) this.#checkFree(node, request.id);
      else if (request.type === 'change-supervisor') this.#checkChange(node, request.spec);
      return undefined;
    } catch (error) {
      if (error instanceof FaultySpec) return error.message;
      throw error;
    }
  }

  #checkNewChild(node: SupervisorNode, spec: ChildSpec): void {
    checkChild(spec, new Set());
    checkSignificant({ ...node.spec, ...node.machine.limits }, spec);
    this.#checkThreads(spec);
    this.#checkIds(node, spec);
  }

  #checkChange(node: SupervisorNode, spec: SupervisorSpec): void {
    checkSupervisor(spec, new Set());
    const isDynamic = spec.strategy === 'simple-one-for-one';
    if (isDynamic !== (node.machine.strategy === 'simple-one-for-one')) {
      throw new FaultySpec(
        'bad-strategy',
        `strategy of "${node.id}" must stay what it is to or from simple-one-for-one, was "${spec.strategy ?? 'one-for-one'}"`,
      );
    }
    for (const child of spec.children) {
      this.#checkThreads(child);
      if (isDynamic) continue;
      this.#checkIds(node, child);
      this.#checkSamePlace(node, child);
    }
  }

  /** Throws when an id of the spec belongs to somebody else than the child itself and what is below it. */
  #checkIds(node: SupervisorNode, spec: ChildSpec): void {
    this.#checkFree(node, spec.id);
    const self = this.#supervisors.get(spec.id);
    const visit = (child: ChildSpec): void => {
      const owner = this.#ownerOf(child.id);
      if (child.id === this.#root.id) throw takenTwice(child.id);
      if (owner !== undefined && (self === undefined || !this.#isBelow(owner, self))) throw takenTwice(child.id);
      if (child.type === 'supervisor') for (const below of child.children) visit(below);
    };
    if (spec.type === 'supervisor' && spec.strategy !== 'simple-one-for-one')
      for (const below of spec.children) visit(below);
  }

  /** Its own children may keep their ids: the supervisor itself says what it thinks of that. */
  #checkFree(node: SupervisorNode, id: string): void {
    const isReserved = id === this.#root.id || id === ASKS_PATH || id === SUPERVISORS_PATH;
    const owner = this.#ownerOf(id);
    if (isReserved || (owner !== undefined && owner !== node)) throw takenTwice(id);
  }

  /** A deleted child of a spec still has its id: it comes back with its supervisor. */
  #ownerOf(id: string): SupervisorNode | undefined {
    const parent = this.#actors.get(id)?.parent ?? this.#supervisors.get(id)?.parent;
    return parent ?? this.#reserved.get(id) ?? this.#claimed.get(id);
  }

  #isBelow(candidate: SupervisorNode | undefined, ancestor: SupervisorNode): boolean {
    for (let node = candidate; node !== undefined; node = node.parent) if (node === ancestor) return true;
    return false;
  }

  #checkThreads(spec: ChildSpec): void {
    if (spec.thread !== undefined && !this.#environment.hasThread(spec.thread)) {
      throw new FaultySpec(
        'unknown-thread',
        `thread of "${spec.id}" must be one of the system's, was "${spec.thread}"`,
      );
    }
    if (spec.type === 'supervisor') for (const child of spec.children) this.#checkThreads(child);
  }

  /** A child that exists keeps its nature and thread: those belong to its place. */
  #checkSamePlace(node: SupervisorNode, spec: ChildSpec): void {
    if (!node.children.has(spec.id)) return;
    const isActor = this.#actors.has(spec.id);
    const thread = spec.thread ?? node.thread;
    if (isActor && thread !== this.#environment.threadOf(spec.id)) {
      throw new FaultySpec('bad-thread', `thread of "${spec.id}" must stay what it is, was "${thread}"`);
    }
    if (isActor !== (spec.type === 'actor'))
      throw new FaultySpec('bad-type', `type of "${spec.id}" must stay what it is, was "${spec.type}"`);
  }

  // --- nodes ---

  #addSupervisor(spec: SupervisorSpec, parent: SupervisorNode | undefined, isNew: boolean): SupervisorNode {
    const node: SupervisorNode = {
      id: spec.id,
      parent,
      thread: spec.thread ?? parent?.thread ?? MAIN_THREAD,
      timers: new Map(),
      children: new Set(),
      idSource: { next: 0 },
      spec,
      staticChildren: [],
      machine: new StaticSupervisor({ ...spec, children: [] }),
      incarnation: isNew ? this.#removedLivesMax : 0,
    };
    this.#supervisors.set(spec.id, node);
    if (spec.init === undefined) this.#prepare(node, spec, isNew);
    return node;
  }

  /** Gives a supervisor that is about to start its state machine and all nodes of its spec. */
  #prepare(node: SupervisorNode, spec: SupervisorSpec, isNew: boolean): void {
    const isDynamic = spec.strategy === 'simple-one-for-one';
    node.machine = isDynamic ? new DynamicSupervisor(spec, node.idSource) : new StaticSupervisor(spec);
    this.#reserve(node, spec);
    this.#removeOthers(node);
    if (!isDynamic) for (const child of spec.children) this.#addChild(node, child, isNew);
  }

  #reserve(node: SupervisorNode, spec: SupervisorSpec | undefined): void {
    for (const { id } of node.staticChildren) if (this.#reserved.get(id) === node) this.#reserved.delete(id);
    const children = spec === undefined || spec.strategy === 'simple-one-for-one' ? [] : spec.children;
    node.staticChildren = children;
    for (const { id } of children) this.#reserved.set(id, node);
  }

  /** Removes the nodes below it that its next start does not bring back. */
  #removeOthers(node: SupervisorNode): void {
    const staying = new Set(node.staticChildren.map((child) => child.id));
    for (const id of [...node.children]) if (!staying.has(id)) this.#remove(id, node);
  }

  /** What a supervisor was changed to stays when its parent starts it again. What it is to its parent does not change. */
  #changeSpec(node: SupervisorNode, changed: SupervisorSpec): void {
    const { id, restart, shutdownMs, significant, thread } = node.spec;
    const spec: SupervisorSpec = {
      ...changed,
      id,
      ...(restart === undefined ? {} : { restart }),
      ...(shutdownMs === undefined ? {} : { shutdownMs }),
      ...(significant === undefined ? {} : { significant }),
      ...(thread === undefined ? {} : { thread }),
    };
    node.spec = spec;
    this.#reserve(node, spec);
    const { parent } = node;
    if (parent?.staticChildren.some((child) => child.id === id) !== true) return;
    parent.spec = { ...parent.spec, children: parent.spec.children.map((child) => (child.id === id ? spec : child)) };
  }

  #addChild(node: SupervisorNode, spec: ChildSpec, isNew: boolean): void {
    const known = this.#actors.get(spec.id);
    const isSamePlace =
      known === undefined
        ? this.#supervisors.has(spec.id)
        : this.#environment.threadOf(spec.id) === (spec.thread ?? node.thread);
    if (node.children.has(spec.id)) {
      if (isSamePlace && (known === undefined) === (spec.type === 'supervisor')) {
        this.#changeChild(spec);
        return;
      }
      this.#remove(spec.id, node);
    }
    node.children.add(spec.id);
    if (spec.type === 'supervisor') {
      this.#addSupervisor(spec, node, isNew);
      return;
    }
    const incarnation = isNew ? this.#removedLivesMax : 0;
    this.#actors.set(spec.id, { parent: node, spec, incarnation });
    if (isNew) this.#environment.addActor(spec, spec.thread ?? node.thread, incarnation + 1);
  }

  #changeChild(spec: ChildSpec): void {
    if (spec.type === 'supervisor') {
      const supervisor = this.#supervisors.get(spec.id);
      if (supervisor !== undefined) supervisor.spec = spec;
      return;
    }
    const actor = this.#actors.get(spec.id);
    if (actor === undefined || actor.spec === spec) return;
    actor.spec = spec;
    this.#environment.changeActor(spec);
  }

  /** Forgets a node and all below it; they are down. */
  #remove(id: string, parent: SupervisorNode): void {
    if (!parent.children.delete(id)) return;
    const actor = this.#actors.get(id);
    if (actor !== undefined) {
      this.#removedLivesMax = Math.max(this.#removedLivesMax, actor.incarnation);
      this.#actors.delete(id);
      this.#environment.removeActor(id);
      return;
    }
    const supervisor = this.#supervisors.get(id);
    if (supervisor === undefined) return;
    for (const child of [...supervisor.children]) this.#remove(child, supervisor);
    this.#reserve(supervisor, undefined);
    this.#removedLivesMax = Math.max(this.#removedLivesMax, supervisor.incarnation);
    this.#supervisors.delete(id);
  }

  // --- events and commands ---

  /** Events wait in one queue, so that a command's consequence never runs inside the transition that gave it. */
  #post(node: SupervisorNode, event: SupervisorEvent): void {
    this.#events.pushBack({ node, event });
    if (this.#isWorking) return;
    this.#isWorking = true;
    try {
      for (let next = this.#events.popFront(); next !== undefined; next = this.#events.popFront())
        this.#work(next.node, next.event);
    } finally {
      this.#isWorking = false;
    }
  }

  #work(node: SupervisorNode, event: SupervisorEvent): void {
    const commands = node.machine.take({
      event,
      nowMs: this.#environment.monotonicMs(),
      jitter: this.#environment.jitter(),
    });
    for (const command of commands) this.#carryOut(node, command);
  }

  #carryOut(node: SupervisorNode, command: SupervisorCommand): void {
    switch (command.type) {
      case 'start-child':
        this.#startChild(node, command.id);
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
        this.#retireAll(command.id);
        return;
      case 'add-child':
        this.#addForRequest(node, command.spec);
        return;
      case 'change-child':
        this.#changeChild(command.spec);
        return;
      case 'change-spec':
        this.#changeSpec(node, command.spec);
        return;
      case 'remove-child':
        this.#remove(command.id, node);
        return;
      case 'arm':
        this.#arm(node, command.timer, command.delayMs);
        return;
      case 'disarm':
        node.timers.get(command.timer)?.();
        node.timers.delete(command.timer);
        return;
      case 'restarting':
        this.#environment.log('warn', 'restarting', node.id, {
          children: command.ids,
          reasonKind: command.reason.kind,
          reason: command.reason.detail,
          delayMs: command.delayMs,
          restartsInPeriod: command.restartsInPeriod,
          intensity: node.machine.limits.intensity,
        });
        return;
      case 'reply':
        this.#settle(command.token, this.#outcomeOf(command.reply));
        return;
      case 'started':
        if (node.parent === undefined) this.#environment.treeStarted();
        else this.#post(node.parent, { type: 'child-started', id: node.id });
        return;
      case 'ended':
        this.#ended(node, command.reason, command.startFailed);
        return;
    }
  }

  /** The ids below a dynamic child are made up from its own, and may be somebody's: then its start fails. */
  #addForRequest(node: SupervisorNode, spec: ChildSpec): void {
    this.#releaseClaims(node, idsOf(spec));
    try {
      this.#checkIds(node, spec);
      this.#addChild(node, spec, true);
    } catch (error) {
      if (!(error instanceof FaultySpec)) throw error;
      this.#post(node, { type: 'child-start-failed', id: spec.id, reason: { kind: 'crashed', detail: error.message } });
    }
  }

  #startChild(node: SupervisorNode, id: string): void {
    if (!node.children.has(id)) return;
    this.#withChild(
      id,
      (child) => this.#startSupervisor(child),
      (child) => {
        child.incarnation += 1;
        this.#environment.startActor(id, child.incarnation);
      },
    );
  }

  /** A supervisor that is started again comes back with its static children and a clean record. */
  #startSupervisor(node: SupervisorNode): void {
    node.incarnation += 1;
    try {
      const spec = this.#initialised(node);
      if (spec === 'ignore') {
        this.#startEnded(node, 'ignored');
        return;
      }
      if (node.incarnation > 1 || node.spec.init !== undefined) this.#prepare(node, spec, true);
    } catch (error) {
      // Whatever the supervisor's own code does wrong is its failure to start, and its parent's decision.
      this.#startEnded(node, { kind: 'crashed', detail: error instanceof Error ? error.message : String(error) });
      return;
    }
    this.#post(node, { type: 'start' });
  }

  #initialised(node: SupervisorNode): SupervisorSpec | 'ignore' {
    const { init, ...given } = node.spec;
    const answer = init === undefined ? {} : init();
    if (answer === 'ignore') return 'ignore';
    const spec: SupervisorSpec = { ...given, ...answer };
    if (init !== undefined) checkSupervisor(spec, new Set());
    for (const child of spec.children) {
      this.#checkThreads(child);
      if (spec.strategy !== 'simple-one-for-one') this.#checkIds(node, child);
    }
    return spec;
  }

  /** A supervisor that never came to have children: ignored, or failed with a reason. */
  #startEnded(node: SupervisorNode, outcome: 'ignored' | ExitReason): void {
    const isIgnored = outcome === 'ignored';
    const reason: ExitReason = isIgnored ? { kind: 'normal', detail: 'ignored' } : outcome;
    this.#environment.log(isIgnored ? 'info' : 'error', 'supervisor-ended', node.id, {
      reasonKind: reason.kind,
      reason: reason.detail,
      startFailed: !isIgnored,
    });
    if (node.parent === undefined) this.#environment.treeEnded(reason, !isIgnored);
    else if (isIgnored) this.#post(node.parent, { type: 'child-ignored', id: node.id });
    else this.#post(node.parent, { type: 'child-start-failed', id: node.id, reason });
  }

  #withChild(id: string, supervisor: (child: SupervisorNode) => void, actor: (child: ActorNode) => void): void {
    const supervisorNode = this.#supervisors.get(id);
    const actorNode = this.#actors.get(id);
    if (supervisorNode !== undefined) supervisor(supervisorNode);
    else if (actorNode !== undefined) actor(actorNode);
    else throw new Error(`a supervisor's command must name one of its children, was "${id}"`);
  }

  #retireAll(id: string): void {
    if (this.#actors.has(id)) this.#environment.retireActor(id);
    else for (const child of this.#supervisors.get(id)?.children ?? []) this.#retireAll(child);
  }

  #arm(node: SupervisorNode, timer: string, delayMs: number): void {
    node.timers.get(timer)?.();
    const cancel = this.#environment.after(delayMs, () => {
      node.timers.delete(timer);
      this.#post(node, { type: 'timer', timer });
    });
    node.timers.set(timer, cancel);
  }

  #outcomeOf(reply: ChildReply): ChildOutcome {
    switch (reply.type) {
      case 'started':
        return {
          type: 'started',
          child: this.#refOf(reply.id),
          ...(reply.info === undefined ? {} : { info: reply.info }),
        };
      case 'refused': {
        const { error, detail, id } = reply;
        const child = id === undefined || error !== 'already-started' ? undefined : this.whereIs(id);
        return { type: 'refused', error, detail, ...(child === undefined ? {} : { child }) };
      }
      case 'ignored':
      case 'done':
        return reply;
    }
  }

  #settle(token: number, outcome: ChildOutcome): void {
    const request = this.#requests.get(token);
    this.#requests.delete(token);
    if (request !== undefined) this.#releaseClaims(request.node, request.claims);
    request?.settled(outcome);
  }

  #releaseClaims(node: SupervisorNode, ids: readonly string[]): void {
    for (const id of ids) if (this.#claimed.get(id) === node) this.#claimed.delete(id);
  }

  #ended(node: SupervisorNode, reason: ExitReason, startFailed: boolean): void {
    for (const cancel of node.timers.values()) cancel();
    node.timers.clear();
    this.#removeOthers(node);
    this.#environment.log(startFailed ? 'error' : 'info', 'supervisor-ended', node.id, {
      reasonKind: reason.kind,
      reason: reason.detail,
      startFailed,
    });
    if (node.parent === undefined) {
      this.#retireAll(node.id);
      this.#environment.treeEnded(reason, startFailed);
    } else if (startFailed) {
      this.#post(node.parent, { type: 'child-start-failed', id: node.id, reason });
    } else {
      this.#post(node.parent, { type: 'children-exited', exits: [{ id: node.id, reason }] });
    }
  }
}

/** Returns the ids a request may bring into the tree. */
function claimsOf(request: ChildRequest): readonly string[] {
  switch (request.type) {
    case 'start-child':
      return idsOf(request.spec);
    case 'start-dynamic-child':
      return request.id === undefined ? [] : [request.id];
    case 'change-supervisor':
      return request.spec.strategy === 'simple-one-for-one' ? [] : request.spec.children.flatMap(idsOf);
    case 'terminate-child':
    case 'restart-child':
    case 'delete-child':
      return [];
  }
}

/** Returns the ids of a child and of all that is known to come below it. */
function idsOf(spec: ChildSpec): readonly string[] {
  if (spec.type === 'actor' || spec.strategy === 'simple-one-for-one') return [spec.id];
  return [spec.id, ...spec.children.flatMap(idsOf)];
}

function takenTwice(id: string): FaultySpec {
  return new FaultySpec('duplicate-id', `ids must be unique in the whole tree, "${id}" occurs twice`);
}

function isLiving(phase: string): boolean {
  return phase === 'starting' || phase === 'running' || phase === 'stopping' || phase === 'killing';
}

function isAlive(machine: SupervisorMachine): boolean {
  return machine.phase !== 'idle' && machine.phase !== 'ended';
}

function supervisorStatus(machine: SupervisorMachine): SupervisorSnapshot['status'] {
  switch (machine.phase) {
    case 'idle':
      return 'waiting';
    case 'running':
      return machine.isRestarting ? 'restarting' : 'running';
    case 'ended':
      return 'stopped';
    case 'starting':
    case 'stopping':
      return machine.phase;
  }
}
