import { describe, expect, it } from 'vitest';
import type { JournalPorts, TaskDone, TaskFailed } from '../../src/ports/ports.ts';
import { randomStream } from '../../src/runtime/random.ts';
import type { MessageShape } from '../../src/runtime/actor.ts';
import { noMetrics } from '../../src/runtime/metrics.ts';
import type { PortsContext } from '../../src/runtime/ports-context.ts';
import { SimulatedDisk } from '../../src/simulation/simulated-disk.ts';
import { simulatedCpuPort, simulatedJournalPorts } from '../../src/simulation/simulated-ports.ts';
import type { JournalRow } from '../../src/storage/rows.ts';
import { VirtualClock } from './virtual-clock.ts';

function row(id: string, change: Partial<JournalRow> = {}): JournalRow {
  return { id, type: 'intent', atMs: 1, actor: 'position/BTC', correlation: 'p1', payload: { amount: 12n }, ...change };
}

function stage(disk = new SimulatedDisk()) {
  const clock = new VirtualClock();
  const told: MessageShape[] = [];
  const context: PortsContext = {
    path: 'journal',
    kind: 'journal',
    incarnation: 1,
    threadName: 'store',
    data: undefined,
    deliver: (message) => told.push(message),
    calling: () => 0,
    nowMs: () => clock.monotonicMs(),
    monotonicMs: () => clock.monotonicMs(),
    schedule: (delayMs, action) => clock.schedule(delayMs, action),
    random: (purpose) => randomStream(1, purpose),
    log: () => undefined,
    metrics: noMetrics,
  };
  const ports = simulatedJournalPorts(disk)(context) as JournalPorts & { dispose(): void };
  return { clock, told, context, disk, store: ports.store, dispose: () => ports.dispose() };
}

describe('the journal door on the simulated disk', () => {
  it('answers only after the commit, and reads back what was written', () => {
    const { clock, told, store, disk } = stage();
    const ref = store.append([row('a'), row('b', { correlation: 'p2' })]);
    expect(disk.length).toBe(0);
    clock.pass(500);
    expect(told).toEqual([{ type: 'rows-durable', ref }]);
    expect(store.read({ type: 'by-correlation', correlation: 'p2', afterSequence: 0, limit: 10 })).toEqual([
      row('b', { correlation: 'p2', sequence: 2 }),
    ]);
    expect(store.read({ type: 'all', afterSequence: 1, limit: 1 })).toMatchObject([{ id: 'b', sequence: 2 }]);
  });

  it('counts a repeated row instead of storing it again', () => {
    const { clock, told, store, disk } = stage();
    store.append([row('a')]);
    clock.pass(500);
    store.append([row('a'), row('b')]);
    clock.pass(500);
    expect(told.at(-1)).toMatchObject({ type: 'rows-durable', repeatedRows: 1 });
    expect(disk.rowsAfter(0).map(({ id }) => id)).toEqual(['a', 'b']);
  });

  it('fails on command and works again', () => {
    const { clock, told, store, disk } = stage();
    disk.failNextAppends(1);
    store.append([row('a')]);
    clock.pass(500);
    store.append([row('a')]);
    clock.pass(500);
    expect(told.map(({ type }) => type)).toEqual(['store-failed', 'rows-durable']);
    expect(disk.length).toBe(1);
  });

  it('loses what was pending in a crash and nothing that was durable', () => {
    const first = stage();
    first.store.append([row('a')]);
    first.clock.pass(500);
    first.store.append([row('b')]);
    first.disk.crash();
    first.clock.pass(500);
    first.dispose();

    const second = stage(first.disk);
    expect(second.store.read({ type: 'all', afterSequence: 0, limit: 10 }).map(({ id }) => id)).toEqual(['a']);
    second.store.append([row('c')]);
    second.clock.pass(500);
    expect(second.disk.rowsAfter(0).map(({ id }) => id)).toEqual(['a', 'c']);
  });

  it('can lose its tail, whose ids are then new again', () => {
    const { clock, store, disk } = stage();
    store.append([row('a'), row('b'), row('c')]);
    clock.pass(500);
    expect(disk.loseTail(2)).toBe(2);
    store.append([row('b')]);
    clock.pass(500);
    expect(disk.rowsAfter(0).map(({ id, sequence }) => [id, sequence])).toEqual([
      ['a', 1],
      ['b', 2],
    ]);
  });
});

describe('the CPU door', () => {
  it('answers each task once, after a delay, with its result or its failure', () => {
    const { clock, context } = stage();
    const told: (TaskDone | TaskFailed)[] = [];
    const cpu = simulatedCpuPort(
      { ...context, deliver: (message) => told.push(message as TaskDone) },
      (task, input, entropy) => {
        if (task === 'fail') throw new Error('on purpose');
        return [input, entropy.length];
      },
    );
    cpu.run('double', 4);
    cpu.run('fail', 0);
    expect(told).toEqual([]);
    clock.pass(100);
    expect(told.toSorted((a, b) => a.ref - b.ref)).toEqual([
      { type: 'task-done', ref: 1, result: [4, 64] },
      { type: 'task-failed', ref: 2, detail: 'on purpose' },
    ]);
  });
});
