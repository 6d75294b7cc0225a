/** The doors of connector actors on real sockets: one CPU pool per thread, HTTP and WebSocket per incarnation. Connector threads only. */
import type { PortsContext, PortsFactory } from '../../runtime/ports-context.ts';
import { meteredHttp, meteredSocket, venueOf } from '../metered-ports.ts';
import type { ConnectorPorts } from '../ports.ts';
import { SharedReads, sharingHttpPort } from '../shared-reads.ts';
import { readSecrets } from './account-secrets.ts';
import type { SecretSource } from './account-secrets.ts';
import { CpuThreads, openCpuPort, startCpuPool } from './cpu-port.ts';
import { DEFAULT_POOLS, HttpPools } from './http-pools.ts';
import type { HttpPoolOptions } from './http-pools.ts';
import { openHttpPort } from './http-port.ts';
import { runThreadRealtime } from './realtime-priority.ts';
import { openSocketPort } from './socket-port.ts';

/** The thread's settings: plain data. */
export interface ConnectorThreadData {
  /** Threads of the CPU pool; 0 computes in place. */
  readonly cpuThreads: number;
  /** Whether the thread asks the kernel for real-time scheduling. */
  readonly isRealtime: boolean;
  /** Absent: as by default. */
  readonly http?: HttpPoolOptions;
  /** Calendar ms per monotonic ms. */
  readonly calendarScale: number;
  /** By actor path, for example `connector/lighter:main`. */
  readonly secrets: Readonly<Record<string, SecretSource>>;
}

/** Makes the factory of one thread; its pool starts with the first connector. */
export function connectorPortsFactory(): PortsFactory {
  let cpuThreads: CpuThreads | undefined;
  let pools: HttpPools | undefined;
  const reads = new SharedReads();
  let isScheduled = false;
  return (context: PortsContext): ConnectorPorts & { dispose(): void } => {
    const data = context.data as ConnectorThreadData;
    const source = data.secrets[context.path];
    if (source === undefined) throw new Error(`secrets of ${context.path} must be named in the thread's settings`);
    const deliver: PortsContext['deliver'] = (message, cause) => context.deliver(message, cause);
    const calling: PortsContext['calling'] = (door, detail) => context.calling(door, detail);
    if (!isScheduled) {
      isScheduled = true;
      if (data.isRealtime) scheduleThread(context);
    }
    cpuThreads ??= new CpuThreads(data.cpuThreads > 0 ? startCpuPool(data.cpuThreads) : undefined);
    pools ??= new HttpPools(data.http ?? DEFAULT_POOLS);
    const opened = pools;
    const monotonicMs = (): number => context.monotonicMs();
    const meter = { metrics: context.metrics, venue: venueOf(context.path), monotonicMs };
    const http = sharingHttpPort({
      reads,
      deliver,
      calling,
      pools: opened,
      metrics: context.metrics,
      monotonicMs,
      later: (action) => void context.schedule(0, action),
      open: (answer) => meteredHttp(meter, answer, (metered) => openHttpPort(metered, calling, opened)),
    });
    const socket = meteredSocket(meter, deliver, (metered) => openSocketPort(metered, monotonicMs, calling));
    const cpu = openCpuPort(cpuThreads, deliver, calling);
    return {
      http,
      socket,
      cpu,
      calendar: { scale: data.calendarScale },
      secrets: readSecrets(source),
      dispose() {
        http.dispose();
        socket.dispose();
        cpu.dispose();
      },
    };
  };
}

/** Before the thread has a socket. Refused is no failure: the thread then waits for a core like everybody else. */
function scheduleThread(context: PortsContext): void {
  const verdict = runThreadRealtime();
  if (verdict.isRealtime) context.log('info', 'io-thread-realtime', { thread: context.threadName });
  else context.log('info', 'io-thread-ordinary', { thread: context.threadName, reason: verdict.reason });
}
