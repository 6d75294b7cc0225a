/** A supervisor of named children in start order, as the tree holds it: the state machine of supervisor.ts with its state. Any thread. */
import type { RestartStrategy, SupervisorSpec } from './child-spec.ts';
import { newSupervisor, supervise, type SupervisorState } from './supervisor.ts';
import type {
  ChildPhase,
  RestartLimits,
  SupervisedChild,
  SupervisorCommand,
  SupervisorInput,
  SupervisorMachine,
  SupervisorPhase,
} from './supervisor-protocol.ts';

/** A supervisor of named children: one-for-one, one-for-all or rest-for-one. */
export class StaticSupervisor implements SupervisorMachine {
  #state: SupervisorState;

  constructor(spec: SupervisorSpec) {
    this.#state = newSupervisor(spec);
  }

  get strategy(): RestartStrategy {
    return this.#state.strategy;
  }

  get limits(): RestartLimits {
    return this.#state;
  }

  get phase(): SupervisorPhase {
    return this.#state.phase;
  }

  get isRestarting(): boolean {
    const { group, children } = this.#state;
    return group !== undefined || children.some((child) => child.phase !== 'running' && child.phase !== 'ended');
  }

  get restartTimesMs(): readonly number[] {
    return this.#state.restartTimesMs;
  }

  get restartsTotal(): number {
    return this.#state.restartsTotal;
  }

  get specCount(): number {
    return this.children().length;
  }

  take(input: SupervisorInput): readonly SupervisorCommand[] {
    const step = supervise(this.#state, input);
    this.#state = step.state;
    return step.commands;
  }

  children(): readonly SupervisedChild[] {
    return this.#state.children.filter((child) => !child.isForgotten);
  }

  phaseOf(id: string): ChildPhase | undefined {
    return this.#state.children.find((child) => child.id === id)?.phase;
  }
}
