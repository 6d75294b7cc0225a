import { afterEach, describe, expect, it } from 'vitest';
import type { MessageShape } from '../../../src/runtime/actor.ts';
import type { ActorSpec, ChildSpec, RestartType } from '../../../src/runtime/child-spec.ts';
import type { ActorSystem } from '../../../src/runtime/system.ts';
import { startThreads } from '../../../src/runtime/thread-system.ts';
import { supervisor } from './bed.ts';
import { member, type MemberArgs, type MemberMessage } from './fixtures/member.ts';

const ENTRY = new URL('./fixtures/member-worker.ts', import.meta.url);

let running: ActorSystem | undefined;

afterEach(async () => {
  await running?.stop({ deadlineMs: 3_000 });
  running = undefined;
});

function actor(id: string, thread: string, args: MemberArgs = {}, more: Partial<ActorSpec> = {}): ActorSpec {
  return { type: 'actor', id, kind: 'member', args, thread, ...more };
}

/** A system with threads `a` (event loop) and `b` (blocking) under a root that has room for many restarts. */
async function start(...children: readonly ChildSpec[]): Promise<ActorSystem> {
  running = await startThreads({
    tree: supervisor('root', { intensity: 1_000, backoffMaxMs: 0, children }),
    kinds: [member],
    portsFor: () => ({}),
    calendar: { type: 'live' },
    log: () => {},
    threads: [
      { name: 'a', entry: ENTRY },
      { name: 'b', entry: ENTRY, wake: 'wait' },
    ],
  });
  return running;
}

function tell(system: ActorSystem, path: string, message: MemberMessage): void {
  system.tell(path, message);
}

/** Looks again until the answer satisfies the condition: waits for an effect, not for a time. */
async function until<Answer>(
  question: () => Answer | Promise<Answer>,
  holds: (answer: Answer) => boolean,
): Promise<Answer> {
  for (;;) {
    const answer = await question();
    if (holds(answer)) return answer;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

interface Pong {
  readonly incarnation: number;
  readonly greetings: number;
  readonly downs: readonly string[];
  readonly outcomes: readonly string[];
}

async function ping(system: ActorSystem, path: string): Promise<Pong> {
  return (await system.ask(path, { type: 'ping' } as MessageShape, { deadlineMs: 10_000 })) as Pong;
}

describe('supervision on real threads', { timeout: 120_000 }, () => {
  it('S10 starts, terminates, restarts and deletes a child on another thread', async () => {
    const system = await start(supervisor('sup', { children: [actor('first', 'a')] }));
    const spec = actor('x', 'b');
    expect(await system.request('sup', { type: 'start-child', spec })).toEqual({
      type: 'started',
      child: { path: 'x', incarnation: 1 },
      info: { bornOn: 'x' },
    });
    expect(await ping(system, 'x')).toMatchObject({ incarnation: 1 });
    expect(await system.request('sup', { type: 'start-child', spec })).toMatchObject({ error: 'already-started' });
    expect(await system.request('sup', { type: 'delete-child', id: 'x' })).toMatchObject({ error: 'running' });
    expect(await system.request('sup', { type: 'terminate-child', id: 'x' })).toEqual({ type: 'done' });
    expect(system.countChildren('sup')).toEqual({ specs: 2, active: 1, supervisors: 0, actors: 2 });
    expect(await system.request('sup', { type: 'restart-child', id: 'x' })).toMatchObject({
      child: { incarnation: 2 },
    });
    expect(await ping(system, 'x')).toMatchObject({ incarnation: 2 });
    await system.request('sup', { type: 'terminate-child', id: 'x' });
    expect(await system.request('sup', { type: 'delete-child', id: 'x' })).toEqual({ type: 'done' });
    expect(await system.inspect('x')).toBeUndefined();
    expect(system.tell('x', { type: 'greet' })).toBe('dead');
    expect(await system.request('sup', { type: 'start-child', spec: actor('x', 'a') })).toMatchObject({
      child: { incarnation: 3 },
    });
    expect(await ping(system, 'x')).toMatchObject({ incarnation: 3 });
  });

  it('S3 S4 tells the starter of an ignored and of a failed start', async () => {
    const system = await start(supervisor('sup'));
    expect(await system.request('sup', { type: 'start-child', spec: actor('i', 'a', { start: 'ignore' }) })).toEqual({
      type: 'ignored',
    });
    expect(
      await system.request('sup', { type: 'start-child', spec: actor('f', 'b', { start: 'fail' }) }),
    ).toMatchObject({ error: 'start-failed' });
    expect(system.whichChildren('sup')).toMatchObject([{ id: 'i', child: undefined }]);
  });

  it('S25 an actor of one thread has a child started on a second and reaches it as soon as it is told', async () => {
    const system = await start(supervisor('sup', { children: [actor('boss', 'a')] }));
    tell(system, 'boss', {
      type: 'recruit',
      supervisor: 'sup',
      request: { type: 'start-child', spec: actor('hand', 'b') },
    });
    expect(
      await until(
        () => ping(system, 'hand').catch(() => undefined),
        (pong) => pong?.greetings === 1,
      ),
    ).toMatchObject({ greetings: 1 });
    expect((await ping(system, 'boss')).outcomes).toEqual(['started', 'sent']);
  });

  it.each([
    ['permanent', 'leave', 2],
    ['transient', 'leave', undefined],
    ['temporary', 'crash', undefined],
    ['transient', 'crash', 2],
  ] as const)('S12 a %s actor that is told to %s has next the life %s', async (restart, type, life) => {
    const system = await start(supervisor('sup', { children: [actor('x', 'a', {}, { restart })] }));
    tell(system, 'x', { type });
    await until(
      () => system.whereIs('x')?.incarnation,
      (incarnation) => incarnation === life,
    );
    expect(system.countChildren('sup')?.active).toBe(life === undefined ? 0 : 1);
  });

  it('S15 one-for-all takes siblings on other threads along', async () => {
    const system = await start(
      supervisor('sup', { strategy: 'one-for-all', children: [actor('x', 'a'), actor('y', 'b'), actor('z', 'main')] }),
    );
    tell(system, 'y', { type: 'crash' });
    for (const path of ['x', 'y', 'z'])
      await until(
        () => ping(system, path).catch(() => undefined),
        (pong) => pong?.incarnation === 2,
      );
    expect(system.whichChildren('sup')).toMatchObject([{ id: 'x' }, { id: 'y' }, { id: 'z' }]);
  });

  it('S8 kills an actor that takes longer to stop than it may', async () => {
    const system = await start(
      actor('watcher', 'b'),
      supervisor('sup', { children: [actor('x', 'a', { isDeaf: true }, { shutdownMs: 50 })] }),
    );
    tell(system, 'watcher', { type: 'observe', to: 'x' });
    await until(
      () => system.inspect('x'),
      (inspection) => inspection?.watchers.length === 1,
    );
    expect(await system.request('sup', { type: 'terminate-child', id: 'x' })).toEqual({ type: 'done' });
    const pong = await until(
      () => ping(system, 'watcher'),
      ({ downs }) => downs.length > 0,
    );
    expect(pong.downs).toEqual(['x: killed by its supervisor']);
  });

  it('S20 starts and stops a thousand dynamic children and leaves nothing of them behind', async () => {
    const template = actor('job', 'a', {}, { restart: 'temporary' });
    const system = await start(
      supervisor('pool', { strategy: 'simple-one-for-one', restart: 'temporary', children: [template] }),
      actor('other', 'b'),
    );
    const outcomes = await Promise.all(
      Array.from({ length: 1_000 }, () => system.request('pool', { type: 'start-dynamic-child' })),
    );
    expect(outcomes.every((outcome) => outcome.type === 'started')).toBe(true);
    expect(system.countChildren('pool')).toMatchObject({ specs: 1, active: 1_000 });
    expect(await ping(system, 'job/1000')).toMatchObject({ incarnation: 1 });
    expect(await system.request('root', { type: 'terminate-child', id: 'pool' })).toEqual({ type: 'done' });
    const snapshot = await until(
      () => system.snapshot(),
      ({ actors }) => actors.length === 1,
    );
    expect(snapshot.actors.map((each) => each.path)).toEqual(['other']);
  });

  it.each([
    ['permanent', 2],
    ['temporary', undefined],
  ] as const)(
    'S12 a dynamic %s child of a thread that dies has next the life %s',
    async (restart: RestartType, life) => {
      const template = actor('job', 'a', {}, { restart });
      const system = await start(
        supervisor('pool', { strategy: 'simple-one-for-one', intensity: 100, backoffMaxMs: 0, children: [template] }),
      );
      await system.request('pool', { type: 'start-dynamic-child', id: 'x' });
      system.killThread('a');
      await until(
        () => system.whereIs('x')?.incarnation,
        (incarnation) => incarnation === life,
      );
      // The thread is back, knows of its actors, and takes new ones.
      expect(await system.request('pool', { type: 'start-dynamic-child', id: 'y' })).toMatchObject({ type: 'started' });
      expect(await ping(system, 'y')).toMatchObject({ greetings: 0 });
      if (life !== undefined)
        expect(
          await until(
            () => ping(system, 'x').catch(() => undefined),
            (pong) => pong?.incarnation === life,
          ),
        ).toBeDefined();
    },
  );

  it('S26 a name reaches the next life after a kill of worker and supervisor', async () => {
    const system = await start(supervisor('sup', { children: [actor('x', 'b')] }));
    expect(system.kill('x')).toBe(true);
    await until(
      () => ping(system, 'x').catch(() => undefined),
      (pong) => pong?.incarnation === 2,
    );
    expect(system.kill('sup')).toBe(true);
    await until(
      () => ping(system, 'x').catch(() => undefined),
      (pong) => pong?.incarnation === 3,
    );
    expect(system.whereIs('sup')).toEqual({ path: 'sup', incarnation: 2 });
  });

  it('ends linked lives across threads, also when a thread dies', async () => {
    const system = await start(
      supervisor('sup', { intensity: 100, backoffMaxMs: 0, children: [actor('x', 'a'), actor('y', 'b')] }),
    );
    tell(system, 'x', { type: 'tie', to: 'y' });
    await ping(system, 'x');
    tell(system, 'y', { type: 'crash' });
    await until(
      () => ping(system, 'x').catch(() => undefined),
      (pong) => pong?.incarnation === 2,
    );
    await until(
      () => ping(system, 'y').catch(() => undefined),
      (pong) => pong?.incarnation === 2,
    );
    tell(system, 'x', { type: 'tie', to: 'y' });
    await ping(system, 'x');
    system.killThread('b');
    expect(
      await until(
        () => ping(system, 'x').catch(() => undefined),
        (pong) => pong?.incarnation === 3,
      ),
    ).toBeDefined();
  });

  it('stays consistent while children come and go and threads die', async () => {
    const template = actor('job', 'a', {}, { restart: 'transient' });
    const system = await start(
      supervisor('pool', { strategy: 'simple-one-for-one', intensity: 10_000, backoffMaxMs: 0, children: [template] }),
      actor('peer', 'b'),
    );
    let started = 0;
    for (let round = 0; round < 6; round++) {
      const outcomes = await Promise.all(
        Array.from({ length: 50 }, (_, index) => {
          if (index === 25 && round % 2 === 1) system.killThread(round % 4 === 1 ? 'a' : 'b');
          return system.request('pool', { type: 'start-dynamic-child' });
        }),
      );
      started += outcomes.filter((outcome) => outcome.type === 'started').length;
      // A start that a thread's death ended is refused, and nothing of it stays.
      expect(
        outcomes.every(
          (outcome) => outcome.type === 'started' || (outcome.type === 'refused' && outcome.error === 'start-failed'),
        ),
      ).toBe(true);
      await until(
        () => system.countChildren('pool'),
        (counts) => counts?.active === started && counts.actors === started,
      );
    }
    for (const child of system.whichChildren('pool') ?? [])
      expect(await ping(system, child.id)).toMatchObject({ greetings: 0 });
    const snapshot = await until(
      () => system.snapshot(),
      ({ actors }) => actors.length === started + 1,
    );
    expect(snapshot.threads.map((thread) => thread.lostWakeUps)).toEqual([0, 0, 0]);
  });
});
