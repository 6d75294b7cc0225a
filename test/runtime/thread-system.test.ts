import { afterEach, describe, expect, it } from 'vitest';
import type { MessageShape } from '../../src/runtime/actor.ts';
import type { ActorSpec, ChildSpec, SupervisorSpec } from '../../src/runtime/child-spec.ts';
import type { LogRecord } from '../../src/runtime/ports-context.ts';
import type { ActorSystem, ThreadSpec, ThreadSystemOptions } from '../../src/runtime/system.ts';
import { startThreads } from '../../src/runtime/thread-system.ts';
import { relay, sink, watcher } from './fixtures/counting-actors.ts';

const ENTRY = new URL('./fixtures/test-worker.ts', import.meta.url);

let system: ActorSystem | undefined;
let logs: LogRecord[] = [];

afterEach(async () => {
  await system?.stop({ deadlineMs: 2_000 });
  system = undefined;
  logs = [];
});

function actor(id: string, kind: string, thread?: string, more: Partial<ActorSpec> = {}): ActorSpec {
  return { type: 'actor', id, kind, args: {}, ...(thread === undefined ? {} : { thread }), ...more };
}

function root(...children: ChildSpec[]): SupervisorSpec {
  return { type: 'supervisor', id: 'root', intensity: 20, children };
}

async function start(
  tree: SupervisorSpec,
  threads: readonly ThreadSpec[],
  more: Partial<ThreadSystemOptions> = {},
): Promise<ActorSystem> {
  system = await startThreads({
    tree,
    kinds: [relay, sink, watcher],
    portsFor: () => ({}),
    calendar: { type: 'live' },
    log: (record) => logs.push(record),
    threads,
    ...more,
  });
  return system;
}

/** Asks again until the answer satisfies the condition: waits for an effect, not for a time. */
async function until<Answer>(question: () => Promise<Answer>, holds: (answer: Answer) => boolean): Promise<Answer> {
  for (;;) {
    const answer = await question();
    if (holds(answer)) return answer;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

interface SinkReport {
  readonly received: number;
  readonly duplicates: number;
  readonly gaps: number;
  readonly incarnation: number;
}

async function report(running: ActorSystem, path = 'sink'): Promise<SinkReport> {
  return (await running.ask(path, { type: 'report' }, { deadlineMs: 10_000 })) as SinkReport;
}

async function settledReport(running: ActorSystem, path = 'sink'): Promise<SinkReport | undefined> {
  try {
    return await report(running, path);
  } catch {
    return undefined;
  }
}

describe('a system on threads', { timeout: 120_000 }, () => {
  it.each(['nudge', 'wait'] as const)(
    'carries 100,000 messages between two %s threads without losing or repeating one',
    async (wake) => {
      const running = await start(
        root(actor('sink', 'sink', 'b'), actor('relay', 'relay', 'a', { args: { batch: 500 } })),
        [
          { name: 'a', entry: ENTRY, wake },
          { name: 'b', entry: ENTRY, wake },
        ],
      );
      running.tell('relay', { type: 'start-relay', to: 'sink', count: 100_000 } as MessageShape);
      const result = await until(
        () => report(running),
        (answer) => answer.received >= 100_000,
      );
      expect(result).toMatchObject({ received: 100_000, duplicates: 0, gaps: 0, incarnation: 1 });
      const snapshot = await running.snapshot();
      expect(snapshot.threads.map((thread) => [thread.name, thread.lostWakeUps])).toEqual([
        ['main', 0],
        ['a', 0],
        ['b', 0],
      ]);
      expect(snapshot.deadLetters.total).toBe(0);
    },
  );

  it('runs everything on the main thread when no actor names another', async () => {
    const running = await start(root(actor('sink', 'sink'), actor('relay', 'relay')), []);
    running.tell('relay', { type: 'start-relay', to: 'sink', count: 1_000 } as MessageShape);
    expect(
      await until(
        () => report(running),
        (answer) => answer.received >= 1_000,
      ),
    ).toMatchObject({ gaps: 0, duplicates: 0 });
  });

  it('restarts a crashed actor inside its thread and tells its watcher on another', async () => {
    const running = await start(root(actor('sink', 'sink', 'a'), actor('watcher', 'watcher', 'b')), [
      { name: 'a', entry: ENTRY },
      { name: 'b', entry: ENTRY },
    ]);
    running.tell('watcher', { type: 'watch-it', path: 'sink' } as MessageShape);
    await until(
      () => running.inspect('sink'),
      (inspection) => inspection?.watchers.length === 1,
    );
    running.tell('sink', { type: 'crash-now' });
    const inspection = await until(
      () => running.inspect('sink'),
      (answer) => answer?.incarnation === 3 && answer.status === 'running',
    );
    expect(inspection?.failure).toMatchObject({ reason: 'Error: told to crash', during: 'crash-now', incarnation: 2 });
    const downs = await running.ask('watcher', { type: 'list-downs' }, { deadlineMs: 5_000 });
    expect(downs).toContainEqual({ path: 'sink', incarnation: 1 });
    expect((await running.snapshot()).deadLetters.byReason).toEqual({ poison: 1 });
  });

  it.each([false, true])(
    'brings the actors of a killed thread back and loses no message told to them (spare %s)',
    async (spare) => {
      const running = await start(
        root(
          actor('sink', 'sink', 'b'),
          actor('bystander', 'sink', 'a'),
          actor('relay', 'relay', 'a', { args: { batch: 200 } }),
        ),
        [
          { name: 'a', entry: ENTRY },
          { name: 'b', entry: ENTRY, spare },
        ],
      );
      running.tell('relay', { type: 'start-relay', to: 'sink', count: 60_000 } as MessageShape);
      const before = await until(
        () => report(running),
        (answer) => answer.received > 1_000,
      );
      running.killThread('b');
      const after = await until(
        () => settledReport(running),
        (answer) => answer?.incarnation === 2 && answer.received > 0,
      );
      const last = await until(
        async () => (await running.inspect('relay'))?.digest as { readonly next: number } | undefined,
        (digest) => digest?.next === 60_000,
      );
      expect(last).toEqual({ next: 60_000 });
      // The new life starts its count at the first message it sees; from there to the last none may be missing.
      const final = await until(
        () => running.inspect('sink'),
        (inspection) => inspection?.mailbox.depthTotal === 0 && inspection.mailbox.processed > 0,
      );
      const total = await report(running);
      expect(total.gaps).toBe(0);
      expect(before.received + total.received).toBeLessThanOrEqual(60_000);
      expect(final?.status).toBe('running');
      expect(after?.incarnation).toBe(2);
      expect((await report(running, 'bystander')).incarnation).toBe(1);
      expect((await running.snapshot()).threads.find((thread) => thread.name === 'b')).toMatchObject({
        incarnation: 2,
        status: 'running',
      });
    },
  );

  it('terminates a thread that hangs, restarts it, and sets aside the message it hung over twice', async () => {
    const running = await start(root(actor('sink', 'sink', 'a')), [{ name: 'a', entry: ENTRY }], { heartbeatMs: 300 });
    await report(running);
    running.tell('sink', { type: 'spin', forMs: 3_600_000 } as MessageShape);
    const inspection = await until(
      () => running.inspect('sink'),
      (answer) => answer?.incarnation === 3 && answer.status === 'running',
    );
    expect(inspection?.thread).toBe('a');
    expect(await report(running)).toMatchObject({ incarnation: 3 });
    expect((await running.snapshot()).deadLetters.byReason).toEqual({ poison: 1 });
    expect(logs.filter((record) => record.event === 'thread-hung')).toHaveLength(2);
  });

  it('fails an ask at once when the asked actor ends, and at its deadline when nobody answers', async () => {
    const running = await start(root(actor('sink', 'sink', 'a')), [{ name: 'a', entry: ENTRY }]);
    const ended = running.ask('sink', { type: 'crash-now' }, { deadlineMs: 60_000 });
    await expect(ended).rejects.toMatchObject({ code: 'actor-ended' });
    await until(
      () => settledReport(running),
      (answer) => answer !== undefined,
    );
    await expect(
      running.ask('sink', { type: 'item', from: 'x', number: 0 } as MessageShape, { deadlineMs: 20 }),
    ).rejects.toMatchObject({ code: 'deadline' });
    await expect(running.ask('nobody', { type: 'report' }, { deadlineMs: 60_000 })).rejects.toMatchObject({
      code: 'not-sent',
    });
  });

  it('carries messages larger than a ring in pieces', async () => {
    const running = await start(root(actor('sink', 'sink', 'a')), [{ name: 'a', entry: ENTRY }]);
    expect(
      running.tell('sink', { type: 'item', from: 'me', number: 2, text: 'x'.repeat(17 * 1024 * 1024) } as MessageShape),
    ).toBe('refused');
    const text = 'x'.repeat(15 * 1024 * 1024);
    expect(running.tell('sink', { type: 'item', from: 'me', number: 0, text } as MessageShape)).toBe('sent');
    expect(running.tell('sink', { type: 'item', from: 'me', number: 1 } as MessageShape)).toBe('sent');
    expect(
      await until(
        () => report(running),
        (answer) => answer.received >= 2,
      ),
    ).toMatchObject({ received: 2, gaps: 0 });
    expect((await running.snapshot()).deadLetters.byReason).toEqual({ 'message-too-large': 1 });
  });

  it('refuses to start when a child cannot start, naming it', async () => {
    await expect(
      start(root(actor('sink', 'sink', 'a'), actor('x', 'no-such-kind', 'a')), [{ name: 'a', entry: ENTRY }]),
    ).rejects.toThrow(/"x" failed to start.*no-such-kind/);
  });

  it('fails with the reason when a thread keeps dying', async () => {
    const running = await start(root(actor('sink', 'sink', 'a')), [{ name: 'a', entry: ENTRY }], {
      threadIntensity: 0,
    });
    running.killThread('a');
    expect(await running.failed).toMatch(/thread "a" died 1 times/);
  });
});
