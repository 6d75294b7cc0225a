/**
 * The whole engine in virtual time on one thread: the production tree and actors, simulated venues behind a simulated network,
 * a simulated disk. Same configuration, tape and seed: the same events in the same order.
 */
import { connector } from '../../actors/connector.ts';
import { guard } from '../../actors/guard.ts';
import { journal } from '../../actors/journal.ts';
import { monitor } from '../../actors/monitor.ts';
import { observer } from '../../actors/observer.ts';
import { position } from '../../actors/position.ts';
import { strategy } from '../../actors/strategy.ts';
import { connectorRef, guardRef } from '../../actors/addresses.ts';
import type { TandemConfig } from '../../config/schema.ts';
import type { VenueName } from '../../config/venue-names.ts';
import { engineDelivery } from '../composition/delivery.ts';
import { killForVerdict } from '../composition/journal-verdict.ts';
import { venueSpec } from '../composition/market.ts';
import { placementOf, supervisionTree } from '../composition/tree.ts';
import type { AccountEndpoint } from '../composition/tree.ts';
import { runCpuTask } from '../ports/cpu-tasks.ts';
import { SharedReads } from '../ports/shared-reads.ts';
import type { LogRecord } from '../runtime/ports-context.ts';
import type { VirtualSystem } from '../runtime/system.ts';
import { startVirtual } from '../runtime/virtual-system.ts';
import { nextBoot } from '../storage/verdict.ts';
import { hostsOf } from '../venues/hosts.ts';
import { buildVenue } from './build-venue.ts';
import type { BuiltVenue } from './build-venue.ts';
import { demoAccount } from './demo-accounts.ts';
import type { MarketTape } from './market-tape.ts';
import { SimulatedDisk } from './simulated-disk.ts';
import { SimulatedNetwork } from './simulated-network.ts';
import { simulatedConnectorPorts, simulatedJournalPorts } from './simulated-ports.ts';

export interface WorldOptions {
  readonly seed: number;
  readonly tape: MarketTape;
  /** Calendar ms at virtual time 0. */
  readonly startAtMs: number;
  readonly log?: (record: LogRecord) => void;
}

/** A world with its engine running in it. */
export interface SimulatedWorld {
  /** The running engine; replaced by `restart`. */
  readonly system: VirtualSystem;
  readonly venues: ReadonlyMap<string, BuiltVenue>;
  readonly network: SimulatedNetwork;
  readonly disk: SimulatedDisk;
  /** Number of the engine's current process life, from 1. */
  readonly boot: number;
  /** Kills the engine's process at this instant and starts it again on the same disk; venues and network go on. */
  restart(): void;
}

/** Builds the world of a configuration whose venues are all simulated. Throws on one that is not. */
export function simulateWorld(config: TandemConfig, options: WorldOptions): SimulatedWorld {
  return new World(config, options);
}

class World implements SimulatedWorld {
  system: VirtualSystem;
  readonly venues: ReadonlyMap<string, BuiltVenue>;
  readonly network: SimulatedNetwork;
  readonly disk = new SimulatedDisk();
  boot = 1;
  readonly #config: TandemConfig;
  readonly #options: WorldOptions;
  readonly #accounts: readonly AccountEndpoint[];

  constructor(config: TandemConfig, options: WorldOptions) {
    this.#config = config;
    this.#options = options;
    this.#accounts = accountEndpoints(config);
    this.system = this.#start(options.startAtMs);
    this.network = new SimulatedNetwork(this.system, {
      seed: options.seed,
      startAtMs: options.startAtMs,
      scale: config.calendar.scale,
    });
    const venues = new Map<string, BuiltVenue>();
    for (const name of new Set(this.#accounts.map((account) => account.venue))) {
      const simulated = config.venues[name];
      if (simulated?.kind !== 'simulated')
        throw new RangeError(`every venue of a simulated world must be simulated, ${name} is ${simulated?.kind}`);
      const built = buildVenue(venueSpec(config, name, simulated), options.tape);
      venues.set(name, built);
      this.network.addVenue(hostOf(name), built.venue);
    }
    this.venues = venues;
  }

  restart(): void {
    const { calendarMs } = this.network.now();
    this.disk.crash();
    const verdict = this.disk.takeVerdict();
    this.boot = nextBoot(this.boot, verdict);
    this.system = this.#start(calendarMs);
    this.network.restart(this.system);
    const kill = killForVerdict(verdict);
    if (kill !== undefined) this.system.tell(guardRef.path, kill);
  }

  #start(startAtMs: number): VirtualSystem {
    const config = this.#config;
    const placement = placementOf(config.workers);
    const { seed } = this.#options;
    const reads = new SharedReads();
    const connectorPorts = (): ReturnType<typeof simulatedConnectorPorts> =>
      simulatedConnectorPorts({
        network: this.network,
        runTask: runCpuTask,
        calendarScale: config.calendar.scale,
        secretsOf: (path) => this.#secrets(path),
        client: '127.0.0.1',
        reads,
      });
    const threads = new Set([...placement.io, ...placement.trading, placement.store].filter((name) => name !== 'main'));
    return startVirtual({
      tree: supervisionTree({ config, accounts: this.#accounts, boot: this.boot, placement }),
      kinds: [connector, guard, journal, monitor, observer, position, strategy],
      delivery: engineDelivery,
      portsFor: (context) => {
        if (context.kind === 'connector') return connectorPorts()(context);
        if (context.kind === 'journal') return simulatedJournalPorts(this.disk)(context);
        return {};
      },
      calendar: { type: 'scaled', startAtMs, scale: config.calendar.scale },
      log: this.#options.log ?? (() => undefined),
      // Each life draws anew, as a new process would.
      seed: (seed + this.boot - 1) >>> 0,
      traceEvery: config.runtime.traceEvery,
      threads: [...threads].map((name) => ({ name })),
    });
  }

  #secrets(path: string): Readonly<Record<string, string>> {
    const account = this.#accounts.find((candidate) => connectorRef(candidate.venue, candidate.account).path === path);
    if (account === undefined) throw new RangeError(`secrets are known for connectors only, asked for ${path}`);
    return demoAccount(account.venue, account.account).secrets;
  }
}

function hostOf(venue: string): string {
  return `${venue}.test`;
}

function accountEndpoints(config: TandemConfig): readonly AccountEndpoint[] {
  const endpoints: AccountEndpoint[] = [];
  for (const venue of Object.keys(config.venues) as VenueName[]) {
    const { restPath, streamPath } = hostsOf(venue);
    const address = { restUrl: `http://${hostOf(venue)}${restPath}`, streamUrl: `ws://${hostOf(venue)}${streamPath}` };
    const simulated = config.venues[venue];
    if (simulated?.kind !== 'simulated') continue;
    const profile = hostsOf(venue).profileOptions[simulated.limits];
    for (const { name } of simulated.accounts)
      endpoints.push({
        venue,
        account: name,
        ...address,
        options: { ...demoAccount(venue, name, simulated.accountType).options, ...profile },
      });
  }
  return endpoints;
}
