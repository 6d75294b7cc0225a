import { describe, expect, it } from 'vitest';
import type { ChildSpec, RestartType, SupervisorSpec } from '../../../src/runtime/child-spec.ts';
import { placeActors } from '../../../src/runtime/placement.ts';
import { limitsOf, policyOf } from '../../../src/runtime/restart-policy.ts';
import { FaultySpec } from '../../../src/runtime/spec-check.ts';
import { Bed, puppet, supervisor } from './bed.ts';

describe('S1 a supervisor without children', () => {
  it('starts, and stops with reason shutdown when told to', () => {
    const bed = new Bed(supervisor('sup'));
    expect(bed.lives('sup')).toBe(1);
    expect(bed.terminate('root', 'sup')).toEqual({ type: 'done' });
    expect(bed.endOf('sup')).toMatchObject({ reasonKind: 'shutdown', startFailed: false });
    expect(bed.lives('sup')).toBeUndefined();
  });
});

describe('S2 a supervisor whose init ignores', () => {
  it('answers its starter "ignored" and ends normally', () => {
    const bed = new Bed();
    const outcome = bed.request('root', { type: 'start-child', spec: supervisor('sup', { init: () => 'ignore' }) });
    expect(outcome).toEqual({ type: 'ignored' });
    expect(bed.endOf('sup')).toMatchObject({ reasonKind: 'normal', startFailed: false });
    expect(bed.children('root')).toBe('observer:1 sup:down');
  });

  it('does not hinder the start of its siblings', () => {
    const bed = new Bed(supervisor('sup', { init: () => 'ignore' }), puppet('after'));
    expect(bed.children('root')).toBe('observer:1 sup:down after:1');
  });

  it('decides anew at each start', () => {
    let answer: 'ignore' | { children: readonly ChildSpec[] } = 'ignore';
    const bed = new Bed(supervisor('sup', { init: () => answer }));
    answer = { children: [puppet('a')] };
    expect(bed.request('root', { type: 'restart-child', id: 'sup' })).toMatchObject({ type: 'started' });
    expect(bed.children('sup')).toBe('a:1');
    answer = { children: [puppet('b')] };
    bed.kill('sup');
    expect(bed.children('sup')).toBe('b:2');
    expect(bed.lives('a')).toBeUndefined();
  });
});

describe('S3 a child that ignores its start', () => {
  function ignoring(restart: RestartType): ChildSpec {
    return supervisor('x', { restart, init: () => 'ignore' });
  }

  it.each([
    ['permanent', 'x:down'],
    ['transient', 'x:down'],
    ['temporary', ''],
  ] as const)('of the spec is kept without a life if it is %s: "%s"', (restart, children) => {
    const bed = new Bed(supervisor('sup', { children: [ignoring(restart)] }));
    expect(bed.children('sup')).toBe(children);
  });

  it.each([
    ['permanent', 'x:down'],
    ['transient', 'x:down'],
    ['temporary', ''],
  ] as const)('started by request is kept without a life if it is %s: "%s"', (restart, children) => {
    const bed = new Bed(supervisor('sup'));
    bed.script.ignoring.add('x');
    expect(bed.request('sup', { type: 'start-child', spec: puppet('x', restart) })).toEqual({ type: 'ignored' });
    expect(bed.children('sup')).toBe(children);
    expect(bed.system.countChildren('sup')?.active).toBe(0);
  });

  it('of a simple-one-for-one supervisor is not kept', () => {
    const bed = new Bed(supervisor('pool', { strategy: 'simple-one-for-one', children: [puppet('job')] }));
    bed.script.ignoring.add('job/1');
    expect(bed.request('pool', { type: 'start-dynamic-child' })).toEqual({ type: 'ignored' });
    expect(bed.children('pool')).toBe('');
    expect(bed.system.inspect('job/1')).toBeUndefined();
  });

  it('can be started later', () => {
    const bed = new Bed(supervisor('sup'));
    bed.script.ignoring.add('x');
    bed.request('sup', { type: 'start-child', spec: puppet('x') });
    bed.script.ignoring.clear();
    expect(bed.request('sup', { type: 'restart-child', id: 'x' })).toMatchObject({ type: 'started' });
  });
});

describe('S4 an init that fails', () => {
  it('by a throw fails the start with its reason', () => {
    const bed = new Bed();
    const init = (): never => {
      throw new Error('no such table');
    };
    const outcome = bed.request('root', { type: 'start-child', spec: supervisor('sup', { init }) });
    expect(outcome).toEqual({ type: 'refused', error: 'start-failed', detail: 'no such table' });
    expect(bed.children('root')).toBe('observer:1');
  });

  it('by a faulty answer fails the start with the rule it breaks', () => {
    const bed = new Bed();
    const init = (): Partial<SupervisorSpec> => ({ intensity: -1 });
    const outcome = bed.request('root', { type: 'start-child', spec: supervisor('sup', { init }) });
    expect(outcome).toMatchObject({ error: 'start-failed', detail: 'intensity of "sup" must be 0 or more, was -1' });
  });

  it('fails the supervisor above it as any child that cannot start, with earlier ones stopped in reverse', () => {
    const bed = new Bed();
    bed.script.failingStarts.set('c', 1);
    const spec = supervisor('sup', { children: [puppet('a'), puppet('b'), puppet('c')] });
    const outcome = bed.request('root', { type: 'start-child', spec });
    expect(outcome).toMatchObject({ error: 'start-failed', detail: expect.stringContaining('"c" failed to start') });
    expect(bed.log).toEqual(['start a', 'start b', 'start c', 'stop b', 'stop a']);
  });
});

describe('S5 defaults', () => {
  it('are permanent, 5,000 ms for actors and infinity for supervisors, one-for-one', () => {
    expect(policyOf(puppet('a'))).toEqual({
      type: 'actor',
      restart: 'permanent',
      shutdownMs: 5_000,
      significant: false,
    });
    expect(policyOf(supervisor('s'))).toMatchObject({ type: 'supervisor', restart: 'permanent', shutdownMs: Infinity });
    expect(new Bed(supervisor('s')).system.snapshot().supervisors[1]?.strategy).toBe('one-for-one');
  });

  it('allow 5 restarts in 30 s, the house rule, where OTP allows 1 in 5 s', () => {
    expect(limitsOf(supervisor('s'))).toMatchObject({ intensity: 5, periodMs: 30_000, autoShutdown: 'never' });
  });
});

describe('S6 faulty specs', () => {
  // What no compiler saw: specs from configuration or another thread.
  const loose = (spec: Record<string, unknown>): ChildSpec => spec as unknown as ChildSpec;
  const cases: readonly (readonly [string, ChildSpec, RegExp])[] = [
    ['missing-id', puppet(''), /must have an id, was ""/],
    ['missing-id', loose({ type: 'actor', kind: 'puppet' }), /must have an id/],
    ['missing-start', loose({ type: 'actor', id: 'x' }), /kind of "x" must be the name of an actor kind/],
    ['bad-type', loose({ type: 'wrker', id: 'x' }), /type of "x" must be .*, was wrker/],
    [
      'bad-restart',
      loose({ ...puppet('x'), restart: 'prmanent' }),
      /restart of "x" must be permanent, .*, was prmanent/,
    ],
    ['bad-shutdown', puppet('x', 'permanent', { shutdownMs: -1 }), /shutdownMs of "x" must be 0 or more, was -1/],
    ['bad-shutdown', loose({ ...puppet('x'), shutdownMs: 'brutal' }), /shutdownMs of "x".* was brutal/],
    ['bad-significant', puppet('x', 'permanent', { significant: true }), /must be transient or temporary/],
    ['bad-significant', puppet('x', 'transient', { significant: true }), /must have a supervisor with autoShutdown/],
    ['missing-children', loose({ type: 'supervisor', id: 's' }), /children of "s" must be a list/],
    [
      'bad-strategy',
      loose({ ...supervisor('s'), strategy: 'all' }),
      /strategy of "s" must be one-for-one, .*, was all/,
    ],
    ['bad-intensity', supervisor('s', { intensity: -1 }), /intensity of "s" must be 0 or more, was -1/],
    ['bad-intensity', supervisor('s', { intensity: NaN }), /intensity of "s" must be 0 or more, was NaN/],
    ['bad-period', supervisor('s', { periodMs: 0 }), /periodMs of "s" must be positive, was 0/],
    ['bad-auto-shutdown', loose({ ...supervisor('s'), autoShutdown: 'any' }), /autoShutdown of "s" must be never/],
    ['duplicate-id', supervisor('s', { children: [puppet('x'), puppet('x')] }), /"x" occurs twice/],
    ['bad-template', supervisor('s', { strategy: 'simple-one-for-one' }), /must have one child spec, "s" has 0/],
  ];

  it.each(cases)('stop the system from starting: %s %o', (code, spec, message) => {
    const start = (): unknown => placeActors(supervisor('root', { children: [spec] }));
    expect(start).toThrow(FaultySpec);
    expect(start).toThrow(message);
    expect(start).toThrow(expect.objectContaining({ code }));
  });

  it.each(cases)('are refused when a child is to be started from them: %s %o', (_code, spec, message) => {
    const bed = new Bed(supervisor('sup', { children: [puppet('other')] }));
    expect(bed.request('sup', { type: 'start-child', spec })).toMatchObject({
      type: 'refused',
      error: 'faulty-spec',
      detail: expect.stringMatching(message),
    });
    expect(bed.children('sup')).toBe('other:1');
  });

  it('are those with an id or a thread that belongs to the rest of the tree', () => {
    const bed = new Bed(supervisor('sup'), supervisor('next', { children: [puppet('x')] }));
    const detailOf = (spec: ChildSpec): unknown => bed.request('sup', { type: 'start-child', spec });
    expect(detailOf(puppet('x'))).toMatchObject({
      error: 'faulty-spec',
      detail: expect.stringMatching(/"x" occurs twice/),
    });
    expect(detailOf(puppet('root'))).toMatchObject({ error: 'faulty-spec' });
    expect(detailOf(supervisor('new', { children: [puppet('x')] }))).toMatchObject({ error: 'faulty-spec' });
    expect(detailOf(puppet('y', 'permanent', { thread: 'z' }))).toMatchObject({
      detail: expect.stringMatching(/was "z"/),
    });
  });

  it('are not those with fields nobody knows', () => {
    const bed = new Bed(supervisor('sup'));
    const spec = loose({ ...puppet('x'), colour: 'blue' });
    expect(bed.request('sup', { type: 'start-child', spec })).toMatchObject({ type: 'started' });
  });
});

describe('S25 start info', () => {
  it('goes to whoever asked for the start or the restart', () => {
    const bed = new Bed(supervisor('sup'));
    bed.script.startInfo.set('x', { port: 1 });
    const child = { path: 'x', incarnation: 1 };
    expect(bed.request('sup', { type: 'start-child', spec: puppet('x') })).toEqual({
      type: 'started',
      child,
      info: { port: 1 },
    });
    bed.terminate('sup', 'x');
    bed.script.startInfo.set('x', { port: 2 });
    expect(bed.request('sup', { type: 'restart-child', id: 'x' })).toMatchObject({
      type: 'started',
      info: { port: 2 },
    });
  });

  it('goes to whoever starts a dynamic child', () => {
    const bed = new Bed(supervisor('pool', { strategy: 'simple-one-for-one', children: [puppet('job')] }));
    bed.script.startInfo.set('job/1', 'ready');
    expect(bed.request('pool', { type: 'start-dynamic-child' })).toMatchObject({ type: 'started', info: 'ready' });
  });

  it("is nobody else's business", () => {
    const bed = new Bed(supervisor('sup'));
    bed.script.startInfo.set('x', 'hello');
    bed.request('sup', { type: 'start-child', spec: puppet('x') });
    bed.crash('x');
    expect(bed.children('sup')).toBe('x:2');
  });
});
