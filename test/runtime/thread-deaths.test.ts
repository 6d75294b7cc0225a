import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import type { MessageShape } from '../../src/runtime/actor.ts';
import type { LogRecord } from '../../src/runtime/ports-context.ts';
import type { ActorSystem, ThreadSystemOptions } from '../../src/runtime/system.ts';
import { startThreads } from '../../src/runtime/thread-system.ts';
import { doomed } from './fixtures/doomed-actors.ts';
import type { Doom, DoomedMessage } from './fixtures/doomed-actors.ts';

const ENTRY = new URL('./fixtures/doomed-worker.ts', import.meta.url);

let system: ActorSystem | undefined;
let logs: LogRecord[] = [];

afterEach(async () => {
  await system?.stop({ deadlineMs: 2_000 });
  system = undefined;
  logs = [];
});

/** A doomed actor and a bystander on thread a, another bystander on thread b. */
async function start(more: Partial<ThreadSystemOptions> = {}): Promise<ActorSystem> {
  system = await startThreads({
    tree: {
      type: 'supervisor',
      id: 'root',
      children: (['doomed', 'housemate', 'neighbour'] as const).map((id) => ({
        type: 'actor',
        id,
        kind: 'doomed',
        args: {},
        thread: id === 'neighbour' ? 'b' : 'a',
      })),
    },
    kinds: [doomed],
    portsFor: () => ({}),
    calendar: { type: 'live' },
    log: (record) => logs.push(record),
    threads: [
      {
        name: 'a',
        entry: ENTRY,
        spare: true,
        resourceLimits: { maxOldGenerationSizeMb: 24, maxYoungGenerationSizeMb: 8 },
      },
      { name: 'b', entry: ENTRY },
    ],
    heartbeatMs: 300,
    ...more,
  });
  return system;
}

function tell(running: ActorSystem, path: string, message: DoomedMessage | { readonly type: 'list-notes' }): void {
  expect(running.tell(path, message)).toBe('sent');
}

interface Notes {
  readonly notes: readonly number[];
  readonly incarnation: number;
}

/** Asks until somebody answers: a life that ends first does not. */
async function notesOf(running: ActorSystem, path: string, holds: (answer: Notes) => boolean): Promise<Notes> {
  for (;;) {
    const answer = await (
      running.ask(path, { type: 'list-notes' } as MessageShape, { deadlineMs: 10_000 }) as Promise<Notes>
    ).catch(() => undefined);
    if (answer !== undefined && holds(answer)) return answer;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

function died(): readonly string[] {
  return logs.filter((record) => record.event === 'thread-died').map((record) => String(record.fields?.['reason']));
}

describe('the death of a thread', { timeout: 120_000 }, () => {
  const deaths: readonly (readonly [Doom, RegExp])[] = [
    ['uncaught-error', /ended with code 1: Error: nobody catches this/],
    ['unhandled-rejection', /ended with code 1: Error: nobody handles this/],
    ['process-exit', /ended with code 3$/],
    ['heap-overflow', /reaching memory limit/],
    ['stack-overflow', /RangeError: Maximum call stack/],
  ];

  it.each(deaths)(
    'by %s is the death of its actors, and the spare takes over with what they were told since',
    async (of, reason) => {
      const running = await start();
      tell(running, 'housemate', { type: 'note', number: 1 });
      await notesOf(running, 'housemate', ({ notes }) => notes.length === 1);
      tell(running, 'doomed', { type: 'die', of });
      await notesOf(running, 'doomed', ({ incarnation }) => incarnation > 1);
      tell(running, 'housemate', { type: 'note', number: 2 });
      // State dies with the thread; the message after the death does not.
      expect(await notesOf(running, 'housemate', ({ notes }) => notes.includes(2))).toEqual({
        notes: [2],
        incarnation: 2,
      });
      expect(await notesOf(running, 'neighbour', () => true)).toMatchObject({ incarnation: 1 });
      expect(died()).toEqual([expect.stringMatching(reason)]);
      const { threads } = await running.snapshot();
      expect(threads.map(({ name, incarnation, status }) => [name, incarnation, status])).toEqual([
        ['main', 1, 'running'],
        ['a', 2, 'running'],
        ['b', 1, 'running'],
      ]);
      expect(threads.find(({ name }) => name === 'a')?.lastFailure).toMatch(reason);
    },
  );

  it.each(['endless-loop', 'endless-wait'] as const)(
    'by %s is found by the silence of its heartbeat, and what it hung over twice is set aside',
    async (of) => {
      const running = await start();
      tell(running, 'doomed', { type: 'die', of });
      tell(running, 'housemate', { type: 'note', number: 7 });
      expect(await notesOf(running, 'housemate', ({ incarnation }) => incarnation > 2)).toMatchObject({
        incarnation: 3,
      });
      expect(await notesOf(running, 'doomed', () => true)).toEqual({ notes: [], incarnation: 3 });
      expect(logs.filter((record) => record.event === 'thread-hung')).toHaveLength(2);
      expect((await running.snapshot()).deadLetters).toMatchObject({
        byReason: { poison: 1 },
        latest: [{ path: 'doomed', type: 'die', reason: 'poison' }],
      });
    },
  );

  it('leaves nothing unread of what it had told others, life after life', async () => {
    const running = await start({ heartbeatMs: 5_000 });
    for (const life of [1, 3]) {
      // The receiver looks away while the sender writes and dies: all of it is read from the rings of a dead thread.
      tell(running, 'neighbour', { type: 'spin', forMs: 50 });
      tell(running, 'doomed', { type: 'burst-and-exit', to: 'neighbour', first: life * 1_000, count: 400 });
      const { notes } = await notesOf(running, 'neighbour', (answer) => answer.notes.includes(life * 1_000 + 399));
      expect(notes.slice(-400)).toEqual(Array.from({ length: 400 }, (_, index) => life * 1_000 + index));
      await notesOf(running, 'doomed', ({ incarnation }) => incarnation === life + 1);
      if (life === 1) tell(running, 'doomed', { type: 'die', of: 'process-exit' });
      if (life === 1) await notesOf(running, 'doomed', ({ incarnation }) => incarnation === 3);
    }
    expect((await notesOf(running, 'neighbour', () => true)).notes).toHaveLength(800);
    expect(died()).toHaveLength(3);
  });

  it('is not brought about by the crash of one of its actors', async () => {
    const running = await start();
    tell(running, 'housemate', { type: 'note', number: 1 });
    tell(running, 'doomed', { type: 'die', of: 'crash' });
    tell(running, 'doomed', { type: 'note', number: 2 });
    // Its mailbox outlives it: the message behind the one it crashed over twice is not lost.
    expect(await notesOf(running, 'doomed', ({ notes }) => notes.length === 1)).toEqual({ notes: [2], incarnation: 3 });
    expect(await notesOf(running, 'housemate', () => true)).toEqual({ notes: [1], incarnation: 1 });
    expect(died()).toEqual([]);
  });

  it('trap 7: inside a native call, which nothing can end, it ends the process with code 70 at once', async () => {
    const child = spawn(process.execPath, [fileURLToPath(new URL('./fixtures/stuck-process.ts', import.meta.url))], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
    const [code] = (await once(child, 'close')) as [number | null];
    expect(code).toBe(70);
    expect(output).toBe('thread-attached\nthread-hung\nthread-unkillable\n');
  });
});
