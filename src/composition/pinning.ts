/** Moves actors of a tree to the threads a configuration pins them to. Pure; main thread. */
import type { TandemConfig } from '../../config/schema.ts';
import type { ActorSpec, ChildSpec, SupervisorSpec } from '../runtime/child-spec.ts';

/**
 * Returns the tree with each actor on the thread of the first rule its path matches; others stay. `threadsFor` names the
 * threads that can run an actor. Throws on a rule that matches no actor, or names a thread that cannot run what it matches.
 */
export function pinActors(
  tree: SupervisorSpec,
  rules: TandemConfig['placement'],
  threadsFor: (actor: ActorSpec) => readonly string[],
): SupervisorSpec {
  const unused = new Set(rules);
  const pinned = (spec: ChildSpec): ChildSpec =>
    spec.type === 'supervisor' ? pinnedSupervisor(spec) : pinnedActor(spec);
  const pinnedSupervisor = (spec: SupervisorSpec): SupervisorSpec => ({ ...spec, children: spec.children.map(pinned) });
  const pinnedActor = (spec: ActorSpec): ActorSpec => {
    const rule = rules.find(({ paths }) => matchesPath(paths, spec.id));
    if (rule === undefined) return spec;
    unused.delete(rule);
    const threads = threadsFor(spec);
    if (!threads.includes(rule.thread)) {
      throw new Error(
        `placement of "${rule.paths}" must be a thread that can run ${spec.id} (${threads.join(', ')}), was "${rule.thread}"`,
      );
    }
    return { ...spec, thread: rule.thread };
  };
  const result = pinnedSupervisor(tree);
  for (const { paths } of unused)
    throw new Error(`placement must name paths of actors, "${paths}" matches none that an earlier rule left`);
  return result;
}

/** Whether the path matches the pattern, in which every `*` stands for any text. */
export function matchesPath(pattern: string, path: string): boolean {
  const [first = '', ...rest] = pattern.split('*');
  if (rest.length === 0) return path === pattern;
  if (!path.startsWith(first)) return false;
  const last = rest.pop() ?? '';
  let at = first.length;
  for (const part of rest) {
    const found = path.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return path.length - last.length >= at && path.endsWith(last);
}
