/** The engine's own threads with the engine's own settings, against venues on loopback and with a benchmark's actor in the tree. Main thread. */
import { connectorRef } from '../../actors/addresses.ts';
import { observer } from '../../actors/observer.ts';
import type { VenueName } from '../../config/venue-names.ts';
import type { TandemConfig } from '../../config/schema.ts';
import { engineDelivery } from '../../src/composition/delivery.ts';
import { placementOf, supervisionTree } from '../../src/composition/tree.ts';
import type { ConnectorThreadData } from '../../src/ports/live/connector-ports.ts';
import type { SchedulingThreadData } from '../../src/ports/live/scheduled-ports.ts';
import type { SupervisorSpec } from '../../src/runtime/child-spec.ts';
import type { ActorSystem, SystemOptions } from '../../src/runtime/system.ts';
import { startThreads } from '../../src/runtime/thread-system.ts';
import { demoAccount } from '../../src/simulation/demo-accounts.ts';
import { openJournal } from '../../src/storage/live/journal-database.ts';
import type { JournalThreadData } from '../../src/storage/live/journal-ports.ts';
import { hostsOf } from '../../src/venues/hosts.ts';
import { ACCOUNT, LIMITS, type VenueAddress } from './plan.ts';

const WORKERS = new URL('../../workers/', import.meta.url);

export interface EngineThreadsOptions {
  readonly config: TandemConfig;
  readonly addresses: ReadonlyMap<VenueName, VenueAddress>;
  readonly journalDirectory: string;
  /** The engine's tree with the benchmark's actor in it, which lives on this trading thread. */
  readonly tree: (engine: SupervisorSpec, trading: string, boot: number) => SupervisorSpec;
  readonly tradingEntry: URL;
  readonly delivery: SystemOptions['delivery'];
}

export interface EngineThreads {
  readonly system: ActorSystem;
  /** Rejects as soon as something of it fails; never settles otherwise. */
  readonly failure: Promise<never>;
}

export async function startEngineThreads(options: EngineThreadsOptions): Promise<EngineThreads> {
  const { config, journalDirectory } = options;
  const journal = openJournal(journalDirectory);
  const boot = journal.allocateBoot(Date.now());
  journal.close();
  const demo = [...options.addresses].map(([venue, address]) => ({
    ...{ venue, address },
    ...demoAccount(venue, ACCOUNT),
  }));
  const connectors: ConnectorThreadData = {
    cpuThreads: config.workers.cpu,
    isRealtime: config.workers.ioScheduling === 'realtime',
    http: config.http,
    calendarScale: config.calendar.scale,
    secrets: Object.fromEntries(
      demo.map(({ venue, secrets }) => [connectorRef(venue, ACCOUNT).path, { type: 'published', secrets }]),
    ),
  };
  const accounts = demo.map(({ venue, address, options: own }) => ({
    ...{ venue, account: ACCOUNT },
    ...address,
    options: { ...own, ...hostsOf(venue).profileOptions[LIMITS] },
  }));
  const store: JournalThreadData = { journalDirectory, boot };
  const scheduling: SchedulingThreadData = { isRealtime: config.workers.tradingScheduling === 'realtime' };
  const placement = placementOf(config.workers);
  const [io, trading] = [placement.io[0] ?? 'main', placement.trading[0] ?? 'main'];
  const failed = Promise.withResolvers<never>();
  // Whoever waits hears of it; between runs nobody does.
  failed.promise.catch(() => undefined);
  const system = await startThreads({
    tree: options.tree(supervisionTree({ config, accounts, boot, placement }), trading, boot),
    kinds: [observer],
    delivery: [...engineDelivery, ...(options.delivery ?? [])],
    portsFor: () => ({}),
    calendar: { type: 'live' },
    traceEvery: config.runtime.traceEvery,
    spinUs: config.runtime.spinUs,
    log: (record) => {
      if (record.level === 'error' || record.event === 'actor-crashed')
        failed.reject(new Error(`${record.event} ${JSON.stringify(record.fields ?? {})}`));
    },
    threads: [
      { name: io, entry: new URL('io.ts', WORKERS), data: connectors },
      { name: trading, entry: options.tradingEntry, data: scheduling },
      { name: placement.store, entry: new URL('store.ts', WORKERS), data: { ...store, ...scheduling } },
    ],
  });
  return { system, failure: failed.promise };
}
