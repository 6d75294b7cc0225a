/** The engine's own path on its own threads: connector, journal and, in place of a position, the benchmark's trader. Main thread. */
import { setTimeout as pause } from 'node:timers/promises';
import { join } from 'node:path';
import { connectorRef, journalRef, positionRef } from '../../actors/addresses.ts';
import type { LimitOrders } from '../../actors/connector-messages.ts';
import type { ConnectorArgs } from '../../actors/connector/state.ts';
import { loadConfig } from '../../config/load.ts';
import type { ChildSpec, SupervisorSpec } from '../../src/runtime/child-spec.ts';
import type { ActorSystem } from '../../src/runtime/system.ts';
import { startEngineThreads } from './engine-threads.ts';
import { ACCOUNT, BASE, type Decision, type OrderVenue, type Subject, type VenueAddress } from './plan.ts';
import { trader, type TraderArgs } from './trader.ts';

/** Real speed, default settings. */
const CONFIG_FILE = join(import.meta.dirname, '..', '..', 'config', 'paper.yaml');
/** A start is no part of what is measured: a busy machine may take long for it. */
const READY_MS = 120_000;
const LOOK_EVERY_MS = 20;
const ASK_MS = 5_000;
const STOP_MS = 5_000;
/** The gate stays in the path with every check; only what a benchmark exceeds on purpose is wide. */
const ORDERS_PER_SECOND_MAX = 1_000;
const OPEN_ORDERS_MAX = 1_000;

/** Starts the engine's threads against a venue; settles once a trigger would be answered. */
export async function startEngineSubject(
  venue: OrderVenue,
  address: VenueAddress,
  journalDirectory: string,
): Promise<Subject> {
  const { system, failure } = await startEngineThreads({
    config: loadConfig(CONFIG_FILE, { symbols: [BASE], workers: { io: 1, trading: 1, cpu: 1 } }),
    addresses: new Map([[venue, address]]),
    journalDirectory,
    tree: (engine, trading, boot) => benchTree(engine, { venue, trading, boot }),
    tradingEntry: new URL('./trading-worker.ts', import.meta.url),
    delivery: [trader.delivery],
  });
  try {
    await Promise.race([ready(system), failure]);
    // The engine's guard goes with its trading; in its place main says what may leave.
    const limit: LimitOrders = { type: 'limit-orders', allowed: 'all', cancelOpens: false, reason: 'benchmark' };
    system.tell(connectorRef(venue, ACCOUNT).path, limit);
  } catch (error) {
    await system.stop({ deadlineMs: STOP_MS });
    throw error;
  }
  return {
    failure,
    takeDecisions: async () =>
      // The trader answers with what its message type says.
      (await system.ask(
        positionRef(BASE).path,
        { type: 'take-decisions' },
        { deadlineMs: ASK_MS },
      )) as readonly Decision[],
    close: () => system.stop({ deadlineMs: STOP_MS }),
  };
}

/** The engine's tree with a trader where trading would be; everything else keeps the engine's own settings. */
function benchTree(
  engine: SupervisorSpec,
  { venue, trading, boot }: { readonly venue: OrderVenue; readonly trading: string; readonly boot: number },
): SupervisorSpec {
  const traderArgs: TraderArgs = { venue, boot, connector: connectorRef(venue, ACCOUNT), journal: journalRef };
  const children = engine.children
    .filter((child) => child.id !== 'trading')
    .map((child): ChildSpec =>
      child.type === 'supervisor' ? { ...child, children: child.children.map(widened) } : child,
    );
  return {
    ...engine,
    children: [
      ...children,
      { type: 'actor', id: positionRef(BASE).path, kind: trader.kind, args: traderArgs, thread: trading },
    ],
  };
}

function widened(child: ChildSpec): ChildSpec {
  if (child.type !== 'actor' || child.kind !== 'connector') return child;
  // What a connector's spec carries: tree.ts makes it of this type.
  const args = child.args as ConnectorArgs;
  const wide: ConnectorArgs = {
    ...args,
    subscribers: [{ path: positionRef(BASE).path, bases: [BASE] }],
    startupQuarantineMs: 0,
    gate: {
      ...args.gate,
      maxOrdersPerSec: ORDERS_PER_SECOND_MAX,
      maxOrdersPerMinute: ORDERS_PER_SECOND_MAX * 60,
      maxOpenOrders: OPEN_ORDERS_MAX,
    },
  };
  return { ...child, args: wide };
}

async function ready(system: ActorSystem): Promise<void> {
  const givenUpAtMs = performance.now() + READY_MS;
  while (performance.now() < givenUpAtMs) {
    if ((await system.ask(positionRef(BASE).path, { type: 'report-readiness' }, { deadlineMs: ASK_MS })) === true)
      return;
    await pause(LOOK_EVERY_MS);
  }
  throw new Error(`the connector must be ready within ${READY_MS} ms`);
}
