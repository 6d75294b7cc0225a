/**
 * How many messages a second get from `tell` to `receive` within one thread?
 *
 *   [server actor] --rally--> [returner actor] --rally--> ...     main thread, 100 in flight
 *   baseline: nact, the same two actors and messages
 *
 * Realistic because actors that talk a lot share a thread. Both sides count every message; the run ends with the last.
 */
import { refOf, type ActorKind } from '../../src/runtime/actor.ts';
import { startThreads } from '../../src/runtime/thread-system.ts';
import type { BenchOptions, BenchResult } from '../result.ts';
import { median, spreadOf } from './load-runs.ts';

export const name = 'same-thread';

const RUNS = 5;
const MESSAGES = 200_000;
const IN_FLIGHT = 100;

type RallyMessage = { readonly type: 'rally'; readonly left: number } | { readonly type: 'begin-rally' };

/** The part of nact that is used; its own types are there once it is installed. */
interface Nact {
  start(): unknown;
  stop(system: unknown): void;
  spawn(system: unknown, receive: (state: undefined, message: RallyMessage) => undefined, name: string): unknown;
  dispatch(to: unknown, message: RallyMessage): void;
}
const NACT: string = 'nact';

export async function run({ progress }: BenchOptions): Promise<readonly BenchResult[]> {
  const nact = (await import(NACT)) as Nact;
  const runtime = await startRuntime();
  const rates: number[] = [];
  const baselineRates: number[] = [];
  await runtime.play();
  await playNact(nact);
  for (let round = 1; round <= RUNS; round++) {
    progress(`run ${round} of ${RUNS}`);
    rates.push((MESSAGES * 1_000) / (await runtime.play()));
    baselineRates.push((MESSAGES * 1_000) / (await playNact(nact)));
  }
  await runtime.stop();
  const value = median(rates);
  const baseline = median(baselineRates);
  return [
    {
      metric: 'messages',
      value,
      unit: '1/s',
      runs: RUNS,
      spread: spreadOf(rates),
      baseline: { name: 'nact', value: baseline },
      ratio: value / baseline,
      target: { of: 'ratio', is: 'at least', need: 8, aim: 20 },
      topology: `2 actors on the main thread, ${IN_FLIGHT} messages in flight`,
    },
  ];
}

/** Plays every message of one run; returns what each of the two does with one, and a promise of the ms it took. */
function newGame(tell: (to: number, message: RallyMessage) => void): {
  readonly take: (me: number, message: RallyMessage) => void;
  readonly done: Promise<number>;
} {
  const { promise: done, resolve } = Promise.withResolvers<number>();
  const beganAtMs = performance.now();
  let told = 0;
  let taken = 0;
  const take = (me: number, message: RallyMessage): void => {
    if (message.type === 'begin-rally') {
      for (; told < IN_FLIGHT; told++) tell(1 - me, { type: 'rally', left: MESSAGES - told });
      return;
    }
    taken += 1;
    if (told < MESSAGES) {
      told += 1;
      tell(1 - me, { type: 'rally', left: MESSAGES - told });
    } else if (taken === MESSAGES) resolve(performance.now() - beganAtMs);
  };
  return { take, done };
}

async function startRuntime(): Promise<{ readonly play: () => Promise<number>; readonly stop: () => Promise<void> }> {
  let take: (me: number, message: RallyMessage) => void = () => {};
  const tellers: ((message: RallyMessage) => void)[] = [];
  const rally: ActorKind<number, number, RallyMessage> = {
    kind: 'rally',
    delivery: {
      rally: { class: 'must-deliver', priority: 'normal' },
      'begin-rally': { class: 'must-deliver', priority: 'normal' },
    },
    start: (me, self) => {
      const other = refOf<RallyMessage>(`rally/${1 - me}`);
      tellers[1 - me] = (message) => void self.tell(other, message);
      return me;
    },
    receive: (me, message) => {
      take(me, message);
      return me;
    },
  };
  const system = await startThreads({
    tree: {
      type: 'supervisor',
      id: 'bench',
      children: [0, 1].map((me) => ({ type: 'actor' as const, id: `rally/${me}`, kind: 'rally', args: me })),
    },
    kinds: [rally],
    portsFor: () => ({}),
    calendar: { type: 'live' },
    log: () => {},
    threads: [],
  });
  return {
    play: () => {
      const game = newGame((to, message) => tellers[to]?.(message));
      take = game.take;
      system.tell('rally/0', { type: 'begin-rally' });
      return game.done;
    },
    stop: () => system.stop({ deadlineMs: 2_000 }),
  };
}

async function playNact(nact: Nact): Promise<number> {
  const system = nact.start();
  const game = newGame((to, message) => nact.dispatch(actors[to], message));
  const actors = [0, 1].map((me) =>
    nact.spawn(
      system,
      (state, message) => {
        game.take(me, message);
        return state;
      },
      `rally-${me}`,
    ),
  );
  nact.dispatch(actors[0], { type: 'begin-rally' });
  const elapsedMs = await game.done;
  nact.stop(system);
  return elapsedMs;
}
