/** Causal traces through ports, timers and work that waits, in virtual time: which messages belong to one, and exactly when. */
import { describe, expect, it } from 'vitest';
import type { ActorKind, TraceRef } from '../../src/runtime/actor.ts';
import { refOf } from '../../src/runtime/actor.ts';
import type { PortsContext } from '../../src/runtime/ports-context.ts';
import { findTrace, TraceStore, tracesOf, type Trace } from '../../src/runtime/trace-store.ts';
import type { VirtualSystem } from '../../src/runtime/system.ts';
import { startVirtual } from '../../src/runtime/virtual-system.ts';

type Message =
  | { readonly type: 'listen' }
  | { readonly type: 'frame'; readonly number: number }
  | { readonly type: 'work'; readonly number: number }
  | { readonly type: 'answer'; readonly number: number }
  | { readonly type: 'done'; readonly number: number }
  | { readonly type: 'wake'; readonly number: number };

interface Doors {
  /** Delivers so many frames, 100 ms apart. */
  listen(frames: number): void;
  /** Answers after so many ms. */
  ask(number: number, afterMs: number): void;
}

function doors(context: PortsContext): Doors {
  const later = (afterMs: number, message: Message, cause?: TraceRef): void => {
    context.schedule(afterMs, () => context.deliver(message, cause));
  };
  return {
    listen: (frames) => {
      for (let number = 1; number <= frames; number++) later(number * 100, { type: 'frame', number });
    },
    ask: (number, afterMs) => later(afterMs, { type: 'answer', number }, context.calling('ask', `number ${number}`)),
  };
}

const delivery = {
  listen: { class: 'must-deliver', priority: 'normal' },
  frame: { class: 'must-deliver', priority: 'order' },
  work: { class: 'must-deliver', priority: 'order' },
  answer: { class: 'must-deliver', priority: 'order' },
  done: { class: 'must-deliver', priority: 'order' },
  wake: { class: 'must-deliver', priority: 'order' },
} as const;

/** frame -> worker: work. */
const feed: ActorKind<object, null, Message, Doors> = {
  kind: 'feed',
  delivery,
  start: () => null,
  receive(state, message, self) {
    if (message.type === 'listen') self.ports.listen(3);
    if (message.type === 'frame') self.tell(refOf<Message>('worker'), { type: 'work', number: message.number });
    return state;
  },
};

interface WorkerArgs {
  readonly handle: (message: Message, self: Parameters<ActorKind<object, null, Message, Doors>['receive']>[2]) => void;
}

let handle: WorkerArgs['handle'] = () => undefined;

const worker: ActorKind<object, null, Message, Doors> = {
  kind: 'worker',
  delivery,
  start: () => null,
  receive(state, message, self) {
    handle(message, self);
    return state;
  },
};

/** feed (io) -> worker (trading) -> ledger (main), no latency in between. */
function play(handling: WorkerArgs['handle'], traceEvery: number, untilMs = 1_000): VirtualSystem {
  handle = handling;
  const actor = (id: string, kind: string, thread: string | undefined) =>
    ({ type: 'actor', id, kind, args: {}, ...(thread === undefined ? {} : { thread }) }) as const;
  const system = startVirtual({
    tree: {
      type: 'supervisor',
      id: 'root',
      children: [actor('ledger', 'feed', undefined), actor('worker', 'worker', 'trading'), actor('feed', 'feed', 'io')],
    },
    kinds: [feed, worker],
    portsFor: doors,
    calendar: { type: 'scaled', startAtMs: 0, scale: 1 },
    log: () => undefined,
    seed: 1,
    threads: [{ name: 'io' }, { name: 'trading' }],
    latencyMsMax: 0,
    traceEvery,
  });
  system.tell('feed', { type: 'listen' });
  system.runUntil(untilMs);
  return system;
}

/** Every step of a trace as text, in order; marks behind the handling they are part of, or alone in front. */
function story(trace: Trace | undefined): readonly string[] {
  if (trace === undefined) return [];
  const began = trace.beganAtMs;
  const marks = trace.marks.map(({ atMs, thread, path, step, about }) => ({
    key: `${atMs} ${path}`,
    text: `${atMs - began} ${thread} ${path}! ${step} ${about}`.trimEnd(),
  }));
  const keys = new Set(trace.spans.map((span) => `${span.startedAtMs} ${span.path}`));
  return [
    ...marks.filter(({ key }) => !keys.has(key)).map(({ text }) => text),
    ...trace.spans.flatMap(({ startedAtMs, thread, path, type, from, queuedAtMs }) => [
      `${startedAtMs - began} ${thread} ${path}: ${type} from ${from}, queued ${queuedAtMs - began}`,
      ...marks.filter(({ key }) => key === `${startedAtMs} ${path}`).map(({ text }) => text),
    ]),
  ];
}

const byNumber = (system: VirtualSystem, traceId: number): readonly string[] =>
  story(system.traces().find((trace) => trace.traceId === traceId));

describe('a trace', () => {
  it("goes on in a port's answer, however late and in whatever order answers come", () => {
    const system = play((message, self) => {
      // The second answer overtakes the first.
      if (message.type === 'work') self.ports.ask(message.number, message.number === 1 ? 150 : 20);
      if (message.type === 'answer') self.tell(refOf<Message>('ledger'), { type: 'done', number: message.number });
    }, 1);
    expect(byNumber(system, 1)).toEqual([
      '0 io feed: frame from $port, queued 0',
      '0 trading worker: work from feed, queued 0',
      '0 trading worker! ask number 1',
      '150 trading worker: answer from $port, queued 150',
      '150 main ledger: done from worker, queued 150',
    ]);
    expect(byNumber(system, 2)).toEqual([
      '0 io feed: frame from $port, queued 0',
      '0 trading worker: work from feed, queued 0',
      '0 trading worker! ask number 2',
      '20 trading worker: answer from $port, queued 20',
      '20 main ledger: done from worker, queued 20',
    ]);
  });

  it('goes on in a timer, but not in the timer that winds itself up again', () => {
    const system = play((message, self) => {
      if (message.type === 'work' || message.type === 'wake') self.after(30, { type: 'wake', number: 1 });
    }, 1);
    expect(byNumber(system, 1)).toEqual([
      '0 io feed: frame from $port, queued 0',
      '0 trading worker: work from feed, queued 0',
      '30 trading worker: wake from worker, queued 30',
    ]);
  });

  it('goes on with work that waited in the state of an actor, whichever message let it go', () => {
    let waiting: TraceRef = 0;
    const system = play((message, self) => {
      if (message.type !== 'work') return;
      if (message.number === 1) waiting = self.tracing.current();
      if (message.number === 2)
        self.tracing.within(waiting, () => self.tell(refOf<Message>('ledger'), { type: 'done', number: 1 }));
      self.tracing.mark('finished');
    }, 1);
    expect(byNumber(system, 1)).toEqual([
      '0 io feed: frame from $port, queued 0',
      '0 trading worker: work from feed, queued 0',
      '0 trading worker! finished',
      '100 trading worker: work from feed, queued 100',
      '100 main ledger: done from worker, queued 100',
    ]);
    expect(byNumber(system, 2)).toEqual([
      '0 io feed: frame from $port, queued 0',
      '0 trading worker: work from feed, queued 0',
      '0 trading worker! finished',
    ]);
  });

  it('begins in the middle when an actor asks for it, and can tell of what was before', () => {
    const system = play((message, self) => {
      if (message.type !== 'work' || message.number !== 2) return;
      expect(self.tracing.begin()).toBe(self.tracing.begin());
      self.tracing.keep('order 7');
      self.tracing.mark('news', 'frame 1', 100);
      self.tell(refOf<Message>('ledger'), { type: 'done', number: 2 });
    }, 1_000_000);
    const traces = system.traces();
    expect(traces.map(({ names, threads }) => ({ names, threads }))).toEqual([
      { names: ['order 7'], threads: ['trading', 'main'] },
    ]);
    expect(story(traces[0])).toEqual([
      '0 trading worker! news frame 1',
      '100 trading worker: work from feed, queued 100',
      '100 trading worker! named order 7',
      '100 main ledger: done from worker, queued 100',
    ]);
  });

  it('ends with a handler that throws, and the next message is in none', () => {
    const system = play((message, self) => {
      if (message.type !== 'work' || message.number !== 1) return;
      self.tracing.begin();
      self.tracing.within(self.tracing.current(), () => {
        throw new Error('on purpose');
      });
    }, 1_000_000);
    // The message is tried once more, and is then set aside: two handlings, two traces, and none of the others.
    expect(system.traces().map(story)).toEqual([
      ['0 trading worker: work from feed, queued 0'],
      ['0 trading worker: work from feed, queued 0'],
    ]);
  });

  it.each([1, 1_000_000])('changes nothing of what happens, followed every %i answers or not at all', (traceEvery) => {
    const handling: WorkerArgs['handle'] = (message, self) => {
      if (message.type === 'work') {
        self.tracing.begin();
        self.tracing.keep(`number ${message.number}`);
        self.ports.ask(message.number, 30);
      }
    };
    const plain = play(handling, 0);
    expect(plain.traces()).toEqual([]);
    expect(play(handling, traceEvery).eventHash()).toBe(plain.eventHash());
  });
});

describe('what is kept of traces', () => {
  const mark = (traceId: number, atMs: number, isName = false) => ({
    traceId,
    thread: 'io',
    path: 'a',
    step: isName ? 'named' : 'step',
    about: isName ? `name ${traceId}` : '',
    atMs,
    ...(isName ? { isName: true as const } : {}),
  });

  it('is what was named, whatever comes afterwards, and else the newest', () => {
    const store = new TraceStore(1);
    store.add(mark(1, 0));
    store.add(mark(2, 1));
    store.keep(1);
    for (let atMs = 2; atMs < 5_000; atMs++) store.add(mark(3, atMs));
    store.add(mark(1, 5_000, true));
    const traces = tracesOf(store.events());
    expect(traces.map(({ traceId, marks }) => [traceId, marks.length])).toEqual([
      [3, 512],
      [1, 2],
    ]);
    expect(findTrace(traces, 'latest')?.traceId).toBe(1);
    expect(findTrace(traces, 'name 1')?.traceId).toBe(1);
    expect(findTrace(traces, '3')?.traceId).toBe(3);
    expect(findTrace(traces, '2')).toBeUndefined();
  });

  it('is bounded, in named traces and in events of each', () => {
    const store = new TraceStore(1);
    for (let traceId = 1; traceId <= 200; traceId++) {
      store.keep(traceId);
      for (let atMs = 0; atMs < 300; atMs++) store.add(mark(traceId, atMs));
    }
    const traces = tracesOf(store.events());
    expect(traces).toHaveLength(128);
    expect(traces.at(-1)?.traceId).toBe(73);
    expect(new Set(traces.map(({ marks }) => marks.length))).toEqual(new Set([256]));
  });
});
