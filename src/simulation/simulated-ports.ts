/** The doors of actors in virtual time: connectors on the simulated network, the journal on the simulated disk. Single thread. */
import { meteredHttp, meteredSocket, venueOf } from '../ports/metered-ports.ts';
import type {
  ConnectorPorts,
  CpuPort,
  HttpHealth,
  HttpPort,
  JournalPorts,
  TaskDone,
  TaskFailed,
} from '../ports/ports.ts';
import { SharedReads, sharingHttpPort } from '../ports/shared-reads.ts';
import type { RandomStream } from '../runtime/actor.ts';
import type { PortsContext, PortsFactory } from '../runtime/ports-context.ts';
import { openStorePort } from '../storage/store-port.ts';
import type { SimulatedDisk } from './simulated-disk.ts';
import type { SimulatedNetwork } from './simulated-network.ts';

/** Bytes of entropy each CPU task receives, as on the real pool. */
const TASK_ENTROPY_BYTES = 64;
const TASK_MS_MIN = 0.5;
const TASK_MS_MAX = 6;
/** A commit takes between these. */
const COMMIT_MS_MIN = 0.2;
const COMMIT_MS_MAX = 3;
/** Now and then a disk thinks about something else. */
const COMMIT_SLOW_MS = 80;
const COMMIT_SLOW_CHANCE = 0.01;

export interface SimulatedConnectorOptions {
  readonly network: SimulatedNetwork;
  /** Runs a named CPU task, normally `runCpuTask`. */
  readonly runTask: (task: string, input: unknown, entropy: Uint8Array) => unknown;
  /** Calendar ms per monotonic ms. */
  readonly calendarScale: number;
  readonly secretsOf: (path: string) => Readonly<Record<string, string>>;
  /** The engine's address at the venues. */
  readonly client: string;
  /** Answers shared between the connectors of one process life; of each alone when absent. */
  readonly reads?: SharedReads;
}

/** The simulated network has as many connections as anybody wants: a switch is remembered, and changes nothing. */
function simulatedPools(): Pick<HttpPort, 'health' | 'setProfile' | 'setBurst'> {
  let profile: HttpHealth['profile'] = 'standard';
  return {
    health: () => ({ profile, inFlight: 0, waiting: 0, waited: 0, phase: 'calm', bursts: 0, fallbacks: 0 }),
    setProfile: (wanted) => {
      profile = wanted;
    },
    setBurst: () => undefined,
  };
}

/** Makes the doors of connector actors. */
export function simulatedConnectorPorts(options: SimulatedConnectorOptions): PortsFactory {
  return (context: PortsContext): ConnectorPorts & { dispose(): void } => {
    const deliver: PortsContext['deliver'] = (message, cause) => context.deliver(message, cause);
    const calling: PortsContext['calling'] = (door, detail) => context.calling(door, detail);
    const { network, client } = options;
    const monotonicMs = (): number => context.monotonicMs();
    const meter = { metrics: context.metrics, venue: venueOf(context.path), monotonicMs };
    const http = sharingHttpPort({
      reads: options.reads ?? new SharedReads(),
      deliver,
      calling,
      pools: simulatedPools(),
      metrics: context.metrics,
      monotonicMs,
      later: (action) => void context.schedule(0, action),
      open: (answer) => meteredHttp(meter, answer, (metered) => network.openHttp(client, metered, calling)),
    });
    const socket = meteredSocket(meter, deliver, (metered) => network.openSocket(client, metered, calling));
    return {
      http,
      socket,
      cpu: simulatedCpuPort(context, options.runTask),
      calendar: { scale: options.calendarScale },
      secrets: options.secretsOf(context.path),
      dispose: () => {
        http.dispose();
        socket.dispose();
      },
    };
  };
}

/** Computes at once and answers after a drawn delay, so answers may overtake one another as on a pool. */
export function simulatedCpuPort(
  context: Pick<PortsContext, 'deliver' | 'calling' | 'schedule' | 'random'>,
  runTask: SimulatedConnectorOptions['runTask'],
): CpuPort {
  const delays = context.random('cpu delays');
  const entropy = context.random('cpu entropy');
  let lastRef = 0;
  return {
    run(task, input) {
      lastRef += 1;
      const cause = context.calling('cpu-run', task);
      const answer = outcomeOf(lastRef, () => runTask(task, input, drawBytes(entropy, TASK_ENTROPY_BYTES)));
      const delayMs = TASK_MS_MIN + (TASK_MS_MAX - TASK_MS_MIN) * delays.nextFraction();
      context.schedule(delayMs, () => context.deliver(answer, cause));
      return lastRef;
    },
    // One thread does everything here: a switch is taken, and changes nothing but a little time.
    usePool: () => undefined,
    fallbacks: () => 0,
  };
}

/** Makes the doors of the journal actor: the real group commit over the simulated disk, each commit taking a drawn time. */
export function simulatedJournalPorts(disk: SimulatedDisk): PortsFactory {
  return (context: PortsContext): JournalPorts & { dispose(): void } => {
    const delays = context.random('disk delays');
    const store = openStorePort({
      open: () => disk.open(),
      deliver: (message, cause) => context.deliver(message, cause),
      calling: (door, detail) => context.calling(door, detail),
      schedule: (delayMs, action) => context.schedule(delayMs + drawCommitMs(delays), action),
      monotonicMs: () => context.monotonicMs(),
      log: (level, event, fields) => context.log(level, event, fields),
      metrics: context.metrics,
    });
    return { store, dispose: () => store.dispose() };
  };
}

function drawCommitMs(random: RandomStream): number {
  const usual = COMMIT_MS_MIN + (COMMIT_MS_MAX - COMMIT_MS_MIN) * random.nextFraction();
  return random.nextFraction() < COMMIT_SLOW_CHANCE ? usual + COMMIT_SLOW_MS : usual;
}

function outcomeOf(ref: number, compute: () => unknown): TaskDone | TaskFailed {
  try {
    return { type: 'task-done', ref, result: compute() };
  } catch (error) {
    return { type: 'task-failed', ref, detail: error instanceof Error ? error.message : String(error) };
  }
}

function drawBytes(random: RandomStream, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let index = 0; index < length; index++) bytes[index] = random.nextUint32() >>> 24;
  return bytes;
}
