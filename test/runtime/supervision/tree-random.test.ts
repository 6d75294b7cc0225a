import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ChildOutcome, ChildRequest } from '../../../src/runtime/child-requests.ts';
import type { RestartStrategy, RestartType } from '../../../src/runtime/child-spec.ts';
import { Bed, EAGER, puppet, supervisor } from './bed.ts';

const ACTORS = ['a1', 'a2', 'n1', 'n2', 'r1', 'r2', 'd1', 'd2', 'x1', 'x2'] as const;
const SUPERVISORS = ['all', 'nested', 'rest', 'pool'] as const;
const THREADS = ['a', 'b'] as const;

type Act =
  | { readonly type: 'crash' | 'leave' | 'kill' | 'fail' | 'ignore' | 'slow'; readonly path: string }
  | { readonly type: 'kill-supervisor'; readonly path: string }
  | { readonly type: 'link'; readonly path: string; readonly to: string }
  | { readonly type: 'crash-thread'; readonly thread: string }
  | { readonly type: 'request'; readonly supervisor: string; readonly request: ChildRequest }
  | { readonly type: 'wait'; readonly ms: number };

const path = fc.constantFrom(...ACTORS);
const restart = fc.constantFrom<RestartType>('permanent', 'transient', 'temporary');
const thread = fc.constantFrom('main', ...THREADS);
const spec = fc
  .record({ id: path, restart, thread })
  .map((chosen) => puppet(chosen.id, chosen.restart, { thread: chosen.thread }));
const request: fc.Arbitrary<ChildRequest> = fc.oneof(
  spec.map((child): ChildRequest => ({ type: 'start-child', spec: child })),
  spec.map((child): ChildRequest => ({
    type: 'start-child',
    spec: supervisor(`s-${child.id}`, { children: [child] }),
  })),
  path.map((id): ChildRequest => ({ type: 'start-dynamic-child', id })),
  fc
    .record({
      type: fc.constantFrom('terminate-child' as const, 'restart-child' as const, 'delete-child' as const),
      id: path,
    })
    .map((chosen): ChildRequest => chosen),
  fc.array(spec, { maxLength: 2 }).map((children): ChildRequest => ({
    type: 'change-supervisor',
    spec: supervisor('changed', { ...EAGER, children }),
  })),
);
const act: fc.Arbitrary<Act> = fc.oneof(
  fc.record({
    type: fc.constantFrom(
      'crash' as const,
      'leave' as const,
      'kill' as const,
      'fail' as const,
      'ignore' as const,
      'slow' as const,
    ),
    path,
  }),
  fc.record({ type: fc.constant('kill-supervisor' as const), path: fc.constantFrom(...SUPERVISORS) }),
  fc.record({ type: fc.constant('link' as const), path, to: path }),
  fc.record({ type: fc.constant('crash-thread' as const), thread: fc.constantFrom(...THREADS) }),
  fc.record({ type: fc.constant('request' as const), supervisor: fc.constantFrom(...SUPERVISORS), request }),
  fc.record({ type: fc.constant('wait' as const), ms: fc.nat(60) }),
);

function plant(outer: RestartStrategy): Bed {
  return new Bed(
    supervisor('all', {
      ...EAGER,
      strategy: outer,
      children: [
        puppet('a1', 'permanent', { thread: 'a' }),
        supervisor('nested', {
          ...EAGER,
          strategy: 'one-for-all',
          intensity: 3,
          periodMs: 100,
          children: [puppet('n1', 'transient', { thread: 'b' }), puppet('n2', 'temporary', { thread: 'a' })],
        }),
        puppet('a2', 'permanent', { thread: 'b' }),
      ],
    }),
    supervisor('rest', {
      ...EAGER,
      strategy: 'rest-for-one',
      children: [puppet('r1'), puppet('r2', 'permanent', { thread: 'a' })],
    }),
    supervisor('pool', {
      ...EAGER,
      strategy: 'simple-one-for-one',
      children: [puppet('job', 'transient', { thread: 'b', shutdownMs: 30 })],
    }),
  );
}

function perform(bed: Bed, step: Act, answers: ChildOutcome[]): number {
  const { script, system } = bed;
  switch (step.type) {
    case 'crash':
      system.tell(step.path, { type: 'crash' });
      return 0;
    case 'leave':
      system.tell(step.path, { type: 'leave', kind: 'normal' } as never);
      return 0;
    case 'kill':
    case 'kill-supervisor':
      system.kill(step.path);
      return 0;
    case 'link':
      system.tell(step.path, { type: 'link', to: step.to } as never);
      return 0;
    case 'fail':
      script.failingStarts.set(step.path, 2);
      return 0;
    case 'ignore':
      if (!script.ignoring.delete(step.path)) script.ignoring.add(step.path);
      return 0;
    case 'slow':
      script.stopMs.set(step.path, 20);
      return 0;
    case 'crash-thread':
      system.crashThread(step.thread);
      return 0;
    case 'request':
      bed.post(step.supervisor, step.request, answers);
      return 1;
    case 'wait':
      bed.settle(step.ms);
      return 0;
  }
}

/** What the supervisors believe must be what the threads do: no life unknown to its supervisor, none believed and not there. */
function expectAgreement(bed: Bed): void {
  const snapshot = bed.system.snapshot();
  const believed = new Map<string, number>();
  for (const each of snapshot.supervisors) {
    for (const { id, type, child } of bed.system.whichChildren(each.path) ?? []) {
      expect(child).not.toBe('restarting');
      if (type === 'actor' && typeof child === 'object') believed.set(id, child.incarnation);
    }
  }
  const living = snapshot.actors
    .filter((actor) => actor.status === 'running')
    .map((actor) => [actor.path, actor.incarnation] as const);
  expect(new Map(living)).toEqual(believed);
}

describe('a tree under random crashes, kills, thread deaths and requests', () => {
  it('answers every request once, agrees with its threads when all is quiet, and stops', () => {
    const outer = fc.constantFrom<RestartStrategy>('one-for-one', 'one-for-all', 'rest-for-one');
    fc.assert(
      fc.property(outer, fc.array(act, { maxLength: 40 }), (strategy, acts) => {
        const bed = plant(strategy);
        const answers: ChildOutcome[] = [];
        let asked = 0;
        for (const step of acts) asked += perform(bed, step, answers);
        bed.settle(5_000);
        expect(answers).toHaveLength(asked);
        expect(bed.system.failure()).toBeUndefined();
        expectAgreement(bed);
        bed.system.stop();
        bed.settle(10_000);
        expect(bed.system.stopped()).toBe(true);
        expect(bed.system.snapshot().actors.filter((actor) => actor.status !== 'stopped')).toEqual([]);
      }),
      { numRuns: 400 },
    );
  });
});
