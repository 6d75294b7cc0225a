import fc from 'fast-check';
import { describe, it, expect } from 'vitest';
import type { ChildRequest } from '../../../src/runtime/child-requests.ts';
import type { AutoShutdown, RestartStrategy, RestartType, SupervisorSpec } from '../../../src/runtime/child-spec.ts';
import { DynamicSupervisor } from '../../../src/runtime/dynamic-supervisor.ts';
import { StaticSupervisor } from '../../../src/runtime/static-supervisor.ts';
import type {
  ExitReason,
  SupervisorCommand,
  SupervisorEvent,
  SupervisorMachine,
} from '../../../src/runtime/supervisor-protocol.ts';
import { puppet, supervisor } from './bed.ts';
import { OtpModel, type ModelChild } from './otp-model.ts';

const IDS = ['a', 'b', 'c', 'd', 'e'] as const;

/** Our state machine with children that do at once what they are told, except start when they are to fail. */
class Machine {
  readonly log: string[] = [];
  readonly failures = new Map<string, number>();
  nowMs = 0;
  hasEnded = false;
  readonly #machine: SupervisorMachine;
  readonly #events: SupervisorEvent[] = [];
  #answer = '';

  constructor(machine: SupervisorMachine) {
    this.#machine = machine;
    this.send({ type: 'start' });
  }

  get view(): string {
    if (this.hasEnded) return 'ended';
    const children = this.#machine.children();
    return children
      .map(
        (child) => `${child.id}:${child.phase === 'running' ? 'up' : child.phase === 'ended' ? 'down' : child.phase}`,
      )
      .join(' ');
  }

  send(event: SupervisorEvent): void {
    this.#events.push(event);
    for (let next = this.#events.shift(); next !== undefined; next = this.#events.shift()) {
      for (const command of this.#machine.take({ event: next, nowMs: this.nowMs, jitter: 0 })) this.#obey(command);
    }
  }

  exit(id: string, kind: ExitReason['kind']): void {
    this.send({ type: 'children-exited', exits: [{ id, reason: { kind, detail: kind } }] });
  }

  request(request: ChildRequest): string {
    this.#answer = 'no answer';
    this.send({ type: 'request', token: 1, request });
    return this.#answer;
  }

  #obey(command: SupervisorCommand): void {
    if (command.type === 'start-child') {
      this.log.push(`start ${command.id}`);
      const failures = this.failures.get(command.id) ?? 0;
      if (failures > 0) this.failures.set(command.id, failures - 1);
      const reason: ExitReason = { kind: 'crashed', detail: 'cannot start' };
      this.#events.push(
        failures > 0
          ? { type: 'child-start-failed', id: command.id, reason }
          : { type: 'child-started', id: command.id },
      );
    } else if (command.type === 'stop-child') {
      this.log.push(`stop ${command.id}`);
      this.#events.push({
        type: 'children-exited',
        exits: [{ id: command.id, reason: { kind: 'shutdown', detail: 'told' } }],
      });
    } else if (command.type === 'reply') {
      this.#answer = command.reply.type === 'refused' ? command.reply.error : command.reply.type;
    } else if (command.type === 'ended') this.hasEnded = true;
  }
}

type Act =
  | { readonly type: 'exit'; readonly id: string; readonly kind: 'normal' | 'shutdown' | 'crashed' | 'killed' }
  | { readonly type: 'time'; readonly ms: number }
  | { readonly type: 'fail'; readonly id: string; readonly times: number }
  | { readonly type: 'start'; readonly id: string; readonly restart: RestartType; readonly significant: boolean }
  | { readonly type: 'terminate' | 'restart' | 'delete'; readonly id: string };

const id = fc.constantFrom(...IDS);
const restart = fc.constantFrom<RestartType>('permanent', 'transient', 'temporary');
const act: fc.Arbitrary<Act> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      type: fc.constant('exit' as const),
      id,
      kind: fc.constantFrom('normal' as const, 'shutdown' as const, 'crashed' as const, 'killed' as const),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ type: fc.constant('time' as const), ms: fc.nat(20).map((tenths) => tenths * 100) }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('fail' as const), id, times: fc.nat(3) }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('start' as const), id, restart, significant: fc.boolean() }) },
  {
    weight: 3,
    arbitrary: fc.record({ type: fc.constantFrom('terminate' as const, 'restart' as const, 'delete' as const), id }),
  },
);
const settings = fc.record({
  intensity: fc.nat(4),
  // Coarse, so that restarts fall on the very edge of the window as well.
  periodMs: fc.integer({ min: 1, max: 40 }).map((tenths) => tenths * 100),
  autoShutdown: fc.constantFrom<AutoShutdown>('never', 'any-significant', 'all-significant'),
});

/** Permanent children cannot be significant, and nobody is under a supervisor that never shuts itself down. */
function childOf(
  childId: string,
  restartType: RestartType,
  significant: boolean,
  autoShutdown: AutoShutdown,
): ModelChild {
  return {
    id: childId,
    restart: restartType,
    significant: significant && restartType !== 'permanent' && autoShutdown !== 'never',
  };
}

function specOf({ id: childId, restart: restartType, significant }: ModelChild): ReturnType<typeof puppet> {
  return puppet(childId, restartType, { significant });
}

function perform(
  model: OtpModel,
  machine: Machine,
  step: Act,
  autoShutdown: AutoShutdown,
  start: (child: ModelChild) => ChildRequest,
): void {
  switch (step.type) {
    case 'exit':
      // Only who lives can end.
      if (!model.view.includes(`${step.id}:up`)) return;
      model.exit(step.id, step.kind === 'crashed' || step.kind === 'killed', machine.nowMs);
      machine.exit(step.id, step.kind);
      return;
    case 'time':
      machine.nowMs += step.ms;
      return;
    case 'fail':
      model.failures.set(step.id, step.times);
      machine.failures.set(step.id, step.times);
      return;
    case 'start': {
      const child = childOf(step.id, step.restart, step.significant, autoShutdown);
      expect(machine.request(start(child))).toBe(model.startChild(child));
      return;
    }
    case 'terminate':
      expect(machine.request({ type: 'terminate-child', id: step.id })).toBe(model.terminateChild(step.id));
      return;
    case 'restart':
      expect(machine.request({ type: 'restart-child', id: step.id })).toBe(model.restartChild(step.id));
      return;
    case 'delete':
      expect(machine.request({ type: 'delete-child', id: step.id })).toBe(model.deleteChild(step.id));
      return;
  }
}

describe("a supervisor beside a model of OTP's", () => {
  it('starts, stops and answers the same, whatever its children do and whatever is asked of it', () => {
    const strategy = fc.constantFrom<RestartStrategy>('one-for-one', 'one-for-all', 'rest-for-one');
    const first = fc.array(fc.record({ restart, significant: fc.boolean() }), { maxLength: 4 });
    fc.assert(
      fc.property(
        strategy,
        settings,
        first,
        fc.array(act, { maxLength: 40 }),
        (strategyName, chosen, firstChildren, acts) => {
          const options = { strategy: strategyName, ...chosen };
          const children = firstChildren.map((child, index) =>
            childOf(IDS[index] ?? '', child.restart, child.significant, chosen.autoShutdown),
          );
          const spec: SupervisorSpec = supervisor('sup', {
            ...options,
            backoffMinMs: 0,
            backoffMaxMs: 0,
            children: children.map(specOf),
          });
          const model = new OtpModel(options, children);
          const machine = new Machine(new StaticSupervisor(spec));
          for (const step of acts) {
            perform(model, machine, step, chosen.autoShutdown, (child) => ({
              type: 'start-child',
              spec: specOf(child),
            }));
            expect([machine.view, machine.log]).toEqual([model.view, model.log]);
          }
        },
      ),
      { numRuns: 3_000 },
    );
  });

  it('does so with dynamic children', () => {
    fc.assert(
      fc.property(
        settings,
        restart,
        fc.boolean(),
        fc.array(act, { maxLength: 40 }),
        (chosen, restartType, isSignificant, acts) => {
          const options = { strategy: 'simple-one-for-one' as const, ...chosen };
          const template = childOf('job', restartType, isSignificant, chosen.autoShutdown);
          const spec = supervisor('sup', {
            ...options,
            backoffMinMs: 0,
            backoffMaxMs: 0,
            children: [specOf(template)],
          });
          const model = new OtpModel(options, []);
          const machine = new Machine(new DynamicSupervisor(spec, { next: 0 }));
          for (const step of acts) {
            const made = step.type === 'start' ? { ...step, restart: restartType, significant: isSignificant } : step;
            perform(model, machine, made, chosen.autoShutdown, (child) => ({
              type: 'start-dynamic-child',
              id: child.id,
            }));
            expect([machine.view, machine.log]).toEqual([model.view, model.log]);
          }
        },
      ),
      { numRuns: 2_000 },
    );
  });
});
