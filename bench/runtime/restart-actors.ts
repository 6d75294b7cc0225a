/** Actors of the restart benchmarks: one that crashes on request and measures its own return, many that only are there. */
import { refOf, type ActorKind, type ActorRef } from '../../src/runtime/actor.ts';
import { replyTo } from '../../src/runtime/ask.ts';

export type PhoenixMessage =
  | { readonly type: 'crash-again' }
  | { readonly type: 'handle-first'; readonly crashedAtMs: number }
  | { readonly type: 'say-ready'; readonly replyTo: ActorRef; readonly askId: number };

export interface PhoenixArgs {
  /** One element per crash to come; the measured ms from throw to first message are written in order. */
  readonly durationsMs: Float64Array;
  /** Index of the next element, shared by all lives. */
  readonly next: Int32Array;
}

/** Crashes until every duration is measured, each time with a message in its mailbox for the next life. */
export const phoenix: ActorKind<PhoenixArgs | null, PhoenixArgs | null, PhoenixMessage> = {
  kind: 'phoenix',
  delivery: {
    // May be lost with the life that crashes over it: a must-deliver message would end the next life too.
    'crash-again': { class: 'market', keyFields: [] },
    'handle-first': { class: 'must-deliver', priority: 'normal' },
    'say-ready': { class: 'must-deliver', priority: 'normal' },
  },
  start: (args) => args,
  receive(state, message, self) {
    switch (message.type) {
      case 'crash-again':
        self.tell(refOf<PhoenixMessage>(self.path), { type: 'handle-first', crashedAtMs: self.monotonicMs() });
        throw new Error('crashed for the benchmark');
      case 'handle-first': {
        if (state === null) return state;
        const at = Atomics.load(state.next, 0);
        state.durationsMs[at] = self.monotonicMs() - message.crashedAtMs;
        Atomics.store(state.next, 0, at + 1);
        if (at + 1 < state.durationsMs.length) self.after(1, { type: 'crash-again' });
        else Atomics.notify(state.next, 0);
        return state;
      }
      case 'say-ready':
        replyTo(self, message, { incarnation: self.incarnation });
        return state;
    }
  },
};
