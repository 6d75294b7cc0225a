import { describe, expect, it } from 'vitest';
import { Bed, EAGER, puppet, supervisor } from './bed.ts';

function pair(): Bed {
  const children = [
    puppet('a', 'permanent', { thread: 'a' }),
    puppet('b', 'permanent', { thread: 'b' }),
    puppet('c', 'transient', { thread: 'a' }),
  ];
  return new Bed(supervisor('sup', { ...EAGER, children }));
}

describe('a link', () => {
  it.each([
    ['the linked one', 'b'],
    ['the one that linked', 'a'],
  ])('ends both lives when %s crashes', (_who, path) => {
    const bed = pair().tell('a', { type: 'link', to: 'b' });
    bed.crash(path).settle(20);
    expect([bed.lives('a'), bed.lives('b')]).toEqual([2, 2]);
    expect(bed.system.inspect(path === 'a' ? 'b' : 'a')?.lastFailure).toMatch(/linked "[ab]" ended: Error: boom/);
  });

  it('does not survive its lives', () => {
    const bed = pair().tell('a', { type: 'link', to: 'b' });
    bed.crash('b').settle(20).crash('b').settle(20);
    expect([bed.lives('a'), bed.lives('b')]).toEqual([2, 3]);
  });

  it('is untied by a normal end', () => {
    const bed = pair().tell('a', { type: 'link', to: 'c' });
    bed.leave('c').settle(20);
    expect([bed.lives('a'), bed.lives('c')]).toEqual([1, undefined]);
  });

  it('passes an orderly shutdown on as one, so that a transient actor stays down', () => {
    const bed = pair().tell('c', { type: 'link', to: 'a' });
    bed.leave('a', 'shutdown').settle(20);
    expect([bed.lives('a'), bed.lives('c')]).toEqual([2, undefined]);
  });

  it('ends the survivor when the thread of the other dies', () => {
    const bed = pair().tell('a', { type: 'link', to: 'b' });
    bed.system.crashThread('b');
    bed.settle(100);
    expect([bed.lives('a'), bed.lives('b')]).toEqual([2, 2]);
  });

  it('to nobody ends the one that wanted it', () => {
    const bed = pair();
    bed.terminate('sup', 'c');
    bed.tell('a', { type: 'link', to: 'c' }).settle(20);
    expect([bed.lives('a'), bed.system.inspect('a')?.lastFailure]).toEqual([
      2,
      expect.stringMatching(/nobody lives at "c"/),
    ]);
    bed.tell('b', { type: 'link', to: 'no-such-path' }).settle(20);
    expect(bed.lives('b')).toBe(2);
  });

  it('is untied by unlink', () => {
    const bed = pair().tell('a', { type: 'link', to: 'b' }).tell('a', { type: 'unlink', to: 'b' });
    bed.crash('b').settle(20).crash('a').settle(20);
    expect([bed.lives('a'), bed.lives('b')]).toEqual([2, 2]);
  });

  it('in a chain of thousands ends them all', () => {
    const bed = new Bed(
      supervisor('pool', { strategy: 'simple-one-for-one', ...EAGER, children: [puppet('job', 'temporary')] }),
    );
    for (let job = 0; job < 3_000; job++) bed.post('pool', { type: 'start-dynamic-child' });
    bed.settle();
    for (let job = 1; job < 3_000; job++)
      bed.system.tell(`job/${job}`, { type: 'link', to: `job/${job + 1}` } as never);
    bed.settle().crash('job/1500').settle();
    expect(bed.children('pool')).toBe('');
  });
});

describe('a watch', () => {
  it('tells of an orderly end, a crash, a kill and the end for good, once each', () => {
    const bed = pair();
    bed.watch('a').leave('a').watch('a').crash('a').watch('a').kill('a').settle(20);
    bed.watch('b').settle(20).terminate('sup', 'b');
    bed.settle(20);
    expect(bed.script.downs).toEqual([
      'a: normal',
      'a: Error: boom',
      'a: killed by its supervisor',
      'b: terminated on request',
    ]);
  });

  it('of an actor that was forgotten tells at once', () => {
    const bed = new Bed(supervisor('pool', { strategy: 'simple-one-for-one', children: [puppet('job', 'temporary')] }));
    bed.request('pool', { type: 'start-dynamic-child', id: 'x' });
    bed.leave('x').watch('x');
    expect(bed.script.downs).toEqual(['x: no-such-actor']);
  });
});

describe('an actor that ends itself', () => {
  it('takes no message more', () => {
    const bed = new Bed(supervisor('sup', { ...EAGER, children: [puppet('x', 'transient')] }));
    bed.system.tell('x', { type: 'leave', kind: 'normal' } as never);
    bed.system.tell('x', { type: 'note', text: 'too late' } as never);
    bed.settle();
    expect([bed.script.notes, bed.system.snapshot().deadLetters.byReason]).toEqual([[], { stopped: 1 }]);
  });

  it('leaves its mailbox to its next life when it has one', () => {
    const bed = new Bed(supervisor('sup', { ...EAGER, children: [puppet('x')] }));
    bed.system.tell('x', { type: 'leave', kind: 'normal' } as never);
    bed.system.tell('x', { type: 'note', text: 'still wanted' } as never);
    bed.settle();
    expect(bed.script.notes).toEqual(['x#2: still wanted']);
  });
});
