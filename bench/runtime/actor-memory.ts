/**
 * How many bytes does an idle actor take, and does a message cost more among many?
 *
 *   main thread: [supervisors] with 100,000 idle actors, 200 each; two more tell each other a message to and fro
 *   baseline of the cost: the same two among 10
 *
 * Realistic because an actor per symbol, order or connection is only an option when those that have nothing to do are
 * nearly free. Bytes are what the heap holds after collection with the actors, less what it held with 10 of them: place, mailbox,
 * life, state and the supervisor's entry included.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { refOf, type ActorKind } from '../../src/runtime/actor.ts';
import type { ActorSystem } from '../../src/runtime/system.ts';
import { startThreads } from '../../src/runtime/thread-system.ts';
import type { BenchOptions, BenchResult } from '../result.ts';
import { idle } from './idle-actors.ts';
import { median, spreadOf } from './load-runs.ts';

export const name = 'actor-memory';

const CROWDS = [10, 1_000, 100_000] as const;
/** A supervisor looks through its children at every start and end of one: many are better kept in groups. */
const CHILDREN = 200;
const RUNS = 5;
const ROUNDS = 100_000;
/** One for all: what ports take is their own affair. */
const NO_PORTS = {};

type RallyMessage =
  { readonly type: 'rally'; readonly left: number } | { readonly type: 'begin-rally'; readonly rounds: number };
interface RallyState {
  readonly other: string;
  readonly done: (elapsedMs: number) => void;
  beganAtMs: number;
}

export async function* run({ progress }: BenchOptions): AsyncGenerator<BenchResult> {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const usedBytes = (): number => {
    collect();
    collect();
    return process.memoryUsage().heapUsed;
  };
  const costs = new Map<number, readonly number[]>();
  let fewBytes = 0;
  let perActor = 0;
  for (const crowd of CROWDS) {
    progress(`${crowd} idle actors`);
    const rally = newRally();
    const before = usedBytes();
    const system = await startCrowd(crowd, rally.kind);
    const grown = usedBytes() - before;
    if (crowd === CROWDS[0]) fewBytes = grown;
    perActor = (grown - fewBytes) / crowd;
    const nanoseconds: number[] = [];
    await rally.play(system);
    for (let round = 0; round < RUNS; round++) nanoseconds.push(((await rally.play(system)) * 1e6) / ROUNDS / 2);
    costs.set(crowd, nanoseconds);
    await system.stop({ deadlineMs: 30_000 });
  }
  const topology = 'main thread';
  yield {
    metric: 'bytes per idle actor',
    value: perActor,
    unit: 'B',
    runs: 1,
    spread: 0,
    topology,
    target: { of: 'value', is: 'at most', need: 1_024, aim: 300 },
  };
  const baseline = median(costs.get(CROWDS[0]) ?? []);
  for (const [crowd, nanoseconds] of costs) {
    const value = median(nanoseconds);
    yield {
      metric: `message among ${crowd} actors`,
      value,
      unit: 'ns',
      runs: RUNS,
      spread: spreadOf(nanoseconds),
      baseline: { name: `among ${CROWDS[0]}`, value: baseline },
      ratio: value / baseline,
      topology,
    };
  }
}

/** A pair that tells one message to and fro, and how to have it done once: ms for all rounds. */
function newRally(): {
  readonly kind: ActorKind<string, RallyState, RallyMessage>;
  readonly play: (system: ActorSystem) => Promise<number>;
} {
  let settle: (elapsedMs: number) => void = () => {};
  const kind: ActorKind<string, RallyState, RallyMessage> = {
    kind: 'rally',
    delivery: {
      rally: { class: 'must-deliver', priority: 'normal' },
      'begin-rally': { class: 'must-deliver', priority: 'normal' },
    },
    start: (other) => ({ other, done: (elapsedMs) => settle(elapsedMs), beganAtMs: 0 }),
    receive(state, message, self) {
      if (message.type === 'begin-rally') state.beganAtMs = self.monotonicMs();
      const left = message.type === 'begin-rally' ? message.rounds * 2 : message.left;
      if (left > 0) self.tell(refOf<RallyMessage>(state.other), { type: 'rally', left: left - 1 });
      else state.done(self.monotonicMs() - state.beganAtMs);
      return state;
    },
  };
  const play = (system: ActorSystem): Promise<number> =>
    new Promise((resolve) => {
      settle = resolve;
      system.tell('rally/0', { type: 'begin-rally', rounds: ROUNDS } as { readonly type: string });
    });
  return { kind, play };
}

function startCrowd(crowd: number, rally: ReturnType<typeof newRally>['kind']): Promise<ActorSystem> {
  return startThreads({
    tree: {
      type: 'supervisor',
      id: 'bench',
      children: [
        { type: 'actor', id: 'rally/0', kind: 'rally', args: 'rally/1' },
        { type: 'actor', id: 'rally/1', kind: 'rally', args: 'rally/0' },
        ...Array.from({ length: Math.ceil(crowd / CHILDREN) }, (_, group) => ({
          type: 'supervisor' as const,
          id: `group/${group}`,
          children: Array.from({ length: Math.min(CHILDREN, crowd - group * CHILDREN) }, (_child, index) => ({
            type: 'actor' as const,
            id: `idle/${group * CHILDREN + index}`,
            kind: 'idle',
            args: null,
          })),
        })),
      ],
    },
    kinds: [idle, rally],
    portsFor: () => NO_PORTS,
    calendar: { type: 'live' },
    log: () => {},
    threads: [],
  });
}
