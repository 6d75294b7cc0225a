import { describe, expect, it } from 'vitest';
import type { RestartStrategy, RestartType } from '../../../src/runtime/child-spec.ts';
import { Bed, EAGER, puppet, supervisor } from './bed.ts';

type End = 'normal' | 'shutdown' | 'crash' | 'kill' | 'thread-death';

function end(bed: Bed, path: string, how: End): void {
  if (how === 'crash') bed.crash(path);
  else if (how === 'kill') bed.kill(path);
  else if (how === 'thread-death') {
    bed.system.crashThread('a');
    bed.settle(100);
  } else bed.leave(path, how);
}

describe('S12 restart types', () => {
  const cases: readonly (readonly [RestartType, End, boolean])[] = [
    ['permanent', 'normal', true],
    ['permanent', 'shutdown', true],
    ['permanent', 'crash', true],
    ['permanent', 'kill', true],
    ['permanent', 'thread-death', true],
    ['transient', 'normal', false],
    ['transient', 'shutdown', false],
    ['transient', 'crash', true],
    ['transient', 'kill', true],
    ['transient', 'thread-death', true],
    ['temporary', 'normal', false],
    ['temporary', 'shutdown', false],
    ['temporary', 'crash', false],
    ['temporary', 'kill', false],
    ['temporary', 'thread-death', false],
  ];

  it.each(cases)('a %s child after %s comes back: %s', (restart, how, comesBack) => {
    const bed = new Bed(supervisor('sup', { ...EAGER, children: [puppet('x', restart, { thread: 'a' })] }));
    end(bed, 'x', how);
    expect(bed.lives('x')).toBe(comesBack ? 2 : undefined);
    expect(bed.children('sup')).toBe(comesBack ? 'x:2' : restart === 'temporary' ? '' : 'x:down');
  });

  it.each(cases)('a dynamic %s child after %s comes back: %s', (restart, how, comesBack) => {
    const template = puppet('job', restart, { thread: 'a' });
    const bed = new Bed(supervisor('pool', { strategy: 'simple-one-for-one', ...EAGER, children: [template] }));
    bed.request('pool', { type: 'start-dynamic-child', id: 'x' });
    end(bed, 'x', how);
    expect([bed.lives('x'), bed.children('pool')]).toEqual(comesBack ? [2, 'x:2'] : [undefined, '']);
  });

  it('a temporary child leaves nothing of itself behind', () => {
    const bed = new Bed(supervisor('sup', EAGER));
    for (let job = 0; job < 200; job++) {
      bed.request('sup', {
        type: 'start-child',
        spec: puppet(`t${job}`, 'temporary', { args: { bytes: 'x'.repeat(1_000) } }),
      });
      bed.leave(`t${job}`);
    }
    expect(bed.system.snapshot().actors.map((actor) => actor.path)).toEqual(['observer']);
    expect(bed.system.snapshot().supervisors.find((each) => each.path === 'sup')?.children).toEqual([]);
    expect(bed.system.countChildren('sup')).toEqual({ specs: 0, active: 0, supervisors: 0, actors: 0 });
  });

  it('an actor that ends in order is asked to stop first, one that crashes or is killed is not', () => {
    const bed = new Bed(supervisor('sup', { ...EAGER, children: [puppet('x')] }));
    bed.leave('x');
    expect(bed.log).toEqual(['stop x', 'start x']);
    bed.fresh().crash('x').kill('x');
    expect(bed.log).toEqual(['start x', 'start x']);
  });
});

describe('S13 a temporary bystander', () => {
  it.each(['one-for-all', 'rest-for-one'] as const)(
    'of a %s restart is stopped, not started again, and does no harm',
    (strategy) => {
      const children = [puppet('a'), puppet('t', 'temporary'), puppet('c')];
      const bed = new Bed(supervisor('sup', { ...EAGER, strategy, children }));
      bed.crash('a');
      expect(bed.log).toEqual(['stop c', 'stop t', 'start a', 'start c']);
      expect([bed.children('sup'), bed.lives('sup')]).toEqual(['a:2 c:2', 1]);
    },
  );
});

describe('S14 restart intensity', () => {
  const sup = (intensity: number): ReturnType<typeof supervisor> =>
    supervisor('sup', { intensity, periodMs: 10_000, backoffMinMs: 0, backoffMaxMs: 0, children: [puppet('x')] });

  it('lets restarts that stay under it go on for ever', () => {
    const bed = new Bed(sup(3));
    for (let restart = 0; restart < 60; restart++) bed.crash('x').settle(4_000);
    expect([bed.lives('x'), bed.lives('sup')]).toEqual([61, 1]);
  });

  it('ends the supervisor with one restart more in the period', () => {
    const bed = new Bed(sup(3));
    for (let restart = 0; restart < 3; restart++) bed.crash('x');
    expect(bed.lives('sup')).toBe(1);
    bed.crash('x');
    expect(bed.endOf('sup')).toMatchObject({ reasonKind: 'shutdown' });
    expect(bed.lives('sup')).toBe(2);
  });

  it('counts what lies inside a window that slides by milliseconds', () => {
    const bed = new Bed(sup(1));
    const firstAtMs = bed.system.monotonicMs();
    bed.crash('x');
    bed.system.runUntil(firstAtMs + 10_003);
    bed.crash('x');
    expect(bed.lives('sup')).toBe(1);
    bed.settle(9_900).crash('x');
    expect(bed.lives('sup')).toBe(2);
  });

  it('of 0 allows no restart at all', () => {
    const bed = new Bed(sup(0));
    bed.crash('x');
    expect([bed.log, bed.lives('sup')]).toEqual([['start x'], 2]);
    expect(bed.endOf('sup')).toMatchObject({ reason: expect.stringMatching(/intensity of 0/) });
  });
});

describe('S15 restart strategies', () => {
  const cases: readonly (readonly [RestartStrategy, readonly string[], string])[] = [
    ['one-for-one', ['start b'], 'a:1 b:2 c:1'],
    ['one-for-all', ['stop c', 'stop a', 'start a', 'start b', 'start c'], 'a:2 b:2 c:2'],
    ['rest-for-one', ['stop c', 'start b', 'start c'], 'a:1 b:2 c:2'],
  ];

  it.each(cases)('%s takes the right ones along, in the right order', (strategy, log, children) => {
    const bed = new Bed(supervisor('sup', { ...EAGER, strategy, children: [puppet('a'), puppet('b'), puppet('c')] }));
    bed.crash('b');
    expect([bed.log, bed.children('sup')]).toEqual([log, children]);
  });

  it('one-for-all also starts children that were down', () => {
    const children = [puppet('a'), puppet('b', 'transient'), puppet('c')];
    const bed = new Bed(supervisor('sup', { ...EAGER, strategy: 'one-for-all', children }));
    bed.leave('b').terminate('sup', 'c');
    bed.settle().fresh().crash('a');
    expect([bed.log, bed.children('sup')]).toEqual([['start a', 'start b', 'start c'], 'a:2 b:2 c:2']);
  });

  it('rest-for-one includes children added later', () => {
    const bed = new Bed(
      supervisor('sup', { ...EAGER, strategy: 'rest-for-one', children: [puppet('a'), puppet('b')] }),
    );
    bed.request('sup', { type: 'start-child', spec: puppet('z') });
    bed.fresh().crash('b');
    expect(bed.log).toEqual(['stop z', 'start b', 'start z']);
  });
});

describe('S16 a child that fails while it is being restarted', () => {
  it('is tried again, every attempt counting for the intensity', () => {
    const bed = new Bed(supervisor('sup', { ...EAGER, intensity: 4, children: [puppet('x')] }));
    bed.script.failingStarts.set('x', 3);
    bed.crash('x');
    expect([bed.log, bed.children('sup')]).toEqual([['start x', 'start x', 'start x', 'start x'], 'x:5']);
    expect(bed.system.snapshot().supervisors.find((each) => each.path === 'sup')?.restartsInPeriod).toBe(4);
  });

  it('ends the supervisor when the attempts exceed the intensity', () => {
    const bed = new Bed(supervisor('sup', { ...EAGER, intensity: 4, children: [puppet('y'), puppet('x')] }));
    bed.script.failingStarts.set('x', 4);
    bed.crash('x');
    // Four attempts, the others stopped, and the parent's restart of the whole supervisor.
    expect(bed.log).toEqual(['start x', 'start x', 'start x', 'start x', 'stop y', 'start y', 'start x']);
  });

  it('leaves the supervisor answering between the attempts, without any backoff', () => {
    const bed = new Bed(supervisor('sup', { ...EAGER, intensity: Infinity, children: [puppet('x'), puppet('y')] }));
    bed.script.failingStarts.set('x', Infinity);
    bed.system.tell('x', { type: 'crash' });
    for (let step = 0; step < 50; step++) bed.system.runOne();
    const before = bed.log.length;
    let isDone = false;
    bed.system.request('sup', { type: 'terminate-child', id: 'y' }, () => {
      isDone = true;
    });
    for (let step = 0; step < 50 && !isDone; step++) bed.system.runOne();
    expect([isDone, bed.log.length > before]).toEqual([true, true]);
  });

  it('is restarted with backoff when there is one: first at once, then with full jitter up to a doubling limit', () => {
    const bed = new Bed(
      supervisor('sup', { intensity: 1_000, backoffMinMs: 1_000, backoffMaxMs: 4_000, children: [puppet('x')] }),
    );
    bed.script.failingStarts.set('x', 30);
    bed.crash('x').settle(200_000);
    const delays = bed.records.flatMap((record) =>
      record.event === 'restarting' ? [Number(record.fields?.['delayMs'])] : [],
    );
    expect(delays).toHaveLength(31);
    expect(delays[0]).toBe(0);
    for (const [attempt, delayMs] of delays.entries())
      expect(delayMs).toBeLessThan(Math.min(4_000, 1_000 * 2 ** Math.max(0, attempt - 1)) + 1);
    // Full jitter: some of the later waits are short, some long.
    expect(Math.min(...delays.slice(3))).toBeLessThan(1_000);
    expect(Math.max(...delays.slice(3))).toBeGreaterThan(3_000);
  });
});

describe('S17 a group of which one fails while it is being restarted', () => {
  it('one-for-all: those already up again are stopped, then all are tried again', () => {
    const bed = new Bed(
      supervisor('sup', { ...EAGER, strategy: 'one-for-all', children: [puppet('a'), puppet('b'), puppet('c')] }),
    );
    bed.script.failingStarts.set('c', 1);
    bed.crash('a');
    expect(bed.log).toEqual([
      'stop c',
      'stop b',
      'start a',
      'start b',
      'start c',
      'stop b',
      'stop a',
      'start a',
      'start b',
      'start c',
    ]);
  });

  it('rest-for-one: those before the failing one stay up', () => {
    const bed = new Bed(
      supervisor('sup', { ...EAGER, strategy: 'rest-for-one', children: [puppet('a'), puppet('b'), puppet('c')] }),
    );
    bed.script.failingStarts.set('c', 1);
    bed.crash('b');
    expect([bed.log, bed.children('sup')]).toEqual([['stop c', 'start b', 'start c', 'start c'], 'a:1 b:2 c:3']);
  });
});

describe('S22 a child in a restart loop', () => {
  function looping(strategy: RestartStrategy = 'one-for-one'): Bed {
    const bed = new Bed(
      supervisor('sup', {
        intensity: 1_000,
        backoffMinMs: 60_000,
        backoffMaxMs: 60_000,
        strategy,
        children: [puppet('x'), puppet('y')],
      }),
    );
    bed.script.failingStarts.set('x', 1_000);
    return bed.crash('x').fresh();
  }

  it('is shown as restarting', () => {
    expect(looping().children('sup')).toBe('x:restarting y:1');
    expect(looping().system.countChildren('sup')).toMatchObject({ specs: 2, active: 1 });
  });

  it('can be terminated, which ends the loop', () => {
    const bed = looping();
    expect(bed.terminate('sup', 'x')).toEqual({ type: 'done' });
    expect([bed.settle(300_000).log, bed.children('sup')]).toEqual([[], 'x:down y:1']);
  });

  it('can be terminated out of a group that waits, and the others come back without it', () => {
    const bed = looping('one-for-all');
    expect(bed.children('sup')).toBe('x:restarting y:restarting');
    expect(bed.terminate('sup', 'x')).toEqual({ type: 'done' });
    expect(bed.settle(60_000).children('sup')).toBe('x:down y:2');
  });

  it('keeps its group when an earlier sibling is forgotten meanwhile', () => {
    const bed = new Bed(
      supervisor('sup', { ...EAGER, backoffMinMs: 60_000, backoffMaxMs: 60_000, strategy: 'rest-for-one' }),
    );
    for (const id of ['t', 'a', 'x', 'z'])
      bed.request('sup', { type: 'start-child', spec: puppet(id, id === 't' ? 'temporary' : 'permanent') });
    bed.script.failingStarts.set('x', 1);
    bed.crash('x');
    expect(bed.children('sup')).toBe('t:1 a:1 x:restarting z:restarting');
    bed.terminate('sup', 't');
    expect(bed.settle(60_000).children('sup')).toBe('a:1 x:3 z:2');
  });

  it('does not hold up the shutdown of its supervisor', () => {
    const bed = looping();
    const before = bed.system.monotonicMs();
    expect(bed.terminate('root', 'sup')).toEqual({ type: 'done' });
    expect([bed.system.monotonicMs() - before, bed.log]).toEqual([0, ['stop y']]);
  });

  it('of dynamic children can be terminated, and does not hold up the shutdown', () => {
    const pool = supervisor('pool', {
      strategy: 'simple-one-for-one',
      intensity: 1_000,
      backoffMinMs: 60_000,
      backoffMaxMs: 60_000,
      children: [puppet('job')],
    });
    const bed = new Bed(pool);
    for (const id of ['x', 'y', 'z']) {
      bed.request('pool', { type: 'start-dynamic-child', id });
      bed.script.failingStarts.set(id, 1_000);
    }
    bed.crash('x').crash('y');
    expect(bed.children('pool')).toBe('x:restarting y:restarting z:1');
    expect(bed.terminate('pool', 'x')).toEqual({ type: 'done' });
    expect(bed.children('pool')).toBe('y:restarting z:1');
    const before = bed.system.monotonicMs();
    expect(bed.terminate('root', 'pool')).toEqual({ type: 'done' });
    expect(bed.system.monotonicMs()).toBe(before);
  });
});
