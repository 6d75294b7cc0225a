import { afterEach, describe, expect, it } from 'vitest';
import type { MessageShape } from '../../src/runtime/actor.ts';
import type { ChildSpec } from '../../src/runtime/child-spec.ts';
import type { LogRecord } from '../../src/runtime/ports-context.ts';
import { randomStream } from '../../src/runtime/random.ts';
import type { ActorSystem, ThreadSystemOptions } from '../../src/runtime/system.ts';
import { startThreads } from '../../src/runtime/thread-system.ts';
import { ledgerProducer, ledgerReceiver, type LedgerArgs } from './fixtures/ledger-actors.ts';

const ENTRY = new URL('./fixtures/ledger-worker.ts', import.meta.url);
const ENTRIES = 8_000;

let system: ActorSystem | undefined;
let logs: LogRecord[] = [];

afterEach(async () => {
  await system?.stop({ deadlineMs: 2_000 });
  system = undefined;
  logs = [];
});

interface Flow {
  readonly acknowledged: Int32Array;
  readonly seen: Int32Array;
}

function words(count: number): Int32Array {
  return new Int32Array(new SharedArrayBuffer(4 * count));
}

/** So many producers on thread a, each with a receiver on thread b; receivers may be moved anywhere, main included. */
async function start(flows: number, more: Partial<ThreadSystemOptions> = {}, lookAgainMs = 600_000) {
  const faults = words(2);
  const ledgers: readonly Flow[] = Array.from({ length: flows }, () => ({
    acknowledged: words(1),
    seen: words(ENTRIES),
  }));
  const children = ledgers.flatMap(({ acknowledged, seen }, index): ChildSpec[] => {
    const args = (side: Int32Array, peer: string): LedgerArgs => ({
      peer,
      count: ENTRIES,
      words: side,
      torn: faults,
      lookAgainMs,
    });
    return [
      {
        type: 'actor',
        id: `receiver/${index}`,
        kind: 'ledger-receiver',
        thread: 'b',
        args: args(seen, `producer/${index}`),
      },
      {
        type: 'actor',
        id: `producer/${index}`,
        kind: 'ledger-producer',
        thread: 'a',
        args: args(acknowledged, `receiver/${index}`),
      },
    ];
  });
  system = await startThreads({
    tree: { type: 'supervisor', id: 'root', intensity: 1_000, backoffMinMs: 1, backoffMaxMs: 1, children },
    kinds: [ledgerProducer, ledgerReceiver],
    portsFor: () => ({}),
    calendar: { type: 'live' },
    log: (record) => logs.push(record),
    threads: [
      { name: 'a', entry: ENTRY },
      { name: 'b', entry: ENTRY },
      { name: 'c', entry: ENTRY, wake: 'wait' },
    ],
    threadsMax: 5,
    ...more,
  });
  return { running: system, faults, ledgers };
}

async function untilTrue(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setImmediate(resolve));
}

function isDone({ acknowledged }: Flow): boolean {
  return Atomics.load(acknowledged, 0) === ENTRIES;
}

describe('moving an actor', { timeout: 180_000 }, () => {
  it('under load loses nothing, repeats nothing and keeps the order of each sender, wherever it goes', async () => {
    const { running, faults, ledgers } = await start(2);
    const random = randomStream(1, 'moves');
    let moves = 0;
    while (!ledgers.every(isDone) || moves < 12) {
      await running.moveActor(`receiver/${moves % 2}`, ['a', 'b', 'c', 'main'][random.nextUint32() % 4] ?? '');
      moves += 1;
    }
    await untilTrue(() => ledgers.every(isDone));
    for (const { seen } of ledgers) expect([...seen].filter((count) => count !== 1)).toEqual([]);
    expect([...faults]).toEqual([0, 0]);
    expect((await running.snapshot()).deadLetters.total).toBe(0);
    expect(logs.filter(({ event }) => event === 'thread-died')).toEqual([]);
  });

  it('takes what waits in its mailbox along, paused or not, and counts as a new life, not as a restart', async () => {
    const { running } = await start(1);
    await running.pauseActor('receiver/0');
    await untilTrue(async () => ((await running.inspect('receiver/0'))?.mailbox.depthTotal ?? 0) > 30);
    const before = await running.peek('receiver/0', { limit: 10 });
    await running.moveActor('receiver/0', 'c');
    await untilTrue(async () => (await running.inspect('receiver/0'))?.status === 'paused');
    const after = await running.peek('receiver/0', { limit: 10 });
    expect(after?.messages.map(({ message }) => message)).toEqual(before?.messages.map(({ message }) => message));
    expect(await running.inspect('receiver/0')).toMatchObject({
      thread: 'c',
      incarnation: 2,
      mailbox: { depthTotal: 64 },
    });
    expect((await running.snapshot()).supervisors[0]).toMatchObject({ restartsTotal: 0 });
  });

  it('refuses what cannot be done', async () => {
    const { running } = await start(1);
    await expect(running.moveActor('nobody', 'b')).rejects.toThrow(
      'an actor to move must be running, "nobody" is stopped',
    );
    await expect(running.moveActor('receiver/0', 'z')).rejects.toThrow(
      'a thread to move to must be attached, "z" is not',
    );
    await running.moveActor('receiver/0', 'b');
    expect(await running.inspect('receiver/0')).toMatchObject({ incarnation: 1 });
  });

  it.each(['a', 'b', 'c'])('survives the death of thread %s in the middle of it', async (victim) => {
    const { running, faults, ledgers } = await start(2, { threadIntensity: 1_000, threadPeriodMs: 1 }, 20);
    for (let round = 0; round < 6; round++) {
      const moved = running
        .moveActor('receiver/0', round % 2 === 0 ? 'c' : 'b')
        .catch((error: unknown) => String(error));
      await new Promise((resolve) => setTimeout(resolve, round));
      running.killThread(victim);
      await moved;
      await untilTrue(async () => (await running.snapshot()).actors.every(({ status }) => status === 'running'));
    }
    await untilTrue(() => ledgers.every(isDone));
    for (const { seen } of ledgers) expect([...seen].filter((count) => count === 0)).toEqual([]);
    expect(Atomics.load(faults, 0)).toBe(0);
  });
});

describe('threads at run time', { timeout: 120_000 }, () => {
  it('can be added, given actors, and removed again under load without losing or repeating anything', async () => {
    const { running, faults, ledgers } = await start(2);
    await running.addThread({ name: 'd', entry: ENTRY, spare: true });
    await running.moveActor('receiver/0', 'd');
    await running.removeThread('b', { to: 'd' });
    expect((await running.snapshot()).threads.map(({ name, status }) => [name, status])).toEqual([
      ['main', 'running'],
      ['a', 'running'],
      ['c', 'running'],
      ['d', 'running'],
    ]);
    await untilTrue(() => ledgers.every(isDone));
    for (const { seen } of ledgers) expect([...seen].filter((count) => count !== 1)).toEqual([]);
    expect([...faults]).toEqual([0, 0]);
    expect((await running.inspect('receiver/1'))?.thread).toBe('d');
    expect((await running.snapshot()).deadLetters.total).toBe(0);
    running.killThread('d');
    await untilTrue(async () => (await running.inspect('receiver/1'))?.incarnation === 3);
    expect(running.tell('receiver/1', { type: 'look-again' } as MessageShape)).toBe('sent');
  });

  it('are as many as was said at the start, and never have the name of an earlier one', async () => {
    const { running } = await start(1, { threadsMax: 4 });
    await running.removeThread('c', { to: 'b' });
    await expect(running.addThread({ name: 'd', entry: ENTRY })).rejects.toThrow(
      'a system must have at most 4 threads in its life (threadsMax), "d" is one more',
    );
    await expect(running.addThread({ name: 'c', entry: ENTRY })).rejects.toThrow(
      'thread names must be unique for ever, "c" was there before',
    );
    await expect(running.removeThread('main', { to: 'b' })).rejects.toThrow(
      'a thread to remove must be a worker, was "main"',
    );
    await expect(running.removeThread('b', { to: 'b' })).rejects.toThrow('must go to another');
  });
});
