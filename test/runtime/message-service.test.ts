/** What a message may count on between its telling and its handling, from end to end: lanes, levels, bounds, crashes, asks. */
import { describe, expect, it } from 'vitest';
import { refOf, type ActorKind, type ActorRef, type MessageShape } from '../../src/runtime/actor.ts';
import { replyTo, type AskReplied } from '../../src/runtime/ask.ts';
import type { ActorSystem, VirtualSystem } from '../../src/runtime/system.ts';
import { startVirtual } from '../../src/runtime/virtual-system.ts';
import { actorOf, startTraps, until } from './traps/bed.ts';
import { keepMessage, type KeptReport } from './traps/fixtures/trap-actors.ts';

const NORMAL = { class: 'must-deliver', priority: 'normal' } as const;

async function report(system: ActorSystem): Promise<KeptReport> {
  return (await system.ask('keeper', { type: 'check-kept' }, { deadlineMs: 20_000 })) as KeptReport;
}

/** Starts a keeper on a thread of its own, and keeps that thread from looking at anything until it is let go. */
async function startHeld(): Promise<{ readonly system: ActorSystem; readonly letGo: () => void }> {
  const hold = new Int32Array(new SharedArrayBuffer(8));
  const system = await startTraps(['nudge'], [actorOf('keeper', 'keeper', 't0', { args: { hold } })], {
    heartbeatMs: 60_000,
  });
  system.tell('keeper', { type: 'hold' });
  await until(
    () => Atomics.load(hold, 0),
    (isHeld) => isHeld === 1,
  );
  const letGo = (): void => {
    Atomics.store(hold, 1, 1);
    Atomics.notify(hold, 1);
  };
  return { system, letGo };
}

describe('lanes between threads', { timeout: 120_000 }, () => {
  it('let must-deliver messages overtake a data lane that is full', async () => {
    const { system, letGo } = await startHeld();
    // 2 MB for a lane of half a megabyte: most of it waits with its sender.
    for (let number = 0; number < 5_000; number++) system.tell('keeper', keepMessage(number, 33, 'keep-latest'));
    system.tell('keeper', keepMessage(9_999, 1));
    letGo();
    const { numbers } = await until(
      () => report(system),
      (answer) => answer.numbers.length > 5_000,
    );
    expect(numbers[0]).toBe(9_999);
    // Different keys, so none replaced another: full lanes delay market values, they do not lose them.
    expect(numbers.slice(1)).toEqual(Array.from({ length: 5_000 }, (_, number) => number));
  });

  it('keep the newest market value per key while the lane is full, and count what it replaced', async () => {
    const { system, letGo } = await startHeld();
    const outcomes = new Set<string>();
    for (let round = 0; round < 20; round++)
      for (let number = 0; number < 400; number++)
        outcomes.add(system.tell('keeper', keepMessage(number, 100, 'keep-latest')));
    expect(outcomes).toEqual(new Set(['sent', 'merged']));
    letGo();
    const accounts = await until(
      async () => {
        const { numbers } = await report(system);
        const { threads, actors } = await system.snapshot();
        const lane = threads[0]?.lanes.find((each) => each.to === 't0' && each.lane === 'data');
        const mailbox = actors.find(({ path }) => path === 'keeper')?.mailbox;
        return { numbers, merged: (lane?.merged ?? 0) + (mailbox?.merged ?? 0), inLane: lane?.merged ?? 0 };
      },
      ({ numbers, merged }) => numbers.length + merged >= 8_000,
    );
    expect(accounts.numbers.length + accounts.merged).toBe(8_000);
    expect(new Set(accounts.numbers).size).toBe(400);
    expect(accounts.inLane).toBeGreaterThan(0);
  });
});

describe('service levels', { timeout: 120_000 }, () => {
  it.each(['t0', undefined])('are kept whatever the order of telling, on thread %s', async (thread) => {
    const system = await startTraps(['nudge'], [actorOf('keeper', 'keeper', thread)]);
    // Its first life would end over the risk message.
    system.kill('keeper');
    await until(
      () => system.inspect('keeper'),
      (answer) => answer?.incarnation === 2 && answer.status === 'running',
    );
    await system.pauseActor('keeper');
    for (const round of [1, 2]) {
      system.tell('keeper', keepMessage(round, 1, 'keep-latest'));
      system.tell('keeper', keepMessage(round, 1));
      system.tell('keeper', { type: 'busy', forMs: 0 } as MessageShape);
      system.tell('keeper', { type: 'fail-once' });
    }
    await until(
      () => system.inspect('keeper'),
      (answer) => answer?.mailbox.depthTotal === 8,
    );
    await system.resumeActor('keeper');
    const inspection = await until(
      () => system.inspect('keeper'),
      (answer) => answer?.mailbox.depthTotal === 0,
    );
    const inOrder = ['fail-once', 'busy', 'keep', 'keep-latest'].flatMap((type) => [type, type]);
    expect(inspection?.lastMessageTypes).toEqual(inOrder);
  });
});

describe('the bound of a mailbox', { timeout: 120_000 }, () => {
  it('is felt by those who tell, counted for that actor alone, and told by class', async () => {
    const bounded = { mailboxMessagesMax: 10 };
    const system = await startTraps(
      [],
      [actorOf('full', 'keeper', undefined, bounded), actorOf('empty', 'keeper', undefined, bounded)],
    );
    await system.pauseActor('full');
    const told = Array.from({ length: 25 }, (_, number) => system.tell('full', keepMessage(number, 1)));
    expect(told).toEqual([...new Array<string>(10).fill('sent'), ...new Array<string>(15).fill('refused')]);
    expect(system.tell('full', keepMessage(1, 1, 'keep-latest'))).toBe('refused');
    system.tell('empty', keepMessage(1, 1));
    await system.resumeActor('full');
    await until(
      () => system.inspect('full'),
      (answer) => answer?.mailbox.depthTotal === 0,
    );
    await system.pauseActor('full');
    for (const number of [1, 2, 1, 3, 1]) system.tell('full', keepMessage(number, 1, 'keep-latest'));
    for (let number = 0; number < 8; number++) system.tell('full', keepMessage(number, 1));
    const { actors } = await system.snapshot();
    const counts = (path: string): unknown => {
      const mailbox = actors.find((actor) => actor.path === path)?.mailbox;
      return { refused: mailbox?.refused, merged: mailbox?.merged, evicted: mailbox?.evicted };
    };
    // Three keys and seven orders fill it: the eighth order is refused, for only market values make room for each other.
    expect(counts('full')).toEqual({ refused: 17, merged: 2, evicted: 0 });
    system.tell('full', keepMessage(4, 1, 'keep-latest'));
    expect((await system.inspect('full'))?.mailbox).toMatchObject({ evicted: 1, depthTotal: 10 });
    expect(counts('empty')).toEqual({ refused: 0, merged: 0, evicted: 0 });
  });
});

type FragileMessage =
  | { readonly type: 'crash'; readonly times: number }
  | { readonly type: 'crash-on-price' }
  | { readonly type: 'work'; readonly number: number };

describe('a message its actor crashes over', () => {
  const worked: number[] = [];
  let crashes = 0;
  const fragile: ActorKind<unknown, null, FragileMessage> = {
    kind: 'fragile',
    delivery: { crash: NORMAL, 'crash-on-price': { class: 'market', keyFields: [] }, work: NORMAL },
    start: () => null,
    receive(state, message) {
      if (message.type === 'work') worked.push(message.number);
      else if (message.type === 'crash-on-price' || crashes++ < message.times) throw new Error('crashes');
      return state;
    },
  };

  function play(first: FragileMessage): VirtualSystem {
    worked.length = 0;
    crashes = 0;
    const system = startVirtual({
      tree: { type: 'supervisor', id: 'root', children: [actorOf('fragile', 'fragile')] },
      kinds: [fragile],
      portsFor: () => ({}),
      calendar: { type: 'scaled', startAtMs: 0, scale: 1 },
      log: () => {},
      seed: 1,
    });
    system.runUntil(1);
    system.tell('fragile', first);
    for (const number of [1, 2]) system.tell('fragile', { type: 'work', number } as MessageShape);
    system.runUntil(60_000);
    expect(worked).toEqual([1, 2]);
    return system;
  }

  it('once is handled by the next life, before what came after it', () => {
    const system = play({ type: 'crash', times: 1 });
    expect(system.inspect('fragile')).toMatchObject({ incarnation: 2, deadLetters: 0 });
    expect(crashes).toBe(2);
  });

  it('twice is set aside with its reason, and the third life goes on with the next', () => {
    const system = play({ type: 'crash', times: 1_000 });
    expect(system.inspect('fragile')).toMatchObject({ incarnation: 3, deadLetters: 1 });
    expect(system.snapshot().deadLetters).toMatchObject({
      byReason: { poison: 1 },
      latest: [{ path: 'fragile', type: 'crash', reason: 'poison', from: '' }],
    });
    expect(crashes).toBe(2);
  });

  it('is a dead letter at once when it may be lost', () => {
    const system = play({ type: 'crash-on-price' });
    expect(system.inspect('fragile')).toMatchObject({ incarnation: 2, deadLetters: 1 });
    expect(system.snapshot().deadLetters.byReason).toEqual({ crashed: 1 });
  });
});

interface Asked {
  readonly replyTo: ActorRef;
  readonly askId: number;
}

/** Answers each question so much later. */
const oracle: ActorKind<
  { readonly afterMs: number },
  { readonly afterMs: number; readonly asked: Map<number, Asked> },
  ({ readonly type: 'question' } & Asked) | { readonly type: 'now-answer'; readonly askId: number }
> = {
  kind: 'oracle',
  delivery: { question: NORMAL, 'now-answer': NORMAL },
  start: ({ afterMs }) => ({ afterMs, asked: new Map() }),
  receive(state, message, self) {
    if (message.type === 'question') {
      state.asked.set(message.askId, message);
      self.after(state.afterMs, { type: 'now-answer', askId: message.askId });
      return state;
    }
    const asked = state.asked.get(message.askId);
    if (asked !== undefined) replyTo(self, asked, `answer ${asked.askId}`);
    return state;
  },
};

type AskerMessage =
  | AskReplied
  | { readonly type: 'ask-it'; readonly askId: number; readonly deadlineMs: number }
  | { readonly type: 'deadline'; readonly askId: number };

/** Asks as actors do: a tell, a timer, and whichever of reply and timer comes first. */
function askerOf(outcomes: string[]): ActorKind<unknown, Map<number, number>, AskerMessage> {
  return {
    kind: 'asker',
    delivery: { 'ask-replied': NORMAL, 'ask-it': NORMAL, deadline: NORMAL },
    start: () => new Map(),
    receive(timers, message, self) {
      if (message.type === 'ask-it') {
        self.tell(refOf('oracle'), { type: 'question', replyTo: self.ref, askId: message.askId } as MessageShape);
        timers.set(message.askId, self.after(message.deadlineMs, { type: 'deadline', askId: message.askId }));
        return timers;
      }
      const timer = timers.get(message.askId);
      if (timer === undefined) {
        outcomes.push(`late ${message.askId}`);
        return timers;
      }
      timers.delete(message.askId);
      self.cancel(timer);
      outcomes.push(message.type === 'deadline' ? `deadline ${message.askId}` : String(message.value));
      return timers;
    },
  };
}

describe('an ask between actors', () => {
  function start(afterMs: number): { readonly system: VirtualSystem; readonly outcomes: string[] } {
    const outcomes: string[] = [];
    const system = startVirtual({
      tree: {
        type: 'supervisor',
        id: 'root',
        backoffMaxMs: 0,
        backoffMinMs: 0,
        children: [actorOf('oracle', 'oracle', 'b', { args: { afterMs } }), actorOf('asker', 'asker', 'a')],
      },
      kinds: [oracle, askerOf(outcomes)],
      portsFor: () => ({}),
      calendar: { type: 'scaled', startAtMs: 0, scale: 1 },
      log: () => {},
      seed: 3,
      threads: [{ name: 'a' }, { name: 'b' }],
    });
    system.runUntil(10);
    return { system, outcomes };
  }

  function ask(system: VirtualSystem, askId: number, deadlineMs: number): void {
    system.tell('asker', { type: 'ask-it', askId, deadlineMs } as MessageShape);
  }

  it('brings each answer to its question', () => {
    const { system, outcomes } = start(5);
    ask(system, 7, 1_000);
    ask(system, 8, 1_000);
    system.runUntil(5_000);
    expect(outcomes).toEqual(['answer 7', 'answer 8']);
  });

  it('ends at its deadline, and the late answer is known by its number', () => {
    const { system, outcomes } = start(500);
    ask(system, 7, 100);
    system.runUntil(5_000);
    expect(outcomes).toEqual(['deadline 7', 'late 7']);
  });

  it('of a life that ended brings its answer to nobody: it is a counted dead letter', () => {
    const { system, outcomes } = start(500);
    ask(system, 7, 10_000);
    system.runUntil(100);
    system.kill('asker');
    system.runUntil(20_000);
    expect(system.inspect('asker')).toMatchObject({ incarnation: 2, deadLetters: 1 });
    expect(system.snapshot().deadLetters.byReason).toEqual({ 'ended-incarnation': 1 });
    expect(outcomes).toEqual([]);
  });
});
