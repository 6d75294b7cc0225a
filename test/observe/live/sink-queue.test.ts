import { expect, it, onTestFinished } from 'vitest';
import type { Notice } from '../../../src/observe/alert-engine.ts';
import type { Severity } from '../../../src/observe/alert-rules.ts';
import { SinkQueue } from '../../../src/observe/live/sink-queue.ts';

function notice(rule: string, severity: Severity): Notice {
  const fixed = { type: 'raised', metric: 'x', labels: {}, value: 1, comparison: '>', limit: 0 } as const;
  return { ...fixed, rule, severity, text: rule, atMs: 0, sinceMs: 0 };
}

function staged(options: Partial<ConstructorParameters<typeof SinkQueue>[1]> = {}) {
  const sent: string[] = [];
  let release: () => void = () => undefined;
  const held = new Promise<void>((resolve) => (release = resolve));
  let nowMs = 0;
  const queue = new SinkQueue(
    {
      name: 'test',
      send: async ({ rule }) => {
        sent.push(rule);
        await held;
      },
    },
    {
      severityMin: 'info',
      queueMax: 3,
      timeoutMs: 60_000,
      perMinute: 1_000,
      log: () => undefined,
      monotonicMs: () => nowMs,
      ...options,
    },
  );
  onTestFinished(() => queue.close());
  return { queue, sent, release, pass: (ms: number) => void (nowMs += ms) };
}

/** Settles when everything that is ready to run has run. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

it('loses the oldest of what matters least when it is full, and counts it', async () => {
  const { queue, sent, release } = staged();
  queue.offer(notice('first', 'info'));
  for (const [rule, severity] of [
    ['a', 'critical'],
    ['b', 'info'],
    ['c', 'info'],
    ['d', 'critical'],
    ['e', 'warning'],
  ] as const)
    queue.offer(notice(rule, severity));
  expect(queue.view()).toMatchObject({ waiting: 3, dropped: 2, sent: 0 });
  release();
  while (queue.view().sent < 4) await settled();
  expect(sent).toEqual(['first', 'a', 'd', 'e']);
});

it('takes no notice of what is below its severity', () => {
  const { queue } = staged({ severityMin: 'critical' });
  queue.offer(notice('a', 'warning'));
  expect(queue.view()).toMatchObject({ waiting: 0, dropped: 0, sent: 0 });
});

it('sends so many in a minute and keeps the rest waiting', async () => {
  const { queue, sent, release } = staged({ perMinute: 2 });
  release();
  for (const rule of ['a', 'b', 'c']) queue.offer(notice(rule, 'warning'));
  while (queue.view().sent < 2) await settled();
  for (let turn = 0; turn < 50; turn++) await settled();
  expect(sent).toEqual(['a', 'b']);
  expect(queue.view()).toMatchObject({ waiting: 1 });
});
