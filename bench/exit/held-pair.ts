/** A pair that an engine in virtual time has opened: its rows, and what its venues list and say. Main thread. */
import { join } from 'node:path';
import { positionRef } from '../../actors/addresses.ts';
import type { PositionArgs } from '../../actors/position.ts';
import { loadConfig } from '../../config/load.ts';
import { marketCalendar, tapeSpec } from '../../src/composition/market.ts';
import { placementOf, supervisionTree } from '../../src/composition/tree.ts';
import type { PairRecord } from '../../src/execution/pair.ts';
import type { Instrument } from '../../src/market/instrument.ts';
import type { ChildSpec } from '../../src/runtime/child-spec.ts';
import { buildTape } from '../../src/simulation/live/build-tape.ts';
import { simulatedMarkets } from '../../src/simulation/markets.ts';
import { simulateWorld } from '../../src/simulation/world.ts';
import type { JournalRow } from '../../src/storage/rows.ts';

export const BASE = 'BTC';
export const ACCOUNT = 'main';
const VENUES = ['lighter', 'extended'] as const;
const CONFIG_FILE = join(import.meta.dirname, '..', '..', 'config', 'demo.yaml');
const START_MS = Date.UTC(2026, 0, 5);
const SEED = 1;
/** Virtual time within which the demonstration opens a pair. */
const OPEN_WITHIN_MS = 120_000;
const STEP_MS = 500;

export interface HeldPair {
  readonly args: PositionArgs;
  /** Of the base, in order. */
  readonly rows: readonly JournalRow[];
  readonly record: PairRecord;
  readonly instruments: readonly Instrument[];
  /** Calendar ms at which it was open. */
  readonly nowMs: number;
}

/** Opens a pair in virtual time. Throws when none opens. */
export function holdPair(): HeldPair {
  const config = loadConfig(CONFIG_FILE, { symbols: [BASE], resumeTrading: true });
  const { startAtMs } = marketCalendar(config, START_MS);
  const world = simulateWorld(config, { seed: SEED, tape: buildTape(tapeSpec(config, startAtMs)), startAtMs });
  const { system, disk } = world;
  while (system.monotonicMs() < OPEN_WITHIN_MS) {
    system.runUntil(system.monotonicMs() + STEP_MS);
    const rows = disk.rowsAfter(0).filter(({ correlation }) => correlation === BASE);
    const record = rows.map(({ payload }) => payload['pair'] as PairRecord | undefined).findLast((pair) => pair);
    if (record?.phase !== 'OPEN') continue;
    const accounts = VENUES.map((venue) => ({ venue, account: ACCOUNT, restUrl: '', streamUrl: '', options: {} }));
    const tree = supervisionTree({ config, accounts, boot: 2, placement: placementOf(config.workers) });
    const spec = actorsOf(tree).find(({ id }) => id === positionRef(BASE).path);
    if (spec === undefined) throw new Error(`the tree must have a position of ${BASE}`);
    return {
      // What a position's spec carries: tree.ts makes it of this type.
      args: spec.args as PositionArgs,
      rows,
      record,
      instruments: VENUES.flatMap((venue) => simulatedMarkets(venue, [BASE])),
      nowMs: system.nowMs(),
    };
  }
  throw new Error(`a pair must open within ${OPEN_WITHIN_MS} ms of virtual time`);
}

function actorsOf(child: ChildSpec): readonly Extract<ChildSpec, { type: 'actor' }>[] {
  if (child.type === 'actor') return [child];
  return 'children' in child ? child.children.flatMap(actorsOf) : [];
}
