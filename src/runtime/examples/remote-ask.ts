/**
 * An ask from an actor of one thread to an actor of another: a tell, a correlated reply and a timer, and nobody waits.
 * Run it with `node remote-ask.ts`.
 */
import { isMainThread } from 'node:worker_threads';
import { refOf, type ActorKind, type TimerRef } from '../actor.ts';
import { hostActors } from '../actor-host.ts';
import { replyTo, type Asked, type AskReplied } from '../ask.ts';
import { startThreads } from '../thread-system.ts';

const DEADLINE_MS = 500;

type OracleMessage = { readonly type: 'square' | 'ignore'; readonly number: number } & Asked;

const oracle: ActorKind<null, null, OracleMessage> = {
  kind: 'oracle',
  delivery: {
    square: { class: 'must-deliver', priority: 'normal' },
    ignore: { class: 'must-deliver', priority: 'normal' },
  },
  start: () => null,
  receive(state, message, self) {
    if (message.type === 'square') replyTo(self, message, message.number ** 2);
    return state;
  },
};

type AskerMessage =
  | { readonly type: 'find-out'; readonly what: 'square' | 'ignore'; readonly number: number }
  | { readonly type: 'gave-up'; readonly askId: number }
  | AskReplied
  | ({ readonly type: 'what-came' } & Asked);

interface AskerState {
  readonly oracle: string;
  readonly timers: Map<number, TimerRef>;
  readonly came: string[];
  lastAskId: number;
}

const asker: ActorKind<{ readonly oracle: string }, AskerState, AskerMessage> = {
  kind: 'asker',
  delivery: {
    'find-out': { class: 'must-deliver', priority: 'normal' },
    'gave-up': { class: 'must-deliver', priority: 'normal' },
    'ask-replied': { class: 'must-deliver', priority: 'normal' },
    'what-came': { class: 'must-deliver', priority: 'normal' },
  },
  start: (args) => ({ oracle: args.oracle, timers: new Map(), came: [], lastAskId: 0 }),
  receive(state, message, self) {
    switch (message.type) {
      case 'find-out': {
        const askId = ++state.lastAskId;
        self.tell(refOf<OracleMessage>(state.oracle), {
          type: message.what,
          number: message.number,
          replyTo: self.ref, // this life: the answer reaches no later one
          askId,
        });
        state.timers.set(askId, self.after(DEADLINE_MS, { type: 'gave-up', askId }));
        return state;
      }
      case 'ask-replied':
      case 'gave-up': {
        const timer = state.timers.get(message.askId);
        if (timer === undefined) return state; // an answer after its deadline
        state.timers.delete(message.askId);
        self.cancel(timer);
        state.came.push(message.type === 'gave-up' ? `no answer to ${message.askId}` : `${String(message.value)}`);
        return state;
      }
      case 'what-came':
        replyTo(self, message, state.came);
        return state;
    }
  },
};

const kinds = [oracle, asker];

// This module is also the entry of its worker threads.
if (isMainThread) await run();
else hostActors({ kinds, portsFor: () => ({}) });

async function run(): Promise<void> {
  const entry = new URL(import.meta.url);
  const system = await startThreads({
    tree: {
      type: 'supervisor',
      id: 'root',
      children: [
        { type: 'actor', id: 'oracle', kind: 'oracle', args: null, thread: 'right' },
        { type: 'actor', id: 'asker', kind: 'asker', args: { oracle: 'oracle' }, thread: 'left' },
      ],
    },
    kinds,
    portsFor: () => ({}),
    calendar: { type: 'live' },
    log: () => {},
    threads: [
      { name: 'left', entry, wake: 'wait' },
      { name: 'right', entry, wake: 'wait' },
    ],
  });
  for (const [what, number] of [
    ['square', 12],
    ['ignore', 1],
    ['square', 9],
  ] as const) {
    const findOut: AskerMessage = { type: 'find-out', what, number };
    system.tell('asker', findOut);
  }
  let came: readonly string[] = [];
  // The main thread may wait: outside of actors an ask is a promise with a deadline.
  while (came.length < 3) came = (await system.ask('asker', { type: 'what-came' }, { deadlineMs: 5_000 })) as string[];
  await system.stop({ deadlineMs: 1_000 });

  const expected = '144, 81, no answer to 2';
  if (came.join(', ') !== expected) throw new Error(`the asker must have learned ${expected}, did ${came.join(', ')}`);
  console.log(`learned: ${expected}`);
}
