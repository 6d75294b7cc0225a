import { describe, expect, it } from 'vitest';
import { SupervisionTree } from '../../../src/runtime/supervision-tree.ts';
import { EAGER, puppet, supervisor } from './bed.ts';

describe('the exits of a thread that died', () => {
  it('end no life that a supervisor started because of the others', () => {
    const started: string[] = [];
    const tree = new SupervisionTree(
      supervisor('root', {
        ...EAGER,
        children: [
          supervisor('all', {
            ...EAGER,
            intensity: 0,
            strategy: 'one-for-all',
            children: [puppet('late', 'transient'), supervisor('inner', { intensity: 0, children: [puppet('first')] })],
          }),
        ],
      }),
      {
        monotonicMs: () => 0,
        jitter: () => 0,
        after: () => () => undefined,
        hasThread: () => true,
        threadOf: () => 'main',
        addActor: () => undefined,
        changeActor: () => undefined,
        removeActor: () => undefined,
        startActor: (path, incarnation) => started.push(`${path}#${incarnation}`),
        stopActor: () => undefined,
        killActor: () => undefined,
        retireActor: () => undefined,
        log: () => undefined,
        treeStarted: () => undefined,
        treeEnded: () => undefined,
      },
    );
    tree.start();
    tree.actorIgnored('late', 1);
    tree.actorStarted('first', 1);
    const reason = { kind: 'thread-died', detail: 'gone' } as const;
    // The end of "first" ends "inner" and with it "all", whose restart gives "late" its second life.
    tree.actorsExited([
      { path: 'first', incarnation: 1, reason },
      { path: 'late', incarnation: 1, reason },
    ]);
    expect(started).toEqual(['late#1', 'first#1', 'late#2']);
    tree.actorStarted('late', 2);
    expect(started).toEqual(['late#1', 'first#1', 'late#2', 'first#2']);
  });
});
