/**
 * An actor that crashes: its supervisor starts it again, its mailbox stays, and the message it crashed over twice is set
 * aside with a reason. Run it with `node supervised-crasher.ts`.
 */
import type { ActorKind } from '../actor.ts';
import { replyTo, type Asked } from '../ask.ts';
import { startThreads } from '../thread-system.ts';

type DividerMessage =
  { readonly type: 'divide'; readonly by: bigint } | ({ readonly type: 'what-was-divided' } & Asked);

const divider: ActorKind<null, bigint[], DividerMessage> = {
  kind: 'divider',
  delivery: {
    divide: { class: 'must-deliver', priority: 'normal' },
    'what-was-divided': { class: 'must-deliver', priority: 'normal' },
  },
  start: () => [],
  receive(results, message, self) {
    switch (message.type) {
      case 'divide':
        results.push(100n / message.by); // RangeError for 0n: a crash
        return results;
      case 'what-was-divided':
        replyTo(self, message, { results, life: self.incarnation });
        return results;
    }
  },
};

const restarts: string[] = [];
const system = await startThreads({
  tree: {
    type: 'supervisor',
    id: 'root',
    strategy: 'one-for-one',
    intensity: 5,
    periodMs: 10_000,
    backoffMinMs: 1,
    backoffMaxMs: 10,
    children: [{ type: 'actor', id: 'divider', kind: 'divider', args: null, restart: 'permanent' }],
  },
  kinds: [divider],
  portsFor: () => ({}),
  calendar: { type: 'live' },
  log: ({ event, path }) => {
    if (path === 'divider') restarts.push(event);
  },
  threads: [],
});

for (const by of [5n, 0n, 20n]) {
  const divide: DividerMessage = { type: 'divide', by };
  system.tell('divider', divide);
}
// Behind the crash in the same mailbox: handled by the life after the two that the 0 ended.
let answer: unknown;
while (answer === undefined)
  answer = await system.ask('divider', { type: 'what-was-divided' }, { deadlineMs: 5_000 }).catch(() => undefined);
const { deadLetters } = await system.snapshot();
await system.stop({ deadlineMs: 1_000 });

const seen = JSON.stringify({ answer, deadLetters: deadLetters.byReason }, (_, value: unknown) =>
  typeof value === 'bigint' ? `${value}` : value,
);
const expected = '{"answer":{"results":["5"],"life":3},"deadLetters":{"poison":1}}';
if (seen !== expected) throw new Error(`the third life must have divided by 20 only, saw ${seen}`);
console.log(`life 3 divided by 20, the division by 0 is set aside; logged: ${restarts.join(', ')}`);
