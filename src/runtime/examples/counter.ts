/**
 * The smallest system: one actor that counts, on the main thread. Run it with `node counter.ts`.
 */
import type { ActorKind } from '../actor.ts';
import { replyTo, type Asked } from '../ask.ts';
import { startThreads } from '../thread-system.ts';

type CounterMessage = { readonly type: 'add'; readonly by: number } | ({ readonly type: 'how-many' } & Asked);

const counter: ActorKind<{ readonly from: number }, { count: number }, CounterMessage> = {
  kind: 'counter',
  delivery: {
    add: { class: 'must-deliver', priority: 'normal' },
    'how-many': { class: 'must-deliver', priority: 'normal' },
  },
  start: (args) => ({ count: args.from }),
  receive(state, message, self) {
    switch (message.type) {
      case 'add':
        state.count += message.by;
        return state;
      case 'how-many':
        replyTo(self, message, state.count);
        return state;
    }
  },
};

const system = await startThreads({
  tree: {
    type: 'supervisor',
    id: 'root',
    children: [{ type: 'actor', id: 'counter', kind: 'counter', args: { from: 0 } }],
  },
  kinds: [counter],
  portsFor: () => ({}),
  calendar: { type: 'live' },
  log: () => {},
  threads: [],
});

for (let by = 1; by <= 100; by++) {
  const add: CounterMessage = { type: 'add', by };
  system.tell('counter', add);
}
const count = await system.ask('counter', { type: 'how-many' }, { deadlineMs: 1_000 });
await system.stop({ deadlineMs: 1_000 });

if (count !== 5_050) throw new Error(`1 to 100 must add up to 5050, was ${String(count)}`);
console.log(`counted to ${count}`);
