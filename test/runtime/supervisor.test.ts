import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type {
  ActorSpec,
  ChildSpec,
  RestartStrategy,
  RestartType,
  SupervisorSpec,
} from '../../src/runtime/child-spec.ts';
import { newSupervisor, supervise, type SupervisorState } from '../../src/runtime/supervisor.ts';
import type { ExitReason, SupervisorCommand, SupervisorEvent } from '../../src/runtime/supervisor-protocol.ts';

const CRASHED: ExitReason = { kind: 'crashed', detail: 'boom' };
const SHUTDOWN: ExitReason = { kind: 'shutdown', detail: 'told to' };

function child(id: string, restart?: RestartType, more: Partial<ActorSpec> = {}): ActorSpec {
  return { type: 'actor', id, kind: 'any', args: null, ...(restart === undefined ? {} : { restart }), ...more };
}

/** A supervisor whose children do as they are told unless the test says otherwise. */
class Stage {
  state: SupervisorState;
  nowMs = 0;
  /** Starts, stops and kills in order, for example `start a`. */
  readonly log: string[] = [];
  readonly armed = new Map<string, number>();
  ended: { readonly reason: ExitReason; readonly startFailed: boolean } | undefined;
  hasStarted = false;
  /** Children that do not answer a stop. */
  readonly deaf = new Set<string>();
  /** How often each child still fails to start. */
  readonly failures = new Map<string, number>();

  constructor(spec: Partial<SupervisorSpec> & { readonly children: readonly ChildSpec[] }) {
    this.state = newSupervisor({ type: 'supervisor', id: 'root', ...spec });
  }

  /** What the children answer comes after all commands of the step, as it does from real ones. */
  readonly #events: SupervisorEvent[] = [];
  #isSending = false;

  send(event: SupervisorEvent): void {
    this.#events.push(event);
    if (this.#isSending) return;
    this.#isSending = true;
    for (let next = this.#events.shift(); next !== undefined; next = this.#events.shift()) this.#step(next);
    this.#isSending = false;
  }

  #step(event: SupervisorEvent): void {
    const step = supervise(this.state, { event, nowMs: this.nowMs, jitter: 0.5 });
    this.state = step.state;
    for (const command of step.commands) this.#obey(command);
  }

  #obey(command: SupervisorCommand): void {
    switch (command.type) {
      case 'start-child': {
        this.log.push(`start ${command.id}`);
        const failures = this.failures.get(command.id) ?? 0;
        this.failures.set(command.id, failures - 1);
        this.send(
          failures > 0
            ? { type: 'child-start-failed', id: command.id, reason: CRASHED }
            : { type: 'child-started', id: command.id },
        );
        return;
      }
      case 'stop-child':
        this.log.push(`stop ${command.id}`);
        if (!this.deaf.has(command.id)) this.exit(SHUTDOWN, command.id);
        return;
      case 'kill-child':
        this.log.push(`kill ${command.id}`);
        this.exit({ kind: 'killed', detail: 'killed' }, command.id);
        return;
      case 'retire-child':
        this.log.push(`retire ${command.id}`);
        return;
      case 'arm':
        this.armed.set(command.timer, this.nowMs + command.delayMs);
        return;
      case 'disarm':
        this.armed.delete(command.timer);
        return;
      case 'started':
        this.hasStarted = true;
        return;
      case 'ended':
        this.ended = { reason: command.reason, startFailed: command.startFailed };
        return;
      case 'restarting':
      case 'add-child':
      case 'change-child':
      case 'change-spec':
      case 'remove-child':
      case 'reply':
        return;
    }
  }

  exit(reason: ExitReason, ...ids: readonly string[]): void {
    this.send({ type: 'children-exited', exits: ids.map((id) => ({ id, reason })) });
  }

  /** Lets the earliest timer fire; returns how long it took. */
  fireTimer(): number {
    const [first] = [...this.armed].sort((left, right) => left[1] - right[1]);
    if (first === undefined) throw new Error('a timer must be armed');
    const waitedMs = first[1] - this.nowMs;
    this.nowMs = first[1];
    this.armed.delete(first[0]);
    this.send({ type: 'timer', timer: first[0] });
    return waitedMs;
  }

  phases(): string {
    return this.state.children.map((each) => `${each.id}:${each.phase}`).join(' ');
  }

  /** Forgets what happened so far. */
  fresh(): this {
    this.log.length = 0;
    return this;
  }
}

function started(spec: Partial<SupervisorSpec> & { readonly children: readonly ChildSpec[] }): Stage {
  const stage = new Stage(spec);
  stage.send({ type: 'start' });
  return stage.fresh();
}

function ofStrategy(strategy: RestartStrategy, more: Partial<SupervisorSpec> = {}): Stage {
  return started({ strategy, ...more, children: [child('a'), child('b'), child('c')] });
}

describe('a supervisor', () => {
  it('without children starts, and stops with reason shutdown', () => {
    const stage = started({ children: [] });
    expect(stage.hasStarted).toBe(true);
    stage.send({ type: 'stop', reason: 'enough' });
    expect(stage.ended).toEqual({ reason: { kind: 'shutdown', detail: 'enough' }, startFailed: false });
  });

  it('starts its children in order, each after the one before is up', () => {
    const stage = new Stage({ children: [child('a'), child('b'), child('c')] });
    stage.send({ type: 'start' });
    expect([stage.log, stage.hasStarted]).toEqual([['start a', 'start b', 'start c'], true]);
  });

  it('fails its start with the reason when a child cannot start, stopping the earlier ones in reverse', () => {
    const stage = new Stage({ children: [child('a'), child('b'), child('c')] });
    stage.failures.set('c', 1);
    stage.send({ type: 'start' });
    expect(stage.log).toEqual(['start a', 'start b', 'start c', 'stop b', 'stop a']);
    expect(stage).toMatchObject({
      hasStarted: false,
      ended: { startFailed: true, reason: { detail: '"c" failed to start: boom' } },
    });
  });

  it('stops its children in reverse order of their start', () => {
    const stage = ofStrategy('one-for-one');
    stage.send({ type: 'stop', reason: 'enough' });
    expect(stage.log).toEqual(['stop c', 'stop b', 'stop a']);
    expect(stage.ended?.startFailed).toBe(false);
  });

  it('has the defaults it documents', () => {
    expect(
      newSupervisor({
        type: 'supervisor',
        id: 'root',
        children: [child('a'), { type: 'supervisor', id: 's', children: [] }],
      }),
    ).toMatchObject({
      strategy: 'one-for-one',
      intensity: 5,
      periodMs: 30_000,
      children: [
        { restart: 'permanent', shutdownMs: 5_000 },
        { restart: 'permanent', shutdownMs: Infinity },
      ],
    });
  });
});

describe('shutdown of a child', () => {
  it('kills a child that ignores its stop once its time is over, and goes on with the others', () => {
    const stage = started({ children: [child('a'), child('b', 'permanent', { shutdownMs: 700 })] });
    stage.deaf.add('b');
    stage.send({ type: 'stop', reason: 'enough' });
    expect(stage.log).toEqual(['stop b']);
    expect(stage.fireTimer()).toBe(700);
    expect(stage.log).toEqual(['stop b', 'kill b', 'stop a']);
    expect(stage.ended).toBeDefined();
  });

  it('kills at once when its time is zero', () => {
    const stage = started({ children: [child('a', 'permanent', { shutdownMs: 0 })] });
    stage.send({ type: 'stop', reason: 'enough' });
    expect(stage.log).toEqual(['kill a']);
  });

  it('waits for a supervisor for ever', () => {
    const stage = started({ children: [{ type: 'supervisor', id: 's', children: [] }] });
    stage.deaf.add('s');
    stage.send({ type: 'stop', reason: 'enough' });
    expect([stage.log, stage.armed.size, stage.ended]).toEqual([['stop s'], 0, undefined]);
    stage.exit(SHUTDOWN, 's');
    expect(stage.ended).toBeDefined();
  });

  it('is cut short for all children when the supervisor itself is killed', () => {
    const stage = ofStrategy('one-for-one');
    stage.deaf.add('c');
    stage.send({ type: 'stop', reason: 'enough' });
    stage.send({ type: 'kill', reason: 'deadline' });
    expect(stage.log).toEqual(['stop c', 'kill a', 'kill b', 'kill c']);
    expect(stage.ended).toBeDefined();
  });
});

describe('restart types', () => {
  const table: readonly (readonly [RestartType, ExitReason['kind'], boolean])[] = [
    ['permanent', 'normal', true],
    ['permanent', 'shutdown', true],
    ['permanent', 'crashed', true],
    ['transient', 'normal', false],
    ['transient', 'shutdown', false],
    ['transient', 'crashed', true],
    ['transient', 'killed', true],
    ['transient', 'thread-died', true],
    ['temporary', 'normal', false],
    ['temporary', 'crashed', false],
  ];
  it.each(table)('a %s child that ended as %s is restarted: %s', (restart, kind, isRestarted) => {
    const stage = started({ children: [child('a', restart)] });
    stage.exit({ kind, detail: 'x' }, 'a');
    expect(stage.log).toEqual(isRestarted ? ['start a'] : ['retire a']);
  });

  it('a temporary bystander of a group restart is not started again and does no harm', () => {
    const stage = started({ strategy: 'one-for-all', children: [child('a'), child('b', 'temporary'), child('c')] });
    stage.exit(CRASHED, 'a');
    expect(stage.log).toEqual(['stop c', 'stop b', 'retire b', 'start a', 'start c']);
    expect(stage.phases()).toBe('a:running b:ended c:running');
  });
});

describe('restart strategies', () => {
  it('one-for-one restarts only the one that ended', () => {
    const stage = ofStrategy('one-for-one');
    stage.exit(CRASHED, 'b');
    expect(stage.log).toEqual(['start b']);
  });

  it('one-for-all stops all others in reverse order and starts all in order', () => {
    const stage = ofStrategy('one-for-all');
    stage.exit(CRASHED, 'b');
    expect(stage.log).toEqual(['stop c', 'stop a', 'start a', 'start b', 'start c']);
  });

  it('rest-for-one restarts the one that ended and those started after it', () => {
    const stage = ofStrategy('rest-for-one');
    stage.exit(CRASHED, 'b');
    expect(stage.log).toEqual(['stop c', 'start b', 'start c']);
  });

  it('one-for-all terminates the restarted ones again when a later one fails to start, then retries all', () => {
    const stage = ofStrategy('one-for-all');
    stage.failures.set('c', 1);
    stage.exit(CRASHED, 'a');
    expect(stage.log).toEqual([
      'stop c',
      'stop b',
      'start a',
      'start b',
      'start c',
      'stop b',
      'stop a',
      'start a',
      'start b',
      'start c',
    ]);
  });

  it('rest-for-one leaves those before the failing one up while it retries', () => {
    const stage = ofStrategy('rest-for-one');
    stage.failures.set('c', 1);
    stage.exit(CRASHED, 'b');
    expect(stage.log).toEqual(['stop c', 'start b', 'start c', 'start c']);
    expect(stage.phases()).toBe('a:running b:running c:running');
  });

  it('rest-for-one reaches further back when an earlier one ends during the restart', () => {
    const stage = ofStrategy('rest-for-one');
    stage.deaf.add('c');
    stage.exit(CRASHED, 'b');
    stage.exit(CRASHED, 'a');
    stage.exit(SHUTDOWN, 'c');
    expect(stage.log).toEqual(['stop c', 'start a', 'start b', 'start c']);
  });
});

describe('restart intensity', () => {
  it('lets restarts below it go on for ever', () => {
    const stage = started({ intensity: 2, periodMs: 1_000, backoffMaxMs: 10, children: [child('a')] });
    for (let restart = 0; restart < 100; restart++) {
      stage.nowMs += 600;
      stage.exit(CRASHED, 'a');
    }
    expect([stage.ended, stage.log.length]).toEqual([undefined, 100]);
  });

  it('ends the supervisor with reason shutdown on one restart more, after stopping the rest', () => {
    const stage = started({ intensity: 1, periodMs: 1_000, children: [child('a'), child('b')] });
    stage.exit(CRASHED, 'a');
    stage.exit(CRASHED, 'a');
    expect(stage.log).toEqual(['start a', 'stop b']);
    expect(stage.ended).toMatchObject({ startFailed: false, reason: { kind: 'shutdown' } });
    expect(stage.ended?.reason.detail).toMatch(/intensity of 1 in 1000 ms; last: "a" boom/);
  });

  it('slides its window', () => {
    const stage = started({ intensity: 1, periodMs: 1_000, backoffMaxMs: 1, children: [child('a')] });
    stage.exit(CRASHED, 'a');
    stage.nowMs = 1_001;
    stage.exit(CRASHED, 'a');
    expect(stage.ended).toBeUndefined();
  });

  it('counts every failed attempt of a restart', () => {
    const stage = started({ intensity: 3, backoffMinMs: 0, backoffMaxMs: 0, children: [child('a')] });
    stage.failures.set('a', 10);
    stage.exit(CRASHED, 'a');
    expect(stage.log).toEqual(['start a', 'start a', 'start a']);
    expect(stage.ended?.reason.kind).toBe('shutdown');
  });

  it('counts children that ended together, because their thread died, once', () => {
    const stage = ofStrategy('one-for-one', { intensity: 1 });
    stage.exit({ kind: 'thread-died', detail: 'gone' }, 'a', 'b', 'c');
    expect(stage.ended).toBeUndefined();
    expect(stage.log).toEqual(['start a', 'start b', 'start c']);
  });
});

describe('backoff', () => {
  it('is nothing for the first restart, then full jitter below an exponential cap', () => {
    const stage = started({ intensity: 100, backoffMinMs: 100, backoffMaxMs: 400, children: [child('a')] });
    stage.exit(CRASHED, 'a');
    expect(stage.log).toEqual(['start a']);
    const waits = [1, 2, 3, 4].map(() => {
      stage.exit(CRASHED, 'a');
      return stage.fireTimer();
    });
    expect(waits).toEqual([50, 100, 200, 200]);
  });

  it('starts anew after a life as long as its maximum', () => {
    const stage = started({ intensity: 100, backoffMinMs: 100, backoffMaxMs: 400, children: [child('a')] });
    stage.exit(CRASHED, 'a');
    stage.exit(CRASHED, 'a');
    stage.fireTimer();
    stage.nowMs += 400;
    stage.fresh().exit(CRASHED, 'a');
    expect(stage.log).toEqual(['start a']);
  });

  it('lets a supervisor in a restart loop be shut down at once', () => {
    const stage = started({ intensity: 100, children: [child('a'), child('b')] });
    stage.exit(CRASHED, 'b');
    stage.exit(CRASHED, 'b');
    expect(stage.phases()).toBe('a:running b:delayed');
    stage.send({ type: 'stop', reason: 'enough' });
    expect([stage.armed.size, stage.ended !== undefined]).toEqual([0, true]);
  });
});

describe('a supervisor, whatever happens', () => {
  it('stops every child it started, exactly in reverse, and answers every stop', () => {
    const ids = ['a', 'b', 'c', 'd'];
    const events = fc.array(
      fc.oneof(
        fc.record({
          type: fc.constant('exit' as const),
          id: fc.constantFrom(...ids),
          kind: fc.constantFrom('normal' as const, 'crashed' as const, 'shutdown' as const),
        }),
        fc.record({ type: fc.constant('time' as const), ms: fc.nat(3_000) }),
        fc.constant({ type: 'timer' as const }),
        fc.record({ type: fc.constant('fail' as const), id: fc.constantFrom(...ids), times: fc.nat(2) }),
      ),
      { maxLength: 40 },
    );
    const strategies = fc.constantFrom<RestartStrategy>('one-for-one', 'one-for-all', 'rest-for-one');
    const restarts = fc.array(fc.constantFrom<RestartType>('permanent', 'transient', 'temporary'), {
      minLength: 4,
      maxLength: 4,
    });
    fc.assert(
      fc.property(strategies, restarts, events, (strategy, types, script) => {
        const stage = started({
          strategy,
          intensity: 8,
          periodMs: 10_000,
          children: ids.map((id, index) => child(id, types[index])),
        });
        for (const event of script) {
          if (stage.ended !== undefined) break;
          if (event.type === 'time') stage.nowMs += event.ms;
          else if (event.type === 'fail') stage.failures.set(event.id, event.times);
          else if (event.type === 'timer') {
            if (stage.armed.size > 0) stage.fireTimer();
          } else stage.exit({ kind: event.kind, detail: 'x' }, event.id);
          if (stage.ended === undefined && stage.armed.size === 0) {
            // With nothing left to wait for, every child is up or over.
            expect(stage.state.children.every((each) => each.phase === 'running' || each.phase === 'ended')).toBe(true);
          }
        }
        const running = stage.state.children.filter((each) => each.phase === 'running').map((each) => each.id);
        if (stage.ended === undefined) {
          stage.fresh().send({ type: 'stop', reason: 'enough' });
          expect(stage.log).toEqual(running.reverse().map((id) => `stop ${id}`));
        }
        expect(stage.ended).toBeDefined();
        expect(stage.armed.size).toBe(0);
      }),
      { numRuns: 500 },
    );
  });
});
