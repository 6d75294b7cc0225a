import { describe, expect, it } from 'vitest';
import type { AutoShutdown, RestartType, SupervisorSpec } from '../../../src/runtime/child-spec.ts';
import { Bed, EAGER, puppet, supervisor } from './bed.ts';

describe('S18 escalation', () => {
  it('ends the remaining children and then the supervisor with shutdown, and its parent applies its own strategy', () => {
    const inner = supervisor('inner', { intensity: 0, children: [puppet('i1'), puppet('i2')] });
    const bed = new Bed(
      supervisor('outer', { ...EAGER, strategy: 'one-for-all', children: [puppet('o1'), inner, puppet('o2')] }),
    );
    bed.crash('i1');
    expect(bed.log).toEqual(['stop i2', 'stop o2', 'stop o1', 'start o1', 'start i1', 'start i2', 'start o2']);
    expect(bed.endOf('inner')).toMatchObject({ reasonKind: 'shutdown', startFailed: false });
    expect([bed.children('outer'), bed.children('inner')]).toEqual(['o1:2 inner:2 o2:2', 'i1:2 i2:2']);
  });

  it('leaves a transient supervisor down, for shutdown is an orderly end', () => {
    const inner = supervisor('inner', { intensity: 0, restart: 'transient', children: [puppet('i1')] });
    const bed = new Bed(supervisor('outer', { ...EAGER, children: [inner, puppet('o1')] }));
    bed.crash('i1');
    expect([bed.children('outer'), bed.children('inner')]).toEqual(['inner:down o1:1', 'i1:down']);
  });

  it('goes up level by level to the root, whose end is the end of the system', () => {
    const bed = new Bed(
      supervisor('one', {
        intensity: 1,
        backoffMaxMs: 0,
        children: [supervisor('two', { intensity: 1, backoffMaxMs: 0, children: [puppet('x')] })],
      }),
    );
    // Two restarts of x end "two"; two of these end "one"; the root has room for many.
    for (let crash = 0; crash < 4; crash++) bed.crash('x');
    expect([bed.lives('two'), bed.lives('one')]).toEqual([3, 2]);
  });

  it('of the root is the failure of the system', () => {
    const bed = new Bed();
    for (let crash = 0; crash <= EAGER.intensity; crash++) bed.crash('observer');
    expect([bed.system.stopped(), bed.system.failure()]).toEqual([true, expect.stringMatching(/intensity of 1000/)]);
  });
});

describe('S19 a supervisor that is restarted', () => {
  it('comes back with its static children and without those that were added', () => {
    const bed = new Bed(supervisor('sup', { children: [puppet('a'), puppet('b', 'temporary'), puppet('c')] }));
    bed.request('sup', { type: 'start-child', spec: puppet('added', 'permanent', { thread: 'b' }) });
    bed.request('sup', { type: 'start-child', spec: supervisor('added-too', { children: [puppet('below')] }) });
    bed.terminate('sup', 'c');
    bed.request('sup', { type: 'delete-child', id: 'c' });
    bed.leave('b').kill('sup');
    // The deleted one is part of the spec: it is back, as a new actor with lives that go on.
    expect(bed.children('sup')).toBe('a:2 b:2 c:2');
    expect(['added', 'added-too', 'below'].map((path) => bed.lives(path))).toEqual([undefined, undefined, undefined]);
    expect([bed.system.inspect('added'), bed.system.whichChildren('added-too')]).toEqual([undefined, undefined]);
  });

  it('comes back with a clean record of restarts', () => {
    const bed = new Bed(supervisor('sup', { intensity: 1, backoffMaxMs: 0, children: [puppet('a')] }));
    bed.crash('a').kill('sup').crash('a');
    expect([bed.lives('sup'), bed.lives('a')]).toEqual([2, 4]);
  });

  it('of dynamic children comes back empty, and never uses an id again', () => {
    const bed = new Bed(supervisor('pool', { strategy: 'simple-one-for-one', children: [puppet('job')] }));
    bed.request('pool', { type: 'start-dynamic-child' });
    bed.kill('pool');
    expect(bed.children('pool')).toBe('');
    expect(bed.request('pool', { type: 'start-dynamic-child' })).toMatchObject({ child: { path: 'job/2' } });
  });

  it('brings whole subtrees back in order', () => {
    const inner = supervisor('inner', { children: [puppet('i1'), puppet('i2')] });
    const bed = new Bed(supervisor('sup', { children: [puppet('a'), inner, puppet('z')] }));
    bed.kill('sup');
    expect(bed.log).toEqual(['start a', 'start i1', 'start i2', 'start z']);
  });
});

describe('S23 live change', () => {
  const before = supervisor('sup', { ...EAGER, children: [puppet('a', 'permanent', { args: 'old' }), puppet('b')] });

  it('of the settings counts at once', () => {
    const bed = new Bed(before);
    const spec: SupervisorSpec = { ...before, strategy: 'one-for-all', intensity: 0 };
    expect(bed.request('sup', { type: 'change-supervisor', spec })).toEqual({ type: 'done' });
    expect(bed.system.snapshot().supervisors.find((each) => each.path === 'sup')).toMatchObject({
      strategy: 'one-for-all',
      intensity: 0,
    });
    bed.crash('a');
    expect(bed.endOf('sup')).toMatchObject({ reason: expect.stringMatching(/intensity of 0/) });
  });

  it('of a child leaves its life alone and counts from its next start', () => {
    const bed = new Bed(before);
    const spec = { ...before, children: [puppet('a', 'transient', { args: 'new', shutdownMs: 0 }), puppet('b')] };
    bed.request('sup', { type: 'change-supervisor', spec });
    expect([bed.settle().log, bed.children('sup'), bed.script.args.get('a')]).toEqual([[], 'a:1 b:1', 'old']);
    bed.crash('a');
    expect([bed.children('sup'), bed.script.args.get('a')]).toEqual(['a:2 b:1', 'new']);
    bed.leave('a');
    expect(bed.children('sup')).toBe('a:down b:1');
  });

  it('keeps children it does not mention, and has new ones down until they are asked for', () => {
    const bed = new Bed(before);
    bed.request('sup', {
      type: 'change-supervisor',
      spec: { ...before, children: [puppet('b'), puppet('n', 'permanent', { thread: 'a' })] },
    });
    expect(bed.children('sup')).toBe('b:1 n:down a:1');
    expect(bed.request('sup', { type: 'restart-child', id: 'n' })).toMatchObject({ type: 'started' });
    expect(bed.children('sup')).toBe('b:1 n:1 a:1');
  });

  it('is what the next life of the supervisor starts from', () => {
    const bed = new Bed(before);
    bed.request('sup', {
      type: 'change-supervisor',
      spec: { ...before, intensity: 7, children: [puppet('b', 'permanent', { args: 'new' })] },
    });
    bed.kill('sup');
    expect([bed.children('sup'), bed.script.args.get('b'), bed.lives('a')]).toEqual(['b:2', 'new', undefined]);
    expect(bed.system.snapshot().supervisors.find((each) => each.path === 'sup')?.intensity).toBe(7);
  });

  it.each([
    ['intensity', { ...before, intensity: -1 }],
    ['restart', { ...before, children: [{ ...puppet('a'), restart: 'never' as RestartType }] }],
    ['an id of another supervisor', { ...before, children: [puppet('observer')] }],
    ['thread', { ...before, children: [puppet('a', 'permanent', { thread: 'b' })] }],
    ['type', { ...before, children: [supervisor('a')] }],
    ['strategy to dynamic children', { ...before, strategy: 'simple-one-for-one' as const, children: [puppet('a')] }],
  ])('with a faulty %s is refused and changes nothing', (_what, spec) => {
    const bed = new Bed(before);
    const answer = bed.request('sup', { type: 'change-supervisor', spec: { intensity: 3, ...spec } });
    expect(answer).toMatchObject({ type: 'refused', error: 'faulty-spec' });
    expect(bed.system.snapshot().supervisors.find((each) => each.path === 'sup')).toMatchObject({
      strategy: 'one-for-one',
      intensity: 1_000,
    });
    bed.crash('a');
    expect([bed.children('sup'), bed.script.args.get('a')]).toEqual(['a:2 b:1', 'old']);
  });

  it('of a template counts from the next start of each dynamic child, which keeps its own args', () => {
    const pool = supervisor('pool', {
      strategy: 'simple-one-for-one',
      ...EAGER,
      children: [puppet('job', 'permanent', { args: { version: 1 } })],
    });
    const bed = new Bed(pool);
    bed.request('pool', { type: 'start-dynamic-child', id: 'x', args: { own: true } });
    const spec = { ...pool, children: [puppet('job', 'permanent', { args: { version: 2 } })] };
    expect(bed.request('pool', { type: 'change-supervisor', spec })).toEqual({ type: 'done' });
    expect(bed.script.args.get('x')).toEqual({ version: 1, own: true });
    bed.crash('x');
    expect(bed.script.args.get('x')).toEqual({ version: 2, own: true });
  });
});

describe('ids of children that come and go', () => {
  it('stay with the supervisor whose spec names them, also while the child is deleted', () => {
    const bed = new Bed(supervisor('sup', { ...EAGER, children: [puppet('x')] }), supervisor('other'));
    bed.terminate('sup', 'x');
    bed.request('sup', { type: 'delete-child', id: 'x' });
    expect(bed.request('other', { type: 'start-child', spec: puppet('x') })).toMatchObject({ error: 'faulty-spec' });
    bed.kill('sup');
    expect(bed.children('sup')).toBe('x:2');
  });

  it('go to the first of two requests that want the same one, even before it is carried out', () => {
    const bed = new Bed(supervisor('sup'), supervisor('other'));
    const answers = bed.post('sup', { type: 'start-child', spec: puppet('x', 'permanent', { thread: 'a' }) });
    bed.post('other', { type: 'change-supervisor', spec: supervisor('other', { children: [puppet('x')] }) }, answers);
    bed.settle();
    expect(answers.map((answer) => answer.type).toSorted()).toEqual(['refused', 'started']);
  });

  it('are free again when the spec does not name them any more, for good', () => {
    const inner = supervisor('inner', { ...EAGER, children: [puppet('x')] });
    const bed = new Bed(supervisor('sup', { ...EAGER, children: [inner] }), supervisor('other'));
    bed.request('inner', { type: 'change-supervisor', spec: { ...inner, children: [puppet('y')] } });
    bed.kill('sup');
    expect(bed.children('inner')).toBe('y:1');
    expect(bed.request('other', { type: 'start-child', spec: puppet('x') })).toMatchObject({ type: 'started' });
  });
});

describe('S24 significant children', () => {
  const pair = (autoShutdown: AutoShutdown, restart: RestartType): SupervisorSpec =>
    supervisor('sup', {
      ...EAGER,
      restart: 'temporary',
      autoShutdown,
      children: [
        puppet('s1', restart, { significant: true }),
        puppet('plain', 'transient'),
        puppet('s2', restart, { significant: true }),
      ],
    });

  it.each(['transient', 'temporary'] as const)(
    'any-significant: the first %s one that ends by itself ends the supervisor',
    (restart) => {
      const bed = new Bed(pair('any-significant', restart));
      bed.leave('plain');
      expect(bed.lives('sup')).toBe(1);
      bed.leave('s1');
      expect([bed.lives('sup'), bed.endOf('sup')]).toMatchObject([
        undefined,
        { reasonKind: 'shutdown', startFailed: false },
      ]);
      expect(bed.log).toEqual(['stop plain', 'stop s1', 'stop s2']);
    },
  );

  it.each(['transient', 'temporary'] as const)(
    'all-significant: the last %s one that ends by itself ends the supervisor',
    (restart) => {
      const bed = new Bed(pair('all-significant', restart));
      bed.leave('s1');
      expect(bed.lives('sup')).toBe(1);
      bed.leave('s2');
      expect(bed.lives('sup')).toBeUndefined();
    },
  );

  it('a transient one that crashes is restarted, a temporary one that crashes is over', () => {
    const transient = new Bed(pair('any-significant', 'transient'));
    transient.crash('s1');
    expect(transient.lives('sup')).toBe(1);
    const temporary = new Bed(pair('any-significant', 'temporary'));
    temporary.crash('s1');
    expect(temporary.lives('sup')).toBeUndefined();
  });

  it('one that is terminated on request does not count', () => {
    const bed = new Bed(pair('any-significant', 'transient'));
    bed.terminate('sup', 's1');
    expect(bed.settle().children('sup')).toBe('s1:down plain:1 s2:1');
  });

  it('one that is stopped along with a sibling does not count', () => {
    const children = [puppet('a'), puppet('s', 'temporary', { significant: true })];
    const bed = new Bed(
      supervisor('sup', { ...EAGER, strategy: 'one-for-all', autoShutdown: 'any-significant', children }),
    );
    bed.crash('a');
    expect([bed.lives('sup'), bed.children('sup')]).toEqual([1, 'a:2']);
  });

  it('makes the parent decide what follows the end of the supervisor', () => {
    const sup = { ...pair('any-significant', 'transient'), restart: 'permanent' as const };
    const bed = new Bed(sup);
    bed.leave('s2');
    expect([bed.lives('sup'), bed.children('sup')]).toEqual([2, 's1:2 plain:2 s2:2']);
  });

  it('may be supervisors, so that an end goes up the tree', () => {
    const inner = { ...pair('any-significant', 'transient'), id: 'inner', significant: true };
    const bed = new Bed(
      supervisor('outer', {
        restart: 'transient',
        autoShutdown: 'all-significant',
        children: [inner, puppet('other')],
      }),
    );
    bed.leave('s1');
    expect([bed.lives('inner'), bed.lives('outer'), bed.lives('other')]).toEqual([undefined, undefined, undefined]);
  });

  it.each([
    ['any-significant', undefined, undefined],
    ['all-significant', 1, undefined],
  ] as const)('%s works for dynamic children', (autoShutdown, afterFirst, afterSecond) => {
    const template = puppet('job', 'transient', { significant: true });
    const bed = new Bed(
      supervisor('pool', { strategy: 'simple-one-for-one', restart: 'temporary', autoShutdown, children: [template] }),
    );
    bed.request('pool', { type: 'start-dynamic-child', id: 'x' });
    bed.request('pool', { type: 'start-dynamic-child', id: 'y' });
    bed.leave('x');
    expect(bed.lives('pool')).toBe(afterFirst);
    if (afterFirst === 1) bed.leave('y');
    expect(bed.lives('pool')).toBe(afterSecond);
  });
});

describe('S26 names', () => {
  function reached(bed: Bed): readonly string[] {
    bed.script.notes.length = 0;
    bed.tell('worker', { type: 'note', text: 'hello' });
    return bed.script.notes;
  }

  const named = (): Bed =>
    new Bed(supervisor('sup', { ...EAGER, children: [puppet('worker', 'permanent', { thread: 'a' })] }));

  it('reach the next life after a kill of the worker', () => {
    const bed = named().kill('worker');
    expect([reached(bed), bed.system.whereIs('worker')]).toEqual([
      ['worker#2: hello'],
      { path: 'worker', incarnation: 2 },
    ]);
  });

  it('reach the next life after a kill of the supervisor', () => {
    const bed = named().kill('sup');
    expect([reached(bed), bed.lives('sup')]).toEqual([['worker#2: hello'], 2]);
  });

  it('reach the next life after a kill of both', () => {
    const bed = named();
    bed.system.kill('worker');
    bed.system.kill('sup');
    bed.settle();
    expect([reached(bed), bed.lives('sup')]).toEqual([[`worker#${bed.lives('worker')}: hello`], 2]);
  });

  it('reach the next life after the death of the thread', () => {
    const bed = named();
    bed.system.crashThread('a');
    expect(reached(bed.settle(100))).toEqual(['worker#2: hello']);
  });

  it("are nobody's while nobody lives there", () => {
    const bed = named();
    bed.terminate('sup', 'worker');
    expect([bed.system.whereIs('worker'), bed.system.whereIs('stranger')]).toEqual([undefined, undefined]);
  });
});
