import { describe, expect, it } from 'vitest';
import { refOf, type ActorKind, type MessageShape } from '../../src/runtime/actor.ts';
import type { ActorSpec, SupervisorSpec } from '../../src/runtime/child-spec.ts';
import type { AnyActorKind } from '../../src/runtime/kind-registry.ts';
import type { LogRecord, PortsContext } from '../../src/runtime/ports-context.ts';
import type { VirtualSystem } from '../../src/runtime/system.ts';
import { startVirtual } from '../../src/runtime/virtual-system.ts';
import { relay, sink, watcher } from './fixtures/counting-actors.ts';

const KINDS: readonly AnyActorKind[] = [relay, sink, watcher];

function actor(id: string, kind: string, thread: string, more: Partial<ActorSpec> = {}): ActorSpec {
  return { type: 'actor', id, kind, args: {}, thread, ...more };
}

function start(
  seed: number,
  tree: SupervisorSpec,
  options: {
    readonly kinds?: readonly AnyActorKind[];
    readonly portsFor?: (context: PortsContext) => unknown;
    readonly checkIsolation?: boolean;
    readonly log?: (record: LogRecord) => void;
  } = {},
): VirtualSystem {
  return startVirtual({
    tree,
    kinds: options.kinds ?? KINDS,
    portsFor: options.portsFor ?? (() => ({})),
    calendar: { type: 'scaled', startAtMs: 1_700_000_000_000, scale: 10 },
    log: options.log ?? (() => {}),
    seed,
    threads: [{ name: 'a' }, { name: 'b' }, { name: 'c' }],
    checkIsolation: options.checkIsolation ?? false,
  });
}

const FAN_IN: SupervisorSpec = {
  type: 'supervisor',
  id: 'root',
  children: [
    actor('sink', 'sink', 'c'),
    actor('relay/1', 'relay', 'a'),
    actor('relay/2', 'relay', 'b'),
    actor('watcher', 'watcher', 'a'),
  ],
};

function runFanIn(seed: number, disturb: (system: VirtualSystem) => void = () => {}): VirtualSystem {
  const system = start(seed, FAN_IN);
  system.runUntil(1);
  system.tell('relay/1', { type: 'start-relay', to: 'sink', count: 500 } as MessageShape);
  system.tell('relay/2', { type: 'start-relay', to: 'sink', count: 500 } as MessageShape);
  disturb(system);
  system.runUntil(10_000);
  return system;
}

describe('a system in virtual time', () => {
  it('delivers every message between threads once and in order per sender', () => {
    const system = runFanIn(1);
    expect(system.inspect('sink')).toMatchObject({
      status: 'running',
      digest: { received: 1_000 },
      mailbox: { processed: 1_000 },
    });
  });

  it('gives the same event hash for the same seed and another interleaving for another seed', () => {
    const hashes = [7, 7, 8].map((seed) => runFanIn(seed).eventHash());
    expect(hashes[0]).toBe(hashes[1]);
    expect(hashes[0]).not.toBe(hashes[2]);
  });

  it('gives the same messages with and without the isolation check', () => {
    const system = start(3, FAN_IN, { checkIsolation: true });
    const plain = start(3, FAN_IN);
    for (const each of [system, plain]) {
      each.runUntil(1);
      each.tell('relay/1', { type: 'start-relay', to: 'sink', count: 20 } as MessageShape);
      each.runUntil(1_000);
    }
    expect(system.eventHash()).toBe(plain.eventHash());
  });

  it('restarts a crashed actor with its mailbox and tells its watchers exactly once per life', () => {
    const system = runFanIn(2, (running) => {
      running.tell('watcher', { type: 'watch-it', path: 'sink' } as MessageShape);
      running.schedule(5, () => running.tell('sink', { type: 'crash-now' }));
    });
    // The poison message ended two lives and was set aside; nothing else was lost on the way.
    const inspection = system.inspect('sink');
    expect(inspection).toMatchObject({
      status: 'running',
      incarnation: 3,
      restarts: 2,
      failure: { reason: 'Error: told to crash', during: 'crash-now' },
    });
    // The second life ended before the watcher's next watch arrived: that watch holds for the third life.
    expect(system.inspect('watcher')?.digest).toEqual([{ path: 'sink', incarnation: 1 }]);
    expect(inspection?.watchers).toEqual(['watcher']);
    expect(system.snapshot().deadLetters.byReason).toEqual({ poison: 1 });
    expect(inspection?.mailbox.processed).toBe(1_002);
  });

  it('tells must-deliver messages again that a dying thread had not handled', () => {
    const system = runFanIn(4, (running) => {
      running.schedule(3, () => running.crashThread('c'));
    });
    const thread = system.snapshot().threads.find((candidate) => candidate.name === 'c');
    expect(thread).toMatchObject({ incarnation: 2, status: 'running' });
    // 1,000 were told; those handled before the crash plus those handled after it cover all of them.
    expect(system.inspect('sink')).toMatchObject({ incarnation: 2, status: 'running' });
    expect(system.eventCount()).toBeGreaterThanOrEqual(1_000);
    expect(system.snapshot().deadLetters.total).toBe(0);
  });

  it('keeps the actors of other threads in their lives when a thread dies', () => {
    const system = runFanIn(5, (running) => running.schedule(3, () => running.crashThread('c')));
    expect(system.snapshot().actors.map((each) => [each.path, each.incarnation])).toEqual([
      ['relay/1', 1],
      ['watcher', 1],
      ['relay/2', 1],
      ['sink', 2],
    ]);
  });

  it('stops the tree in reverse order of its start', () => {
    const stopped: string[] = [];
    const quiet: ActorKind<unknown, null, { readonly type: 'nothing' }> = {
      kind: 'quiet',
      delivery: { nothing: { class: 'must-deliver', priority: 'normal' } },
      start: () => null,
      receive: (state) => state,
      stop: (_state, _reason, self) => {
        stopped.push(self.path);
      },
    };
    const system = start(
      1,
      {
        type: 'supervisor',
        id: 'root',
        children: [
          actor('1', 'quiet', 'a'),
          { type: 'supervisor', id: 'inner', children: [actor('2', 'quiet', 'b'), actor('3', 'quiet', 'a')] },
          actor('4', 'quiet', 'c'),
        ],
      },
      { kinds: [quiet] },
    );
    system.runUntil(10);
    system.stop();
    system.runUntil(100);
    expect(system.stopped()).toBe(true);
    expect(system.failure()).toBeUndefined();
    expect(stopped).toEqual(['4', '3', '2', '1']);
    expect(system.tell('1', { type: 'nothing' })).toBe('sent');
    system.runUntil(200);
    expect(system.snapshot().deadLetters.byReason).toEqual({ stopped: 1 });
  });

  it('fails when the root reaches its intensity', () => {
    const system = start(1, { type: 'supervisor', id: 'root', intensity: 2, children: [actor('sink', 'sink', 'a')] });
    system.runUntil(1);
    for (let crash = 0; crash < 3; crash++) {
      system.tell('sink', { type: 'crash-now' });
      system.runUntil(system.monotonicMs() + 1_000);
    }
    expect(system.failure()).toMatch(/intensity of 2/);
  });

  it('runs timers and port answers of the living incarnation only, and calendar time at its scale', () => {
    type Message =
      | { readonly type: 'tick'; readonly life: number }
      | { readonly type: 'answer'; readonly life: number }
      | { readonly type: 'crash' };
    const seen: string[] = [];
    const timed: ActorKind<unknown, null, Message, { ask(life: number): void }> = {
      kind: 'timed',
      delivery: {
        tick: { class: 'must-deliver', priority: 'normal' },
        answer: { class: 'must-deliver', priority: 'order' },
        crash: { class: 'must-deliver', priority: 'risk' },
      },
      start: (_args, self) => {
        self.after(50, { type: 'tick', life: self.incarnation });
        self.ports.ask(self.incarnation);
        return null;
      },
      receive: (state, message, self) => {
        if (message.type === 'crash') throw new Error('as told');
        seen.push(`${message.type} of ${message.life} in ${self.incarnation} at ${self.nowMs() - 1_700_000_000_000}`);
        return state;
      },
    };
    let disposed = 0;
    const system = start(
      1,
      { type: 'supervisor', id: 'root', children: [actor('timed', 'timed', 'a')] },
      {
        kinds: [timed],
        portsFor: (context) => ({
          ask: (life: number) => context.schedule(20, () => context.deliver({ type: 'answer', life } as MessageShape)),
          dispose: () => {
            disposed += 1;
          },
        }),
      },
    );
    system.runUntil(10);
    system.tell('timed', { type: 'crash' });
    system.runUntil(1_000);
    // The crashing message was tried in both lives: life 3 is the first that lasts.
    expect(seen.map((text) => text.replace(/ at .*/, ''))).toEqual(['answer of 3 in 3', 'tick of 3 in 3']);
    expect(disposed).toBe(2);
  });

  it('gives up with the reason when an actor cannot start', () => {
    const system = start(1, { type: 'supervisor', id: 'root', children: [actor('x', 'no-such-kind', 'a')] });
    system.runUntil(100);
    expect(system.failure()).toMatch(/"x" failed to start.*no-such-kind/);
  });

  it('sends to an ended life nowhere but to the dead letters', () => {
    const system = runFanIn(1);
    const sender = start(1, FAN_IN);
    sender.runUntil(10);
    expect(system.tell('nobody', { type: 'item' })).toBe('dead');
    expect(system.tell('sink', { type: 'undeclared' })).toBe('dead');
    expect(system.snapshot().deadLetters.byReason).toEqual({ 'no-such-actor': 1, 'unknown-type': 1 });
    expect(refOf('sink').incarnation).toBe(0);
  });
});
