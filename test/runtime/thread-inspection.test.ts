import { afterEach, describe, expect, it } from 'vitest';
import type { MessageShape } from '../../src/runtime/actor.ts';
import type { ActorSystem, ThreadSystemOptions } from '../../src/runtime/system.ts';
import { startThreads } from '../../src/runtime/thread-system.ts';
import { sink } from './fixtures/counting-actors.ts';
import { feedPorts, passer } from './fixtures/traced-actors.ts';

const ENTRY = new URL('./fixtures/traced-worker.ts', import.meta.url);

let system: ActorSystem | undefined;

afterEach(async () => {
  await system?.stop({ deadlineMs: 2_000 });
  system = undefined;
});

/** feed (a) -> decider (b) -> gateway (a), a sink on each thread and one on main. */
async function start(more: Partial<ThreadSystemOptions> = {}): Promise<ActorSystem> {
  const actor = (id: string, kind: string, thread: string | undefined, args: unknown) =>
    ({ type: 'actor', id, kind, args, ...(thread === undefined ? {} : { thread }), mailboxMessagesMax: 50 }) as const;
  system = await startThreads({
    tree: {
      type: 'supervisor',
      id: 'root',
      children: [
        actor('gateway', 'passer', 'a', {}),
        actor('decider', 'passer', 'b', { next: 'gateway' }),
        actor('feed', 'passer', 'a', { next: 'decider' }),
        actor('sink/a', 'sink', 'a', {}),
        actor('sink/main', 'sink', undefined, {}),
      ],
    },
    kinds: [passer, sink],
    portsFor: feedPorts,
    calendar: { type: 'live' },
    log: () => {},
    threads: [
      { name: 'a', entry: ENTRY },
      { name: 'b', entry: ENTRY, wake: 'wait' },
    ],
    ...more,
  });
  return system;
}

function tell(running: ActorSystem, path: string, message: MessageShape & Readonly<Record<string, unknown>>): void {
  expect(running.tell(path, message)).toBe('sent');
}

async function until<Answer>(question: () => Promise<Answer>, holds: (answer: Answer) => boolean): Promise<Answer> {
  for (;;) {
    const answer = await question();
    if (holds(answer)) return answer;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

describe.each(['sink/a', 'sink/main'])('steering %s', { timeout: 120_000 }, (path) => {
  it('pauses it: what it is told waits, can be looked at, and is handled in order once it is resumed', async () => {
    const running = await start();
    expect(await running.pauseActor(path)).toBe(true);
    for (const number of [0, 1, 2])
      tell(running, path, { type: 'item', from: 'me', number, text: 'x'.repeat(number * 400) });
    tell(running, path, { type: 'price', symbol: 'BTC', value: 7 });
    const view = await until(
      () => running.peek(path, { limit: 4 }),
      (answer) => answer?.depthTotal === 4,
    );
    expect(
      view?.messages.map(({ type, class: deliveryClass, from, message }) => [type, deliveryClass, from, message]),
    ).toEqual([
      ['item', 'must-deliver', '', { type: 'item', from: 'me', number: 0, text: '' }],
      ['item', 'must-deliver', '', { type: 'item', from: 'me', number: 1, text: 'x'.repeat(400) }],
      ['item', 'must-deliver', '', { type: 'item', from: 'me', number: 2, text: '[800 characters]' }],
      ['price', 'market', '', { type: 'price', symbol: 'BTC', value: 7 }],
    ]);
    expect((await running.peek(path, { limit: 1 }))?.messages).toHaveLength(1);
    expect(await running.inspect(path)).toMatchObject({ status: 'paused', mailbox: { depthTotal: 4, processed: 0 } });
    expect(await running.resumeActor(path)).toBe(true);
    const after = await until(
      () => running.inspect(path),
      (answer) => answer?.mailbox.depthTotal === 0,
    );
    expect(after).toMatchObject({ status: 'running', queueTime: { count: 4 } });
    expect(await running.ask(path, { type: 'report' }, { deadlineMs: 5_000 })).toMatchObject({
      received: 3,
      gaps: 0,
      duplicates: 0,
    });
    expect((await running.peek(path))?.messages).toEqual([]);
  });

  it('restarts it through its supervisor, with its mailbox', async () => {
    const running = await start();
    await running.pauseActor(path);
    tell(running, path, { type: 'item', from: 'me', number: 0 });
    // Messages and the control plane take different ways: only what has arrived can be kept.
    await until(
      () => running.inspect(path),
      (answer) => answer?.mailbox.depthTotal === 1,
    );
    expect(await running.restartActor(path)).toBe(true);
    const restarted = await until(
      () => running.inspect(path),
      (answer) => answer?.incarnation === 2 && answer.status === 'paused',
    );
    expect(restarted).toMatchObject({ mailbox: { depthTotal: 1 }, restarts: 1 });
    await running.resumeActor(path);
    expect(await running.ask(path, { type: 'report' }, { deadlineMs: 5_000 })).toMatchObject({
      received: 1,
      incarnation: 2,
    });
    expect((await running.snapshot()).supervisors[0]).toMatchObject({ restartsTotal: 1 });
  });
});

describe('inspection', { timeout: 120_000 }, () => {
  it('keeps an actor paused when its thread dies', async () => {
    const running = await start();
    await running.pauseActor('sink/a');
    running.killThread('a');
    await until(
      () => running.inspect('sink/a'),
      (answer) => answer?.incarnation === 2 && answer.status === 'paused',
    );
    await running.resumeActor('sink/a');
    expect(await running.ask('sink/a', { type: 'report' }, { deadlineMs: 5_000 })).toMatchObject({ incarnation: 2 });
  });

  it('has no answer for a path where no actor lives', async () => {
    const running = await start();
    expect(await running.peek('nobody')).toBeUndefined();
    expect(
      await Promise.all([running.pauseActor('nobody'), running.resumeActor('$asks'), running.restartActor('nobody')]),
    ).toEqual([false, false, false]);
  });

  it('follows one frame of so many across threads, to everything told because of it', async () => {
    const running = await start({ traceEvery: 10 });
    tell(running, 'feed', { type: 'pull', frames: 40 });
    const traces = await until(
      () => running.traces(),
      (answer) => answer.filter((trace) => trace.spans.length === 3).length === 4,
    );
    expect(traces.map(({ traceId }) => traceId)).toEqual([4, 3, 2, 1]);
    for (const { threads, spans, beganAtMs, durationMs } of traces) {
      expect(threads).toEqual(['a', 'b']);
      expect(spans.map(({ from, path, type, thread }) => `${from} ${type} ${path} ${thread}`)).toEqual([
        '$port frame feed a',
        'feed tick decider b',
        'decider order gateway a',
      ]);
      let beforeMs = beganAtMs;
      for (const { queuedAtMs, startedAtMs, endedAtMs } of spans) {
        // Send times cross threads in whole microseconds.
        expect(queuedAtMs).toBeGreaterThan(beforeMs - 0.01);
        expect(startedAtMs).toBeGreaterThanOrEqual(queuedAtMs);
        expect(endedAtMs).toBeGreaterThanOrEqual(startedAtMs);
        beforeMs = startedAtMs;
      }
      // A message may be handled on the other thread before the handler that told it returns.
      expect(durationMs).toBeCloseTo(Math.max(...spans.map(({ endedAtMs }) => endedAtMs)) - beganAtMs, 6);
    }
  });

  it('keeps a named trace whole on all threads, whatever else they trace afterwards', async () => {
    const running = await start({ traceEvery: 1 });
    // Frames come 2 ms apart and traces begin 10 ms apart. When a later one is known, all threads know the first one's name.
    tell(running, 'feed', { type: 'pull', frames: 12 });
    await until(
      () => running.traces(),
      (answer) => answer.filter(({ names }) => names.length > 0).length >= 2,
    );
    // Far more than a thread keeps of traces without a name.
    for (const path of ['feed', 'decider']) tell(running, path, { type: 'flood', steps: 2_000 });
    const after = await until(
      () => running.traces(),
      (answer) => answer.filter(({ marks }) => marks.length >= 500).length === 2,
    );
    const kept = after.at(-1);
    expect(kept).toMatchObject({ traceId: 1, names: ['order 0'], threads: ['a', 'b'] });
    expect(kept?.spans.map(({ path, type }) => `${path} ${type}`)).toEqual([
      'feed frame',
      'decider tick',
      'gateway order',
    ]);
  });

  it('traces nothing unless it is told to', async () => {
    const running = await start();
    tell(running, 'feed', { type: 'pull', frames: 20 });
    await until(
      () => running.inspect('gateway'),
      (answer) => answer?.mailbox.processed === 20,
    );
    expect(await running.traces()).toEqual([]);
  });

  it('leaves durations unmeasured when it is told to', async () => {
    const running = await start({ measureDurations: false });
    tell(running, 'sink/a', { type: 'item', from: 'me', number: 0 });
    const answer = await until(
      () => running.inspect('sink/a'),
      (inspection) => inspection?.mailbox.processed === 1,
    );
    expect(answer).toMatchObject({ queueTime: { count: 0 } });
    expect(answer?.ratePerSecond).toBeGreaterThan(0);
  });
});
