/** The doors of connector actors on real sockets: one CPU pool per thread, HTTP and WebSocket per incarnation. Connector threads only. */
import type { PortsContext, PortsFactory } from '../../runtime/ports-context.ts';
import { meteredHttp, meteredSocket, venueOf } from '../metered-ports.ts';
import type { ConnectorPorts } from '../ports.ts';
import { SharedReads, sharingHttpPort } from '../shared-reads.ts';
import { readSecrets } from './account-secrets.ts';
import type { SecretSource } from './account-secrets.ts';
import type { RecordingHeading } from '../../recording/format.ts';
import { RecordingWriter } from '../../recording/live/recording-file.ts';
import { Recorder } from '../../recording/recorder.ts';
import { CpuThreads, openCpuPort, startCpuPool } from './cpu-port.ts';
import { DEFAULT_POOLS, HttpPools } from './http-pools.ts';
import type { HttpPoolOptions } from './http-pools.ts';
import { openHttpPort } from './http-port.ts';
import { scheduledPorts } from './scheduled-ports.ts';
import type { SchedulingThreadData } from './scheduled-ports.ts';
import { openSocketPort } from './socket-port.ts';

/** The thread's settings: plain data. */
export interface ConnectorThreadData extends SchedulingThreadData {
  /** Threads of the CPU pool; 0 computes in place. */
  readonly cpuThreads: number;
  /** Absent: as by default. */
  readonly http?: HttpPoolOptions;
  /** Calendar ms per monotonic ms. */
  readonly calendarScale: number;
  /** By actor path, for example `connector/lighter:main`. */
  readonly secrets: Readonly<Record<string, SecretSource>>;
  /** Where the traffic of which actors is written down; absent: nowhere. */
  readonly recording?: {
    readonly directory: string;
    readonly headings: Readonly<Record<string, RecordingHeading>>;
  };
}

/** Makes the factory of one thread; its pool starts with the first connector. */
export function connectorPortsFactory(): PortsFactory {
  let cpuThreads: CpuThreads | undefined;
  let pools: HttpPools | undefined;
  const reads = new SharedReads();
  const portsFor = (context: PortsContext): ConnectorPorts & { dispose(): void } => {
    const data = context.data as ConnectorThreadData;
    const source = data.secrets[context.path];
    if (source === undefined) throw new Error(`secrets of ${context.path} must be named in the thread's settings`);
    const deliver: PortsContext['deliver'] = (message, cause) => context.deliver(message, cause);
    const calling: PortsContext['calling'] = (door, detail) => context.calling(door, detail);
    cpuThreads ??= new CpuThreads(data.cpuThreads > 0 ? startCpuPool(data.cpuThreads) : undefined);
    pools ??= new HttpPools(data.http ?? DEFAULT_POOLS);
    const opened = pools;
    const monotonicMs = (): number => context.monotonicMs();
    const meter = { metrics: context.metrics, venue: venueOf(context.path), monotonicMs };
    const recording = recordingOf(data, context);
    const secrets = readSecrets(source);
    const recorder =
      recording === undefined
        ? undefined
        : new Recorder((entry) => recording.write(entry), monotonicMs, Object.values(secrets));
    const http = sharingHttpPort({
      reads,
      deliver: (message, cause) => {
        recorder?.heard(message);
        deliver(message, cause);
      },
      calling,
      pools: opened,
      metrics: context.metrics,
      monotonicMs,
      later: (action) => void context.schedule(0, action),
      open: (answer) => meteredHttp(meter, answer, (metered) => openHttpPort(metered, calling, opened)),
    });
    const socket = meteredSocket(meter, deliver, (metered) =>
      openSocketPort(
        (message) => {
          recorder?.heard(message);
          metered(message);
        },
        monotonicMs,
        calling,
      ),
    );
    const cpu = openCpuPort(cpuThreads, deliver, calling);
    return {
      ...(recorder?.tapped({ http, socket }) ?? { http, socket }),
      cpu,
      calendar: { scale: data.calendarScale },
      secrets,
      dispose() {
        http.dispose();
        socket.dispose();
        cpu.dispose();
        recording?.close();
      },
    };
  };
  return scheduledPorts('io', portsFor);
}

function recordingOf({ recording }: ConnectorThreadData, { path }: PortsContext): RecordingWriter | undefined {
  const heading = recording?.headings[path];
  return recording === undefined || heading === undefined
    ? undefined
    : new RecordingWriter(recording.directory, heading);
}
