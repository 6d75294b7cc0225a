/** Traps of ends and of what outlives them: 8 and 10. Trap 7 is in ../thread-deaths.test.ts. */
import { fileURLToPath } from 'node:url';
import { Piscina } from 'piscina';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { MessageShape } from '../../../src/runtime/actor.ts';
import type { ActorSystem } from '../../../src/runtime/system.ts';
import { CpuThreads, openCpuPort } from '../../../src/ports/live/cpu-port.ts';
import { Bed, EAGER, puppet, supervisor } from '../supervision/bed.ts';
import { actorOf, ENTRY, startTraps, until } from './bed.ts';
import { keepMessage, type KeptReport, type WhatCame } from './fixtures/trap-actors.ts';

/** Every promise a system hands out, asked of the actor `keeper` or its thread `t0`. */
function everyCall(system: ActorSystem): readonly Promise<unknown>[] {
  return [
    system.ask('keeper', { type: 'never-answered' }, { deadlineMs: 60_000 }),
    system.request('root', { type: 'terminate-child', id: 'keeper' }),
    system.snapshot(),
    system.inspect('keeper'),
    system.peek('keeper'),
    system.traces(),
    system.pauseActor('keeper'),
    system.resumeActor('keeper'),
    system.restartActor('keeper'),
    system.moveActor('keeper', 't1'),
    system.addThread({ name: 'late', entry: ENTRY }),
    system.removeThread('t0', { to: 't1' }),
  ];
}

describe('trap 8: promises that never settle', () => {
  it.each([
    ['is killed', { type: 'check-kept' }],
    ['hangs', { type: 'busy', forMs: 3_600_000 }],
  ] as const)('every call of a system settles when the thread it concerns %s', async (how, first) => {
    const system = await startTraps(
      ['nudge', 'nudge'],
      [actorOf('keeper', 'keeper', 't0'), actorOf('other', 'keeper', 't1')],
      { heartbeatMs: 300, threadsMax: 5 },
    );
    system.tell('keeper', first as MessageShape);
    const calls = everyCall(system);
    if (how === 'is killed') system.killThread('t0');
    const outcomes = await Promise.allSettled(calls);
    // An error, not a silence; and whoever has nothing to do with that thread answers.
    expect(outcomes[0]).toMatchObject({ status: 'rejected', reason: { name: 'AskFailed' } });
    expect(outcomes[2]).toMatchObject({ status: 'fulfilled' });
    expect(await system.ask('other', { type: 'check-kept' }, { deadlineMs: 20_000 })).toMatchObject({ numbers: [] });
  });

  it('a task of the CPU pool that ends its thread, or never ends, is failed', { timeout: 120_000 }, async () => {
    const pool = new Piscina({
      filename: fileURLToPath(new URL('./fixtures/cpu-trap.ts', import.meta.url)),
      maxThreads: 2,
    });
    onTestFinished(() => pool.destroy());
    const answers: { readonly type: string; readonly ref: number }[] = [];
    const port = openCpuPort(new CpuThreads(pool), (message) => answers.push(message));
    const refs = [port.run('exit' as never, null as never), port.run('loop' as never, null as never)];
    await until(
      () => answers.length,
      (count) => count === 2,
    );
    expect(new Map(answers.map(({ type, ref }) => [ref, type]))).toEqual(
      new Map(refs.map((ref) => [ref, 'task-failed'])),
    );
  });
});

describe('trap 10: what overflow, restarts and stops must not do', () => {
  it('a full mailbox never costs its actor the news of a death', async () => {
    const system = await startTraps(
      ['nudge'],
      [actorOf('guardian', 'guardian', undefined, { mailboxMessagesMax: 5 }), actorOf('watched', 'keeper', 't0')],
    );
    system.tell('guardian', { type: 'guard', path: 'watched' } as MessageShape);
    await until(
      () => system.inspect('watched'),
      (answer) => answer?.watchers.length === 1,
    );
    await system.pauseActor('guardian');
    const outcomes = Array.from({ length: 8 }, (_, number) =>
      system.tell('guardian', { type: 'filler', number } as MessageShape),
    );
    expect(outcomes).toEqual([...new Array<string>(5).fill('sent'), ...new Array<string>(3).fill('refused')]);
    system.kill('watched');
    await until(
      () => system.inspect('guardian'),
      (answer) => answer?.mailbox.depth.system === 1,
    );
    await system.resumeActor('guardian');
    await until(
      () => system.inspect('guardian'),
      (answer) => answer?.mailbox.depthTotal === 0,
    );
    const came = (await system.ask('guardian', { type: 'what-came' }, { deadlineMs: 20_000 })) as WhatCame;
    expect(came).toEqual({ downs: ['watched'], fillers: [0, 1, 2, 3, 4] });
  });

  it('neither mailbox, nor lane, nor overflow queue is lost when the actor restarts and when its thread does', async () => {
    const system = await startTraps(['nudge'], [actorOf('keeper', 'keeper', 't0', { mailboxMessagesMax: 20 })]);
    await system.pauseActor('keeper');
    const count = 3_000;
    for (let number = 0; number < count; number++) expect(system.tell('keeper', keepMessage(number, 3))).toBe('sent');
    const { threads } = await until(
      () => system.snapshot(),
      ({ actors }) => actors[0]?.mailbox.depthTotal === 20,
    );
    // The mailbox is full, so is the lane, and the rest waits with its sender.
    expect(threads[0]?.lanes.find(({ lane }) => lane === 'control')?.queued).toBeGreaterThan(0);
    system.kill('keeper');
    await until(
      () => system.inspect('keeper'),
      (answer) => answer?.incarnation === 2 && answer.status === 'paused',
    );
    system.killThread('t0');
    await until(
      () => system.inspect('keeper'),
      (answer) => answer?.incarnation === 3 && answer.status === 'paused',
    );
    await system.resumeActor('keeper');
    const report = await until(
      async () => (await system.ask('keeper', { type: 'check-kept' }, { deadlineMs: 20_000 })) as KeptReport,
      ({ numbers }) => numbers.length >= count,
    );
    expect(report).toEqual({ numbers: Array.from({ length: count }, (_, number) => number), damaged: 0, shared: 0 });
  });

  it('restarts are counted per supervisor: its children share them, other supervisors have their own', () => {
    const own = { intensity: 2, periodMs: 60_000, backoffMinMs: 0, backoffMaxMs: 0 };
    const bed = new Bed(
      supervisor('left', { ...own, restart: 'temporary', children: [puppet('l1'), puppet('l2')] }),
      supervisor('right', { ...own, restart: 'temporary', children: [puppet('r1')] }),
    );
    bed.crash('l1').crash('l2').crash('r1').crash('r1');
    expect([bed.children('left'), bed.children('right')]).toEqual(['l1:2 l2:2', 'r1:3']);
    bed.crash('l2');
    expect(bed.lives('left')).toBeUndefined();
    expect(bed.children('right')).toBe('r1:3');
  });

  it('a start that fails leaves no zombie behind', () => {
    const bed = new Bed(supervisor('parent', EAGER));
    bed.script.failingStarts.set('child', 1);
    expect(bed.request('parent', { type: 'start-child', spec: puppet('child') })).toMatchObject({
      type: 'refused',
      error: 'start-failed',
    });
    bed.settle();
    expect(bed.lives('child')).toBeUndefined();
    expect(bed.children('parent')).toBe('');
    expect(bed.system.snapshot().actors.map(({ path }) => path)).not.toContain('child');
    expect(bed.system.tell('child', { type: 'note', text: 'x' } as MessageShape)).toBe('dead');
    expect(bed.request('parent', { type: 'start-child', spec: puppet('child') })).toMatchObject({ type: 'started' });
  });

  it.each([
    ['is paused', 'keeper'],
    ['is being stopped', 'stubborn'],
    ['cannot start again yet', 'once-only'],
  ] as const)('a full mailbox of an actor that %s does not keep its thread busy', async (_, kind) => {
    const tree = supervisor('root', {
      backoffMinMs: 3_600_000,
      backoffMaxMs: 3_600_000,
      children: [actorOf('subject', kind, 't0', { mailboxMessagesMax: 10, shutdownMs: 60_000 })],
    });
    const system = await startTraps(['nudge'], [], { tree });
    if (kind === 'keeper') await system.pauseActor('subject');
    else if (kind === 'stubborn') void system.request('root', { type: 'terminate-child', id: 'subject' });
    else {
      system.kill('subject');
      await until(
        () => system.inspect('subject'),
        (answer) => answer?.incarnation === 2 && answer.status !== 'running',
      );
    }
    const message = kind === 'keeper' ? keepMessage(1, 1) : { type: 'nudge' };
    for (let told = 0; told < 3_000; told++) system.tell('subject', message);
    const turnsOf = async (): Promise<number> =>
      (await system.snapshot()).threads.find(({ name }) => name === 't0')?.turns ?? 0;
    let turns = -1;
    // First everything arrives; then nothing happens any more, however often somebody looks. A thread that is busy is never quiet.
    for (let quietLooks = 0; quietLooks < 20;) {
      const now = await turnsOf();
      quietLooks = now === turns ? quietLooks + 1 : 0;
      turns = now;
    }
    expect(turns).toBeGreaterThan(0);
    system.killThread('t0');
  });

  it('a shutdown has a deadline, whatever an actor or a thread does', async () => {
    const system = await startTraps(
      ['nudge', 'wait'],
      [
        actorOf('stubborn', 'stubborn', 't0', { shutdownMs: Infinity }),
        actorOf('hanging', 'keeper', 't1', { shutdownMs: Infinity }),
        actorOf('stubborn/main', 'stubborn', undefined, { shutdownMs: Infinity }),
      ],
      { heartbeatMs: 60_000 },
    );
    system.tell('hanging', { type: 'busy', forMs: 3_600_000 } as MessageShape);
    const unanswered = system.ask('stubborn', { type: 'nudge' }, { deadlineMs: 60_000 });
    unanswered.catch(() => {});
    await system.stop({ deadlineMs: 100 });
    // It settled, and what was still asked is answered with an error.
    await expect(unanswered).rejects.toMatchObject({ name: 'AskFailed' });
  });
});
