/**
 * Who is told when a life ends, and who ends with it: death watch and links of the actors of one thread with any others.
 * The hosting thread only.
 *
 * A watch lives on both sides: in `watching` of the life that asked, which makes its `actor-down` exactly one, and in
 * `watchers` of the place it watches. A link lives in `links` of both lives. Ends travel as system records between threads.
 */
import type { ActorPath, ActorRef } from './actor.ts';
import type { ActorCell, Life, Watcher } from './actor-cell.ts';
import { Deque } from './deque.ts';
import type { HostEnvironment } from './host-environment.ts';
import { newEnvelope, type Envelope, type EnvelopeType } from './mailbox.ts';
import { LEVEL } from './message-types.ts';
import type { Place, PlacementTable } from './placement.ts';
import type { ExitReason } from './supervisor-protocol.ts';
import type { SystemRecord } from './system-record.ts';

const ACTOR_DOWN: EnvelopeType = { name: 'actor-down', class: 'system', level: LEVEL.system };

/** The records this is about. */
export type TieRecord = Extract<
  SystemRecord,
  { readonly type: 'watch' | 'unwatch' | 'down' | 'link' | 'unlink' | 'linked-ended' }
>;

/** What it has done by the host. */
export interface TiedHost {
  /** Queues a message whatever the bound, and has the actor run. */
  owe(cell: ActorCell, envelope: Envelope): void;
  /** Ends a life because one it was linked with ended. */
  endByLink(cell: ActorCell, life: Life, reason: ExitReason): void;
}

export class ActorTies {
  readonly #cells: ReadonlyMap<ActorPath, ActorCell>;
  readonly #placement: PlacementTable;
  readonly #environment: HostEnvironment;
  readonly #host: TiedHost;
  /** Ends of linked lives to be told here; `undefined` when nobody is telling them. */
  #linkedEnds: Deque<Extract<TieRecord, { readonly type: 'linked-ended' }>> | undefined;

  constructor(
    cells: ReadonlyMap<ActorPath, ActorCell>,
    placement: PlacementTable,
    environment: HostEnvironment,
    host: TiedHost,
  ) {
    this.#cells = cells;
    this.#placement = placement;
    this.#environment = environment;
    this.#host = host;
  }

  // --- death watch ---

  watch(cell: ActorCell, life: Life, target: ActorRef): void {
    (life.watching ??= new Map<ActorPath, ActorRef>()).set(target.path, target);
    const place = this.#placement.byPath(target.path);
    if (place === undefined || place.spec === undefined) {
      this.#takeDown(cell, life, target.path, target.incarnation, 'no-such-actor');
      return;
    }
    const record: TieRecord = {
      type: 'watch',
      watcher: cell.path,
      watcherIncarnation: life.incarnation,
      target: target.path,
      targetIncarnation: target.incarnation,
    };
    if (place.thread === this.#environment.threadName) this.receive(record);
    else this.#environment.sendSystem(place.thread, record);
  }

  unwatch(cell: ActorCell, life: Life, target: ActorPath): void {
    if (life.watching?.delete(target) !== true) return;
    const place = this.#placement.byPath(target);
    if (place !== undefined) this.#unwatchAt(place, cell.path, life.incarnation);
  }

  #unwatchAt(place: Place, watcher: ActorPath, watcherIncarnation: number): void {
    const record: TieRecord = { type: 'unwatch', watcher, watcherIncarnation, target: place.path };
    if (place.thread === this.#environment.threadName) this.receive(record);
    else this.#environment.sendSystem(place.thread, record);
  }

  // --- links ---

  link(cell: ActorCell, life: Life, target: ActorRef): void {
    life.links ??= new Map();
    life.links.set(target.path, target);
    const place = this.#placement.byPath(target.path);
    if (place?.spec !== undefined) {
      this.#sendTo(target.path, {
        type: 'link',
        from: cell.path,
        fromIncarnation: life.incarnation,
        to: target.path,
        toIncarnation: target.incarnation,
      });
    } else {
      this.#takeLinkedEnd({
        type: 'linked-ended',
        to: cell.path,
        toIncarnation: life.incarnation,
        from: target.path,
        reason: nobodyAt(target.path),
      });
    }
  }

  unlink(cell: ActorCell, life: Life, target: ActorPath): void {
    if (life.links?.delete(target) !== true) return;
    this.#sendTo(target, { type: 'unlink', from: cell.path, fromIncarnation: life.incarnation, to: target });
  }

  #takeLink(record: Extract<TieRecord, { readonly type: 'link' }>): void {
    const life = this.#cells.get(record.to)?.life;
    if (life === undefined || (record.toIncarnation !== 0 && record.toIncarnation !== life.incarnation)) {
      const reason = nobodyAt(record.to);
      this.#sendTo(record.from, {
        type: 'linked-ended',
        to: record.from,
        toIncarnation: record.fromIncarnation,
        from: record.to,
        reason,
      });
      return;
    }
    life.links ??= new Map();
    life.links.set(record.from, { path: record.from, incarnation: record.fromIncarnation });
  }

  /** One end may end others, and these others again: told one after the other, however long the chain. */
  #takeLinkedEnd(record: Extract<TieRecord, { readonly type: 'linked-ended' }>): void {
    if (this.#linkedEnds !== undefined) {
      this.#linkedEnds.pushBack(record);
      return;
    }
    const ends = new Deque<typeof record>();
    this.#linkedEnds = ends;
    for (let next: typeof record | undefined = record; next !== undefined; next = ends.popFront())
      this.#endLinked(next);
    this.#linkedEnds = undefined;
  }

  #endLinked({ to, toIncarnation, from, reason }: Extract<TieRecord, { readonly type: 'linked-ended' }>): void {
    const cell = this.#cells.get(to);
    const life = cell?.life;
    if (cell === undefined || life === undefined || (toIncarnation !== 0 && toIncarnation !== life.incarnation)) return;
    if (life.links?.delete(from) !== true || reason.kind === 'normal') return;
    const ended = { kind: reason.kind, detail: `linked "${from}" ended: ${reason.detail}` };
    this.#host.endByLink(cell, life, ended);
  }

  /** Sends a record to the thread of that actor. */
  #sendTo(path: ActorPath, record: TieRecord): void {
    const place = this.#placement.byPath(path);
    if (place === undefined) return;
    if (place.thread === this.#environment.threadName) this.receive(record);
    else this.#environment.sendSystem(place.thread, record);
  }

  #takeWatch(record: Extract<TieRecord, { readonly type: 'watch' }>): void {
    const place = this.#placement.byPath(record.target);
    const hasMoved =
      !this.#cells.has(record.target) && place !== undefined && place.thread !== this.#environment.threadName;
    if (hasMoved) this.#environment.sendSystem(place.thread, record);
    else
      this.#addWatcher(record.target, record.targetIncarnation, {
        path: record.watcher,
        incarnation: record.watcherIncarnation,
      });
  }

  #addWatcher(target: ActorPath, incarnation: number, watcher: Watcher): void {
    const cell = this.#cells.get(target);
    if (cell === undefined) return;
    const isOver =
      incarnation !== 0 &&
      (cell.life === undefined || cell.life.incarnation !== incarnation) &&
      incarnation <= cell.incarnation;
    if (cell.status === 'stopped' || isOver)
      this.#sendDown(cell, watcher, cell.status === 'stopped' ? 'stopped' : 'ended');
    else (cell.watchers ??= new Map<string, Watcher>()).set(watcherKey(watcher.path, watcher.incarnation), watcher);
  }

  #sendDown(cell: ActorCell, watcher: Watcher, reason: string): void {
    const place = this.#placement.byPath(watcher.path);
    if (place === undefined) return;
    const record: TieRecord = {
      type: 'down',
      watcher: watcher.path,
      watcherIncarnation: watcher.incarnation,
      target: cell.path,
      incarnation: cell.incarnation,
      reason,
    };
    if (place.thread === this.#environment.threadName) this.receive(record);
    else this.#environment.sendSystem(place.thread, record);
  }

  /** Gives the watcher its one `actor-down`: the entry in `watching` is what makes it exactly once. */
  #takeDown(cell: ActorCell, life: Life, target: ActorPath, incarnation: number, reason: string): void {
    if (life.watching?.delete(target) !== true) return;
    const message = { type: 'actor-down', path: target, incarnation, reason };
    this.#host.owe(
      cell,
      newEnvelope(ACTOR_DOWN, message, '', target, this.#environment.monotonicMs(), life.incarnation),
    );
  }

  /** Takes a record about death watch or links. */
  receive(record: TieRecord): void {
    switch (record.type) {
      case 'watch':
        this.#takeWatch(record);
        return;
      case 'unwatch':
        this.#cells.get(record.target)?.watchers?.delete(watcherKey(record.watcher, record.watcherIncarnation));
        return;
      case 'down': {
        const cell = this.#cells.get(record.watcher);
        const life = cell?.life;
        if (cell === undefined || life === undefined || life.incarnation !== record.watcherIncarnation) return;
        this.#takeDown(cell, life, record.target, record.incarnation, record.reason);
        return;
      }
      case 'link':
        this.#takeLink(record);
        return;
      case 'unlink': {
        const links = this.#cells.get(record.to)?.life?.links;
        if (links?.get(record.from)?.incarnation === record.fromIncarnation) links.delete(record.from);
        return;
      }
      case 'linked-ended':
        this.#takeLinkedEnd(record);
        return;
    }
  }

  // --- ends ---

  /** Tells everybody concerned that a life is over. */
  lifeEnded(cell: ActorCell, life: Life, reason: ExitReason): void {
    for (const target of life.watching?.values() ?? []) {
      const place = this.#placement.byPath(target.path);
      if (place !== undefined) this.#unwatchAt(place, cell.path, life.incarnation);
    }
    this.tellWatchers(cell, reason.detail);
    for (const tied of life.links?.values() ?? []) {
      this.#sendTo(tied.path, {
        type: 'linked-ended',
        to: tied.path,
        toIncarnation: tied.incarnation,
        from: cell.path,
        reason,
      });
    }
  }

  /** Tells those who watch that it is over, once. */
  tellWatchers(cell: ActorCell, reason: string): void {
    const watchers = [...(cell.watchers?.values() ?? [])];
    cell.watchers = undefined;
    for (const watcher of watchers) this.#sendDown(cell, watcher, reason);
  }

  /** Ends all watches and links between this thread and one that died. `incarnations`: the last lives of the dead thread's actors. */
  threadDied(threadName: string, reason: string, incarnations: ReadonlyMap<ActorPath, number>): void {
    for (const cell of this.#cells.values()) {
      for (const [key, watcher] of cell.watchers ?? []) {
        if (this.#placement.byPath(watcher.path)?.thread === threadName) cell.watchers?.delete(key);
      }
      const { life } = cell;
      if (life === undefined) continue;
      for (const target of [...(life.watching?.values() ?? [])]) {
        if (this.#placement.byPath(target.path)?.thread !== threadName) continue;
        this.#takeDown(cell, life, target.path, incarnations.get(target.path) ?? target.incarnation, reason);
      }
      for (const from of [...(life.links?.keys() ?? [])]) {
        if (this.#placement.byPath(from)?.thread !== threadName) continue;
        this.#takeLinkedEnd({
          type: 'linked-ended',
          to: cell.path,
          toIncarnation: life.incarnation,
          from,
          reason: { kind: 'thread-died', detail: reason },
        });
      }
    }
  }
}

function nobodyAt(path: ActorPath): ExitReason {
  return { kind: 'crashed', detail: `nobody lives at "${path}"` };
}

function watcherKey(path: ActorPath, incarnation: number): string {
  return `${path}#${incarnation}`;
}
