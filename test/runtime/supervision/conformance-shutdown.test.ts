import { describe, expect, it } from 'vitest';
import { Bed, EAGER, puppet, supervisor } from './bed.ts';

describe('S7 shutdown time infinity', () => {
  it('waits for the child however long it takes', () => {
    const bed = new Bed(supervisor('sup', { children: [puppet('a', 'permanent', { shutdownMs: Infinity })] }));
    bed.script.stopMs.set('a', 86_400_000);
    bed.watch('a');
    const before = bed.system.monotonicMs();
    expect(bed.terminate('root', 'sup')).toEqual({ type: 'done' });
    expect(bed.system.monotonicMs() - before).toBeCloseTo(86_400_000, -1);
    expect(bed.settle().script.downs).toEqual(['a: shutdown']);
  });
});

describe('S8 shutdown time in ms', () => {
  it('asks first and kills after it: the one that ignored it ends as killed, its siblings by shutdown', () => {
    const children = [puppet('a'), puppet('b', 'permanent', { shutdownMs: 700 }), puppet('c')];
    const bed = new Bed(supervisor('sup', { children }));
    for (const path of ['a', 'b', 'c']) bed.watch(path);
    bed.script.stopMs.set('b', Infinity);
    const before = bed.system.monotonicMs();
    bed.terminate('root', 'sup');
    expect(bed.system.monotonicMs() - before).toBeCloseTo(700, -1);
    expect(bed.log).toEqual(['stop c', 'stop b', 'stop a']);
    expect(bed.settle().script.downs).toEqual([
      'c: terminated on request',
      'b: killed by its supervisor',
      'a: terminated on request',
    ]);
  });

  it('is not used up by a child that stops in time', () => {
    const bed = new Bed(supervisor('sup', { children: [puppet('a', 'permanent', { shutdownMs: 700 })] }));
    bed.script.stopMs.set('a', 300);
    bed.watch('a');
    bed.terminate('sup', 'a');
    expect(bed.settle().script.downs).toEqual(['a: shutdown']);
  });

  it('lets a stopping actor go on receiving until it is done', () => {
    const bed = new Bed(supervisor('sup', { children: [puppet('a')] }));
    bed.script.stopMs.set('a', 300);
    const answers = bed.post('sup', { type: 'terminate-child', id: 'a' });
    bed.settle().tell('a', { type: 'note', text: 'still here' });
    expect([bed.script.notes, answers]).toEqual([['a#1: still here'], []]);
    bed.settle(300);
    expect(answers).toEqual([{ type: 'done' }]);
  });
});

describe('S9 brutal kill', () => {
  it('ends the child at once without asking it', () => {
    const bed = new Bed(supervisor('sup', { children: [puppet('a', 'permanent', { shutdownMs: 0 })] }));
    bed.script.stopMs.set('a', Infinity);
    bed.watch('a');
    const before = bed.system.monotonicMs();
    expect(bed.terminate('sup', 'a')).toEqual({ type: 'done' });
    expect(bed.system.monotonicMs()).toBe(before);
    expect([bed.settle().log, bed.script.downs]).toEqual([[], ['a: killed by its supervisor']]);
  });
});

describe('S20 dynamic children', () => {
  const pool = (more = {}): ReturnType<typeof supervisor> =>
    supervisor('pool', { strategy: 'simple-one-for-one', ...EAGER, children: [puppet('job', 'temporary', more)] });

  function started(bed: Bed, count: number): void {
    const answers = Array.from({ length: count }, () => bed.post('pool', { type: 'start-dynamic-child' }));
    bed.settle();
    expect(answers.flat().filter((answer) => answer.type === 'started')).toHaveLength(count);
  }

  it('are known by their path alone: restart and delete by id are refused, terminate is not', () => {
    const bed = new Bed(pool());
    started(bed, 2);
    const error = 'simple-one-for-one';
    expect(bed.request('pool', { type: 'restart-child', id: 'job/1' })).toMatchObject({ type: 'refused', error });
    expect(bed.request('pool', { type: 'delete-child', id: 'job/1' })).toMatchObject({ type: 'refused', error });
    expect(bed.request('pool', { type: 'start-child', spec: puppet('x') })).toMatchObject({ type: 'refused', error });
    expect(bed.terminate('pool', 'job/1')).toEqual({ type: 'done' });
    expect(bed.terminate('pool', 'job/1')).toMatchObject({ type: 'refused', error: 'not-found' });
    expect(bed.children('pool')).toBe('job/2:1');
  });

  it('get their own args over those of the template, and the id they are asked for', () => {
    const bed = new Bed(
      supervisor('pool', {
        strategy: 'simple-one-for-one',
        children: [puppet('job', 'transient', { args: { size: 1, depth: 2 } })],
      }),
    );
    bed.request('pool', { type: 'start-dynamic-child', id: 'mine', args: { size: 5 } });
    expect(bed.script.args.get('mine')).toEqual({ size: 5, depth: 2 });
    expect(bed.request('pool', { type: 'start-dynamic-child', id: 'mine' })).toMatchObject({
      error: 'already-started',
      child: { path: 'mine', incarnation: 1 },
    });
    bed.crash('mine');
    expect(bed.script.args.get('mine')).toEqual({ size: 5, depth: 2 });
  });

  it('are stopped in parallel, bounded by the shutdown time of one', () => {
    const bed = new Bed(pool({ shutdownMs: 500 }));
    started(bed, 300);
    for (let job = 1; job <= 300; job += 3) bed.script.stopMs.set(`job/${job}`, Infinity);
    for (let job = 2; job <= 300; job += 3) bed.script.stopMs.set(`job/${job}`, 100);
    const before = bed.system.monotonicMs();
    expect(bed.terminate('root', 'pool')).toEqual({ type: 'done' });
    expect(bed.system.monotonicMs() - before).toBeCloseTo(500, -1);
    expect(
      bed
        .settle()
        .system.snapshot()
        .actors.map((actor) => actor.path),
    ).toEqual(['observer']);
  });

  it('cost the same each to start and stop, however many there are', () => {
    const eventsOf = (count: number): number => {
      const bed = new Bed(pool({ shutdownMs: 500 }));
      started(bed, count);
      let steps = 0;
      let isDone = false;
      bed.system.request('root', { type: 'terminate-child', id: 'pool' }, () => {
        isDone = true;
      });
      while (!isDone && bed.system.runOne()) steps += 1;
      expect(bed.log.filter((line) => line.startsWith('stop'))).toHaveLength(count);
      return steps / count;
    };
    // Steps per child, and the test's own time for ten thousand of them, would show any cost that grows with the number.
    expect(eventsOf(10_000)).toBeCloseTo(eventsOf(1_000), 1);
  });

  it('restart one by one and share the restart intensity', () => {
    const bed = new Bed(
      supervisor('pool', { strategy: 'simple-one-for-one', ...EAGER, intensity: 2, children: [puppet('job')] }),
    );
    started(bed, 3);
    bed.fresh().crash('job/2').crash('job/1');
    expect(bed.log).toEqual(['start job/2', 'start job/1']);
    expect(bed.children('pool')).toBe('job/1:2 job/2:2 job/3:1');
    bed.crash('job/3');
    // The third one in the period ended the pool; it came back without its dynamic children.
    expect(bed.endOf('pool')).toMatchObject({
      reasonKind: 'shutdown',
      reason: expect.stringMatching(/intensity of 2/),
    });
    expect([bed.lives('pool'), bed.children('pool')]).toEqual([2, '']);
  });

  it('may be supervisors with children of their own', () => {
    const template = supervisor('session', { restart: 'transient', children: [puppet('reader'), puppet('writer')] });
    const bed = new Bed(supervisor('pool', { strategy: 'simple-one-for-one', children: [template] }));
    bed.request('pool', { type: 'start-dynamic-child', id: 's1' });
    bed.request('pool', { type: 'start-dynamic-child', id: 's2' });
    expect([bed.children('pool'), bed.children('s2')]).toEqual(['s1:1 s2:1', 's2/reader:1 s2/writer:1']);
    bed.terminate('pool', 's1');
    expect([bed.children('pool'), bed.system.whichChildren('s1'), bed.lives('s1/reader')]).toEqual([
      's2:1',
      undefined,
      undefined,
    ]);
  });
});

describe('S21 a child that behaves badly when it is terminated', () => {
  it('by untying itself from everybody does not hang its supervisor', () => {
    const bed = new Bed(supervisor('sup', { children: [puppet('a', 'permanent', { shutdownMs: 100 })] }));
    bed.tell('a', { type: 'link', to: 'observer' }).tell('a', { type: 'unlink', to: 'observer' });
    bed.script.stopMs.set('a', Infinity);
    expect(bed.terminate('sup', 'a')).toEqual({ type: 'done' });
    expect(bed.lives('observer')).toBe(1);
  });

  it('by crashing while it stops does not hang its supervisor, nor count as a restart', () => {
    const bed = new Bed(supervisor('sup', { intensity: 0, children: [puppet('a')] }));
    bed.script.stopMs.set('a', Infinity);
    const answers = bed.post('sup', { type: 'terminate-child', id: 'a' });
    bed.settle().crash('a');
    expect([answers, bed.children('sup'), bed.lives('sup')]).toEqual([[{ type: 'done' }], 'a:down', 1]);
  });

  it('by ending at the same moment does not hang its supervisor', () => {
    const bed = new Bed(supervisor('sup', { children: [puppet('a')] }));
    bed.system.tell('a', { type: 'leave', kind: 'normal' } as never);
    expect(bed.terminate('sup', 'a')).toEqual({ type: 'done' });
    expect(bed.settle().children('sup')).toBe('a:down');
  });

  it('by dying with its thread does not hang its supervisor', () => {
    const bed = new Bed(supervisor('sup', { children: [puppet('a', 'permanent', { thread: 'a' })] }));
    bed.script.stopMs.set('a', Infinity);
    const answers = bed.post('sup', { type: 'terminate-child', id: 'a' });
    bed.settle();
    bed.system.crashThread('a');
    expect(bed.settle().children('sup')).toBe('a:down');
    expect(answers).toEqual([{ type: 'done' }]);
  });
});

describe('the shutdown of a whole tree', () => {
  it('stops leaves before branches, last started first', () => {
    const bed = new Bed(
      supervisor('left', { children: [puppet('l1'), puppet('l2')] }),
      supervisor('right', { children: [puppet('r1'), supervisor('deep', { children: [puppet('d1')] })] }),
    );
    bed.system.stop();
    bed.settle();
    expect(bed.log).toEqual(['stop d1', 'stop r1', 'stop l2', 'stop l1', 'stop observer']);
    expect(bed.system.stopped()).toBe(true);
  });
});
