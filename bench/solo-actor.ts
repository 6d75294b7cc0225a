/** One of the engine's own actors without a system around it: real code, a clock moved by hand, told messages seen. Benchmarks only. */
import { noTracing, StartIgnored } from '../src/runtime/actor.ts';
import { noMetrics } from '../src/runtime/metrics.ts';
import type { ActorKind, ActorRef, MessageShape, Self } from '../src/runtime/actor.ts';
import { randomStream } from '../src/runtime/random.ts';

/** Both clocks of every actor that shares it. */
export interface HandClock {
  readonly nowMs: number;
  readonly monotonicMs: number;
}

export class SoloActor<Args, State, Message extends MessageShape> {
  readonly #kind: ActorKind<Args, State, Message>;
  readonly #self: Self<Message>;
  #state: State;

  /** Starts the actor. Its timers never fire: the benchmark says when something is due. */
  constructor(
    kind: ActorKind<Args, State, Message>,
    args: Args,
    options: {
      readonly path: string;
      readonly clock: HandClock;
      readonly onTold: (to: ActorRef, message: MessageShape) => void;
    },
  ) {
    const { path, clock, onTold } = options;
    this.#kind = kind;
    this.#self = {
      path,
      incarnation: 1,
      ref: { path, incarnation: 1 },
      ports: undefined,
      nowMs: () => clock.nowMs,
      monotonicMs: () => clock.monotonicMs,
      tell: (to, message) => {
        onTold(to, message);
        return 'sent';
      },
      after: () => 0,
      cancel: () => undefined,
      watch: () => undefined,
      unwatch: () => undefined,
      link: () => undefined,
      unlink: () => undefined,
      stop: () => undefined,
      ignore: () => {
        throw new StartIgnored(`${path} has nothing to do`);
      },
      startInfo: () => undefined,
      random: (purpose) => randomStream(1, purpose),
      tracing: noTracing,
      metrics: noMetrics,
      log: () => undefined,
      count: () => undefined,
    };
    this.#state = kind.start(args, this.#self);
  }

  get state(): State {
    return this.#state;
  }

  receive(message: Message): void {
    this.#state = this.#kind.receive(this.#state, message, this.#self);
  }
}
