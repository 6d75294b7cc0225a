/**
 * A feed that is faster than its reader: prices are conflated by symbol, so that the reader has the newest price of each and
 * never a queue of old ones. Run it with `node conflating-feed.ts`.
 */
import { isMainThread } from 'node:worker_threads';
import { refOf, type ActorKind } from '../actor.ts';
import { hostActors } from '../actor-host.ts';
import { replyTo, type Asked } from '../ask.ts';
import { startThreads } from '../thread-system.ts';

const SYMBOLS = ['BTC', 'ETH', 'SOL'];
const PRICES = 60_000;

type BoardMessage =
  | { readonly type: 'price'; readonly symbol: string; readonly number: number }
  | { readonly type: 'feed-ended' }
  | ({ readonly type: 'show' } & Asked);

interface BoardState {
  readonly newest: Map<string, number>;
  handled: number;
  hasEnded: boolean;
}

const board: ActorKind<null, BoardState, BoardMessage> = {
  kind: 'board',
  delivery: {
    price: { class: 'market', keyFields: ['symbol'] }, // a newer one of the same symbol replaces an unread one
    'feed-ended': { class: 'must-deliver', priority: 'normal' },
    show: { class: 'must-deliver', priority: 'normal' },
  },
  start: () => ({ newest: new Map(), handled: 0, hasEnded: false }),
  receive(state, message, self) {
    switch (message.type) {
      case 'price':
        state.newest.set(message.symbol, message.number);
        state.handled += 1;
        return state;
      case 'feed-ended':
        state.hasEnded = true;
        return state;
      case 'show':
        replyTo(self, message, { ...state, newest: Object.fromEntries(state.newest) });
        return state;
    }
  },
};

type FeedMessage = { readonly type: 'feed' };

const feed: ActorKind<{ readonly to: string }, { readonly to: string }, FeedMessage> = {
  kind: 'feed',
  delivery: { feed: { class: 'must-deliver', priority: 'normal' } },
  start: (args) => args,
  receive(state, _message, self) {
    const to = refOf<BoardMessage>(state.to);
    for (let number = 0; number < PRICES; number++)
      self.tell(to, { type: 'price', symbol: SYMBOLS[number % SYMBOLS.length] ?? '', number });
    self.tell(to, { type: 'feed-ended' });
    return state;
  },
};

const kinds = [board, feed];

// This module is also the entry of its worker thread.
if (isMainThread) await run();
else hostActors({ kinds, portsFor: () => ({}) });

async function run(): Promise<void> {
  const system = await startThreads({
    tree: {
      type: 'supervisor',
      id: 'root',
      children: [
        { type: 'actor', id: 'board', kind: 'board', args: null },
        { type: 'actor', id: 'feed', kind: 'feed', args: { to: 'board' }, thread: 'io' },
      ],
    },
    kinds,
    portsFor: () => ({}),
    calendar: { type: 'live' },
    log: () => {},
    threads: [{ name: 'io', entry: new URL(import.meta.url) }],
  });
  system.tell('feed', { type: 'feed' });

  // `feed-ended` overtakes prices that still wait: done is when the newest of every symbol was seen.
  const newest = Object.fromEntries(SYMBOLS.map((symbol, index) => [symbol, PRICES - SYMBOLS.length + index]));
  const isDone = (shown: Shown): boolean =>
    shown.hasEnded && SYMBOLS.every((symbol) => shown.newest[symbol] === newest[symbol]);
  let shown = await show();
  while (!isDone(shown) && system.monotonicMs() < 20_000) shown = await show();
  await system.stop({ deadlineMs: 1_000 });

  if (!isDone(shown))
    throw new Error(`the newest prices must be ${JSON.stringify(newest)}, saw ${JSON.stringify(shown)}`);
  console.log(`${PRICES} prices told, newest of each symbol seen: ${JSON.stringify(newest)}`);
  console.log(`handled ${shown.handled}, the others were replaced before they were read`);

  async function show(): Promise<Shown> {
    return (await system.ask('board', { type: 'show' }, { deadlineMs: 10_000 })) as Shown;
  }
}

interface Shown {
  readonly newest: Readonly<Record<string, number>>;
  readonly handled: number;
  readonly hasEnded: boolean;
}
