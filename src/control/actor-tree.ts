/** Arranges a snapshot as the tree that supervises it. Pure, main thread. */
import type {
  ActorSnapshot,
  DeadLettersSnapshot,
  LaneSnapshot,
  SupervisorSnapshot,
  SystemSnapshot,
  ThreadSnapshot,
} from '../runtime/snapshot.ts';

export type TreeNode = ActorSnapshot | SupervisorNode;

export interface SupervisorNode extends Omit<SupervisorSnapshot, 'children'> {
  readonly children: readonly TreeNode[];
}

export interface ActorTree {
  readonly totals: {
    readonly actors: number;
    readonly running: number;
    readonly restarts: number;
    readonly queued: number;
  };
  /** Supervisors that nobody supervises, and actors no supervisor names: normally the root alone. */
  readonly tree: readonly TreeNode[];
  readonly deadLetters: DeadLettersSnapshot;
}

export function actorTree({ actors, supervisors, deadLetters }: SystemSnapshot): ActorTree {
  const actorByPath = new Map(actors.map((actor) => [actor.path, actor]));
  const supervisorByPath = new Map(supervisors.map((supervisor) => [supervisor.path, supervisor]));
  const supervised = new Set(supervisors.flatMap((supervisor) => supervisor.children));
  const nodeOf = (path: string): readonly TreeNode[] => {
    const actor = actorByPath.get(path);
    if (actor !== undefined) return [actor];
    const supervisor = supervisorByPath.get(path);
    return supervisor === undefined ? [] : [{ ...supervisor, children: supervisor.children.flatMap(nodeOf) }];
  };
  const roots = [...supervisors, ...actors].map(({ path }) => path).filter((path) => !supervised.has(path));
  return {
    totals: {
      actors: actors.length,
      running: actors.filter((actor) => actor.status === 'running').length,
      restarts: actors.reduce((sum, actor) => sum + actor.restarts, 0),
      queued: actors.reduce((sum, actor) => sum + actor.mailbox.depthTotal, 0),
    },
    tree: roots.flatMap(nodeOf),
    deadLetters,
  };
}

export type ThreadView = Omit<ThreadSnapshot, 'lanes'> & {
  /** Share of each outgoing ring that is full, 0 to 1, beside its counts. */
  readonly lanes: readonly (LaneSnapshot & { readonly fill: number })[];
};

export function threadViews({ threads }: SystemSnapshot): readonly ThreadView[] {
  return threads.map((thread) => ({
    ...thread,
    lanes: thread.lanes.map((lane) => ({ ...lane, fill: lane.usedBytes / lane.capacityBytes })),
  }));
}

/** One lane between two threads: a ring in shared memory, and what waits for it on its sender's side. */
export type RingView = LaneSnapshot & { readonly from: string; readonly fill: number };

/** All rings, fullest first. */
export function ringViews({ threads }: SystemSnapshot): readonly RingView[] {
  return threads
    .flatMap(({ name, lanes }) =>
      lanes.map((lane) => ({ from: name, ...lane, fill: lane.usedBytes / Math.max(1, lane.capacityBytes) })),
    )
    .toSorted((one, other) => other.fill - one.fill || other.queued - one.queued);
}
