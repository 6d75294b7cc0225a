import { describe, expect, it } from 'vitest';
import type { ChildOutcome, ChildRequest } from '../../../src/runtime/child-requests.ts';
import { Bed, EAGER, puppet, supervisor } from './bed.ts';

/** A child that failed its first restart and waits a second for the next. */
function inRestartLoop(): Bed {
  const bed = new Bed(
    supervisor('sup', {
      intensity: 1_000,
      backoffMinMs: 60_000,
      backoffMaxMs: 60_000,
      children: [puppet('x'), puppet('y')],
    }),
  );
  bed.script.failingStarts.set('x', 1_000);
  return bed.crash('x');
}

describe('S10 start child', () => {
  it('starts a new child behind the others', () => {
    const bed = new Bed(supervisor('sup', { children: [puppet('a')] }));
    expect(bed.request('sup', { type: 'start-child', spec: puppet('x') })).toEqual({
      type: 'started',
      child: { path: 'x', incarnation: 1 },
    });
    expect(bed.children('sup')).toBe('a:1 x:1');
  });

  it('answers already-started, with the life, for one that runs', () => {
    const bed = new Bed(supervisor('sup', { children: [puppet('x')] }));
    bed.crash('x');
    expect(bed.request('sup', { type: 'start-child', spec: puppet('x') })).toMatchObject({
      error: 'already-started',
      child: { path: 'x', incarnation: 2 },
    });
  });

  it('answers already-started for one that is being restarted', () => {
    expect(inRestartLoop().request('sup', { type: 'start-child', spec: puppet('x') })).toMatchObject({
      error: 'already-started',
    });
  });

  it('answers already-present for one that is down', () => {
    const bed = new Bed(supervisor('sup', { children: [puppet('x')] }));
    bed.terminate('sup', 'x');
    expect(bed.request('sup', { type: 'start-child', spec: puppet('x') })).toMatchObject({ error: 'already-present' });
  });

  it('answers start-failed with the reason at once and keeps nothing of the child', () => {
    const bed = new Bed(supervisor('sup'));
    bed.script.failingStarts.set('x', 1);
    expect(bed.request('sup', { type: 'start-child', spec: puppet('x') })).toEqual({
      type: 'refused',
      error: 'start-failed',
      detail: 'Error: cannot start',
    });
    expect([bed.settle().children('sup'), bed.system.inspect('x'), bed.log]).toEqual(['', undefined, ['start x']]);
    expect(bed.request('sup', { type: 'start-child', spec: puppet('x') })).toMatchObject({ type: 'started' });
  });

  it('answers start-failed when the thread dies under the start', () => {
    const bed = new Bed(supervisor('sup', { intensity: 0 }));
    bed.system.crashThread('a');
    const answers = bed.post('sup', { type: 'start-child', spec: puppet('x', 'permanent', { thread: 'a' }) });
    bed.system.runUntil(bed.system.monotonicMs() + 1);
    bed.system.crashThread('a');
    bed.settle(200);
    expect([answers.length, bed.lives('sup')]).toEqual([1, 1]);
  });

  it('starts whole supervisors with their children', () => {
    const bed = new Bed(supervisor('sup'));
    const spec = supervisor('inner', { children: [puppet('i1'), puppet('i2', 'permanent', { thread: 'b' })] });
    expect(bed.request('sup', { type: 'start-child', spec })).toMatchObject({
      type: 'started',
      child: { path: 'inner' },
    });
    expect([bed.children('inner'), bed.system.inspect('i2')?.thread]).toEqual(['i1:1 i2:1', 'b']);
  });

  it('answers not-simple-one-for-one to a start from a template where there is none', () => {
    const bed = new Bed(supervisor('sup'));
    expect(bed.request('sup', { type: 'start-dynamic-child' })).toMatchObject({ error: 'not-simple-one-for-one' });
  });
});

describe('S10 terminate child', () => {
  it('stops the child and keeps its spec, without a restart', () => {
    const bed = new Bed(supervisor('sup', { children: [puppet('x'), puppet('y')] }));
    expect(bed.terminate('sup', 'x')).toEqual({ type: 'done' });
    expect([bed.log, bed.settle(1_000).children('sup')]).toEqual([['stop x'], 'x:down y:1']);
  });

  it('succeeds for one that is down already', () => {
    const bed = new Bed(supervisor('sup', { children: [puppet('x', 'transient')] }));
    bed.leave('x');
    expect(bed.terminate('sup', 'x')).toEqual({ type: 'done' });
  });

  it('keeps nothing of a temporary one', () => {
    const bed = new Bed(supervisor('sup', { children: [puppet('x', 'temporary')] }));
    expect(bed.terminate('sup', 'x')).toEqual({ type: 'done' });
    expect([bed.children('sup'), bed.terminate('sup', 'x')]).toMatchObject(['', { error: 'not-found' }]);
    expect(bed.request('sup', { type: 'start-child', spec: puppet('x') })).toMatchObject({ type: 'started' });
  });

  it('turns what waits for the child, and what comes, into dead letters', () => {
    const bed = new Bed(supervisor('sup', { children: [puppet('x')] }));
    bed.terminate('sup', 'x');
    bed.settle().tell('x', { type: 'note', text: 'anybody?' });
    expect(bed.system.snapshot().deadLetters.byReason).toEqual({ stopped: 1 });
  });
});

describe('S10 restart child', () => {
  it('starts one that is down, as its next life', () => {
    const bed = new Bed(supervisor('sup', { children: [puppet('x')] }));
    bed.terminate('sup', 'x');
    expect(bed.request('sup', { type: 'restart-child', id: 'x' })).toEqual({
      type: 'started',
      child: { path: 'x', incarnation: 2 },
    });
    bed.tell('x', { type: 'note', text: 'back' });
    expect(bed.script.notes).toEqual(['x#2: back']);
  });

  it('answers start-failed and keeps the child down when it cannot start', () => {
    const bed = new Bed(supervisor('sup', { children: [puppet('x')] }));
    bed.terminate('sup', 'x');
    bed.script.failingStarts.set('x', 1);
    expect(bed.request('sup', { type: 'restart-child', id: 'x' })).toMatchObject({ error: 'start-failed' });
    expect(bed.settle(1_000).children('sup')).toBe('x:down');
  });
});

describe('S10 delete child', () => {
  it('forgets one that is down, and gives its id free', () => {
    const bed = new Bed(supervisor('sup', { children: [puppet('x'), puppet('y')] }));
    bed.terminate('sup', 'x');
    expect(bed.request('sup', { type: 'delete-child', id: 'x' })).toEqual({ type: 'done' });
    expect([bed.settle().children('sup'), bed.system.inspect('x')]).toEqual(['y:1', undefined]);
    // The lives go on where the deleted ones ended: a ref to one of those never reaches the new child.
    expect(bed.request('sup', { type: 'start-child', spec: puppet('x') })).toEqual({
      type: 'started',
      child: { path: 'x', incarnation: 2 },
    });
    expect(bed.system.inspect('x')?.restarts).toBe(0);
  });
});

describe('S10 errors', () => {
  const byId = ['terminate-child', 'restart-child', 'delete-child'] as const;

  it.each(byId)('%s answers not-found for an unknown child', (type) => {
    const bed = new Bed(supervisor('sup', { children: [puppet('x')] }));
    expect(bed.request('sup', { type, id: 'observer' })).toMatchObject({ type: 'refused', error: 'not-found' });
  });

  it.each(['restart-child', 'delete-child'] as const)('%s answers running for one that runs', (type) => {
    const bed = new Bed(supervisor('sup', { children: [puppet('x')] }));
    expect(bed.request('sup', { type, id: 'x' })).toMatchObject({ type: 'refused', error: 'running' });
    expect(bed.children('sup')).toBe('x:1');
  });

  it.each(['restart-child', 'delete-child'] as const)(
    '%s answers restarting for one that is being restarted',
    (type) => {
      expect(inRestartLoop().request('sup', { type, id: 'x' })).toMatchObject({ type: 'refused', error: 'restarting' });
    },
  );

  it('a path that is no supervisor is answered no-such-supervisor', () => {
    expect(new Bed().request('observer', { type: 'delete-child', id: 'x' })).toMatchObject({
      error: 'no-such-supervisor',
    });
  });

  it('a supervisor that is down answers supervisor-ended, also to those who wait', () => {
    const bed = new Bed(supervisor('sup', { children: [puppet('x')] }));
    bed.script.stopMs.set('x', Infinity);
    const answers = bed.post('sup', { type: 'terminate-child', id: 'x' });
    bed.post('sup', { type: 'start-child', spec: puppet('y') }, answers);
    bed.settle();
    bed.system.stop();
    bed.settle(10_000);
    expect(answers).toMatchObject([{ error: 'supervisor-ended' }, { error: 'supervisor-ended' }]);
    expect(bed.request('sup', { type: 'start-child', spec: puppet('y') })).toMatchObject({ error: 'supervisor-ended' });
  });

  it('requests are carried out one after the other, in the order of asking', () => {
    const bed = new Bed(supervisor('sup', { children: [puppet('x')] }));
    bed.script.stopMs.set('x', 200);
    const order: string[] = [];
    const post = (request: ChildRequest): void => {
      bed.system.request('sup', request, (outcome: ChildOutcome) => order.push(`${request.type} ${outcome.type}`));
      bed.system.runUntil(bed.system.monotonicMs());
    };
    post({ type: 'terminate-child', id: 'x' });
    post({ type: 'delete-child', id: 'x' });
    post({ type: 'start-child', spec: puppet('x') });
    bed.settle(300);
    expect(order).toEqual(['terminate-child done', 'delete-child done', 'start-child started']);
  });
});

describe('S11 counts', () => {
  it('tell specs, living, supervisors and actors apart', () => {
    const bed = new Bed(
      supervisor('sup', {
        children: [puppet('a'), puppet('b', 'transient'), supervisor('s'), puppet('t', 'temporary')],
      }),
    );
    expect(bed.system.countChildren('sup')).toEqual({ specs: 4, active: 4, supervisors: 1, actors: 3 });
    bed.leave('b').leave('t').terminate('sup', 's');
    expect(bed.system.countChildren('sup')).toEqual({ specs: 3, active: 1, supervisors: 1, actors: 2 });
    expect(bed.system.countChildren('a')).toBeUndefined();
  });

  it('stay right for 2,000 dynamic children that come and go', () => {
    const bed = new Bed(
      supervisor('pool', { strategy: 'simple-one-for-one', ...EAGER, children: [puppet('job', 'transient')] }),
    );
    for (let job = 0; job < 2_000; job++) bed.post('pool', { type: 'start-dynamic-child' });
    expect(bed.settle().system.countChildren('pool')).toEqual({
      specs: 1,
      active: 2_000,
      supervisors: 0,
      actors: 2_000,
    });
    for (let job = 1; job <= 1_000; job++)
      bed.system.tell(`job/${job}`, { type: job % 2 === 0 ? 'crash' : 'leave', kind: 'normal' } as never);
    expect(bed.settle().system.countChildren('pool')).toEqual({
      specs: 1,
      active: 1_500,
      supervisors: 0,
      actors: 1_500,
    });
    expect(bed.system.whichChildren('pool')).toHaveLength(1_500);
  });

  it('stay right for 2,000 children added one by one', () => {
    const bed = new Bed(supervisor('sup'));
    for (let child = 0; child < 2_000; child++) bed.post('sup', { type: 'start-child', spec: puppet(`c${child}`) });
    expect(bed.settle().system.countChildren('sup')).toEqual({
      specs: 2_000,
      active: 2_000,
      supervisors: 0,
      actors: 2_000,
    });
  });
});

describe('asking a supervisor from inside an actor', () => {
  it('reaches it from any thread, and the answer comes back', () => {
    const bed = new Bed(supervisor('sup', { children: [puppet('asker', 'permanent', { thread: 'b' })] }));
    bed.tell('asker', {
      type: 'ask-supervisor',
      supervisor: 'sup',
      request: { type: 'start-child', spec: puppet('x', 'permanent', { thread: 'a' }) },
    });
    bed.settle(20);
    expect(bed.script.answers).toEqual([{ type: 'started', child: { path: 'x', incarnation: 1 } }]);
    expect(bed.system.inspect('x')?.thread).toBe('a');
  });

  it('may be about itself', () => {
    const bed = new Bed(supervisor('sup', { children: [puppet('x')] }));
    bed.tell('x', { type: 'ask-supervisor', supervisor: 'sup', request: { type: 'terminate-child', id: 'x' } });
    expect(bed.children('sup')).toBe('x:down');
  });
});
