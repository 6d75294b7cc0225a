/** Runs evaluation cycles of the strategy and of its baseline, and works out the results. Main thread. */
import { join } from 'node:path';
import { strategyRef } from '../../actors/addresses.ts';
import { strategy } from '../../actors/strategy.ts';
import type { ScanProfile, StrategyArgs, StrategyState } from '../../actors/strategy.ts';
import { entryFacts } from '../../actors/strategy/candidate.ts';
import { refreshLegs } from '../../actors/strategy/candidate-table.ts';
import { exposuresOf } from '../../actors/strategy/pair-book.ts';
import type { PositionMessage } from '../../actors/position-messages.ts';
import type { StrategyMessage } from '../../actors/strategy-messages.ts';
import { loadConfig } from '../../config/load.ts';
import { VENUE_NAMES } from '../../config/venue-names.ts';
import { placementOf, supervisionTree } from '../../src/composition/tree.ts';
import type { ChildSpec } from '../../src/runtime/child-spec.ts';
import { randomStream } from '../../src/runtime/random.ts';
import { decideEntry } from '../../src/strategy/entry-decision.ts';
import { median, percentile, spreadOf } from '../distribution.ts';
import type { BenchResult, BenchTarget } from '../result.ts';
import { SoloActor } from '../solo-actor.ts';
import { basesOf, Market, pairOf } from './market.ts';

export interface Measurement {
  readonly runs: number;
  readonly symbols: number;
  /** Not counted: compiled code is what is measured. */
  readonly warmUpCycles: number;
  readonly cycles: number;
}

const CONFIG_FILE = join(import.meta.dirname, '..', '..', 'config', 'paper.yaml');
const ACCOUNTS = VENUE_NAMES.map((venue) => ({ venue, account: 'main' }));
const OPEN_PAIRS = 4;
/** Calendar and monotonic alike; half past an hour, far from settlements. */
const START_MS = Date.UTC(2026, 0, 5, 12, 30);
const BASELINE = 'every candidate judged in every cycle';
const BASELINE_CYCLES = 20;
const SCAN_EVERY_MS = 250;
const TARGET: BenchTarget = { of: 'value', is: 'at most', need: 5 };
const PARTS = ['healthMs', 'riskMs', 'strategyMs', 'intentMs'] as const;

type EnterPair = Extract<PositionMessage, { type: 'enter-pair' }>;

interface Cycle extends ScanProfile {
  readonly wholeMs: number;
}

export async function measure(
  { runs, symbols, warmUpCycles, cycles }: Measurement,
  progress: (text: string) => void,
): Promise<readonly BenchResult[]> {
  const subject = new Subject(symbols);
  progress('warming up');
  subject.play(warmUpCycles);
  const played: (readonly Cycle[])[] = [];
  const plain: number[] = [];
  for (let run = 1; run <= runs; run++) {
    progress(`run ${run} of ${runs}`);
    played.push(subject.play(cycles));
    plain.push(...subject.playPlain(BASELINE_CYCLES));
  }
  const topology = `market of ${symbols} symbols x ${ACCOUNTS.length} venues -> strategy -> position, one thread; ${cycles} cycles per run`;
  const baselineMs = median(plain);
  const result = (
    metric: string,
    pick: (cycle: Cycle) => number,
    share: number,
    more: Partial<BenchResult> = {},
  ): BenchResult => {
    const values = played.map((run) => percentile(run.map(pick), share));
    return { metric, value: median(values), unit: 'ms', runs, spread: spreadOf(values), topology, ...more };
  };
  const whole = (cycle: Cycle): number => cycle.wholeMs;
  const compared = (metric: string, share: number, target?: BenchTarget): BenchResult => {
    const measured = result(metric, whole, share);
    const baseline = { name: BASELINE, value: baselineMs };
    return { ...measured, baseline, ratio: measured.value / baselineMs, ...(target === undefined ? {} : { target }) };
  };
  return [
    compared('cycle p50', 0.5),
    compared('cycle p99', 0.99, TARGET),
    compared('cycle max', 1),
    ...PARTS.flatMap((part) =>
      [0.5, 0.99].map((share) => result(`${part.replace('Ms', '')} p${share * 100}`, (cycle) => cycle[part], share)),
    ),
  ];
}

function isEntry(message: { readonly type: string }): message is EnterPair {
  return message.type === 'enter-pair';
}

/** Clocks that stand where the benchmark puts them, and go on by themselves from there. */
class RunningClock {
  #offsetMs = START_MS;
  #setAtMs = performance.now();

  get nowMs(): number {
    return this.monotonicMs;
  }

  get monotonicMs(): number {
    return this.#offsetMs + performance.now() - this.#setAtMs;
  }

  skip(ms: number): void {
    this.#offsetMs = this.monotonicMs + ms;
    this.#setAtMs = performance.now();
  }
}

class Subject {
  readonly #clock = new RunningClock();
  readonly #bases: readonly string[];
  readonly #market: Market;
  readonly #args: StrategyArgs;
  readonly #actor: SoloActor<StrategyArgs, StrategyState, StrategyMessage>;
  #asked: string | undefined;
  #pairs = 0;

  constructor(symbols: number) {
    this.#bases = basesOf(symbols);
    this.#market = new Market(this.#bases, ACCOUNTS, this.#clock, randomStream(1, 'market'));
    this.#args = { ...engineArgs(), bases: this.#bases };
    this.#actor = new SoloActor(strategy, this.#args, {
      path: strategyRef.path,
      clock: this.#clock,
      onTold: (_to, message) => {
        if (isEntry(message)) this.#asked = message.plan.base;
      },
    });
    for (const event of this.#market.standing()) this.#actor.receive(event);
    this.#actor.receive({ type: 'engine-state-changed', state: 'TRADING', reason: '', flatten: false });
    for (const [index, base] of this.#bases.entries())
      this.#actor.receive(pairOf(base, index < OPEN_PAIRS ? 'OPEN' : 'IDLE', index < OPEN_PAIRS ? `open-${base}` : ''));
  }

  play(cycles: number): readonly Cycle[] {
    return Array.from({ length: cycles }, () => this.#cycle());
  }

  /** Gathers and judges every candidate there is, from the same facts; returns how long each time took, ms. */
  playPlain(cycles: number): readonly number[] {
    const { state } = this.#actor;
    return Array.from({ length: cycles }, () => {
      this.#news();
      refreshLegs(state.table, state.market);
      const startedMs = performance.now();
      const known = { ...state, exposures: exposuresOf(state.pairs) };
      const at = { nowMs: this.#clock.nowMs, monotonicMs: this.#clock.monotonicMs };
      for (const candidate of state.table.candidates) decideEntry(entryFacts(known, candidate, at), this.#args.policy);
      return performance.now() - startedMs;
    });
  }

  #news(): void {
    this.#clock.skip(SCAN_EVERY_MS);
    for (const event of this.#market.moving()) this.#actor.receive(event);
  }

  #cycle(): Cycle {
    this.#news();
    this.#asked = undefined;
    const startedMs = performance.now();
    this.#actor.receive({ type: 'scan-opportunities' });
    const wholeMs = performance.now() - startedMs;
    if (this.#asked === undefined) throw new Error('every cycle must ask for an entry, one did not');
    this.#pairs += 1;
    this.#actor.receive(pairOf(this.#asked, 'FAILED', `failed-${this.#pairs}`));
    return { wholeMs, ...this.#actor.state.profile };
  }
}

/** The strategy's arguments as the engine would start it with these accounts. */
function engineArgs(): StrategyArgs {
  // The market's rates have no past in which they could have been proven.
  const config = loadConfig(CONFIG_FILE, { fundingCheck: { unprovenMaxNotional: 2_500 } });
  const accounts = ACCOUNTS.map((account) => ({ ...account, restUrl: '', streamUrl: '', options: {} }));
  const tree = supervisionTree({ config, accounts, boot: 1, placement: placementOf(config.workers) });
  const found = actorsOf(tree).find(({ kind }) => kind === strategy.kind);
  // What a strategy's spec carries: tree.ts makes it of this type.
  const { venuePairs: _every, ...args } = (found ?? { args: undefined }).args as StrategyArgs;
  return args;
}

function actorsOf(child: ChildSpec): readonly Extract<ChildSpec, { type: 'actor' }>[] {
  if (child.type === 'actor') return [child];
  return 'children' in child ? child.children.flatMap(actorsOf) : [];
}
