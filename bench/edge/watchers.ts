/** Cycles of watchers over the real connectors in virtual time, and what they cost. Main thread. */
import { join } from 'node:path';
import { connectorRef } from '../../actors/addresses.ts';
import type { ConnectorMessage } from '../../actors/connector-messages.ts';
import { loadConfig } from '../../config/load.ts';
import { marketCalendar, tapeSpec } from '../../src/composition/market.ts';
import { refOf } from '../../src/runtime/actor.ts';
import { buildTape } from '../../src/simulation/live/build-tape.ts';
import { simulatedMarkets } from '../../src/simulation/markets.ts';
import { simulateWorld } from '../../src/simulation/world.ts';
import type { SimulatedWorld } from '../../src/simulation/world.ts';
import { median, spreadOf } from '../distribution.ts';
import type { BenchResult } from '../result.ts';

export interface Measurement {
  readonly cycles: number;
  readonly watchers: number;
  readonly groups: number;
}

const CONFIG_FILE = join(import.meta.dirname, '..', '..', 'config', 'demo.yaml');
const START_MS = Date.UTC(2026, 0, 5);
const BASES = ['BTC', 'ETH', 'SOL'];
const ACCOUNTS = [
  ['lighter', 'main'],
  ['extended', 'main'],
  ['bybit', 'main'],
  ['bybit', 'mirror'],
  ['hyperliquid', 'main'],
] as const;
/** Fills, funding payments, position, balance, open orders. */
const READS_PER_WATCHER = 5;
const READY_WITHIN_MS = 60_000;
const CYCLE_MS = 10_000;
const TOPOLOGY = '39 watchers -> 5 connectors -> 4 venues, virtual time';

interface Cycle {
  readonly watchers: number;
  readonly calls: number;
}

export function measure(
  { cycles, watchers, groups }: Measurement,
  progress: (text: string) => void,
): readonly BenchResult[] {
  const seen: Cycle[] = [];
  const world = startWorld((watched) => seen.push(watched));
  const asked = ACCOUNTS.flatMap(([venue, account]) =>
    simulatedMarkets(venue, BASES).map(({ symbol }) => ({ venue, account, symbol })),
  ).slice(0, groups);
  const calls: number[] = [];
  for (let cycle = 0; cycle < cycles; cycle++) {
    progress(`cycle ${cycle + 1} of ${cycles}`);
    seen.length = 0;
    for (let watcher = 0; watcher < watchers; watcher++) ask(world, asked[watcher % asked.length], watcher);
    runFor(world, CYCLE_MS);
    const answered = seen.reduce((sum, one) => sum + one.watchers, 0);
    if (answered !== watchers) throw new Error(`all ${watchers} watchers must be answered, ${answered} were`);
    calls.push(seen.reduce((sum, one) => sum + one.calls, 0));
  }
  const alone = watchers * READS_PER_WATCHER;
  const most = Math.max(...calls);
  const common = { runs: cycles, topology: TOPOLOGY };
  return [
    {
      ...common,
      metric: 'calls a cycle, most of all cycles',
      value: most,
      unit: 'calls',
      spread: spreadOf(calls),
      baseline: { name: 'each by itself', value: alone },
      ratio: most / alone,
      target: { of: 'value', is: 'at most', need: 31 },
    },
    {
      ...common,
      metric: 'reads answered without a call of their own',
      value: 1 - median(calls) / alone,
      unit: 'share',
      spread: spreadOf(calls) / alone,
      baseline: { name: 'each by itself', value: 0 },
      target: { of: 'value', is: 'at least', need: 0.85 },
    },
  ];
}

function ask(
  world: SimulatedWorld,
  group: { venue: string; account: string; symbol: string } | undefined,
  watcher: number,
): void {
  if (group === undefined) throw new Error('there must be a group');
  const message: ConnectorMessage = {
    type: 'reconcile-symbol',
    reconcileId: watcher,
    symbol: group.symbol,
    sinceMs: world.system.nowMs(),
    orders: [],
    // Nobody lives there: what is told is not what is measured.
    replyTo: refOf('watcher'),
  };
  world.system.tell(connectorRef(group.venue, group.account).path, message);
}

function startWorld(onCycle: (cycle: Cycle) => void): SimulatedWorld {
  const venue = (accounts: readonly string[]) =>
    ({
      kind: 'simulated',
      limits: 'premium',
      accounts: accounts.map((name) => ({ name, balance: 10_000 })),
    }) as const;
  const config = loadConfig(CONFIG_FILE, {
    symbols: BASES,
    // Nothing is traded: only watching is measured, in real time's pace.
    resumeTrading: false,
    calendar: { scale: 1 },
    venues: {
      lighter: venue(['main']),
      extended: venue(['main']),
      bybit: venue(['main', 'mirror']),
      hyperliquid: venue(['main']),
    },
    venuePairs: [
      ['lighter:main', 'extended:main'],
      ['bybit:main', 'hyperliquid:main'],
      ['bybit:mirror', 'lighter:main'],
    ],
    tape: {
      kind: 'generated',
      venues: {
        lighter: { series: 'lighter' },
        extended: { series: 'hyperliquid' },
        bybit: { series: 'bybit' },
        hyperliquid: { series: 'hyperliquid' },
      },
    },
  });
  const { startAtMs } = marketCalendar(config, START_MS);
  const ready = new Set<string>();
  const world = simulateWorld(config, {
    seed: 1,
    tape: buildTape(tapeSpec(config, startAtMs)),
    startAtMs,
    log: ({ event, path, fields }) => {
      if (event === 'venue-status' && fields?.['status'] === 'ready') ready.add(path ?? '');
      const [watchers, calls] = [fields?.['watchers'], fields?.['calls']];
      if (event === 'monitors.cycle' && typeof watchers === 'number' && typeof calls === 'number' && watchers > 0)
        onCycle({ watchers, calls });
    },
  });
  while (ready.size < ACCOUNTS.length) {
    if (world.system.monotonicMs() > READY_WITHIN_MS)
      throw new Error(`all accounts must be ready within ${READY_WITHIN_MS} ms, were ${[...ready].join(', ')}`);
    runFor(world, 500);
  }
  runFor(world, READY_WITHIN_MS);
  return world;
}

function runFor({ system }: SimulatedWorld, ms: number): void {
  system.runUntil(system.monotonicMs() + ms);
}
